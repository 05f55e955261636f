//! A test over many seeds, each in a process of its own, each made twice.
//!
//! There is one simulation a process, and `cargo test` runs many tests in one. So [`Seeds::test`] starts the test's own
//! program again for each seed, told to run this one test alone; there the body runs. The same seed is run in a second
//! process, which must come to the same trace. What fails is told with the one command that replays it.
//!
//! ```no_run
//! use std::time::Duration;
//! use libp2p::ping;
//! use swarmproof_virtual::{Seeds, World};
//!
//! #[test]
//! fn a_cut_is_noticed() {
//!     Seeds::new(0..20).test(|simulation| {
//!         let mut world = World::new(simulation).unwrap();
//!         let one = world.spawn(|_| ping::Behaviour::default()).unwrap();
//!         let two = world.spawn(|_| ping::Behaviour::default()).unwrap();
//!         world.connect(one, two).unwrap();
//!         assert!(world.run_until(Duration::from_secs(9), |world| world.connected(one, two)));
//!         world.cut([one], [two]).unwrap();
//!         assert!(world.run_until(Duration::from_secs(60), |world| !world.connected(one, two)));
//!     });
//! }
//! ```

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use swarmproof::sim::{JsonLines, Profile};

use crate::simulation::{Options, Simulation, simulate};

/// The seed that a process is to run, and nothing else.
const SEED: &str = "SWARMPROOF_SEED";
/// The file that a process writes its trace to.
const TRACE: &str = "SWARMPROOF_TRACE";
/// What comes before the hash in what a process says.
const HASH: &str = "swarmproof trace ";
/// How much of what a failed process said is told.
const TOLD: usize = 40;

/// Seeds under which a test is to hold.
#[derive(Clone, Debug)]
pub struct Seeds {
    seeds: Range<u64>,
    profile: Profile,
    patience: Option<Duration>,
    name: Option<String>,
    once: bool,
}

impl Seeds {
    /// These seeds, on the links of [`Profile::internet`].
    pub fn new(seeds: Range<u64>) -> Self {
        Self { seeds, profile: Profile::internet(), patience: None, name: None, once: false }
    }

    /// Other links.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// How long, in real time, nothing may move; see [`Options::patience`].
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The test's name, as `cargo test -- --list` shows it. It is found out unless it is said, but not under
    /// `--test-threads=1`.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Leave out the second process of each seed.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Run `body` under each seed. In a process that was told its seed, it is run here and now.
    ///
    /// # Panics
    ///
    /// As a test does: when `body` did under some seed, when two processes came to two traces, when no simulation
    /// could be made. The message has the command that replays it.
    pub fn test<F>(self, body: F)
    where
        F: FnOnce(&Simulation) + Send + 'static,
    {
        match std::env::var(SEED) {
            Ok(seed) => match seed.parse() {
                Ok(seed) => self.here(seed, body),
                Err(_) => panic!("{SEED} is `{seed}`, which is no seed: a whole number is"),
            },
            Err(_) => self.over_all(),
        }
    }

    /// One seed, in this process.
    #[expect(
        clippy::print_stdout,
        reason = "the hash is for the process that started this one, and for people"
    )]
    fn here<F>(self, seed: u64, body: F)
    where
        F: FnOnce(&Simulation) + Send + 'static,
    {
        let mut options = Options::new(seed, self.profile);
        if let Some(patience) = self.patience {
            options.patience = patience;
        }
        let trace = std::env::var_os(TRACE).map(PathBuf::from);
        let outcome = simulate(options, move |simulation| {
            if let Some(path) = trace {
                match File::create(&path) {
                    Ok(file) => {
                        let lines = JsonLines::new(Box::new(BufWriter::new(file)));
                        simulation.fabric().show_trace_to(Box::new(lines));
                    }
                    Err(error) => panic!("{}: {error}", path.display()),
                }
            }
            body(simulation);
            simulation.fabric().trace_hash()
        });
        match outcome {
            Ok(outcome) if outcome.threads.is_empty() => println!("{HASH}{:032x}", outcome.value),
            Ok(outcome) => panic!(
                "threads were started that are not in virtual time, so this is not repeatable: {}",
                outcome.threads.join(", ")
            ),
            Err(error) => panic!("{error}"),
        }
    }

    /// All seeds, each in processes of its own.
    fn over_all(&self) {
        #[expect(clippy::disallowed_methods, reason = "the test harness names its threads after the tests")]
        let found = || std::thread::current().name().map(str::to_owned);
        let name = self.name.clone().or_else(found);
        let Some(name) = name.filter(|name| name != "main") else {
            panic!("the test's name is not known here: say it with `Seeds::named`");
        };
        for seed in self.seeds.clone() {
            let one = run(&name, seed, None);
            let Some(hash) = hash(&one) else { panic!("{}", failure(&name, seed, &one)) };
            if self.once {
                continue;
            }
            let other = run(&name, seed, None);
            if crate::seeds::hash(&other).as_ref() != Some(&hash) {
                panic!("{}", parted(&name, seed));
            }
        }
    }
}

/// This very program, with this test under this seed.
fn run(name: &str, seed: u64, trace: Option<&PathBuf>) -> Output {
    let program =
        std::env::current_exe().unwrap_or_else(|error| panic!("this program is not found: {error}"));
    let mut command = Command::new(program);
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
    command.env(SEED, seed.to_string()).stdin(Stdio::null());
    match trace {
        Some(trace) => command.env(TRACE, trace),
        None => command.env_remove(TRACE),
    };
    command.output().unwrap_or_else(|error| panic!("a process for seed {seed} could not be started: {error}"))
}

/// The hash of a run that held.
fn hash(output: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let hash = text.lines().find_map(|line| line.split_once(HASH).map(|(_, hash)| hash.trim().to_owned()));
    hash.filter(|_| output.status.success())
}

fn replay(name: &str, seed: u64) -> String {
    format!("{SEED}={seed} cargo test {name} -- --exact --nocapture")
}

fn failure(name: &str, seed: u64, output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(TOLD)..).unwrap_or_default().join("\n");
    let mut text = format!("seed {seed} failed ({}):\n{last}\n", output.status);
    if String::from_utf8_lossy(&output.stdout).contains("running 0 tests") {
        let _ = writeln!(text, "no test has the name `{name}`: say the right one with `Seeds::named`");
    }
    let _ = write!(text, "replay: {}", replay(name, seed));
    text
}

/// What is said of a seed whose two processes came to two traces.
fn parted(name: &str, seed: u64) -> String {
    let folder = std::env::temp_dir();
    #[expect(clippy::disallowed_methods, reason = "a name that no other process takes; no run sees it")]
    let process = std::process::id();
    let files =
        ["one", "other"].map(|which| folder.join(format!("swarmproof-{process}-{seed}-{which}.jsonl")));
    for file in &files {
        run(name, seed, Some(file));
    }
    let [one, other] = &files;
    let shown = crate::parted::shown(one, other);
    for file in &files {
        // What is left over in the temporary folder harms nobody.
        let _ = std::fs::remove_file(file);
    }
    format!(
        "seed {seed}: two processes came to two traces. Something of this program reads a clock that is not \
         `clock_gettime`'s, draws at random past `getrandom`, starts threads, or walks what is ordered by address.\n\
         {shown}\nreplay: {}",
        replay(name, seed)
    )
}
