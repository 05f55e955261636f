//! What a sweep has come to: counts, and of failures as much as a person reads. It does not grow with the seeds.

use std::collections::BTreeMap;

use crate::cli::output::paint;
use crate::probe::Probe;
use crate::scenario::plan::{Failure, FailureKind};
use crate::scenario::report::{Align, Table, Tone};

/// How many seeds of one oracle are named in the table.
const SEEDS_NAMED: usize = 5;
/// How many failures have their commands told.
const COMMANDS_TOLD: usize = 10;

/// What it has come to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    passed: u64,
    failed: u64,
    broke: u64,
    crashed: u64,
    hung: u64,
    by: BTreeMap<(FailureKind, String), Of>,
    commands: Vec<String>,
    untold: u64,
    /// How often each probe was reached, over all seeds that came to their end.
    probes: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Of {
    count: u64,
    first: Vec<u64>,
}

impl Tally {
    /// A seed ran, and all held.
    pub(super) fn pass(&mut self) {
        self.passed += 1;
    }

    /// A seed reached these probes so often.
    pub(super) fn reached(&mut self, probes: BTreeMap<String, u64>) {
        for (name, count) in probes {
            let sum = self.probes.entry(name).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Probes that drawn faults must reach and that no seed has reached.
    pub(super) fn unreached(&self) -> Vec<Probe> {
        Probe::missing(&self.probes)
    }

    /// Which probes were reached, in a line.
    pub(super) fn probes(&self) -> String {
        let reached = |probe: &Probe| self.probes.get(probe.name()).is_some_and(|count| *count > 0);
        let due = Probe::expected().count();
        let unreached: Vec<&str> = self.unreached().into_iter().map(Probe::name).collect();
        let all = format!(
            "{} of {} probes reached",
            Probe::ALL.iter().filter(|it| reached(it)).count(),
            Probe::ALL.len()
        );
        match unreached.as_slice() {
            [] => format!("{all}, and all {due} that drawn faults must reach\n"),
            some => format!("{all}; never reached: {}\n", some.join(", ")),
        }
    }

    /// A seed failed; `commands` make it again.
    pub(super) fn fail(&mut self, seed: u64, failure: &Failure, commands: String) {
        *match failure.kind {
            FailureKind::Crash => &mut self.crashed,
            FailureKind::Hang => &mut self.hung,
            FailureKind::Broken => &mut self.broke,
            FailureKind::Safety | FailureKind::Liveness | FailureKind::Expectation => &mut self.failed,
        } += 1;
        let of = self.by.entry((failure.kind, failure.oracle.clone())).or_default();
        of.count += 1;
        if of.first.len() < SEEDS_NAMED {
            of.first.push(seed);
            of.first.sort_unstable();
        }
        if self.commands.len() < COMMANDS_TOLD {
            self.commands.push(commands);
        } else {
            self.untold += 1;
        }
    }

    /// Seeds that came to an end, whichever.
    pub(super) fn ran(&self) -> u64 {
        self.passed + self.bad()
    }

    /// Those that did not pass.
    pub(super) fn bad(&self) -> u64 {
        self.failed + self.broke + self.crashed + self.hung
    }

    /// Whether a run did not come to its end.
    pub(super) fn any_broke(&self) -> bool {
        self.broke + self.crashed + self.hung > 0
    }

    /// For people: the table, the commands and the counts; of `all` seeds, in `secs`.
    pub(super) fn text(&self, all: u64, secs: f64) -> String {
        let mut text = String::new();
        if !self.by.is_empty() {
            let mut table = Table::new([
                ("oracle", Align::Left),
                ("kind", Align::Left),
                ("seeds", Align::Right),
                ("first", Align::Left),
            ]);
            for ((kind, oracle), of) in &self.by {
                let mut first: Vec<String> = of.first.iter().map(u64::to_string).collect();
                if of.count > of.first.len() as u64 {
                    first.push("…".to_owned());
                }
                table.row([oracle.clone(), kind.name().to_owned(), of.count.to_string(), first.join(", ")]);
            }
            let tone = |row: Option<usize>, cell: String| match row {
                None => paint(Tone::Heading, &cell),
                Some(_) => cell,
            };
            text.push_str(&format!("\n{}\n", table.render(|row, _, cell| tone(row, cell))));
        }
        for command in &self.commands {
            text.push_str(command);
        }
        if self.untold > 0 {
            text.push_str(&format!("  and {} further failures\n", self.untold));
        }
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let rate = self.ran() as f64 / secs.max(1e-9);
        text.push_str(&format!("\n{} of {all} seeds ran in {secs:.1}s, {rate:.1}/s: ", self.ran()));
        text.push_str(&paint(Tone::Good, &format!("{} passed", self.passed)));
        let counts =
            [(self.failed, "failed"), (self.crashed, "crashed"), (self.hung, "hung"), (self.broke, "broke")];
        for (count, word) in counts {
            let told = format!("{count} {word}");
            text.push_str(", ");
            text.push_str(&if count > 0 { paint(Tone::Bad, &told) } else { told });
        }
        text.push_str(&format!(", {} not run\n", all.saturating_sub(self.ran())));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_counted_once_and_little_is_kept() {
        let mut tally = Tally::default();
        for seed in 0..1000 {
            if seed % 10 == 0 {
                let kind = if seed % 100 == 0 { FailureKind::Hang } else { FailureKind::Crash };
                tally.fail(seed, &Failure::unended(kind, "so it was"), format!("again {seed}\n"));
            } else {
                tally.pass();
            }
        }
        assert_eq!((tally.ran(), tally.bad(), tally.passed), (1000, 100, 900));
        assert_eq!((tally.crashed, tally.hung), (90, 10));
        assert!(tally.by.values().all(|of| of.first.len() == SEEDS_NAMED));
        assert_eq!((tally.commands.len(), tally.untold), (COMMANDS_TOLD, 90));
        let text = anstream::adapter::strip_str(&tally.text(1200, 10.0)).to_string();
        let end = "1000 of 1200 seeds ran in 10.0s, 100.0/s: 900 passed, 0 failed, 90 crashed, 10 hung, 0 broke, 200 not run\n";
        assert!(text.ends_with(end), "{text}");
        assert!(text.ends_with(end), "{text}");
        let probes = |count| Probe::expected().map(|it| (it.name().to_owned(), count)).collect();
        tally.reached(probes(0));
        assert_eq!(tally.unreached().len(), Probe::expected().count());
        assert!(tally.probes().contains("never reached: "));
        tally.reached(probes(2));
        assert_eq!(tally.unreached(), []);
        assert!(tally.probes().contains("that drawn faults must reach"));
        assert!(text.contains("hung") && text.contains("0, 100, 200, 300, 400, …"), "{text}");
    }
}
