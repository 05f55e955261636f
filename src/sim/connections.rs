//! All connections of all nodes, with both ends of each in step.
//!
//! What one node holds is in [`Conns`]; here is what needs two of them. A connection is made by who dials, who is its near
//! end from then on, used by either, and ended by either or with the death of one. Who makes one sees to it first that
//! none stands, and that neither end holds more than it may: [`Connections::count`] and [`Connections::stalest`].
//!
//! The far end lists who dialled it, so that whoever dies or makes room finds all. But for the *restless*: those that had
//! to make room for one. Such a node ends a connection for each that it makes, and nearly each of these waits twice for
//! the memory of another far end. So they are not listed there, and whoever wants to know asks each of them; there are at
//! most [`RESTLESS`], the first that had to.

use super::conns::{ANYWHERE, Conns, Usage};

/// As many nodes as are asked one by one, and not listed.
const RESTLESS: usize = 64;

/// Set in a node's count when it is restless.
const UNLISTED: u32 = 1 << 31;

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    nodes: Vec<Conns>,
    /// How many each node holds, and [`UNLISTED`]. Apart from the rest, so that it stays in the cache for all.
    counts: Vec<u32>,
    /// Those that are not listed at the far ends of what they have dialled.
    restless: Vec<u32>,
}

impl Connections {
    /// There is another node, the next by number.
    pub(crate) fn add_node(&mut self) {
        self.nodes.push(Conns::default());
        self.counts.push(0);
    }

    fn node(&self, node: u32) -> &Conns {
        &self.nodes[node as usize]
    }

    fn node_mut(&mut self, node: u32) -> &mut Conns {
        &mut self.nodes[node as usize]
    }

    /// How many `node` holds.
    pub(crate) fn count(&self, node: u32) -> usize {
        (self.counts[node as usize] & !UNLISTED) as usize
    }

    fn is_restless(&self, node: u32) -> bool {
        self.counts[node as usize] & UNLISTED != 0
    }

    /// Whether `b` may have dialled `a`: as far as can be seen without a look at `b`.
    fn may_have_dialled(&self, b: u32, a: u32) -> bool {
        self.is_restless(b) || self.node(a).is_far(b)
    }

    /// Whether a connection stands between `a` and `b`. It is quicker when `a` has dialled it.
    pub(crate) fn stands(&self, a: u32, b: u32) -> bool {
        self.node(a).near(b).is_some() || self.may_have_dialled(b, a) && self.node(b).near(a).is_some()
    }

    /// The connection between `a` and `b`, if one stands, is used at `ms`. It is quicker when `a` has dialled it, and when
    /// it is known where `a` listed it not long ago, or would have. Returns what was known of it before, with its place if
    /// `a` lists it; or where `a` would list it.
    pub(crate) fn touch(&mut self, a: u32, b: u32, ms: u32, stood: u32) -> Result<Usage, u32> {
        self.node_mut(a).use_near(b, ms, stood).or_else(|would| {
            if !self.may_have_dialled(b, a) {
                return Err(would);
            }
            let usage = self.node_mut(b).use_near(a, ms, ANYWHERE);
            usage.map(|usage| Usage { place: ANYWHERE, ..usage }).map_err(|_| would)
        })
    }

    /// `a` has dialled `b` at `ms`; no connection between them stood. `a` would have listed it at `would` not long ago,
    /// unless that is [`ANYWHERE`]. Returns where it lists it.
    pub(crate) fn make(&mut self, a: u32, b: u32, ms: u32, would: u32) -> u32 {
        for node in [a, b] {
            self.counts[node as usize] += 1;
        }
        if !self.is_restless(a) {
            self.node_mut(b).dialled_by(a);
        }
        self.node_mut(a).dialled(b, ms, would)
    }

    /// The connection between `a` and `b` ends, most often to make room at `a`. Returns what was known of it, if one stood.
    pub(crate) fn end(&mut self, a: u32, b: u32) -> Option<Usage> {
        let near = match self.node_mut(a).remove_near(b) {
            Some(near) => {
                if !self.is_restless(a) {
                    self.node_mut(b).remove_far(a);
                }
                near
            }
            None if self.is_restless(b) || self.node_mut(a).remove_far(b) => {
                self.node_mut(b).remove_near(a)?
            }
            None => return None,
        };
        self.node_mut(a).no_longer_stale(b);
        for node in [a, b] {
            self.counts[node as usize] -= 1;
        }
        Some(near)
    }

    /// All connections of `node` end. Returns with whom they were, by number, and whether the mesh held each open.
    pub(crate) fn end_all(&mut self, node: u32) -> Vec<(u32, bool)> {
        let restless = self.is_restless(node);
        let mut ended = Vec::with_capacity(self.count(node));
        for peer in self.peers(node) {
            let near = match self.node(node).near(peer) {
                Some(near) => {
                    if !restless {
                        self.node_mut(peer).remove_far(node);
                    }
                    Some(near)
                }
                None => self.node_mut(peer).remove_near(node),
            };
            self.counts[peer as usize] -= 1;
            ended.push((peer, near.is_some_and(|near| near.pinned)));
        }
        self.node_mut(node).clear();
        self.counts[node as usize] = 0;
        self.restless.retain(|it| *it != node);
        ended
    }

    /// The mesh holds the connection between `a` and `b` open, until it ends.
    pub(crate) fn pin(&mut self, a: u32, b: u32) {
        if !self.node_mut(a).pin(b) {
            self.node_mut(b).pin(a);
        }
    }

