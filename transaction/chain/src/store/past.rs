//! Blocks from before the one that a state sync began with.
//!
//! # Model
//! ```text
//! 0                     first                       base          head
//! |--- not here -------->|--- filled in afterwards --|-- executed --|
//! ```
//! The first block that is here names its parent, and the parent's header names its transactions and
//! receipts: newest first, every block of the past is proven by what is here already, whoever sends it.
//! How far down the past is wanted follows from [`History`]: pruned stores want none of it.
//!
//! # Failure and recovery
//! Blocks and the number of the first are one batch, so whatever is killed when, from the first on all
//! are here. A batch is not synced on its own: the next block's is, and what a power cut takes is
//! fetched again.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Decodable as _, RlpDecodable, RlpEncodable};
use fjall::Readable;
use sahara_finality::{Block, SYSTEM_ADDRESS, Transaction, TxReceipt, receipts_root};

use super::{
    History, Store, StoreError, TakeError,
    commit::{Body, write_body},
    handle::{Inner, View, read_head},
    tables::{meta, number_key},
};

/// A block with all it brought, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct PastBlock {
    /// Its encoding.
    pub block: Bytes,
    /// Its own certificate; nothing if it was final through a descendant.
    pub certificate: Bytes,
    /// The encodings of its receipts.
    pub receipts: Vec<Bytes>,
}

/// A block of the past that was held against the hash its child names.
#[derive(Clone, Debug)]
pub struct ProvenBlock {
    hash: B256,
    block: Arc<Block>,
    encoded: Bytes,
    receipts: Vec<TxReceipt>,
    senders: Vec<Address>,
    /// Its own certificate, which the hash does not prove; nothing if there is none.
    pub certificate: Bytes,
}

impl PastBlock {
    /// Decodes what a peer sent; the whole input is one block.
    ///
    /// # Errors
    /// [`TakeError::Lie`] when it is none.
    pub fn decode_exact(bytes: &[u8]) -> Result<Self, TakeError> {
        let mut rest = bytes;
        let block = Self::decode(&mut rest).map_err(|error| lie(&error))?;
        if rest.is_empty() { Ok(block) } else { Err(lie(&"bytes after the end of a block")) }
    }

    /// Holds it against the hash that its child names.
    ///
    /// # Errors
    /// [`TakeError::Lie`] when it is another block, or not what that block brought.
    pub fn prove(self, hash: B256) -> Result<ProvenBlock, TakeError> {
        let Self { block: encoded, certificate, receipts } = self;
        let block = Block::decode(&encoded).map_err(|error| lie(&error))?;
        if block.hash() != hash {
            return Err(TakeError::Lie(format!("block {}, expected {hash}", block.hash())));
        }
        let receipts = receipts.iter().map(|bytes| TxReceipt::decode(bytes));
        let receipts = receipts.collect::<Result<Vec<_>, _>>().map_err(|error| lie(&error))?;
        let is_theirs = receipts_root(&receipts) == block.header.receipts_root;
        if !is_theirs || receipts.len() != block.transactions.len() {
            return Err(TakeError::Lie(format!("other receipts than those of {hash}")));
        }
        let senders = block.transactions.iter().map(sender).collect::<Result<Vec<_>, _>>()?;
        Ok(ProvenBlock { hash, block: Arc::new(block), encoded, receipts, senders, certificate })
    }
}

impl ProvenBlock {
    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.block.header.number
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// The hash of the block before.
    #[must_use]
    pub fn parent(&self) -> B256 {
        self.block.header.parent_hash
    }
}

/// A quorum took the transaction, so that one without a sender is no peer's lie.
fn sender(transaction: &Transaction) -> Result<Address, StoreError> {
    match transaction {
        Transaction::Ethereum(signed) => sahara_evm::recover(signed)
            .map_err(|error| StoreError::damaged("sender of a final transaction", error)),
        Transaction::System(_) => Ok(SYSTEM_ADDRESS),
    }
}

fn lie(error: &impl ToString) -> TakeError {
    TakeError::Lie(error.to_string())
}

