//! Final blocks on their way to the ledger: in order, once, and acknowledged when durable.

use std::{num::NonZeroUsize, sync::Arc};

use commonware_actor::Feedback;
use commonware_consensus::{
    Heightable as _, Reporter,
    marshal::{Update, core::Mailbox, standard::Standard},
    types::Height,
};
use commonware_cryptography::Digested;
use commonware_utils::{
    NZUsize,
    acknowledgement::{Acknowledgement as _, Exact},
};
use sahara_finality::{Block, Scheme, encode_finalization};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use super::{ledger::SharedLedger, progress::Progress};

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

/// The end that feeds the ledger.
pub(super) struct Courier {
    blocks: mpsc::Receiver<(Digested<Block>, Exact)>,
    progress: Progress,
    ledger: SharedLedger,
    marshal: Marshal,
}

/// Both ends.
pub(super) fn channel(
    ledger: SharedLedger,
    progress: Progress,
    marshal: Marshal,
) -> (Delivery, Courier) {
    // A floor that is installed may report blocks again that are still under way.
    let (sender, receiver) = mpsc::channel(MAX_UNDER_WAY.get().saturating_mul(2));
    let delivery = Delivery { blocks: sender, progress: progress.clone() };
    (delivery, Courier { blocks: receiver, progress, ledger, marshal })
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

impl Courier {
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
        while let Some((block, acknowledgement)) = self.blocks.recv().await {
            let height = block.height().get();
            if !self.close_gap(height).await {
                return;
            }
            self.apply(height, block.inner_shared()).await;
            acknowledgement.acknowledge();
        }
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
