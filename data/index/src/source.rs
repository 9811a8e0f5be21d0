//! [`Source`]: final blocks, read from a node.

use crate::error::IndexError;
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{ASSETS, IAssets};
use sahara_client::{ChainClient, ClientError, Log};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{json, value::RawValue};
use std::collections::BTreeMap;

/// Calls in one batch: nodes bound them, and a block may register thousands of assets.
const CALLS: usize = 900;

/// A header as the node shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub(crate) number: U64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    /// Unix time in milliseconds.
    pub(crate) nonce: U64,
    pub(crate) miner: Address,
    pub(crate) gas_used: U64,
    pub(crate) gas_limit: U64,
    #[serde(default)]
    pub(crate) base_fee_per_gas: U64,
    #[serde(default)]
    pub(crate) size: U64,
}

#[derive(Clone, Debug, Deserialize)]
struct BlockAnswer {
    #[serde(flatten)]
    header: Header,
    transactions: Vec<Transaction>,
}

/// A transaction, as far as it is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    pub(crate) hash: B256,
    #[serde(rename = "type")]
    pub(crate) type_byte: U64,
    pub(crate) from: Address,
    pub(crate) to: Option<Address>,
    pub(crate) nonce: U64,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    pub(crate) gas: U64,
}

/// What a transaction did.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    pub(crate) transaction_hash: B256,
    pub(crate) status: U64,
    pub(crate) gas_used: U64,
    pub(crate) effective_gas_price: U128,
    pub(crate) contract_address: Option<Address>,
    pub(crate) logs: Vec<Log>,
}

/// What no event says about a new asset. None of it ever changes, so it may be asked at any time.
#[derive(Clone, Debug)]
pub(crate) struct AssetFacts {
    pub(crate) derivative_royalty: u16,
    pub(crate) derivatives: IAssets::Derivatives,
    pub(crate) account: Address,
    pub(crate) shares: BTreeMap<u64, u16>,
}

/// Everything the index needs of one block.
#[derive(Clone, Debug)]
pub(crate) struct BlockData {
    pub(crate) header: Header,
    pub(crate) transactions: Vec<(Transaction, Receipt)>,
    pub(crate) assets: BTreeMap<u64, AssetFacts>,
}

/// A node to follow.
#[derive(Clone, Debug)]
pub struct Source {
    client: ChainClient,
}

impl Source {
    /// The client's node.
    #[must_use]
    pub const fn new(client: ChainClient) -> Self {
        Self { client }
    }

    /// The chain id and the hash of block 0.
    pub(crate) async fn identity(&self) -> Result<(u64, B256), IndexError> {
        let id = self.client.chain_id().await?;
        let genesis: Header = self.client.request("eth_getBlockByNumber", ("0x0", false)).await?;
        Ok((id, genesis.hash))
    }

    pub(crate) async fn head(&self) -> Result<u64, IndexError> {
        Ok(self.client.block_number().await?.0)
    }

    /// `count` blocks from `first`, in one request for blocks and receipts, and one more when assets
    /// were registered in them. One block that is longer than an answer may be is read in parts: what
    /// somebody pays to have logged must not end the index.
    pub(crate) async fn blocks(
        &self,
        first: u64,
        count: u64,
    ) -> Result<Vec<BlockData>, IndexError> {
        let mut data = match self.whole(first, count).await {
            Err(IndexError::Node(ClientError::Rpc(_))) if count == 1 => {
                vec![self.in_parts(first).await?]
            }
            whole => whole?,
        };
        self.add_facts(&mut data).await?;
        Ok(data)
    }

    async fn whole(&self, first: u64, count: u64) -> Result<Vec<BlockData>, IndexError> {
        let numbers: Vec<_> = (first..first.saturating_add(count)).map(U64::from).collect();
        let blocks = numbers.iter().map(|number| ("eth_getBlockByNumber", json!([number, true])));
        let receipts = numbers.iter().map(|number| ("eth_getBlockReceipts", json!([number])));
        let requests: Vec<_> = blocks.chain(receipts).collect();
        let mut answers = self.client.rpc().batch::<Box<RawValue>>(&requests).await?.into_iter();
        let mut headers = Vec::new();
        for (number, answer) in (first..).zip(answers.by_ref().take(numbers.len())) {
            let block = parse::<Option<BlockAnswer>>("a block", answer)?;
            headers.push(block.ok_or(IndexError::NotYet(number))?);
        }
        let mut data = Vec::new();
        for (block, answer) in headers.into_iter().zip(answers) {
            let receipts = parse::<Option<Vec<Receipt>>>("receipts", answer)?;
            data.push(join(block, receipts.unwrap_or_default())?);
        }
        Ok(data)
    }

