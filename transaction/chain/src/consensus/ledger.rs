//! The seam: what consensus asks of the node.

use std::{future::Future, num::NonZeroU64, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::B256;
use futures::future::BoxFuture;
use sahara_finality::{Block, RoundSeal, ValidatorSet};

use super::evidence::Evidence;
use crate::sync::{Library, Past};

/// A proposal to be built. The block must have this header with only the outcome of execution
/// added (gas limit, base fee, gas used, bloom, state, transactions and receipts root), and
/// [`Seal::Round`](sahara_finality::Seal::Round) of this seal.
#[derive(Clone, Debug)]
pub struct BuildContext {
    /// Number, parent, time (seconds and milliseconds), beneficiary, randomness and the
    /// commitment to the seal are set.
    pub header: Header,
    /// What the header's extra data commits to.
    pub seal: RoundSeal,
}

/// What consensus asks of the node.
///
/// All calls come from consensus's own tokio runtime. It has few threads: what blocks for more
/// than a millisecond belongs on `spawn_blocking` or the node's own threads. `build` and `check`
/// are never run at once, but `finalize` may run beside them. The futures of `build`, `check`
/// and `wait_for_work` are dropped when the round moves on: they must leave nothing half done.
///
/// A block is *held* when the ledger can give the state after it: the last final block, and those
/// above it that were built or checked since the node started. Consensus only calls `build` and
/// `check` with a parent that is held.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// Block 0. The same on every start.
    fn genesis(&self) -> Block;

    /// How many blocks an epoch has, at least 2. The same for ever: a word of the genesis state.
    fn epoch_length(&self) -> NonZeroU64;

    /// Who validates in `epoch`, as the state after the held block `after` has it; after the last
    /// final block if that is none. Known for every epoch up to the one that follows upon the
    /// block's, which may still change until its epoch ends. This is the seam that staking fills.
    fn validators(&self, after: Option<B256>, epoch: u64) -> Option<ValidatorSet>;

    /// The number of the last final block whose effects are durable; 0 before the first.
    fn last_finalized(&self) -> u64;

    /// A final block. Asked for the last of an epoch, from which the next begins.
    fn final_block(&self, number: u64) -> Option<Arc<Block>>;

    /// Whether the block with this hash is held.
    fn holds(&self, block: B256) -> bool;

    /// The block with this hash, if it is held and not final.
    fn pending(&self, block: B256) -> Option<Arc<Block>>;

    /// Resolves when there is something to put into a child of `parent`. What `parent` and its
    /// ancestors that are not final yet contain already does not count, or a burst would be
    /// followed by empty blocks.
    fn wait_for_work(&self, parent: &Block) -> impl Future<Output = ()> + Send;

    /// Builds and executes a child of `parent`, and holds it. Without transactions it is a
    /// heartbeat. None means that the node is not able to propose now (it shuts down): the round
    /// is then lost.
    fn build(
        &self,
        parent: &Block,
        context: BuildContext,
    ) -> impl Future<Output = Option<Block>> + Send;

    /// Executes `block` on `parent`, and holds it if every field and root that comes from
    /// execution is right. Everything else was checked before. The answer must depend on the two
    /// blocks only, and be the same on every node.
    fn check(&self, parent: &Block, block: &Block) -> impl Future<Output = bool> + Send;

    /// Makes `block` final. Called once for every height, in order and without gaps; it returns
    /// when the effects are durable as one batch. The block may never have been checked here, and
    /// is then executed now: a quorum vouches for it, so a result that differs means that this
    /// node is broken, and it has to stop rather than to go on.
    ///
    /// `certificate` proves the finality to strangers. A block without one of its own is final
    /// through the next that has one.
    fn finalize(
        &self,
        block: Arc<Block>,
        certificate: Option<Vec<u8>>,
    ) -> impl Future<Output = ()> + Send;

    /// Takes proof that a validator contradicted itself. It may come again, and it is not waited
    /// for: return soon.
    fn accuse(&self, evidence: Evidence);

    /// The newest final block that has a certificate of its own, if there is one above block 0. Who
    /// has lost the archives of consensus goes on from there.
    fn newest_certified(&self) -> Option<Certified>;

    /// What answers those who fetch the state.
    fn library(&self) -> Option<Arc<dyn Library>> {
        None
    }

    /// The past, if some of it is wanted and not here.
    fn past(&self) -> Option<Past> {
        None
    }
}

