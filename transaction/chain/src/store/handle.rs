//! The open store.

use std::{path::Path, sync::Arc};

use alloy_consensus::Header;
use alloy_primitives::{B256, keccak256};
use fjall::{Database, OwnedWriteBatch, PersistMode, Readable, Snapshot};
use parking_lot::{Mutex, RwLock};
use quick_cache::{Weighter, sync::Cache};
use sahara_finality::{Block, TxReceipt, decode_header};
use tokio::sync::broadcast;

use super::{
    Genesis, StoreError,
    commit::{CommitInput, write_block},
    flat::FlatCache,
    formats::migrate,
    pins::Pins,
    tables::{FORMAT, Tables, meta, number_key, read_hash},
};
use crate::trie::{NodeCache, genesis_update};

/// How many heads a slow subscriber may be behind before it misses some.
const SUBSCRIBER_BACKLOG: usize = 256;

/// How much journal there may be: what a restart reads through, at some 3 microseconds a row.
const JOURNAL_BYTES: u64 = 128 << 20;

/// How much the store may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Memory for trie nodes.
    pub node_cache_bytes: u64,
    /// Memory for accounts and words of the head.
    pub flat_cache_bytes: u64,
    /// Memory for decoded blocks and receipts.
    pub block_cache_bytes: u64,
    /// Memory for the database's own blocks of rows.
    pub database_cache_bytes: u64,
    /// How much of the past is kept.
    pub history: History,
}

/// How much of the past is kept. Blocks, receipts and certificates are kept in every mode, and those from
/// before a state sync are fetched as far back; asking for more later does not bring back values and
/// tries that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// The values of so many blocks back, and the tries of the head alone.
    Pruned(u64),
    /// Values and tries of so many blocks back.
    Window(u64),
    /// Values and tries of all blocks.
    Archive,
}

impl History {
    /// How many blocks back [`Store::state_at`] reaches.
    #[must_use]
    pub const fn blocks(self) -> u64 {
        match self {
            Self::Pruned(blocks) | Self::Window(blocks) => blocks,
            Self::Archive => u64::MAX,
        }
    }

    /// Whether [`Store::proof_at`] reaches as far.
    #[must_use]
    pub const fn keeps_tries(self) -> bool {
        match self {
            Self::Pruned(_) => false,
            Self::Window(_) | Self::Archive => true,
        }
    }
}

impl StoreOptions {
    /// Caches of so many bytes together, rounded down: the larger part for the state, a quarter for blocks that
    /// clients ask for again.
    #[must_use]
    pub const fn with_cache(bytes: u64, history: History) -> Self {
        let eighth = bytes / 8;
        Self {
            node_cache_bytes: eighth.saturating_mul(3),
            flat_cache_bytes: eighth,
            database_cache_bytes: eighth.saturating_mul(2),
            block_cache_bytes: eighth.saturating_mul(2),
            history,
        }
    }

    /// The bytes of all caches.
    #[must_use]
    pub const fn cache_bytes(&self) -> u64 {
        self.node_cache_bytes
            .saturating_add(self.flat_cache_bytes)
            .saturating_add(self.database_cache_bytes)
            .saturating_add(self.block_cache_bytes)
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            node_cache_bytes: 96 << 20,
            flat_cache_bytes: 32 << 20,
            block_cache_bytes: 64 << 20,
            database_cache_bytes: 128 << 20,
            history: History::Pruned(10_000),
        }
    }
}

/// A finalised block's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The block number.
    pub number: u64,
    /// The block hash.
    pub hash: B256,
    /// The header.
    pub header: Header,
}

/// The finalised chain and its state on disk. Cloning is cheap; all clones are one store.
///
/// Every read sees one finalised block as a whole, never half a commit.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) database: Database,
    pub(super) tables: Tables,
    pub(super) options: StoreOptions,
    pub(super) genesis: B256,
    pub(super) nodes: NodeCache,
    pub(super) flat: FlatCache,
    pub(super) recent: Cache<u64, RecentBlock, ByBytes>,
    pub(super) writer: Mutex<()>,
    pub(super) pins: Mutex<Pins>,
    view: RwLock<Arc<View>>,
    heads: broadcast::Sender<Arc<Head>>,
}

/// One moment of the store.
pub(super) struct View {
    pub(super) snapshot: Snapshot,
    pub(super) head: Arc<Head>,
    pub(super) oldest_state: u64,
    /// The first block whose past trie can be read.
    pub(super) oldest_trie: u64,
    /// The first block after block 0 that is here with everything it brought.
    pub(super) first_block: u64,
    /// The block that a state sync began with.
    pub(super) base: Option<u64>,
}

