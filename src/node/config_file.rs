//! The file of a node's configuration: TOML with the flags' keys and more.
//!
//! ```toml
//! data = "/var/lib/swarmproof"
//! listen = ["/ip4/0.0.0.0/tcp/4801", "/ip4/0.0.0.0/udp/4801/quic-v1"]
//! external = ["/dns4/node.example/tcp/4801"]   # told to others, beside what they see themselves
//! bootstrap = ["/dns4/one.example/tcp/4801/p2p/12D3KooW…"]
//! http = "127.0.0.1:4800"
//! http_hosts = ["packages.example"]   # names that it may be asked under, beside localhost and addresses
//! log_format = "json"                 # or "text"
//! log = "info,libp2p_swarm=warn,libp2p_kad=error,libp2p_gossipsub=error"
//!
//! [query]
//! preset = "balanced"                 # or "low-latency", "high-throughput"
//! timeout = "10s"
//! max_results = 20
//! answers_wanted = 3
//! fan_out = 3                         # or "hedged", "adaptive"
//!
//! [limits]
//! queries = 1024
//! catalogue = 100000
//! held_records = 20000
//! http_requests = 256
//! http_connections = 512
//! ```
//!
//! Every key may be left out. An unknown one is refused with its line, its column, and what was meant.

use core::ops::Range;
use core::time::Duration;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::settings::{LogFormat, NodeLimits};
use crate::engine::{FanOut, QueryConfig};

/// The most bytes of a configuration.
const MOST: u64 = 64 * 1024;

/// A text, and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Sourced {
    place: String,
    text: String,
}

impl Sourced {
    /// This text, which stood at `place`.
    pub(super) fn new(place: impl Into<String>, text: String) -> Self {
        Self { place: place.into(), text }
    }

