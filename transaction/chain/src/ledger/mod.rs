//! The node's ledger: store, pool and transition behind the seam that consensus asks through.
//!
//! A proposal is built from the pool on the state after its parent, which may not be final yet; a
//! peer's proposal is executed again before it is voted for. Both leave the block *held*: executed,
//! with its changes in memory. Finality commits a held block in one durable batch.
//!
//! # Failure and recovery
//! A final block whose execution gives another result than its header says means that this node is
//! broken: it stops ([`NodeLedger::broken`]) and never guesses. After a crash consensus delivers
//! final blocks again; the store takes each height once.

mod accounts;
mod build;
mod execute;
mod handover;
mod seats;
mod work;

use crate::{
    consensus::{BuildContext, Certified, Evidence, Ledger},
    genesis::GenesisFile,
    metrics::NodeMetrics,
    pool::{self, Pool, PoolSettings},
    store::{Genesis, PendingStates, Store, StoreError},
    sync::{Handovers, Library, Past, StateLibrary},
    upgrade,
};
use alloy_primitives::{Address, B256};
use parking_lot::Mutex;
use sahara_evm::{FeeParameters, Rules, execute_block};
use sahara_finality::{Block, ChainIdentity, Handover, ValidatorSet};
use std::{collections::BTreeSet, num::NonZeroU64, sync::Arc, time::Duration};
use tokio::sync::watch;
use tracing::{error, warn};

/// Memory for executed blocks that wait to become final.
const PENDING_BYTES: usize = 256 << 20;

/// The node's ledger. Clones share it.
#[derive(Clone, Debug)]
pub struct NodeLedger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rules: Rules,
    fees: FeeParameters,
    genesis: Block,
    epoch_length: NonZeroU64,
    seats: seats::Seats,
    pending: PendingStates,
    pool: Pool,
    metrics: NodeMetrics,
    build_time: Duration,
    /// Transactions that a block could not take. They are tried again with every block, but none
    /// is made for them alone.
    refused: Mutex<BTreeSet<B256>>,
    /// Rises with every final block, so that who waits for work looks again.
    finalized: watch::Sender<u64>,
    broken: watch::Sender<Option<String>>,
}

impl NodeLedger {
    /// The ledger over an opened store.
    #[must_use]
    pub fn new(file: &GenesisFile, genesis: &Genesis, store: Store) -> Self {
        Self::with_build_time(file, genesis, store, build::BUILD_TIME)
    }

    /// The ledger over an opened store, which executes for so long when it leads: the first transaction, and
    /// others while there is time. What others propose is executed however long it takes.
    #[must_use]
    pub fn with_build_time(
        file: &GenesisFile,
        genesis: &Genesis,
        store: Store,
        build_time: Duration,
    ) -> Self {
        let fees = file.config.fees;
        let head = store.head();
        let reader = store.clone();
        let rules = Rules::sahara(genesis.chain_id);
        let spendable = move |address| {
            accounts::spendable(rules, &reader.head().header, &reader.state(), address)
        };
        // A store that cannot be read fails at the first block, in words.
        let floor = fees.governed(&store.state()).unwrap_or(fees).base_fee_floor;
        let pool = Pool::new(
            PoolSettings::new(genesis.chain_id),
            spendable,
            execute::pool_head(&head.header, floor),
        );
        // The state's word is the file's, or the genesis hash would be another.
        let epoch_length = seats::epoch_length(&store.state()).unwrap_or(file.epoch_length);
        let inner = Inner {
            rules,
            fees,
            genesis: genesis.block.clone(),
            epoch_length,
            seats: seats::Seats::default(),
            pending: PendingStates::new(store, PENDING_BYTES),
            pool,
            metrics: NodeMetrics::new(),
            build_time,
            refused: Mutex::default(),
            finalized: watch::Sender::new(head.number),
            broken: watch::Sender::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The rules of this chain.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.inner.rules
    }

    /// The transaction pool.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// The store of final blocks.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.inner.pending.store()
    }

