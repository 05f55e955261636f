//! Records and providers: what is asked of Kademlia, and what it says.

use core::num::NonZeroUsize;
use core::time::Duration;
use std::collections::BTreeSet;

use bytes::Bytes;
use libp2p::PeerId;
use libp2p::core::Endpoint;
use libp2p::kad::{
    self, GetClosestPeersError, GetClosestPeersOk, GetProvidersOk, GetRecordError, GetRecordOk,
    InboundRequest, K_VALUE, PutRecordError, QueryId, QueryResult, QueryStats, Quorum, Record, RecordKey,
    store::RecordStore,
};
use libp2p::swarm::{ConnectionId, NetworkBehaviour};

use super::book::{ADDRESS_BYTES, ADDRESSES_OF_ONE};
use super::flights::{Work, note_cost};
use super::node::Node;
use super::peers::{heard, hush};
use crate::network::{Choice, Done, Failure, Invalid, Item, Limits, RequestId, Ware};

pub(super) fn get(node: &mut Node, id: RequestId, key: Bytes, limits: Limits) {
    if has_room(node, id, &key) && node.begin(id, Work::Get { key: key.clone(), found: false }, limits) {
        let query = node.swarm.behaviour_mut().kad.get_record(RecordKey::new(&key));
        node.flights.on_query(id, query);
    }
}

pub(super) fn providers(node: &mut Node, id: RequestId, key: Bytes, limits: Limits) {
    if has_room(node, id, &key) && node.begin(id, Work::Providers { seen: BTreeSet::new() }, limits) {
        let query = node.swarm.behaviour_mut().kad.get_providers(RecordKey::new(&key));
        node.flights.on_query(id, query);
    }
}

pub(super) fn provide(node: &mut Node, id: RequestId, key: Bytes, limits: Limits) {
    if has_room(node, id, &key) && node.begin(id, Work::Provide, limits) {
        match node.swarm.behaviour_mut().kad.start_providing(RecordKey::new(&key)) {
            Ok(query) => node.flights.on_query(id, query),
            Err(_full) => node.end(id, Err(Failure::Local)),
        }
    }
}

pub(super) fn put(
    node: &mut Node,
    id: RequestId,
    (key, value): (Bytes, Bytes),
    ttl: Duration,
    read_back: bool,
    limits: Limits,
) {
    if value.len() > node.config.record_bytes {
        return node.refuse(id, Failure::Local);
    }
    let mut record = Record::new(RecordKey::new(&key), value.to_vec());
    record.expires = Some(node.clock.instant(node.clock.now().after(ttl)).into_std());
    let own = record.clone();
    let work = Work::Closest { record: Box::new(record), read_back };
    if has_room(node, id, &key) && node.begin(id, work, limits) {
        // Who publishes serves it too, whether or not it is among the closest.
        let _ = keep(node, own, true);
        let query = node.swarm.behaviour_mut().kad.get_closest_peers(key.to_vec());
        node.flights.on_query(id, query);
    }
}

/// Kad looks at all its queries in each poll, so they are few; and a key must fit its packet.
fn has_room(node: &mut Node, id: RequestId, key: &Bytes) -> bool {
    let room = node.flights.queries() < node.config.queries && key.len() <= node.config.key_bytes;
    if !room {
        node.refuse(id, Failure::Local);
    }
    room
}

/// A peer that was looked for and where it says it can be dialled; `None` when it was not found.
pub(super) struct Found {
    pub(super) id: RequestId,
    pub(super) peer: PeerId,
    pub(super) addresses: Option<Vec<libp2p::Multiaddr>>,
}

/// Take in what kad says. When it was looking for a peer to be asked, what it found is handed back.
pub(super) fn on_event(node: &mut Node, event: kad::Event) -> Option<Found> {
    match event {
        kad::Event::OutboundQueryProgressed { id: query, .. } if node.hushed == Some(query) => {
            hush(node);
            None
        }
        kad::Event::OutboundQueryProgressed { id: query, result, stats, step } => {
            let id = node.flights.of_query(query)?;
            if step.last {
                node.flights.query_ended(query);
                if let Some(flight) = node.flights.get_mut(id) {
                    note_cost(&mut flight.stats, &stats);
                }
            }
            on_result(node, id, query, result, stats)
        }
        kad::Event::InboundRequest { request } => {
            on_inbound(node, request);
            None
        }
        _ => None,
    }
}

