//! Files that are written to their places after the log.

use std::{
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use commonware_runtime::{
    Blob, BlobVersion, Error, Handle, IoBuf, IoBufMut, IoBufs, IoBufsMut, ReadOptions, Storage,
    WriteOptions,
};
use parking_lot::Mutex;

use super::{
    frame::Change,
    shared::{ARCHIVES, Key, Shared, Table, is_removed_by, key_of},
    steps::Steps,
    votes::filled,
};

/// Marshal's files.
pub(in crate::consensus) struct Archives<S: Storage>(pub(super) Arc<Shared<S>>);

/// A file in its place, and what is not there yet.
pub(super) struct Placed<B> {
    blob: B,
    version: BlobVersion,
    ahead: Mutex<Ahead>,
}

struct Ahead {
    /// With what is ahead.
    length: u64,
    /// Bytes of the place that may be read.
    placed: u64,
    /// Number of the change, and what it was; oldest first.
    changes: Vec<(u64, Done)>,
}

#[derive(Clone)]
enum Done {
    Write(u64, IoBuf),
    Resize(u64),
}

impl Ahead {
    fn push(&mut self, number: u64, done: Done) {
        self.length = done.length_after(self.length);
        self.changes.push((number, done));
    }

    /// What was done to this range, oldest first.
    fn done_to(&self, range: &Range<u64>) -> Vec<Done> {
        let touches = |done: &&Done| match done {
            Done::Write(at, bytes) => {
                *at < range.end && at.saturating_add(bytes.len() as u64) > range.start
            }
            Done::Resize(length) => *length < range.end,
        };
        self.changes.iter().map(|(_, done)| done).filter(touches).cloned().collect()
    }
}

impl Done {
    fn length_after(&self, length: u64) -> u64 {
        match self {
            Self::Write(at, bytes) => length.max(at.saturating_add(bytes.len() as u64)),
            Self::Resize(length) => *length,
        }
    }

    /// Does it to the bytes that begin at `start`.
    fn redo(&self, bytes: &mut [u8], start: u64) {
        let from = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
        match self {
            Self::Write(at, written) => {
                let skipped = usize::try_from(start.saturating_sub(*at)).unwrap_or(usize::MAX);
                let written = written.as_ref().iter().skip(skipped);
                bytes.iter_mut().skip(from(*at)).zip(written).for_each(|(to, byte)| *to = *byte);
            }
            Self::Resize(length) => {
                bytes.iter_mut().skip(from(*length)).for_each(|byte| *byte = 0);
            }
        }
    }
}

impl<B: Blob> Placed<B> {
    const fn new(blob: B, length: u64, version: BlobVersion) -> Self {
        let ahead = Ahead { length, placed: length, changes: Vec::new() };
        Self { blob, version, ahead: Mutex::new(ahead) }
    }

    /// Writes to its place what is durable in the log, and syncs it.
    pub(super) async fn place(&self, durable: u64) -> Result<(), Error> {
        let (changes, placed) = {
            let mut ahead = self.ahead.lock();
            let is_durable = |(number, _): &&(u64, Done)| *number <= durable;
            let changes: Vec<_> =
                ahead.changes.iter().take_while(is_durable).map(|(_, done)| done.clone()).collect();
            let mut placed = ahead.placed;
            for done in &changes {
                placed = done.length_after(placed);
                // What is cut off meanwhile is not read from the place.
                ahead.placed = ahead.placed.min(placed);
            }
            (changes, placed)
        };
        if changes.is_empty() {
            return Ok(());
        }
        let mut steps = Steps::default();
        for done in &changes {
            match done {
                Done::Write(at, bytes) => steps.write(*at, bytes.as_ref()),
                Done::Resize(length) => steps.resize(*length),
            }
        }
        steps.take_on(&self.blob).await?;
        self.blob.sync().await?;
        let mut ahead = self.ahead.lock();
        ahead.changes.drain(..changes.len());
        ahead.placed = placed;
        Ok(())
    }

    /// The bytes as they will be in their place.
    async fn read(&self, offset: u64, len: usize, options: ReadOptions) -> Result<Vec<u8>, Error> {
        let end = offset.checked_add(len as u64).ok_or(Error::OffsetOverflow)?;
        let range = offset..end;
        let (done, placed) = {
            let ahead = self.ahead.lock();
            if end > ahead.length {
                return Err(Error::BlobInsufficientLength);
            }
            (ahead.done_to(&range), ahead.placed)
        };
        let in_place = usize::try_from(placed.min(end).saturating_sub(offset));
        let in_place = in_place.map_err(|_| Error::OffsetOverflow)?;
        let mut bytes = vec![0; len];
        if let Some(known) = bytes.get_mut(..in_place).filter(|known| !known.is_empty()) {
            let read = self.blob.read_at(offset, in_place, options).await?.freeze().coalesce();
            known.copy_from_slice(read.as_ref());
        }
        for done in done {
            done.redo(&mut bytes, offset);
        }
        Ok(bytes)
    }
}

impl<S: Storage> Clone for Archives<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Storage> Archives<S> {
    /// Makes durable what was written until now.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(in crate::consensus) async fn sync(&self) -> Result<(), Error> {
        self.0.sync().await
    }
}

