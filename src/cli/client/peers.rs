//! `swarmproof peers`: whom a node knows, and what it thinks of them.

use super::args::Peers;
use super::{connect, show};
use crate::cli::exit::{End, Refused};
use crate::cli::format::Format;
use crate::cli::output::{self, paint};

/// Show them, best reputation first.
pub(crate) fn peers(args: &Peers) -> Result<End, Refused> {
    let view = connect::client(&args.place)?.peers()?;
    output::print(&match args.place.format {
        Format::Json => view.peers.iter().map(show::json).collect(),
        Format::Text => show::peers(&view.peers, paint),
    })
}
