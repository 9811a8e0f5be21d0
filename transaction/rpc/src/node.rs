//! What the RPC knows of its node, and how a request's words become blocks, states and
//! surroundings.

use crate::{computing::Computing, error::Failure};
use alloy_consensus::Header;
use alloy_consensus::transaction::Recovered;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::BlockOverrides;
use parking_lot::Mutex;
use sahara_chain::{
    genesis::GenesisFile,
    ledger::NodeLedger,
    metrics::NodeMetrics,
    pool::Pool,
    store::{Head, StateView, Store},
};
use sahara_evm::{BlockEnv, FeeParameters, RecoveredTransaction, Replay, Rules, next_base_fee};
use sahara_finality::{
    Block, SystemTransaction, Transaction, TxReceipt, ValidatorSet, header_milliseconds,
};
use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Tells how many validators the node is connected to.
pub type PeerCount = Box<dyn Fn() -> usize + Send + Sync>;

/// A node as JSON-RPC shows it. Clones share it.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    pool: Pool,
    metrics: NodeMetrics,
    rules: Rules,
    fees: FeeParameters,
    ledger: NodeLedger,
    peers: PeerCount,
    version: String,
    /// One place per core for what computes.
    computing: Computing,
    /// The whole state is walked by one at a time, beside the calls: it takes minutes.
    walking: Computing,
    /// Clients ask about the same few blocks again and again.
    recent: Mutex<VecDeque<FullBlock>>,
}

/// How many blocks are kept at hand.
const RECENT_BLOCKS: usize = 8;
/// The most logs of all of them, about 256 MiB; the newest block is kept whatever it has.
const RECENT_LOGS: usize = 1 << 20;

/// A final block with its receipts and senders.
#[derive(Clone, Debug)]
pub(crate) struct FullBlock {
    pub(crate) hash: B256,
    pub(crate) block: Arc<Block>,
    pub(crate) receipts: Arc<Vec<TxReceipt>>,
    pub(crate) senders: Arc<[Address]>,
}

/// What a block is run again with.
#[derive(Debug)]
pub(crate) struct Rerun {
    pub(crate) env: BlockEnv,
    pub(crate) transactions: Vec<RecoveredTransaction>,
    pub(crate) system: Option<SystemTransaction>,
    pub(crate) parent: StateView,
    pub(crate) hash: B256,
}

