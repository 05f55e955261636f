//! Publications on their way: what is signed, in which order, and what may be sent when.
//!
//! A pure machine: it is handed what happened and says what to do next. One publication goes through
//!
//! 1. *waiting*, until the package's newest list is known: from this node's own state, or looked up;
//! 2. *the lane*, one at a time: number and list are signed and handed to the store in one batch, and
//!    nothing is sent until that batch is durable. So a crash can lose a publication but never its number
//!    alone, and a number is never given twice to different statements;
//! 3. *sending*: release and announcement together, then the list, which names the release.
//!
//! A store that is empty does not prove that the key is new. [`Publishing::seen_own`] takes what others
//! know of this key's statements; from then on numbers continue behind them, and a list that cannot be
//! looked up is no longer taken for one that does not exist.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::network::{Done, Failure};
use crate::package::{Package, PackageId, PackageName, PublisherId, ReleaseId};
use crate::record::{Checked, ListEntry, Publisher, Record, ReleaseList, Says, SignError, Verifier};
use crate::registry::command::PublishReply;
use crate::registry::config::PublishConfig;
use crate::registry::error::{PublishError, Unanswered};
use crate::registry::keep;
use crate::registry::outcome::{Published, Stored};
use crate::registry::requests::Part;
use crate::store::{Batch, StoreError, WriteId};
use crate::time::WallTime;

/// The most lists looked up at once.
const LOOKUPS: usize = 8;

/// What is to change.
#[derive(Debug)]
enum Change {
    Publish(Box<Package>),
    Yank(ReleaseId),
    /// The list is signed anew, as it stands, before its validity ends.
    Renew(PackageId),
}

impl Change {
    const fn package(&self) -> &PackageId {
        match self {
            Self::Publish(package) => &package.release.package,
            Self::Yank(release) => &release.package,
            Self::Renew(package) => package,
        }
    }
}

#[derive(Debug)]
struct Waiting {
    change: Change,
    reply: Option<PublishReply>,
}

impl Waiting {
    fn refuse(self, why: PublishError) {
        if let Some(reply) = self.reply {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Err(why));
        }
    }

    /// Nobody waits for it any more, and nothing was signed yet.
    fn abandoned(&self) -> bool {
        self.reply.as_ref().is_some_and(PublishReply::is_closed)
    }
}

/// What was signed together.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Names the publication in [`Publishing::finished`].
    pub(super) job: u64,
    /// The release or the notice; `None` when only the list is new.
    pub(super) statement: Option<Checked>,
    /// The list.
    pub(super) list: Checked,
    /// What is announced.
    pub(super) announcement: Option<Bytes>,
}

#[derive(Debug)]
struct Lane {
    signed: Signed,
    package: PackageId,
    number: u64,
    reply: Option<PublishReply>,
    write: Option<WriteId>,
}

#[derive(Debug)]
struct Sending {
    signed: Signed,
    number: u64,
    reply: Option<PublishReply>,
    release: Option<Result<Stored, Failure>>,
    list: Option<Result<Stored, Failure>>,
    announced: Option<Result<u32, Failure>>,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Look the newest list of this package up, and call [`Publishing::looked_up`].
    LookUp(PackageId),
    /// Hand this to the store, and call [`Publishing::accepted`].
    Persist(Batch),
}

/// What follows when a part was sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// Other parts are still out.
    Wait,
    /// The release is stored, or could not be: now its list.
    List(Checked),
    /// All is through.
    Through,
}

/// All publications that are not through; see the [module](self).
#[derive(Debug)]
pub(super) struct Publishing {
    key: Option<Publisher>,
    config: PublishConfig,
    number: u64,
    lost: bool,
    /// The newest list of each package of one's own; `None` where it is known that there is none.
    lists: BTreeMap<PackageName, Option<Checked>>,
    lookups: BTreeSet<PackageName>,
    waiting: VecDeque<Waiting>,
    lane: Option<Lane>,
    sending: BTreeMap<u64, Sending>,
    next_job: u64,
}

