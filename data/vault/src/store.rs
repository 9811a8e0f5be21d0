//! [`Store`]: what lies on disk.
//!
//! ```text
//! key                          the vault's key, 32 bytes in hexadecimal, readable by its user alone
//! assets/7/record.json         what is known of asset 7
//! assets/7/manifest.json       its files; its BLAKE3 hash is the content hash on chain
//! assets/7/document.json       its metadata; its BLAKE3 hash stands in the metadata URI
//! assets/7/<blake3>.tree       values of a file's segments
//! assets/7/<blake3>.partial    a file that is being pushed, encrypted
//! assets/7/<blake3>.sealed     a whole file, encrypted
//! ```
//!
//! Inside an asset content is stored once, by its hash. Assets share nothing: otherwise whoever
//! knows the hash of a file could register it and read what somebody else pushed.
//!
//! # Failure and recovery
//! Records are replaced by renaming. A partial file counts whole segments only; what a kill or a full
//! disk left behind them is cut off before the next one is written. A file is synced before it is
//! called whole.

mod reader;

pub(crate) use reader::Reader;
use reader::cut_off;

use crate::{
    error::VaultError,
    known::{Here, Known},
    manifest::{Entry, Manifest},
    seal::{self, Place, Sealer},
    tree::{self, Value},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use zeroize::Zeroizing;

/// The longest record: a few fields, and a name of at most 96 characters.
const MAX_RECORD: usize = 512;

/// What is known of an asset without the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) asset: u64,
    /// `models` or `datasets`.
    pub(crate) shelf: String,
    /// The repository's name, as `0x.../name`.
    pub(crate) repository: String,
    /// When it was registered, Unix seconds.
    pub(crate) registered_at: u64,
    /// The content hash, 64 hexadecimal digits; its first 40 are the revision.
    pub(crate) content: String,
}

impl Record {
    /// What other systems call a commit.
    pub(crate) fn commit(&self) -> &str {
        self.content.get(..40).unwrap_or_default()
    }
}

/// A vault's directory.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    key: Zeroizing<[u8; 32]>,
    /// The most bytes that files may take.
    capacity: u64,
    /// Bytes that files take: counted when the directory is opened, kept with every write.
    used: AtomicU64,
    /// What strangers may ask for as often as they like.
    known: Mutex<Known>,
}

