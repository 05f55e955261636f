//! A real thread that ends a run which does not move, or which cannot be in virtual time.
//!
//! It looks every so often whether virtual time or the runtime has moved since. When nothing has for as long as
//! the patience is, it writes the state of each node to stderr and ends the process with exit code 3. When a thread
//! with timers in real time has been started, it says so and ends the process with exit code 2: such timers are
//! what a run would wait for in vain.

use std::io;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use swarmproof::time::Timestamp;

use crate::control::{TIMER_THREAD, threads};
use crate::fabric::{Fabric, Shared};
use crate::simulation::SimulationError;

/// The name of its thread.
const NAME: &str = "watchdog";
/// The longest between two looks.
const LOOK: Duration = Duration::from_millis(250);
/// The shortest.
const SHORTEST: Duration = Duration::from_millis(1);
/// The exit code of a run that did not move.
const STUCK: i32 = 3;
/// The exit code of a run that cannot be in virtual time.
const UNFIT: i32 = 2;

/// Watches while it lives.
#[derive(Debug)]
pub(crate) struct Watchdog {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watch over a run on `fabric`.
    pub(crate) fn start(patience: Duration, fabric: &Fabric) -> io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let shared = Arc::clone(fabric.shared());
        let thread = std::thread::Builder::new().name(NAME.to_owned()).spawn(move || {
            let mut moved = now();
            let mut before = (0, 0);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK.min(patience.max(SHORTEST)))
            {
                let progress = &shared.progress;
                let at = (progress.now.load(Ordering::Relaxed), progress.turns.load(Ordering::Relaxed));
                if at != before || !progress.running.load(Ordering::Relaxed) {
                    (before, moved) = (at, now());
                } else if moved.elapsed() >= patience {
                    end(STUCK, &stuck(&shared, patience));
                }
                if threads().is_ok_and(|all| all.values().any(|name| name == TIMER_THREAD)) {
                    end(UNFIT, &SimulationError::TimerThread.to_string());
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _joined = thread.join();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "patience is in real time")]
fn now() -> Instant {
    Instant::now()
}

fn stuck(shared: &Shared, patience: Duration) -> String {
    let at = Timestamp::from_nanos(shared.progress.now.load(Ordering::Relaxed));
    let nodes = shared.describe();
    format!(
        "the run has not moved for {patience:?}: virtual time stands at {at}. Either something waits that no message and \
         no timer will ever wake, or a task wakes itself without end, or it waits for real time or for another thread.\n{}",
        nodes.as_deref().unwrap_or("  (the network is being worked on at this moment)\n")
    )
}

fn end(code: i32, why: &str) -> ! {
    let _unwritable = writeln!(io::stderr(), "{why}");
    std::process::exit(code)
}
