//! What a node is told to do: flags over a file over defaults.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::config_file::{FileConfig, Sourced};
use super::data::default_data_folder;
use super::error::{ConfigError, NodeError};
use super::settings::{LogFormat, NodeLimits};
use crate::api::DEFAULT_HTTP_PORT;
use crate::engine::QueryConfig;
use crate::net::PeerAddress;

/// The port that a node listens on for its peers when none is given, TCP and UDP.
pub const DEFAULT_PORT: u16 = 4801;

/// What is logged when nothing is said of it: what the node does, and of the swarm beneath it what went wrong. Not
/// that a first node knows nobody to walk by, nor each message that is too much for a slow peer's queue.
pub(super) const LOG: &str = "info,libp2p_swarm=warn,libp2p_kad=error,libp2p_gossipsub=error";

/// The most addresses to listen on, and the most to bootstrap by.
const MOST_ADDRESSES: usize = 64;
/// The most addresses to tell others of: peers remember no more of one node, and all are in one small message.
const MOST_EXTERNAL: usize = 8;

/// What the command line said, not yet looked at.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--listen`, each.
    pub listen: Vec<String>,
    /// `--external`, each.
    pub external: Vec<String>,
    /// `--bootstrap`, each.
    pub bootstrap: Vec<String>,
    /// `--http`.
    pub http: Option<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--log-format`.
    pub log_format: Option<LogFormat>,
}

/// What a node is told to do.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen for peers.
    pub listen: Vec<Multiaddr>,
    /// Where others can reach it beside that: behind a port that a router forwards, or under a name.
    pub external: Vec<Multiaddr>,
    /// By whom to join.
    pub bootstrap: Vec<PeerAddress>,
    /// Where to serve HTTP.
    pub http: SocketAddr,
    /// Names under which the HTTP interface may be asked, beside `localhost` and addresses.
    pub http_hosts: Vec<String>,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is logged, as `tracing` filters have it. The environment's `SWARMPROOF_LOG` wins over it.
    pub log: String,
    /// How queries are run.
    pub query: QueryConfig,
    /// Bounds.
    pub limits: NodeLimits,
}

impl NodeConfig {
    /// A node with its data in `data` that listens on free ports of the loopback only, and joins nobody.
    pub fn local(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            listen: vec![Multiaddr::from(Ipv4Addr::LOCALHOST).with(Protocol::Tcp(0))],
            external: Vec::new(),
            bootstrap: Vec::new(),
            http: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            http_hosts: Vec::new(),
            log_format: LogFormat::Text,
            log: LOG.to_owned(),
            query: QueryConfig::default(),
            limits: NodeLimits::default(),
        }
    }

    /// What these flags ask for, with the file that they name, and defaults for the rest: data where the
    /// system keeps such things, peers on every address by TCP and QUIC, HTTP on the loopback alone.
    pub fn resolve(flags: &Flags) -> Result<Self, NodeError> {
        let file = match &flags.config {
            Some(path) => FileConfig::read(path)?,
            None => FileConfig::default(),
        };
        let data = match flags.data.clone().or(file.data) {
            Some(data) => data,
            None => default_data_folder()?,
        };
        let listen = addresses("--listen", &flags.listen, file.listen, MOST_ADDRESSES, listen_address)?;
        let listen = if listen.is_empty() { default_listen() } else { listen };
        let external =
            addresses("--external", &flags.external, file.external, MOST_EXTERNAL, external_address)?;
        let bootstrap =
            addresses("--bootstrap", &flags.bootstrap, file.bootstrap, MOST_ADDRESSES, peer_address)?;
        let http = flags.http.as_ref().map(|text| Sourced::new("--http", text.clone())).or(file.http);
        let http = match http {
            Some(http) => http.read(http_address)?,
            None => SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_HTTP_PORT)),
        };
        Ok(Self {
            data,
            listen,
            external,
            bootstrap,
            http,
            http_hosts: file.http_hosts,
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
            log: file.log.unwrap_or_else(|| LOG.to_owned()),
            query: file.query,
            limits: file.limits,
        })
    }
}

/// The flags' addresses, or else the file's; at most `most`.
fn addresses<T>(
    flag: &str,
    flags: &[String],
    file: Vec<Sourced>,
    most: usize,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, ConfigError> {
    let flagged: Vec<Sourced> = flags.iter().map(|text| Sourced::new(flag, text.clone())).collect();
    let chosen = if flagged.is_empty() { file } else { flagged };
    if let Some(over) = chosen.get(most) {
        return Err(ConfigError::new(over.place(), format!("at most {most} addresses are allowed")));
    }
    chosen.into_iter().map(|text| text.read(&read)).collect()
}

/// Every address of this machine, by TCP and by QUIC. IPv6 only where there is any.
fn default_listen() -> Vec<Multiaddr> {
    let four = Multiaddr::from(Ipv4Addr::UNSPECIFIED);
    let six = Multiaddr::from(std::net::Ipv6Addr::UNSPECIFIED);
    let has_six = UdpSocket::bind("[::1]:0").is_ok();
    let both = |base: &Multiaddr| {
        [
            base.clone().with(Protocol::Tcp(DEFAULT_PORT)),
            base.clone().with(Protocol::Udp(DEFAULT_PORT)).with(Protocol::QuicV1),
        ]
    };
    both(&four).into_iter().chain(has_six.then(|| both(&six)).into_iter().flatten()).collect()
}

fn listen_address(text: &str) -> Result<Multiaddr, String> {
    const WANTED: &str =
        "it should look like /ip4/0.0.0.0/tcp/4801 or /ip4/0.0.0.0/udp/4801/quic-v1 (or with ip6)";
    let address: Multiaddr =
        text.parse().map_err(|error| format!("{text:?} is no multiaddr ({error}); {WANTED}"))?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)]
        | [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Udp(_), Protocol::QuicV1] => Ok(address),
        _ => Err(format!("{text:?} is nothing that a node can listen on; {WANTED}")),
    }
}

fn external_address(text: &str) -> Result<Multiaddr, String> {
    const WANTED: &str = "it should look like /ip4/192.0.2.1/tcp/4801 or /dns4/node.example/udp/4801/quic-v1, \
                          without /p2p/: an address that others dial";
    let address: Multiaddr =
        text.parse().map_err(|error| format!("{text:?} is no multiaddr ({error}); {WANTED}"))?;
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let (host, port) = match parts.as_slice() {
        [host, Protocol::Tcp(port)] | [host, Protocol::Udp(port), Protocol::QuicV1] => (host, *port),
        _ => return Err(format!("{text:?} is nothing that others can dial; {WANTED}")),
    };
    let is_somewhere = match host {
        Protocol::Ip4(ip) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        Protocol::Ip6(ip) => !ip.is_unspecified() && !ip.is_multicast(),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => !name.is_empty(),
        _ => false,
    };
    if !is_somewhere || port == 0 {
        return Err(format!("{text:?} is nowhere that others can dial; {WANTED}"));
    }
    Ok(address)
}

fn peer_address(text: &str) -> Result<PeerAddress, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn http_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address and port; it should look like 127.0.0.1:{DEFAULT_HTTP_PORT} or [::1]:{DEFAULT_HTTP_PORT}")
    })
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
