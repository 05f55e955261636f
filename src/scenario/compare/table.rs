//! A comparison as a table for people.

use super::pool::Comparison;
use crate::scenario::report::{Align, Paint, Table, Tone, grouped, span};

/// The table, under a line that says what is compared; strategies on the front are marked.
pub fn table(compared: &Comparison, paint: Paint<'_>) -> String {
    use Align::{Left, Right};
    let mut table = Table::new([
        ("", Left),
        ("fan-out", Left),
        ("p50", Right),
        ("p95", Right),
        ("p99", Right),
        ("p99.9", Right),
        ("req/search", Right),
        ("bytes/search", Right),
        ("recall", Right),
    ]);
    for row in &compared.rows {
        let dash = || "-".to_owned();
        table.row([
            if row.on_front { "*" } else { "" }.to_owned(),
            row.fan_out.clone(),
            span(row.p50_ms),
            span(row.p95_ms),
            span(row.p99_ms),
            span(row.p999_ms),
            row.requests_per_search.map_or_else(dash, |it| format!("{it:.2}")),
            row.bytes_per_search.map_or_else(dash, whole),
            recall(row.recall),
        ]);
    }
    let searches = compared.rows.iter().map(|row| row.searches).max().unwrap_or(0);
    let seeds = if compared.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", compared.seeds) };
    let wanted = match compared.answers_wanted {
        (least, most) if least == most => format!("{least}"),
        (least, most) => format!("{least} to {most}"),
    };
    let about = format!("{seeds}, {} searches each, answers wanted {wanted}", grouped(searches));
    let mut text = format!("{}: {about}\n", paint(Tone::Heading, &compared.scenario));
    text.push_str(&table.render(|row, column, cell| match row {
        None => paint(Tone::Heading, &cell),
        Some(row) if column < 2 && compared.rows.get(row).is_some_and(|it| it.on_front) => {
            paint(Tone::Good, &cell)
        }
        Some(_) => cell,
    }));
    text
}

/// What the mark means.
pub const LEGEND: &str =
    "* on the Pareto front of p99 and requests: none has less of one without more of the other";

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes a search are no such number"
)]
fn whole(number: f64) -> String {
    grouped(number.round() as u64)
}

/// Cut, not rounded: what is below 1 is not to read as 1.
fn recall(recall: f64) -> String {
    format!("{:.4}", (recall * 1e4).floor() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::super::pool::tests::row;
    use super::*;
    use crate::scenario::report::plain;

    #[test]
    fn the_front_is_marked() {
        let mut rows = vec![row("1", 143.0, 845.0, 3.387), row("hedged", 54.0, 1500.0, 4.0)];
        rows[0].on_front = true;
        rows[1].recall = 0.999_96;
        let compared = Comparison { scenario: "x.toml".into(), seeds: 20, answers_wanted: (3, 3), rows };
        assert_eq!(
            table(&compared, &plain),
            "x.toml: 20 seeds, 1,000 searches each, answers wanted 3\n\
             \u{20}  fan-out     p50     p95     p99   p99.9  req/search  bytes/search  recall\n\
             *  1        143 ms  494 ms  845 ms  1.69 s        3.39         3,387  1.0000\n\
             \u{20}  hedged    54 ms  777 ms  1.50 s  3.00 s        4.00         4,000  0.9999\n"
        );
    }
}
