//! The ring of pools that wait for the sweep.
//!
//! The ring has a fixed number of places, so that its words are written again and again instead of
//! growing the state. Should it ever be full, a pool simply waits for its next deposit.

use super::storage::{ENDS, Ends, RING};
use crate::state::{Failure, Read, Write};
use sahara_primitives::AssetId;

/// Places, a power of two.
const PLACES: u32 = 1 << 20;

fn place(position: u32) -> (u32, usize) {
    let position = position & (PLACES - 1);
    (position >> 2, usize::try_from(position & 3).unwrap_or_default())
}

fn broken() -> Failure {
    Failure::Fatal("the queue of pools is broken".into())
}

/// The queue as it stands while the sweep works.
#[derive(Debug)]
pub(super) struct Queue(Ends);

impl Queue {
    pub(super) fn read(state: &mut impl Read) -> Result<Self, Failure> {
        ENDS.get(state).map(Self)
    }

    pub(super) fn write(self, state: &mut impl Write) -> Result<(), Failure> {
        ENDS.update(state, |ends| {
            *ends = self.0;
            Ok(())
        })
    }

    /// Appends a pool; `false` when the ring is full.
    pub(super) fn push(&mut self, state: &mut impl Write, asset: AssetId) -> Result<bool, Failure> {
        if self.0.length >= PLACES {
            return Ok(false);
        }
        let (word, index) = place(self.0.head.wrapping_add(self.0.length));
        RING.update(state, word, |ids| {
            *ids.0.get_mut(index).ok_or_else(broken)? = asset.0;
            Ok(())
        })?;
        self.0.length = self.0.length.saturating_add(1);
        Ok(true)
    }

    /// Takes the first pool.
    pub(super) fn pop(&mut self, state: &mut impl Read) -> Result<Option<AssetId>, Failure> {
        let Some(length) = self.0.length.checked_sub(1) else { return Ok(None) };
        let (word, index) = place(self.0.head);
        let asset = RING.get(state, word)?.0.get(index).copied().ok_or_else(broken)?;
        self.0 = Ends { head: self.0.head.wrapping_add(1) & (PLACES - 1), length };
        Ok(Some(AssetId(asset)))
    }
}

/// Appends a pool; `false` when the ring is full.
pub(super) fn push(state: &mut impl Write, asset: AssetId) -> Result<bool, Failure> {
    let mut queue = Queue::read(state)?;
    let is_queued = queue.push(state, asset)?;
    queue.write(state)?;
    Ok(is_queued)
}
