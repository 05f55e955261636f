//! Ctrl-C: one flag, looked at between runs and handed into each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::Refused;

/// Whether to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that SIGINT and SIGTERM raise. A second signal ends the process at once.
    pub(crate) fn on_signal() -> Result<Self, Refused> {
        let stop = Self::default();
        let raised = stop.clone();
        ctrlc::set_handler(move || {
            if raised.raise() {
                std::process::exit(130);
            }
        })
        .map_err(|cause| Refused::System {
            what: "cannot listen for Ctrl-C",
            cause: std::io::Error::other(cause),
        })?;
        Ok(stop)
    }

    /// Raise it; whether it was raised before.
    pub(crate) fn raise(&self) -> bool {
        self.0.swap(true, Ordering::SeqCst)
    }

    /// Whether it was raised.
    pub(crate) fn raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag, for a run to look at.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}