    /// The connection of `node` that was not used for longest and is not held open, at `ms`. It is to make room for
    /// another: `node` is restless.
    pub(crate) fn stalest(&mut self, node: u32, ms: u32) -> Option<u32> {
        if self.restless.len() < RESTLESS && !self.is_restless(node) {
            let nears: Vec<u32> = self.node(node).nears().collect();
            for peer in nears {
                self.node_mut(peer).remove_far(node);
            }
            self.restless.push(node);
            self.counts[node as usize] |= UNLISTED;
        }
        let mut held = core::mem::take(self.node_mut(node));
        let stalest = held.stalest(ms, &self.restless, |peer| self.node(peer).near(node));
        *self.node_mut(node) = held;
        stalest
    }

    /// With whom `node` is connected, by number.
    pub(crate) fn peers(&self, node: u32) -> Vec<u32> {
        let held = self.node(node);
        let unlisted = self.restless.iter().copied().filter(|peer| self.node(*peer).near(node).is_some());
        let mut peers: Vec<u32> = held.nears().chain(held.fars().iter().copied()).chain(unlisted).collect();
        peers.sort_unstable();
        peers
    }

    /// Bytes of memory held.
    pub(crate) fn footprint(&self) -> usize {
        self.nodes.capacity() * size_of::<Conns>()
            + self.counts.capacity() * 4
            + self.nodes.iter().map(Conns::footprint).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sim::rng::{Concern, Seed};

    const NODES: u64 = 120;
    /// As many as one node may hold.
    const MOST: usize = 30;

    /// What is true of each connection, by who dialled and who was dialled: when it was last used, and whether it is held
    /// open.
    type Plain = BTreeMap<(u32, u32), (u32, bool)>;

    fn of(plain: &Plain, node: u32) -> impl Iterator<Item = (u32, u32, bool)> {
        let with = move |(&(a, b), &(used, pinned))| {
            let other = if a == node { Some(b) } else { (b == node).then_some(a) };
            other.map(|other| (used, other, pinned))
        };
        plain.iter().filter_map(with)
    }

    fn between(plain: &Plain, a: u32, b: u32) -> Option<(u32, u32)> {
        [(a, b), (b, a)].into_iter().find(|pair| plain.contains_key(pair))
    }

    #[test]
    fn both_ends_know_what_a_list_of_all_pairs_would() {
        let mut stream = Seed::new(9).stream(Concern(1000), 0);
        let (mut all, mut plain) = (Connections::default(), Plain::new());
        (0..NODES).for_each(|_| all.add_node());
        let (mut displaced, mut died, mut refilled) = (0, 0, 0);
        for ms in 0..40_000u32 {
            // Some dial far more than others, and there are more that must make room than are not listed.
            let a = (stream.below(NODES) * stream.below(NODES) / NODES) as u32;
            let b = stream.below(NODES) as u32;
            let pair = between(&plain, a, b);
            match stream.below(40) {
                0 => {
                    assert_eq!(all.end(a, b).is_some(), pair.is_some());
                    pair.map(|pair| plain.remove(&pair));
                }
                1 if stream.below(20) == 0 => {
                    let mut ended: Vec<(u32, bool)> = of(&plain, b).map(|it| (it.1, it.2)).collect();
                    ended.sort_unstable();
                    assert_eq!(all.end_all(b), ended);
                    plain.retain(|pair, _| pair.0 != b && pair.1 != b);
                    died += 1;
                }
                2 => {
                    all.pin(a, b);
                    pair.and_then(|pair| plain.get_mut(&pair)).into_iter().for_each(|held| held.1 = true);
                }
                3..15 => {
                    let used = all.touch(a, b, ms, ANYWHERE).map(|held| (held.used, held.pinned));
                    let held = pair.and_then(|pair| plain.get_mut(&pair));
                    assert_eq!(used.ok(), held.as_deref().copied());
                    held.into_iter().for_each(|held| held.0 = ms);
                }
                _ if a == b || pair.is_some() => {}
                _ => {
                    for node in [a, b] {
                        if all.count(node) < MOST {
                            continue;
                        }
                        let free = of(&plain, node).filter(|it| !it.2).map(|it| (it.0, it.1));
                        let wanted = free.min().map(|it| it.1);
                        assert_eq!(all.stalest(node, ms), wanted, "of {node} at {ms}");
                        if let Some(stalest) = wanted {
                            assert!(all.end(node, stalest).is_some());
                            assert_ne!(all.node(node).looked_at_first(), Some(stalest));
                            between(&plain, node, stalest).map(|pair| plain.remove(&pair));
                            displaced += 1;
                        }
                    }
                    let stood = [ANYWHERE, stream.below(NODES) as u32][stream.below(2) as usize];
                    let place = all.make(a, b, ms, stood);
                    plain.insert((a, b), (ms, false));
                    assert_eq!(all.node(a).near(b).map(|held| held.place), Some(place));
                }
            }
            for node in [a, b] {
                let mut peers: Vec<u32> = of(&plain, node).map(|it| it.1).collect();
                peers.sort_unstable();
                assert_eq!((all.count(node), all.peers(node)), (peers.len(), peers), "{node} at {ms}");
            }
            assert_eq!(all.stands(a, b), between(&plain, a, b).is_some());
            refilled += usize::from(all.restless.len() == RESTLESS);
        }
        assert!(displaced > 5_000 && died > 20, "{displaced} {died}");
        assert!(refilled > 5_000, "{refilled} times there were as many restless as there may be");
    }
}
