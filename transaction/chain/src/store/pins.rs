//! States of the recent past that are held whole, for whoever syncs from here.
//!
//! The first block of every eight seconds of chain time is *pinned*: a snapshot of the database as
//! it was when this block was the head. A snapshot costs nothing to take; while it is held, the
//! database keeps what was overwritten since. All nodes pin the same blocks, so that who syncs can
//! ask many of them for the parts of one state. A pin that is used stays longer, and never longer
//! than [`LONGEST`]: who syncs goes on with a newer one, which costs it little.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes};
use alloy_trie::Nibbles;
use fjall::Readable;

use super::{
    Store, StoreError,
    handle::{Inner, View},
    state::{HeadState, decode_account_row},
    tables::{node_key, number_key},
};
use crate::trie::keys_of;

/// Chain time between two pins.
const SLOT_SECONDS: u64 = 8;
/// How long a pin is held that nobody uses.
const IDLE: Duration = Duration::from_secs(60);
/// How long a pin is held at most: what is overwritten meanwhile takes disk.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The most pins at a time.
const MOST: usize = 12;

/// The pins, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pins(VecDeque<Pin>);

#[derive(Debug)]
struct Pin {
    view: Arc<View>,
    certificate: Bytes,
    made: Instant,
    used: Instant,
}

/// A block whose state can be had, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pivot {
    /// RLP of its header.
    pub header: Bytes,
    /// Its own certificate.
    pub certificate: Bytes,
}

/// A pinned state.
#[derive(Clone, Debug)]
pub struct PinnedState(HeadState);

/// Nodes in the order of their rows. Of the account trie, with the addresses of the accounts that
/// end in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Encodings.
    pub nodes: Vec<Bytes>,
    /// One for each account, in order.
    pub addresses: Vec<Address>,
}

impl Inner {
    /// Pins the head if it is the first block of its slot. `before` is the head before.
    pub(super) fn pin(&self, before: &Header) -> Result<(), StoreError> {
        let view = self.view();
        let slot = |header: &Header| header.timestamp.div_euclid(SLOT_SECONDS);
        if slot(&view.head.header) == slot(before) {
            return Ok(());
        }
        let key = number_key(view.head.number);
        // Rarely it comes later; then another block will do.
        let Some(certificate) = view.snapshot.get(&self.tables.certificates, key)? else {
            return Ok(());
        };
        let certificate = Bytes::copy_from_slice(&certificate);
        let made = Instant::now();
        let mut pins = self.pins.lock();
        pins.0.push_back(Pin { view, certificate, made, used: made });
        pins.drop_old(made);
        Ok(())
    }
}

impl Pins {
    fn drop_old(&mut self, now: Instant) {
        let newest = self.0.len().saturating_sub(1);
        let mut index = 0;
        self.0.retain(|pin| {
            let is_newest = index == newest;
            index += 1;
            let since = |then: Instant| now.saturating_duration_since(then);
            is_newest || (since(pin.used) < IDLE && since(pin.made) < LONGEST)
        });
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }
}

impl Store {
    /// The blocks whose state can be had now, the newest first.
    #[must_use]
    pub fn pivots(&self) -> Vec<Pivot> {
        let pins = self.inner.pins.lock();
        let pivot = |pin: &Pin| Pivot {
            header: alloy_rlp::encode(&pin.view.head.header).into(),
            certificate: pin.certificate.clone(),
        };
        pins.0.iter().rev().map(pivot).collect()
    }

    /// The state after a pinned block.
    #[must_use]
    pub fn pinned(&self, block: B256) -> Option<PinnedState> {
        let mut pins = self.inner.pins.lock();
        let pin = pins.0.iter_mut().find(|pin| pin.view.head.hash == block)?;
        pin.used = Instant::now();
        Some(PinnedState(HeadState { inner: self.inner.clone(), view: pin.view.clone() }))
    }

    /// Code by its hash.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn code(&self, hash: B256) -> Result<Option<Bytes>, StoreError> {
        let code = self.inner.view().snapshot.get(&self.inner.tables.code, hash)?;
        Ok(code.map(|code| Bytes::copy_from_slice(&code)))
    }
}

impl PinnedState {
    /// The nodes from `path` on in one subtrie, until they have `bytes`; one alone unless
    /// `is_deep`. None where no node stands.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn run(
        &self,
        (owner, path): (Option<B256>, &Nibbles),
        is_deep: bool,
        bytes: usize,
    ) -> Result<Run, StoreError> {
        let HeadState { inner, view } = &self.0;
        let first = node_key(owner, path);
        let skipped = first.len().saturating_sub(path.len());
        let (mut run, mut length) = (Run::default(), 0_usize);
        for row in view.snapshot.prefix(&inner.tables.nodes, &first) {
            let (key, node) = row.into_inner()?;
            if key != first && (run.nodes.is_empty() || !is_deep) {
                break;
            }
            let node = bytes::Bytes::copy_from_slice(&node);
            let place = Nibbles::from_nibbles(key.get(skipped..).unwrap_or_default());
            if owner.is_none() {
                for account in keys_of(&place, &node)? {
                    run.addresses.push(self.address(account)?);
                }
            }
            length = length.saturating_add(node.len());
            run.nodes.push(node.into());
            if length >= bytes {
                break;
            }
        }
        Ok(run)
    }

    fn address(&self, account: B256) -> Result<Address, StoreError> {
        let HeadState { inner, view } = &self.0;
        let row = view.snapshot.get(&inner.tables.accounts, account)?;
        let missing = || StoreError::damaged("account", format!("{account} is missing"));
        Ok(decode_account_row(&row.ok_or_else(missing)?)?.0)
    }
}
