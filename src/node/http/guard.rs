//! What every request passes before anything is done for it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::OwnedSemaphorePermit;

use super::app::App;
use super::refusal::Refusal;
use crate::api::ErrorCode;

/// A request's place among those in flight, held as long as its answer is being made.
#[derive(Clone, Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// What those ask who watch over a node. They are answered at once, and must be when it is busy: whoever restarts
/// a node that looks dead would do so when it has most to do. Connections bound how many ask at once.
const WATCHED: [&str; 3] = ["/health", "/ready", "/metrics"];

/// Let a request through, or refuse it.
pub(super) async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let mut response = match admit(&app, &request) {
        Ok(place) => {
            if let Some(place) = &place {
                request.extensions_mut().insert(place.clone());
            }
            let response = next.run(request).await;
            drop(place);
            response
        }
        Err(refusal) => refusal.into_response(),
    };
    // An answer is data, whatever it looks like to a browser.
    let sniff = HeaderName::from_static("x-content-type-options");
    response.headers_mut().insert(sniff, HeaderValue::from_static("nosniff"));
    response
}

/// `None` for what takes no place.
fn admit(app: &App, request: &Request) -> Result<Option<Place>, Refusal> {
    if !is_own_host(request, &app.hosts) {
        let words = "this node does not go by that host: ask for its address or for localhost, or name the \
                     host in `http_hosts` of its configuration";
        return Err(Refusal::new(ErrorCode::Forbidden, words));
    }
    if is_from_a_page(request.headers()) {
        return Err(Refusal::new(ErrorCode::Forbidden, "web pages may not use this interface"));
    }
    if WATCHED.contains(&request.uri().path()) {
        return Ok(None);
    }
    match Arc::clone(&app.room).try_acquire_owned() {
        Ok(permit) => Ok(Some(Place(Arc::new(permit)))),
        Err(_) => Err(Refusal::new(ErrorCode::Busy, "too many requests are in flight: try again")),
    }
}

/// Whether the request is for this node as it is known. A page whose name was made to lead here (DNS
/// rebinding) asks for its own name.
fn is_own_host(request: &Request, known: &[String]) -> bool {
    let host = match (request.headers().get(header::HOST), request.uri().authority()) {
        (Some(host), _) => host.as_bytes(),
        (None, Some(authority)) => authority.as_str().as_bytes(),
        // HTTP/1.0, which no browser speaks.
        (None, None) => return true,
    };
    let Ok(authority) = Authority::try_from(host) else { return false };
    let host = authority.host();
    let six = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok()
        || six.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
        || known.iter().any(|name| host.eq_ignore_ascii_case(name))
}

/// Whether a browser says that a page sent it. The node serves no pages, so each is another's.
fn is_from_a_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != "none" && site != "same-origin")
}

/// Whether the request shows the token.
pub(super) fn authorise(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let Some(shown) = shown.and_then(|shown| shown.strip_prefix(b"Bearer ")) else {
        let words = "this needs the header `Authorization: Bearer TOKEN`, with what stands in `token` in the \
                     node's data folder";
        return Err(Refusal::new(ErrorCode::Unauthorized, words));
    };
    if app.token.is(shown.trim_ascii()) {
        Ok(())
    } else {
        let words = "this is not the node's token: it stands in `token` in the node's data folder";
        Err(Refusal::new(ErrorCode::Unauthorized, words))
    }
}
