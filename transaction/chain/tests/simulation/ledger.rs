//! A ledger in memory: its "execution" is a hash over the parent's state and the transactions, so
//! that executing anything in another order, twice or on another parent shows at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    sync::Arc,
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bytes, keccak256};
use parking_lot::Mutex;
use sahara_chain::consensus::{BuildContext, Certified, Evidence, Ledger};
use sahara_finality::{
    Block, Seal, SystemTransaction, Transaction, ValidatorSet, epoch_of, genesis_block,
    receipts_root, transactions_root,
};
use tokio::sync::Notify;

pub(crate) const CHAIN_ID: u64 = 724_272;
/// How many transactions the ledger puts into one block.
pub(crate) const BLOCK_TRANSACTIONS: usize = 3;

/// Transactions to it name the validators of the next epoch.
const VALIDATORS: Address = Address::repeat_byte(8);

/// What is on "disk": survives a crash.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) certificates: Vec<Option<Vec<u8>>>,
    pub(crate) evidence: Vec<Evidence>,
}

/// What is in memory: lost in a crash.
#[derive(Default)]
struct Memory {
    /// Blocks above the last final one whose outcome is known.
    pending: BTreeMap<B256, Block>,
    /// How often each block was executed.
    executed: BTreeMap<B256, usize>,
}

/// The transactions that all validators know of.
#[derive(Default)]
pub(crate) struct Pool {
    waiting: Mutex<Vec<Transaction>>,
    added: Notify,
}

impl Pool {
    pub(crate) fn with(count: u32) -> Arc<Self> {
        let pool = Arc::new(Self::default());
        pool.add(0..count);
        pool
    }

    /// Asks for other validators from the next epoch on.
    pub(crate) fn change(&self, next: &ValidatorSet) {
        let transaction = Transaction::System(SystemTransaction {
            chain_id: CHAIN_ID,
            block_number: 0,
            index: u32::MAX,
            to: VALIDATORS,
            input: next.encoded().into(),
            gas_limit: 21_000,
        });
        self.waiting.lock().push(transaction);
        self.added.notify_waiters();
    }

    pub(crate) fn add(&self, numbers: impl IntoIterator<Item = u32>) {
        self.waiting.lock().extend(numbers.into_iter().map(transaction));
        self.added.notify_waiters();
    }
}

/// A transaction that needs no signature.
pub(crate) fn transaction(index: u32) -> Transaction {
    Transaction::System(SystemTransaction {
        chain_id: CHAIN_ID,
        block_number: 0,
        index,
        to: Address::repeat_byte(7),
        input: Bytes::from(vec![1; 40]),
        gas_limit: 21_000,
    })
}

/// The power of all nodes, which can fail once.
#[derive(Clone, Default)]
pub(crate) struct Power {
    fails_from: Arc<Mutex<Option<(u64, Moment)>>>,
    is_off: Arc<Mutex<bool>>,
    /// Wakes in the order in which was waited; a channel's receivers would wake in any.
    failed: Arc<Notify>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// A ledger has a block that marshal has not delivered to it.
    IsAhead,
    /// A ledger has a block.
    HasIt,
}

impl Power {
    /// It will fail in the moment in which a ledger has a block of this height, or above, that
    /// marshal has not delivered to it.
    pub(crate) fn fail_from(&self, height: u64) {
        *self.fails_from.lock() = Some((height, Moment::IsAhead));
    }

    /// It will fail in the moment in which a ledger has the block of this height.
    pub(crate) fn fail_with(&self, height: u64) {
        *self.fails_from.lock() = Some((height, Moment::HasIt));
    }

    pub(crate) fn is_off(&self) -> bool {
        *self.is_off.lock()
    }

    /// Resolves when it fails.
    pub(crate) async fn off(&self) {
        let mut failed = std::pin::pin!(self.failed.notified());
        failed.as_mut().enable();
        if !self.is_off() {
            failed.await;
        }
    }

    pub(crate) fn restore(&self) {
        *self.is_off.lock() = false;
    }

    fn consider(&self, applied: u64, delivered: u64) {
        let mut fails_from = self.fails_from.lock();
        let is_now = |(height, moment)| {
            height <= applied && (moment == Moment::HasIt || delivered < applied)
        };
        if fails_from.is_some_and(is_now) {
            *fails_from = None;
            *self.is_off.lock() = true;
            self.failed.notify_waiters();
        }
    }
}

