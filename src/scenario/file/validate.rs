//! A parsed TOML table against its declaration: every key known, every value of its kind and range.

use core::ops::Range;
use core::time::Duration;

use toml::de::{DeTable, DeValue};

use super::declare::{Key, Kind, Need, Section};
use super::error::{FileError, Problem, Source, nearest};
use super::value::{Entry, Table, Value};
use crate::scenario::expect::{Comparison, Scale};
use crate::scenario::units::{Rate, Seeds, Size, Span, UnitError};

/// The most regions of an explicit profile.
const MAX_REGIONS: usize = 100;

/// Check `table`, which begins at byte `offset` of `source`, against `section`.
pub(crate) fn table(
    source: Source<'_>,
    section: &'static Section,
    table: &DeTable<'_>,
    offset: usize,
) -> Result<Table, FileError> {
    let mut checked = Table { offset, ..Table::default() };
    // The order of the file, so that the first fault is the one reported.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    for (name, value) in entries {
        let Some(key) = section.key(name.get_ref()) else {
            let allowed: Vec<&'static str> = section.keys.iter().map(|key| key.name).collect();
            let found: String = name.get_ref().chars().take(60).collect();
            let nearest = nearest(name.get_ref(), &allowed);
            return Err(source.error(
                name.span().start,
                Problem::UnknownKey { found, section: section.name, nearest, allowed },
            ));
        };
        let place = value.span();
        let value = Reader { source, section, key }.value(&place, value.get_ref(), name.span().start)?;
        checked.entries.insert(key.name, Entry { offset: place.start, value });
    }
    for key in section.keys {
        if checked.has(key.name) {
            continue;
        }
        match key.need {
            Need::Optional => {}
            Need::Required => {
                let problem =
                    Problem::MissingKey { key: key.name, section: section.name, wanted: wanted(&key.kind) };
                return Err(source.error(offset, problem));
            }
            Need::Default(_) => {
                if let Some(value) = filled(section, key)? {
                    checked.entries.insert(key.name, Entry { offset, value });
                }
            }
        }
    }
    let found: Vec<&'static str> = section.one_of.iter().copied().filter(|name| checked.has(name)).collect();
    if !section.one_of.is_empty() && found.len() != 1 {
        // The second is the one too many.
        let place = found.iter().map(|name| checked.place(name)).max().unwrap_or(offset);
        let allowed = section.one_of.to_vec();
        return Err(source.error(place, Problem::NotOne { section: section.name, allowed, found }));
    }
    Ok(checked)
}

/// The default of a key, read as if it stood in a file of its own; nothing when it has none.
pub(super) fn filled(section: &'static Section, key: &'static Key) -> Result<Option<Value>, FileError> {
    let Need::Default(text) = key.need else { return Ok(None) };
    let source = Source { path: "the default", text };
    let value = DeValue::parse(text).map_err(|error| source.toml(&error))?;
    Reader { source, section, key }.value(&value.span(), value.get_ref(), 0).map(Some)
}

