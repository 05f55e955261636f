//! The faults of a scenario file, and what must go together in them.

use core::time::Duration;

use super::error::{FileError, Source};
use super::events::BYTE_KINDS;
use super::model::{
    CatalogueSettings, FaultSetting, NetworkSettings, Source as Origin, Spread, Victims, Weather, Whom,
};
use super::value::Table;
use super::word::{contradiction, word};
use crate::scenario::units::Span;
use crate::scenario::words::{Among, named};
use crate::testbed::LinkChange;

pub(super) fn faults(
    source: Source<'_>,
    tables: &[Table],
    duration: Duration,
    network: &NetworkSettings,
    catalogue: &CatalogueSettings,
) -> Result<Vec<FaultSetting>, FileError> {
    let mut faults = Vec::new();
    for table in tables {
        let (at, until) = times(source, table, duration)?;
        let Some((name, inner)) = table.entries.keys().find_map(|name| Some((*name, table.table(name)?)))
        else {
            continue;
        };
        let what = Reader { source, network, catalogue, table: inner }.weather(name)?;
        faults.push(FaultSetting { at, until, what });
    }
    Ok(faults)
}

fn times(source: Source<'_>, table: &Table, duration: Duration) -> Result<(Duration, Duration), FileError> {
    let at = table.span("at");
    if at >= duration {
        let words = format!("the fault begins at {}, when the run has ended at {}", Span(at), Span(duration));
        return Err(contradiction(source, table, "at", words));
    }
    let (key, until) = match (table.span_of("until"), table.span_of("for")) {
        (Some(_), Some(_)) => {
            let words = "a fault has \"until\" or \"for\", not both".to_owned();
            return Err(contradiction(source, table, "for", words));
        }
        (Some(until), None) => ("until", until),
        (None, Some(span)) => ("for", at.saturating_add(span)),
        (None, None) => return Ok((at, duration)),
    };
    if until <= at {
        let words = format!("the fault ends at {}, no later than it begins at {}", Span(until), Span(at));
        return Err(contradiction(source, table, key, words));
    }
    if until > duration {
        let words =
            format!("the fault ends at {}, after the end of the run at {}", Span(until), Span(duration));
        return Err(contradiction(source, table, key, words));
    }
    Ok((at, until))
}

struct Reader<'t> {
    source: Source<'t>,
    network: &'t NetworkSettings,
    catalogue: &'t CatalogueSettings,
    table: &'t Table,
}

