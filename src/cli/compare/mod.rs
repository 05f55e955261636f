//! `swarmproof compare`: the same scenarios and seeds under several strategies of fan-out, beside each other.
//!
//! All runs of one seed are of the same plan but for the strategy, and every strategy asks until as many adequate answers
//! are in: what differs is what the strategy costs and how fast it is. What a file expects is left out, the oracles are
//! not. Nothing is told before every run has ended, since figures over unequal seeds would compare nothing.

mod args;
mod collect;

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};

use serde_json::{Value, json};

pub(crate) use self::args::Compare;
use self::collect::{Collected, Wrong, again, collect};
use super::exit::{End, Refused};
use super::files;
use super::format::Format;
use super::output::{self, paint};
use super::source::{self, Source};
use super::stop::Stop;
use crate::scenario::compare::{Comparison, LEGEND, plot, table};
use crate::scenario::report::Tone;

/// Do it.
pub(crate) fn compare(args: &Compare) -> Result<End, Refused> {
    for (index, strategy) in args.fan_out.iter().enumerate() {
        if args.fan_out.iter().take(index).any(|it| it == strategy) {
            return Err(Refused::Usage(format!("--fan-out names `{}` twice", strategy.0)));
        }
    }
    let files = files::collect(&args.paths)?;
    let sources = source::read_all(&files)?;
    let mut picture = picture(args)?;
    let stop = Stop::on_signal()?;
    let all = collect(args, &files, &sources, &stop)?;
    if stop.raised() {
        output::say("interrupted: some runs are missing, so nothing is compared\n");
        return Ok(End::Interrupted);
    }
    for broke in &all.broke {
        output::say(&format!("{} {broke}", paint(Tone::Bad, "broke")));
    }
    if !all.broke.is_empty() {
        output::say("some runs are missing, so nothing is compared\n");
        return Ok(End::Broke);
    }
    match args.format {
        Format::Text => output::put(&text(&all, |wrong| again_of(wrong, &files, &sources)))?,
        Format::Json => output::put(&lines(&all))?,
    }
    if let (Some(file), Some(path)) = (&mut picture, &args.svg) {
        let drawn = plot(&all.compared);
        // What was there is taken away only now.
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(drawn.as_bytes()));
        written.map_err(|cause| Refused::Unwritable { path: path.clone(), cause })?;
    }
    Ok(end(&all))
}

/// How it ends, where every run has ended.
fn end(all: &Collected) -> End {
    if all.wrong.is_empty() { End::Held } else { End::Failed }
}

/// The file for the picture, opened before anything is run, and left as it is until there is one.
fn picture(args: &Compare) -> Result<Option<File>, Refused> {
    let Some(path) = &args.svg else { return Ok(None) };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    file.map(Some).map_err(|cause| Refused::Unwritable { path: path.clone(), cause })
}

fn again_of(wrong: &Wrong, files: &[std::path::PathBuf], sources: &[Source]) -> String {
    let source = files.iter().position(|it| *it == wrong.file).and_then(|index| sources.get(index));
    source.map(|source| again(&wrong.file, wrong.strategy, wrong.seed, source)).unwrap_or_default()
}

/// For people: a table for each file, then what oracles found wrong.
fn text(all: &Collected, again: impl Fn(&Wrong) -> String) -> String {
    let mut text = String::new();
    for compared in &all.compared {
        text.push_str(&table(compared, &paint));
        text.push('\n');
    }
    text.push_str(&format!("{}\n", paint(Tone::Faint, LEGEND)));
    for wrong in &all.wrong {
        let Wrong { file, strategy, seed, violation } = wrong;
        let (word, file) = (paint(Tone::Bad, "violated"), file.display());
        text.push_str(&format!(
            "\n{word} {file} seed {seed}, fan-out {strategy}: {} at {} ms: {}\n  again    {}\n",
            violation.oracle,
            violation.at_ms,
            violation.detail,
            again(wrong)
        ));
    }
    if all.wrong_besides > 0 {
        text.push_str(&format!("\nand {} further violations\n", all.wrong_besides));
    }
    text
}

/// For programs: an object for each file, one a line.
fn lines(all: &Collected) -> String {
    all.compared.iter().map(|compared| format!("{}\n", line(compared, &all.wrong))).collect()
}

fn line(compared: &Comparison, wrong: &[Wrong]) -> Value {
    let own = wrong.iter().filter(|it| it.file.display().to_string() == compared.scenario);
    let violations: Vec<Value> = own
        .map(|it| json!({ "fan_out": it.strategy.to_string(), "seed": it.seed, "violation": it.violation }))
        .collect();
    json!({
        "scenario": compared.scenario,
        "seeds": compared.seeds,
        "answers_wanted": compared.answers_wanted,
        "front": ["p99_ms", "requests_per_search"],
        "rows": compared.rows,
        "violations": violations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FanOut;
    use crate::scenario::compare::Pool;
    use crate::scenario::report::Violation;

    #[test]
    fn what_an_oracle_found_is_told_and_ends_with_failure() {
        let pools = || vec![Pool::new(FanOut::Fixed(1)), Pool::new(FanOut::Hedged)];
        let compared = vec![
            Comparison::of("a.toml".into(), 2, (3, 3), pools()),
            Comparison::of("b.toml".into(), 2, (3, 3), pools()),
        ];
        let mut all = Collected { compared, ..Collected::default() };
        assert_eq!(end(&all), End::Held);
        assert!(!text(&all, |_| String::new()).contains("violated"));
        let violation = Violation {
            oracle: "ends-once".into(),
            at_ms: 12_045,
            detail: "search 7 of n3 ended twice".into(),
        };
        all.wrong.push(Wrong { file: "b.toml".into(), strategy: FanOut::Hedged, seed: 4, violation });
        all.wrong_besides = 9;
        assert_eq!(end(&all), End::Failed);
        let told =
            anstream::adapter::strip_str(&text(&all, |wrong| format!("again {}", wrong.seed))).to_string();
        assert!(
            told.contains("violated b.toml seed 4, fan-out hedged: ends-once at 12045 ms: search 7 of n3"),
            "{told}"
        );
        assert!(
            told.contains("  again    again 4\n") && told.ends_with("and 9 further violations\n"),
            "{told}"
        );
        let lines: Vec<Value> = lines(&all).lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert_eq!(lines[0]["violations"], json!([]));
        assert_eq!(lines[1]["violations"][0]["violation"]["oracle"], "ends-once");
        assert_eq!(lines[1]["violations"][0]["fan_out"], "hedged");
    }
}
