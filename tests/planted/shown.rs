//! A planted fault that was caught, on the page of its run: where it happened, and what happened around it.

use serde_json::Value;
use swarmproof::scenario::RunOptions;
use swarmproof::scenario::history::Chronicle;
use swarmproof::scenario::page::{Shown, page};

use super::hunt::{Hunted, Planted, follow, follow_with, plan};

/// Make the first run again in which `fault` was caught, and look at its page.
pub fn is_shown(fault: &Planted, hunted: &Hunted) -> Result<(), String> {
    let seed = hunted.caught.iter().position(|caught| *caught).ok_or("it was not caught")?;
    let plan = plan(fault.scenario.1, seed as u64);
    let alone = follow(&plan, (fault.plant)());
    let chronicle = Chronicle::default();
    let options = RunOptions { chronicle: Some(chronicle.clone()), ..RunOptions::default() };
    let report = follow_with(&plan, (fault.plant)(), options).map_err(|error| error.to_string())?;
    if report.trace_hash != alone.trace_hash {
        return Err(format!("{}: whoever goes along changes the run", fault.number));
    }
    let history = chronicle.history();
    let shown = Shown {
        title: fault.sketch,
        replay: "",
        plan: &plan,
        history: &history,
        report: Some(&report),
        broke: None,
    };
    let page = page(shown);
    let (_, rest) = page.split_once("id=\"data\">").ok_or("the page has no data")?;
    let (json, _) = rest.split_once("</script>").ok_or("its data does not end")?;
    let data: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let wrongs = data["runs"][0]["wrongs"].as_array().ok_or("it has no violations")?;
    let of_it: Vec<&Value> = wrongs.iter().filter(|it| it["oracle"] == fault.oracle.name()).collect();
    if of_it.is_empty() {
        return Err(format!("{}: {} is not on the page", fault.number, fault.oracle));
    }
    for wrong in of_it {
        let (at, detail) = (wrong["at"].as_u64().unwrap(), wrong["detail"].as_str().unwrap());
        let failed = |why: &str| Err(format!("{}: {detail}: {why}", fault.number));
        let near = |micros: u64| micros.abs_diff(at) <= 10_000_000;
        if !history.events.iter().any(|it| near(it.at.as_nanos() / 1000)) {
            return failed("nothing happens around it");
        }
        let names_query = detail
            .split(|it: char| !it.is_ascii_alphanumeric())
            .any(|word| word.strip_prefix('q').is_some_and(|number| number.parse::<u64>().is_ok()));
        match wrong["query"].as_u64() {
            Some(place) => {
                let query = &history.queries[place as usize];
                let name = if names_query { query.id.to_string() } else { query.node.to_string() };
                if !detail.contains(&name) || query.begun.as_nanos() / 1000 > at + 1000 {
                    return failed(&format!("that is not {} {}", query.node, query.id));
                }
            }
            // A query that never began, or of which the registry's own account is wrong, has no span.
            None if names_query && !detail.contains("not running") => {
                return failed("its query has no place");
            }
            None => {}
        }
    }
    Ok(())
}
