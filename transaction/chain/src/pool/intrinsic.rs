//! What a transaction costs before its first instruction.

use alloy_consensus::Transaction as _;
use sahara_finality::EthereumTransaction;

const TRANSACTION: u64 = 21_000;
const CREATE: u64 = 32_000;
const TOKEN: u64 = 4;
/// EIP-7623: what a token of call data costs at least.
const FLOOR_TOKEN: u64 = 10;
/// EIP-3860, per 32 bytes.
const INITCODE_WORD: u64 = 2;
const ACCESS_LIST_ADDRESS: u64 = 2_400;
const ACCESS_LIST_KEY: u64 = 1_900;
/// EIP-7702, per authorisation.
const AUTHORIZATION: u64 = 25_000;

/// The gas charged before execution.
#[must_use]
pub fn intrinsic_gas(transaction: &EthereumTransaction) -> u64 {
    let mut gas = TRANSACTION.saturating_add(tokens(transaction).saturating_mul(TOKEN));
    if transaction.is_create() {
        let words = length(transaction.input().len()).div_ceil(32);
        gas = gas.saturating_add(CREATE).saturating_add(words.saturating_mul(INITCODE_WORD));
    }
    for item in transaction.access_list().into_iter().flat_map(|list| list.iter()) {
        let keys = length(item.storage_keys.len()).saturating_mul(ACCESS_LIST_KEY);
        gas = gas.saturating_add(ACCESS_LIST_ADDRESS).saturating_add(keys);
    }
    let authorizations = length(transaction.authorization_list().map_or(0, <[_]>::len));
    gas.saturating_add(authorizations.saturating_mul(AUTHORIZATION))
}

/// The least gas charged in the end (EIP-7623).
#[must_use]
pub fn floor_gas(transaction: &EthereumTransaction) -> u64 {
    TRANSACTION.saturating_add(tokens(transaction).saturating_mul(FLOOR_TOKEN))
}

/// A zero byte is one token, any other four.
fn tokens(transaction: &EthereumTransaction) -> u64 {
    let input = transaction.input();
    let zeros = input.iter().filter(|byte| **byte == 0).count();
    let others = input.len().saturating_sub(zeros);
    length(others).saturating_mul(4).saturating_add(length(zeros))
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
