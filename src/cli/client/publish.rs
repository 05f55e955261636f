//! `swarmproof publish`: from manifests, or all that cargo lists; several at once, within a bound.
//!
//! Nothing is sent before every manifest has been found good. What is published already is skipped, so a command
//! that was broken off can be given again. When the node is gone, or takes the token for a wrong one, what is left is
//! not tried.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::api::{ErrorCode, Manifest, PublishedView};
use crate::client::{Client, ClientError, read_manifest};
use crate::package::PublisherId;
use crate::scenario::Listing;
use crate::scenario::report::Tone;
use crate::time::WallTime;
use serde::Serialize;

use super::args::Publish;
use super::{connect, show};
use crate::cli::exit::{End, Refused};
use crate::cli::format::Format;
use crate::cli::output::{self, paint};
use crate::cli::progress::Progress;
use crate::cli::stop::Stop;
use crate::cli::{catalogue, pool};

/// What came of one manifest.
enum Outcome {
    Published(Box<PublishedView>),
    Skipped,
    Failed(ClientError),
    /// Its turn never came: the node was gone, or somebody interrupted.
    NotTried,
}

/// A line for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line<'a> {
    Published(&'a PublishedView),
    Skipped { name: &'a str, version: &'a str },
    Failed { name: &'a str, version: &'a str, code: Option<ErrorCode>, message: String },
    NotTried { name: &'a str, version: &'a str },
    Summary(Summary),
}

/// How many came to which end.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    published: u64,
    skipped: u64,
    failed: u64,
    not_tried: u64,
}

/// Publish them.
pub(crate) fn publish(args: &Publish) -> Result<End, Refused> {
    let manifests = manifests(args)?;
    let client = connect::client_with_token(&args.place, &args.who)?;
    let stop = Stop::on_signal()?;
    let progress = Progress::over(manifests.len(), "packages");
    // Whether it is useless to go on, and the first error that says so.
    let useless = AtomicBool::new(false);
    let mut fatal = None;
    let mut summary = Summary::default();
    let mut failures = Vec::new();
    let mut written = Ok(());
    let work = |manifest: &Manifest| one(&client, manifest, &stop, &useless);
    let threads = pool::threads(Some(args.jobs), manifests.len());
    pool::work_off(
        &manifests,
        threads,
        work,
        || progress.one_more(),
        |index, outcome| {
            let Some(manifest) = manifests.get(index) else { return };
            summary.count(&outcome);
            let text = match args.place.format {
                Format::Json => line(manifest, &outcome),
                Format::Text => text(manifest, &outcome, manifests.len()),
            };
            match outcome {
                Outcome::Failed(error) if is_fatal(&error) => {
                    fatal.get_or_insert(error);
                }
                Outcome::Failed(error) => {
                    failures.push((format!("{}@{}", manifest.name, manifest.version), error.to_string()));
                }
                _ => {}
            }
            if written.is_ok() && !text.is_empty() {
                written = progress.aside(|| output::put(&text));
                // Nobody reads on, so nobody wants more of it.
                if written.is_err() {
                    stop.raise();
                }
            }
        },
    )?;
    progress.end();
    written?;
    output::put(&match args.place.format {
        Format::Json => show::json(&Line::Summary(summary)),
        Format::Text if manifests.len() == 1 && failures.is_empty() => String::new(),
        Format::Text => format!("{}{}\n", show::failures(&failures, paint), summary.words()),
    })?;
    if let Some(error) = fatal {
        return Err(error.into());
    }
    Ok(match () {
        () if stop.raised() => End::Interrupted,
        () if summary.failed > 0 => End::Failed,
        () => End::Held,
    })
}

/// What is to be published: all of it good, as far as that can be known here.
fn manifests(args: &Publish) -> Result<Vec<Manifest>, Refused> {
    if args.from_cargo_metadata {
        let listings = catalogue::of_cargo(args.manifest_path.as_deref())?.listings(1, None);
        return Ok(listings.iter().map(manifest_of).collect());
    }
    let (mut manifests, mut errors) = (Vec::new(), Vec::new());
    for file in &args.files {
        match read_manifest(file) {
            Ok(manifest) => manifests.push(manifest),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(manifests) } else { Err(Refused::Manifests(errors)) }
}

fn manifest_of(listing: &Listing) -> Manifest {
    // Only what its digest and size are is taken from it.
    let package = listing.package(PublisherId::new([0; 32]), WallTime::EPOCH);
    let manifest = Manifest {
        name: listing.name.to_string(),
        version: listing.version.to_string(),
        title: Some(listing.title.clone()).filter(|title| !title.is_empty()),
        description: listing.description.clone(),
        categories: listing.categories.clone(),
        tags: listing.tags.clone(),
        licence: listing.licence.clone(),
        ..Manifest::default()
    };
    manifest.with_content(package.digest, package.size)
}

fn one(client: &Client, manifest: &Manifest, stop: &Stop, useless: &AtomicBool) -> Outcome {
    if stop.raised() || useless.load(Ordering::Relaxed) {
        return Outcome::NotTried;
    }
    match client.publish(manifest) {
        Ok(view) => Outcome::Published(Box::new(view)),
        Err(error) if error.code() == Some(ErrorCode::AlreadyPublished) => Outcome::Skipped,
        Err(error) => {
            if is_fatal(&error) {
                useless.store(true, Ordering::Relaxed);
            }
            Outcome::Failed(error)
        }
    }
}

/// Whether the next manifest would fare no better.
fn is_fatal(error: &ClientError) -> bool {
    let token = [ErrorCode::Unauthorized, ErrorCode::Forbidden, ErrorCode::Stopping];
    matches!(error, ClientError::Unreachable { .. } | ClientError::NotANode { .. } | ClientError::NoToken)
        || error.code().is_some_and(|code| token.contains(&code))
}

fn line(manifest: &Manifest, outcome: &Outcome) -> String {
    let (name, version) = (manifest.name.as_str(), manifest.version.as_str());
    show::json(&match outcome {
        Outcome::Published(view) => Line::Published(view),
        Outcome::Skipped => Line::Skipped { name, version },
        Outcome::NotTried => Line::NotTried { name, version },
        Outcome::Failed(error) => {
            Line::Failed { name, version, code: error.code(), message: error.to_string() }
        }
    })
}

/// Of one, what came of it; of many, nothing: they are counted, and failures listed, at the end.
fn text(manifest: &Manifest, outcome: &Outcome, of: usize) -> String {
    match outcome {
        Outcome::Published(view) if of == 1 => show::published(view, paint),
        Outcome::Skipped if of == 1 => {
            format!("{}@{} is already published\n", manifest.name, manifest.version)
        }
        _ => String::new(),
    }
}

impl Summary {
    fn count(&mut self, outcome: &Outcome) {
        let field = match outcome {
            Outcome::Published(_) => &mut self.published,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::NotTried => &mut self.not_tried,
        };
        *field += 1;
    }

    fn words(&self) -> String {
        let mut parts = vec![paint(Tone::Good, &format!("{} published", show::number(self.published)))];
        let others = [
            (self.skipped, "already there", Tone::Plain),
            (self.failed, "failed", Tone::Bad),
            (self.not_tried, "not tried", Tone::Bad),
        ];
        for (count, words, tone) in others.into_iter().filter(|(count, ..)| *count > 0) {
            parts.push(paint(tone, &format!("{} {words}", show::number(count))));
        }
        parts.join(", ")
    }
}
