//! The only validator of a chain without a network: it seals, certifies and applies a block with its
//! real key as soon as there is work. The index's tests stand on it too.

use commonware_consensus::{
    simplex::types::{Context, Finalization, Finalize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use sahara_chain::{
    consensus::{BuildContext, Ledger},
    ledger::NodeLedger,
};
use sahara_finality::{
    Block, ChainIdentity, RoundSeal, ValidatorKeys, ValidatorSet, encode_finalization,
    header_template, signer,
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub(crate) struct Proposer {
    pub(crate) keys: ValidatorKeys,
    pub(crate) set: ValidatorSet,
    pub(crate) chain: ChainIdentity,
    /// Seconds by which the next block comes later than it would.
    pub(crate) skipped: Arc<AtomicU64>,
}

impl Proposer {
    /// Makes block after block, each a second after the last one.
    pub(crate) async fn run(self, ledger: NodeLedger) {
        let mut parent = ledger.genesis();
        loop {
            ledger.wait_for_work(&parent).await;
            let block = self.child(&ledger, &parent).await;
            let certificate = self.certify(&block);
            parent = block.clone();
            ledger.finalize(Arc::new(block), Some(certificate)).await;
        }
    }

    async fn child(&self, ledger: &NodeLedger, parent: &Block) -> Block {
        let me = self.set.as_slice()[0].clone();
        let view = parent.header.number + 1;
        let context = Context {
            round: Round::new(Epoch::zero(), View::new(view)),
            leader: me.network_key,
            parent: (View::new(view - 1), Digest(parent.hash().0)),
        };
        let seal = RoundSeal::sign(&context, view, &self.chain, &self.keys.consensus);
        let skipped = self.skipped.swap(0, Ordering::Relaxed);
        let time = parent.milliseconds() + 1_000 + skipped * 1_000;
        let header = header_template(parent, time, &seal, me.fee_address);
        ledger.build(parent, BuildContext { header, seal }).await.unwrap()
    }

    fn certify(&self, block: &Block) -> Vec<u8> {
        let view = block.header.number;
        let round = Round::new(Epoch::zero(), View::new(view));
        let proposal = Proposal::new(round, View::new(view - 1), Digest(block.hash().0));
        let key = self.keys.consensus.clone();
        let scheme = signer(&self.chain, &self.set, key).unwrap();
        let votes = vec![Finalize::sign(&scheme, proposal).unwrap()];
        let finalization =
            Finalization::from_owned_finalizes(&scheme, non_empty![@votes], &Sequential).unwrap();
        encode_finalization(&finalization)
    }
}
