//! What native work costs: by the processor time that it takes, a leaf of the state the same whether it is a
//! word or an account, and growth of the state at Ethereum's full price.
//!
//! # Model
//! `cargo xtask bench PRICES` and `ROY-2` measure gas for a microsecond over the whole path of a block, in a state
//! of a million accounts, beside a plain transfer and beside the cheapest work on Ethereum's own list. A
//! price here does not go below the latter; `specs/0009-transition.md` has the figures. Contracts pay Ethereum's
//! prices.
//!
//! # Invariants
//! - A fresh word and a fresh account cost what they cost a contract.
//! - What is refunded was charged before: clearing a word never pays for more than its setting.

use revm::interpreter::SStoreResult;

/// A word or account that the transaction has touched before.
const WARM: u64 = 100;

/// A word's or an account's first look-up in a transaction: some 11 us.
const READ: u64 = 500;

/// The first change of what exists: its place in the trie, history and store.
const CHANGE: u64 = 800;

/// A word that was zero: it stays in every node's state.
const SET: u64 = 20_000;

/// Given back for a word that becomes zero (EIP-3529).
const CLEARED: i64 = 4_800;

/// An account's first credit in a transaction: its look-up and a leaf changed. A `CALL` with value costs
/// 11,600; nobody is called here.
const CREDIT: u64 = READ + CHANGE;

/// An account that was credited or looked at before in this transaction.
const CREDIT_AGAIN: u64 = WARM + CHANGE;

/// An account that did not exist: it stays in every node's state.
const ACCOUNT: u64 = 25_000;

/// A log and each of its topics: the receipt, its trie and the bloom.
const LOG: u64 = 375;

/// A byte of a log's data.
const LOG_BYTE: u64 = 8;

/// A word of call data, which is copied and decoded: 38 ns at a transfer's rate.
const DATA_WORD: u64 = 12;

/// The most call data of a function that calls contracts. The code behind it is given all gas again, so
/// that what was paid for looking at the data is not spent.
pub(super) const MOST_OUT: usize = 65_536;

/// Access to what exists that a transaction has paid for with its 21,000, if it calls a protocol itself: its
/// signature, nonce and fee are a transfer's, which pays five times for its time what others' work is sold at.
pub(super) const INCLUDED: u64 = 9_000;

/// Comparing the books: so many accounts and words that the transaction has touched.
pub(super) fn books(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX).saturating_mul(WARM)
}

/// Taking in call data.
pub(super) fn data(bytes: usize) -> u64 {
    let words = u64::try_from(bytes.div_ceil(32)).unwrap_or(u64::MAX);
    words.saturating_mul(DATA_WORD)
}

/// Reading a word.
pub(super) const fn read(is_cold: bool) -> u64 {
    if is_cold { READ } else { WARM }
}

/// Writing a word: the access, and the growth of the state.
pub(super) const fn write(values: &SStoreResult, is_cold: bool) -> (u64, u64) {
    let cold = if is_cold { READ } else { 0 };
    let (change, growth) = if values.is_new_eq_present() || !values.is_original_eq_present() {
        (WARM, 0)
    } else if values.is_original_zero() {
        (0, SET)
    } else {
        (CHANGE, 0)
    };
    (change.saturating_add(cold), growth)
}

/// What writing a word gives back, or takes back of what an earlier write gave.
pub(super) fn refund(values: &SStoreResult) -> i64 {
    if values.is_new_eq_present() {
        return 0;
    }
    if values.is_original_eq_present() {
        return if !values.is_original_zero() && values.is_new_zero() { CLEARED } else { 0 };
    }
    let mut refund: i64 = 0;
    if !values.is_original_zero() {
        if values.is_present_zero() {
            refund = refund.saturating_sub(CLEARED);
        } else if values.is_new_zero() {
            refund = refund.saturating_add(CLEARED);
        }
    }
    if values.is_original_eq_new() {
        let paid = if values.is_original_zero() { SET } else { CHANGE };
        let back = i64::try_from(paid.saturating_sub(WARM)).unwrap_or_default();
        refund = refund.saturating_add(back);
    }
    refund
}

/// Crediting an account: the access, and the growth of the state.
pub(super) const fn credit(is_cold: bool, is_new: bool) -> (u64, u64) {
    (if is_cold { CREDIT } else { CREDIT_AGAIN }, if is_new { ACCOUNT } else { 0 })
}

/// A log with so many topics and bytes of data.
pub(super) fn log(topics: usize, bytes: usize) -> u64 {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let head = LOG.saturating_mul(count(topics).saturating_add(1));
    head.saturating_add(LOG_BYTE.saturating_mul(count(bytes)))
}
