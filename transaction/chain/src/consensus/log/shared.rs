//! What votes and archives share: the log, and what is not in it yet.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::hex;
use commonware_runtime::{Blob as _, BlobVersion, Error, Storage};
use futures::lock::Mutex as TurnMutex;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tracing::{error, info};

use super::{
    archives::{Archives, Placed},
    file::{Generations, Log, scan},
    frame::{Change, Changes, Frames, Unwritten},
    steps::Steps,
    votes::{InMemory, Votes},
};

/// The archives' files are synced and the log begun anew at this size.
const FULL: u64 = 4 << 20;
/// Archives wait for that at so many times the size; votes do not wait.
const OVERFULL: u64 = 8;
/// What the renewals count up to when there are no more.
const ENDED: u64 = u64::MAX;
/// So much is written to the log even if no vote asks for it.
const MOST_UNWRITTEN: usize = 4 << 20;

/// Kind of file ‖ partition ‖ `/` ‖ name; a partition's name has no `/`.
pub(super) type Key = Vec<u8>;

pub(super) const VOTES: u8 = b'v';
pub(super) const ARCHIVES: u8 = b'a';

/// The files of a consensus directory.
pub(in crate::consensus) struct Files<S: Storage>(Arc<Shared<S>>);

pub(super) struct Shared<S: Storage> {
    pub(super) storage: S,
    pub(super) table: Mutex<Table<S::Blob>>,
    log: TurnMutex<Log<S>>,
    /// The log is full.
    full: Notify,
    /// How often it was renewed.
    renewals: watch::Sender<u64>,
}

pub(super) struct Table<B> {
    pub(super) votes: BTreeMap<Key, InMemory>,
    pub(super) archives: BTreeMap<Key, Arc<Placed<B>>>,
    /// What the log knows to be removed, and may still be in its place.
    pub(super) removing: Vec<Key>,
    unwritten: Unwritten,
    /// The archives' changes since the log began to be renewed.
    carried: Option<Changes>,
}

impl<S: Storage> Clone for Files<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Storage> Files<S> {
    /// Opens the log in `partition`, and brings the files to where it says.
    ///
    /// # Errors
    /// When the disk refuses, or has lost what was synced, or the directory is of another format:
    /// [`super::refusal`] says it in words.
    pub(in crate::consensus) async fn open(
        storage: S,
        log: S,
        (partition, mask): (String, u64),
    ) -> Result<Self, Error> {
        let generations = Generations::of(&log, &partition).await?;
        let mut past = Past::default();
        let bytes = generations.newest(&log, &partition).await?;
        for change in Frames::new(&bytes).changes() {
            let change = change.ok_or_else(|| Error::PartitionCorrupt(partition.clone()))?;
            past.take(change)?;
        }
        past.place(&storage).await?;
        let table = Table {
            votes: past.votes,
            archives: BTreeMap::new(),
            removing: Vec::new(),
            unwritten: Unwritten::default(),
            carried: None,
        };
        let log =
            Log::begin(log, partition, (mask, generations.next()), &table.all_votes()).await?;
        log.remove(generations.names()).await?;
        let (table, log) = (Mutex::new(table), TurnMutex::new(log));
        let (full, renewals) = (Notify::new(), watch::Sender::new(0));
        Ok(Self(Arc::new(Shared { storage, table, log, full, renewals })))
    }

    /// Renews the log whenever it is full, until that fails: then nothing becomes durable any more, and
    /// who waits for it is told so.
    pub(in crate::consensus) async fn tend(self) {
        let Self(shared) = self;
        loop {
            shared.full.notified().await;
            // It was said again while it was renewed.
            if shared.log.lock().await.times_full(FULL) == 0 {
                continue;
            }
            if let Err(error) = shared.renew().await {
                error!(%error, "the log of votes and archives cannot be renewed");
                shared.log.lock().await.fail();
                shared.renewals.send_replace(ENDED);
                return;
            }
            shared.renewals.send_modify(|renewals| *renewals = renewals.saturating_add(1));
        }
    }

    /// Whether a renewal writes to the archives' places, while the log goes on.
    #[cfg(test)]
    pub(super) fn is_placing(&self) -> bool {
        self.0.table.lock().carried.is_some() && self.0.log.try_lock().is_some()
    }

    #[cfg(test)]
    pub(super) async fn times_full(&self, size: u64) -> u64 {
        self.0.log.lock().await.times_full(size)
    }

    #[cfg(test)]
    pub(super) async fn renew(&self) -> Result<(), Error> {
        self.0.sync().await?;
        self.0.renew().await
    }

