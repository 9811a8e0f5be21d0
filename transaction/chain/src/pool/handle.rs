//! The pool as its users hold it.

use super::{
    best::Best,
    entry::{Origin, PooledTransaction},
    error::PoolError,
    settings::{Accounts, Head, PoolSettings, SenderContent, Status},
    state::{Refusal, State},
};
use alloy_primitives::{Address, B256};
use parking_lot::Mutex;
use sahara_evm::StateError;
use sahara_finality::{Block, Transaction};
use sahara_telemetry::TRACE;
use std::{collections::BTreeMap, fmt, sync::Arc};
use tokio::sync::{Notify, broadcast};
use tracing::{Span, debug, debug_span, field::Empty};

/// Accepted transactions that a slow subscriber may leave unread before it misses some.
const SUBSCRIPTION_CAPACITY: usize = 16_384;

/// The transaction pool. Clones share it.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    settings: PoolSettings,
    accounts: Box<dyn Accounts>,
    state: Mutex<State>,
    /// Of the transactions given to this node whose trace somebody collects; each ends with its block.
    waiting: Mutex<BTreeMap<B256, Span>>,
    work: Notify,
    arrivals: broadcast::Sender<Arc<PooledTransaction>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Pool {
    /// An empty pool over the accounts at `head`.
    #[must_use]
    pub fn new(settings: PoolSettings, accounts: impl Accounts + 'static, head: Head) -> Self {
        let (arrivals, _) = broadcast::channel(SUBSCRIPTION_CAPACITY);
        let shared = Shared {
            settings,
            accounts: Box::new(accounts),
            state: Mutex::new(State::new(settings, head)),
            waiting: Mutex::default(),
            work: Notify::new(),
            arrivals,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Decodes, checks and adds a transaction.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn add_encoded(
        &self,
        bytes: &[u8],
        origin: Origin,
    ) -> Result<Arc<PooledTransaction>, PoolError> {
        self.add(Transaction::decode(bytes)?, origin)
    }

    /// Checks and adds a transaction.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn add(
        &self,
        transaction: Transaction,
        origin: Origin,
    ) -> Result<Arc<PooledTransaction>, PoolError> {
        let hash = transaction.hash();
        let head = {
            let state = self.shared.state.lock();
            if state.find(&hash).is_some() {
                return Err(PoolError::AlreadyKnown);
            }
            state.head
        };
        let settings = &self.shared.settings;
        let mut pooled = PooledTransaction::new(transaction, origin, settings, &head)?;
        if pooled.has_authorizations() {
            // Recovering them takes long: only for a sender who could pay for what it would get in.
            let account = self.shared.accounts.spendable(pooled.sender())?;
            self.shared.state.lock().look(&pooled, account)?;
            pooled.recover_authorities(settings.chain_id);
        }
        let pooled = Arc::new(pooled);
        let span = debug_span!(target: TRACE, "pool.wait", %hash, block = Empty);
        if origin == Origin::Local && !span.is_disabled() {
            self.shared.waiting.lock().insert(hash, span);
        }
        if let Err(error) = self.insert(&pooled) {
            self.shared.waiting.lock().remove(&hash);
            return Err(error);
        }
        self.shared.work.notify_waiters();
        // Nobody listening is no failure.
        drop(self.shared.arrivals.send(Arc::clone(&pooled)));
        Ok(pooled)
    }

    /// The transaction with this hash.
    #[must_use]
    pub fn find(&self, hash: &B256) -> Option<Arc<PooledTransaction>> {
        self.shared.state.lock().find(hash).cloned()
    }

    /// Who sent the transaction with this hash; saves recovering it when its block comes.
    #[must_use]
    pub fn sender(&self, hash: &B256) -> Option<Address> {
        self.shared.state.lock().find(hash).map(|transaction| transaction.sender())
    }

    /// The nonce after the sender's pending transactions; `None` when it has nothing waiting.
    #[must_use]
    pub fn next_nonce(&self, sender: &Address) -> Option<u64> {
        self.shared.state.lock().queue(sender).map(super::queue::Queue::next_nonce)
    }

    /// What the next block may hold, the best paying first; see [`Best`].
    #[must_use]
    pub fn best(&self, base_fee: u64, gas_limit: u64) -> Best {
        let heads = {
            let state = self.shared.state.lock();
            state.queues().filter_map(|(_, queue)| queue.pending().next().cloned()).collect()
        };
        Best::new(self.clone(), base_fee, gas_limit, heads)
    }

    /// Whether a transaction could run at this base fee.
    #[must_use]
    pub fn has_work(&self, base_fee: u64) -> bool {
        let state = self.shared.state.lock();
        let mut heads = state.queues().filter_map(|(_, queue)| queue.pending().next());
        heads.any(|entry| entry.transaction.effective_tip(base_fee).is_some())
    }

    /// Returns as soon as a transaction can run at this base fee.
    pub async fn wait_for_work(&self, base_fee: u64) {
        loop {
            let mut notified = std::pin::pin!(self.shared.work.notified());
            // Registered before the look, so that what arrives in between is not missed.
            notified.as_mut().enable();
            if self.has_work(base_fee) {
                return;
            }
            notified.await;
        }
    }

    /// Takes over a finalised block after its state is readable: `changed` are the accounts it
    /// changed. Included transactions leave, because their sender's nonce has passed them.
    ///
    /// # Errors
    /// When an account cannot be read.
    pub fn on_finalized(
        &self,
        head: Head,
        changed: impl IntoIterator<Item = Address>,
    ) -> Result<(), StateError> {
        let waiting: Vec<Address> = {
            let mut state = self.shared.state.lock();
            state.head = head;
            changed.into_iter().filter(|address| state.queue(address).is_some()).collect()
        };
        for address in waiting {
            let account = self.shared.accounts.spendable(address)?;
            self.shared.state.lock().revalidate(address, account);
        }
        self.end_spans(head.number);
        let expired = self.shared.state.lock().expire();
        if expired > 0 {
            debug!(expired, "transactions waited too long and left the pool");
        }
        self.shared.work.notify_waiters();
        Ok(())
    }

    /// Ends the spans of those that have left.
    fn end_spans(&self, block: u64) {
        let mut waiting = self.shared.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        let state = self.shared.state.lock();
        // Collectors know signed integers only.
        let block = i64::try_from(block).unwrap_or(i64::MAX);
        waiting.retain(|hash, span| {
            let stays = state.find(hash).is_some();
            if !stays {
                span.record("block", block);
            }
            stays
        });
    }

    /// A span for each wait here that this block ends, to be dropped when the block is on disk.
    pub(crate) fn commit_spans(&self, block: &Block) -> Vec<Span> {
        let waiting = self.shared.waiting.lock();
        if waiting.is_empty() {
            return Vec::new();
        }
        let number = i64::try_from(block.header.number).unwrap_or(i64::MAX);
        let ended = block.transactions.iter().filter_map(|one| waiting.get(&one.hash()));
        let commit =
            |wait: &Span| debug_span!(target: TRACE, parent: wait, "block.commit", block = number);
        ended.map(commit).collect()
    }

    /// Drops a transaction whose execution cannot go on, and takes it from nobody again. Senders
    /// cannot cause this by the rules; it keeps a fault in them from stopping the chain.
    pub fn banish(&self, hash: B256) {
        self.shared.state.lock().banish(hash);
    }

    /// Every transaction accepted from now on. A subscriber who falls behind misses the oldest.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<PooledTransaction>> {
        self.shared.arrivals.subscribe()
    }

    /// Transactions given to this node that could run and have waited so many seconds of block time, at
    /// most `most`: whoever forwards them once cannot know that they arrived.
    #[must_use]
    pub fn overdue(&self, seconds: u64, most: usize) -> Vec<Arc<PooledTransaction>> {
        self.shared.state.lock().overdue(seconds, most)
    }

    /// How full the pool is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.state.lock().status()
    }

    /// One sender's transactions.
    #[must_use]
    pub fn content_of(&self, sender: Address) -> SenderContent {
        self.shared.state.lock().content(sender)
    }

    /// Everything, by sender.
    #[must_use]
    pub fn content(&self) -> Vec<SenderContent> {
        let state = self.shared.state.lock();
        let mut senders: Vec<Address> = state.queues().map(|(sender, _)| *sender).collect();
        senders.sort_unstable();
        senders.into_iter().map(|sender| state.content(sender)).collect()
    }

    /// The successor of a transaction in its sender's queue.
    pub(super) fn after(&self, sender: &Address, nonce: u64) -> Option<super::queue::Entry> {
        self.shared.state.lock().queue(sender)?.find(nonce.checked_add(1)?).cloned()
    }

    fn insert(&self, transaction: &Arc<PooledTransaction>) -> Result<(), PoolError> {
        let mut account = None;
        let mut read_at = None;
        loop {
            let number = {
                let mut state = self.shared.state.lock();
                let number = state.head.number;
                // What was read before a block came is not used.
                let present = account.filter(|_| read_at == Some(number));
                match state.insert(transaction, present) {
                    Ok(()) => return Ok(()),
                    Err(Refusal::Pool(error)) => return Err(error),
                    Err(Refusal::NeedsAccount) => number,
                }
            };
            account = Some(self.shared.accounts.spendable(transaction.sender())?);
            read_at = Some(number);
        }
    }
}
