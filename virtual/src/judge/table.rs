//! The rows as text for a terminal and as a table for the documentation.

use super::compare::Row;
use super::measure::Measure;

/// `1.5`, `23`, `1,234`: three digits are enough for a comparison.
fn number(value: f64) -> String {
    match value {
        v if v.abs() >= 100.0 => format!("{v:.0}"),
        v if v.abs() >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// A row's name: the file without folder and ending.
fn name(row: &Row) -> &str {
    let file = row.scenario.rsplit('/').next().unwrap_or(&row.scenario);
    file.strip_suffix(".toml").unwrap_or(file)
}

/// Model and truth of one measure, and the model's part of it.
fn cell(row: &Row, measure: Measure) -> String {
    let Some(pair) = row.pair(measure) else { return "–".to_owned() };
    let numbers = format!("{} / {}", number(pair.model), number(pair.real));
    if !measure.is_held() {
        return numbers;
    }
    let ratio =
        pair.ratio().map_or_else(|| "∞".to_owned(), |ratio| format!("{:+.0} %", (ratio - 1.0) * 100.0));
    let mark = if row.holds(measure) { "" } else { " ✗" };
    format!("{numbers} ({ratio}{mark})")
}

fn sockets(row: &Row) -> String {
    let (runs, same) = row.sockets;
    if runs == 0 {
        return "–".to_owned();
    }
    let found = row
        .on_sockets(Measure::Found)
        .map_or_else(String::new, |pair| format!(", found {} / {}", number(pair.model), number(pair.real)));
    format!("{same} of {runs}{found}")
}

fn header() -> Vec<String> {
    let fixed = ["scenario", "seeds", "one hash", "one verdict"].map(str::to_owned);
    let measures = Measure::ALL.map(|measure| measure.name().to_owned());
    let last = ["µs a message", "sockets: one verdict"].map(str::to_owned);
    fixed.into_iter().chain(measures).chain(last).collect()
}

fn cells(row: &Row) -> Vec<String> {
    let kind = if row.quiet { "" } else { " (faults)" };
    let cost = row.micros_a_message;
    let mut cells = vec![
        format!("{}{kind}", name(row)),
        row.seeds.to_string(),
        row.same_hash.to_string(),
        row.same_verdict.to_string(),
    ];
    cells.extend(Measure::ALL.map(|measure| cell(row, measure)));
    cells.push(format!("{} / {}", number(cost.model), number(cost.real)));
    cells.push(sockets(row));
    cells
}

/// A table in Markdown: of each measure what the model says, what is true, and by how much they differ.
pub fn markdown(rows: &[Row]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header = header();
    let mut text = line(&header);
    text.push_str(&format!("|{}\n", " --- |".repeat(header.len())));
    for row in rows {
        text.push_str(&line(&cells(row)));
    }
    text
}

/// The same for a terminal: one measure a line.
pub fn text(rows: &[Row]) -> String {
    let header = header();
    let mut text = String::new();
    for row in rows {
        for (title, cell) in header.iter().zip(cells(row)) {
            text.push_str(&format!("{title:>22}  {cell}\n"));
        }
        for wrong in row.wrongs() {
            text.push_str(&format!("{:>22}  {wrong}\n", "wrong"));
        }
        text.push('\n');
    }
    text
}