impl Rerun {
    /// As the tracers want it.
    pub(crate) fn replay(&self) -> Replay<'_> {
        Replay {
            env: &self.env,
            transactions: &self.transactions,
            system: self.system.as_ref(),
            hash: self.hash,
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Node")
            .field("store", &self.inner.store)
            .field("pool", &self.inner.pool)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// The node with this ledger. `version` names the program, as `sahara/v0.1.0`.
    #[must_use]
    pub fn new(
        ledger: &NodeLedger,
        genesis: &GenesisFile,
        peers: PeerCount,
        version: impl Into<String>,
    ) -> Self {
        Self::with_rules(ledger, genesis, (peers, version.into()), ledger.rules())
    }

    /// As [`Self::new`], for a chain whose blocks were made by other rules than the ledger's: the
    /// recorded chains that answers are held against.
    #[must_use]
    pub fn with_rules(
        ledger: &NodeLedger,
        genesis: &GenesisFile,
        (peers, version): (PeerCount, String),
        rules: Rules,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let inner = Inner {
            store: ledger.store().clone(),
            pool: ledger.pool().clone(),
            metrics: ledger.metrics().clone(),
            rules,
            fees: genesis.config.fees,
            ledger: ledger.clone(),
            peers,
            version,
            computing: Computing::new(cores),
            walking: Computing::new(1),
            recent: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(crate) fn metrics(&self) -> &NodeMetrics {
        &self.inner.metrics
    }

    pub(crate) fn rules(&self) -> Rules {
        self.inner.rules
    }

    /// How the base fee moves after the last final block.
    pub(crate) fn fees(&self) -> Result<FeeParameters, Failure> {
        Ok(self.inner.fees.governed(&self.store().state())?)
    }

    pub(crate) fn ledger(&self) -> &NodeLedger {
        &self.inner.ledger
    }

    /// Epoch and validators of a block, final or next.
    pub(crate) fn validators(&self, number: u64) -> (u64, Option<Arc<ValidatorSet>>) {
        let epoch = self.inner.ledger.epoch_of(number);
        (epoch, self.inner.ledger.validators_of(epoch))
    }

    /// Fee addresses of a block's epoch, one per seat.
    fn recipients(&self, number: u64) -> Vec<Address> {
        let (_, set) = self.validators(number);
        set.map_or_else(Vec::new, |set| set.as_slice().iter().map(|one| one.fee_address).collect())
    }

    pub(crate) fn peers(&self) -> usize {
        (self.inner.peers)()
    }

    pub(crate) fn version(&self) -> &str {
        &self.inner.version
    }

    /// Runs what computes or reads much on a thread of its own; as many at once as there are
    /// cores, the others wait, their clients in turn.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let node = self.clone();
        self.inner.computing.run(move || work(&node)).await
    }

    /// As [`Self::compute`], for what walks the whole state: one at a time, and calls go on meanwhile.
    pub(crate) async fn walk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let node = self.clone();
        self.inner.walking.run(move || work(&node)).await
    }

    /// The number of a final block; `latest`, `safe`, `finalized` and `pending` are the head.
    /// `None` when there is no such block.
    pub(crate) fn number(&self, block: BlockId) -> Result<Option<u64>, Failure> {
        let head = self.store().head().number;
        Ok(match block {
            BlockId::Hash(hash) => self.store().block_number(hash.block_hash)?,
            BlockId::Number(BlockNumberOrTag::Number(number)) => (number <= head).then_some(number),
            BlockId::Number(BlockNumberOrTag::Earliest) => Some(0),
            BlockId::Number(_) => Some(head),
        })
    }

    pub(crate) fn head_of(&self, block: Option<BlockId>) -> Result<Head, Failure> {
        let number = self.number(block.unwrap_or_default())?.ok_or(Failure::UnknownBlock)?;
        self.store().header(number)?.ok_or_else(|| self.missing(number))
    }

    /// Why a block that is final is not here.
    fn missing(&self, number: u64) -> Failure {
        if number < self.store().first_block() {
            self.store().absent(number).into()
        } else {
            Failure::UnknownBlock
        }
    }

    /// The state after a block.
    pub(crate) fn state(&self, block: Option<BlockId>) -> Result<StateView, Failure> {
        match block.unwrap_or_default() {
            BlockId::Hash(_)
            | BlockId::Number(BlockNumberOrTag::Number(_) | BlockNumberOrTag::Earliest) => {
                let number = self.number(block.unwrap_or_default())?;
                self.state_at(number.ok_or(Failure::UnknownBlock)?)
            }
            BlockId::Number(_) => Ok(self.store().state()),
        }
    }

    pub(crate) fn state_at(&self, number: u64) -> Result<StateView, Failure> {
        let oldest = self.store().oldest_state();
        self.store().state_at(number).ok_or(Failure::OldState { number, oldest })
    }

    /// A state with the surroundings a call runs in: those of the block itself, or of the next
    /// one for `pending`.
    pub(crate) fn surroundings(
        &self,
        block: Option<BlockId>,
    ) -> Result<(StateView, BlockEnv), Failure> {
        let state = self.state(block)?;
        let header = self.store().header(state.number())?.ok_or(Failure::UnknownBlock)?;
        let env = if block.is_some_and(|id| id.is_pending()) {
            self.next_env(&header)?
        } else {
            self.env(&header.header)
        };
        Ok((state, env))
    }

    /// As [`Self::surroundings`], with what a call overrides.
    pub(crate) fn overridden(
        &self,
        block: Option<BlockId>,
        overrides: Option<&BlockOverrides>,
    ) -> Result<(StateView, BlockEnv), Failure> {
        let (state, env) = self.surroundings(block)?;
        Ok((state, overrides.map_or(env.clone(), |overrides| env.with_overrides(overrides))))
    }

    pub(crate) fn env(&self, header: &Header) -> BlockEnv {
        BlockEnv {
            number: header.number,
            timestamp: header.timestamp,
            parent_hash: header.parent_hash,
            beneficiary: header.beneficiary,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee_per_gas.unwrap_or_default(),
            prevrandao: header.mix_hash,
            recipients: self.recipients(header.number),
            ..BlockEnv::default()
        }
    }

    fn next_env(&self, head: &Head) -> Result<BlockEnv, Failure> {
        let parent = &head.header;
        Ok(BlockEnv {
            number: parent.number.saturating_add(1),
            timestamp: (now_milliseconds() / 1000).max(parent.timestamp),
            parent_hash: head.hash,
            base_fee: self.next_base_fee(parent)?,
            recipients: self.recipients(parent.number.saturating_add(1)),
            ..self.env(parent)
        })
    }

    /// The base fee of a block proposed now on `parent`.
    pub(crate) fn next_base_fee(&self, parent: &Header) -> Result<u64, Failure> {
        let elapsed = now_milliseconds().saturating_sub(header_milliseconds(parent));
        Ok(next_base_fee(&self.fees()?, parent, elapsed))
    }

    /// A final block with what belongs to it.
    pub(crate) fn full_block(&self, number: u64) -> Result<Option<FullBlock>, Failure> {
        if let Some(full) = self.recent_block(number) {
            return Ok(Some(full));
        }
        if (1..self.store().first_block()).contains(&number) {
            return Err(self.missing(number));
        }
        let Some(head) = self.store().header(number)? else { return Ok(None) };
        let Some(block) = self.store().block(number)? else { return Ok(None) };
        let missing = || Failure::internal(format!("block {number} lacks receipts or senders"));
        let receipts = self.store().receipts(number)?.ok_or_else(missing)?;
        let senders = self.store().senders(number)?.ok_or_else(missing)?;
        if receipts.len() != block.transactions.len() || senders.len() != receipts.len() {
            return Err(missing());
        }
        let full = FullBlock { hash: head.hash, block, receipts, senders: senders.into() };
        keep(&mut self.inner.recent.lock(), full.clone());
        Ok(Some(full))
    }

    /// As [`Self::full_block`]: at once what was read recently, else on a thread of its own.
    pub(crate) async fn read_block(&self, number: u64) -> Result<Option<FullBlock>, Failure> {
        match self.recent_block(number) {
            Some(full) => Ok(Some(full)),
            None => self.compute(move |node| node.full_block(number)).await,
        }
    }

    fn recent_block(&self, number: u64) -> Option<FullBlock> {
        let recent = self.inner.recent.lock();
        recent.iter().find(|full| full.block.header.number == number).cloned()
    }

    /// The block a transaction is in, and its position.
    pub(crate) fn find_transaction(
        &self,
        hash: B256,
    ) -> Result<Option<(FullBlock, usize)>, Failure> {
        let Some((number, index)) = self.place_of(hash)? else { return Ok(None) };
        Ok(self.full_block(number)?.map(|block| (block, index)))
    }

    /// As [`Self::find_transaction`]: at once from what was read recently, else on a thread of its own.
    pub(crate) async fn read_transaction(
        &self,
        hash: B256,
    ) -> Result<Option<(FullBlock, usize)>, Failure> {
        let Some((number, index)) = self.place_of(hash)? else { return Ok(None) };
        Ok(self.read_block(number).await?.map(|block| (block, index)))
    }

    fn place_of(&self, hash: B256) -> Result<Option<(u64, usize)>, Failure> {
        let Some((number, index)) = self.store().transaction(hash)? else { return Ok(None) };
        Ok(Some((number, usize::try_from(index).map_err(Failure::internal)?)))
    }

    /// What is needed to run a block again.
    pub(crate) fn rerun(&self, number: u64) -> Result<Rerun, Failure> {
        let full = self.full_block(number)?.ok_or(Failure::UnknownBlock)?;
        let before = number.checked_sub(1).ok_or(Failure::NotSupported(
            "block 0 has no transactions: it is where the state begins",
        ))?;
        let parent = self.state_at(before)?;
        let (mut transactions, mut system) = (Vec::new(), None);
        for (transaction, sender) in full.block.transactions.iter().zip(full.senders.iter()) {
            match transaction {
                Transaction::Ethereum(signed) => {
                    transactions.push(Recovered::new_unchecked(signed.clone(), *sender));
                }
                Transaction::System(one) => system = Some(one.clone()),
            }
        }
        let env = self.env(&full.block.header);
        Ok(Rerun { env, transactions, system, parent, hash: full.hash })
    }
}

/// Puts a block in front; what is too much falls off the end.
fn keep(recent: &mut VecDeque<FullBlock>, full: FullBlock) {
    recent.push_front(full);
    let mut logs = 0_usize;
    let fits = recent.iter().take(RECENT_BLOCKS).take_while(|full| {
        let of_block = full.receipts.iter().map(|receipt| receipt.logs.len());
        logs = of_block.fold(logs, usize::saturating_add);
        logs <= RECENT_LOGS
    });
    let fits = fits.count().max(1);
    recent.truncate(fits);
}

/// Unix time.
fn now_milliseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
