//! `swarmproof catalogue`: a catalogue file from the packages that `cargo metadata` lists.

use std::fs;
use std::path::Path;

use crate::scenario::catalogue_file::CatalogueFile;
use cargo_metadata::MetadataCommand;

use super::args::Catalogue;
use super::exit::{End, Refused};
use super::output;

/// The packages that `cargo metadata` lists for this manifest, or for the one in the present folder; says on standard
/// error how many were left out.
pub(crate) fn of_cargo(manifest_path: Option<&Path>) -> Result<CatalogueFile, Refused> {
    let mut command = MetadataCommand::new();
    if let Some(path) = manifest_path {
        command.manifest_path(path);
    }
    let metadata = command.exec().map_err(|error| Refused::Cargo(error.to_string().trim_end().to_owned()))?;
    let (catalogue, left_out) = CatalogueFile::from_cargo_metadata(&metadata);
    if left_out > 0 {
        output::say(&format!(
            "{left_out} packages were left out: no registry could hold their names, or they are there twice\n"
        ));
    }
    Ok(catalogue)
}

/// Write it.
pub(crate) fn write(args: &Catalogue) -> Result<End, Refused> {
    let text = of_cargo(args.manifest_path.as_deref())?.to_text();
    match &args.output {
        None => output::print(&text),
        Some(path) => {
            let unwritable = |cause| Refused::Unwritable { path: path.clone(), cause };
            fs::write(path, text).map_err(unwritable).map(|()| End::Held)
        }
    }
}
