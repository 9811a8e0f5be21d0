//! One log on disk.

use std::collections::VecDeque;

use commonware_runtime::{Blob, Error, ReadOptions, Storage, WriteOptions};

use super::{
    FORMAT,
    frame::{Changes, Frames, frame},
};

const NAME: &[u8] = b"log";

/// A log that is appended to.
pub(super) struct Log<S: Storage> {
    storage: S,
    partition: String,
    mask: u64,
    blob: S::Blob,
    generation: u64,
    /// Bytes and frames in it.
    length: u64,
    frames: u64,
    /// Bytes of the votes that it began with, which the next one will begin with as well.
    votes: u64,
    /// How many changes it covers.
    covers: u64,
    /// Frames that are on their way to the disk, each with how many changes are covered with it. Who
    /// waits for a write may be ended, as an epoch's engine is; the next one writes it again.
    under_way: VecDeque<(Vec<u8>, u64)>,
    /// The next generation was begun, and nobody waited for its end.
    is_replacing: bool,
    /// A write failed: what is on the disk is not known.
    broken: bool,
}

impl<S: Storage> Log<S> {
    /// Begins a generation with all votes that there are.
    pub(super) async fn begin(
        storage: S,
        partition: String,
        (mask, generation): (u64, u64),
        votes: &Changes,
    ) -> Result<Self, Error> {
        let begun = first_frame(&storage, &partition, (mask, generation), votes).await;
        let (blob, length) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                // A start on a full disk must not make it fuller.
                drop(storage.remove(&partition, Some(&name(generation))).await);
                return Err(error);
            }
        };
        Ok(Self {
            storage,
            partition,
            mask,
            blob,
            generation,
            length,
            frames: 1,
            votes: votes.length() as u64,
            covers: 0,
            under_way: VecDeque::new(),
            is_replacing: false,
            broken: false,
        })
    }

    /// Whether that many changes are durable.
    pub(super) const fn covers(&self, changes: u64) -> bool {
        !self.broken && self.covers >= changes
    }

    /// Whether a write failed.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// How many changes are durable.
    pub(super) const fn covered(&self) -> u64 {
        self.covers
    }

    /// How many times it has reached this size, or four times that of the votes it began with if that is
    /// more. What it began with besides, the archives' changes of a renewal's time, does not count: else
    /// archives that write faster than they are put in their places would let it grow without end.
    pub(super) const fn times_full(&self, size: u64) -> u64 {
        let votes = self.votes.saturating_mul(4);
        self.length / if votes > size { votes } else { size }
    }

    /// Nothing can become durable any more.
    pub(super) const fn fail(&mut self) {
        self.broken = true;
    }

    /// Takes changes, for [`Self::flush`] or a [`Self::replace`] that has them in it. `covers` counts all
    /// changes until then.
    pub(super) fn take(&mut self, changes: &Changes, covers: u64) -> Result<(), Error> {
        let number = self.frames.saturating_add(self.under_way.len() as u64);
        let frame = self.unless_broken(frame(self.mask, number, changes))?;
        self.under_way.push_back((frame, covers));
        Ok(())
    }

    /// Writes and syncs what was taken.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        self.unless_broken(Ok(()))?;
        self.forget_next().await?;
        while let Some((frame, covers)) = self.under_way.front().cloned() {
            let length = frame.len() as u64;
            let written = self.blob.write_at(self.length, frame, WriteOptions::SYNC).await;
            self.unless_broken(written)?;
            self.length = self.length.saturating_add(length);
            self.frames = self.frames.saturating_add(1);
            self.covers = covers;
            self.under_way.pop_front();
        }
        Ok(())
    }

    /// Goes on in the next generation, which begins with all votes and what else there is, what was taken
    /// and is under way included.
    pub(super) async fn replace(
        &mut self,
        (votes, rest): (Changes, &Changes),
        covers: u64,
    ) -> Result<(), Error> {
        self.unless_broken(Ok(()))?;
        self.forget_next().await?;
        let old = name(self.generation);
        let next = self.generation.saturating_add(1);
        self.is_replacing = true;
        let of_votes = votes.length() as u64;
        let whole = votes.followed_by(rest);
        let begun = first_frame(&self.storage, &self.partition, (self.mask, next), &whole).await;
        let (blob, length) = self.unless_broken(begun)?;
        (self.blob, self.generation) = (blob, next);
        (self.length, self.votes, self.frames) = (length, of_votes, 1);
        self.covers = covers;
        self.under_way.clear();
        self.is_replacing = false;
        self.storage.remove(&self.partition, Some(&old)).await
    }

    /// A next generation of which it is not known whether it stands would be taken for the newest.
    async fn forget_next(&mut self) -> Result<(), Error> {
        if self.is_replacing {
            let next = name(self.generation.saturating_add(1));
            let removed = match self.storage.remove(&self.partition, Some(&next)).await {
                // So says the library of every removal that the system refused.
                Err(Error::BlobMissing(..)) => self.is_missing(&next).await,
                removed => removed,
            };
            self.unless_broken(removed)?;
            self.is_replacing = false;
        }
        Ok(())
    }

    async fn is_missing(&self, name: &[u8]) -> Result<(), Error> {
        let is_there = scan(&self.storage, &self.partition).await?.iter().any(|one| one == name);
        if is_there { Err(Error::WriteFailed) } else { Ok(()) }
    }

    /// Removes what was there before the log began.
    pub(super) async fn remove(&self, names: impl Iterator<Item = Vec<u8>>) -> Result<(), Error> {
        for name in names {
            self.storage.remove(&self.partition, Some(&name)).await?;
        }
        Ok(())
    }

    fn unless_broken<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        if self.broken {
            return Err(Error::WriteFailed);
        }
        self.broken = outcome.is_err();
        outcome
    }
}