/// A final block and the proof that it is.
#[derive(Clone, Debug)]
pub struct Certified {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its own certificate.
    pub certificate: Vec<u8>,
}

/// A [`Ledger`] without its type, so that the consensus engine is compiled once, here, and not
/// again in every program with a ledger of its own.
pub(super) trait AnyLedger: Send + Sync {
    fn genesis(&self) -> Block;
    fn epoch_length(&self) -> NonZeroU64;
    fn validators(&self, after: Option<B256>, epoch: u64) -> Option<ValidatorSet>;
    fn last_finalized(&self) -> u64;
    fn final_block(&self, number: u64) -> Option<Arc<Block>>;
    fn holds(&self, block: B256) -> bool;
    fn pending(&self, block: B256) -> Option<Arc<Block>>;
    fn wait_for_work<'a>(&'a self, parent: &'a Block) -> BoxFuture<'a, ()>;
    fn build<'a>(
        &'a self,
        parent: &'a Block,
        context: BuildContext,
    ) -> BoxFuture<'a, Option<Block>>;
    fn check<'a>(&'a self, parent: &'a Block, block: &'a Block) -> BoxFuture<'a, bool>;
    fn finalize(&self, block: Arc<Block>, certificate: Option<Vec<u8>>) -> BoxFuture<'_, ()>;
    fn accuse(&self, evidence: Evidence);
    fn newest_certified(&self) -> Option<Certified>;
    fn library(&self) -> Option<Arc<dyn Library>>;
    fn past(&self) -> Option<Past>;
}

/// A shared [`AnyLedger`].
pub(super) type SharedLedger = Arc<dyn AnyLedger>;

impl<L: Ledger> AnyLedger for L {
    fn genesis(&self) -> Block {
        Ledger::genesis(self)
    }

    fn epoch_length(&self) -> NonZeroU64 {
        Ledger::epoch_length(self)
    }

    fn validators(&self, after: Option<B256>, epoch: u64) -> Option<ValidatorSet> {
        Ledger::validators(self, after, epoch)
    }

    fn last_finalized(&self) -> u64 {
        Ledger::last_finalized(self)
    }

    fn final_block(&self, number: u64) -> Option<Arc<Block>> {
        Ledger::final_block(self, number)
    }

    fn holds(&self, block: B256) -> bool {
        Ledger::holds(self, block)
    }

    fn pending(&self, block: B256) -> Option<Arc<Block>> {
        Ledger::pending(self, block)
    }

    fn wait_for_work<'a>(&'a self, parent: &'a Block) -> BoxFuture<'a, ()> {
        Box::pin(Ledger::wait_for_work(self, parent))
    }

    fn build<'a>(
        &'a self,
        parent: &'a Block,
        context: BuildContext,
    ) -> BoxFuture<'a, Option<Block>> {
        Box::pin(Ledger::build(self, parent, context))
    }

    fn check<'a>(&'a self, parent: &'a Block, block: &'a Block) -> BoxFuture<'a, bool> {
        Box::pin(Ledger::check(self, parent, block))
    }

    fn finalize(&self, block: Arc<Block>, certificate: Option<Vec<u8>>) -> BoxFuture<'_, ()> {
        Box::pin(Ledger::finalize(self, block, certificate))
    }

    fn accuse(&self, evidence: Evidence) {
        Ledger::accuse(self, evidence);
    }

    fn newest_certified(&self) -> Option<Certified> {
        Ledger::newest_certified(self)
    }

    fn library(&self) -> Option<Arc<dyn Library>> {
        Ledger::library(self)
    }

    fn past(&self) -> Option<Past> {
        Ledger::past(self)
    }
}
