//! What another program brings to run scenarios with this command line.

use crate::scenario::report::RunReport;
use crate::scenario::{Plan, RunError, RunOptions};

/// A network that another program brings under the same command: what it is called, what it can run, how it runs it.
///
/// Each run is made in a process of its own, which is this program again: see [`run_elsewhere`](super::run_elsewhere).
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere {
    /// What the program is called: the first word of the commands that it prints.
    pub program: &'static str,
    /// What whoever reads the reports should know of this network, in a sentence; written to standard error.
    pub note: Option<&'static str>,
    /// Why a plan cannot be run on it, if it cannot. Asked of every plan before anything is run.
    pub unfit: fn(&Plan) -> Option<String>,
    /// Follow a plan. The same plan gives the same trace hash, in whichever process.
    pub run: fn(&Plan, RunOptions) -> Result<RunReport, RunError>,
}
