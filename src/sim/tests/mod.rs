//! What the world must show to an application, checked through its `Network` alone.

mod faults;
mod lookups;
mod replay;
mod resets;
mod toy;
