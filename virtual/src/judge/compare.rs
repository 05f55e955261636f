//! One scenario on several networks, over all its seeds.

use std::collections::BTreeMap;
use std::fmt;

use swarmproof::scenario::report::{RunReport, Verdict};

use super::measure::Measure;

/// How far the model may be from the truth without faults.
pub const QUIET: f64 = 0.10;
/// How far the model may be from the truth with faults.
pub const FAULTY: f64 = 0.20;
/// The most wrongs that are kept of one scenario.
const MOST_WRONGS: usize = 64;

/// A number that is averaged over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count = self.count.saturating_add(1);
    }

    fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// What the model says and what is true, as means over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// On the model.
    pub model: f64,
    /// On real swarms in virtual time.
    pub real: f64,
}

impl Pair {
    /// The model's part of the truth; `None` where the truth is nothing and the model is not.
    pub fn ratio(self) -> Option<f64> {
        match (self.model, self.real) {
            (0.0, 0.0) => Some(1.0),
            (_, 0.0) => None,
            (model, real) => Some(model / real),
        }
    }
}

/// What does not hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Wrong {
    /// Two processes came to two hashes.
    Hash {
        /// Under this seed.
        seed: u64,
    },
    /// The model's verdict is another.
    Verdict {
        /// Under this seed.
        seed: u64,
        /// The model's.
        model: Verdict,
        /// The real swarms'.
        real: Verdict,
    },
    /// Sockets came to another verdict.
    Sockets {
        /// Under this seed.
        seed: u64,
        /// Theirs.
        verdict: Verdict,
    },
    /// A number of the model is too far from the truth.
    Far {
        /// Which.
        measure: Measure,
        /// Both numbers.
        pair: Pair,
        /// How far it may be, as a share.
        most: f64,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash { seed } => write!(f, "seed {seed}: two processes came to two hashes"),
            Self::Verdict { seed, model, real } => {
                let (model, real) = (model.as_str(), real.as_str());
                write!(f, "seed {seed}: {model} on the model, {real} on real swarms")
            }
            Self::Sockets { seed, verdict } => write!(f, "seed {seed}: {} on sockets", verdict.as_str()),
            Self::Far { measure, pair, most } => {
                let (name, most) = (measure.name(), most * 100.0);
                let Pair { model, real } = pair;
                write!(f, "{name}: {model:.2} on the model, {real:.2} in truth: more than {most:.0} % apart")
            }
        }
    }
}

/// One scenario on all networks.
#[derive(Clone, Debug)]
pub struct Row {
    /// The scenario's file.
    pub scenario: String,
    /// Whether nothing in it breaks.
    pub quiet: bool,
    /// How many seeds were run.
    pub seeds: u32,
    /// How many of them came to one hash in two processes.
    pub same_hash: u32,
    /// How many of them came to the same verdict on the model.
    pub same_verdict: u32,
    /// How many runs were made on sockets, and how many of them came to the same verdict.
    pub sockets: (u32, u32),
    /// Microseconds of computing a message, on the model and on real swarms.
    pub micros_a_message: Pair,
    means: BTreeMap<Measure, (Mean, Mean)>,
    on_sockets: BTreeMap<Measure, (Mean, Mean)>,
    costs: [(f64, f64); 2],
    wrongs: Vec<Wrong>,
}

impl Row {
    /// Nothing run yet.
    pub fn new(scenario: String, quiet: bool) -> Self {
        Self {
            scenario,
            quiet,
            seeds: 0,
            same_hash: 0,
            same_verdict: 0,
            sockets: (0, 0),
            micros_a_message: Pair { model: 0.0, real: 0.0 },
            means: BTreeMap::new(),
            on_sockets: BTreeMap::new(),
            costs: [(0.0, 0.0); 2],
            wrongs: Vec::new(),
        }
    }

    /// One seed: on the model, and on real swarms in two processes.
    pub fn add(&mut self, model: &RunReport, real: &RunReport, again: &RunReport) {
        let seed = real.seed;
        self.seeds += 1;
        if !real.trace_hash.is_empty() && real.trace_hash == again.trace_hash {
            self.same_hash += 1;
        } else {
            self.wrong(Wrong::Hash { seed });
        }
        if model.verdict == real.verdict {
            self.same_verdict += 1;
        } else {
            self.wrong(Wrong::Verdict { seed, model: model.verdict, real: real.verdict });
        }
        for measure in Measure::ALL {
            if let (Some(one), Some(other)) = (measure.of(model), measure.of(real)) {
                let means = self.means.entry(measure).or_default();
                means.0.add(one);
                means.1.add(other);
            }
        }
        for (cost, report) in self.costs.iter_mut().zip([model, real]) {
            cost.0 += report.wall_ms * 1e3;
            cost.1 += Measure::Messages.of(report).unwrap_or(0.0);
        }
        let [model, real] = self.costs.map(|(micros, messages)| micros / messages.max(1.0));
        self.micros_a_message = Pair { model, real };
    }

    /// The same seed on sockets, where `real` is the report in virtual time.
    pub fn add_sockets(&mut self, real: &RunReport, sockets: &RunReport) {
        self.sockets.0 += 1;
        if sockets.verdict == real.verdict {
            self.sockets.1 += 1;
        } else {
            self.wrong(Wrong::Sockets { seed: real.seed, verdict: sockets.verdict });
        }
        for measure in Measure::ALL.into_iter().filter(|it| it.is_for_sockets()) {
            if let (Some(one), Some(other)) = (measure.of(real), measure.of(sockets)) {
                let means = self.on_sockets.entry(measure).or_default();
                means.0.add(one);
                means.1.add(other);
            }
        }
    }

    fn wrong(&mut self, wrong: Wrong) {
        if self.wrongs.len() < MOST_WRONGS {
            self.wrongs.push(wrong);
        }
    }

    /// Both numbers of `measure`, where there was something to measure.
    pub fn pair(&self, measure: Measure) -> Option<Pair> {
        let (model, real) = self.means.get(&measure)?;
        Some(Pair { model: model.get()?, real: real.get()? })
    }

    /// In virtual time and on sockets: as a pair whose `model` is the sockets' number.
    pub fn on_sockets(&self, measure: Measure) -> Option<Pair> {
        let (real, sockets) = self.on_sockets.get(&measure)?;
        Some(Pair { model: sockets.get()?, real: real.get()? })
    }

    /// How far the model may be from the truth here.
    pub fn most(&self) -> f64 {
        if self.quiet { QUIET } else { FAULTY }
    }

    /// Whether `measure` is within what it is held to.
    pub fn holds(&self, measure: Measure) -> bool {
        !measure.is_held()
            || self
                .pair(measure)
                .is_none_or(|pair| pair.ratio().is_some_and(|ratio| (ratio - 1.0).abs() <= self.most()))
    }

    /// All that does not hold.
    pub fn wrongs(&self) -> Vec<Wrong> {
        let far = Measure::ALL
            .into_iter()
            .filter(|measure| !self.holds(*measure))
            .filter_map(|measure| Some(Wrong::Far { measure, pair: self.pair(measure)?, most: self.most() }));
        self.wrongs.iter().cloned().chain(far).collect()
    }
}
