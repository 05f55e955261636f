//! Requests to a node, and what comes of them.

use core::time::Duration;
use std::io::Read as _;

use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::error::ClientError;
use super::search::{MAX_ANSWER, Search, SearchQuery};
use super::token::Token;
use super::url::NodeUrl;
use crate::api::{
    ErrorBody, Manifest, NodeView, PeersView, PublishedView, ReleaseView, SILENT_NODE, VersionsView,
};
use crate::package::{PackageId, ReleaseId};

/// The most time to reach the node.
const CONNECT: Duration = Duration::from_secs(5);
/// The most time for a whole answer that is one JSON value.
const WHOLE: Duration = Duration::from_secs(300);
/// The most bytes of an answer that is one JSON value.
const MAX_VALUE: u64 = 8 * 1024 * 1024;

/// What asks one node. Cheap to clone; clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    node: NodeUrl,
    token: Option<Token>,
    silence: Duration,
    whole: Duration,
    agent: Agent,
}

impl Client {
    /// A client of the node at this address.
    pub fn new(node: NodeUrl) -> Self {
        Self { node, token: None, silence: SILENT_NODE, whole: WHOLE, agent: agent(SILENT_NODE) }
    }

    /// The same, which waits at most so long for a silent node: for the beginning of an answer, and for each further part.
    #[must_use]
    pub fn with_patience(self, silence: Duration) -> Self {
        Self { silence, agent: agent(silence), ..self }
    }

    /// The same, which waits at most so long for a whole answer, however it trickles in: any but a search's.
    #[must_use]
    pub fn within(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    /// The same, which shows this token where one is wanted.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Which node it asks.
    pub fn node(&self) -> &NodeUrl {
        &self.node
    }

    /// Search. The first line may take as long as the search does.
    pub fn search(&self, query: &SearchQuery) -> Result<Search, ClientError> {
        let mut request = self.agent.get(self.node.at("/v1/search"));
        if !query.words.is_empty() {
            request = request.query("q", &query.words);
        }
        if let Some(limit) = query.limit {
            request = request.query("limit", limit.to_string());
        }
        for category in &query.categories {
            request = request.query("category", category);
        }
        for tag in &query.tags {
            request = request.query("tag", tag);
        }
        let answer = self.good(request.call())?;
        let reader = answer.into_body().into_with_config().limit(MAX_ANSWER).reader();
        Ok(Search::new(self.node.clone(), Box::new(reader)))
    }

    /// A package's newest release.
    pub fn newest(&self, package: &PackageId) -> Result<ReleaseView, ClientError> {
        self.get(&format!("/v1/packages/{package}"))
    }

    /// One release.
    pub fn release(&self, release: &ReleaseId) -> Result<ReleaseView, ClientError> {
        self.get(&path_of(release))
    }

    /// A package's releases.
    pub fn versions(&self, package: &PackageId) -> Result<VersionsView, ClientError> {
        self.get(&format!("/v1/versions/{package}"))
    }

    /// The peers that the node knows.
    pub fn peers(&self) -> Result<PeersView, ClientError> {
        self.get("/v1/peers")
    }

    /// Who the node is.
    pub fn node_view(&self) -> Result<NodeView, ClientError> {
        self.get("/v1/node")
    }

    /// Publish a release.
    pub fn publish(&self, manifest: &Manifest) -> Result<PublishedView, ClientError> {
        let token = self.token.as_ref().ok_or(ClientError::NoToken)?;
        let request = self.agent.post(self.node.at("/v1/packages"));
        let request = request.config().timeout_global(Some(self.whole)).build();
        self.value(request.header("authorization", token.header()).send_json(manifest))
    }

    /// Take a release back.
    pub fn yank(&self, release: &ReleaseId) -> Result<PublishedView, ClientError> {
        let token = self.token.as_ref().ok_or(ClientError::NoToken)?;
        let request = self.agent.delete(self.node.at(&path_of(release)));
        let request = request.config().timeout_global(Some(self.whole)).build();
        self.value(request.header("authorization", token.header()).call())
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let request = self.agent.get(self.node.at(path));
        self.value(request.config().timeout_global(Some(self.whole)).build().call())
    }

    fn value<T: DeserializeOwned>(
        &self,
        sent: Result<Response<Body>, ureq::Error>,
    ) -> Result<T, ClientError> {
        let answer = self.good(sent)?;
        let bytes = self.body(answer)?;
        serde_json::from_slice(&bytes).map_err(|error| self.not_a_node(error.to_string()))
    }

    /// The answer, when it is that of a success.
    fn good(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ClientError> {
        let answer = sent.map_err(|error| self.failed(error))?;
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(answer);
        }
        let bytes = self.body(answer)?;
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(body) => Err(ClientError::Refused { status, error: body.error }),
            Err(_) => Err(self.not_a_node(format!("HTTP status {status}, without a node's words for why"))),
        }
    }

    fn body(&self, answer: Response<Body>) -> Result<Vec<u8>, ClientError> {
        let mut bytes = Vec::new();
        let reader = answer.into_body().into_with_config().limit(MAX_VALUE.saturating_add(1)).reader();
        reader.take(MAX_VALUE.saturating_add(1)).read_to_end(&mut bytes).map_err(|cause| {
            match cause.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(ureq::Error::Timeout(which)) => self.timed_out(*which),
                _ => ClientError::BrokeOff { node: self.node.clone(), cause: cause.to_string() },
            }
        })?;
        if bytes.len() as u64 > MAX_VALUE {
            return Err(self.not_a_node(format!("an answer of more than {MAX_VALUE} bytes")));
        }
        Ok(bytes)
    }

    fn failed(&self, error: ureq::Error) -> ClientError {
        let node = self.node.clone();
        match error {
            ureq::Error::Timeout(which) => self.timed_out(which),
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                self.not_a_node(error.to_string())
            }
            ureq::Error::Io(cause) => ClientError::Unreachable { node, cause: cause.to_string() },
            ureq::Error::HostNotFound => {
                ClientError::Unreachable { node, cause: "no such host is known".to_owned() }
            }
            other => ClientError::Unreachable { node, cause: other.to_string() },
        }
    }

    fn timed_out(&self, which: ureq::Timeout) -> ClientError {
        let (what, after) = match which {
            ureq::Timeout::Connect => ("connection", CONNECT),
            ureq::Timeout::Global => ("whole answer", self.whole),
            _ => ("answer", self.silence),
        };
        ClientError::TimedOut { node: self.node.clone(), what, after }
    }

    fn not_a_node(&self, why: String) -> ClientError {
        ClientError::NotANode { node: self.node.clone(), why }
    }
}

fn agent(silence: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(concat!("swarmproof/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_per_write(Some(silence))
        .timeout_per_read(Some(silence))
        .max_idle_connections_per_host(64)
        .build();
    config.into()
}

/// Names and versions are of characters that stand in a path as they are.
fn path_of(release: &ReleaseId) -> String {
    format!("/v1/packages/{}/{}", release.package, release.version)
}
