//! Where others are told that a node can be reached.

use crate::peer::{block_on, joined, network};
use crate::process::{Node, local, program};

#[test]
fn an_address_that_the_operator_gives_is_told_to_who_connects() {
    let root = tempfile::tempdir().unwrap();
    let told = |name: &str, external: &[&str]| {
        let data = root.path().join(name);
        let mut command = program();
        command.args(local(&data));
        for address in external {
            command.args(["--external", address]);
        }
        let node = Node::run(&data, command);
        block_on(async {
            let (mut network, peer) = network(&node.join[0]);
            joined(&mut network, peer).await;
            network.known_addresses(peer).iter().map(ToString::to_string).collect::<Vec<_>>()
        })
    };
    let outside = ["/dns4/node.example/tcp/4801", "/ip4/192.0.2.1/udp/4801/quic-v1"];
    let known = told("behind-a-router", &outside);
    assert!(outside.iter().all(|it| known.iter().any(|its| its == it)), "{known:?}");
    let known = told("without", &[]);
    assert!(!known.is_empty() && known.iter().all(|it| it.starts_with("/ip4/127.0.0.1/tcp/")), "{known:?}");
}
