//! What is wrong with a file, and where.

use core::fmt;
use core::ops::Range;

/// A place in a text: line and column, each from 1; a column is a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Place {
    /// The place of the byte at `offset`; the end of the text when it is behind that.
    pub fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = text.get(..end).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().count() + 1;
        Self { line, column }
    }
}

/// A file cannot be used: which, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file, as it was named.
    pub path: String,
    /// The place in it, when the fault has one.
    pub place: Option<Place>,
    /// What is wrong. In a box, since it is large and a good file has none.
    pub problem: Box<Problem>,
}

impl FileError {
    pub(crate) fn new(path: impl Into<String>, place: Option<Place>, problem: Problem) -> Self {
        Self { path: path.into(), place, problem: Box::new(problem) }
    }
}

impl fmt::Display for FileError {
    /// `scenarios/x.toml:12:3: unknown key "perrs" in [network]; did you mean "peers"? Allowed: …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl core::error::Error for FileError {}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file could not be read from the disk, in the system's words.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is larger than any of its kind.
    #[error("has {found} bytes, at most {most} are allowed")]
    TooLarge {
        /// The bytes found.
        found: u64,
        /// The limit.
        most: u64,
    },
    /// The file is not UTF-8: something binary.
    #[error("is not text: byte {at} is not UTF-8")]
    NotText {
        /// The first byte that is none.
        at: usize,
    },
    /// Nothing is in it.
    #[error("is empty; {wanted}")]
    Empty {
        /// What would be right.
        wanted: &'static str,
    },
    /// The text is not well-formed, or a value of a plan is not what it should be.
    #[error("{0}")]
    Syntax(String),
    /// A key that does not exist.
    #[error("unknown key {found:?} in {section}{} Allowed: {}", suggestion(.nearest), .allowed.join(", "))]
    UnknownKey {
        /// The key found.
        found: String,
        /// The section that it stands in.
        section: &'static str,
        /// The nearest that exists.
        nearest: Option<&'static str>,
        /// All that exist.
        allowed: Vec<&'static str>,
    },
    /// A key that must be there is not.
    #[error("{section} needs {key:?}: {wanted}")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// The section.
        section: &'static str,
        /// What it would be.
        wanted: String,
    },
    /// A value of another kind, or without its unit, or out of range.
    #[error("{key:?} in {section} must be {wanted}; found {found}")]
    WrongValue {
        /// The key.
        key: String,
        /// The section.
        section: &'static str,
        /// What would be right.
        wanted: String,
        /// What was found.
        found: String,
    },
    /// A word that is none of those allowed.
    #[error("{key:?} in {section} has the unknown value {found:?}{} Allowed: {}", suggestion(.nearest), .allowed.join(", "))]
    UnknownValue {
        /// The key.
        key: String,
        /// The section.
        section: &'static str,
        /// What was found.
        found: String,
        /// The nearest that is allowed.
        nearest: Option<&'static str>,
        /// All that are allowed.
        allowed: Vec<&'static str>,
    },
    /// Not exactly one of several keys is there.
    #[error("{section} needs exactly one of {}; found {}", .allowed.join(", "), found_keys(.found))]
    NotOne {
        /// The section.
        section: &'static str,
        /// The keys of which one is needed.
        allowed: Vec<&'static str>,
        /// Those that are there.
        found: Vec<&'static str>,
    },
    /// Two things in the file do not go together.
    #[error("{0}")]
    Contradiction(String),
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(|| ".".to_owned(), |nearest| format!("; did you mean {nearest:?}?"))
}

fn found_keys(found: &[&'static str]) -> String {
    if found.is_empty() { "none".to_owned() } else { found.join(" and ") }
}

/// The one of `allowed` that is nearest to `found`, when it is near.
pub(crate) fn nearest(found: &str, allowed: &[&'static str]) -> Option<&'static str> {
    // The distance is quadratic in lengths, and a file may hold a key of any length.
    if found.len() > 64 {
        return None;
    }
    let mut best: Option<(usize, &'static str)> = None;
    for name in allowed {
        let distance = strsim::damerau_levenshtein(found, name);
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.filter(|(distance, name)| *distance <= (name.len().max(found.len()) / 2).min(4))
        .map(|(_, name)| name)
}

/// A text, its name, and so the places in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'t> {
    /// The file, as it was named.
    pub(crate) path: &'t str,
    /// What is in it.
    pub(crate) text: &'t str,
}

impl Source<'_> {
    /// The error at this byte.
    pub(crate) fn error(&self, offset: usize, problem: Problem) -> FileError {
        FileError::new(self.path, Some(Place::of(self.text, offset)), problem)
    }

    /// What the parser of TOML reports, with its place.
    pub(crate) fn toml(&self, error: &toml::de::Error) -> FileError {
        let Range { start, .. } = error.span().unwrap_or(0..0);
        let place = error.span().map(|_| Place::of(self.text, start));
        FileError::new(self.path, place, Problem::Syntax(error.message().to_owned()))
    }
}

/// A file's text: read whole, at most `most` bytes, and UTF-8. `wanted` is what an empty one should hold.
pub(crate) fn read_text(
    path: &std::path::Path,
    most: u64,
    wanted: &'static str,
) -> Result<String, FileError> {
    use std::io::Read;
    let name = path.display().to_string();
    let error = |problem| FileError::new(name.clone(), None, problem);
    let unreadable = |io: std::io::Error| error(Problem::Unreadable(io.to_string()));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if meta.is_dir() {
        return Err(error(Problem::Unreadable("it is a folder".to_owned())));
    }
    if meta.len() > most {
        return Err(error(Problem::TooLarge { found: meta.len(), most }));
    }
    let mut bytes = Vec::new();
    // What has no length beforehand, such as a pipe, is bounded here.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(error(Problem::TooLarge { found: bytes.len() as u64, most }));
    }
    let text = String::from_utf8(bytes)
        .map_err(|bad| error(Problem::NotText { at: bad.utf8_error().valid_up_to() }))?;
    if text.trim().is_empty() {
        return Err(error(Problem::Empty { wanted }));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "aé\nb\n";
        assert_eq!(Place::of(text, 0), Place { line: 1, column: 1 });
        assert_eq!(Place::of(text, 3), Place { line: 1, column: 3 });
        assert_eq!(Place::of(text, 2), Place { line: 1, column: 2 }, "within a character");
        assert_eq!(Place::of(text, 4), Place { line: 2, column: 1 });
        assert_eq!(Place::of(text, 99), Place { line: 3, column: 1 });
    }

    #[test]
    fn only_what_is_near_is_suggested() {
        assert_eq!(nearest("perrs", &["peers", "profile"]), Some("peers"));
        assert_eq!(nearest("zzzzzz", &["peers", "profile"]), None);
        assert_eq!(nearest(&"p".repeat(10_000), &["peers"]), None);
    }
}