/// The logs that a partition holds.
pub(super) struct Generations(Vec<u64>);

impl Generations {
    /// Those of a partition. If there is none, 0 is made, empty: so one that stands alone was synced.
    pub(super) async fn of<S: Storage>(storage: &S, partition: &str) -> Result<Self, Error> {
        let found = Self::among(&scan(storage, partition).await?);
        if found.0.is_empty() {
            drop(open(storage, partition, 0).await?);
            return Ok(Self(vec![0]));
        }
        Ok(found)
    }

    fn among(names: &[Vec<u8>]) -> Self {
        let number =
            |name: &Vec<u8>| Some(u64::from_be_bytes(name.strip_prefix(NAME)?.try_into().ok()?));
        let mut generations: Vec<_> = names.iter().filter_map(number).collect();
        generations.sort_unstable();
        Self(generations)
    }

    /// The one to begin.
    pub(super) fn next(&self) -> u64 {
        self.0.last().map_or(0, |latest| latest.saturating_add(1))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = Vec<u8>> {
        self.0.iter().copied().map(name)
    }

    /// The bytes of the newest log of which at least the first frame is whole, or none.
    ///
    /// # Errors
    /// When there must be one: a generation replaced one that was removed only when this was synced. When one is
    /// of another format.
    pub(super) async fn newest<S: Storage>(
        &self,
        storage: &S,
        partition: &str,
    ) -> Result<Vec<u8>, Error> {
        for generation in self.0.iter().rev() {
            let (blob, length) = open(storage, partition, *generation).await?;
            let bytes = content(&blob, length).await?;
            let mut frames = Frames::new(&bytes);
            while frames.next().is_some() {}
            if frames.is_followed() {
                return Err(Error::PartitionCorrupt(partition.into()));
            }
            if frames.count() > 0 {
                return Ok(bytes);
            }
        }
        if self.0.first() > Some(&0) {
            return Err(Error::PartitionCorrupt(partition.into()));
        }
        Ok(Vec::new())
    }
}

/// All names in a partition, which may not be there.
///
/// # Errors
/// [`Error::PartitionNameInvalid`] when a file lies there that the library did not make: no vote is lost.
pub(super) async fn scan<S: Storage>(storage: &S, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
    match storage.scan(partition).await {
        Err(Error::PartitionMissing(_)) => Ok(Vec::new()),
        Err(Error::PartitionCorrupt(_)) => Err(Error::PartitionNameInvalid(partition.into())),
        scanned => scanned,
    }
}

/// All bytes of a file.
pub(super) async fn read<S: Storage>(
    storage: &S,
    partition: &str,
    name: &[u8],
) -> Result<Vec<u8>, Error> {
    let (blob, length) = storage.open(partition, name).await?;
    content(&blob, length).await
}

/// Says why a log does not open or votes are not found, and what can be done.
pub(in crate::consensus) fn refusal(error: &Error) -> String {
    match error {
        Error::BlobVersionMismatch { found, .. } => {
            let or_newer = if *found > FORMAT { ", or a newer one" } else { "" };
            format!(
                "the consensus directory is of format {found}, and this program reads format {FORMAT}: start the program that wrote it{or_newer}. Its votes, blocks and certificates were not touched. {GO_ON}"
            )
        }
        Error::PartitionCorrupt(partition) => format!(
            "the disk has lost votes that it had promised to keep ({partition} in the consensus directory): put back the directory as it was when the validator stopped. {GO_ON}"
        ),
        Error::PartitionNameInvalid(partition) => format!(
            "a file that the node did not make lies in {partition} of the consensus directory: move it away; nothing is lost"
        ),
        error => format!("the log of votes and archives does not open: {error}"),
    }
}

/// What helps where the directory does not.
const GO_ON: &str = "To go on without it, move the consensus directory away, and start with `--lost-votes sit-out`: the node follows, and signs again from the next epoch on";

/// Opens the log of a generation, or makes it.
async fn open<S: Storage>(
    storage: &S,
    partition: &str,
    generation: u64,
) -> Result<(S::Blob, u64), Error> {
    let opened = storage.open_versioned(partition, &name(generation), FORMAT..=FORMAT).await;
    opened.map(|(blob, length, _)| (blob, length))
}

async fn content(blob: &impl Blob, length: u64) -> Result<Vec<u8>, Error> {
    let length = usize::try_from(length).map_err(|_| Error::OffsetOverflow)?;
    if length == 0 {
        return Ok(Vec::new());
    }
    let bytes = blob.read_at(0, length, ReadOptions::default()).await?;
    Ok(bytes.freeze().coalesce().as_ref().to_vec())
}

async fn first_frame<S: Storage>(
    storage: &S,
    partition: &str,
    (mask, generation): (u64, u64),
    whole: &Changes,
) -> Result<(S::Blob, u64), Error> {
    let (blob, length) = open(storage, partition, generation).await?;
    // What an interrupted start has left.
    if length > 0 {
        blob.resize(0).await?;
    }
    let begin = [mask.to_be_bytes().as_slice(), &frame(mask, 0, whole)?].concat();
    let length = begin.len() as u64;
    blob.write_at(0, begin, WriteOptions::default()).await?;
    blob.sync().await?;
    Ok((blob, length))
}

fn name(generation: u64) -> Vec<u8> {
    [NAME, &generation.to_be_bytes()].concat()
}
