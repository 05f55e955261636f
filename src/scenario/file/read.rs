//! From a file's text to a [`Scenario`]: parse, validate against the declarations, then check what goes
//! together.

use core::time::Duration;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;

use super::bounds::{MAX_OPERATIONS, MAX_RELEASES};
use super::declare::Section;
use super::error::{FileError, Problem, Source, read_text};
use super::model::{
    CatalogueSettings, ChaosSettings, LivenessSettings, NetworkSettings, RegistrySettings, Scenario,
    ServiceSettings, Source as Origin,
};
use super::plain::{PLAIN, Plain, no_catalogue, plain};
use super::sections::SCENARIO;
use super::value::Table;
use super::word::{contradiction, word};
use super::{read_faults, read_workloads, validate};
use crate::engine::QueryConfig;
use crate::scenario::catalogue_file::CatalogueFile;
use crate::scenario::expect::{Expectation, Measure};
use crate::scenario::units::Span;
use crate::scenario::words::{Family, Profile, named};

/// The most bytes of a scenario file.
pub(crate) const MAX_FILE: u64 = 1 << 20;
const WANTED: &str = "a scenario begins with `description = \"…\"`";

impl Scenario {
    /// Read and check the scenario in this file, and the catalogue file that it may name.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let text = read_text(path, MAX_FILE, WANTED)?;
        Self::parse(&text, path)
    }

    /// The same from a text; `path` is what it is called in errors, and what a catalogue file's path is
    /// relative to.
    pub fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let source = Source { path: &name, text };
        let file = checked(source, &SCENARIO)?;
        scenario(source, &file, path)
    }
}

impl Plain {
    /// Read and check the scenario in this file, which is for any application.
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        Self::parse(&read_text(path, MAX_FILE, WANTED)?, path)
    }

    /// The same from a text; `path` is what it is called in errors.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let source = Source { path: &name, text };
        let file = checked(source, &PLAIN)?;
        let duration = file.span("duration");
        let network = network(source, file.table("network").unwrap_or(&Table::default()))?;
        let faults = read_faults::faults(source, file.tables("fault"), duration, &network, &no_catalogue())?;
        let chaos = file.table("chaos").map(|table| chaos(source, table, duration)).transpose()?;
        let most = file.number("rate") * duration.as_secs_f64();
        if most > MAX_OPERATIONS as f64 {
            let words = format!("this makes about {most:.0} operations, over {MAX_OPERATIONS}");
            return Err(contradiction(source, &file, "rate", words));
        }
        Ok(plain(&file, path, network, faults, chaos))
    }
}

/// The table of a file's text, as `section` declares it.
fn checked(source: Source<'_>, section: &'static Section) -> Result<Table, FileError> {
    if source.text.trim().is_empty() {
        return Err(FileError::new(source.path, None, Problem::Empty { wanted: WANTED }));
    }
    let parsed = DeTable::parse(source.text).map_err(|error| source.toml(&error))?;
    validate::table(source, section, parsed.get_ref(), 0)
}

fn scenario(source: Source<'_>, file: &Table, path: &Path) -> Result<Scenario, FileError> {
    let none = Table::default();
    let duration = file.span("duration");
    let network = network(source, file.table("network").unwrap_or(&none))?;
    let catalogue = catalogue(source, file.table("catalogue").unwrap_or(&none), path)?;
    let registry = registry(source, file.table("registry").unwrap_or(&none))?;
    let workloads = read_workloads::workloads(source, file.tables("workload"), duration, network.registries)?;
    let faults = read_faults::faults(source, file.tables("fault"), duration, &network, &catalogue)?;
    let expect = file.table("expect").map(expectations).unwrap_or_default();
    Ok(Scenario {
        path: path.to_owned(),
        description: file.text("description").to_owned(),
        seeds: file.counts("seeds").to_vec(),
        duration,
        network,
        catalogue,
        registry,
        workloads,
        faults,
        expect,
        liveness: file
            .table("liveness")
            .map(|table| LivenessSettings { core: table.number("core"), within: table.span("within") }),
        chaos: file.table("chaos").map(|table| chaos(source, table, duration)).transpose()?,
    })
}

fn chaos(source: Source<'_>, table: &Table, duration: Duration) -> Result<ChaosSettings, FileError> {
    let calm = table.span("calm");
    if calm >= duration {
        let words =
            format!("faults would be over {} before the end of a run of {}", Span(calm), Span(duration));
        return Err(contradiction(source, table, "calm", words));
    }
    let named = |name: &String| named(name);
    let families = match table.texts("families") {
        [] => Family::ALL.to_vec(),
        some => some.iter().filter_map(named).collect(),
    };
    Ok(ChaosSettings {
        families,
        quiet: table.number("quiet"),
        steady: table.number("steady"),
        fixed_sizes: table.text("sizes") == "fixed",
        calm,
    })
}

