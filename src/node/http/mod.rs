//! The HTTP interface of a node; its shapes are [`crate::api`]'s.
//!
//! # What it promises
//!
//! - Whatever comes from outside is bounded: connections, requests in flight (but `/health`, `/ready`
//!   and `/metrics`, which a busy node answers, too), bytes of a body, the time a
//!   connection may stand still. What is over a bound waits (connections) or is refused as busy (requests).
//! - A web page cannot use it: requests with an `Origin`, from another site, or for a host that this node does
//!   not go by are refused before anything is done. No answer carries a CORS header.
//! - To publish and to yank needs the token, whatever the address that a request comes from.
//! - A search whose connection ends is cancelled at the network.
//! - Each error is an [`ErrorBody`](crate::api::ErrorBody), also for paths that do not exist.

mod app;
mod guard;
mod listener;
mod packages;
mod refusal;
mod search;
mod show;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub(super) use app::App;
pub(super) use listener::Doors;

use self::refusal::Refusal;
use crate::api::ErrorCode;

/// Every path that is served.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/search", get(search::search))
        .route("/v1/packages", post(packages::publish))
        .route("/v1/packages/{publisher}/{name}", get(packages::newest))
        .route("/v1/packages/{publisher}/{name}/{version}", get(packages::release).delete(packages::yank))
        .route("/v1/versions/{publisher}/{name}", get(packages::versions))
        .route("/v1/peers", get(status::peers))
        .route("/v1/node", get(status::node))
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/metrics", get(status::metrics))
        .fallback(async || Refusal::new(ErrorCode::NoSuchPath, "nothing is served under this path"))
        .method_not_allowed_fallback(async || {
            Refusal::new(ErrorCode::NoSuchMethod, "this path is not served with this method")
        })
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}
