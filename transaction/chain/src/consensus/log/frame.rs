//! Frames: changes that became durable together.
//!
//! ```text
//! log     = mask (u64) ‖ frames
//! frame   = length of the changes (u32) ‖ CRC-32C of the rest (u32) ‖ mask ⊕ number (u64) ‖ changes
//! create  = 0 ‖ name ‖ version (u16)
//! write   = 1 ‖ name ‖ offset (u64) ‖ length (u32) ‖ bytes
//! resize  = 2 ‖ name ‖ length (u64)
//! remove  = 3 ‖ name                                        name = length (u8) ‖ bytes; big-endian
//! ```
//!
//! The mask is drawn when the log is opened, and nobody else knows it. Blocks stand in the log as their
//! senders wrote them: without it, one could write what looks like a frame, and a log that a crash cut off
//! there would seem to have lost what was synced.

use std::ops::Range;

use commonware_cryptography::Crc32;
use commonware_runtime::{BlobVersion, Error};

const HEADER: usize = 16;
const MASK: usize = 8;
/// A frame that was cut off is not followed by so many others.
const MOST_LATER: u64 = 1 << 16;

/// What can happen to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    Create { name: &'a [u8], version: BlobVersion },
    Write { name: &'a [u8], offset: u64, bytes: &'a [u8] },
    Resize { name: &'a [u8], length: u64 },
    Remove { name: &'a [u8] },
}

impl<'a> Change<'a> {
    pub(super) const fn name(&self) -> &'a [u8] {
        match *self {
            Self::Create { name, .. }
            | Self::Write { name, .. }
            | Self::Resize { name, .. }
            | Self::Remove { name } => name,
        }
    }
}

/// Changes, encoded.
#[derive(Clone, Default)]
pub(super) struct Changes {
    bytes: Vec<u8>,
    /// One had a name of more than 255 bytes, or a write of 4 GiB or more.
    has_too_long: bool,
}

impl Changes {
    pub(super) fn followed_by(mut self, later: &Self) -> Self {
        self.bytes.extend_from_slice(&later.bytes);
        self.has_too_long |= later.has_too_long;
        self
    }

    /// Bytes.
    pub(super) const fn length(&self) -> usize {
        self.bytes.len()
    }

    #[cfg(test)]
    pub(super) const fn raw(bytes: Vec<u8>) -> Self {
        Self { bytes, has_too_long: false }
    }

    /// Names are at most 255 bytes and single writes below 4 GiB; what is longer makes [`frame`] refuse.
    pub(super) fn push(&mut self, change: &Change<'_>) {
        let written = if let Change::Write { bytes, .. } = change { bytes.len() } else { 0 };
        self.has_too_long |=
            u8::try_from(change.name().len()).is_err() || u32::try_from(written).is_err();
        let out = &mut self.bytes;
        let mut begin = |tag: u8, name: &[u8]| {
            out.extend_from_slice(&[tag, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
            out.extend_from_slice(name);
        };
        match *change {
            Change::Create { name, version } => {
                begin(0, name);
                out.extend_from_slice(&version.get().to_be_bytes());
            }
            Change::Write { name, offset, bytes } => {
                begin(1, name);
                out.extend_from_slice(&offset.to_be_bytes());
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(bytes);
            }
            Change::Resize { name, length } => {
                begin(2, name);
                out.extend_from_slice(&length.to_be_bytes());
            }
            Change::Remove { name } => begin(3, name),
        }
    }
}

/// What is not in the log yet.
#[derive(Default)]
pub(super) struct Unwritten {
    changes: Changes,
    count: u64,
}

impl Unwritten {
    /// Returns the number of the change.
    pub(super) fn push(&mut self, change: &Change<'_>) -> u64 {
        self.changes.push(change);
        self.count = self.count.saturating_add(1);
        self.count
    }

    /// How many changes there have been, written or not.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Bytes.
    pub(super) const fn length(&self) -> usize {
        self.changes.length()
    }

    /// The changes, and how many there have been.
    pub(super) fn take(&mut self) -> (Changes, u64) {
        (std::mem::take(&mut self.changes), self.count)
    }
}

/// The frame of this number.
///
/// # Errors
/// When the changes take 4 GiB or more, or one of them is too long.
pub(super) fn frame(mask: u64, number: u64, changes: &Changes) -> Result<Vec<u8>, Error> {
    let Changes { bytes, has_too_long } = changes;
    let length = u32::try_from(bytes.len()).ok().filter(|_| !has_too_long);
    let length = length.ok_or(Error::OffsetOverflow)?;
    let rest = [(mask ^ number).to_be_bytes().as_slice(), bytes].concat();
    let checksum = Crc32::checksum(&rest);
    Ok([length.to_be_bytes().as_slice(), &checksum.to_be_bytes(), &rest].concat())
}

/// The whole frames of a log, from its first on.
pub(super) struct Frames<'a> {
    mask: u64,
    rest: &'a [u8],
    count: u64,
}

impl<'a> Frames<'a> {
    pub(super) const fn new(log: &'a [u8]) -> Self {
        let (mask, rest) = match log.split_first_chunk::<MASK>() {
            Some((mask, rest)) => (u64::from_be_bytes(*mask), rest),
            None => (0, log),
        };
        Self { mask, rest, count: 0 }
    }

