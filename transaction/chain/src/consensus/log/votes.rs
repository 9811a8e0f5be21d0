//! Files in memory, whose syncs are the log's.

use std::{ops::RangeInclusive, sync::Arc};

use alloy_primitives::hex;
use commonware_runtime::{
    Blob, BlobVersion, BufMut as _, DEFAULT_BLOB_VERSION, Error, Handle, IoBufMut, IoBufs,
    IoBufsMut, ReadOptions, Storage, WriteOptions,
};
use parking_lot::Mutex;
use tracing::info;

use super::{
    file::{read, scan},
    frame::Change,
    shared::{Key, Shared, VOTES, is_removed_by, key_of, parts},
};

/// The length of the names that simplex gives to the files of its views.
const VIEW_NAME: usize = 8;
/// Stands where an older program keeps the files of views. It takes each name for a view's number and stops
/// at this one, so that it does not begin without the votes. An entry of this name in the log answers it: a log
/// without it is not the one in which the votes are.
const MOVED: &[u8] = b"moved to the log";

/// Simplex's files.
pub(in crate::consensus) struct Votes<S: Storage>(pub(super) Arc<Shared<S>>);

/// What a file holds.
#[derive(Clone)]
pub(super) struct InMemory {
    pub(super) version: BlobVersion,
    pub(super) content: Arc<Mutex<Vec<u8>>>,
}

impl InMemory {
    pub(super) fn new(version: BlobVersion) -> Self {
        Self { version, content: Arc::default() }
    }

    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let start = usize::try_from(offset).map_err(|_| Error::OffsetOverflow)?;
        let end = start.checked_add(bytes.len()).ok_or(Error::OffsetOverflow)?;
        let mut content = self.content.lock();
        if content.len() < end {
            content.resize(end, 0);
        }
        content.get_mut(start..end).ok_or(Error::OffsetOverflow)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn resize(&self, length: u64) -> Result<(), Error> {
        let length = usize::try_from(length).map_err(|_| Error::OffsetOverflow)?;
        self.content.lock().resize(length, 0);
        Ok(())
    }
}

impl<S: Storage> Clone for Votes<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Storage> Votes<S> {
    /// Takes over what an older program kept in the partition: a file for each view.
    ///
    /// # Errors
    /// When the disk refuses, or the votes of the partition were in a log that is gone.
    pub(in crate::consensus) async fn take_over(&self, partition: &str) -> Result<(), Error> {
        let Self(shared) = self;
        let names = scan(&shared.storage, partition).await?;
        let is_moved = names.iter().any(|name| name == MOVED);
        let views: Vec<_> = names.iter().filter(|name| name.len() == VIEW_NAME).collect();
        let answer = key_of(VOTES, partition, MOVED);
        if is_moved && !shared.table.lock().votes.contains_key(&answer) {
            return Err(Error::PartitionCorrupt(partition.into()));
        }
        if !is_moved {
            for name in &views {
                let bytes = read(&shared.storage, partition, name).await?;
                let key = key_of(VOTES, partition, name);
                let file = InMemory::new(DEFAULT_BLOB_VERSION);
                file.write(0, &bytes)?;
                let mut table = shared.table.lock();
                table.push(&Change::Create { name: &key, version: file.version });
                table.push(&Change::Write { name: &key, offset: 0, bytes: &bytes });
                table.votes.insert(key, file);
            }
            {
                let mut table = shared.table.lock();
                let file = InMemory::new(DEFAULT_BLOB_VERSION);
                table.push(&Change::Create { name: &answer, version: file.version });
                table.votes.insert(answer, file);
            }
            shared.sync().await?;
            drop(shared.storage.open(partition, MOVED).await?);
        }
        for name in &views {
            shared.storage.remove(partition, Some(name)).await?;
        }
        if !views.is_empty() {
            info!(partition, views = views.len(), "the votes of these views are in the log now");
        }
        Ok(())
    }
}

impl<S: Storage> Votes<S> {
    /// The partitions of which the log has votes.
    pub(in crate::consensus) fn partitions(&self) -> Vec<String> {
        let table = self.0.table.lock();
        let partitions = table.votes.keys().filter_map(|key| Some(parts(key).ok()?.0.to_owned()));
        let mut partitions: Vec<_> = partitions.collect();
        partitions.dedup();
        partitions
    }
}

