//! A turn of events: what goes wrong in a plan, or right again, and what a testbed is to apply for it.
//!
//! What becomes of a turn when nodes are taken out of its plan is in `nodes`, what takes it back in `lift`.

use serde::{Deserialize, Serialize};

use crate::package::{PackageName, Version};
use crate::scenario::nodes::NodeSet;
use crate::scenario::units::Span;
use crate::scenario::words::Lie;
use crate::testbed::{Fault, Garble, Keep, LinkChange, NodeId, Way};

/// A turn of events: what a testbed's [`Fault`]s say, for many nodes at once, and what hostile peers mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Turn {
    /// Nodes stop.
    Kill {
        /// Which.
        nodes: NodeSet,
        /// What they keep.
        keep: Keep,
    },
    /// Nodes start again.
    Restart {
        /// Which.
        nodes: NodeSet,
    },
    /// Traffic between two sets is cut.
    Cut {
        /// One side.
        from: NodeSet,
        /// The other.
        to: NodeSet,
        /// Which way.
        way: Way,
    },
    /// The cut between exactly these sets is healed.
    Heal {
        /// One side.
        from: NodeSet,
        /// The other.
        to: NodeSet,
    },
    /// Links change to this; all that is left out is as the profile says.
    Links {
        /// Whose.
        nodes: NodeSet,
        /// How.
        change: LinkPlan,
    },
    /// Nodes serve so many times slower; 1 takes it back.
    Slow {
        /// Which.
        nodes: NodeSet,
        /// The factor.
        factor: u32,
    },
    /// Nodes never answer, or answer again.
    Silent {
        /// Which.
        nodes: NodeSet,
        /// Whether they are silent from now on.
        on: bool,
    },
    /// Nodes stop after the first byte of each answer, or answer again.
    Stall {
        /// Which.
        nodes: NodeSet,
        /// Whether they stall from now on.
        on: bool,
    },
    /// Others can dial the nodes, or no longer can.
    Dialable {
        /// Which.
        nodes: NodeSet,
        /// Whether others can from now on.
        on: bool,
    },
    /// Nodes garble bytes in these ways; none ends it.
    Garbles {
        /// Which.
        nodes: NodeSet,
        /// The ways.
        ways: Vec<Garble>,
    },
    /// Nodes lie in these ways; none makes them honest.
    Lies {
        /// Which.
        nodes: NodeSet,
        /// The ways.
        kinds: Vec<Lie>,
    },
    /// A publisher shows an earlier list of a package's releases again, through these nodes; or no longer.
    Rollback {
        /// The publisher's number.
        publisher: u32,
        /// The package.
        name: PackageName,
        /// Which nodes serve the earlier list.
        nodes: NodeSet,
        /// Whether from now on.
        on: bool,
    },
    /// A publisher has signed another body for a release, and these nodes serve and announce it; or no longer.
    Equivocate {
        /// The publisher's number.
        publisher: u32,
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
        /// Which nodes serve the other body.
        nodes: NodeSet,
        /// Whether from now on.
        on: bool,
    },
    /// Nodes have no room for further keys of the DHT, or have it again.
    Full {
        /// Which.
        nodes: NodeSet,
        /// Whether they are full from now on.
        on: bool,
    },
    /// Nodes acknowledge what they are asked to keep and do not keep it, or keep it again.
    Forgets {
        /// Which.
        nodes: NodeSet,
        /// Whether they forget from now on.
        on: bool,
    },
    /// Nodes name their accomplices alone to who walks through the DHT, and give no record; or are honest again.
    Collude {
        /// Which.
        nodes: NodeSet,
        /// Whom they name: each other where it is left out.
        #[serde(default, skip_serializing_if = "NodeSet::is_empty")]
        to: NodeSet,
        /// Whether from now on.
        on: bool,
    },
    /// Nodes' calendars are wrong by so much; 0 takes it back.
    Skew {
        /// Which.
        nodes: NodeSet,
        /// How much.
        by: Span,
        /// Whether they are behind.
        #[serde(default, skip_serializing_if = "is_default")]
        behind: bool,
    },
    /// Each node announces so many good releases, each signed with a new key that nobody else has. None says that it is over.
    Storm {
        /// Which.
        nodes: NodeSet,
        /// How many at once, each.
        each: u32,
        /// Which gust it is: another number, other keys.
        gust: u32,
    },
    /// The nodes spread so many good releases, each in two bodies that one new key signs: one half of the honest modelled peers
    /// is handed the one, the other half the other. None says that it is over.
    Frame {
        /// Which.
        nodes: NodeSet,
        /// How many at once.
        each: u32,
        /// Which gust it is: another number, other keys.
        gust: u32,
    },
    /// Nodes let each answer go so much later; 0 takes it back.
    Late {
        /// Which.
        nodes: NodeSet,
        /// How much later.
        by: Span,
    },
}

