//! Plans as files: written with one line for each operation and event, read back exactly.

use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::ser::ValueSerializer;

use super::check::check;
use super::types::Plan;
use crate::scenario::file::error::{Source, read_text};
use crate::scenario::file::{FileError, Problem};

/// The most bytes of a plan file.
const MAX_FILE: u64 = 256 << 20;
const WANTED: &str = "a plan begins with `plan = 1`";

/// A plan could not be written as a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan cannot be written: {0}")]
pub struct WriteError(pub(crate) String);

impl Plan {
    /// The plan as a file.
    pub fn to_toml(&self) -> Result<String, WriteError> {
        let mut head = self.clone();
        head.timeline = Default::default();
        written(&head, &self.timeline.operations, &self.timeline.events)
    }

    /// Read a plan file. Errors name the place.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let text = read_text(path, MAX_FILE, WANTED)?;
        let mut plan = Self::parse(&text, &path.display().to_string())?;
        plan.locate(path.parent().unwrap_or(Path::new("")));
        Ok(plan)
    }

    /// The same from a text; `path` is what errors call it.
    pub fn parse(text: &str, path: &str) -> Result<Self, FileError> {
        let source = Source { path, text };
        let version: Version = toml::from_str(text).map_err(|error| source.toml(&error))?;
        match version.plan {
            Some(super::VERSION) => {}
            Some(other) => {
                let words = format!(
                    "this is a plan of version {other}; this program runs version {}",
                    super::VERSION
                );
                return Err(source.error(0, Problem::Contradiction(words)));
            }
            None => return Err(source.error(0, Problem::Contradiction(WANTED.to_owned()))),
        }
        let plan: Self = toml::from_str(text).map_err(|error| source.toml(&error))?;
        check(&plan).map_err(|words| FileError::new(path, None, Problem::Contradiction(words)))?;
        Ok(plan)
    }

    /// Whether it can be run, as it is asked of a plan that is read: what is wrong, with its place in the plan.
    pub fn check(&self) -> Result<(), String> {
        check(self)
    }

    /// Whether this text says of itself that it is a plan.
    pub fn is_plan(text: &str) -> bool {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        first.is_some_and(|line| {
            line.strip_prefix("plan").is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    }

    /// A catalogue file's path is looked for from the working folder, then from the plan's own.
    fn locate(&mut self, folder: &Path) {
        if let super::types::SourcePlan::File { path, .. } = &mut self.catalogue.source {
            let beside: PathBuf = folder.join(&*path);
            if !Path::new(path).exists() && beside.exists() {
                *path = beside.display().to_string();
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Version {
    plan: Option<u32>,
}

/// A plan as a file: `head`, whose timeline is empty and comes last, then the timeline with a line for each entry.
pub(crate) fn written<H: Serialize, O: Serialize, E: Serialize>(
    head: &H,
    operations: &[O],
    events: &[E],
) -> Result<String, WriteError> {
    let text = toml::to_string(head).map_err(|error| WriteError(error.to_string()))?;
    let mut text = text.split("\n[timeline]").next().unwrap_or_default().to_owned();
    text.push_str("\n[timeline]\noperations = [\n");
    lines(&mut text, operations)?;
    text.push_str("]\nevents = [\n");
    lines(&mut text, events)?;
    text.push_str("]\n");
    Ok(text)
}

/// Each of `items` in a line of its own, as an entry of a list.
fn lines<T: Serialize>(text: &mut String, items: &[T]) -> Result<(), WriteError> {
    for item in items {
        text.push_str("  ");
        item.serialize(ValueSerializer::new(text)).map_err(|error| WriteError(error.to_string()))?;
        text.push_str(",\n");
    }
    Ok(())
}
