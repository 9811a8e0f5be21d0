//! Accounts, code, storage.

use crate::{error::Failure, eth::proofs::StorageSlot, node::Node};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{AccountInfo, StorageValuesRequest};
use jsonrpsee::proc_macros::rpc;
use sahara_evm::{Account, ParentState};
use std::collections::BTreeMap;

/// The most words one `eth_getStorageValues` reads, as go-ethereum.
const MAX_STORAGE_VALUES: usize = 1_024;

#[rpc(server, namespace = "eth")]
pub(crate) trait StateApi {
    #[method(name = "getBalance")]
    fn balance(&self, address: Address, block: Option<BlockId>) -> Result<U256, Failure>;
    #[method(name = "getTransactionCount")]
    fn nonce(&self, address: Address, block: Option<BlockId>) -> Result<U64, Failure>;
    #[method(name = "getCode")]
    fn code(&self, address: Address, block: Option<BlockId>) -> Result<Bytes, Failure>;
    /// The slot is a quantity or 32 bytes.
    #[method(name = "getStorageAt")]
    fn storage(
        &self,
        address: Address,
        slot: StorageSlot,
        block: Option<BlockId>,
    ) -> Result<B256, Failure>;
    #[method(name = "getStorageValues")]
    fn storage_values(
        &self,
        request: StorageValuesRequest,
        block: Option<BlockId>,
    ) -> Result<BTreeMap<Address, Vec<B256>>, Failure>;
    #[method(name = "getAccountInfo")]
    fn account_info(
        &self,
        address: Address,
        block: Option<BlockId>,
    ) -> Result<AccountInfo, Failure>;
}

#[derive(Debug)]
pub(crate) struct State(pub(crate) Node);

impl State {
    fn account(&self, address: Address, block: Option<BlockId>) -> Result<Account, Failure> {
        Ok(self.0.state(block)?.account(address)?.unwrap_or_default())
    }
}

impl StateApiServer for State {
    fn balance(&self, address: Address, block: Option<BlockId>) -> Result<U256, Failure> {
        Ok(self.account(address, block)?.balance)
    }

    fn nonce(&self, address: Address, block: Option<BlockId>) -> Result<U64, Failure> {
        let nonce = self.account(address, block)?.nonce;
        let is_pending = block == Some(BlockNumberOrTag::Pending.into());
        let waiting = is_pending.then(|| self.0.pool().next_nonce(&address)).flatten();
        Ok(U64::from(waiting.unwrap_or(nonce).max(nonce)))
    }

    fn code(&self, address: Address, block: Option<BlockId>) -> Result<Bytes, Failure> {
        let state = self.0.state(block)?;
        let account = state.account(address)?.unwrap_or_default();
        Ok(state.code(account.code_hash)?)
    }

    fn storage(
        &self,
        address: Address,
        slot: StorageSlot,
        block: Option<BlockId>,
    ) -> Result<B256, Failure> {
        Ok(self.0.state(block)?.storage(address, slot.0)?.into())
    }

    fn storage_values(
        &self,
        request: StorageValuesRequest,
        block: Option<BlockId>,
    ) -> Result<BTreeMap<Address, Vec<B256>>, Failure> {
        let count: usize = request.0.values().map(Vec::len).sum();
        if count > MAX_STORAGE_VALUES {
            let text = format!("too many slots (max {MAX_STORAGE_VALUES}, got {count})");
            return Err(Failure::Limit(text));
        }
        if count == 0 {
            return Err(Failure::Parameters("empty request".into()));
        }
        let state = self.0.state(block)?;
        let read = |(address, slots): (Address, Vec<B256>)| {
            let words = slots
                .into_iter()
                .map(|slot| Ok(B256::from(state.storage(address, U256::from_be_bytes(slot.0))?)));
            Ok((address, words.collect::<Result<Vec<_>, Failure>>()?))
        };
        request.0.into_iter().map(read).collect()
    }

    fn account_info(
        &self,
        address: Address,
        block: Option<BlockId>,
    ) -> Result<AccountInfo, Failure> {
        let state = self.0.state(block)?;
        let account = state.account(address)?.unwrap_or_default();
        let code = state.code(account.code_hash)?;
        Ok(AccountInfo { balance: account.balance, nonce: account.nonce, code })
    }
}