fn on_result(
    node: &mut Node,
    id: RequestId,
    query: QueryId,
    result: QueryResult,
    stats: QueryStats,
) -> Option<Found> {
    match result {
        QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) => {
            let from = found.peer.unwrap_or_else(|| node.local());
            on_value(node, id, from, found.record.value);
        }
        QueryResult::GetRecord(Ok(GetRecordOk::FinishedWithNoAdditionalRecord { .. })) => on_looked(node, id),
        QueryResult::GetRecord(Err(GetRecordError::NotFound { .. })) if stats.num_successes() == 0 => {
            match node.flights.get_mut(id).map(|flight| &flight.work) {
                Some(Work::Get { .. }) => node.end(id, Err(Failure::Unreachable)),
                _ => on_looked(node, id),
            }
        }
        QueryResult::GetRecord(Err(GetRecordError::NotFound { .. })) => on_looked(node, id),
        QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
            on_providers(node, id, providers.into_iter().collect());
        }
        QueryResult::GetProviders(Ok(GetProvidersOk::FinishedWithNoAdditionalRecord { .. })) => {
            on_looked(node, id)
        }
        QueryResult::StartProviding(Ok(_)) => {
            // There is no answer to being told: kad counts each telling as done when it is sent. It counts those
            // who answered the walk with them, so of all, as many were told as are among the closest.
            let told = (stats.num_successes() / 2).min(u32::try_from(K_VALUE.get()).unwrap_or(u32::MAX));
            if let Some(flight) = node.flights.get_mut(id) {
                flight.stats.answered = flight.stats.answered.saturating_sub(told);
            }
            let result = if told == 0 { Err(Failure::Unreachable) } else { Ok(Done::Provided { told }) };
            node.end(id, result);
        }
        QueryResult::GetClosestPeers(found) => return on_closest(node, id, found),
        QueryResult::PutRecord(Ok(_)) => on_stored(node, id, None),
        QueryResult::PutRecord(Err(
            PutRecordError::QuorumFailed { success, .. } | PutRecordError::Timeout { success, .. },
        )) => on_stored(node, id, Some(success)),
        QueryResult::GetRecord(Err(GetRecordError::Timeout { .. }))
        | QueryResult::GetProviders(Err(_))
        | QueryResult::StartProviding(Err(_)) => node.end(id, Err(Failure::TimedOut)),
        QueryResult::Bootstrap(_) | QueryResult::RepublishProvider(_) | QueryResult::RepublishRecord(_) => {
            tracing::debug!(?query, "a result that no request is for");
        }
    }
    None
}

/// A peer gave a value.
fn on_value(node: &mut Node, id: RequestId, from: PeerId, value: Vec<u8>) {
    if node.is_blocked(from) {
        return;
    }
    let Some(flight) = node.flights.get_mut(id) else { return };
    let limit = flight.limits.bytes;
    match &mut flight.work {
        Work::Get { key, found } => {
            if value.len() > limit {
                return node.reject(from, Ware::Record, Invalid::TOO_LARGE);
            }
            if let Err(why) = node.validator.record(key, &value, node.clock.wall()) {
                return node.reject(from, Ware::Record, why);
            }
            *found = true;
            node.bring(id, from, Item::Record { value: value.into() });
        }
        Work::ReadingBack { value: wanted, acked, verified } => {
            if acked.contains(&from) && *wanted == value {
                verified.insert(from);
            }
            if verified.len() == acked.len() {
                on_looked(node, id);
            }
        }
        _ => {}
    }
}

/// A response named providers. Kad does not say whose response it was.
fn on_providers(node: &mut Node, id: RequestId, mut providers: Vec<PeerId>) {
    providers.sort();
    let local = node.local();
    for peer in providers {
        // Kad holds what it was told of where they are only as long as the query lasts, and gives it to dials.
        let told = node.swarm.behaviour_mut().kad.handle_pending_outbound_connection(
            ConnectionId::new_unchecked(0),
            Some(peer),
            &[],
            Endpoint::Dialer,
        );
        heard(node, peer, &told.unwrap_or_default());
        let Some(flight) = node.flights.get_mut(id) else { return };
        let Work::Providers { seen } = &mut flight.work else { return };
        if seen.insert(peer) {
            node.bring(id, local, Item::Provider { peer });
        }
    }
}

/// A walk for values or providers has asked everyone.
fn on_looked(node: &mut Node, id: RequestId) {
    let Some(flight) = node.flights.get_mut(id) else { return };
    let result = match &flight.work {
        Work::Get { found: true, .. } => Ok(Done::Looked),
        Work::Providers { seen } if !seen.is_empty() => Ok(Done::Looked),
        Work::ReadingBack { acked, verified, .. } => {
            Ok(Done::Stored { acked: count(acked.len()), verified: Some(count(verified.len())) })
        }
        _ => Err(Failure::NotFound),
    };
    node.end(id, result);
}

