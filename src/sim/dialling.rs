//! Which dials are under way: the slot of a dial, by who dials and who is dialled.
//!
//! One pair is begun once, until it is over. The table is only ever asked for one pair, never walked through: in which
//! order it holds them must not tell anything. It holds as many as there are dials under way, each of which an exchange
//! waits for.

use hashbrown::HashTable;

use super::rng::mix;

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    client: u32,
    server: u32,
    dial: u32,
}

impl UnderWay {
    fn is(&self, client: u32, server: u32) -> bool {
        (self.client, self.server) == (client, server)
    }
}

/// Dials under way, by their ends.
#[derive(Debug, Default)]
pub(crate) struct DialIndex {
    held: HashTable<UnderWay>,
}

fn hash(client: u32, server: u32) -> u64 {
    mix(u64::from(client) << 32 | u64::from(server))
}

impl DialIndex {
    /// The dial of `client` to `server`, if one is under way.
    pub(crate) fn get(&self, client: u32, server: u32) -> Option<u32> {
        self.held.find(hash(client, server), |it| it.is(client, server)).map(|it| it.dial)
    }

    /// The dial of `client` to `server` is under way; none was.
    pub(crate) fn begin(&mut self, client: u32, server: u32, dial: u32) {
        debug_assert!(self.get(client, server).is_none(), "{client} dials {server} once at a time");
        let rehash = |it: &UnderWay| hash(it.client, it.server);
        self.held.insert_unique(hash(client, server), UnderWay { client, server, dial }, rehash);
    }

    /// It is over.
    pub(crate) fn end(&mut self, client: u32, server: u32) {
        if let Ok(held) = self.held.find_entry(hash(client, server), |it| it.is(client, server)) {
            held.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::sim::rng::{Concern, Seed};

    #[test]
    fn it_is_what_a_map_would_be() {
        let mut stream = Seed::new(1).stream(Concern(1000), 0);
        let (mut dialling, mut plain) = (DialIndex::default(), BTreeMap::new());
        let mut under_way = 0;
        for dial in 0..20_000u32 {
            let pair = (stream.below(12) as u32, stream.below(40) as u32);
            let held = plain.get(&pair).copied();
            assert_eq!(dialling.get(pair.0, pair.1), held);
            under_way += u32::from(held.is_some());
            // Either grows and shrinks.
            if stream.below(1_000) < 200 + u64::from(dial / 1_000 % 2) * 600 {
                dialling.end(pair.0, pair.1);
                plain.remove(&pair);
            } else if held.is_none() {
                dialling.begin(pair.0, pair.1, dial);
                plain.insert(pair, dial);
            }
        }
        assert!(under_way > 5_000 && plain.len() < 480, "{under_way} {}", plain.len());
    }
}
