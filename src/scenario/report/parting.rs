//! Where two traces of what should be one run part: the first event that differs, with some of what came before it and
//! some of what came after.
//!
//! A trace is lines of text, an event each. Both are read side by side and only as far as needed; what is kept of them
//! is bounded, however long they are.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read as _};

/// How many events before the parting are kept.
const BEFORE: usize = 6;
/// How many events from the parting on are kept of each trace.
const AFTER: usize = 8;
/// The longest line that is one event; a longer one is taken in parts of this length.
const LONGEST: u64 = 16 << 10;

/// What a comparison came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Compared {
    /// They are the same from beginning to end.
    Same {
        /// How many events they have.
        events: u64,
    },
    /// They part.
    Parted(Parting),
}

/// How two traces part.
#[derive(Debug, PartialEq, Eq)]
pub struct Parting {
    /// The number of the first event that differs; the first of a trace is 1.
    pub event: u64,
    /// The last events before it, which both have.
    pub before: Vec<String>,
    /// It and what follows in the one trace; nothing where that has ended.
    pub one: Vec<String>,
    /// The same of the other.
    pub other: Vec<String>,
}

/// Compare the two, as long as neither ends and they are the same.
///
/// Fails as reading them does.
pub fn compare_traces(mut one: impl BufRead, mut other: impl BufRead) -> io::Result<Compared> {
    let mut before = VecDeque::with_capacity(BEFORE);
    let mut event = 1;
    loop {
        match (line(&mut one)?, line(&mut other)?) {
            (None, None) => return Ok(Compared::Same { events: event - 1 }),
            (Some(this), Some(that)) if this == that => {
                if before.len() == BEFORE {
                    before.pop_front();
                }
                before.push_back(this);
                event += 1;
            }
            (this, that) => {
                let before = before.into_iter().collect();
                return Ok(Compared::Parted(Parting {
                    event,
                    before,
                    one: from(this, &mut one)?,
                    other: from(that, &mut other)?,
                }));
            }
        }
    }
}

/// `first` and the lines after it.
fn from(first: Option<String>, rest: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut lines = Vec::from_iter(first);
    while !lines.is_empty() && lines.len() < AFTER {
        let Some(next) = line(rest)? else { break };
        lines.push(next);
    }
    Ok(lines)
}

/// The next line. One without an end was not written to its end, and is none.
fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    from.take(LONGEST).read_until(b'\n', &mut bytes)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if (bytes.len() as u64) < LONGEST {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
        numbers.into_iter().map(|it| format!("event {it}\n")).collect()
    }

    fn compared(one: &str, other: &str) -> Compared {
        compare_traces(one.as_bytes(), other.as_bytes()).unwrap()
    }

    fn parting(one: &str, other: &str) -> Parting {
        match compared(one, other) {
            Compared::Parted(parting) => parting,
            same => panic!("{same:?}"),
        }
    }

    #[test]
    fn equal_traces_do_not_part() {
        assert_eq!(compared("", ""), Compared::Same { events: 0 });
        assert_eq!(compared(&lines(0..5000), &lines(0..5000)), Compared::Same { events: 5000 });
    }

    #[test]
    fn the_first_difference_is_found_among_its_neighbours() {
        let other: String = lines(0..5000).replace("event 3000\n", "event x\n");
        let found = parting(&lines(0..5000), &other);
        assert_eq!(found.event, 3001, "the first event is event 1");
        let named =
            |numbers: core::ops::Range<u32>| numbers.map(|it| format!("event {it}")).collect::<Vec<_>>();
        assert_eq!(found.before, named(2994..3000));
        assert_eq!(found.one, named(3000..3008));
        assert_eq!(found.other[0], "event x");
        assert_eq!(found.other[1..], named(3001..3008));
    }

    #[test]
    fn a_trace_that_ends_before_the_other_parts_there() {
        let found = parting(&lines(0..3), &lines(0..2));
        assert_eq!((found.event, found.one.len(), found.other.len()), (3, 1, 0));
        let found = parting("", &lines(0..1));
        assert_eq!((found.event, found.before.len(), found.one.len(), found.other.len()), (1, 0, 0, 1));
    }

    #[test]
    fn a_line_that_was_broken_off_is_not_compared() {
        assert_eq!(compared("a\nb\nc", "a\nb\ncd"), Compared::Same { events: 2 });
    }

    #[test]
    fn a_line_without_an_end_is_read_in_parts() {
        let (one, mut other) = ("z".repeat(100_000), "z".repeat(100_000));
        other.replace_range(50_000..50_001, "y");
        let found = parting(&one, &other);
        assert_eq!(found.event, 4);
        assert!(
            found.before.iter().chain(&found.one).chain(&found.other).all(|it| it.len() as u64 <= LONGEST)
        );
    }
}
