//! What hostile peers spread: good releases without end, and releases in two bodies.
//!
//! All of it is truly signed, with keys that were made for it, and the truth of the run is told of each body: what
//! answers to it is no lie. Whoever spreads it is nobody to rely on.

use bytes::Bytes;

use super::error::RunError;
use super::figures::Measured;
use super::stage::Stage;
use super::witness::open;
use crate::network::Responder as _;
use crate::package::{Package, PackageId, PackageName, ReleaseId, Version};
use crate::record::{ANNOUNCE_TOPIC, Publisher, SignError};
use crate::scenario::draw::{Concern, Draws};
use crate::scenario::nodes::NodeSet;
use crate::testbed::{Fault, NodeId};
use crate::time::WallTime;

/// Marks the draws of framed releases off from those of storms.
const FRAMED: u64 = 1 << 32;

/// A gust of a storm: good releases, each with a key of its own.
pub(super) fn storm<B: Measured>(
    stage: &mut Stage<'_, B>,
    nodes: &NodeSet,
    each: u32,
    gust: u32,
) -> Result<(), RunError> {
    for node in nodes.iter() {
        turn_hostile(stage, node);
        for one in 0..each {
            let identity = [u64::from(node.0) << 32 | u64::from(gust), u64::from(one)];
            let publisher =
                Publisher::from_seed(Draws::new(stage.plan.seed, Concern::Storm, identity).bytes());
            let package = small(&publisher, format!("storm-{one}"), stage.bed.wall())?;
            announce(stage, node, &publisher, &package)?;
        }
    }
    Ok(())
}

/// Releases that look like ones of the catalogue, each in two bodies. Those who frame are taken to be connected to every
/// modelled peer, and hand the one half this body and the other half that one: nobody hears of both from them. So honest
/// peers come to tell what contradicts what other honest peers tell.
pub(super) fn frame<B: Measured>(
    stage: &mut Stage<'_, B>,
    nodes: &NodeSet,
    each: u32,
    gust: u32,
) -> Result<(), RunError> {
    let refuse = |error: SignError| RunError::Sign(error.to_string());
    let (now, wall) = (stage.bed.now(), stage.bed.wall());
    nodes.iter().for_each(|node| turn_hostile(stage, node));
    for one in 0..each {
        let mut draws =
            Draws::new(stage.plan.seed, Concern::Storm, [u64::from(gust), FRAMED | u64::from(one)]);
        let publisher = Publisher::from_seed(draws.bytes());
        let mut first = small(&publisher, format!("framed-{gust}-{one}"), wall)?;
        // Found by whoever looks for that one.
        if let Some(like) = stage.library.release(draws.index(stage.library.len())) {
            first.title.clone_from(&like.title);
            first.tags.clone_from(&like.tags);
            first.categories.clone_from(&like.categories);
        }
        let second = Package { digest: [1; 32], ..first.clone() };
        let mut bodies = Vec::new();
        for body in [&first, &second] {
            let release = publisher.release(body, 1).map_err(refuse)?;
            bodies.push(publisher.announcement(&release).map_err(refuse)?);
            open(&stage.journal).truth.publish(&release, now, false);
        }
        for (node, honest) in stage.peers.iter().filter(|(node, _)| !nodes.contains(**node)) {
            let half = (node.0.wrapping_add(one) % 2) as usize;
            if let Some(payload) = bodies.get(half).filter(|_| !open(&stage.journal).truth.is_down(*node)) {
                honest.clone().announced(ANNOUNCE_TOPIC, payload, wall);
            }
        }
    }
    Ok(())
}

fn turn_hostile<B: Measured>(stage: &Stage<'_, B>, node: NodeId) {
    open(&stage.journal).truth.turn_hostile(node, stage.bed.now());
}

/// A small release.
fn small(publisher: &Publisher, name: String, created: WallTime) -> Result<Package, RunError> {
    let name = PackageName::new(name).map_err(|error| RunError::Sign(error.to_string()))?;
    Ok(Package {
        release: ReleaseId {
            package: PackageId { publisher: publisher.id(), name },
            version: Version::new(1, 0, 0),
        },
        title: "made for a storm".to_owned(),
        description: String::new(),
        categories: Vec::new(),
        tags: vec!["storm".to_owned()],
        licence: String::new(),
        digest: [0; 32],
        size: 0,
        created,
    })
}

/// The truth hears of it first.
fn announce<B: Measured>(
    stage: &mut Stage<'_, B>,
    node: NodeId,
    publisher: &Publisher,
    package: &Package,
) -> Result<(), RunError> {
    let refuse = |error: SignError| RunError::Sign(error.to_string());
    let release = publisher.release(package, 1).map_err(refuse)?;
    let payload = publisher.announcement(&release).map_err(refuse)?;
    open(&stage.journal).truth.publish(&release, stage.bed.now(), false);
    let topic = Bytes::from_static(ANNOUNCE_TOPIC);
    Ok(stage.bed.apply(Fault::Announces { node, topic, payload })?)
}
