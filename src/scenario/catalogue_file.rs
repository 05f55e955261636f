//! Catalogue files: real packages to run a scenario on.
//!
//! # Format
//!
//! JSON, one object a line, UTF-8. The first line names the format:
//! `{"format":"swarmproof-catalogue","version":1}`. Each further line is one release with exactly the
//! fields `name`, `version`, `description`, `categories`, `tags`, `licence`; an empty line is skipped.
//! Several lines with one name are versions of one package. A release has no content here; whatever needs
//! a digest of it takes the SHA-256 of `name@version`.
//!
//! Who publishes a package is not in the file: its name is assigned to one of the scenario's publishers,
//! always to the same one.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::file::error::read_text;
use super::file::{FileError, Place, Problem};
use super::listing::{Listing, cut};
use crate::package::{MAX_DESCRIPTION, MAX_LABEL, MAX_LABELS, MAX_LICENCE, MAX_TITLE, PackageName, Version};

/// The most bytes of a catalogue file.
pub const MAX_FILE: u64 = 64 << 20;
const WANTED: &str = "a catalogue begins with {\"format\":\"swarmproof-catalogue\",\"version\":1}";
const FORMAT: &str = "swarmproof-catalogue";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
}

/// One release of a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePackage {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// What it says of itself.
    pub description: String,
    /// Categories.
    pub categories: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Its licence.
    pub licence: String,
}

/// A catalogue, read from a file or made from what a tool lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFile {
    /// The file, as it was named; empty when it was not read from one.
    pub path: String,
    /// SHA-256 of the file's bytes, in hexadecimal.
    pub sha256: String,
    /// The releases, ascending by name and version, each once.
    pub packages: Vec<FilePackage>,
}

