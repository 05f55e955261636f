//! `swarmproof catalogue`: a catalogue file from the packages that `cargo metadata` lists.

use std::fs;

use cargo_metadata::MetadataCommand;
use swarmproof::scenario::catalogue_file::CatalogueFile;

use super::args::Catalogue;
use super::exit::{End, Refused};
use super::output;

/// Write it.
pub(crate) fn write(args: &Catalogue) -> Result<End, Refused> {
    let mut command = MetadataCommand::new();
    if let Some(path) = &args.manifest_path {
        command.manifest_path(path);
    }
    let metadata = command.exec().map_err(|error| Refused::Cargo(error.to_string().trim_end().to_owned()))?;
    let (catalogue, left_out) = CatalogueFile::from_cargo_metadata(&metadata);
    let text = catalogue.to_text();
    if left_out > 0 {
        output::say(&format!(
            "{left_out} packages were left out: no registry could hold their names, or they are there twice\n"
        ));
    }
    match &args.output {
        None => output::print(&text),
        Some(path) => {
            let unwritable = |cause| Refused::Unwritable { path: path.clone(), cause };
            fs::write(path, text).map_err(unwritable).map(|()| End::Held)
        }
    }
}