/// A block with its receipts, decoded.
#[derive(Clone)]
pub(super) struct RecentBlock {
    pub(super) block: Arc<Block>,
    pub(super) receipts: Arc<Vec<TxReceipt>>,
    pub(super) bytes: u64,
}

#[derive(Clone)]
pub(super) struct ByBytes;

impl Weighter<u64, RecentBlock> for ByBytes {
    fn weight(&self, _number: &u64, recent: &RecentBlock) -> u64 {
        recent.bytes
    }
}

impl Store {
    /// Opens the store in a directory, beginning with `genesis` if there is none yet.
    ///
    /// # Errors
    /// When the directory is in use, belongs to another chain or a later version, or `genesis`
    /// does not have the state root its header says.
    pub fn open(
        path: impl AsRef<Path>,
        options: StoreOptions,
        genesis: &Genesis,
    ) -> Result<Self, StoreError> {
        let (database, tables) = open_database(path.as_ref(), options)?;
        begin(&database, &tables, genesis)?;
        if database.snapshot().get(&tables.meta, meta::SYNC)?.is_some() {
            return Err(StoreError::Syncing);
        }
        keep_tries_from_here(&database, &tables, options.history)?;
        let view = View::take(&database, &tables)?;
        let recent = options.block_cache_bytes;
        let inner = Inner {
            nodes: NodeCache::new(options.node_cache_bytes),
            flat: FlatCache::new(options.flat_cache_bytes, view.head.number),
            recent: Cache::with_weighter(RECENT_BLOCKS, recent, ByBytes),
            writer: Mutex::new(()),
            pins: Mutex::default(),
            view: RwLock::new(Arc::new(view)),
            heads: broadcast::Sender::new(SUBSCRIBER_BACKLOG),
            genesis: genesis.block.hash(),
            database,
            tables,
            options,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The last finalised block.
    #[must_use]
    pub fn head(&self) -> Arc<Head> {
        self.inner.view().head.clone()
    }

    /// The hash of block 0.
    #[must_use]
    pub fn genesis_hash(&self) -> B256 {
        self.inner.genesis
    }

    /// Every head committed from now on. A subscriber who falls too far behind is told how many it
    /// missed and can read them here.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Head>> {
        self.inner.heads.subscribe()
    }
}

/// Opens the database in a directory.
pub(super) fn open_database(
    path: &Path,
    options: StoreOptions,
) -> Result<(Database, Tables), StoreError> {
    std::fs::create_dir_all(path)?;
    let database = Database::builder(path)
        .cache_size(options.database_cache_bytes)
        .max_journaling_size(JOURNAL_BYTES)
        // Of several threads one stays free for flushing: while another compacts, it passes requests for
        // compaction on to itself, for which it takes a whole core.
        .worker_threads(1)
        .open()
        .map_err(|error| match error {
            fjall::Error::Locked => StoreError::InUse(path.to_path_buf()),
            other => other.into(),
        })?;
    let tables = Tables::open(&database)?;
    Ok((database, tables))
}

/// A guess to size the table; the bound is in bytes.
const RECENT_BLOCKS: usize = 256;

impl Inner {
    pub(super) fn view(&self) -> Arc<View> {
        self.view.read().clone()
    }

    /// Lets readers see what was just written. Only the writer calls this.
    pub(super) fn refresh(&self) -> Result<Arc<Head>, StoreError> {
        let view = Arc::new(View::take(&self.database, &self.tables)?);
        let head = view.head.clone();
        *self.view.write() = view;
        Ok(head)
    }

