//! Control over the time and the entropy of one thread.
//!
//! [`Control::begin`] makes the calling thread a simulation's: until the value is dropped its clocks stand still
//! but for [`set`], and its entropy comes from a seed. Other threads notice nothing. [`probe`] says, before a run
//! begins, what of this program is not under control.

#[expect(unsafe_code, reason = "it takes the place of functions of the C library")]
mod interpose;
mod probe;
mod state;

use core::marker::PhantomData;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use swarmproof::sim::{Concern, Seed};

pub use probe::Uncontrolled;
pub(crate) use probe::{TIMER_THREAD, probe, threads};

/// The entropy of a simulation's thread.
const ENTROPY: Concern = Concern(2001);

/// The calling thread is a simulation's while this lives.
#[derive(Debug)]
pub(crate) struct Control {
    /// It belongs to the thread that it was made on.
    here: PhantomData<*const ()>,
}

impl Control {
    /// Take control of this thread. `None` when that has been done.
    pub(crate) fn begin(seed: &Seed) -> Option<Self> {
        if state::controlled() {
            return None;
        }
        let mut stream = seed.stream(ENTROPY, 0);
        let mut key = [0; 32];
        for chunk in key.chunks_exact_mut(8) {
            chunk.copy_from_slice(&stream.wide().to_le_bytes());
        }
        state::begin(ChaCha8Rng::from_seed(key));
        Some(Self { here: PhantomData })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        state::end();
    }
}

/// Nanoseconds since the simulation of this thread began; 0 on a thread that is not a simulation's.
pub(crate) fn now() -> u64 {
    state::now().unwrap_or(0)
}

/// The simulation of this thread is `nanos` after its beginning.
pub(crate) fn set(nanos: u64) {
    state::set(nanos);
}

#[cfg(test)]
mod tests;
