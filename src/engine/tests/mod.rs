//! The engine's tests: a rig that plays the network and checks the books after every step, what each query
//! must do, and arbitrary sequences of events.

mod gets;
mod hedging;
mod hostile;
mod properties;
mod rig;
mod searches;
mod surface;
mod timing;
