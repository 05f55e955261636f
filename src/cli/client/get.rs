//! `swarmproof get`: one release, and where none is named the list of all.

use crate::api::{ReleaseView, VersionsView};
use crate::client::Wanted;
use crate::package::ReleaseId;
use serde::Serialize;

use super::args::Get;
use super::{connect, show};
use crate::cli::exit::{End, Refused};
use crate::cli::format::Format;
use crate::cli::output::{self, paint};

/// A line for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line<'a> {
    Release(&'a ReleaseView),
    Versions(&'a VersionsView),
}

/// Show it.
pub(crate) fn get(args: &Get) -> Result<End, Refused> {
    let client = connect::client(&args.place)?;
    let Wanted { package, version } = args.wanted.clone();
    let (release, versions) = match version {
        Some(version) => (client.release(&ReleaseId { package, version })?, None),
        None => (client.newest(&package)?, Some(client.versions(&package)?)),
    };
    let text = match args.place.format {
        Format::Json => {
            let versions = versions.as_ref().map(|list| show::json(&Line::Versions(list)));
            format!("{}{}", show::json(&Line::Release(&release)), versions.unwrap_or_default())
        }
        Format::Text => {
            let versions = versions.as_ref().map(|list| format!("\n{}", show::versions(list, paint)));
            format!("{}{}", show::release(&release, paint), versions.unwrap_or_default())
        }
    };
    output::print(&text)
}
