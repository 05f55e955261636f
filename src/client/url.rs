//! Where a node is.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use ureq::http::Uri;
use ureq::http::uri::Authority;

use crate::api::DEFAULT_HTTP_PORT;

/// The address of a node's HTTP interface, such as `http://127.0.0.1:4800`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeUrl(String);

/// A text is no address of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node's address is http://HOST:PORT, such as http://127.0.0.1:4800; found {found:?}, {why}")]
pub struct NodeUrlError {
    /// What was found, cut to 80 characters.
    pub found: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Default for NodeUrl {
    /// A node on this machine, on the port that it takes when none is given.
    fn default() -> Self {
        Self(format!("http://127.0.0.1:{DEFAULT_HTTP_PORT}"))
    }
}

impl NodeUrl {
    /// The address of `path`, which begins with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl NodeUrl {
    /// Whether it is on this machine: `localhost`, or an address of the loopback. Of other names it is not known.
    pub fn is_loopback(&self) -> bool {
        let Some(authority) = self.0.strip_prefix("http://") else { return false };
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NodeUrl {
    type Err = NodeUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why| NodeUrlError { found: text.chars().take(80).collect(), why };
        let uri: Uri = text.parse().map_err(|_| wrong("which is no address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(wrong("but a node speaks plain HTTP")),
            _ => return Err(wrong("which does not begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("which names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("but a node knows no user: it takes a token"));
        }
        if authority.host().is_empty() {
            return Err(wrong("which names no host"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("but nothing stands behind the port"));
        }
        Ok(Self(format!("http://{authority}")))
    }
}
