//! Reading the chain.

use crate::{error::ClientError, handovers::Handovers, nonces::Nonces, transport::Rpc};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_primitives::{Amount, BlockNumber};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A node's JSON-RPC as typed calls. Clones share connections, nonces and handovers.
#[derive(Clone, Debug)]
pub struct ChainClient {
    rpc: Rpc,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    chain_id: OnceCell<u64>,
    nonces: Nonces,
    handovers: Handovers,
}

impl ChainClient {
    /// For the node at an `http` URL. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(url: &str) -> Result<Self, ClientError> {
        Ok(Self { rpc: Rpc::new(url)?, shared: Arc::default() })
    }

    /// For methods that have no function here.
    #[must_use]
    pub const fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// One request.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, ClientError> {
        self.rpc.request(method, params).await
    }

    /// The EIP-155 chain id, asked once.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn chain_id(&self) -> Result<u64, ClientError> {
        let ask = || async { Ok(self.request::<U64>("eth_chainId", ()).await?.to()) };
        self.shared.chain_id.get_or_try_init(ask).await.copied()
    }

    /// The last final block.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn block_number(&self) -> Result<BlockNumber, ClientError> {
        Ok(BlockNumber(self.request::<U64>("eth_blockNumber", ()).await?.to()))
    }

    /// The native balance. What is earned and not yet credited is not in it: see
    /// [`Self::earned`].
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn balance(&self, account: Address) -> Result<Amount, ClientError> {
        let units: U256 = self.request("eth_getBalance", (account, "latest")).await?;
        Ok(Amount::from_base_units(units))
    }

    /// The native balance after a block.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn balance_at(
        &self,
        account: Address,
        block: BlockNumber,
    ) -> Result<Amount, ClientError> {
        let units: U256 = self.request("eth_getBalance", (account, U64::from(block.0))).await?;
        Ok(Amount::from_base_units(units))
    }

    /// Earned in pools and not yet credited.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn earned(&self, account: Address) -> Result<Amount, ClientError> {
        let units = self.call(ROYALTIES, &IRoyalties::earnedCall { account }).await?;
        Ok(Amount::from_base_units(units))
    }

    /// The account's next nonce, transactions waiting in the pool included.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn pending_nonce(&self, account: Address) -> Result<u64, ClientError> {
        Ok(self.request::<U64>("eth_getTransactionCount", (account, "pending")).await?.to())
    }

    /// A contract's code; empty without one.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn code(&self, account: Address) -> Result<Bytes, ClientError> {
        self.request("eth_getCode", (account, "latest")).await
    }

    /// Calls a view and decodes what it returns.
    ///
    /// # Errors
    /// [`ClientError::Reverted`] with the custom error's name, and the others.
    pub async fn call<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, ClientError> {
        self.call_at(to, call, BlockNumberOrTag::Latest).await
    }

    /// Calls a view in the state after a block.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_at<C: SolCall>(
        &self,
        to: Address,
        call: &C,
        block: BlockNumberOrTag,
    ) -> Result<C::Return, ClientError> {
        let request = json!({ "to": to, "input": Bytes::from(call.abi_encode()) });
        let output: Bytes = self.request("eth_call", (request, block)).await?;
        decode_return::<C>(&output)
    }

    /// Runs a call as `from` would, without sending it.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn simulate<C: SolCall>(
        &self,
        from: Address,
        to: Address,
        value: Amount,
        call: &C,
    ) -> Result<C::Return, ClientError> {
        let input = Bytes::from(call.abi_encode());
        let value = value.base_units();
        let request = json!({ "from": from, "to": to, "value": value, "input": input });
        let output: Bytes = self.request("eth_call", (request, "latest")).await?;
        decode_return::<C>(&output)
    }

    /// What is needed to verify a transaction's receipt without a node (`sahara_getReceiptProof`).
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn receipt_proof(&self, hash: B256) -> Result<serde_json::Value, ClientError> {
        self.request("sahara_getReceiptProof", (hash,)).await
    }

    pub(crate) fn nonces(&self) -> &Nonces {
        &self.shared.nonces
    }

    pub(crate) fn known_handovers(&self) -> &Handovers {
        &self.shared.handovers
    }
}

fn decode_return<C: SolCall>(output: &[u8]) -> Result<C::Return, ClientError> {
    C::abi_decode_returns(output).map_err(|error| {
        let reason = if output.is_empty() {
            "no data returned; is it the right address?".into()
        } else {
            error.to_string()
        };
        ClientError::Decode { what: C::SIGNATURE, reason }
    })
}
