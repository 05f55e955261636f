//! What the world must show to an application, checked through its `Network` alone.

mod datagrams;
mod faults;
mod lookups;
mod replay;
mod resets;
mod toy;