    /// Who validates in `epoch`, as the last final state has it.
    #[must_use]
    pub fn validators_of(&self, epoch: u64) -> Option<Arc<ValidatorSet>> {
        seats::validators_after(&self.inner, None, epoch).ok()
    }

    /// The epoch of a block.
    #[must_use]
    pub fn epoch_of(&self, number: u64) -> u64 {
        sahara_finality::epoch_of(number, self.inner.epoch_length)
    }

    /// The last blocks of the epochs after which other validators follow, up to the last final
    /// block, oldest first.
    #[must_use]
    pub fn handovers(&self) -> Vec<u64> {
        let head = self.store().head().number;
        let length = self.inner.epoch_length.get();
        let starts = seats::starts(&self.store().state()).unwrap_or_default();
        let ends = starts
            .into_iter()
            .filter_map(|first| first.checked_mul(length).and_then(|block| block.checked_sub(1)));
        ends.filter(|block| *block <= head).collect()
    }

    /// The end of the epoch whose last block is `end`: how a stranger learns who follows.
    ///
    /// # Errors
    /// When that block, its certificate or the validators cannot be read.
    pub fn handover(&self, end: u64) -> Result<Handover, StoreError> {
        let store = self.store();
        if let Some(kept) = store.handover(end)? {
            return handover::decode(&kept);
        }
        let missing = || StoreError::Damaged {
            what: "handover",
            reason: format!("block {end}, which ends an epoch, is not whole"),
        };
        let block = store.block(end)?.ok_or_else(missing)?;
        let certificate = store.certificate(end)?.ok_or_else(missing)?;
        let next = self.epoch_of(end.saturating_add(1));
        let validators = seats::shown(&store.state(), next).map_err(|_| missing())?;
        Ok(Handover {
            header: alloy_rlp::encode(&block.header).into(),
            seal: block.seal.encoded().into(),
            certificate,
            validators,
        })
    }

    /// What this node counts and measures.
    #[must_use]
    pub fn metrics(&self) -> &NodeMetrics {
        &self.inner.metrics
    }

    /// The reason why this node must stop, if it must.
    #[must_use]
    pub fn is_broken(&self) -> Option<String> {
        self.inner.broken.borrow().clone()
    }

    /// Resolves with the reason when this node must stop.
    pub async fn broken(&self) -> String {
        let mut broken = self.inner.broken.subscribe();
        match broken.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => String::from("the ledger is gone"),
        }
    }

    /// Stops here for ever, with the reason for whoever watches.
    async fn stop(&self, reason: String) {
        error!(reason, "this node is broken and stops");
        self.inner.broken.send_replace(Some(reason));
        std::future::pending::<()>().await;
    }

    /// Whether a proposal holds. What panics in executing it ends the check, not the node.
    async fn check_by(&self, parent: &Block, block: &Block, execute: execute::Execute) -> bool {
        let (inner, parent, block) = (Arc::clone(&self.inner), parent.clone(), block.clone());
        let hash = block.hash();
        let checked = tokio::task::spawn_blocking(move || {
            execute::check(&inner, &parent, &Arc::new(block), execute)
        })
        .await;
        match checked {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                if error.is_outdated() {
                    self.stop(error.to_string()).await;
                }
                warn!(%hash, %error, "a proposal does not hold");
                false
            }
            Err(error) => {
                error!(%hash, %error, "checking a proposal was cut off");
                false
            }
        }
    }
}

impl Handovers for NodeLedger {
    fn ends(&self) -> Vec<u64> {
        self.handovers()
    }

    fn handover(&self, end: u64) -> Option<Handover> {
        let handover = Self::handover(self, end);
        handover.inspect_err(|error| warn!(%error, end, "an epoch's end cannot be shown")).ok()
    }
}

impl Ledger for NodeLedger {
    fn genesis(&self) -> Block {
        self.inner.genesis.clone()
    }

    fn epoch_length(&self) -> NonZeroU64 {
        self.inner.epoch_length
    }

    fn validators(&self, after: Option<B256>, epoch: u64) -> Option<ValidatorSet> {
        seats::validators_after(&self.inner, after, epoch)
            .inspect_err(|error| error!(%error, "who validates is not known"))
            .ok()
            .map(|set| ValidatorSet::clone(&set))
    }