    /// The files whose syncs are the log's.
    pub(in crate::consensus) fn votes(&self) -> Votes<S> {
        Votes(Arc::clone(&self.0))
    }

    /// The files that are durable with the next vote.
    pub(in crate::consensus) fn archives(&self) -> Archives<S> {
        Archives(Arc::clone(&self.0))
    }
}

impl<B> Table<B> {
    /// Remembers a change, and returns its number.
    pub(super) fn push(&mut self, change: &Change<'_>) -> u64 {
        if change.name().first() == Some(&ARCHIVES)
            && let Some(carried) = &mut self.carried
        {
            carried.push(change);
        }
        self.unwritten.push(change)
    }

    /// All that the archives' places may not have.
    fn unplaced(&self) -> Changes {
        let mut removed = Changes::default();
        for name in &self.removing {
            removed.push(&Change::Remove { name });
        }
        let carried = self.carried.clone().unwrap_or_default();
        removed.followed_by(&carried)
    }

    /// Whether this is the archives' file of that name, and not one that was removed.
    pub(super) fn is_live(&self, key: &Key, file: &Arc<Placed<B>>) -> bool {
        self.archives.get(key).is_some_and(|live| Arc::ptr_eq(live, file))
    }

    fn all_votes(&self) -> Changes {
        let mut changes = Changes::default();
        for (name, file) in &self.votes {
            changes.push(&Change::Create { name, version: file.version });
            changes.push(&Change::Write { name, offset: 0, bytes: &file.content.lock() });
        }
        changes
    }
}

impl<S: Storage> Shared<S> {
    /// Makes durable what has changed until now, in all files. Who waits for another's sync is served by
    /// the next.
    pub(super) async fn sync(&self) -> Result<(), Error> {
        let wanted = self.table.lock().unwritten.count();
        let mut log = self.log.lock().await;
        if log.covers(wanted) {
            return Ok(());
        }
        self.append(&mut log).await
    }

    /// Whether what has changed can still become durable.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.log.try_lock() {
            Some(log) if log.is_broken() => Err(Error::WriteFailed),
            Some(_) | None => Ok(()),
        }
    }

    /// Keeps what is not in the log yet, and the log itself, from growing without end.
    pub(super) async fn make_room(&self) -> Result<(), Error> {
        if self.table.lock().unwritten.length() > MOST_UNWRITTEN {
            self.sync().await?;
        }
        let mut renewals = self.renewals.subscribe();
        let times = self.log.try_lock().map_or(0, |log| log.times_full(FULL));
        if times < OVERFULL {
            return Ok(());
        }
        if *renewals.borrow() != ENDED {
            self.full.notify_one();
            // The sender lives as long as `self`.
            let _renewed = renewals.changed().await;
        }
        if *renewals.borrow() == ENDED { Err(Error::WriteFailed) } else { Ok(()) }
    }

    async fn append(&self, log: &mut Log<S>) -> Result<(), Error> {
        let (changes, covers) = self.table.lock().unwritten.take();
        log.take(&changes, covers)?;
        log.flush().await?;
        if log.times_full(FULL) > 0 {
            self.full.notify_one();
        }
        Ok(())
    }

    /// Writes the archives' files to their places and syncs them, while votes go on in the old log; then
    /// begins the next one.
    async fn renew(&self) -> Result<(), Error> {
        let Some(_carrying) = Carrying::begin(&self.table) else {
            // Somebody is at it.
            return Ok(());
        };
        let (durable, archives) = {
            let mut log = self.log.lock().await;
            self.append(&mut log).await?;
            let archives = self.table.lock().archives.clone();
            (log.covered(), archives)
        };
        // One after the other: a vote waits for the disk with one sync before it, not with twenty.
        for (key, file) in &archives {
            self.place(key, file, durable).await?;
        }
        let mut log = self.log.lock().await;
        let (votes, unplaced, covers) = {
            let mut table = self.table.lock();
            let (changes, covers) = table.unwritten.take();
            // If this is given up, they still go to the old log.
            log.take(&changes, covers)?;
            (table.all_votes(), table.unplaced(), covers)
        };
        log.replace((votes, &unplaced), covers).await
    }

    async fn place(
        &self,
        key: &Key,
        file: &Arc<Placed<S::Blob>>,
        durable: u64,
    ) -> Result<(), Error> {
        match file.place(durable).await {
            // It was removed meanwhile.
            Err(_) if !self.table.lock().is_live(key, file) => Ok(()),
            placed => placed,
        }
    }
}

/// While it lives, changes of archives are carried over to the next log.
struct Carrying<'a, B>(&'a Mutex<Table<B>>);

