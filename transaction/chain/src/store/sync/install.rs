//! The fetched state becomes that of the head.

use alloy_primitives::{B256, Bytes, keccak256};
use fjall::{OwnedWriteBatch, PersistMode, Readable};
use sahara_finality::Block;

use super::{SyncStore, Target};
use crate::store::{
    StoreError,
    recount::count,
    tables::{meta, number_key},
};

/// The blocks that a state without a past needs to go on from.
#[derive(Clone, Debug)]
pub struct Base {
    /// The block whose state it is.
    pub block: Block,
    /// RLP of the headers before it, the oldest first: contracts may ask for their hashes.
    pub headers: Vec<Bytes>,
    /// The block before its epoch with its certificate, unless that is block 0: from its randomness
    /// follows who leads.
    pub before_epoch: Option<(Block, Bytes)>,
}

impl SyncStore {
    /// Makes the block whose state was fetched the head. `base` was verified.
    ///
    /// # Errors
    /// When something is still needed, the flat rows do not add up to the state root, or the disk
    /// fails.
    pub fn install(self, base: &Base) -> Result<(), StoreError> {
        self.install_here(base)
    }

    /// As [`Self::install`], for who may have to do it again: until it is done, nothing has changed.
    pub(crate) fn install_here(&self, base: &Base) -> Result<(), StoreError> {
        let Some(target) = self.target.as_ref().filter(|_| self.is_whole()) else {
            return Err(StoreError::Syncing);
        };
        let snapshot = self.database.snapshot();
        let (number, expected) = (target.header.number, target.header.state_root);
        let got = count(&self.tables, &snapshot)?.root;
        if got != expected {
            return Err(StoreError::WrongStateRoot { number, expected, got });
        }
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        self.write_blocks(target, base, &mut batch);
        let meta = &self.tables.meta;
        for name in [meta::HEAD, meta::OLDEST_STATE, meta::OLDEST_TRIE] {
            batch.insert(meta, name, number_key(number));
        }
        batch.insert(meta, meta::FIRST_BLOCK, number_key(number.saturating_add(1)));
        batch.remove(meta, meta::SYNC);
        for row in snapshot.iter(&self.tables.sync) {
            batch.remove(&self.tables.sync, row.key()?);
        }
        Ok(batch.commit()?)
    }

    fn write_blocks(&self, target: &Target, base: &Base, batch: &mut OwnedWriteBatch) {
        let number = target.header.number;
        let mut below = number;
        for header in base.headers.iter().rev() {
            below = below.saturating_sub(1);
            self.write_header(below, header, batch);
        }
        if let Some((block, certificate)) = &base.before_epoch {
            let before = block.header.number;
            if before < below {
                self.write_header(before, &alloy_rlp::encode(&block.header), batch);
            }
            batch.insert(&self.tables.blocks, number_key(before), block.encoded());
            batch.insert(&self.tables.certificates, number_key(before), certificate.as_ref());
        }
        let certificate = target.pivot.certificate.as_ref();
        self.write_header(number, &target.pivot.header, batch);
        batch.insert(&self.tables.blocks, number_key(number), base.block.encoded());
        batch.insert(&self.tables.certificates, number_key(number), certificate);
    }

    fn write_header(&self, number: u64, header: &[u8], batch: &mut OwnedWriteBatch) {
        let (key, hash): (_, B256) = (number_key(number), keccak256(header));
        batch.insert(&self.tables.headers, key, [hash.as_slice(), header].concat());
        batch.insert(&self.tables.numbers, hash.0, key);
    }

    /// Keeps a handover that was verified, by the last block of its epoch.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn keep_handover(&self, number: u64, encoded: &[u8]) -> Result<(), StoreError> {
        let mut batch = self.database.batch();
        batch.insert(&self.tables.handovers, number_key(number), encoded);
        Ok(batch.commit()?)
    }

    /// The handovers kept, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn handovers(&self) -> Result<Vec<Bytes>, StoreError> {
        let snapshot = self.database.snapshot();
        let rows = snapshot.iter(&self.tables.handovers);
        rows.map(|row| Ok(Bytes::copy_from_slice(&row.value()?))).collect()
    }
}
