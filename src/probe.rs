//! Probes: marks at the places that matter, so that a sweep can say which of them its runs never came to.
//!
//! A mark says that something rare happened: [`reached!`](crate::probe) where the code that is run says it,
//! `sometimes!` where a condition does. Marks are counted for the thread, since a run has one thread;
//! [`begin`] forgets what was counted and [`end`] hands it over. A count is never read by anything that a run does,
//! so marks change no run. Without the feature `sim` a mark is nothing at all.
//!
//! # For a sweep
//!
//! Add up the `probes` of all reports, by name. [`Probe::missing`] then names those that [`Probe::expected`] of runs
//! whose faults are drawn ([`Need::Explore`]) and that none came to: the sweep is to fail for them. The others need
//! something that is not drawn, and say what ([`Need::Only`]).

use std::collections::BTreeMap;

/// Whether runs whose faults are drawn from seeds must come to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A sweep of some thousand seeds that never comes to it has a hole.
    Explore,
    /// It takes what is not drawn; the words say what.
    Only(&'static str),
}

macro_rules! probes {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $need:expr;)+) => {
        /// A place that matters. Each is documented with what it means to have been there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Probe {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Probe {
            /// Every probe, in the order of the engine, the registry and the network.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in reports, stable.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Whether drawn faults must come to it.
            pub const fn need(self) -> Need {
                match self { $(Self::$variant => $need,)+ }
            }
        }
    };
}

use Need::{Explore, Only};

probes! {
    /// When nothing went wrong any more, a registry was owed something to find.
    LivenessOwed, "liveness-owed", Explore;
    /// All that was owed then was found.
    LivenessPaid, "liveness-paid", Explore;
    /// A question was late, there was credit, and another peer may be asked in its place.
    HedgeFired, "hedge-fired", Explore;
    /// A question was late, and there was no credit to ask another peer.
    HedgeWithoutCredit, "hedge-without-credit", Explore;
    /// A question was given up since enough others had answered.
    AskedForSpeedAlone, "asked-for-speed-alone", Explore;
    /// Something came for a request that was no longer in the books.
    LateAnswer, "late-answer", Only("every network here forgets a request when it is cancelled: contract, clause 4");
    /// An answer came whose catalogue was too small to be evidence.
    InadequateAnswer, "inadequate-answer", Explore;
    /// An answer was not well made, or answered another question.
    IllAnswer, "ill-answer", Explore;
    /// A record did not verify.
    ForgedRecord, "forged-record", Explore;
    /// Two different records for one release turned up in queries.
    RecordsInConflict, "records-in-conflict", Explore;
    /// A search asked a peer for a further page.
    FurtherPage, "further-page", Explore;
    /// Records known by name were asked of who holds them.
    FetchedFromHolder, "fetched-from-holder", Explore;
    /// A record known by name was not to be had of any holder, and was looked up in the DHT.
    FetchFellThrough, "fetch-fell-through", Explore;
    /// A search had asked everybody whom it could ask.
    NobodyLeftToAsk, "nobody-left-to-ask", Explore;
    /// A search waited, since everybody left had its fill of questions.
    WaitedForPeers, "waited-for-peers", Only("needs more searches at once than a drawn run has");
    /// A search ended with its limit filled.
    LimitReached, "limit-reached", Explore;
    /// A search ended partial by its deadline.
    PartialByDeadline, "partial-by-deadline", Explore;
    /// A search ended partial since nobody was left to ask.
    PartialByPeers, "partial-by-peers", Explore;
    /// A search found nothing, and nobody could say that there is nothing.
    SearchFailed, "search-failed", Explore;
    /// A caller gave a query up under way.
    HandleDropped, "handle-dropped", Explore;
    /// A query was refused, since too many were in flight.
    QueryLimit, "query-limit", Explore;
    /// A timeout that was learned was shorter than the configured one.
    TimeoutLearned, "timeout-learned", Explore;
    /// A request timed out, and the learned timeout grew from that.
    TimeoutGrew, "timeout-grew", Explore;
    /// A question that was given up late counted as having taken at least so long.
    CensoredSample, "censored-sample", Explore;
    /// An adaptive fan-out asked more peers than answers were missing.
    FanOutGrew, "fan-out-grew", Explore;
    /// An adaptive fan-out asked no more peers than answers were missing.
    FanOutShrank, "fan-out-shrank", Explore;
    /// A peer sent so much that was ill-made that it was blocked.
    PeerBlocked, "peer-blocked", Explore;
    /// A peer said that it is busy.
    BusyRefusal, "busy-refusal", Explore;
    /// That there is no such thing was remembered, after enough peers had said so.
    NotFoundCached, "not-found-cached", Explore;
    /// A get was answered by that memory.
    NotFoundFromCache, "not-found-from-cache", Explore;
    /// A get joined the lookup of another one.
    LookupShared, "lookup-shared", Explore;
    /// A shared lookup timed out, and was begun again for who has more time.
    LookupAgain, "lookup-again", Explore;
    /// An entry of a cache made room for another before its time.
    CacheDisplaced, "cache-displaced", Only("caches hold more than a drawn run asks for");

    /// An older list of a package came than had been seen before, and was not gone back to.
    RollbackRefused, "rollback-refused", Explore;
    /// A publisher contradicted itself, and the proof was kept.
    EquivocationKept, "equivocation-kept", Explore;
    /// A catalogue had no room for a statement.
    CatalogueFull, "catalogue-full", Only("needs more statements than a catalogue is bounded to");
    /// A record took the place of its notice.
    NoticeFilled, "notice-filled", Explore;
    /// An announcement was refused, since its bringer or its publisher is over the quota.
    QuotaRefused, "quota-refused", Only("needs more announcements than a drawn run publishes");
    /// A round of catching up asked for a page.
    CatchUpPaged, "catch-up-paged", Explore;
    /// A round of catching up failed.
    CatchUpFailed, "catch-up-failed", Explore;
    /// One of the registry's own stores was not placed, and comes again sooner.
    UpkeepFailed, "upkeep-failed", Explore;

    /// A node's unsynced writes were lost in a crash.
    WriteLost, "write-lost", Only("a disk syncs in milliseconds, and a drawn crash has to fall into them");
    /// A node lost all that it had.
    DiskWiped, "disk-wiped", Explore;
    /// A dial came to nothing.
    DialDead, "dial-dead", Explore;
    /// A connection was reset while something was under way on it.
    ResetMidAnswer, "reset-mid-answer", Explore;
    /// A peer refused a request, since too much waited.
    ServerBusy, "server-busy", Explore;
    /// A message ran into a cut.
    MessageCut, "message-cut", Explore;
    /// An answer did not arrive, since its sender died while it was under way or before.
    AnswererDied, "answerer-died", Explore;
    /// A silent peer swallowed a request.
    SilentPeer, "silent-peer", Explore;
    /// A stalled peer stopped in the midst of an answer.
    StalledPeer, "stalled-peer", Explore;
    /// A message came from somebody who is blocked.
    BlockedPeer, "blocked-peer", Explore;
    /// A store kept what it had rather than a worse record.
    WorseRecordRefused, "worse-record-refused", Explore;
    /// A connection made room for another.
    ConnectionDisplaced, "connection-displaced", Only("needs more peers than a node has connections");
}

