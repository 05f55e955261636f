//! What is true in a run: what was published, who is up, who could reach whom, who is hostile.
//!
//! The runner tells it what it does, at the time it does it; the oracles ask. It knows nothing from
//! the registries' own words but one thing: the bytes that a registry signs with its own key.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::oracle::Truth;
use crate::package::{Package, PackageId, PublisherId, Query, ReleaseId, Version, tokens};
use crate::record::{Digest, MAX_ANNOUNCEMENT, Record, Release, ReleaseList};
use crate::testbed::{NodeId, Way};
use crate::time::Timestamp;

/// How long what is published takes to be everywhere: a search is owed only what is older. A mesh of
/// thousands of peers passes an announcement on in under 3 s; the rest is room for a slow network.
pub(super) const PROPAGATION: Duration = Duration::from_secs(10);

/// Something that knows which releases it holds: a modelled peer's catalogue.
pub(super) trait Holder: Send {
    /// Whether it holds `release` and would tell it.
    fn holds(&self, release: &ReleaseId) -> bool;
}

/// A holder that somebody else also has in hand.
pub(super) type SharedHolder = Arc<Mutex<dyn Holder>>;

/// One body that was signed for a release.
#[derive(Debug)]
struct Body {
    package: Package,
    digest: Digest,
    from: Timestamp,
    /// Too large to be announced whole: who was not asked for it knows only what its notice tells.
    by_notice: bool,
}

/// A time in which something held; open until it ends.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Span {
    fn overlaps(&self, from: Timestamp, until: Timestamp) -> bool {
        self.from <= until && self.until.is_none_or(|end| end > from)
    }
}

/// Why a node cannot be counted on, each as the times in which it was so.
#[derive(Debug, Default)]
struct NodeTruth {
    /// Down, or not yet spawned.
    down: Vec<Span>,
    /// Silent, stalled or out of others' reach.
    unfit: BTreeMap<Unfit, Vec<Span>>,
    /// Hostile since then. Once hostile is never trusted again.
    hostile: Option<Timestamp>,
    /// What a registry holds, as far as the runner knows: a modelled peer's holder knows better.
    learned: BTreeSet<ReleaseId>,
    /// Whether it begins each life with all that was published before the start.
    full: bool,
    /// Or with which part of it.
    part: BTreeSet<ReleaseId>,
}

/// What makes a node that is up no holder that could be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unfit {
    /// It never answers.
    Silent,
    /// It stops after the first byte.
    Stalled,
    /// It cannot be dialled.
    Undialable,
}

#[derive(Debug)]
struct CutTruth {
    from: BTreeSet<NodeId>,
    to: BTreeSet<NodeId>,
    way: Way,
    span: Span,
}

/// The truth of one run.
pub(super) struct RunTruth {
    quiet: bool,
    bodies: Vec<Body>,
    by_release: BTreeMap<ReleaseId, Vec<usize>>,
    /// Word, category or tag, and the bodies that have it. The oracle's own index: the catalogue's is judged by it.
    index: BTreeMap<(Field, String), Vec<usize>>,
    at_start: BTreeSet<ReleaseId>,
    yanked: BTreeMap<ReleaseId, Timestamp>,
    /// Releases whose number their publisher gave to another too.
    disputed: BTreeSet<ReleaseId>,
    lists: BTreeMap<PackageId, BTreeSet<Digest>>,
    /// Keys that registries under test hold: what is signed with one of these is theirs.
    own_keys: BTreeMap<PublisherId, NodeId>,
    nodes: BTreeMap<NodeId, NodeTruth>,
    holders: BTreeMap<NodeId, SharedHolder>,
    cuts: Vec<CutTruth>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Word,
    Category,
    Tag,
}