impl Publishing {
    /// With this key; `number` was the last one given, and these are the newest lists, as the store has them.
    pub(super) fn new(
        key: Option<Publisher>,
        config: PublishConfig,
        number: u64,
        lists: Vec<(PackageName, Checked)>,
    ) -> Self {
        Self {
            key,
            config,
            number,
            lost: false,
            lists: lists.into_iter().map(|(name, list)| (name, Some(list))).collect(),
            lookups: BTreeSet::new(),
            waiting: VecDeque::new(),
            lane: None,
            sending: BTreeMap::new(),
            next_job: 0,
        }
    }

    /// Whose key it is.
    pub(super) fn id(&self) -> Option<PublisherId> {
        self.key.as_ref().map(Publisher::id)
    }

    /// Whether anything was ever published from this store, so that its numbers are known to be right.
    pub(super) const fn has_state(&self) -> bool {
        self.number > 0
    }

    /// How many publications are not through.
    pub(super) fn open(&self) -> usize {
        self.waiting.len() + usize::from(self.lane.is_some()) + self.sending.len()
    }

    /// Someone knows a statement of this key with `number`.
    pub(super) fn seen_own(&mut self, number: u64) {
        let given = self.lane.as_ref().map_or(self.number, |lane| lane.number.max(self.number));
        if number > given {
            self.lost = true;
            self.number = number;
        }
    }

    /// The newest list of one's own package, when it is known.
    pub(super) fn list(&self, name: &PackageName) -> Option<&Checked> {
        self.lists.get(name).and_then(Option::as_ref)
    }

    /// A verified list of one's own package turned up in the network.
    pub(super) fn seen_list(&mut self, list: &Checked) {
        let Record::List(seen) = &**list else { return };
        if Some(seen.package.publisher) != self.id() {
            return;
        }
        if let Some(held) = self.lists.get_mut(&seen.package.name)
            && held.as_ref().is_none_or(|held| sequence(held) < seen.sequence)
        {
            *held = Some(list.clone());
        }
    }

    /// A release is to be published.
    pub(super) fn publish(&mut self, package: Box<Package>, reply: PublishReply) {
        self.enter(Waiting { change: Change::Publish(package), reply: Some(reply) });
    }

    /// A release is to be taken back.
    pub(super) fn yank(&mut self, release: ReleaseId, reply: PublishReply) {
        self.enter(Waiting { change: Change::Yank(release), reply: Some(reply) });
    }

    /// A list is to be signed anew.
    pub(super) fn renew(&mut self, package: PackageId) {
        let renews = |job: &Waiting| matches!(&job.change, Change::Renew(other) if *other == package);
        if self.key.is_none() || self.waiting.iter().any(renews) {
            return;
        }
        self.enter(Waiting { change: Change::Renew(package), reply: None });
    }

    /// The number of the release that the publication stores, if it stores one, and whose list.
    pub(super) fn sent_records(&self, job: u64) -> Option<(Option<u64>, PackageName)> {
        let sending = self.sending.get(&job)?;
        let release = sending.signed.statement.as_deref().and_then(Record::as_release);
        let list = sending.signed.list.as_list()?;
        Some((release.map(|release| release.number), list.package.name.clone()))
    }

    fn enter(&mut self, job: Waiting) {
        let Some(own) = self.id() else { return job.refuse(PublishError::NoKey) };
        let found = job.change.package().publisher;
        if found != own {
            return job.refuse(SignError::NotOwn { found, own }.into());
        }
        if self.open() >= self.config.most_waiting {
            return job.refuse(PublishError::Busy { most: self.config.most_waiting });
        }
        self.waiting.push_back(job);
    }