    /// Where it stood.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// What it says, as `read` understands it.
    pub(super) fn read<T>(self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, ConfigError> {
        read(&self.text).map_err(|problem| ConfigError::new(self.place, problem))
    }
}

/// What a file says, as far as it was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct FileConfig {
    pub(super) data: Option<PathBuf>,
    pub(super) listen: Vec<Sourced>,
    pub(super) external: Vec<Sourced>,
    pub(super) bootstrap: Vec<Sourced>,
    pub(super) http: Option<Sourced>,
    pub(super) http_hosts: Vec<String>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log: Option<String>,
    pub(super) query: QueryConfig,
    pub(super) limits: NodeLimits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    data: Option<PathBuf>,
    #[serde(default)]
    listen: Vec<Spanned<String>>,
    #[serde(default)]
    external: Vec<Spanned<String>>,
    #[serde(default)]
    bootstrap: Vec<Spanned<String>>,
    http: Option<Spanned<String>>,
    #[serde(default)]
    http_hosts: Vec<String>,
    log_format: Option<LogFormat>,
    log: Option<String>,
    query: Option<Spanned<RawQuery>>,
    limits: Option<Spanned<RawLimits>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Preset {
    Balanced,
    LowLatency,
    HighThroughput,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuery {
    preset: Option<Preset>,
    timeout: Option<Spanned<String>>,
    max_results: Option<usize>,
    answers_wanted: Option<u16>,
    fan_out: Option<RawFanOut>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "a number from 1 to 256, \"hedged\" or \"adaptive\"")]
enum RawFanOut {
    Fixed(u16),
    Learned(Learned),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Learned {
    Hedged,
    Adaptive,
}

impl From<RawFanOut> for FanOut {
    fn from(raw: RawFanOut) -> Self {
        match raw {
            RawFanOut::Fixed(count) => Self::Fixed(count),
            RawFanOut::Learned(Learned::Hedged) => Self::Hedged,
            RawFanOut::Learned(Learned::Adaptive) => Self::Adaptive,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    queries: Option<usize>,
    catalogue: Option<usize>,
    held_records: Option<usize>,
    http_requests: Option<usize>,
    http_connections: Option<usize>,
}

/// Every key that there is, for what was meant.
const KEYS: &[&str] = &[
    "data",
    "listen",
    "external",
    "bootstrap",
    "http",
    "http_hosts",
    "log_format",
    "log",
    "query",
    "limits",
    "preset",
    "timeout",
    "max_results",
    "answers_wanted",
    "fan_out",
    "queries",
    "catalogue",
    "held_records",
    "http_requests",
    "http_connections",
];

impl FileConfig {
    /// Read the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let unreadable =
            |error: std::io::Error| ConfigError::new(name.clone(), format!("cannot be read: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST {
            let problem = format!("has more than {MOST} bytes, which is no configuration of a node");
            return Err(ConfigError::new(name, problem));
        }
        let text =
            String::from_utf8(bytes).map_err(|_| ConfigError::new(name.clone(), "is not text (UTF-8)"))?;
        Self::parse(&name, &text)
    }

    /// The same from a text; `name` is what errors call it.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let source = Source { name, text };
        let raw: Raw = toml::from_str(text).map_err(|error| source.syntax(&error))?;
        let sourced = |text: Spanned<String>| {
            let place = source.place(text.span());
            Sourced::new(place, text.into_inner())
        };
        let mut config = Self {
            data: raw.data,
            listen: raw.listen.into_iter().map(sourced).collect(),
            external: raw.external.into_iter().map(sourced).collect(),
            bootstrap: raw.bootstrap.into_iter().map(sourced).collect(),
            http: raw.http.map(sourced),
            http_hosts: raw.http_hosts,
            log_format: raw.log_format,
            log: raw.log,
            ..Self::default()
        };
        if let Some(query) = raw.query {
            config.query = source.query(query)?;
        }
        if let Some(limits) = raw.limits {
            config.limits = source.limits(limits)?;
        }
        Ok(config)
    }
}

/// A text and its name.
struct Source<'t> {
    name: &'t str,
    text: &'t str,
}

impl Source<'_> {
    /// `node.toml:3:1`: line and character, each from 1.
    fn place(&self, span: Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    fn error(&self, span: Range<usize>, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(self.place(span), problem)
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let words = error.message();
        let place = error.span().map_or_else(|| self.name.to_owned(), |span| self.place(span));
        let unknown = words.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        let meant = unknown.and_then(|found| nearest(found, KEYS));
        let meant = meant.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
        ConfigError::new(place, format!("{words}{meant}"))
    }

    fn query(&self, raw: Spanned<RawQuery>) -> Result<QueryConfig, ConfigError> {
        let span = raw.span();
        let raw = raw.into_inner();
        let mut query = match raw.preset {
            None | Some(Preset::Balanced) => QueryConfig::balanced(),
            Some(Preset::LowLatency) => QueryConfig::low_latency(),
            Some(Preset::HighThroughput) => QueryConfig::high_throughput(),
        };
        if let Some(timeout) = raw.timeout {
            let place = timeout.span();
            query.timeout = duration(timeout.get_ref()).ok_or_else(|| {
                let found = timeout.get_ref();
                self.error(
                    place,
                    format!("`timeout` must be a time such as \"10s\" or \"800ms\", found {found:?}"),
                )
            })?;
            query.request_timeout = query.request_timeout.min(query.timeout);
        }
        query.max_results = raw.max_results.unwrap_or(query.max_results);
        query.answers_wanted = raw.answers_wanted.unwrap_or(query.answers_wanted);
        query.fan_out = raw.fan_out.map_or(query.fan_out, Into::into);
        query.check().map_err(|error| self.error(span, format!("in [query]: {error}")))?;
        Ok(query)
    }

    fn limits(&self, raw: Spanned<RawLimits>) -> Result<NodeLimits, ConfigError> {
        let span = raw.span();
        let raw = raw.into_inner();
        let default = NodeLimits::default();
        let given = |field: &str, found: Option<usize>, default: usize, most: usize| match found {
            None => Ok(default),
            Some(found) if (1..=most).contains(&found) => Ok(found),
            Some(found) => {
                let problem = format!("in [limits]: `{field}` must be from 1 to {most}, found {found}");
                Err(self.error(span.clone(), problem))
            }
        };
        Ok(NodeLimits {
            queries: given("queries", raw.queries, default.queries, 1 << 16)?,
            catalogue: given("catalogue", raw.catalogue, default.catalogue, 10_000_000)?,
            held_records: given("held_records", raw.held_records, default.held_records, 10_000_000)?,
            http_requests: given("http_requests", raw.http_requests, default.http_requests, 1 << 16)?,
            http_connections: given(
                "http_connections",
                raw.http_connections,
                default.http_connections,
                1 << 16,
            )?,
        })
    }
}

/// `10s`, `800ms`, `2m`, `1h`: a whole number and its unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|it: char| !it.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// The one of `keys` that is nearest to `found`, when it is near.
fn nearest(found: &str, keys: &[&'static str]) -> Option<&'static str> {
    // The distance is quadratic in lengths, and a file may hold a key of any length.
    if found.len() > 32 {
        return None;
    }
    let best = keys.iter().map(|key| (distance(found.as_bytes(), key.as_bytes()), *key)).min()?;
    (best.0 <= 1 + found.len() / 4).then_some(best.1)
}

/// How many letters are to be put in, taken out or exchanged to make `b` of `a`.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let changed = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = changed.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        FileConfig::parse("node.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn everything_in_the_contract_can_be_read() {
        let text = include_str!("config_file.rs");
        let sample: String = text
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| format!("{}\n", line.trim_start_matches("//!").trim_start()))
            .collect();
        let config = FileConfig::parse("node.toml", &sample).unwrap();
        assert_eq!((config.listen.len(), config.external.len(), config.bootstrap.len()), (2, 1, 1));
        assert_eq!(config.log_format, Some(LogFormat::Json));
        assert_eq!(config.query, QueryConfig::balanced());
        assert_eq!(config.limits, NodeLimits::default());
        for key in KEYS {
            assert!(sample.contains(key), "{key} is not in the sample");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_what_was_meant() {
        let text = wrong("data = \"x\"\n\nlistn = []\n");
        assert!(text.starts_with("node.toml:3:1: unknown field `listn`"), "{text}");
        assert!(text.ends_with("did you mean `listen`?"), "{text}");
        let text = wrong("[query]\nfanout = 3\n");
        assert!(text.starts_with("node.toml:2:1: ") && text.ends_with("did you mean `fan_out`?"), "{text}");
        let text = wrong("zzzzzzzz = 1\n");
        assert!(!text.contains("did you mean") && text.contains("expected one of"), "{text}");
    }

    #[test]
    fn wrong_values_are_refused_with_their_place() {
        for (text, words) in [
            ("http = 4800", "node.toml:1:8: invalid type: integer"),
            ("log_format = \"xml\"", "unknown variant `xml`, expected `text` or `json`"),
            ("\n[query]\ntimeout = \"soon\"", "node.toml:3:11: `timeout` must be a time such as \"10s\""),
            ("[query]\nmax_results = 0", "max_results must be from 1 to 1000, found 0"),
            ("[limits]\nqueries = 0", "`queries` must be from 1 to 65536, found 0"),
            ("listen = [\n", "node.toml:"),
        ] {
            let found = wrong(text);
            assert!(found.contains(words), "{text:?}: {found}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("10s"), Some(Duration::from_secs(10)));
        assert_eq!(duration("800ms"), Some(Duration::from_millis(800)));
        for bad in ["", "10", "s", "-1s", "1.5s", "10 s", "99999999999999999999s", "9999999999999999999h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn distances_are_the_least_number_of_changes() {
        for (a, b, wanted) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("listn", "listen", 1)]
        {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), wanted, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), wanted, "{b} {a}");
        }
    }
}