impl RunTruth {
    /// Nothing is known yet. `quiet`: the plan has no fault, and every peer holds everything.
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            bodies: Vec::new(),
            by_release: BTreeMap::new(),
            index: BTreeMap::new(),
            at_start: BTreeSet::new(),
            yanked: BTreeMap::new(),
            disputed: BTreeSet::new(),
            lists: BTreeMap::new(),
            own_keys: BTreeMap::new(),
            nodes: BTreeMap::new(),
            holders: BTreeMap::new(),
            cuts: Vec::new(),
        }
    }

    /// A registry under test signs with this key.
    pub(super) fn own_key(&mut self, node: NodeId, publisher: PublisherId) {
        self.own_keys.insert(publisher, node);
    }

    /// A registry has begun a life with a release on its disk. One of its own, signed before it died and not sent by then,
    /// is published by this.
    pub(super) fn found_on_disk(&mut self, node: NodeId, release: &Release, at: Timestamp) {
        if self.is_own(node, &release.package.release) {
            self.publish(release, at, false);
        }
    }

    /// Whether `release` is published with the key that the registry on `node` has.
    pub(super) fn is_own(&self, node: NodeId, release: &ReleaseId) -> bool {
        self.own_keys.get(&release.package.publisher) == Some(&node)
    }

    /// A publisher has signed this body and publishes it from then on, whole or by notice. At the start
    /// means before it, and then whoever holds it holds it whole.
    pub(super) fn publish(&mut self, release: &Release, from: Timestamp, at_start: bool) {
        let (package, digest) = (&release.package, release.digest);
        let known = self.by_release.entry(package.release.clone()).or_default();
        if known.iter().any(|&body| self.bodies.get(body).is_some_and(|body| body.digest == digest)) {
            return;
        }
        let number = self.bodies.len();
        known.push(number);
        let mut words: BTreeSet<(Field, String)> = BTreeSet::new();
        let texts = [package.release.package.name.as_str(), &package.title, &package.description];
        let labels = package.tags.iter().map(String::as_str);
        words.extend(texts.into_iter().chain(labels).flat_map(tokens).map(|word| (Field::Word, word)));
        words.extend(package.categories.iter().map(|label| (Field::Category, label.clone())));
        words.extend(package.tags.iter().map(|label| (Field::Tag, label.clone())));
        for word in words {
            self.index.entry(word).or_default().push(number);
        }
        if at_start {
            self.at_start.insert(package.release.clone());
        }
        let by_notice = !at_start && release.bytes.len() > MAX_ANNOUNCEMENT;
        self.bodies.push(Body { package: package.clone(), digest, from, by_notice });
    }

    /// A publisher has signed this list.
    pub(super) fn list(&mut self, list: &ReleaseList) {
        self.lists.entry(list.package.clone()).or_default().insert(list.digest);
    }

    /// A publisher has signed both under one number, as one does that has lost its disk: neither is served as truth.
    pub(super) fn dispute(&mut self, first: &Record, second: &Record) {
        let (Some((one, number)), Some((other, again))) = (statement(first), statement(second)) else {
            return;
        };
        if one.package.publisher == other.package.publisher && number == again && one != other {
            self.disputed.extend([one.clone(), other.clone()]);
        }
    }

    /// A publisher takes a release back from then on.
    pub(super) fn yank(&mut self, release: &ReleaseId, at: Timestamp) {
        self.yanked.entry(release.clone()).or_insert(at);
    }

    /// A node was spawned at `at`.
    pub(super) fn spawn(&mut self, node: NodeId, at: Timestamp, holder: Option<SharedHolder>) {
        let before = (at > Timestamp::ZERO).then_some(Span { from: Timestamp::ZERO, until: Some(at) });
        let truth = NodeTruth { down: before.into_iter().collect(), ..NodeTruth::default() };
        self.nodes.insert(node, truth);
        if let Some(holder) = holder {
            self.holders.insert(node, holder);
        }
    }

    /// A registry begins with what was published before the start: with this part of it, or all.
    pub(super) fn caught_up(&mut self, node: NodeId, part: Option<Vec<ReleaseId>>) {
        if let Some(truth) = self.nodes.get_mut(&node) {
            truth.full = part.is_none();
            truth.part = part.into_iter().flatten().collect();
        }
    }

    /// A node stopped. `forgets`: with all that it held.
    pub(super) fn kill(&mut self, node: NodeId, at: Timestamp, forgets: bool) {
        if let Some(truth) = self.nodes.get_mut(&node) {
            truth.down.push(Span { from: at, until: None });
            truth.learned.clear();
            if forgets {
                truth.full = false;
                truth.part.clear();
            }
        }
    }

    /// A node started again.
    pub(super) fn restart(&mut self, node: NodeId, at: Timestamp) {
        if let Some(down) = self.nodes.get_mut(&node).and_then(|truth| truth.down.last_mut()) {
            down.until.get_or_insert(at);
        }
    }

    /// A node became unfit in this way, or fit again.
    pub(super) fn unfit(&mut self, node: NodeId, why: Unfit, at: Timestamp, on: bool) {
        let Some(truth) = self.nodes.get_mut(&node) else { return };
        let spans = truth.unfit.entry(why).or_default();
        match (spans.last_mut().filter(|last| last.until.is_none()), on) {
            (Some(open), false) => open.until = Some(at),
            (None, true) => spans.push(Span { from: at, until: None }),
            (Some(_), true) | (None, false) => {}
        }
    }

    /// A node is hostile from now on.
    pub(super) fn turn_hostile(&mut self, node: NodeId, at: Timestamp) {
        if let Some(truth) = self.nodes.get_mut(&node) {
            truth.hostile.get_or_insert(at);
        }
    }

    /// Two sets were cut.
    pub(super) fn cut(&mut self, from: &BTreeSet<NodeId>, to: &BTreeSet<NodeId>, way: Way, at: Timestamp) {
        let span = Span { from: at, until: None };
        self.cuts.push(CutTruth { from: from.clone(), to: to.clone(), way, span });
    }

    /// Every cut of exactly these sets was healed.
    pub(super) fn heal(&mut self, from: &BTreeSet<NodeId>, to: &BTreeSet<NodeId>, at: Timestamp) {
        for cut in self.cuts.iter_mut().filter(|cut| cut.from == *from && cut.to == *to) {
            cut.span.until.get_or_insert(at);
        }
    }

    /// A registry's catalogue learned a release.
    pub(super) fn learned(&mut self, node: NodeId, release: &ReleaseId) {
        if let Some(truth) = self.nodes.get_mut(&node) {
            truth.learned.insert(release.clone());
        }
    }

    /// Why `asker` could not count on `holder` throughout, in words that follow its name; `None` when it could.
    pub(super) fn out_of_reach(
        &self,
        asker: NodeId,
        holder: NodeId,
        from: Timestamp,
        until: Timestamp,
    ) -> Option<String> {
        let truth = self.nodes.get(&holder)?;
        if asker == holder {
            return None;
        }
        if let Some(since) = truth.hostile.filter(|since| *since <= until) {
            return Some(format!("hostile since {since}"));
        }
        if let Some(down) = truth.down.iter().find(|span| span.overlaps(from, until)) {
            return Some(match down.until {
                Some(end) => format!("down from {} to {end}", down.from),
                None => format!("down since {}", down.from),
            });
        }
        for (why, spans) in &truth.unfit {
            if let Some(span) = spans.iter().find(|span| span.overlaps(from, until)) {
                let why = match why {
                    Unfit::Silent => "silent",
                    Unfit::Stalled => "stalling",
                    Unfit::Undialable => "undialable",
                };
                return Some(format!("{why} since {}", span.from));
            }
        }
        let cut = self.cuts.iter().find(|cut| {
            let apart =
                |a: &BTreeSet<NodeId>, b: &BTreeSet<NodeId>| a.contains(&asker) && b.contains(&holder);
            cut.span.overlaps(from, until) && (apart(&cut.from, &cut.to) || apart(&cut.to, &cut.from))
        })?;
        let way = if cut.way == Way::Both { "" } else { " one way" };
        Some(match cut.span.until {
            Some(end) => format!("cut off{way} from {} to {end}", cut.span.from),
            None => format!("cut off{way} since {}", cut.span.from),
        })
    }

    /// Whether this node is down now.
    pub(super) fn is_down(&self, node: NodeId) -> bool {
        let last = self.nodes.get(&node).and_then(|truth| truth.down.last());
        last.is_some_and(|span| span.until.is_none())
    }

    /// Whether `holder` holds `release` at `at`, and `asker` can reach it.
    pub(super) fn holds_for(
        &self,
        holder: NodeId,
        asker: NodeId,
        release: &ReleaseId,
        at: Timestamp,
    ) -> bool {
        self.holds(holder, release) == Some(true) && self.out_of_reach(asker, holder, at, at).is_none()
    }

    /// What is published at `at`, was not yanked and is in no conflict; what was published last comes first.
    pub(super) fn newest_first(&self, at: Timestamp) -> impl Iterator<Item = &ReleaseId> {
        let mut good: Vec<&Body> = self.bodies.iter().filter(|body| body.from <= at).collect();
        good.retain(|body| {
            let release = &body.package.release;
            !self.yanked.contains_key(release) && !self.in_conflict(release)
        });
        // Bodies are kept as they come, so a stable sort leaves what came at once in that order.
        good.sort_by_key(|body| core::cmp::Reverse(body.from));
        good.into_iter().map(|body| &body.package.release)
    }

    /// Every node that holds `release` now, and is not known to be hostile.
    pub(super) fn holders_of<'a>(&'a self, release: &'a ReleaseId) -> impl Iterator<Item = NodeId> + 'a {
        self.nodes.keys().copied().filter(|node| self.holds(*node, release) == Some(true))
    }

    /// Whether two different bodies were signed for `release`, or its number was given to another too.
    pub(super) fn in_conflict(&self, release: &ReleaseId) -> bool {
        self.disputed.contains(release) || self.by_release.get(release).is_some_and(|bodies| bodies.len() > 1)
    }

    /// Whether `release` was ever published, by `at`, under whatever digest.
    pub(super) fn exists(&self, release: &ReleaseId, at: Timestamp) -> bool {
        let bodies = self.by_release.get(release).map_or(&[][..], Vec::as_slice);
        bodies.iter().filter_map(|&body| self.bodies.get(body)).any(|body| body.from <= at)
    }

    /// Whether `release` was published so long before `at` that everybody could know it.
    pub(super) fn surely_exists(&self, release: &ReleaseId, at: Timestamp) -> bool {
        let bodies = self.by_release.get(release).map_or(&[][..], Vec::as_slice);
        bodies.iter().filter_map(|&body| self.bodies.get(body)).any(|body| Self::old_enough(body.from, at))
    }

    /// The versions of a package that everybody could know at `at`, yanked ones included.
    pub(super) fn versions(&self, package: &PackageId, at: Timestamp) -> Vec<Version> {
        let first = ReleaseId { package: package.clone(), version: Version::new(0, 0, 0) };
        self.by_release
            .range(first..)
            .take_while(|(release, _)| release.package == *package)
            .filter(|(release, _)| self.surely_exists(release, at))
            .map(|(release, _)| release.version.clone())
            .collect()
    }

    /// The newest version that everybody could know at `at`, that was never yanked and is in no conflict:
    /// a release before any pre-release.
    pub(super) fn newest(&self, package: &PackageId, at: Timestamp) -> Option<Version> {
        let versions = self.versions(package, at).into_iter().filter(|version| {
            let release = ReleaseId { package: package.clone(), version: version.clone() };
            !self.yanked.contains_key(&release) && !self.in_conflict(&release)
        });
        versions.max_by(|a, b| (a.pre.is_empty(), a).cmp(&(b.pre.is_empty(), b)))
    }

    fn old_enough(from: Timestamp, at: Timestamp) -> bool {
        from == Timestamp::ZERO || from.after(PROPAGATION) <= at
    }

    /// The bodies that have the rarest of a query's words and labels: those that may match.
    fn candidates(&self, query: &Query) -> &[usize] {
        let words = tokens(&query.text).map(|word| (Field::Word, word));
        let categories = query.categories.iter().map(|label| (Field::Category, label.clone()));
        let tags = query.tags.iter().map(|label| (Field::Tag, label.clone()));
        let all = words.chain(categories).chain(tags);
        let rows = all.map(|word| self.index.get(&word).map_or(&[][..], Vec::as_slice));
        rows.min_by_key(|row| row.len()).unwrap_or(&[])
    }
}

