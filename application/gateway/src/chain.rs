//! [`Chain`]: the typed calls a gateway makes, over any [`Node`].

use crate::rows::{Authority, Earned, KeyRow};
use alloy_primitives::{Address, B256, Bytes, aliases::U96};
use alloy_sol_types::SolCall;
use futures::{FutureExt, future::BoxFuture};
use sahara_abi::{ASSETS, CHANNELS, IAssets, IChannels, IWorkers, WORKERS};
use sahara_client::{ClientError, Log, TxOutcome};
use sahara_compute::ChainProof;
use sahara_primitives::{Amount, AssetId, BlockNumber, ChannelId, Timestamp};
use std::{collections::BTreeMap, sync::Arc};

/// Why the chain did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A protocol refused; nothing changed.
    #[error("the chain refused: {text}")]
    Refused {
        /// The custom error's name.
        name: String,
        /// Name and values.
        text: String,
    },
    /// It takes more gas than a transaction may have; nothing changed.
    #[error("too much for one transaction: {0}")]
    TooMuch(String),
    /// Nothing is known about the outcome.
    #[error("the node did not answer: {0}")]
    Unknown(String),
}

/// A transaction that is final and did not revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mined {
    /// Its hash.
    pub hash: B256,
    /// Its block.
    pub block: u64,
    /// What it logged.
    pub logs: Vec<Log>,
}

/// A node as the gateway needs it: everything it answers is final.
pub trait Node: Send + Sync + std::fmt::Debug {
    /// The last block.
    fn head(&self) -> BoxFuture<'_, Result<u64, ChainError>>;

    /// The time of the last block.
    fn time(&self) -> BoxFuture<'_, Result<Timestamp, ChainError>>;

    /// Calls a view.
    fn call(&self, to: Address, input: Bytes) -> BoxFuture<'_, Result<Bytes, ChainError>>;

    /// Calls several views, each of which may be refused by itself.
    fn calls(
        &self,
        calls: Vec<(Address, Bytes)>,
    ) -> BoxFuture<'_, Result<Vec<Result<Bytes, ChainError>>, ChainError>> {
        async move {
            let mut answers = Vec::new();
            for (to, input) in calls {
                answers.push(self.call(to, input).await);
            }
            Ok(answers)
        }
        .boxed()
    }

    /// Sends a transaction in the gateway's name and waits until it is final.
    fn send(&self, to: Address, input: Bytes) -> BoxFuture<'_, Result<Mined, ChainError>>;

    /// The logs of these accounts in these blocks, of one channel if named.
    fn logs(
        &self,
        blocks: (u64, u64),
        accounts: Vec<Address>,
        channel: Option<B256>,
    ) -> BoxFuture<'_, Result<Vec<Log>, ChainError>>;

    /// A final transaction.
    fn mined(&self, hash: B256) -> BoxFuture<'_, Result<Option<Mined>, ChainError>>;

    /// What proves a transaction's receipt, with the handovers from a block on: from 0 for who trusts
    /// block 0 alone.
    fn receipt_proof(
        &self,
        hash: B256,
        since: BlockNumber,
    ) -> BoxFuture<'_, Result<ChainProof, ChainError>>;
}

impl From<ClientError> for ChainError {
    fn from(error: ClientError) -> Self {
        match error.revert() {
            Some(revert) => Self::Refused { name: revert.name.clone(), text: revert.text.clone() },
            None if error.is_too_much() => Self::TooMuch(error.to_string()),
            None => Self::Unknown(error.to_string()),
        }
    }
}

impl From<TxOutcome> for Mined {
    fn from(outcome: TxOutcome) -> Self {
        Self { hash: outcome.hash, block: outcome.block_number, logs: outcome.logs }
    }
}

/// Typed calls over a node.
#[derive(Clone, Debug)]
pub(crate) struct Chain(pub(crate) Arc<dyn Node>);

impl Chain {
    pub(crate) async fn call<C: SolCall>(
        &self,
        to: Address,
        call: C,
    ) -> Result<C::Return, ChainError> {
        let output = self.0.call(to, call.abi_encode().into()).await?;
        C::abi_decode_returns(&output).map_err(|error| ChainError::Unknown(error.to_string()))
    }

    /// The payer's free deposit.
    pub(crate) async fn free_deposit(&self, payer: Address) -> Result<Amount, ChainError> {
        let units = self.call(CHANNELS, IChannels::depositOfCall { payer }).await?;
        Ok(Amount::from_base_units(units))
    }

