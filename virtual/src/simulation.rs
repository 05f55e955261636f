//! One simulation: a thread of its own under control, and a fabric.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use swarmproof::sim::{Profile, ProfileError, Seed};
use tokio::runtime::Runtime;

use crate::control::{Control, TIMER_THREAD, Uncontrolled, probe, threads};
use crate::fabric::{Fabric, Progress};
use crate::watchdog::Watchdog;

/// The stack of a simulation's thread: libp2p's futures are large.
const STACK: usize = 64 << 20;
/// The name of a simulation's thread.
const NAME: &str = "simulation";

/// One was begun in this process.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// What a simulation is made with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of every draw.
    pub seed: u64,
    /// What links are like.
    pub profile: Profile,
    /// How long, in real time, nothing may move before the process is ended with the state of each node and exit
    /// code 3. 30 s unless it is set.
    pub patience: Duration,
}

impl Options {
    /// A simulation of `profile` with this seed.
    pub fn new(seed: u64, profile: Profile) -> Self {
        Self { seed, profile, patience: Duration::from_secs(30) }
    }
}

/// A simulation that is under way, on its thread.
#[derive(Debug)]
pub struct Simulation {
    fabric: Fabric,
}

impl Simulation {
    /// The network between nodes.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// A runtime in virtual time; see [`Fabric::runtime`].
    pub fn runtime(&self) -> io::Result<Runtime> {
        self.fabric.runtime()
    }
}

/// What came of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<T> {
    /// What its body returned.
    pub value: T,
    /// The names of threads that were started meanwhile and are there yet. What they do is not in virtual time and
    /// not repeatable, so there should be none.
    pub threads: Vec<String>,
}

/// Why there was no simulation.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// There was one in this process already.
    #[error(
        "this process has had a simulation: libp2p counts connections and listeners for the whole process, so a second \
         one would not be repeatable; make each run in a process of its own"
    )]
    Second,
    /// The profile is unsound.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Something of this program is not under control.
    #[error(transparent)]
    Uncontrolled(#[from] Uncontrolled),
    /// The thread could not be started.
    #[error("the simulation's thread could not be started: {0}")]
    Thread(io::Error),
    /// A thread with timers in real time was started meanwhile.
    #[error(
        "the thread `{TIMER_THREAD}` was started: a dependency has a futures-timer of its own, whose timers are in real \
         time. `cargo tree -i futures-timer` shows whose; bring it to the version that `[patch.crates-io]` replaces (3.0)"
    )]
    TimerThread,
}

/// Run `body` in a simulation: on a thread of its own, whose clock is virtual and whose entropy comes from the seed.
///
/// There is one simulation a process. A panic of `body` goes on in the caller.
pub fn simulate<T, F>(options: Options, body: F) -> Result<Outcome<T>, SimulationError>
where
    T: Send + 'static,
    F: FnOnce(&Simulation) -> T + Send + 'static,
{
    let progress = Arc::new(Progress::default());
    let fabric = Fabric::new(options.seed, &options.profile, Arc::clone(&progress))?;
    if BEGUN.swap(true, Ordering::SeqCst) {
        return Err(SimulationError::Second);
    }
    let watchdog = Watchdog::start(options.patience, &fabric).map_err(SimulationError::Thread)?;
    let seed = Seed::new(options.seed);
    let thread = std::thread::Builder::new().name(NAME.to_owned()).stack_size(STACK).spawn(move || {
        let Some(_control) = Control::begin(&seed) else { return Err(SimulationError::Second) };
        probe()?;
        // This thread and the watchdog's are there by now.
        let before = threads().unwrap_or_default();
        progress.running.store(true, Ordering::Relaxed);
        let simulation = Simulation { fabric };
        let value = body(&simulation);
        progress.running.store(false, Ordering::Relaxed);
        simulation.fabric.rest();
        Ok((value, started_since(&before)))
    });
    let ended = thread.map_err(SimulationError::Thread)?.join();
    drop(watchdog);
    let (value, threads) = match ended {
        Ok(ended) => ended?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    if threads.iter().any(|name| name == TIMER_THREAD) {
        return Err(SimulationError::TimerThread);
    }
    Ok(Outcome { value, threads })
}

/// The names of the threads that are there now and were not `before`. One that has not yet run has the name of the
/// thread that started it.
fn started_since(before: &BTreeMap<u64, String>) -> Vec<String> {
    let now = threads().unwrap_or_default();
    now.into_iter().filter(|(number, _)| !before.contains_key(number)).map(|(_, name)| name).collect()
}

impl<T: fmt::Display> fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        if !self.threads.is_empty() {
            write!(f, " (threads were started that are not in virtual time: {})", self.threads.join(", "))?;
        }
        Ok(())
    }
}