impl Store {
    /// Opens a directory, or makes a new one with a new key.
    pub(crate) fn open(directory: &Path, capacity: u64) -> Result<Self, VaultError> {
        fs::create_dir_all(directory.join("assets"))?;
        let file = directory.join("key");
        if !file.exists() {
            if fs::read_dir(directory.join("assets"))?.next().is_some() {
                return Err(VaultError::Damaged(format!(
                    "{} is missing: expected the key under which this vault was filled",
                    file.display()
                )));
            }
            let key = Zeroizing::new(hex::encode(rand::random::<[u8; 32]>()));
            replace(&file, key.as_bytes())?;
        }
        let text = Zeroizing::new(fs::read_to_string(&file)?);
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), key.as_mut_slice()).map_err(|_| {
            VaultError::Damaged(format!("{} holds no key of 32 bytes", file.display()))
        })?;
        let used = AtomicU64::new(measure(directory)?);
        let known = Mutex::default();
        Ok(Self { directory: directory.to_owned(), key, capacity, used, known })
    }

    /// Every asset.
    pub(crate) fn records(&self) -> Result<Vec<Record>, VaultError> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.directory.join("assets"))? {
            // Without a record nothing was promised yet.
            let Ok(text) = fs::read(entry?.path().join("record.json")) else { continue };
            let record = serde_json::from_slice(&text);
            records.push(record.map_err(|error| VaultError::Damaged(error.to_string()))?);
        }
        Ok(records)
    }

    fn at(&self, asset: u64, name: &str) -> PathBuf {
        self.directory.join("assets").join(asset.to_string()).join(name)
    }

    /// Remembers an asset with its texts.
    pub(crate) fn put(&self, record: &Record, texts: (&str, &str)) -> Result<(), VaultError> {
        let asset = record.asset;
        let length = texts.0.len().saturating_add(texts.1.len()).saturating_add(MAX_RECORD);
        self.check_bytes(
            u64::try_from(length).unwrap_or(u64::MAX),
            "the manifest and the metadata",
        )?;
        fs::create_dir_all(self.at(asset, ""))?;
        self.replace(&self.at(asset, "manifest.json"), texts.0.as_bytes())?;
        self.replace(&self.at(asset, "document.json"), texts.1.as_bytes())?;
        let record =
            serde_json::to_vec(record).map_err(|error| VaultError::Damaged(error.to_string()))?;
        self.replace(&self.at(asset, "record.json"), &record)
    }

    /// Writes a file whole or not at all, and counts it.
    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), VaultError> {
        self.counted(path, || replace(path, content))
    }

    /// Does something to a file and counts what it then takes, also when it failed. An asset has one
    /// writer at a time, so nobody else changes the file meanwhile.
    fn counted<T>(
        &self,
        path: &Path,
        change: impl FnOnce() -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let length = || fs::metadata(path).map_or(0, |file| file.len());
        let before = length();
        let done = change();
        let after = length();
        // Atomics wrap, so that adding a negative difference takes it away.
        self.used.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
        done
    }

    /// An asset's manifest and document, as texts.
    pub(crate) fn texts(&self, asset: u64) -> Result<(String, String), VaultError> {
        let read = |name: &str| fs::read_to_string(self.at(asset, name));
        match (read("manifest.json"), read("document.json")) {
            (Ok(manifest), Ok(document)) => Ok((manifest, document)),
            _ => Err(VaultError::Missing(format!("nothing was pushed of asset {asset}"))),
        }
    }

    /// An asset's manifest, which never changes once it is here.
    pub(crate) fn manifest(&self, asset: u64) -> Result<Arc<Manifest>, VaultError> {
        if let Some(manifest) = self.known.lock().manifest(asset) {
            return Ok(manifest);
        }
        let text = self.texts(asset)?.0;
        let manifest = Arc::new(Manifest::read(&text)?);
        self.known.lock().keep(asset, &manifest, text.len());
        Ok(manifest)
    }

    /// Whether every file of an asset is here. A whole file stays so: only the first that was missing
    /// is looked for again.
    pub(crate) fn is_whole(&self, asset: u64) -> Result<bool, VaultError> {
        let is_here = |file: &Entry| self.held(asset, file) == tree::segments(file.size);
        let before = self.known.lock().here(asset);
        let from = match before {
            Some(Here::Whole) => return Ok(true),
            Some(Here::Until(_, file)) if !is_here(&file) => return Ok(false),
            Some(Here::Until(index, _)) => index,
            None => 0,
        };
        let manifest = self.manifest(asset)?;
        let mut files = manifest.files.iter().enumerate().skip(from);
        let here = match files.find(|(_, file)| !is_here(file)) {
            Some((index, file)) => Here::Until(index, file.clone()),
            None => Here::Whole,
        };
        let is_whole = matches!(here, Here::Whole);
        self.known.lock().note(asset, here);
        Ok(is_whole)
    }

    /// Segments of a file that are here; all of them only if the file is whole.
    pub(crate) fn held(&self, asset: u64, file: &Entry) -> u64 {
        if self.at(asset, &format!("{}.sealed", file.blake3)).exists() {
            return tree::segments(file.size);
        }
        let partial = self.at(asset, &format!("{}.partial", file.blake3));
        let length = fs::metadata(partial).map_or(0, |partial| partial.len());
        seal::held(file.size, length).min(tree::segments(file.size).saturating_sub(1))
    }

    /// The values of a file's segments.
    pub(crate) fn tree(&self, asset: u64, file: &Entry) -> Result<Vec<Value>, VaultError> {
        let bytes = fs::read(self.at(asset, &format!("{}.tree", file.blake3)));
        let bytes = bytes.map_err(|_| {
            VaultError::Missing(format!("the tree of `{}` was not pushed", file.path))
        })?;
        read_tree(&bytes, file)
    }

    /// Takes the values of a file's segments.
    pub(crate) fn put_tree(
        &self,
        asset: u64,
        file: &Entry,
        bytes: &[u8],
    ) -> Result<(), VaultError> {
        read_tree(bytes, file)?;
        let place = self.at(asset, &format!("{}.tree", file.blake3));
        let before = fs::metadata(&place).map_or(0, |tree| tree.len());
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_sub(before);
        self.check_bytes(more, &format!("the tree of `{}`", file.path))?;
        self.replace(&place, bytes)
    }

    /// Takes the next segment of a file; returns how many are here now.
    pub(crate) fn append(
        &self,
        asset: u64,
        file: &Entry,
        (index, segment): (u64, &[u8]),
    ) -> Result<u64, VaultError> {
        let expected = self.held(asset, file);
        if index < expected {
            return Ok(expected); // sent again: the answer to it was lost
        }
        if index > expected {
            return Err(VaultError::OutOfOrder { expected });
        }
        let values = self.tree(asset, file)?;
        let value = usize::try_from(index).ok().and_then(|index| values.get(index));
        if value.is_none() || value != tree::value(file.size, index, segment).as_ref() {
            return Err(VaultError::Invalid(format!(
                "segment {index} of `{}` is not what its tree says",
                file.path
            )));
        }
        self.check_room(file, index)?;
        let partial = self.at(asset, &format!("{}.partial", file.blake3));
        self.counted(&partial, || self.write(&partial, (asset, file), (index, segment)))?;
        let held = index.saturating_add(1);
        if held == tree::segments(file.size) {
            fs::rename(&partial, self.at(asset, &format!("{}.sealed", file.blake3)))?;
            File::open(self.at(asset, ""))?.sync_all()?;
        }
        Ok(held)
    }

    /// Puts a segment behind those that are here; the last one is written only if the file is then whole.
    fn write(
        &self,
        partial: &Path,
        (asset, file): (u64, &Entry),
        (index, segment): (u64, &[u8]),
    ) -> Result<(), VaultError> {
        let mut disk =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(partial)?;
        let sealer = self.sealer(&mut disk, (asset, file), index)?;
        disk.set_len(seal::offset(index))?;
        disk.seek(SeekFrom::Start(seal::offset(index)))?;
        disk.write_all(&sealer.seal(index, segment)?)?;
        if index.saturating_add(1) == tree::segments(file.size) {
            disk.sync_all()?;
            self.finish(&mut disk, asset, file)?;
        }
        Ok(())
    }

    /// A file begins only if there is room for all of it, and goes on while there is room.
    fn check_room(&self, file: &Entry, index: u64) -> Result<(), VaultError> {
        let more = match index {
            0 => seal::length_of(file.size),
            _ => seal::sealed_len(file.size, index),
        };
        self.check_bytes(more, &format!("`{}`", file.path))
    }

    fn check_bytes(&self, more: u64, what: &str) -> Result<(), VaultError> {
        let is_room = self.used.load(Ordering::Relaxed).saturating_add(more) <= self.capacity;
        if more == 0 || is_room {
            return Ok(());
        }
        let most = self.capacity;
        Err(VaultError::Full(format!("{what} would pass the {most} bytes of this vault")))
    }

    /// The file's cipher; a new file gets its header.
    fn sealer(
        &self,
        disk: &mut File,
        (asset, file): (u64, &Entry),
        index: u64,
    ) -> Result<Sealer, VaultError> {
        let place = place(asset, file);
        if index > 0 {
            let sealer = Sealer::open(&self.key, &place, &header(disk)?);
            return sealer.or_else(|error| cut_off(disk, (0, file), error));
        }
        let (sealer, header) = Sealer::create(&self.key, &place)?;
        disk.set_len(0)?;
        disk.write_all(&header)?;
        Ok(sealer)
    }

    /// The tree proved BLAKE3; the other hash that the manifest promises is checked at the end.
    fn finish(&self, disk: &mut File, asset: u64, file: &Entry) -> Result<(), VaultError> {
        let mut reader = Reader::of(self, disk, (asset, file))?;
        let mut sha256 = Sha256::new();
        for index in 0..tree::segments(file.size) {
            let segment = reader.segment(index);
            sha256.update(segment.or_else(|error| cut_off(disk, (index, file), error))?);
        }
        if hex::encode(sha256.finalize()) == file.sha256 {
            return Ok(());
        }
        disk.set_len(0)?;
        Err(VaultError::Invalid(format!("the SHA-256 of `{}` is not the manifest's", file.path)))
    }

    /// Opens a whole file for reading.
    pub(crate) fn read(&self, asset: u64, file: &Entry) -> Result<Reader, VaultError> {
        let sealed = File::open(self.at(asset, &format!("{}.sealed", file.blake3)));
        let mut sealed = sealed.map_err(|_| {
            VaultError::Missing(format!("`{}` was not pushed to the end", file.path))
        })?;
        Reader::of(self, &mut sealed, (asset, file))
    }
}

