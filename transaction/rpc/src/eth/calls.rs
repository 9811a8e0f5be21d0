//! Calls that leave nothing behind.

use crate::{error::Failure, eth::fees::suggested_tip, node::Node};
use alloy_consensus::{SignableTransaction, TxEip1559, transaction::Recovered};
use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U64, U256};
use alloy_rpc_types_eth::{
    AccessListResult, BlockOverrides, FillTransaction, Transaction, TransactionRequest,
    state::StateOverride,
};
use jsonrpsee::proc_macros::rpc;
use sahara_evm::{CALL_GAS, CallStatus, ParentState, call, create_access_list, estimate_gas};
use sahara_finality::EthereumTransaction;

/// A filled, unsigned transaction, its signature zeros.
type Filled = FillTransaction<Transaction<EthereumTransaction>>;

#[rpc(server, namespace = "eth")]
pub(crate) trait CallsApi {
    #[method(name = "call")]
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
        overrides: Option<Box<BlockOverrides>>,
    ) -> Result<Bytes, Failure>;
    #[method(name = "estimateGas")]
    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
        overrides: Option<Box<BlockOverrides>>,
    ) -> Result<U64, Failure>;
    #[method(name = "createAccessList")]
    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
    ) -> Result<AccessListResult, Failure>;
    /// Nonce, gas, fees and chain id where the request has none.
    #[method(name = "fillTransaction")]
    async fn fill_transaction(&self, request: TransactionRequest) -> Result<Filled, Failure>;
}

#[derive(Debug)]
pub(crate) struct Calls(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl CallsApiServer for Calls {
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
        overrides: Option<Box<BlockOverrides>>,
    ) -> Result<Bytes, Failure> {
        let work = move |node: &Node| {
            let (parent, env) = node.overridden(block, overrides.as_deref())?;
            let request = bounded(request);
            let outcome = call(node.rules(), parent, &env, &request, state.as_ref())?;
            if outcome.is_success() {
                Ok(outcome.output)
            } else {
                Err(Failure::Call(Box::new(outcome)))
            }
        };
        self.0.compute(work).await
    }

    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
        overrides: Option<Box<BlockOverrides>>,
    ) -> Result<U64, Failure> {
        let work = move |node: &Node| {
            let (parent, env) = node.overridden(block, overrides.as_deref())?;
            let gas = estimate_gas(node.rules(), parent, &env, &request, state.as_ref())?;
            Ok(U64::from(gas))
        };
        self.0.compute(work).await
    }

    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state: Option<StateOverride>,
    ) -> Result<AccessListResult, Failure> {
        let work = move |node: &Node| {
            let (parent, env) = node.surroundings(block)?;
            let request = bounded(request);
            let (access_list, outcome) =
                create_access_list(node.rules(), parent, &env, &request, state.as_ref())?;
            let error = match &outcome.status {
                CallStatus::Success => None,
                CallStatus::Reverted | CallStatus::Halted(_) => Some(outcome.failure()),
            };
            Ok(AccessListResult { access_list, gas_used: U256::from(outcome.gas_used), error })
        };
        self.0.compute(work).await
    }

    async fn fill_transaction(&self, request: TransactionRequest) -> Result<Filled, Failure> {
        self.0.compute(move |node| fill(node, request)).await
    }
}

/// No call may use more gas than one that asks for none gets.
fn bounded(mut request: TransactionRequest) -> TransactionRequest {
    request.gas = request.gas.map(|gas| gas.min(CALL_GAS));
    request
}

fn fill(node: &Node, request: TransactionRequest) -> Result<Filled, Failure> {
    let Some(from) = request.from else {
        return Err(Failure::Parameters("expected a sender in `from`".into()));
    };
    if request.authorization_list.is_some() || request.blob_versioned_hashes.is_some() {
        return Err(Failure::NotSupported("filling is for transactions of type 2"));
    }
    let pending = BlockId::from(BlockNumberOrTag::Pending);
    let (parent, env) = node.surroundings(Some(pending))?;
    let nonce = match request.nonce {
        Some(nonce) => nonce,
        None => {
            let account = parent.account(from)?.unwrap_or_default();
            node.pool().next_nonce(&from).unwrap_or(account.nonce).max(account.nonce)
        }
    };
    let tip = request.max_priority_fee_per_gas.or(request.gas_price);
    let tip = tip.map_or_else(|| suggested_tip(node), Ok)?;
    let max_fee = request.max_fee_per_gas.or(request.gas_price);
    let max_fee = max_fee.unwrap_or_else(|| tip.saturating_add(u128::from(env.base_fee) * 2));
    let gas_limit = match request.gas {
        Some(gas) => gas,
        None => estimate_gas(node.rules(), parent, &env, &request, None)?,
    };
    let body = TxEip1559 {
        chain_id: request.chain_id.unwrap_or_else(|| node.rules().chain_id()),
        nonce,
        gas_limit,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip.min(max_fee),
        to: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        access_list: request.access_list.unwrap_or_default(),
        input: request.input.into_input().unwrap_or_default(),
    };
    let tx = unsigned(body, from);
    let raw = Bytes::from(tx.inner.inner().encoded_2718());
    Ok(FillTransaction { raw, tx })
}

/// A transaction in no block, its signature zeros.
pub(super) fn unsigned(body: TxEip1559, from: Address) -> Transaction<EthereumTransaction> {
    let zeros = Signature::new(U256::ZERO, U256::ZERO, false);
    let envelope = EthereumTransaction::Eip1559(body.into_signed(zeros));
    Transaction {
        inner: Recovered::new_unchecked(envelope, from),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: None,
        block_timestamp: None,
    }
}
