//! The command line of swarmproof.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