    /// What to do next; `None` when there is nothing to do until something happens. Nothing is signed
    /// before `settled`: until then it is not known which numbers are free. `held` tells releases that
    /// the catalogue holds.
    pub(super) fn next_step(
        &mut self,
        wall: WallTime,
        settled: bool,
        verifier: &Verifier,
        held: impl Fn(&ReleaseId) -> Option<Checked>,
    ) -> Option<Step> {
        self.waiting.retain(|job| !job.abandoned());
        if self.lookups.len() < LOOKUPS {
            let unknown = self.waiting.iter().map(|job| job.change.package()).find(|package| {
                !self.lists.contains_key(&package.name) && !self.lookups.contains(&package.name)
            });
            if let Some(package) = unknown.cloned() {
                self.lookups.insert(package.name.clone());
                return Some(Step::LookUp(package));
            }
        }
        while settled && self.lane.is_none() {
            let ready = |job: &Waiting| self.lists.contains_key(&job.change.package().name);
            let at = self.waiting.iter().position(ready)?;
            let job = self.waiting.remove(at)?;
            match self.sign(&job.change, wall, verifier, &held) {
                Ok((signed, number, batch)) => {
                    let package = job.change.package().clone();
                    self.lane = Some(Lane { signed, package, number, reply: job.reply, write: None });
                    return Some(Step::Persist(batch));
                }
                Err(why) => {
                    self.forget_unpublished(&job.change.package().name);
                    job.refuse(why);
                }
            }
        }
        None
    }

    /// "There is no list" is remembered only as long as a publication needs it.
    fn forget_unpublished(&mut self, name: &PackageName) {
        let needed = self.waiting.iter().any(|job| job.change.package().name == *name);
        if !needed && self.lists.get(name).is_some_and(Option::is_none) {
            self.lists.remove(name);
        }
    }

    fn sign(
        &mut self,
        change: &Change,
        wall: WallTime,
        verifier: &Verifier,
        held: &impl Fn(&ReleaseId) -> Option<Checked>,
    ) -> Result<(Signed, u64, Batch), PublishError> {
        let key = self.key.as_ref().ok_or(PublishError::NoKey)?;
        let package = change.package();
        let base = self.list(&package.name).and_then(|list| match &**list {
            Record::List(list) => Some(list),
            _ => None,
        });
        let number = self.number + 1;
        let mut entries = base.map_or_else(Vec::new, |list| list.entries.clone());
        let statement: Option<Record> = match change {
            Change::Publish(package) => {
                let id = &package.release;
                if entries.iter().any(|entry| entry.version == id.version) || held(id).is_some() {
                    return Err(PublishError::AlreadyPublished(id.clone()));
                }
                let release = key.release(package, number)?;
                let digest = release.digest;
                entries.push(ListEntry { version: id.version.clone(), digest, yanked: false });
                Some(release.into())
            }
            Change::Yank(id) => {
                let entry = entries.iter_mut().find(|entry| entry.version == id.version);
                let entry = entry.ok_or_else(|| PublishError::NotPublished(id.clone()))?;
                if entry.yanked {
                    return Err(PublishError::AlreadyYanked(id.clone()));
                }
                entry.yanked = true;
                let release = held(id);
                let (categories, tags) = match release.as_deref() {
                    Some(Record::Release(release)) => (&*release.package.categories, &*release.package.tags),
                    _ => (&[][..], &[][..]),
                };
                Some(key.notice(id, number, Says::Yanked, categories, tags)?.into())
            }
            Change::Renew(_) => None,
        };
        let sequence = base.map_or(0, |list| list.sequence) + 1;
        let list: ReleaseList = key.list(package, sequence, wall.after(self.config.validity), entries)?;
        let announcement = match &statement {
            Some(Record::Release(release)) => Some(key.announcement(release)?),
            Some(notice) => Some(notice.bytes().clone()),
            None => None,
        };
        let mut batch = Batch::new();
        if let Some(statement) = &statement {
            batch.put(keep::OWN_NUMBER, number.to_be_bytes().to_vec());
            batch.put(keep::own_statement(number), statement.bytes().clone());
        }
        batch.put(keep::own_list(&package.name), list.bytes.clone());
        let job = self.next_job;
        self.next_job += 1;
        let number = if statement.is_some() { number } else { self.number };
        let statement = statement.map(|record| verifier.trust(record));
        let list = verifier.trust(list.into());
        Ok((Signed { job, statement, list, announcement }, number, batch))
    }

