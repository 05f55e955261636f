//! A node as a process: from its start to the signal that ends it.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use futures::future::{Either, select};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::config::NodeConfig;
use super::error::NodeError;
use super::logs;
use super::up::Node;

/// Run a node until SIGTERM or SIGINT. `up` is told when it is up, to say so; where that fails, the node stops.
///
/// A second signal ends the process at once, with 130.
pub fn run(config: &NodeConfig, up: impl FnOnce(&Node) -> io::Result<()>) -> Result<(), NodeError> {
    let logs = logs::begin(config.log_format, &config.log)?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| NodeError::System { what: "cannot start the node's threads", cause })?;
    let ended = runtime.block_on(until_signal(config, up));
    // What is left has been told to end, or asked for nothing that is kept.
    runtime.shutdown_background();
    if ended.is_ok() {
        tracing::info!("stopped");
    }
    logs.flush();
    ended
}

async fn until_signal(
    config: &NodeConfig,
    up: impl FnOnce(&Node) -> io::Result<()>,
) -> Result<(), NodeError> {
    let mut signals = Signals::new()?;
    let mut node = Node::start(config).await?;
    let told = up(&node).map_err(|cause| NodeError::System { what: "cannot say that it is up", cause });
    let broke = match told {
        Ok(()) => match select(Box::pin(signals.next()), Box::pin(node.broken())).await {
            Either::Left((name, _)) => {
                tracing::info!(signal = name, "stopping; a second signal ends it at once");
                None
            }
            Either::Right((error, _)) => Some(error),
        },
        Err(error) => Some(error),
    };
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(130);
    });
    let stopped = node.stop().await;
    broke.map_or(stopped, Err)
}

/// The signals that end a node.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, NodeError> {
        let of =
            |kind| signal(kind).map_err(|cause| NodeError::System { what: "cannot hear signals", cause });
        Ok(Self { terminate: of(SignalKind::terminate())?, interrupt: of(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    async fn next(&mut self) -> &'static str {
        poll_fn(|cx| {
            if self.terminate.poll_recv(cx).is_ready() {
                Poll::Ready("SIGTERM")
            } else if self.interrupt.poll_recv(cx).is_ready() {
                Poll::Ready("SIGINT")
            } else {
                Poll::Pending
            }
        })
        .await
    }
}