impl Store {
    /// The newest block of the past that is wanted and not here, and its hash.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next_of_past(&self) -> Result<Option<(u64, B256)>, StoreError> {
        let view = self.inner.view();
        let number = view.first_block.saturating_sub(1);
        if number < wanted(&self.inner, &view) || number == 0 {
            return Ok(None);
        }
        if number == view.head.number {
            return Ok(Some((number, view.head.hash)));
        }
        let first = view.first_block;
        let child = read_head(&self.inner.tables, &view.snapshot, first)?
            .ok_or_else(|| StoreError::damaged("header", format!("{first} is missing")))?;
        Ok(Some((number, child.header.parent_hash)))
    }

    /// How many blocks of the past are wanted and not here.
    #[must_use]
    pub fn missing_past(&self) -> u64 {
        let view = self.inner.view();
        view.first_block.saturating_sub(wanted(&self.inner, &view))
    }

    /// Why a final block is not here: it is fetched still, or not kept at all.
    #[must_use]
    pub fn absent(&self, number: u64) -> StoreError {
        absent(&self.inner, &self.inner.view(), number)
    }

    /// A final block with all it brought; none of block 0, and of those that are not here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn past_block(&self, number: u64) -> Result<Option<PastBlock>, StoreError> {
        let (view, tables) = (self.inner.view(), &self.inner.tables);
        if number == 0 || number > view.head.number || !view.is_whole(number) {
            return Ok(None);
        }
        let key = number_key(number);
        let missing = || StoreError::damaged("block", format!("{number} is not whole"));
        let block = view.snapshot.get(&tables.blocks, key)?.ok_or_else(missing)?;
        let receipts = view.snapshot.get(&tables.receipts, key)?.ok_or_else(missing)?;
        let receipts = Vec::<Bytes>::decode(&mut &*receipts)
            .map_err(|error| StoreError::damaged("receipts", error))?;
        let certificate = view.snapshot.get(&tables.certificates, key)?;
        let certificate = certificate.map(|row| Bytes::copy_from_slice(&row)).unwrap_or_default();
        Ok(Some(PastBlock { block: Bytes::copy_from_slice(&block), certificate, receipts }))
    }

    /// Writes blocks of the past, the newest first, from the one that [`Self::next_of_past`] names
    /// on downwards.
    ///
    /// # Errors
    /// When they are others, or the disk fails; then nothing is written.
    pub fn fill(&self, blocks: &[ProvenBlock]) -> Result<(), StoreError> {
        let inner = &self.inner;
        let _writer = inner.writer.lock();
        let mut next = self.next_of_past()?;
        let mut batch = inner.database.batch();
        for one in blocks {
            let (number, hash) = (one.number(), one.hash);
            let (expected, wanted) = next.unwrap_or_default();
            if number != expected {
                return Err(StoreError::Gap { expected, got: number });
            }
            if hash != wanted {
                return Err(StoreError::AlreadyFinal { number, expected: wanted, got: hash });
            }
            let body = Body {
                hash,
                block: &one.block,
                encoded: &one.encoded,
                receipts: &one.receipts,
                senders: &one.senders,
            };
            write_body(&inner.tables, &body, &mut batch);
            if !one.certificate.is_empty() {
                let certificate = one.certificate.as_ref();
                batch.insert(&inner.tables.certificates, number_key(number), certificate);
            }
            next = number.checked_sub(1).map(|below| (below, one.parent()));
        }
        let Some(last) = blocks.last() else { return Ok(()) };
        // Below block 1 nothing is missing: block 0 is the genesis file's.
        let first = if last.number() == 1 { 0 } else { last.number() };
        batch.insert(&inner.tables.meta, meta::FILLED, number_key(first));
        batch.commit()?;
        inner.refresh().map(drop)
    }
}

/// The first block that the history mode wants.
fn wanted(inner: &Inner, view: &View) -> u64 {
    let wanted = match inner.options.history {
        History::Pruned(_) => u64::MAX,
        History::Window(blocks) => view.head.number.saturating_sub(blocks).max(1),
        History::Archive => 1,
    };
    wanted.min(view.first_block)
}

/// Why a final block is not here.
pub(super) fn absent(inner: &Inner, view: &View, number: u64) -> StoreError {
    let first = view.first_block;
    // Block 0 is here in any case; whoever asks from there on asks for the first after it.
    if number.max(1) >= wanted(inner, view) {
        StoreError::NotYet { number, first }
    } else {
        StoreError::OldBlock { number, first }
    }
}
