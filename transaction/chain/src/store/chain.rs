//! Reading finalised blocks, receipts and states.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::Decodable;
use fjall::Readable;
use sahara_finality::{Block, TxReceipt};

use super::{
    AccountProof, Head, StateView, Store, StoreError,
    handle::{Inner, RecentBlock, View, read_head},
    node_history::PastTrie,
    state::{HeadState, prove},
    tables::{number_key, read_number},
};
use crate::trie::StateReader as _;

impl Store {
    /// The header of a finalised block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn header(&self, number: u64) -> Result<Option<Head>, StoreError> {
        let view = self.inner.view();
        if number == view.head.number {
            return Ok(Some(view.head.as_ref().clone()));
        }
        read_head(&self.inner.tables, &view.snapshot, number)
    }

    /// A finalised block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn block(&self, number: u64) -> Result<Option<Arc<Block>>, StoreError> {
        let view = self.inner.view();
        if !view.is_whole(number) {
            // Of some there is the block alone.
            let read = self.inner.read_block(&view, number)?;
            return Ok(read.map(|(block, _)| Arc::new(block)));
        }
        Ok(self.inner.recent_block(&view, number)?.map(|recent| recent.block))
    }

    /// The number of a finalised block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn block_number(&self, hash: B256) -> Result<Option<u64>, StoreError> {
        let row = self.inner.view().snapshot.get(&self.inner.tables.numbers, hash)?;
        row.map(|row| read_number("block number", &row)).transpose()
    }

    /// The receipts of a finalised block, one per transaction.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn receipts(&self, number: u64) -> Result<Option<Arc<Vec<TxReceipt>>>, StoreError> {
        let view = self.inner.view();
        if !view.is_whole(number) {
            return Ok(None);
        }
        Ok(self.inner.recent_block(&view, number)?.map(|recent| recent.receipts))
    }

    /// Who sent each transaction of a finalised block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn senders(&self, number: u64) -> Result<Option<Vec<Address>>, StoreError> {
        let row = self.inner.view().snapshot.get(&self.inner.tables.senders, number_key(number))?;
        let Some(row) = row else { return Ok(None) };
        let (senders, []) = row.as_chunks::<20>() else {
            return Err(StoreError::damaged("senders", "expected 20 bytes each"));
        };
        Ok(Some(senders.iter().map(Address::from).collect()))
    }

    /// Where a finalised transaction is: block number and index.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn transaction(&self, hash: B256) -> Result<Option<(u64, u32)>, StoreError> {
        let row = self.inner.view().snapshot.get(&self.inner.tables.transactions, hash)?;
        let Some(row) = row else { return Ok(None) };
        let parse = || {
            let (number, index) = row.split_at_checked(8)?;
            Some((
                u64::from_be_bytes(number.try_into().ok()?),
                u32::from_be_bytes(index.try_into().ok()?),
            ))
        };
        parse()
            .map(Some)
            .ok_or_else(|| StoreError::damaged("transaction place", "expected 12 bytes"))
    }

    /// The finalisation certificate stored for a block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn certificate(&self, number: u64) -> Result<Option<Bytes>, StoreError> {
        let view = self.inner.view();
        let row = view.snapshot.get(&self.inner.tables.certificates, number_key(number))?;
        Ok(row.map(|row| Bytes::copy_from_slice(&row)))
    }

    /// The state after the head.
    #[must_use]
    pub fn state(&self) -> StateView {
        let head = self.head_state();
        let number = head.view.head.number;
        StateView::new(head, number)
    }

    /// The state after a block, `None` when it is not final yet or too long ago.
    #[must_use]
    pub fn state_at(&self, number: u64) -> Option<StateView> {
        let head = self.head_state();
        let known = head.view.oldest_state..=head.view.head.number;
        known.contains(&number).then(|| StateView::new(head, number))
    }

    /// The first block [`Self::state_at`] knows the state of.
    #[must_use]
    pub fn oldest_state(&self) -> u64 {
        self.inner.view().oldest_state
    }

    /// The first block that is here with everything it brought, block 0 apart; 0 if all are. It is
    /// above that only when the store began with a state sync, and falls as the past is filled in.
    #[must_use]
    pub fn first_block(&self) -> u64 {
        self.inner.view().first_block
    }

    /// Proves an account and words of it against the head's state root.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn proof(&self, address: Address, slots: &[U256]) -> Result<AccountProof, StoreError> {
        let head = self.head_state();
        let place = (head.view.head.number, head.state_root());
        prove(&head, place, address, slots)
    }

    /// Proves an account and words of it against the state root of a block.
    ///
    /// # Errors
    /// [`StoreError::OldTrie`] when that block's trie is not kept, or when the store cannot be
    /// read.
    pub fn proof_at(
        &self,
        number: u64,
        address: Address,
        slots: &[U256],
    ) -> Result<AccountProof, StoreError> {
        let head = self.head_state();
        let view = &head.view;
        if number == view.head.number {
            return prove(&head, (number, head.state_root()), address, slots);
        }
        if number < view.oldest_trie || number > view.head.number {
            return Err(StoreError::OldTrie { number, oldest: view.oldest_trie });
        }
        let header = read_head(&self.inner.tables, &view.snapshot, number)?
            .ok_or_else(|| StoreError::damaged("header", format!("{number} is missing")))?;
        let root = header.header.state_root;
        prove(&PastTrie { head, number }, (number, root), address, slots)
    }

    /// The block that a state sync began with: number, hash, and its certificate.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn base(&self) -> Result<Option<(Head, Bytes)>, StoreError> {
        let Some(number) = self.inner.view().base else { return Ok(None) };
        let missing = || StoreError::damaged("base", format!("block {number} is not whole"));
        let head = self.header(number)?.ok_or_else(missing)?;
        let certificate = self.certificate(number)?.ok_or_else(missing)?;
        Ok(Some((head, certificate)))
    }

    /// The newest block that has a certificate of its own, with it, among the last `most` blocks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn newest_certified(&self, most: u64) -> Result<Option<(Head, Bytes)>, StoreError> {
        let newest = self.head().number;
        let oldest = newest.saturating_sub(most).saturating_add(1);
        for number in (oldest..=newest).rev() {
            let Some(certificate) = self.certificate(number)? else { continue };
            let Some(head) = self.header(number)? else { continue };
            return Ok(Some((head, certificate)));
        }
        Ok(None)
    }

    /// The handover at the end of an epoch, if it was learned without the block.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn handover(&self, number: u64) -> Result<Option<Bytes>, StoreError> {
        let view = self.inner.view();
        let row = view.snapshot.get(&self.inner.tables.handovers, number_key(number))?;
        Ok(row.map(|row| Bytes::copy_from_slice(&row)))
    }

    pub(super) fn head_state(&self) -> HeadState {
        HeadState { inner: self.inner.clone(), view: self.inner.view() }
    }
}