    /// Lets readers see the new head, and tells subscribers.
    pub(super) fn publish(&self) -> Result<(), StoreError> {
        let before = self.view();
        let head = self.refresh()?;
        self.pin(&before.head.header)?;
        // Nobody listening is no failure.
        drop(self.heads.send(head));
        Ok(())
    }
}

impl View {
    fn take(database: &Database, tables: &Tables) -> Result<Self, StoreError> {
        let snapshot = database.snapshot();
        let number = required(tables, &snapshot, meta::HEAD)?;
        let oldest_state = required(tables, &snapshot, meta::OLDEST_STATE)?;
        let oldest_trie = required(tables, &snapshot, meta::OLDEST_TRIE)?;
        let after_base = tables.meta_number(&snapshot, meta::FIRST_BLOCK)?.unwrap_or_default();
        let filled = tables.meta_number(&snapshot, meta::FILLED)?.unwrap_or(after_base);
        let (first_block, base) = (filled.min(after_base), after_base.checked_sub(1));
        let head = read_head(tables, &snapshot, number)?
            .ok_or_else(|| StoreError::damaged("head", format!("header {number} is missing")))?;
        let head = Arc::new(head);
        Ok(Self { snapshot, head, oldest_state, oldest_trie, first_block, base })
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = &self.view().head;
        formatter
            .debug_struct("Inner")
            .field("genesis", &self.genesis)
            .field("head", &(head.number, head.hash))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("View").field("head", &self.head.number).finish_non_exhaustive()
    }
}

/// The header stored under a number.
pub(super) fn read_head(
    tables: &Tables,
    snapshot: &Snapshot,
    number: u64,
) -> Result<Option<Head>, StoreError> {
    let Some(row) = snapshot.get(&tables.headers, number_key(number))? else { return Ok(None) };
    let (hash, header) = row.split_at_checked(32).unwrap_or_default();
    let hash = read_hash("header", hash)?;
    if keccak256(header) != hash {
        return Err(StoreError::damaged("header", format!("{number} does not hash to {hash}")));
    }
    let header = decode_header(header).map_err(|error| StoreError::damaged("header", error))?;
    Ok(Some(Head { number, hash, header }))
}

/// Writes genesis into an empty database, or checks that what is there is of this chain, and brings
/// it to the present format.
pub(super) fn begin(
    database: &Database,
    tables: &Tables,
    genesis: &Genesis,
) -> Result<(), StoreError> {
    let snapshot = database.snapshot();
    let expected = genesis.block.hash();
    let Some(format) = tables.meta_number(&snapshot, meta::FORMAT)? else {
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        write_genesis(tables, &snapshot, genesis, &mut batch)?;
        return Ok(batch.commit()?);
    };
    if format > FORMAT {
        return Err(StoreError::NewerFormat { supported: FORMAT, found: format });
    }
    let found = required(tables, &snapshot, meta::CHAIN_ID)?;
    if found != genesis.chain_id {
        return Err(StoreError::WrongChain { expected: genesis.chain_id, found });
    }
    let found = snapshot.get(&tables.meta, meta::GENESIS)?;
    let found = read_hash(meta::GENESIS, found.as_deref().unwrap_or_default())?;
    if found != expected {
        return Err(StoreError::WrongGenesis { expected, found });
    }
    if format < FORMAT { migrate(database, tables, format) } else { Ok(()) }
}

/// A store that does not keep past tries has those of the head only, from now on; what it kept
/// before goes.
fn keep_tries_from_here(
    database: &Database,
    tables: &Tables,
    history: History,
) -> Result<(), StoreError> {
    let snapshot = database.snapshot();
    if history.keeps_tries() || snapshot.first_key_value(&tables.node_changes).is_none() {
        return Ok(());
    }
    let head = required(tables, &snapshot, meta::HEAD)?;
    let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(&tables.meta, meta::OLDEST_TRIE, number_key(head));
    batch.commit()?;
    tables.node_history.clear()?;
    Ok(tables.node_changes.clear()?)
}

fn write_genesis(
    tables: &Tables,
    snapshot: &Snapshot,
    genesis: &Genesis,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    let trie = genesis_update(&genesis.state)?;
    let expected = genesis.block.header.state_root;
    if trie.root != expected {
        return Err(StoreError::WrongStateRoot { number: 0, expected, got: trie.root });
    }
    let (hash, encoded) = (genesis.block.hash(), genesis.block.encoded());
    // What could not be read back later must not be written.
    Block::decode(&encoded).map_err(|error| StoreError::damaged("genesis block", error))?;
    batch.insert(&tables.meta, meta::FORMAT, number_key(FORMAT));
    batch.insert(&tables.meta, meta::CHAIN_ID, number_key(genesis.chain_id));
    batch.insert(&tables.meta, meta::GENESIS, hash.0);
    batch.insert(&tables.meta, meta::OLDEST_STATE, number_key(genesis.block.header.number));
    batch.insert(&tables.meta, meta::OLDEST_TRIE, number_key(genesis.block.header.number));
    let input = CommitInput {
        hash,
        block: &genesis.block,
        encoded,
        receipts: &[],
        senders: &[],
        diff: &genesis.state,
        trie: &trie,
    };
    write_block(tables, snapshot, &input, batch)
}

pub(super) fn required(
    tables: &Tables,
    snapshot: &Snapshot,
    name: &'static str,
) -> Result<u64, StoreError> {
    tables.meta_number(snapshot, name)?.ok_or_else(|| StoreError::damaged(name, "it is missing"))
}