/// What a publisher's number stands for.
fn statement(record: &Record) -> Option<(&ReleaseId, u64)> {
    match record {
        Record::Release(release) => Some((&release.package.release, release.number)),
        Record::Notice(notice) => Some((&notice.release, notice.number)),
        Record::List(_) => None,
    }
}

/// What a notice tells of a package: its name, categories and tags.
fn as_noticed(package: &Package) -> Package {
    Package { title: String::new(), description: String::new(), ..package.clone() }
}

impl Truth for RunTruth {
    fn published(&self, release: &ReleaseId, digest: &Digest, at: Timestamp) -> bool {
        let bodies = self.by_release.get(release).map_or(&[][..], Vec::as_slice);
        bodies
            .iter()
            .filter_map(|&body| self.bodies.get(body))
            .any(|body| body.digest == *digest && body.from <= at)
    }

    fn listed(&self, package: &PackageId, digest: &Digest, _at: Timestamp) -> bool {
        // A list was verified before it came here; with a key that only a registry under test has, that
        // registry signed it.
        self.own_keys.contains_key(&package.publisher)
            || self.lists.get(package).is_some_and(|digests| digests.contains(digest))
    }

    fn hostile(&self, node: NodeId, at: Timestamp) -> bool {
        self.nodes.get(&node).and_then(|truth| truth.hostile).is_some_and(|since| since <= at)
    }

