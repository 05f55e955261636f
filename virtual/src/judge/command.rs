//! `swarmproof-virtual judge`: arguments, progress, and what it says at the end.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Asked, JudgeError, drive, markdown, text};

/// Below how many folders files are looked for.
const DEEPEST: usize = 8;

/// Run scenarios on the model and on real swarms in virtual time, and hold the model to the truth
#[derive(Clone, Debug, clap::Args)]
#[command(
    about = "Run scenarios on the model and on real swarms in virtual time, and hold the model to the truth"
)]
pub struct JudgeArgs {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Run these seeds instead of each file's own; B is left out, as in 0..100
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub seeds: Option<core::ops::Range<u64>>,
    /// Run the first N seeds of each file on loopback sockets too, in real time
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sockets: u64,
    /// How many seeds at once; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Write the table to this file too, in Markdown
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn seeds(text: &str) -> Result<core::ops::Range<u64>, String> {
    let wanted = || format!("`{text}` is not a range of seeds such as 0..100");
    let (from, to) = text.split_once("..").ok_or_else(wanted)?;
    let range = from.parse().map_err(|_| wanted())?..to.parse().map_err(|_| wanted())?;
    if range.is_empty() { Err(format!("`{text}` holds no seed")) } else { Ok(range) }
}

/// The scenario files at `path`, those of a folder in the order of their names.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() && depth < DEEPEST {
            collect(&entry, depth + 1, files)?;
        } else if entry.extension().is_some_and(|ending| ending == "toml") {
            files.push(entry);
        }
    }
    Ok(())
}

/// Do it. Exit codes: 0 all held, 1 something did not, 2 wrong usage or a bad file, 3 a run broke.
pub fn judge(args: &JudgeArgs) -> ExitCode {
    let mut files = Vec::new();
    for path in &args.paths {
        if let Err(error) = collect(path, 0, &mut files) {
            say(&format!("{}: {error}\n", path.display()));
            return ExitCode::from(2);
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or(cores, usize::from);
    let asked = Asked { files, seeds: args.seeds.clone(), sockets: args.sockets, jobs };
    let live = io::stderr().is_terminal();
    let told = |done: usize, all: usize| {
        if live {
            say(&format!("\r{done} of {all} seeds"));
        }
    };
    let rows = drive(&asked, &told);
    if live {
        say("\r");
    }
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => {
            say(&format!("{error}\n"));
            return ExitCode::from(if matches!(error, JudgeError::Broke { .. }) { 3 } else { 2 });
        }
    };
    // Whoever reads this may have gone; the verdict stands.
    let _ = io::stdout().write_all(text(&rows).as_bytes());
    if let Some(path) = &args.output
        && let Err(error) = fs::write(path, markdown(&rows))
    {
        say(&format!("{}: {error}\n", path.display()));
        return ExitCode::from(2);
    }
    let wrongs: usize = rows.iter().map(|row| row.wrongs().len()).sum();
    let verdict = if wrongs == 0 { "all held".to_owned() } else { format!("{wrongs} did not hold") };
    let _ = writeln!(io::stdout(), "{} scenarios judged, {verdict}", rows.len());
    if wrongs == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
