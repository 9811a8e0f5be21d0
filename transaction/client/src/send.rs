//! Sending transactions.

use crate::{
    chain::ChainClient,
    error::ClientError,
    fees::Fees,
    key::SigningKey,
    outcome::{ReceiptAnswer, TxOutcome},
    revert::Revert,
    transport::RpcError,
};
use alloy_consensus::TxEip1559;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64};
use alloy_sol_types::SolCall;
use sahara_finality::EthereumTransaction;
use sahara_primitives::Amount;
use serde_json::json;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often a refused nonce is asked for again.
const NONCE_ATTEMPTS: usize = 4;
/// How long a transaction may take to become final.
const FINAL_WITHIN: Duration = Duration::from_secs(60);
/// How often a receipt is looked for when the node cannot wait.
const POLL_EVERY: Duration = Duration::from_millis(50);
/// EIP-7825: the most gas a transaction may ask for.
const MOST_GAS: u64 = 1 << 24;
/// JSON-RPC: the node has no such method.
const METHOD_NOT_FOUND: i64 = -32_601;
/// EIP-7966: accepted, but no receipt in time.
const NO_RECEIPT_YET: i64 = 4;

/// What to send.
#[derive(Clone, Debug, Default)]
pub struct TxRequest {
    /// The account called; `None` creates a contract.
    pub to: Option<Address>,
    /// Coin sent along.
    pub value: Amount,
    /// Call data, or the contract's init code.
    pub input: Bytes,
    /// The gas limit; estimated when `None`.
    pub gas: Option<u64>,
    /// The fees; asked for when `None`.
    pub fees: Option<Fees>,
}

/// A transaction the node has accepted.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Its hash.
    pub hash: B256,
    /// The receipt, when the node waited for it.
    outcome: Option<TxOutcome>,
    from: Address,
    request: TxRequest,
}

impl TxRequest {
    /// A typed call.
    #[must_use]
    pub fn call<C: SolCall>(to: Address, value: Amount, call: &C) -> Self {
        Self { to: Some(to), value, input: call.abi_encode().into(), ..Self::default() }
    }
}

impl ChainClient {
    /// Sends a typed call and returns when it is final.
    ///
    /// # Errors
    /// [`ClientError::Reverted`] when it would revert (nothing was sent then),
    /// [`ClientError::Failed`] when it did, and the others.
    pub async fn send<C: SolCall>(
        &self,
        key: &SigningKey,
        to: Address,
        value: Amount,
        call: &C,
    ) -> Result<TxOutcome, ClientError> {
        self.send_request(key, TxRequest::call(to, value, call)).await
    }

