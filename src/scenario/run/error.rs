//! What can break a run itself. An oracle that fails breaks nothing: it is in the report.

use crate::scenario::plan::CatalogueError;
use crate::testbed::{NodeId, TestbedError};

/// A run could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The plan's catalogue cannot be had.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// A release of the catalogue cannot be signed.
    #[error("the catalogue cannot be signed: {0}")]
    Sign(String),
    /// The network would not do what the plan asks.
    #[error(transparent)]
    Testbed(#[from] TestbedError),
    /// The plan does not fit together.
    #[error("the plan cannot be followed: {0}")]
    Plan(String),
    /// A node that the plan names is not there.
    #[error("the plan names {0}, which is not there or not up")]
    NoNode(NodeId),
    /// A registry refused its configuration.
    #[error("a registry could not be started: {0}")]
    Registry(String),
    /// It was told to stop.
    #[error("stopped before it was done")]
    Stopped,
}
