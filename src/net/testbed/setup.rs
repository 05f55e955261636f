//! What a testbed of swarms is made with.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;

use super::carrier::Carrier;
use crate::net::config::NetConfig;
use crate::network::Validator;
use crate::time::WallTime;

/// About what a search in a catalogue takes.
const SERVICE: Duration = Duration::from_millis(2);

/// Enough where a few nodes share a thread.
const TICK: Duration = Duration::from_millis(250);

/// What a [`SwarmTestbed`](super::SwarmTestbed) is made with.
#[derive(Clone)]
pub struct SwarmSetup {
    /// What carries the nodes.
    pub carrier: Arc<dyn Carrier>,
    /// What every node judges records and announcements by.
    pub validator: Arc<dyn Validator>,
    /// The topics that nodes which the testbed runs itself listen to.
    pub topics: Vec<Bytes>,
    /// What the calendar says at the start; the system's if left out.
    pub wall: Option<WallTime>,
    /// How long an answer is taken to take: what a slow node's factor is a factor of, where the carrier has no times
    /// of its own.
    pub service: Duration,
    /// How many peers beside the two that it joins by an application's node of the starting network is connected
    /// to, as after walks of its own; none if left out, so that there are strangers.
    pub neighbours: usize,
    /// How late a deadline may be reported: what a loaded machine may take to get back to a task whose timer
    /// fired.
    pub tick: Duration,
    /// The limits of each node. Whether it serves the DHT is the node's own.
    pub config: NetConfig,
}

impl SwarmSetup {
    /// Nodes on `carrier` with default limits and quick heartbeats, as a test has no time to lose.
    pub fn new(carrier: impl Carrier + 'static, validator: Arc<dyn Validator>, topics: Vec<Bytes>) -> Self {
        let config = NetConfig { heartbeat: Duration::from_millis(200), ..NetConfig::default() };
        let carrier = Arc::new(carrier);
        Self { carrier, validator, topics, wall: None, service: SERVICE, neighbours: 0, tick: TICK, config }
    }
}

impl fmt::Debug for SwarmSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwarmSetup")
            .field("carrier", &self.carrier)
            .field("topics", &self.topics)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