impl<S: Storage> Storage for Archives<S> {
    type Blob = Archive<S>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Archive<S>, u64, BlobVersion), Error> {
        let Self(shared) = self;
        let key = key_of(ARCHIVES, partition, name);
        let found = shared.table.lock().archives.get(&key).cloned();
        let file = match found {
            Some(file) if versions.contains(&file.version) => file,
            Some(file) => {
                let found = file.version;
                return Err(Error::BlobVersionMismatch { expected: versions, found });
            }
            None => {
                let (blob, length, version) =
                    shared.storage.open_versioned(partition, name, versions).await?;
                let file = Arc::new(Placed::new(blob, length, version));
                let mut table = shared.table.lock();
                table.archives.insert(key.clone(), Arc::clone(&file));
                if length == 0 {
                    // Perhaps one of its name was removed, and this is not that one.
                    table.push(&Change::Create { name: &key, version });
                }
                file
            }
        };
        let (length, version) = (file.ahead.lock().length, file.version);
        Ok((Archive { shared: Arc::clone(shared), key, file }, length, version))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        let Self(shared) = self;
        let key = key_of(ARCHIVES, partition, name.unwrap_or_default());
        // The log knows first: what it tells of a file is not written into its successor. And each log
        // that begins until the file is gone knows it too.
        let _removing = Removing::begin(&shared.table, &key);
        shared.sync().await?;
        shared.storage.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.0.storage.scan(partition).await
    }
}

/// While it lives, logs begin with the removal of a file.
struct Removing<'a, B>(&'a Mutex<Table<B>>, &'a Key);

impl<'a, B> Removing<'a, B> {
    fn begin(table: &'a Mutex<Table<B>>, key: &'a Key) -> Self {
        let mut locked = table.lock();
        locked.archives.retain(|other, _| !is_removed_by(key, other));
        locked.push(&Change::Remove { name: key });
        locked.removing.push(key.clone());
        drop(locked);
        Self(table, key)
    }
}

impl<B> Drop for Removing<'_, B> {
    fn drop(&mut self) {
        let Self(table, key) = self;
        let mut table = table.lock();
        if let Some(at) = table.removing.iter().position(|one| one == *key) {
            table.removing.swap_remove(at);
        }
    }
}

/// One of marshal's files.
pub(in crate::consensus) struct Archive<S: Storage> {
    shared: Arc<Shared<S>>,
    key: Key,
    file: Arc<Placed<S::Blob>>,
}

impl<S: Storage> Archive<S> {
    /// Remembers a change, unless the file was removed.
    fn change(&self, change: &Change<'_>, done: Done) {
        let mut table = self.shared.table.lock();
        if table.is_live(&self.key, &self.file) {
            let number = table.push(change);
            self.file.ahead.lock().push(number, done);
        }
    }
}

impl<S: Storage> Blob for Archive<S> {
    async fn read_at(
        &self,
        offset: u64,
        len: usize,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.read_at_buf(offset, len, IoBufMut::with_capacity(len), options).await
    }

    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        let bufs = bufs.into();
        Ok(filled(bufs, &self.file.read(offset, len, options).await?))
    }

    async fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let bytes = bufs.into().coalesce();
        let change = Change::Write { name: &self.key, offset, bytes: bytes.as_ref() };
        // A copy: the buffer is the caller's, who may have asked for far more than it filled.
        self.change(&change, Done::Write(offset, IoBuf::from(bytes.as_ref().to_vec())));
        if options.contains(WriteOptions::SYNC) {
            self.shared.check()?;
        }
        self.shared.make_room().await
    }

    async fn resize(&self, length: u64) -> Result<(), Error> {
        let change = Change::Resize { name: &self.key, length };
        self.change(&change, Done::Resize(length));
        Ok(())
    }

    async fn sync(&self) -> Result<(), Error> {
        self.shared.check()
    }

    async fn start_sync(&self) -> Handle<()> {
        Handle::ready(self.sync().await)
    }
}
