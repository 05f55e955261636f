//! `swarmproof node`: a node until a signal comes.

use std::io;
use std::path::PathBuf;

use crate::node::{self, Flags, LogFormat, NodeConfig};

use super::exit::{End, Refused};
use super::format::Format;
use super::{output, panics};

/// What a node is told to do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 stopped by a signal, 1 it could not start or go on, 2 wrong usage or a bad \
                        configuration, 130 ended at once by a second signal.\n\n\
                        SWARMPROOF_LOG says what is logged, as in `debug,libp2p_kad=warn`; failing that, `log` in \
                        the configuration; failing that, \
                        `info,libp2p_swarm=warn,libp2p_kad=error,libp2p_gossipsub=error`."
)]
pub(crate) struct Args {
    /// Where keys, token and database are kept; `$XDG_DATA_HOME/swarmproof` unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Listen for peers here, such as /ip4/0.0.0.0/tcp/4801; everywhere by TCP and QUIC unless given
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// Tell others that this node can be reached here too, such as /dns4/node.example/tcp/4801: behind a port
    /// that a router forwards, say
    #[arg(long, value_name = "ADDR")]
    pub(crate) external: Vec<String>,
    /// Join by this peer, such as /ip4/192.0.2.1/tcp/4801/p2p/12D3KooW…
    #[arg(long, value_name = "ADDR")]
    pub(crate) bootstrap: Vec<String>,
    /// Serve HTTP here; on 127.0.0.1:4800 unless given
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) http: Option<String>,
    /// Read the rest from this file; the flags win over it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<Format>,
}

/// Run it.
pub(crate) fn run(args: &Args) -> Result<End, Refused> {
    let flags = Flags {
        data: args.data.clone(),
        listen: args.listen.clone(),
        external: args.external.clone(),
        bootstrap: args.bootstrap.clone(),
        http: args.http.clone(),
        config: args.config.clone(),
        log_format: args.log_format.map(|format| match format {
            Format::Text => LogFormat::Text,
            Format::Json => LogFormat::Json,
        }),
    };
    let config = NodeConfig::resolve(&flags)?;
    panics::leave_contained_to_the_store();
    node::run(&config, |node| output::put(&line(node)).map_err(io::Error::other))?;
    Ok(End::Held)
}

/// The one line that says where the node is: for its clients, and for those who join by it.
fn line(node: &node::Node) -> String {
    let mut line = format!("up: HTTP on http://{}, join by", node.http());
    for address in node.addresses() {
        line.push_str(&format!(" {address}"));
    }
    line.push('\n');
    line
}
