//! Getting into the network and staying there: whom to dial, and when to walk.
//!
//! The peers that the operator named are dialled at the start. While fewer than a few peers are up, those that are not
//! connected are dialled again, and with them some that were met before, after pauses that double from a second to
//! two minutes. A peer that goes may be back in a moment, so the pauses begin small again. Each pause is longer by a
//! share that is the node's own, so that nodes which lost the same peer do not all come back at once.
//!
//! Walks towards the node's own name fill the table. Kad itself begins one half a second after a peer came into a
//! table that is not full, so the first ones need nothing from here; this is about those after it, soon at first,
//! as the first may have met nobody who knew much, and then now and then.

use core::time::Duration;

use libp2p::PeerId;

use crate::time::Timestamp;

/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// From the first peer to the first walk that is not kad's own.
const FIRST_WALK: Duration = Duration::from_secs(20);

/// What is to be done now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// Dial whom the operator named, and some that were met before.
    pub(super) dial: bool,
    /// Walk towards this node itself.
    pub(super) walk: bool,
}

/// When to dial and when to walk.
#[derive(Debug)]
pub(super) struct Joining {
    /// While fewer peers are up, it dials.
    enough: usize,
    /// Between walks.
    refresh: Duration,
    /// This node's own share of a pause, in 256ths.
    share: u32,
    pause: Duration,
    dial_at: Option<Timestamp>,
    walk_at: Option<Timestamp>,
}

impl Joining {
    /// A node that knows nobody.
    pub(super) fn new(local: PeerId, enough: usize, refresh: Duration) -> Self {
        let share = local.to_bytes().last().copied().map_or(0, u32::from);
        Self { enough, refresh, share, pause: PAUSES.0, dial_at: None, walk_at: None }
    }

    /// This node has been part of the network for long: its next walk is somewhere within the time between walks.
    pub(super) fn stand(&mut self, now: Timestamp) {
        self.walk_at = Some(now.after(self.refresh * self.share / 256));
    }

    /// There is somebody to dial, who is being dialled for the first time.
    pub(super) fn known(&mut self, now: Timestamp) {
        if self.dial_at.is_none() {
            self.dial_at = Some(now.after(PAUSES.0));
        }
    }

    /// `up` peers are up now, one more or one less than before.
    pub(super) fn changed(&mut self, up: usize, more: bool, now: Timestamp) {
        if more && self.walk_at.is_none() {
            self.walk_at = Some(now.after(self.longer(FIRST_WALK.min(self.refresh))));
        }
        if more && up >= self.enough {
            self.dial_at = None;
            self.pause = PAUSES.0;
        }
        if !more && up < self.enough {
            self.pause = PAUSES.0;
            let soon = now.after(self.longer(self.pause));
            self.dial_at = Some(self.dial_at.map_or(soon, |at| at.min(soon)));
        }
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        [self.dial_at, self.walk_at].into_iter().flatten().min()
    }

    /// What is due at `now`. What is said is taken as done.
    pub(super) fn due(&mut self, up: usize, now: Timestamp) -> Due {
        let mut due = Due::default();
        if self.dial_at.is_some_and(|at| at <= now) {
            due.dial = up < self.enough;
            self.pause = (self.pause * 2).min(PAUSES.1);
            self.dial_at = due.dial.then(|| now.after(self.longer(self.pause)));
        }
        if self.walk_at.is_some_and(|at| at <= now) {
            due.walk = up > 0;
            self.walk_at = Some(now.after(self.longer(self.refresh)));
        }
        due
    }

    fn longer(&self, pause: Duration) -> Duration {
        pause.saturating_add(pause * self.share / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFRESH: Duration = Duration::from_secs(300);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn joining() -> Joining {
        let mut joining = Joining::new(PeerId::random(), 4, REFRESH);
        joining.known(at(0));
        joining
    }

    /// When it dials within `span` seconds, with nobody up.
    fn dials(joining: &mut Joining, span: u64) -> Vec<u64> {
        (0..span).filter(|s| joining.due(0, at(*s)).dial).collect()
    }

    #[test]
    fn alone_it_dials_with_growing_pauses_up_to_a_bound() {
        let dials = dials(&mut joining(), 3000);
        assert_eq!(dials[0], 1);
        let pauses: Vec<u64> = dials.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.windows(2).all(|pair| pair[1] + 1 >= pair[0]), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= 151), "{pauses:?}");
        assert!(dials.len() > 18, "it goes on: {dials:?}");
    }

    #[test]
    fn with_enough_peers_it_rests_and_begins_anew_when_they_go() {
        let mut joining = joining();
        dials(&mut joining, 100);
        joining.changed(4, true, at(100));
        assert!((100..200).all(|s| !joining.due(4, at(s)).dial));
        joining.changed(3, false, at(200));
        let first = (200..).find(|s| joining.due(3, at(*s)).dial).unwrap();
        assert!(first <= 202, "the pauses begin small again: {first}");
    }

    #[test]
    fn who_always_has_too_few_dials_soon_after_it_lost_one() {
        let mut joining = joining();
        joining.changed(1, true, at(1));
        joining.changed(2, true, at(1));
        assert!((1..1000).filter(|s| joining.due(2, at(*s)).dial).count() > 8, "the pauses have grown");
        joining.changed(1, false, at(1000));
        let dials: Vec<u64> = (1000..1010).filter(|s| joining.due(1, at(*s)).dial).collect();
        assert!(dials[0] <= 1002 && dials.len() >= 2, "{dials:?}");
        // One that comes and goes all the time does not put it off.
        (1000..1010).for_each(|_| joining.changed(1, false, at(1010)));
        assert!((1010..1013).any(|s| {
            joining.changed(1, false, at(s));
            joining.due(1, at(s)).dial
        }));
    }

    #[test]
    fn it_walks_soon_after_the_first_peer_and_now_and_then() {
        let mut joining = joining();
        assert!((0..50).all(|s| !joining.due(0, at(s)).walk), "there is nobody to ask");
        joining.changed(1, true, at(50));
        let walks: Vec<u64> = (50..1050).filter(|s| joining.due(1, at(*s)).walk).collect();
        assert!((70..=75).contains(&walks[0]), "{walks:?}");
        assert!(walks.len() >= 3 && walks[1] - walks[0] >= 300, "{walks:?}");
    }

    #[test]
    fn who_has_been_there_for_long_walks_at_a_time_of_its_own() {
        let firsts: Vec<Timestamp> = (0..20u64)
            .map(|_| {
                let mut joining = Joining::new(PeerId::random(), 4, REFRESH);
                joining.stand(at(50));
                joining.changed(1, true, at(50));
                joining.next().unwrap()
            })
            .collect();
        assert!(firsts.iter().all(|first| (at(50)..at(350)).contains(first)), "{firsts:?}");
        assert!(firsts.iter().any(|first| *first > at(80)), "not all at once: {firsts:?}");
    }

    #[test]
    fn who_knows_nobody_dials_nobody_until_somebody_is_known() {
        let mut joining = Joining::new(PeerId::random(), 4, REFRESH);
        assert_eq!(joining.next(), None);
        joining.known(at(5));
        assert_eq!(joining.next(), Some(at(6)));
    }
}
