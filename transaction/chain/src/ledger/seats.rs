//! Who validates, as the state says it.

use super::{Books, Inner};
use crate::store::StoreError;
use alloy_primitives::{Address, B256};
use parking_lot::Mutex;
use sahara_evm::{ParentState, StateError};
use sahara_finality::ValidatorSet;
use sahara_primitives::Timestamp;
use sahara_protocols::{BlockContext, validators};
use std::{collections::BTreeMap, num::NonZeroU64, sync::Arc};

/// How many decoded sets are remembered.
const MOST_REMEMBERED: usize = 8;

/// Why the state does not say who validates.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeatsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the validators of epoch {0} cannot be read")]
    Unreadable(u64),
}

/// Decoded sets by their encoding: decoding checks proofs of possession, a millisecond a seat.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<BTreeMap<Vec<u8>, Arc<ValidatorSet>>>);

impl Seats {
    /// The set of `epoch` in `state`.
    pub(super) fn of(
        &self,
        state: &impl ParentState,
        epoch: u64,
    ) -> Result<Arc<ValidatorSet>, SeatsError> {
        let unreadable = || SeatsError::Unreadable(epoch);
        let found = validators::validators_of(&mut books(state), epoch);
        let (bytes, _) = found.ok().flatten().ok_or_else(unreadable)?;
        let mut known = self.0.lock();
        if let Some(set) = known.get(&bytes) {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(ValidatorSet::decode(&bytes).map_err(|_| unreadable())?);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(bytes, Arc::clone(&set));
        Ok(set)
    }
}

/// The set of `epoch` after the held block `after`, or after the last final one.
pub(super) fn validators_after(
    inner: &Inner,
    after: Option<B256>,
    epoch: u64,
) -> Result<Arc<ValidatorSet>, SeatsError> {
    match after {
        Some(block) => inner.seats.of(&inner.pending.state_after(block)?, epoch),
        None => inner.seats.of(&inner.pending.store().state(), epoch),
    }
}

/// Fee addresses of a block's epoch, one per seat.
pub(super) fn recipients(
    inner: &Inner,
    parent: B256,
    number: u64,
) -> Result<Vec<Address>, SeatsError> {
    let epoch = sahara_finality::epoch_of(number, inner.epoch_length);
    let set = validators_after(inner, Some(parent), epoch)?;
    Ok(set.as_slice().iter().map(|one| one.fee_address).collect())
}

/// The first epochs of all sets that `state` knows, oldest first.
pub(super) fn starts(state: &impl ParentState) -> Option<Vec<u64>> {
    validators::starts(&mut books(state)).ok()
}

/// Blocks in an epoch.
pub(super) fn epoch_length(state: &impl ParentState) -> Option<NonZeroU64> {
    validators::epoch_length(&mut books(state)).ok().and_then(NonZeroU64::new)
}

/// The sets are read alike in every block.
fn books<S>(state: &S) -> Books<'_, S> {
    let block = BlockContext { chain_id: 0, number: 0, timestamp: Timestamp(0) };
    Books { state, block }
}
