//! Small enums that scenario files, plans and reports name alike.

use serde::{Deserialize, Serialize};

/// What a hostile peer does with what it means. The bytes are well-formed; see [`Garble`] for those that
/// are not.
///
/// [`Garble`]: crate::testbed::Garble
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// A record whose signature is not its publisher's.
    BadSignature,
    /// A record that names another publisher than the one who signed it.
    ForgedPublisher,
    /// An earlier list of a package's releases, truly signed, instead of the latest.
    StaleSequence,
    /// Another body for a release than the one its publisher signed first, signed by the same publisher.
    TwoBodies,
    /// Names of releases that do not exist.
    PointerToNothing,
    /// A good answer, to another question.
    AnotherQuestion,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BadSignature,
        Self::ForgedPublisher,
        Self::StaleSequence,
        Self::TwoBodies,
        Self::PointerToNothing,
        Self::AnotherQuestion,
    ];

    /// Those that need no publisher's secret.
    pub const BY_ANYBODY: [Self; 5] = [
        Self::BadSignature,
        Self::ForgedPublisher,
        Self::StaleSequence,
        Self::PointerToNothing,
        Self::AnotherQuestion,
    ];

    /// Its name in files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::ForgedPublisher => "forged-publisher",
            Self::StaleSequence => "stale-sequence",
            Self::TwoBodies => "two-bodies",
            Self::PointerToNothing => "pointer-to-nothing",
            Self::AnotherQuestion => "another-question",
        }
    }
}

/// Which nodes a fault may strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Among {
    /// Modelled peers.
    Peers,
    /// Registries.
    Registries,
    /// Both.
    All,
}

/// What a search asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// One word of some package.
    Word,
    /// Two words of one package.
    Words,
    /// A category of some package.
    Category,
    /// A tag of some package.
    Tag,
    /// A package's whole name.
    Name,
    /// The whole name of a package that was published during the run, at least ten seconds before; of one
    /// of the catalogue while there is none.
    New,
    /// A word that nothing has.
    Missing,
    /// Each of the above but new ones, by chance.
    Mixed,
}

/// What a get asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// A version by its name.
    Release,
    /// The latest version.
    Latest,
    /// A package, or a version, that does not exist.
    Missing,
    /// Each of these, by chance.
    Mixed,
}

/// Which network a scenario runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Regions of the world, and homes.
    Internet,
    /// The same regions, and phones.
    Mobile,
    /// The servers of the public IPFS DHT.
    Ipfs,
    /// One building.
    Lan,
    /// Regions and delays as given.
    Explicit,
}

/// A family of faults, of which chaos draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Nodes leave and come back.
    Churn,
    /// Nodes die at once.
    Crash,
    /// Two sides are cut, both ways or one way.
    Partition,
    /// Messages take longer.
    Latency,
    /// Links are narrow.
    Bandwidth,
    /// Connections are reset.
    Resets,
    /// Dials are refused.
    RefusedDials,
    /// Dials are never answered.
    DeadDials,
    /// Nodes serve slower.
    Slow,
    /// Nodes never answer.
    Silent,
    /// Nodes stop after the first byte.
    Stall,
    /// Nodes can no longer be dialled.
    Undialable,
    /// Modelled peers garble bytes.
    Garbled,
    /// Modelled peers lie.
    Lies,
    /// An older list is shown again.
    Rollback,
    /// Two bodies for one release.
    Equivocation,
    /// Stores have no room for further keys.
    StoreFull,
    /// Nodes acknowledge what they do not keep.
    LyingAcks,
    /// Answers are held back.
    Late,
    /// Calendars that are wrong.
    ClockSkew,
    /// Announcements with keys that cost nothing.
    Storm,
    /// Peers that name each other alone.
    Eclipse,
    /// Identities chosen to stand beside a key.
    Sybil,
    /// Peers that name nobody who exists.
    FalsePeers,
    /// Liars that come back under new names.
    Whitewash,
    /// Two bodies of what honest peers pass on.
    Framing,
}

impl Family {
    /// All of them. Their places are part of every plan: new ones come at the end.
    pub const ALL: [Self; 26] = [
        Self::Churn,
        Self::Crash,
        Self::Partition,
        Self::Latency,
        Self::Bandwidth,
        Self::Resets,
        Self::RefusedDials,
        Self::DeadDials,
        Self::Slow,
        Self::Silent,
        Self::Stall,
        Self::Undialable,
        Self::Garbled,
        Self::Lies,
        Self::Rollback,
        Self::Equivocation,
        Self::StoreFull,
        Self::LyingAcks,
        Self::Late,
        Self::ClockSkew,
        Self::Storm,
        Self::Eclipse,
        Self::Sybil,
        Self::FalsePeers,
        Self::Whitewash,
        Self::Framing,
    ];

    /// Their names in files, in the order of [`Family::ALL`].
    pub const NAMES: [&'static str; 26] = [
        "churn",
        "crash",
        "partition",
        "latency",
        "bandwidth",
        "resets",
        "refused-dials",
        "dead-dials",
        "slow",
        "silent",
        "stall",
        "undialable",
        "garbled",
        "lies",
        "rollback",
        "equivocation",
        "store-full",
        "lying-acks",
        "late",
        "clock-skew",
        "storm",
        "eclipse",
        "sybil",
        "false-peers",
        "whitewash",
        "framing",
    ];

    /// Whether it stops nodes and starts them again.
    pub const fn restarts(self) -> bool {
        matches!(self, Self::Churn | Self::Crash)
    }
}

/// The value that `word` names, in a type that is written as a word.
pub(crate) fn named<T: for<'de> Deserialize<'de>>(word: &str) -> Option<T> {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};
    let deserializer: StrDeserializer<'_, Error> = word.into_deserializer();
    T::deserialize(deserializer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_named_by_its_place() {
        for (family, name) in Family::ALL.into_iter().zip(Family::NAMES) {
            assert_eq!(serde_json::to_value(family).unwrap(), name);
            assert_eq!(Family::ALL[family as usize], family);
        }
    }

    #[test]
    fn a_lie_is_named_alike_everywhere() {
        for lie in Lie::ALL {
            assert_eq!(named(lie.name()), Some(lie));
            assert_eq!(serde_json::to_string(&lie).unwrap(), format!("{:?}", lie.name()));
        }
        assert_eq!(named::<Lie>("no-lie"), None);
    }
}
