//! The command line: arguments in, files read, runs started on all cores, text or JSON out.
//!
//! Nothing is run and nothing is written before every argument and every file has been found good.

mod args;
mod catalogue;
#[cfg(feature = "node")]
mod client;
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
mod progress;
mod run;
mod source;
mod stop;
mod twin;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Args, Command};
use self::exit::{End, Refused};

/// Do what the arguments of this process say.
pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.command {
        Command::Run(args) => run::run(args),
        Command::Plan(args) => plan(args),
        Command::Check(args) => check(args),
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
fn check(args: &args::Check) -> Result<End, Refused> {
    let files = files::collect(&args.paths)?;
    let sources = source::read_all(&files)?;
    let mut text = String::new();
    for (file, source) in files.iter().zip(&sources) {
        text.push_str(&format!("{}: good, {}\n", file.display(), source.summary()));
    }
    output::print(&text)
}

/// Print the JSON schema of scenario files.
fn schema() -> Result<End, Refused> {
    let schema = swarmproof::scenario::schema();
    output::print(&format!("{schema:#}\n"))
}
