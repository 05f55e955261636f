//! The command line of swarmproof.

fn main() -> std::process::ExitCode {
    swarmproof::cli::main()
}
