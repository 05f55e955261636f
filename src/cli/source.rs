//! A file that can be run: a scenario, or a plan that was printed and perhaps edited.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::scenario::{FileError, Plan, Scenario};

use super::exit::Refused;

/// How much of a file is looked at to see what it is.
const TOP: u64 = 64 * 1024;

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Source {
    /// A scenario: each seed makes a plan of it.
    Scenario(Scenario),
    /// One plan.
    Plan(Plan),
}

impl Source {
    /// Read and validate the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Refused> {
        parse(path).map_err(|error| Refused::Files(vec![error]))
    }

    /// The seeds that the file itself names.
    pub(crate) fn seeds(&self) -> Vec<u64> {
        match self {
            Self::Scenario(scenario) => scenario.seeds(),
            Self::Plan(plan) => vec![plan.seed],
        }
    }

    /// The plan that `seed` makes; a plan is its own, whatever the seed.
    pub(crate) fn plan(&self, seed: u64) -> Plan {
        match self {
            Self::Scenario(scenario) => Plan::make(scenario, seed),
            Self::Plan(plan) => plan.clone(),
        }
    }

    /// What it is, in a few words.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Scenario(scenario) => match scenario.seeds().len() {
                1 => "a scenario of 1 seed".to_owned(),
                count => format!("a scenario of {count} seeds"),
            },
            Self::Plan(plan) => format!("a plan of seed {}", plan.seed),
        }
    }
}

/// Read all files; where any is bad, everything that is wrong with any of them.
pub(crate) fn read_all(files: &[PathBuf]) -> Result<Vec<Source>, Refused> {
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    for file in files {
        match parse(file) {
            Ok(source) => sources.push(source),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(Refused::Files(errors)) }
}

fn parse(path: &Path) -> Result<Source, FileError> {
    if is_plan(path) {
        Plan::read(path).map(Source::Plan)
    } else {
        Scenario::read(path).map(Source::Scenario)
    }
}

/// Whether the file says that it is a plan. A file that cannot be read says nothing; reading it as a
/// scenario tells what is wrong.
fn is_plan(path: &Path) -> bool {
    let mut top = Vec::new();
    let read = File::open(path).and_then(|file| file.take(TOP).read_to_end(&mut top));
    read.is_ok() && Plan::is_plan(&String::from_utf8_lossy(&top))
}
