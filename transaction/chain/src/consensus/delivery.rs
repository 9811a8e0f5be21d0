//! Final blocks on their way to the ledger: in order, once, and acknowledged when durable.
//!
//! # Two ways
//! Marshal delivers every final block when it has written it to its archives, a dozen files, and that takes
//! a while. So a block that the ledger has executed on its last final one is applied as soon as
//! consensus has its certificate ([`Decisions`]); marshal delivers it a little later, when there is
//! nothing left to do but to acknowledge it. What happens to be decided in another order,
//! unexecuted, or as the last of an epoch comes by marshal alone.
//!
//! A ledger may therefore be ahead of marshal when the power fails, by as many blocks as were decided
//! since the last vote left (`super::log`). Consensus then decides the same blocks once more: whoever
//! voted to finalize one had that vote, the certificate of the first round and the block on its disk
//! before, so a quorum has them. (A vote of the first round may be sent before its block is there.) Nobody
//! decides the last block of an epoch once more when the next one has begun: its certificate, which those
//! who come later ask for, is made durable before it is applied.

use std::{num::NonZeroUsize, sync::Arc};

use alloy_primitives::B256;
use commonware_actor::Feedback;
use commonware_consensus::{
    Heightable as _, Reporter,
    marshal::{Update, core::Mailbox, standard::Standard},
    types::Height,
};
use commonware_cryptography::{Digested, keccak256::Digest};
use commonware_runtime::Storage;
use commonware_utils::{
    NZUsize,
    acknowledgement::{Acknowledgement as _, Exact},
};
use sahara_finality::{Block, Finalization, Scheme, encode_finalization};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::{epochs::Epochs, ledger::SharedLedger, log::Archives, progress::Progress};

/// Marshal, which orders final blocks and keeps their certificates.
pub(super) type Marshal = Mailbox<Scheme, Standard<Block>>;

/// How many final blocks may be under way to the ledger.
pub(super) const MAX_UNDER_WAY: NonZeroUsize = NZUsize!(16);

/// The end that marshal reports to.
#[derive(Clone, Debug)]
pub struct Delivery {
    blocks: mpsc::Sender<(Digested<Block>, Exact)>,
    progress: Progress,
}

/// The end that is told of certificates.
#[derive(Clone)]
pub(super) struct Decisions(mpsc::Sender<Finalization>);

impl Decisions {
    /// Takes a verified certificate. One that finds no room is not missed: marshal has it too.
    pub(super) fn tell(&self, finalization: &Finalization) {
        let _taken = self.0.try_send(finalization.clone()).is_ok();
    }
}

/// The end that feeds the ledger.
pub(super) struct Courier<S: Storage> {
    blocks: mpsc::Receiver<(Digested<Block>, Exact)>,
    decided: mpsc::Receiver<Finalization>,
    epochs: Epochs,
    progress: Progress,
    ledger: SharedLedger,
    marshal: Marshal,
    archives: Archives<S>,
}

/// All ends.
pub(super) fn channel<S: Storage>(
    ledger: SharedLedger,
    epochs: Epochs,
    progress: Progress,
    (marshal, archives): (Marshal, Archives<S>),
) -> (Delivery, Decisions, Courier<S>) {
    // A floor that is installed may report blocks again that are still under way.
    let (sender, blocks) = mpsc::channel(MAX_UNDER_WAY.get().saturating_mul(2));
    let (decisions, decided) = mpsc::channel(MAX_UNDER_WAY.get());
    let delivery = Delivery { blocks: sender, progress: progress.clone() };
    let courier = Courier { blocks, decided, epochs, progress, ledger, marshal, archives };
    (delivery, Decisions(decisions), courier)
}

impl Reporter for Delivery {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        match update {
            Update::Tip(_, height, _) => {
                self.progress.saw_finalized(height.get());
                Feedback::Ok
            }
            Update::Block(block, acknowledgement) => {
                self.progress.saw_finalized(block.height().get());
                // A block that cannot be passed on loses its acknowledgement, which stops marshal:
                // better than a gap.
                match self.blocks.try_send((block, acknowledgement)) {
                    Ok(()) => Feedback::Ok,
                    Err(_) => Feedback::Closed,
                }
            }
        }
    }
}

impl<S: Storage> Courier<S> {
    /// Runs until marshal ends. `caught_up` is told when the ledger has all that marshal delivered
    /// before the start.
    pub(super) async fn run(mut self, caught_up: oneshot::Sender<()>) {
        if let Some(processed) = self.marshal.get_processed().await {
            let next = processed.height().get().saturating_add(1);
            if !self.close_gap(next).await {
                return;
            }
        }
        // Nobody listens any more when the validator is ending.
        let _heard = caught_up.send(()).is_ok();
        loop {
            let (block, acknowledgement) = tokio::select! {
                biased;
                delivered = self.blocks.recv() => match delivered {
                    Some(delivered) => delivered,
                    None => return,
                },
                Some(finalization) = self.decided.recv() => {
                    self.apply_decided(&finalization).await;
                    continue;
                }
            };
            let height = block.height().get();
            if !self.close_gap(height).await {
                return;
            }
            if self.ends_epoch(height) && !self.keep_certificate(height).await {
                return;
            }
            self.apply(height, block.inner_shared()).await;
            acknowledgement.acknowledge();
        }
    }

    /// Applies the block that was just decided, if it is the next and executed. The last of an epoch is
    /// marshal's: the next epoch begins when it is applied, and marshal has to know it by then.
    async fn apply_decided(&self, finalization: &Finalization) {
        let Digest(hash) = finalization.proposal.payload;
        let Some(block) = self.ledger.pending(B256::from(hash)) else { return };
        let height = block.header.number;
        let is_next = height == self.ledger.last_finalized().saturating_add(1);
        if is_next && !self.ends_epoch(height) {
            self.ledger.finalize(block, Some(encode_finalization(finalization))).await;
            self.progress.applied(height);
        }
    }

    /// Makes durable the certificate of an epoch's last block. Marshal may have the block without it after the
    /// power failed in the moment between the two; peers have it then, and this node cannot serve it.
    async fn keep_certificate(&self, height: u64) -> bool {
        if self.marshal.get_finalization(Height::new(height)).await.is_none() {
            warn!(height, "an epoch's last block came without its certificate");
        }
        let kept = self.archives.sync().await;
        if let Err(error) = &kept {
            error!(height, %error, "the certificate of an epoch's last block cannot be kept");
        }
        kept.is_ok()
    }

    fn ends_epoch(&self, height: u64) -> bool {
        height == self.epochs.last_block(self.epochs.epoch_of(height))
    }

    /// Marshal remembers what was acknowledged. A ledger that has less (its directory was lost or
    /// restored from a copy) gets what is missing from marshal's archive.
    async fn close_gap(&self, height: u64) -> bool {
        let mut next = self.ledger.last_finalized().saturating_add(1);
        if next < height {
            info!(from = next, to = height, "the ledger is behind; applying archived blocks");
        }
        while next < height {
            let Some(block) = self.marshal.get_block(Height::new(next)).await else {
                error!(height = next, "a final block is neither in the ledger nor in the archive");
                return false;
            };
            self.apply(next, block.inner_shared()).await;
            next = next.saturating_add(1);
        }
        true
    }

    async fn apply(&self, height: u64, block: Arc<Block>) {
        if height > self.ledger.last_finalized() {
            let finalization = self.marshal.get_finalization(Height::new(height)).await;
            let certificate = finalization.as_ref().map(encode_finalization);
            self.ledger.finalize(block, certificate).await;
        }
        self.progress.applied(height);
    }
}
