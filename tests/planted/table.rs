//! The table in `tests/planted/README.md`: made here, and compared with what stands there.

use std::fmt::Write as _;
use std::path::Path;

use super::hunt::{Hunted, Planted};

const BEGIN: &str = "<!-- table -->\n";
const END: &str = "<!-- end of table -->";

/// Whether the document has the table that `seen` makes. With `PLANTED_TABLE=write` it is written there instead.
pub fn agrees<'a>(seen: impl Iterator<Item = (&'a Planted, &'a Hunted)>) -> Result<(), String> {
    let table = table(seen)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/planted/README.md");
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (before, rest) = text.split_once(BEGIN).ok_or("the document has no mark where the table begins")?;
    let (there, after) = rest.split_once(END).ok_or("the document has no mark where the table ends")?;
    if std::env::var("PLANTED_TABLE").is_ok_and(|wish| wish == "write") {
        let text = format!("{before}{BEGIN}{table}{END}{after}");
        return std::fs::write(&path, text).map_err(|error| error.to_string());
    }
    if there == table {
        return Ok(());
    }
    Err(format!(
        "tests/planted/README.md is out of date. Accept what was seen with\n\
         PLANTED_TABLE=write cargo test --test planted\n\n{table}"
    ))
}

fn table<'a>(seen: impl Iterator<Item = (&'a Planted, &'a Hunted)>) -> Result<String, String> {
    let mut table = String::from(
        "| # | The sketch's fault | Planted as | Scenario | Caught by | Seeds (median) | Caught in | Others that spoke |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (fault, hunted) in seen {
        let caught = hunted.caught.iter().filter(|caught| **caught).count();
        let median = hunted.median().map_or("never".to_owned(), |median| median.to_string());
        let name = fault.oracle.name();
        let others: Vec<&str> =
            hunted.spoke.iter().map(String::as_str).filter(|other| *other != name).collect();
        let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
        writeln!(
            table,
            "| {} | {} | {} | `{}` | **{name}** | {median} | {caught} of {} | {others} |",
            fault.number,
            fault.sketch,
            fault.planted,
            fault.scenario.0,
            hunted.caught.len(),
        )
        .map_err(|error| error.to_string())?;
    }
    Ok(table)
}
