//! Two traces side by side, for people: what both have across the page, then each in a column of its own.

use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::parting::Parting;
use super::{Paint, Tone};

/// How wide the page is, in characters.
const PAGE: usize = 160;
/// How wide the numbers of events are.
const NUMBER: usize = 9;
/// How wide a column is: two of them, with a mark between, beside the numbers.
const COLUMN: usize = (PAGE - NUMBER - 2 - 3) / 2;
/// Stands where a trace has ended.
const ENDED: &str = "(nothing more)";

/// An event in words: its time, what it is, and its fields in the order in which they were written. What cannot be
/// read so is as it was written.
pub fn words(line: &str) -> String {
    let text = match serde_json::from_str::<Fields>(line) {
        Err(_) => line.to_owned(),
        Ok(Fields(fields)) => {
            let parts: Vec<String> = fields.iter().map(part).collect();
            parts.join(" ")
        }
    };
    // A trace may quote what came from a stranger.
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}

fn part((name, value): &(String, Value)) -> String {
    match (name.as_str(), value) {
        ("at_ns", Value::Number(at)) => match at.as_u64() {
            Some(at) => format!("{}.{:09} s", at / 1_000_000_000, at % 1_000_000_000),
            None => format!("{at} ns"),
        },
        ("event", Value::String(event)) => format!(" {event}"),
        _ => format!("{name}={value}"),
    }
}

/// The two traces from shortly before they part. `|` stands between events that differ.
pub fn side_by_side(parting: &Parting, paint: Paint<'_>) -> String {
    let mut text = row("event", "one process", ' ', "another process", &|it| paint(Tone::Heading, it));
    let first = parting.event.saturating_sub(parting.before.len() as u64);
    for (number, line) in (first..).zip(&parting.before) {
        let mut number = number.to_string();
        for part in wrapped(&words(line), PAGE - NUMBER - 2) {
            text.push_str(&paint(Tone::Faint, &format!("{number:>NUMBER$}  {part}")));
            text.push('\n');
            number.clear();
        }
    }
    let most = parting.one.len().max(parting.other.len());
    for (number, index) in (parting.event..).zip(0..most) {
        let (one, other) = (parting.one.get(index), parting.other.get(index));
        let mark = if one == other { ' ' } else { '|' };
        let tone = if index == 0 { Tone::Bad } else { Tone::Plain };
        let shown = |it: Option<&String>| it.map_or_else(|| ENDED.to_owned(), |it| words(it));
        text.push_str(&row(&number.to_string(), &shown(one), mark, &shown(other), &|it| paint(tone, it)));
    }
    text
}

/// One row of two columns, on as many lines as the longer one needs.
fn row(number: &str, one: &str, mark: char, other: &str, paint: &dyn Fn(&str) -> String) -> String {
    let (one, other) = (wrapped(one, COLUMN), wrapped(other, COLUMN));
    let empty = String::new();
    let mut text = String::new();
    for index in 0..one.len().max(other.len()) {
        let number = if index == 0 { number } else { "" };
        let (one, other) = (one.get(index).unwrap_or(&empty), other.get(index).unwrap_or(&empty));
        let line = format!("{number:>NUMBER$}  {one:<COLUMN$} {mark} {other}");
        text.push_str(&paint(line.trim_end()));
        text.push('\n');
    }
    text
}

/// `text` in lines of at most `width` characters: broken between words where that can be, the later lines set in.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    const SET_IN: &str = "    ";
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        // The space that ends a line takes no room.
        let fits = used + word.trim_end().chars().count() <= width;
        if !fits && !line.trim().is_empty() {
            lines.push(core::mem::replace(&mut line, SET_IN.to_owned()));
            used = SET_IN.len();
        }
        for letter in word.chars() {
            if used == width && letter != ' ' {
                lines.push(core::mem::replace(&mut line, SET_IN.to_owned()));
                used = SET_IN.len();
            }
            line.push(letter);
            used += 1;
        }
    }
    lines.push(line);
    lines.iter().map(|it| it.trim_end().to_owned()).collect()
}

/// The fields of an object, in the order in which they were written.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        from.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::report::plain;

    #[test]
    fn an_event_is_told_in_the_order_in_which_it_was_written() {
        assert_eq!(
            words(r#"{"at_ns":12000000345,"event":"sent","to":2,"from":1,"why":"none"}"#),
            "12.000000345 s  sent to=2 from=1 why=\"none\""
        );
        assert_eq!(words("no \u{1b}[31mobject"), "no ?[31mobject");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("ab cd", 10), ["ab cd"]);
        assert_eq!(wrapped("ab cdefgh ij", 9), ["ab cdefgh", "    ij"]);
        assert_eq!(wrapped("ab cdefghi jk", 9), ["ab", "    cdefg", "    hi jk"]);
        assert_eq!(wrapped("abcdefghijklm", 9), ["abcdefghi", "    jklm"]);
        let long: String = (0..200).map(|it| format!("{it}word ")).collect();
        let lines = wrapped(&long, 40);
        assert!(lines.iter().all(|it| it.chars().count() <= 40));
        let words = |it: &str| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&lines.join(" ")), words(&long), "nothing is lost");
    }

    #[test]
    fn the_page_shows_both_from_shortly_before_they_part() {
        let line = |at: u64, to: u32| {
            format!(
                r#"{{"at_ns":{at},"event":"sent","from":1,"to":{to},"kind":3,"identity":12345678901234567890,"delay":1}}"#
            )
        };
        let parting = Parting {
            event: 1234,
            before: vec![line(5, 2)],
            one: vec![line(2_000_000_007, 2), line(2_000_000_009, 9)],
            other: vec![line(2_000_000_008, 2), line(2_000_000_009, 9)],
        };
        let text = side_by_side(&parting, &plain);
        assert!(text.lines().all(|line| line.chars().count() <= PAGE), "{text}");
        #[rustfmt::skip]
        let page = [
            "    event  one process                                                                 another process",
            "     1233  0.000000005 s  sent from=1 to=2 kind=3 identity=12345678901234567890 delay=1",
            "     1234  2.000000007 s  sent from=1 to=2 kind=3 identity=12345678901234567890      | 2.000000008 s  sent from=1 to=2 kind=3 identity=12345678901234567890",
            "               delay=1                                                               |     delay=1",
            "     1235  2.000000009 s  sent from=1 to=9 kind=3 identity=12345678901234567890        2.000000009 s  sent from=1 to=9 kind=3 identity=12345678901234567890",
            "               delay=1                                                                     delay=1",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), page);
        let parting = Parting { other: vec![], ..parting };
        let text = side_by_side(&parting, &plain);
        assert_eq!(text.matches("| (nothing more)").count(), 2, "{text}");
    }
}