#[derive(Clone)]
pub(crate) struct MemoryLedger {
    genesis: Arc<Block>,
    first: Arc<ValidatorSet>,
    length: NonZeroU64,
    /// Decoding a set checks proofs of possession, which takes a while.
    sets: Arc<Mutex<BTreeMap<B256, ValidatorSet>>>,
    pub(crate) disk: Arc<Mutex<Disk>>,
    memory: Arc<Mutex<Memory>>,
    pool: Arc<Pool>,
    /// The heights that marshal delivered to its node, one after the other, in all its lives.
    pub(crate) delivered: Arc<Mutex<Vec<u64>>>,
    pub(crate) power: Power,
}

impl MemoryLedger {
    pub(crate) fn with_epochs(
        validators: &ValidatorSet,
        pool: Arc<Pool>,
        length: NonZeroU64,
    ) -> Self {
        let header = Header {
            gas_limit: 30_000_000,
            base_fee_per_gas: Some(1),
            state_root: B256::repeat_byte(1),
            nonce: B64::ZERO,
            ..Header::default()
        };
        Self {
            genesis: Arc::new(genesis_block(header, CHAIN_ID, validators)),
            first: Arc::new(validators.clone()),
            length,
            sets: Arc::default(),
            disk: Arc::default(),
            memory: Arc::default(),
            pool,
            delivered: Arc::default(),
            power: Power::default(),
        }
    }

    pub(crate) fn powered_by(self, power: &Power) -> Self {
        Self { power: power.clone(), ..self }
    }

    /// The last height that marshal delivered.
    pub(crate) fn last_delivered(&self) -> u64 {
        self.delivered.lock().iter().copied().max().unwrap_or_default()
    }

    /// The same ledger after the process was killed.
    pub(crate) fn restarted(&self) -> Self {
        Self { memory: Arc::default(), ..self.clone() }
    }

    /// Forgets final blocks, as a disk that was restored from a copy.
    pub(crate) fn lose_blocks_above(&self, height: usize) {
        let mut disk = self.disk.lock();
        disk.blocks.truncate(height);
        disk.certificates.truncate(height);
    }

    /// The most times that one block was executed since the start.
    pub(crate) fn most_executions(&self) -> usize {
        self.memory.lock().executed.values().copied().max().unwrap_or_default()
    }

    pub(crate) fn tip(&self) -> Arc<Block> {
        self.disk.lock().blocks.last().cloned().unwrap_or_else(|| Arc::clone(&self.genesis))
    }

    /// The transactions of `block` and its ancestors that are not final, then of all final ones.
    fn included(&self, block: &Block) -> BTreeSet<B256> {
        let memory = self.memory.lock();
        let disk = self.disk.lock();
        let mut included: BTreeSet<_> =
            disk.blocks.iter().flat_map(|one| &one.transactions).map(Transaction::hash).collect();
        let mut next = Some(block);
        while let Some(block) = next {
            included.extend(block.transactions.iter().map(Transaction::hash));
            next = memory.pending.get(&block.header.parent_hash);
        }
        included
    }

    /// The changes of validators up to the block `after`, each with its first epoch, oldest first.
    /// One in the last block of an epoch comes too late for the next.
    fn changes(&self, after: Option<B256>) -> Vec<(u64, Transaction)> {
        let memory = self.memory.lock();
        let disk = self.disk.lock();
        let mut blocks: Vec<&Block> = disk.blocks.iter().map(|block| &**block).collect();
        if let Some(after) = after {
            let place = blocks.iter().position(|block| block.hash() == after);
            match place {
                Some(place) => blocks.truncate(place + 1),
                None if after == self.genesis.hash() => blocks.clear(),
                None => {
                    let final_blocks = blocks.len();
                    let mut next = memory.pending.get(&after);
                    while let Some(block) = next {
                        blocks.insert(final_blocks, block);
                        next = memory.pending.get(&block.header.parent_hash);
                    }
                }
            }
        }
        let changes = blocks.into_iter().flat_map(|block| {
            let first = epoch_of(block.header.number + 1, self.length) + 1;
            let to = |one: &&Transaction| one.as_system().is_some_and(|one| one.to == VALIDATORS);
            block.transactions.iter().filter(to).map(move |one| (first, one.clone()))
        });
        changes.collect()
    }

    fn work(&self, parent: &Block) -> Vec<Transaction> {
        let included = self.included(parent);
        let waiting = self.pool.waiting.lock();
        let fresh = waiting.iter().filter(|one| !included.contains(&one.hash()));
        fresh.take(BLOCK_TRANSACTIONS).cloned().collect()
    }

