//! The workloads of a scenario file, and what must go together in them.

use core::time::Duration;

use super::bounds::{MAX_OPERATIONS, MAX_REGISTRIES};
use super::error::{FileError, Source};
use super::model::{When, Work, Workload};
use super::value::Table;
use super::word::{contradiction, word};
use crate::scenario::units::Span;

pub(super) fn workloads(
    source: Source<'_>,
    tables: &[Table],
    duration: Duration,
    registries: u32,
) -> Result<Vec<Workload>, FileError> {
    let mut workloads = Vec::new();
    let mut operations = 0.0;
    for table in tables {
        let Some((name, inner)) = table.entries.keys().find_map(|name| Some((*name, table.table(name)?)))
        else {
            continue;
        };
        let (when, expected) = when(source, inner, duration)?;
        operations += expected;
        if operations > MAX_OPERATIONS as f64 {
            let key = if inner.has("rate") { "rate" } else { "count" };
            let words = format!("the workloads make about {operations:.0} operations, over {MAX_OPERATIONS}");
            return Err(contradiction(source, inner, key, words));
        }
        let what = work(source, name, inner)?;
        if matches!(what, Work::Join { .. }) && !matches!(when, When::At { .. }) {
            let words = "nodes join at a time, not at a rate".to_owned();
            return Err(contradiction(source, inner, "rate", words));
        }
        workloads.push(Workload { what, when });
    }
    let late: u64 = workloads.iter().map(late).sum();
    if u64::from(registries) + late > MAX_REGISTRIES {
        let place = tables.iter().find_map(|table| table.table("join"));
        let words = format!("{registries} registries and {late} that join are over {MAX_REGISTRIES}");
        if let Some(join) = place {
            return Err(contradiction(source, join, "count", words));
        }
    }
    for table in tables {
        for inner in table.entries.keys().filter_map(|name| table.table(name)) {
            if inner.has("registry") && inner.count("registry") >= u64::from(registries) + late {
                let words = format!(
                    "there is no registry {}: the scenario has {registries}, and {late} that join",
                    inner.count("registry")
                );
                return Err(contradiction(source, inner, "registry", words));
            }
        }
        if let Some(yank) = table.table("yank")
            && !workloads.iter().any(|workload| matches!(workload.what, Work::Publish { .. }))
        {
            let words =
                "a yank takes back what was published, and nothing is: add a publish workload".to_owned();
            return Err(contradiction(source, yank, "age", words));
        }
    }
    Ok(workloads)
}

fn late(workload: &Workload) -> u64 {
    match (&workload.what, workload.when) {
        (Work::Join { registry: true }, When::At { count, .. }) => u64::from(count),
        _ => 0,
    }
}

/// When, and about how many operations that makes.
fn when(source: Source<'_>, table: &Table, duration: Duration) -> Result<(When, f64), FileError> {
    let within = |key: &str| {
        let span = table.span(key);
        if span > duration {
            let words = format!("{key:?} is {}, after the end of the run at {}", Span(span), Span(duration));
            return Err(contradiction(source, table, key, words));
        }
        Ok(span)
    };
    // A default stands where its table stands.
    let given = |key: &str| table.has(key) && table.place(key) != table.offset;
    if table.has("at") {
        for key in ["from", "until", "spacing"] {
            if given(key) {
                let words =
                    format!("{key:?} is for a workload with a \"rate\"; this one is done \"at\" a time");
                return Err(contradiction(source, table, key, words));
            }
        }
        let count = table.small("count");
        return Ok((When::At { at: within("at")?, count }, f64::from(count)));
    }
    if given("count") {
        let words =
            "\"count\" is for a workload that is done \"at\" a time; this one has a \"rate\"".to_owned();
        return Err(contradiction(source, table, "count", words));
    }
    let from = within("from")?;
    let until = if table.has("until") { within("until")? } else { duration };
    if until <= from {
        let key = if table.has("until") { "until" } else { "from" };
        let words = format!("it would end at {}, no later than it begins at {}", Span(until), Span(from));
        return Err(contradiction(source, table, key, words));
    }
    let rate = table.number("rate");
    let even = table.text("spacing") == "even";
    Ok((When::Rate { rate, from, until, even }, rate * (until - from).as_secs_f64()))
}

fn work(source: Source<'_>, name: &str, table: &Table) -> Result<Work, FileError> {
    let small = |key: &str| table.count_of(key).map(|_| table.small(key));
    let registry = small("registry");
    Ok(match name {
        "get" => Work::Get { registry, what: word(source, table, "what")? },
        "versions" => Work::Versions { registry, package: small("package") },
        "publish" => {
            Work::Publish { registry, packages: table.small("packages"), large: table.number("large") }
        }
        "yank" => Work::Yank { age: table.span("age") },
        "join" => Work::Join { registry: table.text("who") == "registry" },
        _ => Work::Search {
            registry,
            limit: small("limit"),
            by: word(source, table, "by")?,
            text: table.text_of("text").map(str::to_owned),
            cancel_after: table.span_of("after"),
        },
    })
}
