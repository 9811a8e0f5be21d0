//! The pool's memory, under one lock: queues by sender, transactions by hash, queues by
//! what they can pay and by worth.

use super::{
    entry::{Origin, PooledTransaction},
    error::PoolError,
    queue::{Entry, Queue, Reach, Standing, Worth},
    settings::{Head, PoolSettings, SenderContent, Spendable, Status},
};
use alloy_consensus::Transaction as _;
use alloy_primitives::{
    Address, B256,
    map::{AddressMap, B256Map},
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map, hash_map},
    sync::Arc,
};

/// Of the fee to be replaced, in percent: what go-ethereum, reth and anvil ask for.
const REPLACEMENT_PERCENT: u128 = 110;

/// How often, in seconds of block time, the pool looks for what has waited too long.
const EXPIRY_INTERVAL_SECONDS: u64 = 60;

/// Bounds the memory of banished transactions to about a hundred kilobytes.
const MOST_BANISHED: usize = 1_024;

/// Why a transaction did not get in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The sender's account has to be read, at this head or a later one.
    NeedsAccount,
    /// For good.
    Pool(PoolError),
}

impl From<PoolError> for Refusal {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

/// How many transactions carry an authorisation, by authority and nonce. Anybody may send again what was used
/// before: it says something of an account only from the nonce on that the account has.
type Authorities = BTreeMap<(Address, u64), usize>;

#[derive(Debug)]
pub(super) struct State {
    pub(super) head: Head,
    settings: PoolSettings,
    queues: AddressMap<Queue>,
    by_hash: B256Map<Arc<PooledTransaction>>,
    by_reach: BTreeSet<(Reach, Address)>,
    by_worth: BTreeSet<(Worth, Address)>,
    /// How many transactions here may let an account delegate while it has a nonce.
    authorities: Authorities,
    bytes: usize,
    arrivals: u64,
    /// Nothing can have waited too long before this time.
    next_expiry: u64,
    banished: BTreeSet<B256>,
}

impl State {
    pub(super) fn new(settings: PoolSettings, head: Head) -> Self {
        Self {
            head,
            settings,
            queues: AddressMap::default(),
            by_hash: B256Map::default(),
            by_reach: BTreeSet::new(),
            by_worth: BTreeSet::new(),
            authorities: Authorities::new(),
            bytes: 0,
            arrivals: 0,
            next_expiry: 0,
            banished: BTreeSet::new(),
        }
    }

    pub(super) fn find(&self, hash: &B256) -> Option<&Arc<PooledTransaction>> {
        self.by_hash.get(hash)
    }

