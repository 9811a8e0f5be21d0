//! Who validates, as the state says it.

use super::{Inner, accounts::Books};
use crate::{consensus::Leaders, store::StoreError};
use alloy_primitives::{Address, B256};
use parking_lot::Mutex;
use sahara_evm::{ParentState, StateError};
use sahara_finality::{RoundSeal, ValidatorSet};
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

/// The set of `epoch` in `state`, for who shows it to others: nothing is checked again that was before the
/// state took it, and what is remembered for consensus stays.
pub(super) fn shown(state: &impl ParentState, epoch: u64) -> Result<ValidatorSet, SeatsError> {
    let unreadable = || SeatsError::Unreadable(epoch);
    let found = validators::validators_of(&mut books(state), epoch);
    let (bytes, _) = found.ok().flatten().ok_or_else(unreadable)?;
    ValidatorSet::decode_proven(&bytes).map_err(|_| unreadable())
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

/// What a block's system transaction says of its epoch's seats.
#[derive(Debug)]
pub(super) struct Turns {
    /// Fee addresses, one per seat.
    pub(super) recipients: Vec<Address>,
    /// Those of the seats whose turns were missed since the parent.
    pub(super) missed: Vec<Address>,
    /// Whether the block decides who follows.
    pub(super) is_electing: bool,
}

/// The turns that led to a block of this height and seal. Of views that passed without a block, as
/// many count as there are seats: a longer silence is no one leader's fault.
pub(super) fn turns(
    inner: &Inner,
    (parent, number): (B256, u64),
    seal: &RoundSeal,
) -> Result<Turns, SeatsError> {
    let epoch = sahara_finality::epoch_of(number, inner.epoch_length);
    let set = validators_after(inner, Some(parent), epoch)?;
    let seats = set.as_slice();
    let seed = seed(inner, epoch)?;
    let schedule = Leaders { seed }.schedule(seats.len());
    let passed = seal.parent_view.saturating_add(1)..seal.view;
    let missed = passed.take(seats.len()).filter_map(|view| seats.get(schedule.leader(view)));
    let rest = number.rem_euclid(inner.epoch_length.get());
    Ok(Turns {
        recipients: seats.iter().map(|one| one.fee_address).collect(),
        missed: missed.map(|one| one.fee_address).collect(),
        is_electing: rest == inner.epoch_length.get().saturating_sub(2),
    })
}

/// The randomness of the block before the epoch. It is final: the epoch began after it.
fn seed(inner: &Inner, epoch: u64) -> Result<B256, SeatsError> {
    let first = epoch.saturating_mul(inner.epoch_length.get());
    let Some(before) = first.checked_sub(1) else { return Ok(inner.genesis.header.mix_hash) };
    let header = inner.pending.store().header(before)?;
    header.map(|head| head.header.mix_hash).ok_or(SeatsError::Unreadable(epoch))
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
const fn books<S>(state: &S) -> Books<'_, S> {
    let block =
        BlockContext { chain_id: 0, number: 0, timestamp: Timestamp(0), randomness: B256::ZERO };
    Books { state, block }
}
