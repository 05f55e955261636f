//! Packages: getting, publishing, taking back.

use core::time::Duration;
use std::sync::Arc;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};

use super::app::App;
use super::guard::authorise;
use super::refusal::Refusal;
use super::show;
use crate::api::{ErrorCode, MAX_MANIFEST, Manifest, PublishedView, ReleaseView, VersionsView};
use crate::package::{PackageId, PackageName, PublisherIdError, ReleaseId, Version, check_version};
use crate::registry::Registry as _;

/// The longest that a body may take to come in.
const PATIENCE: Duration = Duration::from_secs(10);

type PackagePath = Result<Path<(String, String)>, PathRejection>;
type ReleasePath = Result<Path<(String, String, String)>, PathRejection>;

/// `GET /v1/packages/{publisher}/{name}`
pub(super) async fn newest(
    State(app): State<Arc<App>>,
    path: PackagePath,
) -> Result<Json<ReleaseView>, Refusal> {
    let package = package(path)?;
    match app.registry.get_package(&package).await? {
        Some(hit) => Ok(Json(show::release(&hit))),
        None => Err(missing(&format!("{package} has no release"))),
    }
}

/// `GET /v1/packages/{publisher}/{name}/{version}`
pub(super) async fn release(
    State(app): State<Arc<App>>,
    path: ReleasePath,
) -> Result<Json<ReleaseView>, Refusal> {
    let release = release_id(path)?;
    match app.registry.get_package_version(&release).await? {
        Some(hit) => Ok(Json(show::release(&hit))),
        None => Err(missing(&format!("there is no {release}"))),
    }
}

/// `GET /v1/versions/{publisher}/{name}`
pub(super) async fn versions(
    State(app): State<Arc<App>>,
    path: PackagePath,
) -> Result<Json<VersionsView>, Refusal> {
    let package = package(path)?;
    match app.registry.list_versions(&package).await? {
        Some(versions) => Ok(Json(show::versions(versions))),
        None => Err(missing(&format!("there is no {package}"))),
    }
}

/// `POST /v1/packages`
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<PublishedView>), Refusal> {
    authorise(&app, request.headers())?;
    must_be_json(request.headers())?;
    let too_large =
        || Refusal::new(ErrorCode::TooLarge, format!("a manifest may have at most {MAX_MANIFEST} bytes"));
    let body = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), MAX_MANIFEST)).await;
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(too_large()),
        Err(_) => {
            return Err(Refusal::new(ErrorCode::TimedOut, "the manifest did not come in whole in time"));
        }
    };
    let manifest: Manifest = serde_json::from_slice(&body)
        .map_err(|error| Refusal::new(ErrorCode::BadManifest, format!("the manifest: {error}")))?;
    let package = manifest
        .package(app.publisher, app.clock.wall())
        .map_err(|error| Refusal::new(ErrorCode::BadManifest, error.to_string()))?;
    let release = package.release.clone();
    let done = app.registry.publish(package).await?;
    Ok((StatusCode::CREATED, Json(show::published(release, &done))))
}

/// `DELETE /v1/packages/{publisher}/{name}/{version}`
pub(super) async fn yank(
    State(app): State<Arc<App>>,
    path: ReleasePath,
    headers: HeaderMap,
) -> Result<Json<PublishedView>, Refusal> {
    authorise(&app, &headers)?;
    let release = release_id(path)?;
    let done = app.registry.delete(&release).await?;
    Ok(Json(show::published(release, &done)))
}

/// A form on a web page can send bodies of a few other kinds, and no JSON.
fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        let words = "a manifest is sent as JSON, with the header `Content-Type: application/json`";
        Err(Refusal::new(ErrorCode::NotJson, words))
    }
}

fn missing(what: &str) -> Refusal {
    Refusal::new(ErrorCode::NotFound, format!("{what}, as far as the peers that answered know"))
}

fn package(path: PackagePath) -> Result<PackageId, Refusal> {
    let Path((publisher, name)) = path.map_err(bad_path)?;
    package_id(&publisher, name)
}

fn release_id(path: ReleasePath) -> Result<ReleaseId, Refusal> {
    let Path((publisher, name, version)) = path.map_err(bad_path)?;
    let package = package_id(&publisher, name)?;
    let version = Version::parse(&version).map_err(|_| {
        let found: String = version.chars().take(80).collect();
        bad_name(format!("a version is one such as 1.2.3 or 2.0.0-rc.1, found {found:?}"))
    })?;
    check_version(&version).map_err(|error| bad_name(error.to_string()))?;
    Ok(ReleaseId { package, version })
}

fn package_id(publisher: &str, name: String) -> Result<PackageId, Refusal> {
    let publisher = publisher.parse().map_err(|error: PublisherIdError| bad_name(error.to_string()))?;
    let name = PackageName::new(name).map_err(|error| bad_name(error.to_string()))?;
    Ok(PackageId { publisher, name })
}

fn bad_path(error: PathRejection) -> Refusal {
    bad_name(error.body_text())
}

fn bad_name(words: String) -> Refusal {
    Refusal::new(ErrorCode::BadName, words)
}
