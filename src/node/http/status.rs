//! The node itself: who it is, whom it knows, how it is doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::app::App;
use super::refusal::Refusal;
use super::show;
use crate::api::{ErrorCode, HealthView, NodeView, PeersView, ReadyView};
use crate::node::metrics;
use crate::time::Timestamp;

/// `GET /health`: the process is up.
pub(super) async fn health() -> Json<HealthView> {
    Json(HealthView { status: "ok".to_owned() })
}

/// `GET /ready`: it can do its work.
pub(super) async fn ready(State(app): State<Arc<App>>) -> impl IntoResponse {
    let mut missing = Vec::new();
    match app.registry.inspect().await {
        Ok(snapshot) => {
            if app.joins && snapshot.connected == 0 {
                missing.push("no peer is connected".to_owned());
            }
            if snapshot.store_failed || app.last_write.failed() {
                missing.push("the last write to the store failed: is the disk full?".to_owned());
            }
        }
        Err(error) => missing.push(error.to_string()),
    }
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadyView { ready: missing.is_empty(), missing }))
}

/// `GET /v1/peers`
pub(super) async fn peers(State(app): State<Arc<App>>) -> Result<Json<PeersView>, Refusal> {
    let snapshot = app.registry.inspect().await?;
    let mut peers: Vec<_> = snapshot.peers.iter().map(show::peer).collect();
    peers.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.peer.cmp(&b.peer)));
    Ok(Json(PeersView { peers }))
}

/// `GET /v1/node`
pub(super) async fn node(State(app): State<Arc<App>>) -> Result<Json<NodeView>, Refusal> {
    let snapshot = app.registry.inspect().await?;
    Ok(Json(NodeView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        peer: app.registry.local_peer().to_string(),
        publisher: app.publisher,
        addresses: app.addresses.iter().map(ToString::to_string).collect(),
        catalogue: snapshot.catalogue,
        peers: snapshot.peers.len() as u64,
        uptime_ms: u64::try_from(app.clock.now().since(Timestamp::ZERO).as_millis()).unwrap_or(u64::MAX),
    }))
}

/// `GET /metrics`: what Prometheus reads.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Refusal> {
    let snapshot = app.registry.inspect().await?;
    let text = app.metrics.lock().ok().and_then(|network| metrics::text(&network, snapshot));
    let broken = || Refusal::new(ErrorCode::Internal, "the metrics could not be written");
    Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text.ok_or_else(broken)?))
}
