//! The command line: arguments in, files read, runs started on all cores, text or JSON out.
//!
//! Nothing is run and nothing is written before every argument and every file has been found good.
//!
//! [`main`] is the program `swarmproof`, and [`main_elsewhere`] another one with the same commands for a network that it
//! brings, an [`Elsewhere`]: see `examples/planted.rs`. A program with further commands of its own takes [`RunArgs`] as the arguments of a command `run` and calls [`run_elsewhere`]: the same files, options, reports and
//! exit codes, with each run in a process of its own; [`check_elsewhere`] is its `check`. Runs start their own program
//! anew, so they are to be called from `main`, in a program that does nothing else with the arguments of its `run`:
//!
//! ```no_run
//! use clap::Parser;
//! use swarmproof::cli::{CheckArgs, Elsewhere, RunArgs, check_elsewhere, run_elsewhere};
//!
//! #[derive(Parser)]
//! enum Args {
//!     Run(RunArgs),
//!     Check(CheckArgs),
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     let elsewhere = Elsewhere {
//!         program: "my-network",
//!         note: None,
//!         unfit: |plan| (plan.roles().len() > 50).then(|| "it has more than 50 nodes".to_owned()),
//!         run: |plan, options| swarmproof::scenario::run(plan, options),
//!     };
//!     match Args::parse() {
//!         Args::Run(args) => run_elsewhere(&args, &elsewhere),
//!         Args::Check(args) => check_elsewhere(&args, &elsewhere),
//!     }
//! }
//! ```

mod args;
mod catalogue;
#[cfg(feature = "node")]
mod client;
mod clock;
mod compare;
mod elsewhere;
mod exit;
mod files;
mod format;
mod job;
#[cfg(feature = "node")]
mod node;
mod on;
mod output;
mod panics;
mod pool;
mod process;
mod progress;
mod ran;
mod replay;
mod report;
mod run;
mod run_args;
mod shrink;
mod source;
mod stop;
mod sweep;
mod told;
mod traced;
mod twin;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser as _};

use self::args::{Args, Command, Guest, GuestCommand};
pub use self::elsewhere::Elsewhere;
use self::exit::{End, Refused};
use self::on::On;
pub use self::run_args::{CheckArgs, RunArgs};
pub use self::sweep::SweepArgs;

/// Do what the arguments of this process say.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.command {
        Command::Run(args) => On::of(args).and_then(|on| run::run(&args.of_any, on)),
        Command::Sweep(args) => sweep(args, On::Sim),
        Command::Explore(args) => {
            sweep::Swept::explore().and_then(|it| sweep::sweep(&it, &args.how, On::Sim))
        }
        Command::Replay(args) => replay::replay(args, On::Sim),
        Command::Shrink(args) => shrink::shrink(args, On::Sim),
        Command::Compare(args) => compare::compare(args),
        Command::Report(args) => report::report(args, On::Sim),
        Command::Plan(args) => plan(args),
        Command::Check(args) => check(args, On::Sim),
        Command::Schema => schema(),
        Command::Catalogue(args) => catalogue::write(args),
        #[cfg(feature = "node")]
        Command::Search(args) => client::search::search(args),
        #[cfg(feature = "node")]
        Command::Get(args) => client::get::get(args),
        #[cfg(feature = "node")]
        Command::Peers(args) => client::peers::peers(args),
        #[cfg(feature = "node")]
        Command::Publish(args) => client::publish::publish(args),
        #[cfg(feature = "node")]
        Command::Yank(args) => client::yank::yank(args),
        #[cfg(feature = "node")]
        Command::Node(args) => node::run(args),
    };
    code(ended)
}

/// Do what the arguments of this process say, as `swarmproof` would, on a network that this program brings: `run`,
/// `check`, `sweep`, `explore`, `replay`, `shrink` and `report`.
pub fn main_elsewhere(elsewhere: &Elsewhere) -> ExitCode {
    let on = On::Elsewhere(elsewhere);
    let asked = Guest::command().name(elsewhere.program).get_matches();
    let args = Guest::from_arg_matches(&asked).unwrap_or_else(|error| error.exit());
    code(match &args.command {
        GuestCommand::Run(args) => run::run(args, on),
        GuestCommand::Check(args) => check(args, on),
        GuestCommand::Sweep(args) => sweep(args, on),
        GuestCommand::Explore(args) => {
            sweep::Swept::explore().and_then(|it| sweep::sweep(&it, &args.how, on))
        }
        GuestCommand::Replay(args) => replay::replay(args, on),
        GuestCommand::Shrink(args) => shrink::shrink(args, on),
        GuestCommand::Report(args) => report::report(args, on),
    })
}

/// Do what `swarmproof run` does, on a network that this program brings.
///
/// Each run is made in a process of its own: this program is started again as `run FILE --seed N` with flags that the
/// help does not show, tells its report to this process, and is ended with it. So the program must come here with
/// the arguments of its command `run`, whatever they are.
pub fn run_elsewhere(args: &RunArgs, elsewhere: &Elsewhere) -> ExitCode {
    code(run::run(args, On::Elsewhere(elsewhere)))
}

/// Do what `swarmproof check` does, and say also of what cannot be run on the network that this program brings why.
pub fn check_elsewhere(args: &CheckArgs, elsewhere: &Elsewhere) -> ExitCode {
    code(check(args, On::Elsewhere(elsewhere)))
}

/// Do what `swarmproof sweep` does, on a network that this program brings: its workers are this program, started anew as
/// `sweep` with a flag that the help does not show.
pub fn sweep_elsewhere(args: &SweepArgs, elsewhere: &Elsewhere) -> ExitCode {
    code(sweep(args, On::Elsewhere(elsewhere)))
}

fn sweep(args: &SweepArgs, on: On<'_>) -> Result<End, Refused> {
    sweep::sweep(&sweep::Swept::files(&args.paths)?, &args.how, on)
}

/// How the process ends; what is wrong is said.
fn code(ended: Result<End, Refused>) -> ExitCode {
    match ended {
        Ok(end) => end.code(),
        Err(refused) => {
            output::complain(&refused);
            refused.end().code()
        }
    }
}

/// Print the explicit plan that a seed makes.
fn plan(args: &args::Plan) -> Result<End, Refused> {
    let source = source::Source::read(&args.file)?;
    if let source::Source::Plan(_) = source {
        let why = format!("{}: is a plan already", args.file.display());
        return Err(Refused::Usage(why));
    }
    let text = source.plan(args.seed).to_toml().map_err(|error| Refused::Usage(error.to_string()))?;
    output::print(&text)
}

/// Parse and validate only.
fn check(args: &CheckArgs, on: On<'_>) -> Result<End, Refused> {
    let files = files::collect(&args.paths)?;
    let sources = source::read_all(&files)?;
    let both = files.iter().zip(&sources);
    on.fits(both.flat_map(|(file, source)| {
        source.seeds().into_iter().map(move |seed| (file.as_path(), source.plan(seed)))
    }))?;
    let mut text = String::new();
    for (file, source) in files.iter().zip(&sources) {
        text.push_str(&format!("{}: good, {}\n", file.display(), source.summary()));
    }
    output::print(&text)
}

/// Print the JSON schema of scenario files.
fn schema() -> Result<End, Refused> {
    let schema = crate::scenario::schema();
    output::print(&format!("{schema:#}\n"))
}