    fn quiet(&self) -> bool {
        self.quiet
    }

    fn expected(&self, asker: NodeId, query: &Query, from: Timestamp, until: Timestamp) -> Vec<ReleaseId> {
        let mut expected = Vec::new();
        for body in self.candidates(query).iter().filter_map(|&body| self.bodies.get(body)) {
            let release = &body.package.release;
            let old_enough = Self::old_enough(body.from, from);
            let gone = self.yanked.get(release).is_some_and(|at| *at <= until);
            if old_enough
                && !gone
                && !self.in_conflict(release)
                && query.matches(&body.package)
                && (!body.by_notice || query.matches(&as_noticed(&body.package)))
                && self.holders_of(release).any(|node| self.out_of_reach(asker, node, from, until).is_none())
            {
                expected.push(release.clone());
            }
        }
        expected
    }

    fn holds(&self, node: NodeId, release: &ReleaseId) -> Option<bool> {
        let truth = self.nodes.get(&node)?;
        if truth.hostile.is_some() {
            return Some(false);
        }
        Some(match self.holders.get(&node) {
            Some(holder) => holder.lock().unwrap_or_else(PoisonError::into_inner).holds(release),
            None => {
                truth.learned.contains(release)
                    || truth.part.contains(release)
                    || (truth.full && self.at_start.contains(release))
            }
        })
    }
}