impl CatalogueFile {
    /// Read a catalogue file. Errors name the line and column.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = read_text(path, MAX_FILE, WANTED)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// The same from a text; `path` is what errors call it.
    pub fn parse(text: &str, path: &str) -> Result<Self, FileError> {
        let error = |line: usize, column: usize, problem| {
            FileError::new(path, Some(Place { line: line + 1, column: column.max(1) }), problem)
        };
        let json = |line: usize, bad: &serde_json::Error| {
            // What serde_json adds on the place counts from the line alone.
            let words = bad.to_string();
            let words = words.split(" at line ").next().unwrap_or_default().to_owned();
            error(line, bad.column(), Problem::Syntax(words))
        };
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().unwrap_or((0, ""));
        let header: Header = serde_json::from_str(first).map_err(|bad| {
            let words =
                format!("{WANTED}; {}", bad.to_string().split(" at line ").next().unwrap_or_default());
            error(0, bad.column(), Problem::Syntax(words))
        })?;
        if header.format != FORMAT || header.version != 1 {
            let words = format!("{WANTED}; found {:?} version {}", header.format, header.version);
            return Err(error(0, 1, Problem::Syntax(words)));
        }
        let mut seen = BTreeSet::new();
        let mut packages: Vec<FilePackage> = Vec::new();
        for (at, line) in lines {
            if line.trim().is_empty() {
                continue;
            }
            let package: FilePackage = serde_json::from_str(line).map_err(|bad| json(at, &bad))?;
            if let Some(fault) = package.listing(1).fault() {
                return Err(error(at, 1, Problem::Contradiction(format!("{}: {fault}", package.name))));
            }
            if !seen.insert((package.name.clone(), package.version.clone())) {
                let words = format!("{}@{} is in the catalogue twice", package.name, package.version);
                return Err(error(at, 1, Problem::Contradiction(words)));
            }
            packages.push(package);
        }
        if packages.is_empty() {
            return Err(error(0, 1, Problem::Contradiction("the catalogue has no package".to_owned())));
        }
        packages.sort();
        let sha256 = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), sha256, packages })
    }

    /// A catalogue of these releases. Fields over a record's limits are cut to them; a name that is none
    /// is left out, and so is a second release of the same name and version. Gives how many were left out.
    pub fn of(listed: impl IntoIterator<Item = Plain>) -> (Self, usize) {
        let mut packages: Vec<FilePackage> = Vec::new();
        let mut left_out = 0;
        let mut seen = BTreeSet::new();
        for plain in listed {
            let Ok(name) = PackageName::new(plain.name) else {
                left_out += 1;
                continue;
            };
            if !seen.insert((name.clone(), plain.version.clone())) {
                left_out += 1;
                continue;
            }
            let labels = |labels: Vec<String>| -> Vec<String> {
                let fitting =
                    labels.into_iter().filter(|label| !label.is_empty() && label.len() <= MAX_LABEL);
                fitting.take(MAX_LABELS).collect()
            };
            packages.push(FilePackage {
                name,
                version: plain.version,
                description: cut(plain.description.trim(), MAX_DESCRIPTION).to_owned(),
                categories: labels(plain.categories),
                tags: labels(plain.tags),
                licence: cut(&plain.licence, MAX_LICENCE).to_owned(),
            });
        }
        packages.sort();
        let mut made = Self { path: String::new(), sha256: String::new(), packages };
        let digest = Sha256::digest(made.to_text().as_bytes());
        made.sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        (made, left_out)
    }

    /// What `cargo metadata` lists: keywords become tags.
    #[cfg(feature = "cli")]
    pub fn from_cargo_metadata(metadata: &cargo_metadata::Metadata) -> (Self, usize) {
        Self::of(metadata.packages.iter().map(|package| Plain {
            name: package.name.to_string(),
            version: package.version.clone(),
            description: package.description.clone().unwrap_or_default(),
            categories: package.categories.clone(),
            tags: package.keywords.clone(),
            licence: package.license.clone().unwrap_or_default(),
        }))
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{{\"format\":\"{FORMAT}\",\"version\":1}}\n");
        for package in &self.packages {
            // Strings and lists of strings: nothing in it can fail to become JSON.
            text.push_str(&serde_json::to_string(package).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// How many packages there are; versions of one count once.
    pub fn names(&self) -> u32 {
        let names: BTreeSet<&PackageName> = self.packages.iter().map(|package| &package.name).collect();
        u32::try_from(names.len()).unwrap_or(u32::MAX)
    }

    /// The releases of the first `packages` packages, spread over so many publishers.
    pub fn listings(&self, publishers: u32, packages: Option<u32>) -> Vec<Listing> {
        let most = packages.map_or(usize::MAX, |most| most as usize);
        let mut names: BTreeSet<&PackageName> = BTreeSet::new();
        let mut listings = Vec::new();
        for package in &self.packages {
            names.insert(&package.name);
            if names.len() > most {
                break;
            }
            listings.push(package.listing(publishers));
        }
        listings
    }
}

/// A release in plain words, as a tool lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it says of itself.
    pub description: String,
    /// Categories.
    pub categories: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Its licence.
    pub licence: String,
}

impl FilePackage {
    fn listing(&self, publishers: u32) -> Listing {
        let digest = Sha256::digest(self.name.as_str().as_bytes());
        let head = digest.iter().take(8).fold(0u64, |head, byte| head << 8 | u64::from(*byte));
        let publisher = u32::try_from(head % u64::from(publishers.max(1))).unwrap_or(0);
        // Descriptions of one line are titles too; longer ones begin with theirs.
        let title = self.description.lines().next().unwrap_or_default();
        Listing {
            publisher,
            name: self.name.clone(),
            version: self.version.clone(),
            title: cut(title, MAX_TITLE).to_owned(),
            description: self.description.clone(),
            categories: self.categories.clone(),
            tags: self.tags.clone(),
            licence: self.licence.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = concat!(
        "{\"format\":\"swarmproof-catalogue\",\"version\":1}\n",
        "{\"name\":\"b\",\"version\":\"1.0.0\",\"description\":\"B\\nmore\",\"categories\":[],\"tags\":[\"t\"],\"licence\":\"MIT\"}\n",
        "\n",
        "{\"name\":\"a\",\"version\":\"2.0.0\",\"description\":\"A\",\"categories\":[\"c\"],\"tags\":[],\"licence\":\"\"}\n",
    );

    fn place(text: &str) -> String {
        CatalogueFile::parse(text, "c.jsonl").unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_read_in_order_and_written_back() {
        let file = CatalogueFile::parse(GOOD, "c.jsonl").unwrap();
        assert_eq!(file.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let again = CatalogueFile::parse(&file.to_text(), "d").unwrap();
        assert_eq!(again.packages, file.packages);
        let listings = file.listings(5, None);
        assert_eq!((listings[1].title.as_str(), listings[1].tags.as_slice()), ("B", &["t".to_owned()][..]));
        assert_eq!(file.listings(5, Some(1)).len(), 1);
        assert_eq!(listings, file.listings(5, None), "the same publisher each time");
        assert_eq!(file.names(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(place("nonsense").starts_with("c.jsonl:1:"), "{}", place("nonsense"));
        assert!(place("{\"format\":\"x\",\"version\":1}").contains("found \"x\" version 1"));
        let version = GOOD.replace("2.0.0", "two");
        assert!(place(&version).starts_with("c.jsonl:4:"), "{}", place(&version));
        let unknown = GOOD.replace("\"tags\":[\"t\"]", "\"tugs\":[]");
        assert!(place(&unknown).starts_with("c.jsonl:2:") && place(&unknown).contains("tugs"));
        let twice = GOOD.replace("\"a\",\"version\":\"2.0.0\"", "\"b\",\"version\":\"1.0.0\"");
        assert!(
            place(&twice).contains("c.jsonl:4:1: b@1.0.0 is in the catalogue twice"),
            "{}",
            place(&twice)
        );
        let name = GOOD.replace("\"name\":\"a\"", "\"name\":\"../a\"");
        assert!(place(&name).starts_with("c.jsonl:4:"));
        let empty = GOOD.lines().next().unwrap();
        assert!(place(empty).contains("no package"));
        let long = GOOD.replace("\"licence\":\"MIT\"", &format!("\"licence\":\"{}\"", "x".repeat(300)));
        assert!(
            place(&long).contains("c.jsonl:2:1: b: licence may have at most 256 bytes, found 300"),
            "{}",
            place(&long)
        );
    }

    #[test]
    fn what_a_tool_lists_is_cut_to_the_limits() {
        let plain = |name: &str, tags: Vec<String>| Plain {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            description: "é".repeat(9_000),
            categories: Vec::new(),
            tags,
            licence: String::new(),
        };
        let listed = [
            plain("ok", vec!["x".repeat(65), "y".to_owned()]),
            plain("no/name", vec![]),
            plain("ok", vec![]),
        ];
        let (file, left_out) = CatalogueFile::of(listed);
        assert_eq!((file.packages.len(), left_out), (1, 2));
        assert_eq!(file.packages[0].tags, ["y"]);
        assert!(file.packages[0].description.len() <= MAX_DESCRIPTION);
        assert!(CatalogueFile::parse(&file.to_text(), "x").is_ok_and(|read| read.sha256 == file.sha256));
    }
}
