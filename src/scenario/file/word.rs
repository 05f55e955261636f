//! What every reader of a section needs: words of a fixed choice, and errors at the place of a key.

use super::error::{FileError, Problem, Source};
use super::value::Table;
use crate::scenario::words::named;

/// The word under this key; the validator let only known ones pass.
pub(super) fn word<T: for<'de> serde::Deserialize<'de>>(
    source: Source<'_>,
    table: &Table,
    key: &str,
) -> Result<T, FileError> {
    named(table.text(key)).ok_or_else(|| {
        let problem = Problem::Contradiction(format!("{key:?} cannot be {:?}", table.text(key)));
        source.error(table.place(key), problem)
    })
}

/// Two things that do not go together, at this key.
pub(super) fn contradiction(source: Source<'_>, table: &Table, key: &str, words: String) -> FileError {
    source.error(table.place(key), Problem::Contradiction(words))
}