    /// One block, and its receipts one by one.
    async fn in_parts(&self, number: u64) -> Result<BlockData, IndexError> {
        let params = (U64::from(number), true);
        let block: Option<BlockAnswer> =
            self.client.request("eth_getBlockByNumber", params).await?;
        let block = block.ok_or(IndexError::NotYet(number))?;
        let mut receipts = Vec::new();
        for transaction in &block.transactions {
            let params = (transaction.hash,);
            let receipt: Option<Receipt> =
                self.client.request("eth_getTransactionReceipt", params).await?;
            receipts.push(receipt.ok_or(IndexError::NotYet(number))?);
        }
        join(block, receipts)
    }

    async fn add_facts(&self, blocks: &mut [BlockData]) -> Result<(), IndexError> {
        let ids: Vec<u64> = blocks.iter().flat_map(registered).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ask = |input: Vec<u8>| {
            ("eth_call", json!([{ "to": ASSETS, "input": Bytes::from(input) }, "latest"]))
        };
        let requests: Vec<_> = ids
            .iter()
            .flat_map(|id| {
                let asset = *id;
                [
                    ask(IAssets::assetCall { asset }.abi_encode()),
                    ask(IAssets::ancestorsCall { asset }.abi_encode()),
                    ask(IAssets::accountOfCall { asset }.abi_encode()),
                ]
            })
            .collect();
        let mut answers = Vec::new();
        for some in requests.chunks(CALLS) {
            answers.extend(self.client.rpc().batch::<Bytes>(some).await?);
        }
        let mut answers = answers.into_iter();
        let mut facts = BTreeMap::new();
        for id in ids {
            let asset = output::<IAssets::assetCall>(answers.next())?;
            let ancestors = output::<IAssets::ancestorsCall>(answers.next())?;
            let account = output::<IAssets::accountOfCall>(answers.next())?;
            let shares = ancestors.into_iter().map(|row| (row.asset, row.share)).collect();
            let (derivative_royalty, derivatives) = (asset.derivativeRoyalty, asset.derivatives);
            facts.insert(id, AssetFacts { derivative_royalty, derivatives, account, shares });
        }
        for block in blocks {
            let ids: Vec<_> = registered(block).collect();
            block.assets = ids.into_iter().filter_map(|id| facts.remove_entry(&id)).collect();
        }
        Ok(())
    }
}

fn registered(block: &BlockData) -> impl Iterator<Item = u64> {
    let logs = block.transactions.iter().flat_map(|(_, receipt)| &receipt.logs);
    let logs = logs.filter(|log| log.inner.address == ASSETS);
    logs.filter_map(|log| IAssets::Registered::decode_log(&log.inner).ok().map(|event| event.asset))
}

fn parse<T: DeserializeOwned>(
    what: &'static str,
    answer: Result<Box<RawValue>, ClientError>,
) -> Result<T, IndexError> {
    serde_json::from_str(answer?.get()).map_err(|error| IndexError::malformed(what, &error))
}

fn output<C: SolCall>(answer: Option<Result<Bytes, ClientError>>) -> Result<C::Return, IndexError> {
    let missing = || IndexError::malformed("an answer to eth_call", &"missing");
    let output = answer.ok_or_else(missing)??;
    C::abi_decode_returns(&output).map_err(|error| IndexError::malformed(C::SIGNATURE, &error))
}

fn join(block: BlockAnswer, receipts: Vec<Receipt>) -> Result<BlockData, IndexError> {
    let fits = block.transactions.len() == receipts.len();
    let transactions: Vec<_> = block.transactions.into_iter().zip(receipts).collect();
    let matches = |(transaction, receipt): &(Transaction, Receipt)| {
        transaction.hash == receipt.transaction_hash
    };
    if !fits || !transactions.iter().all(matches) {
        return Err(IndexError::malformed("receipts", &"they do not belong to the block"));
    }
    Ok(BlockData { header: block.header, transactions, assets: BTreeMap::new() })
}
