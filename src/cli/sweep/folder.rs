//! The folder that failing plans are written to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::exit::Refused;
use crate::scenario::Plan;

/// The folder, and what the plans of each file are called in it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    names: Vec<String>,
    /// Whether it was not there before: then it goes again when nothing is in it.
    made: bool,
}

impl Folder {
    /// Make it, if need be, and see that it can be written to.
    pub(super) fn ready(path: &Path, files: &[PathBuf]) -> Result<Self, Refused> {
        let unwritable = |cause| Refused::Unwritable { path: path.to_owned(), cause };
        let made = !path.exists();
        fs::create_dir_all(path).map_err(unwritable)?;
        let probe = path.join(".swarmproof-can-write");
        fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(unwritable)?;
        Ok(Self { path: path.to_owned(), names: names(files), made })
    }

    /// Write `plan`, which failed. A plan is there as a whole or not at all.
    pub(super) fn keep(&self, source: usize, plan: &Plan) -> Result<PathBuf, Refused> {
        let name = self.names.get(source).map_or("plan", String::as_str);
        let path = self.path.join(format!("{name}-{}.toml", plan.seed));
        write(&path, plan, "")?;
        Ok(path)
    }

    /// There will be no more.
    pub(super) fn end(self) {
        if self.made {
            // Nothing is removed that has something in it.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Write `plan` to `path`, with `head` before it.
pub(crate) fn write(path: &Path, plan: &Plan, head: &str) -> Result<(), Refused> {
    let text = plan.to_toml().map_err(|error| Refused::Usage(error.to_string()))?;
    let unwritable = |cause| Refused::Unwritable { path: path.to_owned(), cause };
    let part = path.with_extension("toml.part");
    fs::write(&part, format!("{head}{text}")).map_err(unwritable)?;
    fs::rename(&part, path).map_err(unwritable)
}

/// A name for each file: its own, with its folders where two files would have the same.
fn names(files: &[PathBuf]) -> Vec<String> {
    let stem = |file: &PathBuf| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        *count.entry(stem(file)).or_default() += 1;
    }
    let named = |(place, file): (usize, &PathBuf)| {
        let stem = stem(file);
        if count.get(&stem) == Some(&1) {
            return stem;
        }
        let whole: String = file.with_extension("").to_string_lossy().into_owned();
        let plain = |it: char| if it.is_ascii_alphanumeric() || it == '_' { it } else { '-' };
        // Two paths can be the same when they are written plainly, and their places cannot.
        format!("{}-{place}", whole.chars().map(plain).collect::<String>().trim_matches('-'))
    };
    files.iter().enumerate().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_two_files_never_have_one_name() {
        let files = ["a/x.toml", "a/y.toml", "b/x.toml", "b-x.toml"].map(PathBuf::from);
        assert_eq!(names(&files), ["a-x-0", "y", "b-x-2", "b-x"]);
        let twice = ["a/b-x.toml", "a-b/x.toml", "a/b/x.toml", "z/b-x.toml"].map(PathBuf::from);
        let mut names = names(&twice);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn a_folder_that_nothing_came_into_is_not_left_behind() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/failures");
        Folder::ready(&path, &[]).unwrap().end();
        assert!(!path.exists());
        fs::create_dir_all(&path).unwrap();
        Folder::ready(&path, &[]).unwrap().end();
        assert!(path.exists(), "what was there stays");
        fs::write(root.path().join("file"), "").unwrap();
        let under_a_file = Folder::ready(&root.path().join("file/x"), &[]);
        assert!(matches!(under_a_file, Err(Refused::Unwritable { .. })));
    }
}