    /// A channel; none before it opens.
    pub(crate) async fn channel(
        &self,
        id: ChannelId,
    ) -> Result<Option<IChannels::Channel>, ChainError> {
        match self.call(CHANNELS, IChannels::channelCall { channelId: id.0 }).await {
            Ok(channel) => Ok(Some(channel)),
            Err(ChainError::Refused { name, .. }) if name == "UnknownChannel" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The protocol's fee for channels opened now.
    pub(crate) async fn protocol_fee(&self) -> Result<u16, ChainError> {
        self.call(CHANNELS, IChannels::protocolFeeCall {}).await
    }

    pub(crate) async fn gateway(&self, account: Address) -> Result<IWorkers::Gateway, ChainError> {
        self.call(WORKERS, IWorkers::gatewayCall { account }).await
    }

    pub(crate) async fn worker(&self, account: Address) -> Result<IWorkers::Worker, ChainError> {
        self.call(WORKERS, IWorkers::workerCall { account }).await
    }

    pub(crate) async fn minimum_bond(&self) -> Result<Amount, ChainError> {
        let units = self.call(WORKERS, IWorkers::minimumBondCall {}).await?;
        Ok(Amount::from_base_units(units))
    }

    pub(crate) async fn offer(
        &self,
        worker: Address,
        asset: AssetId,
    ) -> Result<IWorkers::Offer, ChainError> {
        self.call(WORKERS, IWorkers::offerCall { worker, asset: asset.0 }).await
    }

    /// The first workers that serve an asset.
    pub(crate) async fn workers_of(&self, asset: AssetId) -> Result<Vec<Address>, ChainError> {
        const MOST: u64 = 64;
        let start = alloy_primitives::U256::ZERO;
        let count = alloy_primitives::U256::from(MOST);
        let call = IWorkers::workersOfCall { asset: asset.0, start, count };
        Ok(self.call(WORKERS, call).await?.workers)
    }

    pub(crate) async fn asset_count(&self) -> Result<u64, ChainError> {
        self.call(ASSETS, IAssets::assetCountCall {}).await
    }

    pub(crate) async fn asset(&self, asset: AssetId) -> Result<IAssets::Asset, ChainError> {
        self.call(ASSETS, IAssets::assetCall { asset: asset.0 }).await
    }

    pub(crate) async fn owner(&self, asset: AssetId) -> Result<Address, ChainError> {
        self.call(ASSETS, IAssets::ownerOfCall { tokenId: asset.into() }).await
    }

    /// The owners of assets, as far as the node says them now.
    pub(crate) async fn owners(&self, assets: &[AssetId]) -> BTreeMap<AssetId, Address> {
        let call = |asset: &AssetId| {
            let call = IAssets::ownerOfCall { tokenId: (*asset).into() };
            (ASSETS, Bytes::from(call.abi_encode()))
        };
        let answers = self.0.calls(assets.iter().map(call).collect()).await.unwrap_or_default();
        let owner = |answer: Result<Bytes, ChainError>| {
            IAssets::ownerOfCall::abi_decode_returns(&answer.ok()?).ok()
        };
        let owners = assets.iter().zip(answers);
        owners.filter_map(|(asset, answer)| Some((*asset, owner(answer)?))).collect()
    }

    /// What a worker and an asset have collected on a channel.
    pub(crate) async fn earned(
        &self,
        channel: ChannelId,
        asset: AssetId,
        worker: Address,
    ) -> Result<Earned, ChainError> {
        let call = IChannels::earningCall { channelId: channel.0, asset: asset.0, worker };
        let paid = self.call(CHANNELS, call).await?;
        let for_worker = Amount::from_u128(paid.cumulativeWorker);
        Ok(Earned { asset, worker, for_worker, for_asset: Amount::from_u128(paid.cumulativeAsset) })
    }

    /// The day it is on the chain, and what was collected on it under a key grant.
    pub(crate) async fn grant_use(&self, channel: ChannelId) -> Result<(u64, Amount), ChainError> {
        let used = self.call(CHANNELS, IChannels::grantUseCall { channelId: channel.0 }).await?;
        Ok((used.day, Amount::from_u128(used.today.to())))
    }

    /// Opens a channel, or adds to a grant's.
    pub(crate) async fn open(
        &self,
        authority: &Authority,
        amount: u128,
    ) -> Result<Mined, ChainError> {
        let input = match authority {
            Authority::Grant(KeyRow { grant, signature }) => IChannels::openGrantCall {
                grant: grant.clone(),
                signature: signature.clone(),
                amount: U96::saturating_from(amount),
            }
            .abi_encode(),
            Authority::Reservation { reservation, signature } => IChannels::openCall {
                reservation: reservation.clone(),
                signature: signature.clone(),
            }
            .abi_encode(),
        };
        self.0.send(CHANNELS, input.into()).await
    }

    /// Collects, and counts what was used of licences in the same call.
    pub(crate) async fn claim(
        &self,
        claims: Vec<IChannels::Claim>,
        uses: Vec<IChannels::Use>,
    ) -> Result<Mined, ChainError> {
        let input = match uses.is_empty() {
            true => IChannels::claimBatchCall { claims }.abi_encode(),
            false => IChannels::claimAndCountCall { claims, uses }.abi_encode(),
        };
        self.0.send(CHANNELS, input.into()).await
    }
}