/// The closest peers were found: to be stored at, or among them one to be asked.
fn on_closest(
    node: &mut Node,
    id: RequestId,
    found: Result<GetClosestPeersOk, GetClosestPeersError>,
) -> Option<Found> {
    let peers = match found {
        Ok(GetClosestPeersOk { peers, .. }) | Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
    };
    for peer in &peers {
        heard(node, peer.peer_id, &peer.addrs);
    }
    let flight = node.flights.get_mut(id)?;
    match &flight.work {
        Work::Finding { peer, .. } => {
            let peer = *peer;
            let addresses = peers.into_iter().find(|found| found.peer_id == peer).map(|found| found.addrs);
            Some(Found { id, peer, addresses })
        }
        Work::Closest { record, read_back } => {
            let (record, read_back) = (record.clone(), *read_back);
            let peers: Vec<PeerId> = peers.into_iter().map(|peer| peer.peer_id).collect();
            let Some(all) = NonZeroUsize::new(peers.len()) else {
                node.end(id, Err(Failure::Unreachable));
                return None;
            };
            flight.work = Work::Storing { record: record.clone(), peers: peers.clone(), read_back };
            let kad = &mut node.swarm.behaviour_mut().kad;
            let query = kad.put_record_to(*record, peers.into_iter(), Quorum::N(all));
            node.flights.on_query(id, query);
            None
        }
        _ => None,
    }
}

/// The peers were sent the record; all acknowledged it, or only some.
fn on_stored(node: &mut Node, id: RequestId, some: Option<Vec<PeerId>>) {
    let Some(flight) = node.flights.get_mut(id) else { return };
    let Work::Storing { record, peers, read_back } = &flight.work else { return };
    let acked: BTreeSet<PeerId> = some.unwrap_or_else(|| peers.clone()).into_iter().collect();
    if acked.is_empty() {
        return node.end(id, Err(Failure::Broken));
    }
    if !read_back {
        return node.end(id, Ok(Done::Stored { acked: count(acked.len()), verified: None }));
    }
    let (key, value) = (record.key.clone(), record.value.clone());
    flight.work = Work::ReadingBack { value, acked, verified: BTreeSet::new() };
    let query = node.swarm.behaviour_mut().kad.get_record(key);
    node.flights.on_query(id, query);
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A peer asks this node to keep something.
fn on_inbound(node: &mut Node, request: InboundRequest) {
    match request {
        InboundRequest::PutRecord { source, record: Some(record), .. } if !node.is_blocked(source) => {
            let bytes = record.value.len().saturating_add(record.key.as_ref().len());
            if node.allows(source, bytes)
                && let Err(why) = keep(node, record, false)
            {
                node.reject(source, Ware::Record, why);
            }
        }
        // Kad takes these only of the provider itself.
        InboundRequest::AddProvider { record: Some(mut record) }
            if !node.is_blocked(record.provider) && record.key.as_ref().len() <= node.config.key_bytes =>
        {
            if !node.allows(record.provider, record.key.as_ref().len()) {
                return;
            }
            record.addresses.retain(|address| address.len() <= ADDRESS_BYTES);
            record.addresses.truncate(ADDRESSES_OF_ONE);
            heard(node, record.provider, &record.addresses);
            if record.addresses.is_empty() {
                // Kad says only addresses that were confirmed from outside, and later names no provider whose address
                // it does not find; what the provider said of itself is as good.
                record.addresses = node.swarm.behaviour().book.addresses(&record.provider);
            }
            let kept = node.swarm.behaviour_mut().kad.store_mut().add_provider(record);
            kept.unwrap_or_else(|_full| node.inbox.drop_one());
        }
        _ => {}
    }
}

/// Keep a record when it is good and no worse than what is held; whether one is held now.
fn keep(node: &mut Node, mut record: Record, own: bool) -> Result<bool, Invalid> {
    if record.value.len() > node.config.record_bytes || record.key.as_ref().len() > node.config.key_bytes {
        return Err(Invalid::TOO_LARGE);
    }
    node.validator.record(record.key.as_ref(), &record.value, node.clock.wall())?;
    let longest = node.clock.instant(node.clock.now().after(node.config.stored_for)).into_std();
    record.expires = Some(record.expires.map_or(longest, |at| at.min(longest)));
    let validator = node.validator.clone();
    let store = node.swarm.behaviour_mut().kad.store_mut();
    if let Some(held) = store.get(&record.key)
        && held.value != record.value
        && validator.select(record.key.as_ref(), &held.value, &record.value) == Choice::Held
    {
        return Ok(true);
    }
    let kept = if own { store.put_own(record) } else { store.put(record) };
    if kept.is_err() {
        node.inbox.drop_one();
    }
    Ok(kept.is_ok())
}

/// Keep a record of which the application itself says that it belongs here; says whether it is kept.
pub(super) fn keep_here(node: &mut Node, key: &[u8], value: &[u8], ttl: Duration) -> bool {
    let mut record = Record::new(RecordKey::new(&key), value.to_vec());
    record.expires = Some(node.clock.instant(node.clock.now().after(ttl)).into_std());
    keep(node, record, false).unwrap_or(false)
}