    /// Sends coin and returns when it is final.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn transfer(
        &self,
        key: &SigningKey,
        to: Address,
        value: Amount,
    ) -> Result<TxOutcome, ClientError> {
        self.send_request(key, TxRequest { to: Some(to), value, ..TxRequest::default() }).await
    }

    /// Sends any request and returns when it is final.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_request(
        &self,
        key: &SigningKey,
        request: TxRequest,
    ) -> Result<TxOutcome, ClientError> {
        let prepared = self.prepare(key, request).await?;
        let submitted = self.submit_with(key, prepared, "eth_sendRawTransactionSync").await;
        let submitted = match submitted {
            Err((ClientError::Rpc(error), prepared)) if error.code == METHOD_NOT_FOUND => {
                self.submit_with(key, prepared, "eth_sendRawTransaction").await
            }
            other => other,
        };
        self.outcome(submitted.map_err(|(error, _)| error)?).await
    }

    /// Sends any request and returns as soon as the node has accepted it; [`Self::outcome`] waits.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn submit(
        &self,
        key: &SigningKey,
        request: TxRequest,
    ) -> Result<Submitted, ClientError> {
        let prepared = self.prepare(key, request).await?;
        let submitted = self.submit_with(key, prepared, "eth_sendRawTransaction").await;
        submitted.map_err(|(error, _)| error)
    }

    /// What became of a submitted transaction, once it is final.
    ///
    /// # Errors
    /// [`ClientError::Failed`] when it reverted, [`ClientError::Pending`] after a minute.
    pub async fn outcome(&self, submitted: Submitted) -> Result<TxOutcome, ClientError> {
        let Submitted { hash, outcome, from, request } = submitted;
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => self.wait(hash).await?,
        };
        if outcome.succeeded {
            return Ok(outcome);
        }
        let revert = self.replay(from, &request, outcome.block_number).await;
        Err(ClientError::Failed { outcome: Box::new(outcome), revert })
    }

    /// Waits until a transaction is final; its outcome may be a failure.
    ///
    /// # Errors
    /// [`ClientError::Pending`] after a minute.
    pub async fn wait(&self, hash: B256) -> Result<TxOutcome, ClientError> {
        let mut ticks = interval(POLL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let poll = async {
            loop {
                ticks.tick().await;
                if let Some(outcome) = self.find_outcome(hash).await? {
                    return Ok(outcome);
                }
            }
        };
        timeout(FINAL_WITHIN, poll).await.unwrap_or(Err(ClientError::Pending(hash)))
    }

    /// The outcome of a transaction, if it is in a block.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn find_outcome(&self, hash: B256) -> Result<Option<TxOutcome>, ClientError> {
        let receipt: Option<ReceiptAnswer> =
            self.request("eth_getTransactionReceipt", (hash,)).await?;
        Ok(receipt.map(TxOutcome::from))
    }

    /// Fills in gas and fees.
    async fn prepare(
        &self,
        key: &SigningKey,
        request: TxRequest,
    ) -> Result<TxRequest, ClientError> {
        let asked = || json!([message(key.address(), &request)]);
        let (fees, gas) = match (request.fees, request.gas) {
            (Some(fees), Some(gas)) => (fees, gas),
            (None, Some(gas)) => (self.fees().await?, gas),
            (Some(fees), None) => {
                let needed = self.request("eth_estimateGas", asked()).await?;
                (fees, with_room(needed, &request))
            }
            (None, None) => {
                let (fees, needed) = self.fees_and("eth_estimateGas", asked()).await?;
                (fees, with_room(needed, &request))
            }
        };
        Ok(TxRequest { gas: Some(gas), fees: Some(fees), ..request })
    }

    /// Signs with the next nonce and submits. The account's lock is held until the node has the
    /// transaction when it answers at once, else only while signing.
    async fn submit_with(
        &self,
        key: &SigningKey,
        request: TxRequest,
        method: &'static str,
    ) -> Result<Submitted, (ClientError, TxRequest)> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let signed = match self.sign_next(key, &request).await {
                Ok(signed) => signed,
                Err(error) => return Err((error, request)),
            };
            let hash = *signed.tx_hash();
            let outcome = match self.deliver(&signed, method).await {
                Ok(outcome) => outcome,
                Err(ClientError::Rpc(error)) => {
                    *self.nonces().of(key.address()).lock().await = None;
                    if is_nonce_error(&error) && attempts < NONCE_ATTEMPTS {
                        continue;
                    }
                    return Err((error.into(), request));
                }
                // Unknown whether it got in: the receipt will tell.
                Err(ClientError::Unreachable { url, reason }) => {
                    *self.nonces().of(key.address()).lock().await = None;
                    let reason = format!("{reason}; transaction {hash} may have been accepted");
                    return Err((ClientError::Unreachable { url, reason }, request));
                }
                Err(error) => return Err((error, request)),
            };
            return Ok(Submitted { hash, outcome, from: key.address(), request });
        }
    }

    async fn sign_next(
        &self,
        key: &SigningKey,
        request: &TxRequest,
    ) -> Result<EthereumTransaction, ClientError> {
        let chain_id = self.chain_id().await?;
        let nonce = self.nonces().of(key.address());
        let mut next = nonce.lock().await;
        let nonce = match *next {
            Some(nonce) => nonce,
            None => self.pending_nonce(key.address()).await?,
        };
        *next = Some(nonce.saturating_add(1));
        let fees = request.fees.unwrap_or(Fees { max_fee: 0, max_tip: 0 });
        Ok(key.sign_transaction(TxEip1559 {
            chain_id,
            nonce,
            gas_limit: request.gas.unwrap_or_default(),
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.max_tip,
            to: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value.base_units(),
            input: request.input.clone(),
            ..TxEip1559::default()
        }))
    }

    async fn deliver(
        &self,
        signed: &EthereumTransaction,
        method: &'static str,
    ) -> Result<Option<TxOutcome>, ClientError> {
        let raw = Bytes::from(signed.encoded_2718());
        if method == "eth_sendRawTransaction" {
            self.request::<B256>(method, (raw,)).await?;
            return Ok(None);
        }
        match self.request::<ReceiptAnswer>(method, (raw,)).await {
            Ok(receipt) => Ok(Some(receipt.into())),
            Err(ClientError::Rpc(error)) if error.code == NO_RECEIPT_YET => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs a failed transaction again on the state before its block, to learn why.
    async fn replay(&self, from: Address, request: &TxRequest, block: u64) -> Option<Revert> {
        let before = U64::from(block.saturating_sub(1));
        let answer = self.request::<Bytes>("eth_call", (message(from, request), before)).await;
        match answer {
            Err(ClientError::Reverted(revert)) => Some(revert),
            _ => None,
        }
    }
}

/// The gas limit for an estimate. The node's covers what time and earnings may add; state may change otherwise
/// before the transaction runs: a fifth more, but a plain transfer is exact. What is not used is not paid.
fn with_room(needed: U64, request: &TxRequest) -> u64 {
    let needed: u64 = needed.to();
    let more = if request.input.is_empty() { 0 } else { needed / 5 };
    needed.saturating_add(more).min(MOST_GAS.max(needed))
}

fn message(from: Address, request: &TxRequest) -> serde_json::Value {
    let value = request.value.base_units();
    json!({ "from": from, "to": request.to, "value": value, "input": request.input })
}

fn is_nonce_error(error: &RpcError) -> bool {
    ["nonce too low", "already known", "replacement transaction underpriced"]
        .iter()
        .any(|words| error.message.contains(words))
}