    /// How many there were.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that follow.
    #[cfg(test)]
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The changes of the next frame, if it is whole.
    pub(super) fn next(&mut self) -> Option<Read<'a>> {
        let (changes, after) = self.whole(self.rest, self.count..self.count.saturating_add(1))?;
        self.count = self.count.saturating_add(1);
        self.rest = after;
        Some(Read(changes))
    }

    /// The changes of all whole frames, and [`None`] where one cannot be read.
    pub(super) fn changes(mut self) -> impl Iterator<Item = Option<Change<'a>>> {
        std::iter::from_fn(move || self.next()).flatten()
    }

    /// Whether a later frame stands somewhere behind the one that is not whole.
    pub(super) fn is_followed(&self) -> bool {
        let later = self.count.saturating_add(1)..self.count.saturating_add(MOST_LATER);
        let mut starts = 1..self.rest.len();
        starts.any(|start| {
            self.rest.get(start..).is_some_and(|rest| self.whole(rest, later.clone()).is_some())
        })
    }

    /// The changes of the frame that `bytes` begin with, if its number is one of these, and what follows.
    fn whole(&self, bytes: &'a [u8], numbers: Range<u64>) -> Option<(&'a [u8], &'a [u8])> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let (length, header) = header.split_first_chunk::<4>()?;
        let (checksum, number) = header.split_first_chunk::<4>()?;
        if !numbers.contains(&(u64::from_be_bytes(number.try_into().ok()?) ^ self.mask)) {
            return None;
        }
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (changes, after) = rest.split_at_checked(length)?;
        let checked = bytes.get(8..HEADER.checked_add(length)?)?;
        (Crc32::checksum(checked) == u32::from_be_bytes(*checksum)).then_some((changes, after))
    }
}

/// Yields changes, and [`None`] in place of one that cannot be read.
pub(super) struct Read<'a>(&'a [u8]);

impl<'a> Iterator for Read<'a> {
    type Item = Option<Change<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let change = self.change();
        if change.is_none() {
            self.0 = &[];
        }
        Some(change)
    }
}

impl<'a> Read<'a> {
    fn change(&mut self) -> Option<Change<'a>> {
        let [tag, length] = self.array()?;
        let name = self.take(length.into())?;
        Some(match tag {
            0 => Change::Create {
                name,
                version: BlobVersion::new(u16::from_be_bytes(self.array()?)),
            },
            1 => {
                let offset = u64::from_be_bytes(self.array()?);
                let length = u32::from_be_bytes(self.array()?);
                Change::Write { name, offset, bytes: self.take(usize::try_from(length).ok()?)? }
            }
            2 => Change::Resize { name, length: u64::from_be_bytes(self.array()?) },
            3 => Change::Remove { name },
            _ => return None,
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}