    fn append(&self, block: &Arc<Block>, certificate: Option<Vec<u8>>) {
        let tip = self.tip();
        assert_eq!(block.header.number, self.last_finalized() + 1, "i9: in order, without gaps");
        assert_eq!(block.header.parent_hash, tip.hash(), "i9: on the block before");
        assert_eq!(block.header.state_root, state_root(&tip, &block.transactions));
        let mut memory = self.memory.lock();
        let mut disk = self.disk.lock();
        disk.blocks.push(Arc::clone(block));
        disk.certificates.push(certificate);
        memory.pending.retain(|_, one| one.header.number > block.header.number);
    }

    fn execute(&self, parent: &Block, block: &Block) -> B256 {
        assert!(self.holds(parent.hash()), "asked to execute on a parent that is not held");
        *self.memory.lock().executed.entry(block.hash()).or_default() += 1;
        state_root(parent, &block.transactions)
    }
}

pub(crate) fn state_root(parent: &Block, transactions: &[Transaction]) -> B256 {
    let mut bytes = parent.header.state_root.to_vec();
    for transaction in transactions {
        bytes.extend(transaction.hash());
    }
    keccak256(bytes)
}

impl Ledger for MemoryLedger {
    fn genesis(&self) -> Block {
        (*self.genesis).clone()
    }

    fn epoch_length(&self) -> NonZeroU64 {
        self.length
    }

    fn validators(&self, after: Option<B256>, epoch: u64) -> Option<ValidatorSet> {
        let mut changes = self.changes(after);
        changes.retain(|(first, _)| *first <= epoch);
        let Some((_, last)) = changes.pop() else { return Some((*self.first).clone()) };
        let mut sets = self.sets.lock();
        let set = sets
            .entry(last.hash())
            .or_insert_with(|| ValidatorSet::decode(&last.as_system().unwrap().input).unwrap());
        Some(set.clone())
    }

    fn last_finalized(&self) -> u64 {
        u64::try_from(self.disk.lock().blocks.len()).unwrap()
    }

    fn final_block(&self, number: u64) -> Option<Arc<Block>> {
        let place = usize::try_from(number.checked_sub(1)?).unwrap();
        self.disk.lock().blocks.get(place).cloned()
    }

    fn holds(&self, block: B256) -> bool {
        self.tip().hash() == block || self.memory.lock().pending.contains_key(&block)
    }

    fn pending(&self, block: B256) -> Option<Arc<Block>> {
        self.memory.lock().pending.get(&block).cloned().map(Arc::new)
    }

    async fn wait_for_work(&self, parent: &Block) {
        loop {
            let added = self.pool.added.notified();
            if !self.work(parent).is_empty() {
                return;
            }
            added.await;
        }
    }

    async fn build(&self, parent: &Block, context: BuildContext) -> Option<Block> {
        let transactions = self.work(parent);
        let mut header = context.header;
        header.gas_limit = parent.header.gas_limit;
        header.base_fee_per_gas = parent.header.base_fee_per_gas;
        header.state_root = state_root(parent, &transactions);
        header.transactions_root = transactions_root(&transactions);
        header.receipts_root = receipts_root(&[]);
        let block = Block { header, seal: Seal::Round(context.seal), transactions };
        self.execute(parent, &block);
        self.memory.lock().pending.insert(block.hash(), block.clone());
        Some(block)
    }

    async fn check(&self, parent: &Block, block: &Block) -> bool {
        let valid = self.execute(parent, block) == block.header.state_root
            && block.transactions.len() <= BLOCK_TRANSACTIONS;
        if valid {
            self.memory.lock().pending.insert(block.hash(), block.clone());
        }
        valid
    }

    async fn finalize(&self, block: Arc<Block>, certificate: Option<Vec<u8>>) {
        self.append(&block, certificate);
        self.power.consider(self.last_finalized(), self.last_delivered());
        if self.power.is_off() {
            std::future::pending::<()>().await;
        }
    }

    fn newest_certified(&self) -> Option<Certified> {
        let disk = self.disk.lock();
        let place = disk.certificates.iter().rposition(Option::is_some)?;
        let (block, certificate) = (&disk.blocks[place], disk.certificates[place].clone()?);
        Some(Certified { number: block.header.number, hash: block.hash(), certificate })
    }

    fn accuse(&self, evidence: Evidence) {
        self.disk.lock().evidence.push(evidence);
    }
}
