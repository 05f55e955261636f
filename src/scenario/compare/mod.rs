//! Strategies of fan-out beside each other: the same plans but for the strategy, pooled over their seeds.
//!
//! A [`Pool`] takes in the runs of one strategy, in whichever order, and never a search twice. A [`Comparison`] is made of
//! the pools of all strategies once every run has ended, since pools over unequal seeds compare nothing. Latencies are
//! virtual, and quantiles are of all searches together: a mean of the seeds' quantiles would hide the seed that was bad.
//!
//! A strategy is on the **Pareto front** when no other has at most its p99 latency with at most its requests a search,
//! and less of one of them: [`front`].

mod front;
mod labels;
mod plot;
mod pool;
mod table;

pub use front::front;
pub use plot::plot;
pub use pool::{Comparison, Pool, Row};
pub use table::{LEGEND, table};