impl Inner {
    /// A block with its receipts, from memory if it is recent.
    pub(super) fn recent_block(
        &self,
        view: &View,
        number: u64,
    ) -> Result<Option<RecentBlock>, StoreError> {
        if number > view.head.number {
            return Ok(None);
        }
        if let Some(recent) = self.recent.get(&number) {
            return Ok(Some(recent));
        }
        let Some((block, bytes)) = self.read_block(view, number)? else { return Ok(None) };
        let receipts = view.snapshot.get(&self.tables.receipts, number_key(number))?;
        let receipts = receipts
            .ok_or_else(|| StoreError::damaged("receipts", format!("{number} are missing")))?;
        let receipts = decode_receipts(&receipts)?;
        let recent = RecentBlock::new(&Arc::new(block), &Arc::new(receipts), bytes);
        self.recent.insert(number, recent.clone());
        Ok(Some(recent))
    }

    /// A block and the length of its row.
    fn read_block(&self, view: &View, number: u64) -> Result<Option<(Block, usize)>, StoreError> {
        let row = view.snapshot.get(&self.tables.blocks, number_key(number))?;
        let Some(row) = row else { return Ok(None) };
        let block = Block::decode(&row).map_err(|error| StoreError::damaged("block", error))?;
        let hash = read_head(&self.tables, &view.snapshot, number)?.map(|head| head.hash);
        if hash != Some(block.hash()) {
            return Err(StoreError::damaged("block", format!("{number} has another hash")));
        }
        Ok(Some((block, row.len())))
    }
}

impl View {
    /// Whether a block is here with everything it brought.
    pub(super) const fn is_whole(&self, number: u64) -> bool {
        number == 0 || number >= self.first_block
    }
}

fn decode_receipts(row: &[u8]) -> Result<Vec<TxReceipt>, StoreError> {
    let encoded =
        Vec::<Bytes>::decode(&mut &*row).map_err(|error| StoreError::damaged("receipts", error))?;
    let decode = |bytes: &Bytes| TxReceipt::decode(bytes);
    encoded
        .iter()
        .map(decode)
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::damaged("receipts", error))
}
