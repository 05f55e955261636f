//! `GET /v1/search`: results as they come.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query as QueryString, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;

use super::app::App;
use super::guard::Place;
use super::refusal::Refusal;
use super::show;
use crate::api::{ErrorCode, NDJSON, SearchLine};
use crate::package::Query;
use crate::registry::{QueryHandle, Registry as _};

/// How many results are sent when nothing is said of it.
const LIMIT: usize = 20;

/// Keys and values of a request, in their order; one key may come several times.
type Pairs = Result<QueryString<Vec<(String, String)>>, QueryRejection>;

/// Search, and answer line by line.
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Extension(place): Extension<Place>,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let QueryString(pairs) = pairs.map_err(|error| Refusal::new(ErrorCode::BadQuery, error.body_text()))?;
    let handle = app.registry.search_stream(question(pairs)?).await?;
    let lines = stream::unfold(Lines { handle: Some(handle), _place: place }, Lines::next);
    let headers = [(header::CONTENT_TYPE, NDJSON), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn question(pairs: Vec<(String, String)>) -> Result<Query, Refusal> {
    let mut query = Query::text(String::new(), LIMIT);
    let wrong = |words| Err(Refusal::new(ErrorCode::BadQuery, words));
    for (key, value) in pairs {
        match key.as_str() {
            "q" => query.text = value,
            "category" => query.categories.push(value),
            "tag" => query.tags.push(value),
            "limit" => match value.parse() {
                Ok(limit) => query.limit = limit,
                Err(_) => {
                    let found: String = value.chars().take(80).collect();
                    return wrong(format!("`limit` must be a whole number from 1, found {found:?}"));
                }
            },
            other => {
                let found: String = other.chars().take(80).collect();
                return wrong(format!(
                    "unknown key {found:?}: a search has `q`, `limit`, `category` and `tag`"
                ));
            }
        }
    }
    Ok(query)
}

/// The lines of one search. Dropped when its connection ends, and with it the search.
struct Lines {
    /// None when the last line was told.
    handle: Option<QueryHandle>,
    _place: Place,
}

impl Lines {
    async fn next(mut self) -> Option<(Result<Bytes, serde_json::Error>, Self)> {
        let mut handle = self.handle.take()?;
        let line = match handle.next().await {
            Some(hit) => {
                self.handle = Some(handle);
                SearchLine::Hit(Box::new(show::release(&hit)))
            }
            None => match handle.outcome().await {
                Ok(ended) => SearchLine::End(Box::new(show::end(&ended))),
                Err(error) => SearchLine::Error(Refusal::from(error).0.error),
            },
        };
        let text = serde_json::to_vec(&line).map(|mut text| {
            text.push(b'\n');
            Bytes::from(text)
        });
        Some((text, self))
    }
}
