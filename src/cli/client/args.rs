//! What can be asked of a node.

use std::path::PathBuf;

use crate::client::{NodeUrl, Wanted};

use crate::cli::format::Format;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 not found or not done, 2 wrong usage, a bad file or a wrong token, 4 no \
                          node answers, 130 interrupted.";
const TOKEN: &str = "A node publishes and yanks only for who shows its token: what --token-file names; failing that, the \
                     token in SWARMPROOF_TOKEN; failing that, for a node on this machine, the one in the data \
                     folder that a node uses when none is named.";

/// Which node, and how it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    /// The node's HTTP address; SWARMPROOF_NODE, or http://127.0.0.1:4800, unless given
    #[arg(long, value_name = "URL")]
    pub(crate) node: Option<NodeUrl>,
    /// How to tell what came
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct Who {
    /// The file with the node's token
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

/// Search for packages.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Search {
    /// Words that all stand in a package's name, title, description or tags
    #[arg(value_name = "WORDS", required_unless_present_any = ["category", "tag"])]
    pub(crate) words: Vec<String>,
    /// The most results
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// A category that a package must have; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Vec<String>,
    /// A tag that a package must have; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Vec<String>,
    /// Which node, and how it is told
    #[command(flatten)]
    pub(crate) place: Where,
}

/// Show a package.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Get {
    /// The package, its newest release unless a version is named
    #[arg(value_name = "PUBLISHER/NAME[@VERSION]")]
    pub(crate) wanted: Wanted,
    /// Which node, and how it is told
    #[command(flatten)]
    pub(crate) place: Where,
}

/// Show the peers.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Peers {
    /// Which node, and how it is told
    #[command(flatten)]
    pub(crate) place: Where,
}

/// Publish packages.
#[derive(Debug, clap::Args)]
#[command(
    after_help = format!("Releases that are published already are skipped and counted. {TOKEN}\n\n{EXIT_CODES}")
)]
pub(crate) struct Publish {
    /// Manifests, TOML or JSON: name, version, title, description, categories, tags, licence, and either content
    /// (a file) or digest and size
    #[arg(value_name = "FILE", required_unless_present = "from_cargo_metadata")]
    pub(crate) files: Vec<PathBuf>,
    /// Publish the packages that `cargo metadata` lists. They come without content: the digest is that of NAME@VERSION
    /// and the size zero
    #[arg(long, conflicts_with = "files")]
    pub(crate) from_cargo_metadata: bool,
    /// The manifest to ask cargo about; the one in the present folder unless given
    #[arg(long, value_name = "PATH", requires = "from_cargo_metadata")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// How many to publish at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// Who asks
    #[command(flatten)]
    pub(crate) who: Who,
    /// Which node, and how it is told
    #[command(flatten)]
    pub(crate) place: Where,
}

/// Take a release back.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{TOKEN}\n\n{EXIT_CODES}"))]
pub(crate) struct Yank {
    /// The release
    #[arg(value_name = "PUBLISHER/NAME@VERSION")]
    pub(crate) wanted: Wanted,
    /// Who asks
    #[command(flatten)]
    pub(crate) who: Who,
    /// Which node, and how it is told
    #[command(flatten)]
    pub(crate) place: Where,
}
