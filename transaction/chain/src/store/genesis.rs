//! What the chain begins with.

use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use sahara_evm::{Account, AccountDiff, StateDiff};
use sahara_finality::Block;

use super::StoreError;
use crate::trie::genesis_update;

/// Block 0 and the state after it.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The EIP-155 chain id.
    pub chain_id: u64,
    /// Block 0; its header holds the root of [`Self::state`].
    pub block: Block,
    /// All accounts, as the change from nothing.
    pub state: StateDiff,
}

/// The state in which these accounts exist. Accounts without nonce, coin, code and storage are
/// left out, as EIP-161 has it.
#[must_use]
pub fn allocation(accounts: impl IntoIterator<Item = (Address, GenesisAccount)>) -> StateDiff {
    let mut diff = StateDiff::default();
    for (address, account) in accounts {
        let code = account.code.unwrap_or_default();
        let after = Account {
            nonce: account.nonce.unwrap_or_default(),
            balance: account.balance,
            code_hash: insert_code(&mut diff, code),
        };
        let words = account.storage.unwrap_or_default().into_iter().filter_map(|(slot, word)| {
            let word = U256::from_be_bytes(word.0);
            (!word.is_zero()).then(|| (U256::from_be_bytes(slot.0), (U256::ZERO, word)))
        });
        let storage = words.collect();
        let change = AccountDiff { before: None, after: Some(after), is_wiped: false, storage };
        if !after.is_empty() || !change.storage.is_empty() {
            diff.accounts.insert(address, change);
        }
    }
    diff
}

/// The state root of a state that begins with `diff`, for the genesis header.
///
/// # Errors
/// Never for lack of stored nodes, since there are none to read.
pub fn genesis_root(diff: &StateDiff) -> Result<B256, StoreError> {
    Ok(genesis_update(diff)?.root)
}

fn insert_code(diff: &mut StateDiff, code: Bytes) -> B256 {
    if code.is_empty() {
        return KECCAK256_EMPTY;
    }
    let hash = keccak256(&code);
    diff.code.insert(hash, code);
    hash
}