impl Reader<'_> {
    fn weather(&self, name: &str) -> Result<Weather, FileError> {
        let table = self.table;
        let links = |change| Ok(Weather::Links { whom: self.whom()?, change });
        match name {
            "churn" => Ok(Weather::Churn {
                whom: self.whom()?,
                session: spread(table.table("session")),
                gap: spread(table.table("gap")),
                keep: word(self.source, table, "keep")?,
            }),
            "crash" => self.crash(),
            "partition" => self.partition(),
            "latency" => links(LinkChange {
                extra_delay: table.span("extra"),
                extra_jitter: table.span("jitter"),
                ..LinkChange::default()
            }),
            "bandwidth" => {
                links(LinkChange { bandwidth: table.count("per_second"), ..LinkChange::default() })
            }
            "resets" => links(LinkChange { resets: table.number("chance"), ..LinkChange::default() }),
            "refused_dials" => {
                links(LinkChange { refused_dials: table.number("chance"), ..LinkChange::default() })
            }
            "dead_dials" => links(LinkChange { dead_dials: table.number("chance"), ..LinkChange::default() }),
            "slow" => Ok(Weather::Slow { whom: self.whom()?, factor: table.small("factor") }),
            "silent" => Ok(Weather::Silent(self.whom()?)),
            "stall" => Ok(Weather::Stall(self.whom()?)),
            "undialable" => Ok(Weather::Undialable(self.whom()?)),
            "malformed" => Ok(self.malformed()),
            "rollback" => Ok(Weather::Rollback { package: self.package()?, share: table.number("share") }),
            "store_full" => Ok(Weather::StoreFull(self.whom()?)),
            "lying_acks" => Ok(Weather::LyingAcks(self.whom()?)),
            "clock_skew" => {
                let behind = table.span_of("behind");
                let by = behind.or_else(|| table.span_of("ahead")).unwrap_or_default();
                Ok(Weather::ClockSkew { whom: self.whom()?, by, behind: behind.is_some() })
            }
            "eclipse" => Ok(Weather::Eclipse(table.number("share"))),
            "sybil" => Ok(Weather::Sybil { package: self.package()?, share: table.number("share") }),
            "false_peers" => {
                Ok(Weather::FalsePeers { share: table.number("share"), names: table.small("names") })
            }
            "whitewash" => {
                Ok(Weather::Whitewash { share: table.number("share"), every: table.span("every") })
            }
            "framing" => Ok(Weather::Framing { share: table.number("share"), rate: table.small("rate") }),
            "storm" => Ok(Weather::Storm { share: table.number("share"), rate: table.small("rate") }),
            "late" => Ok(Weather::Late { whom: self.whom()?, by: table.span("by") }),
            _ => Ok(Weather::Equivocate { package: self.package()?, share: table.number("share") }),
        }
    }

    fn whom(&self) -> Result<Whom, FileError> {
        Ok(Whom { among: self.among()?, share: self.table.number("share") })
    }

    fn among(&self) -> Result<Among, FileError> {
        let among = word(self.source, self.table, "among")?;
        if among == Among::Registries && self.network.registries == 0 {
            let words = "there are no registries: every peer runs the same".to_owned();
            return Err(contradiction(self.source, self.table, "among", words));
        }
        Ok(among)
    }

    fn crash(&self) -> Result<Weather, FileError> {
        let table = self.table;
        let among = self.among()?;
        let whom = if let Some(share) = table.number_of("share") {
            Victims::Whom(Whom { among, share })
        } else if table.has("registry") {
            let registry = table.small("registry");
            self.known(registry, "registry")?;
            Victims::Registry(registry)
        } else {
            Victims::Count(among, table.small("count"))
        };
        Ok(Weather::Crash { whom, keep: word(self.source, table, "keep")? })
    }

    fn known(&self, registry: u32, key: &str) -> Result<(), FileError> {
        if registry < self.network.registries {
            return Ok(());
        }
        let words =
            format!("there is no registry {registry}: the scenario starts with {}", self.network.registries);
        Err(contradiction(self.source, self.table, key, words))
    }

    fn partition(&self) -> Result<Weather, FileError> {
        let table = self.table;
        let mut registries = Vec::new();
        for registry in table.counts("registries") {
            let registry = u32::try_from(*registry).unwrap_or(u32::MAX);
            self.known(registry, "registries")?;
            registries.push(registry);
        }
        let share = table.number("share");
        let all = registries.len() >= self.network.registries as usize && share >= 1.0;
        if all || (registries.is_empty() && share <= 0.0) {
            let words = "a partition needs two sides: give the first a share of the peers, or registries, and not all".to_owned();
            return Err(contradiction(self.source, table, "share", words));
        }
        Ok(Weather::Partition { share, registries, way: word(self.source, table, "way")? })
    }

    fn malformed(&self) -> Weather {
        let (bytes, meanings): (Vec<&String>, Vec<&String>) =
            self.table.texts("kinds").iter().partition(|kind| BYTE_KINDS.contains(&kind.as_str()));
        let mut garbles: Vec<_> = bytes.into_iter().filter_map(|kind| named(kind)).collect();
        let mut lies: Vec<_> = meanings.into_iter().filter_map(|kind| named(kind)).collect();
        garbles.sort_unstable();
        garbles.dedup();
        lies.sort_unstable();
        lies.dedup();
        Weather::Malformed { share: self.table.number("share"), garbles, lies }
    }

    fn package(&self) -> Result<u32, FileError> {
        let package = self.table.small("package");
        let packages = match &self.catalogue.source {
            Origin::Synthetic { packages, .. } => *packages,
            Origin::File { file, packages } => file.names().min(packages.unwrap_or(u32::MAX)),
        };
        if package < packages {
            return Ok(package);
        }
        let words = format!("there is no package {package}: the catalogue has {packages}");
        Err(contradiction(self.source, self.table, "package", words))
    }
}

fn spread(table: Option<&Table>) -> Spread {
    let Some(table) = table else { return Spread::Fixed(Duration::ZERO) };
    if let Some(weibull) = table.table("weibull") {
        Spread::Weibull { shape: weibull.number("shape"), scale: weibull.span("scale") }
    } else if let Some(exponential) = table.table("exponential") {
        Spread::Exponential(exponential.span("mean"))
    } else {
        Spread::Fixed(table.span("fixed"))
    }
}