/// What a value of this kind looks like, in words.
pub(crate) fn wanted(kind: &Kind) -> String {
    match kind {
        Kind::Text { most } => format!("text of 1 to {most} bytes"),
        Kind::Flag => "true or false".to_owned(),
        Kind::Count { least, most: u64::MAX } => format!("a whole number, at least {least}"),
        Kind::Count { least, most } => format!("a whole number from {least} to {most}"),
        Kind::CountOr { least, most, words } => {
            format!("a whole number from {least} to {most}, or one of {}", words.join(", "))
        }
        Kind::Positive { most } => format!("a number above 0, at most {most}"),
        Kind::Share => "a share from 0 to 1".to_owned(),
        Kind::Span { least, most } => {
            format!("{}, from {} to {}", Span::WANTED, Span(*least), Span(*most))
        }
        Kind::Rate { most } => format!("{}, above 0, at most {most}/s", Rate::WANTED),
        Kind::Size { least, most } => format!("{}, from {} to {}", Size::WANTED, Size(*least), Size(*most)),
        Kind::Seeds => Seeds::WANTED.to_owned(),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
        Kind::Choices(words) => format!("a list of some of {}", words.join(", ")),
        Kind::Counts { below } => format!("a list of whole numbers, each below {below}"),
        Kind::Delays => {
            format!(
                "a square of durations, at most {MAX_REGIONS} regions, such as [[\"1ms\", \"40ms\"], [\"40ms\", \"1ms\"]]"
            )
        }
        Kind::Compare(Scale::Share) => {
            format!("{} of a share, as in \">= 0.99\" or \">= 99%\"", Comparison::WANTED)
        }
        Kind::Compare(Scale::Span) => format!("{} of a duration, as in \"<= 2s\"", Comparison::WANTED),
        Kind::Compare(Scale::Number) => format!("{} of a number, as in \"== 0\"", Comparison::WANTED),
        Kind::Compare(Scale::Count) => {
            format!("{} of a number or a percentage, as in \"== 0\" or \">= 90%\"", Comparison::WANTED)
        }
        Kind::Table(section) => format!("a table: {}", keys(section)),
        Kind::Tables(section) => format!("tables: {}", keys(section)),
    }
}

fn keys(section: &Section) -> String {
    section.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
}

struct Reader<'t> {
    source: Source<'t>,
    section: &'static Section,
    key: &'static Key,
}