fn network(source: Source<'_>, table: &Table) -> Result<NetworkSettings, FileError> {
    let (peers, registries) = (table.small("peers"), table.small("registries"));
    if registries > peers {
        let words = format!("{registries} registries cannot be among {peers} peers");
        return Err(contradiction(source, table, "registries", words));
    }
    let profile: Profile = word(source, table, "profile")?;
    let explicit =
        table.table("explicit").map(|inner| (inner.delays("delays").to_vec(), inner.span("jitter")));
    match (profile, &explicit) {
        (Profile::Explicit, None) => {
            let words = "the profile \"explicit\" needs [network.explicit] with its delays".to_owned();
            return Err(contradiction(source, table, "profile", words));
        }
        (Profile::Internet | Profile::Mobile | Profile::Ipfs | Profile::Lan, Some(_)) => {
            let words = "[network.explicit] needs profile = \"explicit\"".to_owned();
            return Err(contradiction(source, table, "explicit", words));
        }
        _ => {}
    }
    let service = table.table("service").map(|inner| ServiceSettings {
        question: inner.span("question"),
        lookup: inner.span("lookup"),
        queue: inner.small("queue"),
    });
    Ok(NetworkSettings {
        peers,
        registries,
        profile,
        explicit,
        undialable: table.number("undialable"),
        clients: table.number("clients"),
        service,
    })
}

fn catalogue(source: Source<'_>, table: &Table, path: &Path) -> Result<CatalogueSettings, FileError> {
    let from_file = table.text("source") == "file";
    let origin = if from_file {
        for key in ["seed", "versions", "large"] {
            // A default stands where its table stands.
            if table.has(key) && table.place(key) != table.offset {
                let words = format!("{key:?} is for a synthetic catalogue; this one is read from a file");
                return Err(contradiction(source, table, key, words));
            }
        }
        let Some(named) = table.text_of("path") else {
            let words = "source = \"file\" needs \"path\": the catalogue file".to_owned();
            return Err(contradiction(source, table, "source", words));
        };
        let beside = path.parent().unwrap_or(Path::new("")).join(named);
        let file = CatalogueFile::read(&beside).map_err(|error| match error {
            // A file that is not there is this file's fault, at the place where it is named.
            FileError { path, place: None, problem } => {
                contradiction(source, table, "path", format!("the catalogue file {path} {problem}"))
            }
            placed => placed,
        })?;
        let packages = table.count_of("packages").map(|_| table.small("packages"));
        Origin::File { file: Arc::new(file), packages }
    } else {
        if table.has("path") {
            let words = "\"path\" needs source = \"file\"".to_owned();
            return Err(contradiction(source, table, "path", words));
        }
        if !table.has("packages") {
            let words = "a synthetic catalogue needs \"packages\": how many".to_owned();
            return Err(contradiction(source, table, "source", words));
        }
        let (packages, versions) = (table.count("packages"), table.count("versions"));
        if packages.saturating_mul(versions) > MAX_RELEASES {
            let words = format!(
                "{packages} packages with up to {versions} versions are over {MAX_RELEASES} releases"
            );
            return Err(contradiction(source, table, "versions", words));
        }
        Origin::Synthetic {
            packages: table.small("packages"),
            versions: table.small("versions"),
            large: table.number("large"),
            seed: table.count_of("seed"),
        }
    };
    Ok(CatalogueSettings {
        source: origin,
        publishers: table.small("publishers"),
        coverage: table.number("coverage"),
        registries_full: table.text("registries_start") == "full",
        in_dht: table.flag_of("in_dht").unwrap_or(true),
    })
}

fn registry(source: Source<'_>, table: &Table) -> Result<RegistrySettings, FileError> {
    let mut query = match table.text("preset") {
        "low-latency" => QueryConfig::low_latency(),
        "high-throughput" => QueryConfig::high_throughput(),
        _ => QueryConfig::balanced(),
    };
    let short = |key: &str| table.count_of(key).map(|count| u16::try_from(count).unwrap_or(u16::MAX));
    query.timeout = table.span_of("timeout").unwrap_or(query.timeout);
    query.max_results =
        table.count_of("max_results").map_or(query.max_results, |_| table.small("max_results") as usize);
    query.answers_wanted = short("answers_wanted").unwrap_or(query.answers_wanted);
    query.fan_out = table.fan_out("fan_out").unwrap_or(query.fan_out);
    query.adaptive_timeout = table.flag_of("adaptive_timeout").unwrap_or(query.adaptive_timeout);
    query.request_timeout = table.span_of("request_timeout").unwrap_or(query.request_timeout);
    query.fetch_concurrency = short("fetch_concurrency").unwrap_or(query.fetch_concurrency);
    if query.request_timeout > query.timeout {
        // A shorter query timeout alone shortens its requests too; both given must fit together.
        if table.has("request_timeout") {
            let words = "\"request_timeout\" is longer than the query's \"timeout\"".to_owned();
            return Err(contradiction(source, table, "request_timeout", words));
        }
        query.request_timeout = query.timeout;
    }
    query.check().map_err(|error| contradiction(source, table, error.field, error.to_string()))?;
    Ok(RegistrySettings {
        query,
        queries: table.count_of("queries").map(|_| table.small("queries")),
        holds: table.count_of("holds").map(|_| table.small("holds")),
        catch_up: table.span_of("catch_up"),
        republish: table.span_of("republish"),
        validity: table.span_of("validity"),
    })
}

fn expectations(table: &Table) -> Vec<Expectation> {
    let measures = Measure::ALL.iter();
    measures
        .filter_map(|(measure, name, ..)| {
            Some(Expectation { measure: *measure, wanted: table.compare(name)? })
        })
        .collect()
}