    /// The lookup of `package`'s newest list has ended.
    pub(super) fn looked_up(&mut self, package: &PackageId, found: Result<Option<Checked>, Unanswered>) {
        self.lookups.remove(&package.name);
        let list = match found {
            Ok(list) => list,
            // Nobody knows a statement that this store does not: so there is none, and no list.
            Err(Unanswered::NoPeers) => None,
            Err(_) if !self.lost => None,
            Err(why) => {
                let (here, rest) = core::mem::take(&mut self.waiting)
                    .into_iter()
                    .partition::<VecDeque<_>, _>(|job| job.change.package() == package);
                self.waiting = rest;
                for job in here {
                    job.refuse(PublishError::ListUnknown { package: package.clone(), why });
                }
                return;
            }
        };
        self.lists.entry(package.name.clone()).or_insert(list);
        self.forget_unpublished(&package.name);
    }

    /// The store has taken the batch, or refused it.
    pub(super) fn accepted(&mut self, write: Result<WriteId, StoreError>) {
        match write {
            Ok(write) => {
                if let Some(lane) = &mut self.lane {
                    lane.write = Some(write);
                }
            }
            Err(why) => self.fail_lane(why),
        }
    }

    /// A batch is durable, or failed to become so. What may now be sent, if it was this machine's; with
    /// the number of its statement.
    pub(super) fn synced(
        &mut self,
        write: WriteId,
        result: &Result<(), StoreError>,
    ) -> Option<(Signed, u64)> {
        let lane = self.lane.take_if(|lane| lane.write == Some(write))?;
        if let Err(why) = result {
            self.lane = Some(lane);
            self.fail_lane(why.clone());
            return None;
        }
        let Lane { signed, package, number, reply, .. } = lane;
        if signed.statement.is_some() {
            self.number = self.number.max(number);
        }
        self.lists.insert(package.name, Some(signed.list.clone()));
        let sending =
            Sending { signed: signed.clone(), number, reply, release: None, list: None, announced: None };
        self.sending.insert(signed.job, sending);
        Some((signed, number))
    }

    fn fail_lane(&mut self, why: StoreError) {
        if let Some(lane) = self.lane.take() {
            self.forget_unpublished(&lane.package.name);
            if let Some(reply) = lane.reply {
                let _ = reply.send(Err(PublishError::Store(why)));
            }
        }
    }

    /// A part of a publication was sent, or could not be.
    pub(super) fn finished(&mut self, job: u64, part: Part, result: Result<Done, Failure>) -> Sent {
        let Some(sending) = self.sending.get_mut(&job) else { return Sent::Wait };
        match part {
            Part::Release => {
                sending.release = Some(stored(result));
                return Sent::List(sending.signed.list.clone());
            }
            Part::List => sending.list = Some(stored(result)),
            Part::Announcement => {
                sending.announced = Some(result.map(|done| match done {
                    Done::Announced { to } => to,
                    _ => 0,
                }));
            }
        }
        let announced = match (&sending.signed.announcement, sending.announced) {
            (None, _) => Ok(0),
            (Some(_), Some(announced)) => announced,
            (Some(_), None) => return Sent::Wait,
        };
        let Some(list_stored) = sending.list else { return Sent::Wait };
        if let Some(Sending { signed, number, reply: Some(reply), release, .. }) = self.sending.remove(&job)
            && let Some(statement) = signed.statement
        {
            let sequence = sequence(&signed.list);
            let list = signed.list;
            let through = Published {
                statement,
                number,
                list,
                sequence,
                release_stored: release,
                list_stored,
                announced,
            };
            let _ = reply.send(Ok(through));
        }
        Sent::Through
    }

    /// The registry stops: whoever waits is told.
    pub(super) fn stop(&mut self) {
        self.waiting.clear();
        self.lookups.clear();
        self.lane = None;
        self.sending.clear();
    }
}

/// The sequence of a list.
pub(super) fn sequence(list: &Checked) -> u64 {
    match &**list {
        Record::List(list) => list.sequence,
        _ => 0,
    }
}

fn stored(result: Result<Done, Failure>) -> Result<Stored, Failure> {
    result.map(|done| match done {
        Done::Stored { acked, verified } => Stored { acked, verified },
        _ => Stored { acked: 0, verified: None },
    })
}
