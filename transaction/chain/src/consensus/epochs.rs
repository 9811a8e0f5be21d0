//! Who validates in which epoch, and with what this node checks and signs there.

use std::{collections::BTreeMap, fmt, num::NonZeroU64, sync::Arc};

use alloy_primitives::{Address, B256};
use commonware_consensus::types::Epoch;
use commonware_cryptography::certificate::{Provider, Scoped};
use parking_lot::Mutex;
use sahara_finality::{
    ChainIdentity, Scheme, ValidatorKeys, ValidatorSet, closes_epoch, epoch_of, signer, verifier,
};
use tracing::warn;

use super::{guard::SharedGuard, ledger::SharedLedger};

/// How many epochs are kept in memory; others are read from the ledger again.
const MAX_KNOWN: usize = 8;

/// The sets of the epochs that have begun, read from the ledger's final state.
///
/// An epoch begins when the last block of the one before is final *and applied*: only then does the
/// state say for good who validates in it.
#[derive(Clone)]
pub(super) struct Epochs(Arc<Inner>);

struct Inner {
    chain: ChainIdentity,
    length: NonZeroU64,
    ledger: SharedLedger,
    keys: ValidatorKeys,
    /// Says in which epochs the keys sign.
    guard: Option<SharedGuard>,
    known: Mutex<BTreeMap<u64, Arc<Members>>>,
}

/// The validators of one epoch.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) validators: ValidatorSet,
    /// Signs, if this node is one of them.
    pub(super) scheme: Arc<Scheme>,
    pub(super) signs: bool,
}

impl fmt::Debug for Epochs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Epochs").field("known", &self.0.known).finish_non_exhaustive()
    }
}

impl Epochs {
    pub(super) fn new(
        chain: ChainIdentity,
        ledger: SharedLedger,
        (keys, guard): (ValidatorKeys, Option<SharedGuard>),
    ) -> Self {
        let length = ledger.epoch_length();
        Self(Arc::new(Inner { chain, length, ledger, keys, guard, known: Mutex::default() }))
    }

    pub(super) fn length(&self) -> NonZeroU64 {
        self.0.length
    }

    pub(super) fn epoch_of(&self, height: u64) -> u64 {
        epoch_of(height, self.0.length)
    }

    /// The epoch of the block that follows upon what is applied.
    pub(super) fn current(&self) -> u64 {
        self.epoch_of(self.0.ledger.last_finalized().saturating_add(1))
    }

    /// The last block of `epoch`.
    pub(super) fn last_block(&self, epoch: u64) -> u64 {
        let length = self.0.length.get();
        epoch.saturating_mul(length).saturating_add(length.saturating_sub(1))
    }

    /// The members of an epoch that has begun.
    pub(super) fn members(&self, epoch: u64) -> Option<Arc<Members>> {
        if let Some(known) = self.0.known.lock().get(&epoch) {
            return Some(Arc::clone(known));
        }
        if epoch > self.current() {
            return None;
        }
        let members = Arc::new(self.0.members(self.0.ledger.validators(None, epoch)?));
        let members = self.0.sit_out(epoch, members);
        let mut known = self.0.known.lock();
        if known.len() >= MAX_KNOWN {
            known.pop_first();
        }
        known.insert(epoch, Arc::clone(&members));
        Some(members)
    }

    /// Who follows upon the current epoch, once it is decided that it is others.
    pub(super) fn successors(&self, epoch: u64) -> Option<ValidatorSet> {
        let next = self.0.ledger.validators(None, epoch.checked_add(1)?)?;
        let current = self.members(epoch)?;
        (next != current.validators).then_some(next)
    }

    /// What the block after `parent`, if it is the last of its epoch, must say about who follows.
    /// `parent` must be held.
    pub(super) fn next_validators(&self, parent: B256, height: u64) -> Option<B256> {
        if !closes_epoch(height, self.0.length) {
            return None;
        }
        let next = self.epoch_of(height).checked_add(1)?;
        self.0.ledger.validators(Some(parent), next).map(|set| set.hash())
    }
}

impl Inner {
    fn members(&self, validators: ValidatorSet) -> Members {
        let me = self.keys.validator(Address::ZERO);
        let is_seated = validators
            .find(&me.network_key)
            .is_some_and(|found| found.consensus_key == me.consensus_key);
        let key = self.keys.consensus.clone();
        let own = is_seated.then(|| signer(&self.chain, &validators, key)).flatten();
        let signs = own.is_some();
        let scheme = own.unwrap_or_else(|| verifier(&self.chain, &validators));
        Members { validators, scheme: Arc::new(scheme), signs }
    }

    fn signs_in(&self, epoch: u64) -> bool {
        let Some(guard) = &self.guard else { return true };
        // Of an epoch whose beginning is not here any more it is not known when that was: long ago.
        let before = epoch.saturating_mul(self.length.get()).saturating_sub(1);
        let begun = self.ledger.final_block(before).map_or(0, |block| block.milliseconds());
        guard.signs_in(epoch, begun).unwrap_or_else(|error| {
            warn!(epoch, %error, "nothing is signed in this epoch");
            false
        })
    }

    fn sit_out(&self, epoch: u64, members: Arc<Members>) -> Arc<Members> {
        if !members.signs || self.signs_in(epoch) {
            return members;
        }
        let scheme = Arc::new(verifier(&self.chain, &members.validators));
        Arc::new(Members { validators: members.validators.clone(), scheme, signs: false })
    }
}

impl Provider for Epochs {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, scope: Epoch) -> Option<Scoped<Scheme>> {
        let members = self.members(scope.get())?;
        let scheme = Arc::clone(&members.scheme);
        Some(if members.signs { Scoped::scheme(scheme) } else { Scoped::verifier(scheme) })
    }
}
