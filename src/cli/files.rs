//! Which files the paths of a command mean.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::exit::Refused;

/// The deepest that folders are followed.
const DEEPEST: usize = 32;

/// The files that `paths` mean, in a fixed order: as given, each folder's `*.toml` sorted by name and
/// searched downward. A file that is meant twice is there once.
pub(crate) fn collect(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Refused> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |cause| Refused::Unreadable { path: path.clone(), cause };
        let mut found = Vec::new();
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            descend(path, DEEPEST, &mut found).map_err(unreadable)?;
            if found.is_empty() {
                return Err(Refused::Empty { path: path.clone() });
            }
        } else {
            found.push(path.clone());
        }
        for file in found {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn descend(folder: &Path, deeper: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to folders are not followed: they could lead round in a circle.
        if entry.file_type()?.is_dir() {
            if deeper > 0 {
                descend(&path, deeper - 1, found)?;
            }
        } else if path.extension().is_some_and(|it| it == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_in_order_and_files_come_once() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        for name in ["b/deep/2.toml", "b/1.toml", "a.toml", "c.txt", "z.toml"] {
            fs::write(at(name), "").unwrap();
        }
        let wanted = ["a.toml", "b/1.toml", "b/deep/2.toml", "z.toml"].map(at);
        assert_eq!(collect(&[root.path().into()]).unwrap(), wanted);
        assert_eq!(
            collect(&[at("z.toml"), at("b"), at("z.toml")]).unwrap(),
            [at("z.toml"), at("b/1.toml"), at("b/deep/2.toml")]
        );
        assert_eq!(collect(&[at("c.txt")]).unwrap(), [at("c.txt")], "a file that is named is taken as it is");
    }

    #[test]
    fn nothing_there_is_refused() {
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(collect(&[root.path().into()]), Err(Refused::Empty { .. })));
        assert!(matches!(collect(&[root.path().join("none")]), Err(Refused::Unreadable { .. })));
    }
}
