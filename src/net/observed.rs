//! Where others see this node, and when that is believed.
//!
//! What one peer says it sees is a claim of a stranger's. An address is told to others as this node's own only when
//! it can be reached from everywhere, and several peers at different hosts see the node there. Nothing private is
//! ever told so; where the node listens, identify says anyway.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::reach::{Reach, ip_of, reach_of};

/// How many hosts must see the same.
const WITNESSES: usize = 3;
/// The most addresses about which is counted.
const COUNTED: usize = 32;
/// The most addresses that are believed.
const BELIEVED: usize = 4;

/// What is said of where this node is seen.
#[derive(Debug, Default)]
pub(super) struct Observed {
    counted: BTreeMap<Multiaddr, BTreeSet<IpAddr>>,
    believed: BTreeSet<Multiaddr>,
}

impl Observed {
    /// A peer at `witness` sees this node at `seen`, which listens on `listening`: the addresses that are
    /// believed from now on. The port that is seen may be one of a single connection; those listened on count.
    pub(super) fn seen<'a>(
        &mut self,
        witness: &Multiaddr,
        seen: &Multiaddr,
        listening: impl Iterator<Item = &'a Multiaddr>,
    ) -> Vec<Multiaddr> {
        let Some(witness) = ip_of(witness) else { return Vec::new() };
        if reach_of(seen) != Reach::World {
            return Vec::new();
        }
        let all: BTreeSet<Multiaddr> = listening.filter_map(|own| at_host(own, seen)).collect();
        all.into_iter().filter(|address| self.count(address, witness)).collect()
    }

    fn count(&mut self, address: &Multiaddr, witness: IpAddr) -> bool {
        if self.believed.contains(address) || self.believed.len() >= BELIEVED {
            return false;
        }
        if self.counted.len() >= COUNTED && !self.counted.contains_key(address) {
            // Whoever has the fewest witnesses is the likeliest to be made up.
            let least =
                self.counted.iter().min_by_key(|(_, its)| its.len()).map(|(address, _)| address.clone());
            self.counted.retain(|its, _| Some(its) != least.as_ref());
        }
        let witnesses = self.counted.entry(address.clone()).or_default();
        witnesses.insert(witness);
        let enough = witnesses.len() >= WITNESSES;
        if enough {
            self.counted.remove(address);
            self.believed.insert(address.clone());
        }
        enough
    }
}

/// `own`, as it would be reached at the host of `seen`; `None` where the two are of different kinds.
fn at_host(own: &Multiaddr, seen: &Multiaddr) -> Option<Multiaddr> {
    let (mut ours, mut theirs) = (own.iter(), seen.iter());
    let host = match (ours.next()?, theirs.next()?) {
        (Protocol::Ip4(_), host @ Protocol::Ip4(_)) | (Protocol::Ip6(_), host @ Protocol::Ip6(_)) => host,
        _ => return None,
    };
    let port = ours.next()?;
    match (&port, theirs.next()?) {
        (Protocol::Tcp(_), Protocol::Tcp(_)) | (Protocol::Udp(_), Protocol::Udp(_)) => {}
        _ => return None,
    }
    Some([host, port].into_iter().chain(ours).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_believed_when_several_hosts_see_it_and_once() {
        let mut observed = Observed::default();
        let listening = [address("/ip4/10.0.0.2/tcp/4801"), address("/ip4/10.0.0.2/udp/4801/quic-v1")];
        let seen = address("/ip4/198.51.100.7/tcp/55555");
        let mut see = |host: &str| observed.seen(&address(host), &seen, listening.iter());
        assert!(see("/ip4/192.0.2.1/tcp/1").is_empty());
        assert!(see("/ip4/192.0.2.1/tcp/2").is_empty(), "the same host again");
        assert!(see("/ip4/192.0.2.2/tcp/1").is_empty());
        assert_eq!(see("/ip4/192.0.2.3/tcp/1"), [address("/ip4/198.51.100.7/tcp/4801")]);
        assert!(see("/ip4/192.0.2.4/tcp/1").is_empty());
    }

    #[test]
    fn nothing_private_is_believed() {
        let mut observed = Observed::default();
        let listening = [address("/ip4/10.0.0.2/tcp/4801"), address("/ip4/127.0.0.1/tcp/4801")];
        for seen in ["/ip4/10.0.0.2/tcp/1", "/ip4/127.0.0.1/tcp/1", "/memory/3"] {
            for host in 1..9 {
                let witness = address(&format!("/ip4/192.0.2.{host}/tcp/1"));
                assert!(observed.seen(&witness, &address(seen), listening.iter()).is_empty());
            }
        }
    }

    #[test]
    fn made_up_addresses_are_bounded() {
        let mut observed = Observed::default();
        let listening = [address("/ip4/10.0.0.2/tcp/4801")];
        for n in 0..5000u32 {
            let seen = address(&format!("/ip4/203.{}.{}.1/tcp/1", n / 250 % 250, n % 250));
            let witness = address(&format!("/ip4/192.0.2.{}/tcp/1", n % 250));
            observed.seen(&witness, &seen, listening.iter());
        }
        assert!(observed.counted.len() <= COUNTED && observed.believed.len() <= BELIEVED);
    }
}
