//! `swarmproof yank`: take a release back.

use super::args::Yank;
use super::{connect, show};
use crate::cli::exit::{End, Refused};
use crate::cli::format::Format;
use crate::cli::output::{self, paint};

/// Take it back.
pub(crate) fn yank(args: &Yank) -> Result<End, Refused> {
    let release = args.wanted.clone().release().map_err(|error| Refused::Usage(error.to_string()))?;
    let view = connect::client_with_token(&args.place, &args.who)?.yank(&release)?;
    output::print(&match args.place.format {
        Format::Json => show::json(&view),
        Format::Text => show::published(&view, paint),
    })
}