    fn last_finalized(&self) -> u64 {
        self.store().head().number
    }

    fn final_block(&self, number: u64) -> Option<Arc<Block>> {
        let block = self.store().block(number);
        block.inspect_err(|error| error!(%error, number, "a final block cannot be read")).ok()?
    }

    fn holds(&self, block: B256) -> bool {
        self.store().head().hash == block || self.inner.pending.block(block).is_some()
    }

    fn pending(&self, block: B256) -> Option<Arc<Block>> {
        self.inner.pending.block(block).map(|executed| Arc::clone(&executed.block))
    }

    async fn wait_for_work(&self, parent: &Block) {
        if let Err(error) = work::wait(&self.inner, parent).await {
            warn!(%error, "could not look for work");
        }
    }

    async fn build(&self, parent: &Block, context: BuildContext) -> Option<Block> {
        let (inner, parent) = (Arc::clone(&self.inner), parent.clone());
        let built =
            tokio::task::spawn_blocking(move || build::build(&inner, &parent, context)).await;
        match built {
            Ok(Ok(block)) => Some(block),
            Ok(Err(error)) => {
                if error.is_outdated() {
                    self.stop(error.to_string()).await;
                }
                error!(%error, "could not build a block");
                None
            }
            Err(error) => {
                error!(%error, "building a block was cut off");
                None
            }
        }
    }

    async fn check(&self, parent: &Block, block: &Block) -> bool {
        self.check_by(parent, block, execute_block).await
    }

    async fn finalize(&self, block: Arc<Block>, certificate: Option<Vec<u8>>) {
        let inner = Arc::clone(&self.inner);
        let number = block.header.number;
        let commits = inner.pool.commit_spans(&block);
        let done = tokio::task::spawn_blocking(move || {
            let head = execute::finalize(&inner, &block, certificate.as_deref());
            head.inspect(|_| upgrade::announce(inner.pending.store()))
        })
        .await;
        drop(commits);
        match done {
            Ok(Ok(head)) => {
                self.inner.finalized.send_replace(head.number);
                if let Err(error) = self.inner.pool.on_finalized(head.pool, head.changed) {
                    self.stop(format!("the state after block {number} cannot be read: {error}"))
                        .await;
                }
            }
            Ok(Err(error)) => {
                self.stop(format!("final block {number} cannot be applied: {error}")).await;
            }
            Err(error) => {
                self.stop(format!("applying final block {number} was cut off: {error}")).await;
            }
        }
    }

    fn accuse(&self, evidence: Evidence) {
        match self.store().add_evidence(&evidence) {
            Ok(true) => {
                self.inner.metrics.evidence.inc();
            }
            Ok(false) => {}
            Err(error) => warn!(%error, "evidence could not be kept"),
        }
    }

    fn newest_certified(&self) -> Option<Certified> {
        // The last block of an epoch always has one.
        let found = self.store().newest_certified(self.inner.epoch_length.get());
        let found = found.inspect_err(|error| error!(%error, "certificates cannot be read"));
        let (head, certificate) = found.ok()??;
        Some(Certified { number: head.number, hash: head.hash, certificate: certificate.to_vec() })
    }

    fn library(&self) -> Option<Arc<dyn Library>> {
        Some(Arc::new(StateLibrary::new(self.store().clone(), self.clone())))
    }

    fn past(&self) -> Option<Past> {
        let store = self.store().clone();
        let (chain_id, genesis) = (self.rules().chain_id(), store.genesis_hash());
        let ledger = self.clone();
        let set = move |epoch| ledger.validators_of(epoch).map(|set| ValidatorSet::clone(&set));
        (store.missing_past() > 0).then(|| Past {
            store,
            chain: ChainIdentity { chain_id, genesis },
            epoch_length: self.inner.epoch_length,
            validators: Box::new(set),
        })
    }
}

/// The finalised head as the pool sees it, with the accounts that changed.
#[derive(Debug)]
struct Applied {
    number: u64,
    pool: pool::Head,
    changed: Vec<Address>,
}
