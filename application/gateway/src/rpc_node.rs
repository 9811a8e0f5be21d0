//! [`RpcNode`]: a node over JSON-RPC.

use crate::chain::{ChainError, Mined, Node};
use alloy_primitives::{Address, B256, Bytes, U64};
use futures::{FutureExt, future::BoxFuture};
use sahara_client::{ChainClient, Filter, Log, SigningKey, TxRequest};
use sahara_compute::ChainProof;
use sahara_finality::{ValidatorSet, decode_header};
use sahara_primitives::{BlockNumber, Timestamp};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

/// A node over JSON-RPC.
#[derive(Clone, Debug)]
pub struct RpcNode {
    client: ChainClient,
    key: SigningKey,
    origin: OnceCell<Origin>,
}

/// Where every proof begins. It never changes, so it is asked for once.
#[derive(Clone, Debug)]
struct Origin {
    genesis_header: Bytes,
    /// Of epoch 0, to which the genesis header commits; the others follow by handovers.
    validators: ValidatorSet,
}

/// Calls in one batch: nodes bound them.
const MOST_CALLS: usize = 500;

impl RpcNode {
    /// The client's node, with the key that pays for the gateway's transactions.
    pub const fn new(client: ChainClient, key: SigningKey) -> Self {
        Self { client, key, origin: OnceCell::const_new() }
    }

    async fn origin(&self) -> Result<&Origin, ChainError> {
        self.origin.get_or_try_init(|| self.ask_origin()).await
    }

    async fn ask_origin(&self) -> Result<Origin, ChainError> {
        let genesis: Option<FinalityAnswer> =
            self.client.request("sahara_getCertificate", ("earliest",)).await?;
        let ValidatorsAnswer { validators } =
            self.client.request("sahara_getValidators", ("0x0",)).await?;
        let genesis_header = genesis.ok_or_else(not_certified)?.header;
        Ok(Origin { genesis_header, validators })
    }
}

fn not_certified() -> ChainError {
    ChainError::Unknown("the block is not certified yet".into())
}

/// What `sahara_getReceiptProof` answers, as far as it is used here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofAnswer {
    transaction_index: U64,
    receipt: Bytes,
    proof: Vec<Bytes>,
    finality: FinalityAnswer,
}

/// What `sahara_getCertificate` answers, as far as it is used here.
#[derive(Debug, Deserialize)]
struct FinalityAnswer {
    header: Bytes,
    path: Vec<Bytes>,
    certificate: Option<Bytes>,
}

impl FinalityAnswer {
    /// The block that the certificate is of: handovers of its epoch and later prove nothing of it.
    fn certified(&self) -> Result<BlockNumber, ChainError> {
        let header = self.path.last().unwrap_or(&self.header);
        let header = decode_header(header);
        let header = header.map_err(|error| ChainError::Unknown(error.to_string()))?;
        Ok(BlockNumber(header.number))
    }
}

#[derive(Debug, Deserialize)]
struct ValidatorsAnswer {
    validators: ValidatorSet,
}

/// What `eth_getBlockByNumber` answers, as far as it is used here.
#[derive(Debug, Deserialize)]
struct BlockTime {
    timestamp: U64,
}

impl Node for RpcNode {
    fn head(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
        async { Ok(self.client.block_number().await?.0) }.boxed()
    }

    fn time(&self) -> BoxFuture<'_, Result<Timestamp, ChainError>> {
        async {
            let block: BlockTime =
                self.client.request("eth_getBlockByNumber", ("latest", false)).await?;
            Ok(Timestamp(block.timestamp.to()))
        }
        .boxed()
    }

    fn call(&self, to: Address, input: Bytes) -> BoxFuture<'_, Result<Bytes, ChainError>> {
        async move {
            let request = json!({ "to": to, "input": input });
            Ok(self.client.request("eth_call", (request, "latest")).await?)
        }
        .boxed()
    }

    fn calls(
        &self,
        calls: Vec<(Address, Bytes)>,
    ) -> BoxFuture<'_, Result<Vec<Result<Bytes, ChainError>>, ChainError>> {
        async move {
            let ask = |(to, input): (Address, Bytes)| {
                ("eth_call", json!([{ "to": to, "input": input }, "latest"]))
            };
            let asked: Vec<_> = calls.into_iter().map(ask).collect();
            let mut answers = Vec::new();
            for some in asked.chunks(MOST_CALLS) {
                let batch = self.client.rpc().batch::<Bytes>(some).await?;
                answers.extend(batch.into_iter().map(|answer| answer.map_err(ChainError::from)));
            }
            Ok(answers)
        }
        .boxed()
    }

    fn send(&self, to: Address, input: Bytes) -> BoxFuture<'_, Result<Mined, ChainError>> {
        async move {
            let request = TxRequest { to: Some(to), input, ..TxRequest::default() };
            Ok(self.client.send_request(&self.key, request).await?.into())
        }
        .boxed()
    }

    fn logs(
        &self,
        blocks: (u64, u64),
        accounts: Vec<Address>,
        channel: Option<B256>,
    ) -> BoxFuture<'_, Result<Vec<Log>, ChainError>> {
        async move {
            let filter = Filter::new().from_block(blocks.0).to_block(blocks.1).address(accounts);
            let filter = match channel {
                Some(channel) => filter.topic1(channel),
                None => filter,
            };
            Ok(self.client.logs(&filter).await?)
        }
        .boxed()
    }

    fn mined(&self, hash: B256) -> BoxFuture<'_, Result<Option<Mined>, ChainError>> {
        async move { Ok(self.client.find_outcome(hash).await?.map(Mined::from)) }.boxed()
    }

    fn receipt_proof(
        &self,
        hash: B256,
        since: BlockNumber,
    ) -> BoxFuture<'_, Result<ChainProof, ChainError>> {
        async move {
            let Origin { genesis_header, validators } = self.origin().await?.clone();
            let proof: Option<ProofAnswer> =
                self.client.request("sahara_getReceiptProof", (hash,)).await?;
            let proof = proof.ok_or_else(not_certified)?;
            let certified = proof.finality.certified()?;
            Ok(ChainProof {
                chain_id: self.client.chain_id().await?,
                genesis_header,
                validators,
                handovers: self.client.handovers_between(since, certified).await?,
                header: proof.finality.header,
                descendants: proof.finality.path,
                certificate: proof.finality.certificate.ok_or_else(not_certified)?,
                transaction_index: proof.transaction_index.to(),
                receipt: proof.receipt,
                receipt_proof: proof.proof,
            })
        }
        .boxed()
    }
}
