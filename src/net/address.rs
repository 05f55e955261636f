//! A peer and where it can be dialled.

use core::fmt;
use core::str::FromStr;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// A peer and an address of it, as text an address that ends in `/p2p/` and the peer's id.
///
/// ```
/// use swarmproof::net::PeerAddress;
///
/// let text = "/ip4/192.0.2.1/tcp/4801/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
/// let address: PeerAddress = text.parse()?;
/// assert_eq!(address.address.to_string(), "/ip4/192.0.2.1/tcp/4801");
/// assert_eq!(address.to_string(), text);
/// # Ok::<(), swarmproof::net::PeerAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    /// Who is there. A connection to anybody else is refused.
    pub peer: PeerId,
    /// Where, without the peer.
    pub address: Multiaddr,
}

/// Why a text is not the address of a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerAddressError {
    /// It is no multiaddr at all.
    #[error("`{found}` is not an address ({why}); one looks like /ip4/192.0.2.1/tcp/4801/p2p/12D3KooW…")]
    NotAnAddress {
        /// What was found.
        found: String,
        /// What the parser said.
        why: String,
    },
    /// It does not end in a peer's id.
    #[error(
        "`{found}` does not say which peer is there: it must end in /p2p/ and the peer's id, as the peer's own node prints it"
    )]
    NoPeer {
        /// What was found.
        found: String,
    },
    /// It has a peer's id and nothing before it.
    #[error(
        "`{found}` says who, but not where: before /p2p/ comes an address such as /ip4/192.0.2.1/tcp/4801"
    )]
    Nowhere {
        /// What was found.
        found: String,
    },
    /// It leads over a relay, and relays are not spoken.
    #[error(
        "`{found}` leads over a relay (p2p-circuit), which this node does not speak: give a direct address"
    )]
    Relayed {
        /// What was found.
        found: String,
    },
}

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = text.to_owned();
        let mut address: Multiaddr = match text.parse() {
            Ok(address) => address,
            Err(error) => return Err(PeerAddressError::NotAnAddress { found, why: error.to_string() }),
        };
        if address.iter().any(|part| part == Protocol::P2pCircuit) {
            return Err(PeerAddressError::Relayed { found });
        }
        let Some(Protocol::P2p(peer)) = address.pop() else { return Err(PeerAddressError::NoPeer { found }) };
        if address.is_empty() {
            return Err(PeerAddressError::Nowhere { found });
        }
        Ok(Self { peer, address })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/p2p/{}", self.address, self.peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

    fn refused(text: &str) -> PeerAddressError {
        text.parse::<PeerAddress>().unwrap_err()
    }

    #[test]
    fn a_whole_address_is_read_and_written_back() {
        for place in
            ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/udp/4801/quic-v1", "/dns4/example.org/tcp/1", "/memory/7"]
        {
            let text = format!("{place}/p2p/{PEER}");
            let address: PeerAddress = text.parse().unwrap();
            assert_eq!(address.address.to_string(), place);
            assert_eq!(address.peer.to_string(), PEER);
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(matches!(refused("127.0.0.1:4801"), PeerAddressError::NotAnAddress { .. }));
        assert!(matches!(
            refused(""),
            PeerAddressError::NotAnAddress { .. } | PeerAddressError::NoPeer { .. }
        ));
        assert!(matches!(refused("/ip4/127.0.0.1/tcp/4801"), PeerAddressError::NoPeer { .. }));
        assert!(matches!(refused(&format!("/p2p/{PEER}/tcp/1")), PeerAddressError::NoPeer { .. }));
        assert!(matches!(refused(&format!("/p2p/{PEER}")), PeerAddressError::Nowhere { .. }));
        let relayed = format!("/ip4/127.0.0.1/tcp/1/p2p/{PEER}/p2p-circuit/p2p/{PEER}");
        assert!(matches!(refused(&relayed), PeerAddressError::Relayed { .. }));
        assert!(matches!(refused("/ip4/127.0.0.1/tcp/1/p2p/12D3"), PeerAddressError::NotAnAddress { .. }));
        assert_eq!(
            refused("/ip4/127.0.0.1/tcp/4801").to_string(),
            "`/ip4/127.0.0.1/tcp/4801` does not say which peer is there: it must end in /p2p/ and the peer's id, \
             as the peer's own node prints it"
        );
    }
}