/// Bytes that files take.
fn measure(directory: &Path) -> Result<u64, VaultError> {
    let mut used = 0_u64;
    for asset in fs::read_dir(directory.join("assets"))? {
        for file in fs::read_dir(asset?.path())? {
            used = used.saturating_add(file?.metadata()?.len());
        }
    }
    Ok(used)
}

fn place(asset: u64, file: &Entry) -> Place {
    Place { asset, blake3: file.root(), size: file.size }
}

fn header(disk: &mut File) -> Result<Vec<u8>, VaultError> {
    disk.seek(SeekFrom::Start(0))?;
    let mut header = Vec::new();
    (&mut *disk).take(seal::HEADER).read_to_end(&mut header)?;
    Ok(header)
}

/// Values of segments that join to the file's hash.
pub(crate) fn read_tree(bytes: &[u8], file: &Entry) -> Result<Vec<Value>, VaultError> {
    let (values, rest) = bytes.as_chunks::<32>();
    if rest.is_empty() && tree::root(file.size, values) == Some(file.root()) {
        return Ok(values.to_vec());
    }
    Err(VaultError::Invalid(format!("the tree of `{}` does not join to its hash", file.path)))
}

/// Writes a file whole or not at all, readable by its user alone.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), VaultError> {
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(fs::rename(&beside, path)?)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the tests' own numbers are small")]
mod tests;
