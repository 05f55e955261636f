//! What this thread's clock and entropy are, when they are a simulation's.

use core::cell::{Cell, RefCell};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// What a monotonic clock shows when a simulation begins: late enough that code may subtract from it.
const MONOTONIC: u64 = 1_000_000 * 1_000_000_000;
/// Calendar time when a simulation begins, as in the model's world: 2026-01-01T00:00:00Z.
const CALENDAR: u64 = 1_767_225_600 * 1_000_000_000;

thread_local! {
    /// Nanoseconds since the simulation began, on its thread only. Neither cell has a destructor, so both can be
    /// read as long as the thread runs anything.
    static NOW: Cell<Option<u64>> = const { Cell::new(None) };
    static ENTROPY: RefCell<Option<ChaCha8Rng>> = const { RefCell::new(None) };
    static CALLS: Cell<Calls> = const { Cell::new(Calls { clock: 0, entropy: 0 }) };
}

/// How often a controlled thread asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// For the time.
    pub(crate) clock: u64,
    /// For entropy.
    pub(crate) entropy: u64,
}

/// Whether this thread is a simulation's.
pub(super) fn controlled() -> bool {
    NOW.get().is_some()
}

/// What the system's clock of this number shows. `None` where the system's own is to answer: on other threads,
/// and for clocks that count the work of the processor.
pub(super) fn clock(clock: libc::clockid_t) -> Option<u64> {
    let now = NOW.get()?;
    let base = match clock {
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_BOOTTIME => MONOTONIC,
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => CALENDAR,
        _ => return None,
    };
    let calls = CALLS.get();
    CALLS.set(Calls { clock: calls.clock + 1, ..calls });
    Some(base.saturating_add(now))
}

/// Fill with the simulation's entropy. False on other threads.
pub(super) fn fill(bytes: &mut [u8]) -> bool {
    ENTROPY.with(|entropy| {
        let Ok(mut entropy) = entropy.try_borrow_mut() else { return false };
        let Some(rng) = entropy.as_mut() else { return false };
        rng.fill_bytes(bytes);
        let calls = CALLS.get();
        CALLS.set(Calls { entropy: calls.entropy + 1, ..calls });
        true
    })
}

/// From now on this thread's clock stands at the beginning, and its entropy comes from `rng`.
pub(super) fn begin(rng: ChaCha8Rng) {
    ENTROPY.with(|entropy| *entropy.borrow_mut() = Some(rng));
    NOW.set(Some(0));
}

/// This thread's clock and entropy are the system's again.
pub(super) fn end() {
    NOW.set(None);
    ENTROPY.with(|entropy| *entropy.borrow_mut() = None);
}

/// Nanoseconds since the simulation of this thread began.
pub(super) fn now() -> Option<u64> {
    NOW.get()
}

/// The time is `nanos` from now on.
pub(super) fn set(nanos: u64) {
    if controlled() {
        NOW.set(Some(nanos));
    }
}

/// How often this thread has asked so far.
pub(super) fn calls() -> Calls {
    CALLS.get()
}
