//! What a modelled peer takes in memory, beside the records that it stores: at most 2 KiB.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use swarmproof::network::Choice;
use swarmproof::sim::{Profile, SimConfig, SimTestbed};
use swarmproof::testbed::stand_in::{AcceptAll, Deaf};
use swarmproof::testbed::{NodeSpec, Testbed as _};
use swarmproof::time::Timestamp;

#[test]
fn a_peer_of_a_thousand_takes_at_most_two_kibibytes() {
    let mut bed =
        SimTestbed::new(SimConfig::new(1, Profile::internet(), Arc::new(AcceptAll(Choice::Held)))).unwrap();
    for _ in 0..1000 {
        bed.spawn(NodeSpec::served(Box::new(Deaf))).unwrap();
    }
    bed.preload(Bytes::from("key"), Bytes::from("value"), Duration::from_secs(3600)).unwrap();
    bed.run_until(Timestamp::from_millis(600_000));
    let footprint = bed.footprint();
    assert_eq!(footprint.nodes, 1000);
    let each = (footprint.peers + footprint.rest) / footprint.nodes;
    assert!(footprint.peers > 0 && each <= 2 * 1024, "{each} bytes a peer: {footprint:?}");
}