impl<'a, B> Carrying<'a, B> {
    /// Nothing if somebody does.
    fn begin(table: &'a Mutex<Table<B>>) -> Option<Self> {
        let mut locked = table.lock();
        if locked.carried.is_some() {
            return None;
        }
        locked.carried = Some(Changes::default());
        Some(Self(table))
    }
}

impl<B> Drop for Carrying<'_, B> {
    fn drop(&mut self) {
        self.0.lock().carried = None;
    }
}

/// What a log tells of.
#[derive(Default)]
struct Past<'a> {
    votes: BTreeMap<Key, InMemory>,
    /// What happened to each file of the archives since one of its name was last removed.
    archives: BTreeMap<&'a [u8], Vec<Change<'a>>>,
    removed: Vec<&'a [u8]>,
}

impl<'a> Past<'a> {
    fn take(&mut self, change: Change<'a>) -> Result<(), Error> {
        let key = change.name();
        if key.first() == Some(&VOTES) {
            return self.take_vote(change);
        }
        if matches!(change, Change::Remove { .. }) {
            self.archives.retain(|other, _| !is_removed_by(key, other));
            self.removed.push(key);
        } else {
            self.archives.entry(key).or_default().push(change);
        }
        Ok(())
    }

    fn take_vote(&mut self, change: Change<'a>) -> Result<(), Error> {
        let file = self.votes.get(change.name()).cloned().ok_or(Error::ReadFailed);
        match change {
            Change::Create { name, version } => {
                self.votes.insert(name.to_vec(), InMemory::new(version));
            }
            Change::Remove { name } if self.votes.remove(name).is_none() => {
                self.votes.retain(|other, _| !is_removed_by(name, other));
            }
            Change::Remove { .. } => {}
            Change::Write { offset, bytes, .. } => file?.write(offset, bytes)?,
            Change::Resize { length, .. } => file?.resize(length)?,
        }
        Ok(())
    }

    /// Does to the archives' files what is told of them.
    async fn place<S: Storage>(&self, storage: &S) -> Result<(), Error> {
        for key in &self.removed {
            self.remove(storage, key).await?;
        }
        for (key, changes) in &self.archives {
            let (partition, name) = parts(key)?;
            let is_there = scan(storage, partition).await?.iter().any(|present| present == name);
            let versions = match changes.first() {
                _ if is_there => BlobVersion::new(0)..=BlobVersion::new(u16::MAX),
                Some(Change::Create { version, .. }) => *version..=*version,
                // The log has only the end of it.
                _ => return Err(Error::BlobMissing(partition.into(), hex::encode(name))),
            };
            let (blob, ..) = storage.open_versioned(partition, name, versions).await?;
            let mut steps = Steps::default();
            for change in changes {
                match *change {
                    Change::Write { offset, bytes, .. } => steps.write(offset, bytes),
                    Change::Resize { length, .. } => steps.resize(length),
                    Change::Create { .. } | Change::Remove { .. } => {}
                }
            }
            steps.take_on(&blob).await?;
            blob.sync().await?;
        }
        if !self.archives.is_empty() {
            info!(files = self.archives.len(), "the archives are where the log says");
        }
        Ok(())
    }

    /// A crash may have left what was to be removed. A file of its name that was made since is another.
    async fn remove<S: Storage>(&self, storage: &S, key: &[u8]) -> Result<(), Error> {
        let (partition, name) = parts(key)?;
        for present in scan(storage, partition).await? {
            let is_removed = name.is_empty() || name == present;
            if is_removed
                && !self.archives.contains_key(key_of(ARCHIVES, partition, &present).as_slice())
            {
                storage.remove(partition, Some(&present)).await?;
            }
        }
        Ok(())
    }
}

pub(super) fn key_of(kind: u8, partition: &str, name: &[u8]) -> Key {
    [&[kind], partition.as_bytes(), b"/", name].concat()
}

/// Partition and name.
pub(super) fn parts(key: &[u8]) -> Result<(&str, &[u8]), Error> {
    let place = key.get(1..).ok_or(Error::ReadFailed)?;
    let at = place.iter().position(|byte| *byte == b'/').ok_or(Error::ReadFailed)?;
    let (partition, rest) = place.split_at(at);
    let partition = std::str::from_utf8(partition).map_err(|_| Error::ReadFailed)?;
    Ok((partition, rest.get(1..).unwrap_or_default()))
}

/// Whether removing `key` removes `other`: it is the same, or the partition it is in.
pub(super) fn is_removed_by(key: &[u8], other: &[u8]) -> bool {
    let is_partition = key.iter().position(|byte| *byte == b'/') == key.len().checked_sub(1);
    key == other || (is_partition && other.starts_with(key))
}