    pub(super) fn queue(&self, sender: &Address) -> Option<&Queue> {
        self.queues.get(sender)
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = (&Address, &Queue)> {
        self.queues.iter()
    }

    /// What speaks against a transaction whose authorisations are not recovered yet; `account` is the sender's.
    pub(super) fn look(
        &self,
        transaction: &PooledTransaction,
        account: Spendable,
    ) -> Result<(), PoolError> {
        self.check_hash(&transaction.hash())?;
        let sender = transaction.sender();
        let empty = Queue::new(account);
        let queue = self.queues.get(&sender).unwrap_or(&empty);
        check(queue, account, transaction, &self.settings)?;
        let is_delegated =
            account.is_delegated || may_be_delegated(&self.authorities, sender, account.nonce);
        check_delegated(queue, account.nonce, transaction, is_delegated)
    }

    fn check_hash(&self, hash: &B256) -> Result<(), PoolError> {
        if self.by_hash.contains_key(hash) {
            return Err(PoolError::AlreadyKnown);
        }
        if self.banished.contains(hash) {
            return Err(PoolError::Banished);
        }
        Ok(())
    }

    /// Adds a transaction; `account` is the sender's at the present head, when it was read.
    pub(super) fn insert(
        &mut self,
        transaction: &Arc<PooledTransaction>,
        account: Option<Spendable>,
    ) -> Result<(), Refusal> {
        self.check_hash(&transaction.hash())?;
        let sender = transaction.sender();
        check_authorities(&self.queues, transaction)?;
        let queue = match (self.queues.entry(sender), account) {
            // What it would replace may be in a block that the pool has not been told of yet.
            (hash_map::Entry::Occupied(queue), None)
                if queue.get().find(transaction.nonce()).is_some() =>
            {
                return Err(Refusal::NeedsAccount);
            }
            (hash_map::Entry::Occupied(queue), _) => queue.into_mut(),
            (hash_map::Entry::Vacant(place), Some(account)) => place.insert(Queue::new(account)),
            (hash_map::Entry::Vacant(_), None) => return Err(Refusal::NeedsAccount),
        };
        let before = queue.standing();
        if let Some(account) = account {
            queue.account = account;
        }
        let known = queue.account;
        let is_delegated =
            known.is_delegated || may_be_delegated(&self.authorities, sender, known.nonce);
        let checked = check(queue, known, transaction, &self.settings)
            .and_then(|()| check_delegated(queue, known.nonce, transaction, is_delegated));
        let mut replaced = None;
        if checked.is_ok() {
            self.arrivals = self.arrivals.saturating_add(1);
            let entry = Entry {
                transaction: Arc::clone(transaction),
                arrival: self.arrivals,
                arrived_at: self.head.timestamp,
            };
            replaced = queue.insert(transaction.nonce(), entry);
            self.remember(transaction);
            if let Some(old) = &replaced {
                self.forget(&old.transaction);
            }
        }
        self.reindex(sender, before);
        checked.map_err(|error| match (&error, account) {
            // Since the account was read coin may have come in, and what waited may be in a block.
            (
                PoolError::InsufficientFunds { .. }
                | PoolError::DelegatedLimit(_)
                | PoolError::DelegatedGap { .. },
                None,
            ) => Refusal::NeedsAccount,
            _ => Refusal::Pool(error),
        })?;
        self.evict(transaction, replaced.as_ref())
    }

    /// Takes over an account as it is now; drops what it has used up or cannot pay.
    pub(super) fn revalidate(&mut self, sender: Address, account: Spendable) {
        let Some(queue) = self.queues.get_mut(&sender) else { return };
        let before = queue.standing();
        for entry in queue.revalidate(account) {
            self.forget(&entry.transaction);
        }
        self.reindex(sender, before);
    }

    /// Drops what has waited too long; returns how many.
    pub(super) fn expire(&mut self) -> usize {
        let now = self.head.timestamp;
        if now < self.next_expiry {
            return 0;
        }
        let latest = now.checked_sub(self.settings.lifetime_seconds);
        let is_old = |queue: &Queue| queue.oldest().is_some_and(|oldest| Some(oldest) <= latest);
        let mut senders: Vec<Address> = self
            .queues
            .iter()
            .filter(|(_, queue)| is_old(queue))
            .map(|(sender, _)| *sender)
            .collect();
        senders.sort_unstable();
        let before = self.by_hash.len();
        for sender in senders {
            let Some(queue) = self.queues.get_mut(&sender) else { continue };
            let standing = queue.standing();
            for entry in queue.expire(latest.unwrap_or_default()) {
                self.forget(&entry.transaction);
            }
            self.reindex(sender, standing);
        }
        self.next_expiry = now.saturating_add(EXPIRY_INTERVAL_SECONDS);
        before.saturating_sub(self.by_hash.len())
    }

    /// Drops a transaction and does not take it again.
    pub(super) fn banish(&mut self, hash: B256) {
        if self.banished.len() >= MOST_BANISHED {
            self.banished.clear();
        }
        self.banished.insert(hash);
        let Some(transaction) = self.by_hash.get(&hash).cloned() else { return };
        let sender = transaction.sender();
        let Some(queue) = self.queues.get_mut(&sender) else { return };
        let before = queue.standing();
        if let Some(entry) = queue.remove(transaction.nonce()) {
            self.forget(&entry.transaction);
        }
        self.reindex(sender, before);
    }

    pub(super) fn status(&self) -> Status {
        let pending = self.queues.values().map(Queue::pending_count).sum();
        let queued = self.by_hash.len().saturating_sub(pending);
        Status { pending, queued, bytes: self.bytes }
    }

    pub(super) fn content(&self, sender: Address) -> SenderContent {
        let (mut pending, mut queued) = (Vec::new(), Vec::new());
        if let Some(queue) = self.queues.get(&sender) {
            let next = queue.next_nonce();
            for (nonce, entry) in queue.iter() {
                let part = if nonce < next { &mut pending } else { &mut queued };
                part.push(Arc::clone(&entry.transaction));
            }
        }
        SenderContent { sender, pending, queued }
    }

    /// Of what was given to this node and could run, what has waited so many seconds; at most `most`.
    pub(super) fn overdue(&self, seconds: u64, most: usize) -> Vec<Arc<PooledTransaction>> {
        let Some(latest) = self.head.timestamp.checked_sub(seconds) else { return Vec::new() };
        let is_overdue = |entry: &&Entry| {
            let transaction = &entry.transaction;
            transaction.origin() == Origin::Local
                && entry.arrived_at <= latest
                && transaction.effective_tip(self.head.base_fee).is_some()
        };
        let pending = self.queues.values().flat_map(Queue::pending).filter(is_overdue);
        pending.take(most).map(|entry| Arc::clone(&entry.transaction)).collect()
    }

    /// Makes room. What cannot pay the base fee goes first, the lowest max fee first: nobody who pays nothing
    /// keeps out who pays. Then goes what is worth the least. When that is the newcomer, what it `replaced` is back.
    fn evict(
        &mut self,
        newcomer: &Arc<PooledTransaction>,
        replaced: Option<&Entry>,
    ) -> Result<(), Refusal> {
        while self.by_hash.len() > self.settings.max_transactions
            || self.bytes > self.settings.max_bytes
        {
            let Some((sender, below)) = self.least() else { break };
            let Some(queue) = self.queues.get_mut(&sender) else { break };
            let before = queue.standing();
            let Some(evicted) = queue.pop_last() else { break };
            let is_newcomer = evicted.transaction.hash() == newcomer.hash();
            let back = replaced.filter(|_| is_newcomer);
            if let Some(old) = back {
                queue.put_back(newcomer.nonce(), old.clone());
            }
            self.forget(&evicted.transaction);
            if let Some(old) = back {
                self.remember(&old.transaction);
            }
            self.reindex(sender, before);
            // Without the newcomer it is as full as before, which was not too full.
            if is_newcomer {
                let base_fee = self.head.base_fee;
                let (tip, _) = newcomer.price();
                let full = PoolError::Underpriced(tip);
                let low = |max_fee| PoolError::BelowPresentBaseFee { max_fee, base_fee };
                return Err(below.map_or(full, low).into());
            }
        }
        Ok(())
    }

    /// Whose last transaction leaves first; and the max fee that is below the base fee, if that is why.
    fn least(&self) -> Option<(Address, Option<u128>)> {
        let base_fee = u128::from(self.head.base_fee);
        match self.by_reach.first() {
            Some((reach, sender)) if reach.max_fee < base_fee => {
                Some((*sender, Some(reach.max_fee)))
            }
            _ => self.by_worth.first().map(|(_, sender)| (*sender, None)),
        }
    }

    fn remember(&mut self, transaction: &Arc<PooledTransaction>) {
        self.by_hash.insert(transaction.hash(), Arc::clone(transaction));
        self.bytes = self.bytes.saturating_add(transaction.length());
        for authority in transaction.authorities() {
            let count = self.authorities.entry(*authority).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn forget(&mut self, transaction: &PooledTransaction) {
        self.by_hash.remove(&transaction.hash());
        self.bytes = self.bytes.saturating_sub(transaction.length());
        for authority in transaction.authorities() {
            if let btree_map::Entry::Occupied(mut count) = self.authorities.entry(*authority) {
                *count.get_mut() = count.get().saturating_sub(1);
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }

    fn reindex(&mut self, sender: Address, before: Standing) {
        self.by_reach.remove(&(before.reach, sender));
        self.by_worth.remove(&(before.worth, sender));
        match self.queues.get(&sender) {
            Some(queue) if queue.is_empty() => {
                self.queues.remove(&sender);
            }
            Some(queue) => {
                let Standing { reach, worth } = queue.standing();
                self.by_reach.insert((reach, sender));
                self.by_worth.insert((worth, sender));
            }
            None => {}
        }
    }
}

/// The rules that depend on the account and on what it already has waiting.
fn check(
    queue: &Queue,
    account: Spendable,
    transaction: &PooledTransaction,
    settings: &PoolSettings,
) -> Result<(), PoolError> {
    let (nonce, next) = (transaction.nonce(), account.nonce);
    if account.has_code {
        return Err(PoolError::SenderHasCode(transaction.sender()));
    }
    if nonce < next {
        return Err(PoolError::NonceTooLow { next, nonce });
    }
    let old = queue.find(nonce).map(|entry| &entry.transaction);
    if let Some(old) = old {
        check_replacement(old, transaction)?;
    }
    let (old_cost, old_length) =
        old.map_or_else(Default::default, |old| (old.cost(), old.length()));
    let queued = queue.cost().saturating_sub(old_cost);
    let cost = transaction.cost();
    if queued.checked_add(cost).is_none_or(|total| total > account.balance) {
        return Err(PoolError::InsufficientFunds { balance: account.balance, queued, cost });
    }
    let bytes = queue.bytes().saturating_sub(old_length).saturating_add(transaction.length());
    let is_one_more = old.is_none() && queue.len() >= settings.max_sender_transactions;
    if is_one_more || bytes > settings.max_sender_bytes {
        return Err(PoolError::SenderLimit {
            transactions: settings.max_sender_transactions,
            bytes: settings.max_sender_bytes,
        });
    }
    Ok(())
}

/// Whether something here may let an account of that nonce delegate, now or later.
fn may_be_delegated(authorities: &Authorities, account: Address, nonce: u64) -> bool {
    authorities.range((account, nonce)..=(account, u64::MAX)).next().is_some()
}

/// Of a sender whose coin others may move no more than the next gets in: one sweep would void all of it, and
/// nobody would have paid for the room it took. So does go-ethereum. What waited behind a gap before the sender
/// delegated does not keep the next out, or it would be stuck until that expires.
fn check_delegated(
    queue: &Queue,
    next: u64,
    transaction: &PooledTransaction,
    is_delegated: bool,
) -> Result<(), PoolError> {
    let nonce = transaction.nonce();
    if !is_delegated || nonce == next || queue.find(nonce).is_some() {
        return Ok(());
    }
    if queue.find(next).is_some() {
        return Err(PoolError::DelegatedLimit(transaction.sender()));
    }
    Err(PoolError::DelegatedGap { next, nonce })
}

/// The other way round: who has more than one waiting is not made to delegate by what waits. An authorisation
/// whose nonce has passed is void for ever.
fn check_authorities(
    queues: &AddressMap<Queue>,
    transaction: &PooledTransaction,
) -> Result<(), PoolError> {
    let has_many = |(authority, nonce): &&(Address, u64)| {
        queues.get(authority).is_some_and(|queue| {
            let next = queue.account.nonce;
            *nonce >= next && queue.has_more_than(1, next)
        })
    };
    match transaction.authorities().iter().find(has_many) {
        Some((authority, _)) => Err(PoolError::AuthorityReserved(*authority)),
        None => Ok(()),
    }
}

fn check_replacement(old: &PooledTransaction, new: &PooledTransaction) -> Result<(), PoolError> {
    let (old, new) = (old.signed(), new.signed());
    let max_fee = raised(old.max_fee_per_gas());
    let max_tip = raised(old.priority_fee_or_price());
    if new.max_fee_per_gas() < max_fee || new.priority_fee_or_price() < max_tip {
        return Err(PoolError::ReplacementUnderpriced { max_fee, max_tip });
    }
    Ok(())
}

/// A tenth more, rounded up, and at least one more.
fn raised(fee: u128) -> u128 {
    let tenth_more = fee.saturating_mul(REPLACEMENT_PERCENT).div_ceil(100);
    tenth_more.max(fee.saturating_add(1))
}
