//! [`Progress`]: what of a stream was handed to its client, written before it is handed over.
//!
//! One file a stream: a frame for the number of prompt tokens, then one a token, each
//! `length u32 | ciphertext`. One `write` a token reaches the operating system, so a kill loses
//! nothing. The file is synced every [`SYNC_EVERY`](crate::listen::SYNC_EVERY) tokens, so a loss of
//! power loses at most those and a window, in the payer's favour.

use crate::{error::ApiError, store::Store};
use alloy_primitives::B256;
use sahara_primitives::TokenCount;
use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
};

/// The open file of a running stream.
#[derive(Debug)]
pub(crate) struct Progress {
    store: Store,
    id: B256,
    file: File,
    frames: u64,
}

/// What a file says was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) prompt_tokens: TokenCount,
    pub(crate) tokens: Vec<String>,
}

impl Progress {
    pub(crate) fn create(
        store: &Store,
        id: B256,
        prompt_tokens: TokenCount,
    ) -> Result<Self, ApiError> {
        let file = File::create(store.progress_path(id)).map_err(ApiError::internal)?;
        let mut progress = Self { store: store.clone(), id, file, frames: 0 };
        progress.append(&prompt_tokens.to_be_bytes())?;
        Ok(progress)
    }

    /// Writes down that one more token leaves.
    pub(crate) fn deliver(&mut self, token: &str) -> Result<(), ApiError> {
        self.append(token.as_bytes())
    }

    /// The file, to be synced elsewhere.
    pub(crate) fn file(&self) -> Result<File, ApiError> {
        self.file.try_clone().map_err(ApiError::internal)
    }

    fn append(&mut self, plain: &[u8]) -> Result<(), ApiError> {
        let sealed = self.store.seal(self.id, self.frames, plain)?;
        let length = u32::try_from(sealed.len()).map_err(ApiError::internal)?;
        let frame = [length.to_be_bytes().as_slice(), &sealed].concat();
        self.file.write_all(&frame).map_err(ApiError::internal)?;
        self.frames = self.frames.saturating_add(1);
        Ok(())
    }

    /// Reads what was delivered; none if the file ends before its first token.
    pub(crate) fn read(store: &Store, id: B256) -> Option<Delivered> {
        let bytes = fs::read(store.progress_path(id)).ok()?;
        let mut frames = Frames { store, id, rest: &bytes, number: 0 };
        let prompt = frames.next()?;
        let prompt_tokens = TokenCount::from_be_bytes(prompt.try_into().ok()?);
        let tokens: Vec<_> =
            frames.map(|frame| String::from_utf8_lossy(&frame).into_owned()).collect();
        (!tokens.is_empty()).then_some(Delivered { prompt_tokens, tokens })
    }

    /// Removes a file whose charge is on the disk.
    pub(crate) fn remove(path: &PathBuf) {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a progress file was not removed");
        }
    }
}

struct Frames<'a> {
    store: &'a Store,
    id: B256,
    rest: &'a [u8],
    number: u64,
}

impl Iterator for Frames<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (sealed, rest) = rest.split_at_checked(length)?;
        let plain = self.store.unseal(self.id, self.number, sealed)?;
        self.rest = rest;
        self.number = self.number.saturating_add(1);
        Some(plain)
    }
}
