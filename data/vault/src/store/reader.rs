//! [`Reader`]: a stored file's plaintext.

use super::{Store, header, place};
use crate::{
    error::VaultError,
    manifest::Entry,
    seal::{self, Sealer},
    tree,
};
use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

/// A stored file, read segment by segment.
#[derive(Debug)]
pub(crate) struct Reader {
    disk: File,
    sealer: Sealer,
    size: u64,
}

impl Reader {
    pub(super) fn of(
        store: &Store,
        disk: &mut File,
        (asset, file): (u64, &Entry),
    ) -> Result<Self, VaultError> {
        let sealer = Sealer::open(&store.key, &place(asset, file), &header(disk)?)?;
        Ok(Self { disk: disk.try_clone()?, sealer, size: file.size })
    }

    /// A segment's plaintext.
    pub(crate) fn segment(&mut self, index: u64) -> Result<Vec<u8>, VaultError> {
        if index >= tree::segments(self.size) {
            return Err(VaultError::Missing(format!("there is no segment {index}")));
        }
        self.disk.seek(SeekFrom::Start(seal::offset(index)))?;
        let mut sealed = Vec::new();
        (&mut self.disk).take(seal::sealed_len(self.size, index)).read_to_end(&mut sealed)?;
        self.sealer.unseal(index, &sealed)
    }
}

/// A segment that does not open is what a power cut left: nothing is synced before the last one. It is cut
/// off with all behind it, so that the push goes on there.
pub(super) fn cut_off<T>(
    disk: &File,
    (index, file): (u64, &Entry),
    error: VaultError,
) -> Result<T, VaultError> {
    if !matches!(error, VaultError::Damaged(_)) {
        return Err(error);
    }
    tracing::warn!(%error, path = %file.path, index, "a partial file is cut off where it is damaged");
    disk.set_len(if index == 0 { 0 } else { seal::offset(index) })?;
    Err(VaultError::OutOfOrder { expected: index })
}