impl Probe {
    /// Those that runs with drawn faults must come to.
    pub fn expected() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|probe| probe.need() == Explore)
    }

    /// Those of [`Probe::expected`] that `counts`, added up over a sweep, do not have.
    pub fn missing(counts: &BTreeMap<String, u64>) -> Vec<Self> {
        Self::expected().filter(|probe| counts.get(probe.name()).is_none_or(|count| *count == 0)).collect()
    }
}

#[cfg(feature = "sim")]
mod counts {
    use core::cell::Cell;

    use super::Probe;

    const PROBES: usize = Probe::ALL.len();

    thread_local! {
        static COUNTS: [Cell<u64>; PROBES] = const { [const { Cell::new(0) }; PROBES] };
    }

    pub(super) fn add(probe: Probe) {
        COUNTS.with(|counts| {
            if let Some(count) = counts.get(probe as usize) {
                count.set(count.get().wrapping_add(1));
            }
        });
    }

    pub(super) fn take() -> Vec<(Probe, u64)> {
        COUNTS.with(|counts| Probe::ALL.iter().copied().zip(counts.iter().map(Cell::take)).collect())
    }
}

/// Forget what this thread has counted: a run begins.
#[cfg(feature = "sim")]
pub fn begin() {
    counts::take();
}

/// What was counted since the run began, by name, without what was never reached.
#[cfg(feature = "sim")]
pub fn end() -> BTreeMap<String, u64> {
    let counted = counts::take().into_iter().filter(|(_, count)| *count > 0);
    counted.map(|(probe, count)| (probe.name().to_owned(), count)).collect()
}

/// Count `probe`: what the macros come to.
#[inline]
pub(crate) fn hit(probe: Probe) {
    #[cfg(feature = "sim")]
    counts::add(probe);
    #[cfg(not(feature = "sim"))]
    let _ = probe;
}

/// This place was reached: `reached!(HedgeFired)`.
macro_rules! reached {
    ($probe:ident) => {
        $crate::probe::hit($crate::probe::Probe::$probe)
    };
}

/// This place was reached, and the condition holds: `sometimes!(late, HedgeFired)`. The condition must do
/// nothing else; without the feature `sim` it is not even looked at.
macro_rules! sometimes {
    ($condition:expr, $probe:ident) => {
        if cfg!(feature = "sim") && $condition {
            $crate::probe::hit($crate::probe::Probe::$probe);
        }
    };
}

pub(crate) use {reached, sometimes};

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;

    #[test]
    fn marks_are_counted_from_the_beginning_of_a_run_to_its_end() {
        reached!(DialDead);
        begin();
        reached!(HedgeFired);
        reached!(HedgeFired);
        sometimes!(false, PeerBlocked);
        sometimes!(true, WriteLost);
        let counts = end();
        assert_eq!(
            counts.into_iter().collect::<Vec<_>>(),
            [("hedge-fired".into(), 2), ("write-lost".into(), 1)]
        );
        assert!(end().is_empty());
    }
}
