//! The address book: where peers can be dialled, as far as this node has heard.
//!
//! Kad keeps addresses of the peers in its table and forgets those that a query learned. The book remembers what it
//! is told by peers of themselves, by walks and by the operator, and gives it to every dial of the swarm, whichever
//! protocol asked for it. It also sees how dials end: an address that works comes first, one that fails goes.
//!
//! Bounds: at most [`ADDRESSES_OF_ONE`] addresses a peer, each of at most [`ADDRESS_BYTES`]; at most as many peers as it
//! is made for. When one more comes, an eighth is forgotten: those longest untouched, first those that never were
//! connected. What the operator gave is never forgotten.

use core::task::{Context, Poll};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, DialError, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::reach::{Reach, bare, reach_of};

/// The most addresses that are believed of one peer.
pub(super) const ADDRESSES_OF_ONE: usize = 8;
/// The most bytes of an address that is believed.
pub(super) const ADDRESS_BYTES: usize = 256;

/// Who says that a peer is at an address; the better source first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The operator.
    Operator,
    /// It was dialled there and answered.
    Dialled,
    /// The peer itself.
    Itself,
    /// Another peer.
    Hearsay,
}

#[derive(Debug, Default)]
struct Entry {
    /// The best first.
    addresses: Vec<(Source, Multiaddr)>,
    touched: u64,
}

impl Entry {
    fn best(&self) -> Source {
        self.addresses.first().map_or(Source::Hearsay, |(source, _)| *source)
    }

    fn insert(&mut self, source: Source, address: Multiaddr) {
        let source = match self.addresses.iter().position(|(_, its)| *its == address) {
            Some(at) => source.min(self.addresses.remove(at).0),
            None => source,
        };
        // The newest of its kind is the likeliest.
        let at = self.addresses.iter().position(|(its, _)| *its >= source).unwrap_or(self.addresses.len());
        self.addresses.insert(at, (source, address));
        self.addresses.truncate(ADDRESSES_OF_ONE);
    }
}

/// The address book of a node.
#[derive(Debug)]
pub(super) struct Book {
    peers: BTreeMap<PeerId, Entry>,
    most: usize,
    touches: u64,
    /// Whether addresses of this machine alone are believed: somebody was met over one.
    loopback: bool,
    /// Peers whose last dial this node's own limits forbade.
    denied: BTreeSet<PeerId>,
}

impl Book {
    /// An empty book for at most `most` peers.
    pub(super) fn new(most: usize) -> Self {
        let (peers, denied) = (BTreeMap::new(), BTreeSet::new());
        Self { peers, most: most.max(8), touches: 0, loopback: false, denied }
    }

    /// Addresses of this machine alone are to be believed: this node was told to listen or join there.
    pub(super) fn believe_loopback(&mut self) {
        self.loopback = true;
    }

    /// Note that `source` says `peer` to be at `address`. Says whether it is believed.
    pub(super) fn note(&mut self, peer: PeerId, address: &Multiaddr, source: Source) -> bool {
        let Some(address) = bare(address, peer).filter(|address| address.len() <= ADDRESS_BYTES) else {
            return false;
        };
        let believed = match reach_of(&address) {
            _ if source == Source::Operator => true,
            Reach::Nowhere => false,
            Reach::Machine => self.loopback,
            Reach::Process | Reach::Site | Reach::World => true,
        };
        if believed {
            if !self.peers.contains_key(&peer) && self.peers.len() >= self.most {
                self.forget();
            }
            self.touches += 1;
            let entry = self.peers.entry(peer).or_default();
            entry.touched = self.touches;
            entry.insert(source, address);
        }
        believed
    }

    /// Whether an address of `peer` is known.
    pub(super) fn knows(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    /// Where `peer` can be dialled, the best first.
    pub(super) fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let entry = self.peers.get(peer);
        entry.map_or_else(Vec::new, |entry| {
            entry.addresses.iter().map(|(_, address)| address.clone()).collect()
        })
    }

    /// Whom to find back to the network by: the operator's peers, and at most `limit` others that were met before,
    /// the latest first; without those that are `connected`.
    pub(super) fn lost(&self, limit: usize, connected: impl Fn(&PeerId) -> bool) -> Vec<PeerId> {
        let lost = self.peers.iter().filter(|(peer, _)| !connected(peer));
        let (mut met, mut all) = (Vec::new(), Vec::new());
        for (peer, entry) in lost {
            match entry.best() {
                Source::Operator => all.push(*peer),
                Source::Dialled => met.push((entry.touched, *peer)),
                Source::Itself | Source::Hearsay => {}
            }
        }
        met.sort_unstable_by(|a, b| b.cmp(a));
        all.extend(met.into_iter().take(limit).map(|(_, peer)| peer));
        all
    }

    /// Whether the last dial of `peer` was forbidden by this node's own limits. Asked once for each dial.
    pub(super) fn was_denied(&mut self, peer: &PeerId) -> bool {
        self.denied.remove(peer)
    }

    fn forget(&mut self) {
        let mut all: Vec<_> = (self.peers.iter())
            .filter(|(_, entry)| entry.best() != Source::Operator)
            .map(|(peer, entry)| (entry.best() == Source::Dialled, entry.touched, *peer))
            .collect();
        all.sort_unstable();
        for (_, _, peer) in all.into_iter().take((self.most / 8).max(1)) {
            self.peers.remove(&peer);
        }
    }

    fn failed<'a>(&mut self, peer: PeerId, addresses: impl Iterator<Item = &'a Multiaddr>) {
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        for address in addresses.filter_map(|address| bare(address, peer)) {
            entry.addresses.retain(|(source, its)| *source == Source::Operator || *its != address);
        }
        if entry.addresses.is_empty() {
            self.peers.remove(&peer);
        }
    }
}

impl NetworkBehaviour for Book {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let Some(peer) = peer else { return Ok(Vec::new()) };
        // With the peer's name behind it, as kad gives its own. The swarm takes out what it is given twice, and would
        // otherwise dial the same place as often.
        let named = |address: Multiaddr| address.with_p2p(peer).unwrap_or_else(|address| address);
        Ok(self.addresses(&peer).into_iter().map(named).collect())
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(made) => {
                let remote = made.endpoint.get_remote_address();
                self.loopback |= reach_of(remote) == Reach::Machine;
                self.denied.remove(&made.peer_id);
                self.failed(made.peer_id, made.failed_addresses.iter());
                if made.endpoint.is_dialer() {
                    self.note(made.peer_id, remote, Source::Dialled);
                }
            }
            FromSwarm::DialFailure(failure) => {
                let Some(peer) = failure.peer_id else { return };
                match failure.error {
                    DialError::Denied { .. } => {
                        // Who is never asked about again is not to be remembered for ever.
                        if self.denied.len() >= self.most {
                            self.denied.clear();
                        }
                        self.denied.insert(peer);
                    }
                    DialError::Transport(errors) => {
                        self.denied.remove(&peer);
                        self.failed(peer, errors.iter().map(|(address, _)| address));
                    }
                    DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } => {
                        self.failed(peer, core::iter::once(address));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