impl Reader<'_> {
    /// `name` is where the key stands: a table that is only a header begins there.
    fn value(&self, place: &Range<usize>, value: &DeValue<'_>, name: usize) -> Result<Value, FileError> {
        let at = place.start;
        match self.key.kind {
            Kind::Text { most } => match value {
                DeValue::String(text) if !text.trim().is_empty() && text.len() <= most => {
                    Ok(Value::Text(text.clone().into_owned()))
                }
                _ => Err(self.wrong(at, value)),
            },
            Kind::Flag => match value {
                DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Count { least, most } => match whole(value) {
                Some(count) if (least..=most).contains(&count) => Ok(Value::Count(count)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::CountOr { least, most, words } => match (value, whole(value)) {
                (_, Some(count)) if (least..=most).contains(&count) => Ok(Value::Count(count)),
                (DeValue::String(text), _) if words.contains(&&**text) => {
                    Ok(Value::Text(text.clone().into_owned()))
                }
                _ => Err(self.wrong(at, value)),
            },
            Kind::Positive { most } => match number(value) {
                Some(number) if number > 0.0 && number <= most => Ok(Value::Number(number)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Share => match number(value) {
                Some(share) if (0.0..=1.0).contains(&share) => Ok(Value::Number(share)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Span { least, most } => match self.parsed::<Span>(at, value)? {
                Span(span) if (least..=most).contains(&span) => Ok(Value::Span(span)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Rate { most } => match self.parsed::<Rate>(at, value)? {
                Rate(rate) if rate > 0.0 && rate <= most => Ok(Value::Number(rate)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Size { least, most } => match self.parsed::<Size>(at, value)? {
                Size(size) if (least..=most).contains(&size) => Ok(Value::Count(size)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Seeds => self.seeds(at, value),
            Kind::Choice(words) => {
                let DeValue::String(text) = value else { return Err(self.wrong(at, value)) };
                self.word(at, text, words).map(Value::Text)
            }
            Kind::Choices(words) => {
                let texts = self.list(at, value, 1, usize::MAX, |at, item| match item {
                    DeValue::String(text) => self.word(at, text, words),
                    _ => Err(self.wrong(at, item)),
                })?;
                Ok(Value::Texts(texts))
            }
            Kind::Counts { below } => {
                let counts = self.list(at, value, 0, 10_000, |at, item| match whole(item) {
                    Some(count) if count < below => Ok(count),
                    _ => Err(self.wrong(at, item)),
                })?;
                Ok(Value::Counts(counts))
            }
            Kind::Delays => self.delays(at, value),
            Kind::Compare(scale) => match self.parsed::<Comparison>(at, value)? {
                comparison if comparison.fits(scale) => Ok(Value::Compare(comparison)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Table(section) => match value {
                DeValue::Table(inner) => Ok(Value::Table(table(self.source, section, inner, at.max(name))?)),
                _ => Err(self.wrong(at, value)),
            },
            Kind::Tables(section) => {
                let tables = self.list(at, value, 0, 10_000, |at, item| match item {
                    DeValue::Table(inner) => table(self.source, section, inner, at),
                    _ => Err(self.wrong(at, item)),
                })?;
                Ok(Value::Tables(tables))
            }
        }
    }

    fn list<T>(
        &self,
        at: usize,
        value: &DeValue<'_>,
        least: usize,
        most: usize,
        mut read: impl FnMut(usize, &DeValue<'_>) -> Result<T, FileError>,
    ) -> Result<Vec<T>, FileError> {
        match value {
            DeValue::Array(items) if (least..=most).contains(&items.len()) => {
                items.iter().map(|item| read(item.span().start, item.get_ref())).collect()
            }
            _ => Err(self.wrong(at, value)),
        }
    }

    fn seeds(&self, at: usize, value: &DeValue<'_>) -> Result<Value, FileError> {
        match value {
            DeValue::String(_) => Ok(Value::Counts(self.parsed::<Seeds>(at, value)?.0)),
            DeValue::Integer(_) => match whole(value) {
                Some(seed) => Ok(Value::Counts(vec![seed])),
                None => Err(self.wrong(at, value)),
            },
            _ => {
                let most = usize::try_from(Seeds::MOST).unwrap_or(usize::MAX);
                let read = |at, item: &DeValue<'_>| whole(item).ok_or_else(|| self.wrong(at, item));
                self.list(at, value, 1, most, read).map(Value::Counts)
            }
        }
    }

    fn delays(&self, at: usize, value: &DeValue<'_>) -> Result<Value, FileError> {
        let rows = self.list(at, value, 1, MAX_REGIONS, |at, row| {
            self.list(at, row, 1, MAX_REGIONS, |at, item| match self.parsed::<Span>(at, item)? {
                Span(span) if span <= Duration::from_secs(3600) => Ok(span),
                _ => Err(self.wrong(at, item)),
            })
        })?;
        match rows.iter().all(|row| row.len() == rows.len()) {
            true => Ok(Value::Delays(rows)),
            false => Err(self.wrong(at, value)),
        }
    }

    fn word(&self, at: usize, text: &str, words: &[&'static str]) -> Result<String, FileError> {
        if words.contains(&text) {
            return Ok(text.to_owned());
        }
        let problem = Problem::UnknownValue {
            key: self.key.name.to_owned(),
            section: self.section.name,
            found: text.chars().take(60).collect(),
            nearest: nearest(text, words),
            allowed: words.to_vec(),
        };
        Err(self.source.error(at, problem))
    }

    fn parsed<T: core::str::FromStr<Err = UnitError>>(
        &self,
        at: usize,
        value: &DeValue<'_>,
    ) -> Result<T, FileError> {
        match value {
            DeValue::String(text) => text.parse().map_err(|_| self.wrong(at, value)),
            _ => Err(self.wrong(at, value)),
        }
    }

    fn wrong(&self, at: usize, value: &DeValue<'_>) -> FileError {
        let problem = Problem::WrongValue {
            key: self.key.name.to_owned(),
            section: self.section.name,
            wanted: wanted(&self.key.kind),
            found: found(value),
        };
        self.source.error(at, problem)
    }
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    }
}

/// A number, written with or without a point.
fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(float) => float.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        _ => None,
    }
}

fn found(value: &DeValue<'_>) -> String {
    let cut = |text: &str| {
        let cut: String = text.chars().take(60).collect();
        if cut.len() < text.len() { cut + "…" } else { cut }
    };
    match value {
        DeValue::String(text) => format!("the text {:?}", cut(text)),
        DeValue::Integer(integer) => format!("the number {}", cut(&integer.to_string())),
        DeValue::Float(float) => format!("the number {}", cut(float.as_str())),
        DeValue::Boolean(flag) => format!("{flag}"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(items) => format!("a list of {}", items.len()),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