/// How links change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkPlan {
    /// Added to each one-way delay.
    #[serde(skip_serializing_if = "is_default")]
    pub extra_delay: Span,
    /// The most by which each varies besides.
    #[serde(skip_serializing_if = "is_default")]
    pub extra_jitter: Span,
    /// Bytes a second; 0 leaves the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub bandwidth: u64,
    /// The share of messages whose connection is reset.
    #[serde(skip_serializing_if = "is_default")]
    pub resets: f64,
    /// The share of dials that are refused.
    #[serde(skip_serializing_if = "is_default")]
    pub refused_dials: f64,
    /// The share of dials that nobody answers.
    #[serde(skip_serializing_if = "is_default")]
    pub dead_dials: f64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl From<LinkChange> for LinkPlan {
    fn from(change: LinkChange) -> Self {
        Self {
            extra_delay: Span(change.extra_delay),
            extra_jitter: Span(change.extra_jitter),
            bandwidth: change.bandwidth,
            resets: change.resets,
            refused_dials: change.refused_dials,
            dead_dials: change.dead_dials,
        }
    }
}

impl From<LinkPlan> for LinkChange {
    fn from(plan: LinkPlan) -> Self {
        Self {
            extra_delay: plan.extra_delay.0,
            extra_jitter: plan.extra_jitter.0,
            bandwidth: plan.bandwidth,
            resets: plan.resets,
            refused_dials: plan.refused_dials,
            dead_dials: plan.dead_dials,
        }
    }
}

impl Turn {
    /// What a testbed is to apply, in order. Nothing for what hostile peers mean: that is for whoever
    /// holds their responders.
    pub fn faults(&self) -> Vec<Fault> {
        let each = |nodes: &NodeSet, make: &dyn Fn(NodeId) -> Fault| nodes.iter().map(make).collect();
        match self {
            Self::Kill { nodes, keep } => each(nodes, &|node| Fault::Kill { node, keep: *keep }),
            Self::Restart { nodes } => each(nodes, &|node| Fault::Restart { node }),
            Self::Cut { from, to, way } => {
                vec![Fault::Cut { from: from.0.clone(), to: to.0.clone(), way: *way }]
            }
            Self::Heal { from, to } => vec![Fault::Heal { from: from.0.clone(), to: to.0.clone() }],
            Self::Links { nodes, change } => {
                vec![Fault::Links { nodes: nodes.0.clone(), change: (*change).into() }]
            }
            Self::Slow { nodes, factor } => each(nodes, &|node| Fault::Slow { node, factor: *factor }),
            Self::Silent { nodes, on } => each(nodes, &|node| Fault::Silent { node, silent: *on }),
            Self::Stall { nodes, on } => each(nodes, &|node| Fault::Stall { node, stalled: *on }),
            Self::Dialable { nodes, on } => each(nodes, &|node| Fault::Dialable { node, dialable: *on }),
            Self::Garbles { nodes, ways } => each(nodes, &|node| Fault::Garbles { node, ways: ways.clone() }),
            Self::Lies { .. }
            | Self::Rollback { .. }
            | Self::Equivocate { .. }
            | Self::Storm { .. }
            | Self::Frame { .. } => Vec::new(),
            Self::Full { nodes, on } => each(nodes, &|node| Fault::Full { node, full: *on }),
            Self::Forgets { nodes, on } => each(nodes, &|node| Fault::Forgets { node, forgets: *on }),
            Self::Late { nodes, by } => each(nodes, &|node| Fault::Late { node, by: by.0 }),
            Self::Collude { nodes, to, on } => each(nodes, &|node| {
                let named = if to.is_empty() { nodes } else { to };
                let with = if *on { named.0.clone() } else { Default::default() };
                Fault::Colludes { node, with }
            }),
            Self::Skew { nodes, by, behind } => {
                each(nodes, &|node| Fault::Skew { node, by: by.0, behind: *behind })
            }
        }
    }

    /// Whether this is the beginning of something bad, and not its end.
    pub fn is_bad(&self) -> bool {
        match self {
            Self::Kill { .. } | Self::Cut { .. } => true,
            Self::Restart { .. } | Self::Heal { .. } => false,
            Self::Links { change, .. } => *change != LinkPlan::default(),
            Self::Slow { factor, .. } => *factor > 1,
            Self::Dialable { on, .. } => !*on,
            Self::Silent { on, .. }
            | Self::Stall { on, .. }
            | Self::Rollback { on, .. }
            | Self::Equivocate { on, .. }
            | Self::Full { on, .. }
            | Self::Forgets { on, .. }
            | Self::Collude { on, .. } => *on,
            Self::Late { by, .. } | Self::Skew { by, .. } => !by.0.is_zero(),
            Self::Storm { each, .. } | Self::Frame { each, .. } => *each > 0,
            Self::Garbles { ways, .. } => !ways.is_empty(),
            Self::Lies { kinds, .. } => !kinds.is_empty(),
        }
    }
}