impl<S: Storage> Storage for Votes<S> {
    type Blob = Vote<S>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Vote<S>, u64, BlobVersion), Error> {
        let Self(shared) = self;
        let key = key_of(VOTES, partition, name);
        let mut table = shared.table.lock();
        let file = match table.votes.get(&key).cloned() {
            Some(file) if versions.contains(&file.version) => file,
            Some(InMemory { version: found, .. }) => {
                return Err(Error::BlobVersionMismatch { expected: versions, found });
            }
            None => {
                let file = InMemory::new(*versions.end());
                table.push(&Change::Create { name: &key, version: file.version });
                table.votes.insert(key.clone(), file.clone());
                file
            }
        };
        let (length, version) = (file.content.lock().len() as u64, file.version);
        Ok((Vote { shared: Arc::clone(shared), key, file }, length, version))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        let Self(shared) = self;
        let key = key_of(VOTES, partition, name.unwrap_or_default());
        if name.is_none() {
            // First, so that a crash leaves the log's answer without the question, and not the other way.
            match shared.storage.remove(partition, None).await {
                Ok(()) | Err(Error::PartitionMissing(_)) => {}
                failed => return failed,
            }
        }
        let mut table = shared.table.lock();
        match name {
            Some(name) if table.votes.remove(&key).is_none() => {
                return Err(Error::BlobMissing(partition.into(), hex::encode(name)));
            }
            Some(_) => {}
            None => table.votes.retain(|other, _| !is_removed_by(&key, other)),
        }
        table.push(&Change::Remove { name: &key });
        Ok(())
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        let prefix = key_of(VOTES, partition, &[]);
        let table = self.0.table.lock();
        let names = table.votes.keys().filter_map(|key| key.strip_prefix(prefix.as_slice()));
        Ok(names.filter(|name| *name != MOVED).map(<[u8]>::to_vec).collect())
    }
}

/// One of simplex's files.
pub(in crate::consensus) struct Vote<S: Storage> {
    shared: Arc<Shared<S>>,
    key: Key,
    file: InMemory,
}

impl<S: Storage> Vote<S> {
    /// Remembers a change, unless the file was removed.
    fn change(&self, change: &Change<'_>) -> Result<(), Error> {
        let mut table = self.shared.table.lock();
        match *change {
            Change::Write { offset, bytes, .. } => self.file.write(offset, bytes)?,
            Change::Resize { length, .. } => self.file.resize(length)?,
            Change::Create { .. } | Change::Remove { .. } => {}
        }
        let live = table.votes.get(&self.key);
        if live.is_some_and(|live| Arc::ptr_eq(&live.content, &self.file.content)) {
            table.push(change);
        }
        Ok(())
    }
}

impl<S: Storage> Blob for Vote<S> {
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
        _: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        let bufs = bufs.into();
        let start = usize::try_from(offset).map_err(|_| Error::OffsetOverflow)?;
        let end = start.checked_add(len).ok_or(Error::OffsetOverflow)?;
        let content = self.file.content.lock();
        let bytes = content.get(start..end).ok_or(Error::BlobInsufficientLength)?;
        Ok(filled(bufs, bytes))
    }

    async fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let bytes = bufs.into().coalesce();
        self.change(&Change::Write { name: &self.key, offset, bytes: bytes.as_ref() })?;
        if options.contains(WriteOptions::SYNC) {
            return self.shared.sync().await;
        }
        Ok(())
    }

    async fn resize(&self, length: u64) -> Result<(), Error> {
        self.change(&Change::Resize { name: &self.key, length })
    }

    async fn sync(&self) -> Result<(), Error> {
        self.shared.sync().await
    }

    async fn start_sync(&self) -> Handle<()> {
        Handle::ready(self.sync().await)
    }
}

/// The bytes in the caller's buffer if it is in one piece, else in one of their own.
pub(super) fn filled(bufs: IoBufsMut, bytes: &[u8]) -> IoBufsMut {
    let mut buffer =
        bufs.try_into_single().unwrap_or_else(|_| IoBufMut::with_capacity(bytes.len()));
    buffer.clear();
    buffer.put_slice(bytes);
    buffer.into()
}
