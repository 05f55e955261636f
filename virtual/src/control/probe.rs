//! What of this program is not under control, found out before a run begins.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io;

use super::{interpose, state};

/// The name of the thread that an unreplaced futures-timer starts.
pub(crate) const TIMER_THREAD: &str = "futures-timer";

/// What is not under control, so that a run could not be repeated or would hang.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Uncontrolled {
    /// A clock of the standard library does not show virtual time.
    #[error(
        "{clock} shows {found:?} since the run began where virtual time is {wanted:?}: this program's `clock_gettime` is \
         not the one of swarmproof-virtual; link the crate statically, and no other that takes its place"
    )]
    Clock {
        /// Which.
        clock: &'static str,
        /// What it shows.
        found: Duration,
        /// What it is to show.
        wanted: Duration,
    },
    /// A source of entropy does not draw from the seed.
    #[error(
        "{source_of} does not draw from the seed: this program's `getrandom` or `syscall` is not the one of \
         swarmproof-virtual; build without a `getrandom_backend` of your own, and link the crate statically"
    )]
    Entropy {
        /// Which.
        source_of: &'static str,
    },
    /// futures-timer is the one with a thread of its own, which virtual time does not move.
    #[error(
        "futures-timer is not on virtual time ({found}), and libp2p's timers would never fire. Add to the Cargo.toml at \
         the top of your workspace:\n\n[patch.crates-io]\nfutures-timer = {{ path = \"PATH-TO/virtual/futures-timer\" }}\n\nand run `cargo update -p futures-timer`, as a Cargo.lock \
         that is there keeps what it names"
    )]
    Timer {
        /// What showed it.
        found: &'static str,
    },
    /// The runtime that the check needs could not be made.
    #[error("the runtime to check timers with could not be made: {0}")]
    Runtime(String),
}

/// What of this program is not under control. The calling thread is controlled, and its clock has not moved yet.
pub(crate) fn probe() -> Result<(), Uncontrolled> {
    clocks()?;
    entropy()?;
    let found = timer(|| futures_timer::Delay::new(SPAN));
    state::set(0);
    found
}

#[expect(clippy::disallowed_methods, reason = "whether they show virtual time is what is asked")]
fn clocks() -> Result<(), Uncontrolled> {
    let (instant, calendar) = (std::time::Instant::now(), std::time::SystemTime::now());
    let wanted = Duration::from_nanos(1_234_567_891);
    state::set(1_234_567_891);
    let shown = [
        ("std::time::Instant", instant.elapsed()),
        ("std::time::SystemTime", calendar.elapsed().unwrap_or(Duration::MAX)),
    ];
    state::set(0);
    for (clock, found) in shown {
        if found != wanted {
            return Err(Uncontrolled::Clock { clock, found, wanted });
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_types, reason = "whether its keys come from the seed is what is asked")]
fn entropy() -> Result<(), Uncontrolled> {
    let draws = |source_of: &'static str, draw: &mut dyn FnMut()| {
        let before = state::calls().entropy;
        draw();
        if state::calls().entropy > before { Ok(()) } else { Err(Uncontrolled::Entropy { source_of }) }
    };
    // The standard library draws them once for each thread, and this thread is new.
    draws("std::collections::HashMap", &mut || _ = std::hash::RandomState::new())?;
    let mut bytes = [0; 16];
    draws("getrandom 0.2", &mut || _ = getrandom02::getrandom(&mut bytes))?;
    draws("getrandom 0.3", &mut || _ = getrandom03::fill(&mut bytes))?;
    draws("getrandom 0.4", &mut || _ = getrandom04::fill(&mut bytes))?;
    if !interpose::found_by_name() {
        return Err(Uncontrolled::Entropy { source_of: "what looks `getrandom` up by its name" });
    }
    Ok(())
}

/// How long the delay is that timers are tried with.
const SPAN: Duration = Duration::from_millis(20);

/// A delay of [`SPAN`] is to fire when tokio's paused clock has moved so far, neither before nor later.
#[expect(clippy::disallowed_methods, reason = "tokio's own clock is what it is compared with")]
pub(super) fn timer<D: Future<Output = ()>>(delay: impl FnOnce() -> D) -> Result<(), Uncontrolled> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| Uncontrolled::Runtime(error.to_string()))?;
    let fired = runtime.block_on(async {
        let begun = tokio::time::Instant::now();
        tokio::time::timeout(10 * SPAN, delay()).await.ok().map(|()| begun.elapsed())
    });
    let found = match fired {
        _ if threads().unwrap_or_default().values().any(|name| name == TIMER_THREAD) => {
            "it has started a thread of its own"
        }
        Some(SPAN) => return Ok(()),
        Some(_) => "a delay fired when it was not due",
        None => "a delay did not fire when it was due",
    };
    Err(Uncontrolled::Timer { found })
}

/// The threads of this process: their numbers and names.
pub(crate) fn threads() -> io::Result<BTreeMap<u64, String>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended meanwhile.
        if let Ok(name) = std::fs::read_to_string(entry.path().join("comm")) {
            found.insert(number, name.trim_end().to_owned());
        }
    }
    Ok(found)
}
