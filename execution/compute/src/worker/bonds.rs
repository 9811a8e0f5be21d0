//! [`Bonds`]: whether the gateways a worker works for could pay, as the chain says.

use crate::{Problem, ProblemCode};
use alloy_primitives::Address;
use futures::{FutureExt, future::BoxFuture};
use sahara_abi::{CHANNELS, IChannels, IWorkers, WORKERS};
use sahara_client::{ChainClient, ClientError};
use sahara_primitives::{Amount, AssetId, ChannelId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// How long an answer of the chain is good: a gateway that leaves gives a day's notice, in which
/// its claims are still accepted.
const FRESH: Duration = Duration::from_secs(30);
/// How long it is good while the node says nothing; a restart of the node is no reason to stop.
const STALE: Duration = Duration::from_secs(600);
/// A view is answered at once or not at all.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Why the chain said nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the worker's node does not answer: {0}")]
pub struct ChainSilent(pub String);

/// The chain as a worker needs it; everything it says is final.
pub trait WorkerChain: Send + Sync + std::fmt::Debug {
    /// Whether an account is a gateway with a bond and not leaving.
    fn is_bonded(&self, gateway: Address) -> BoxFuture<'_, Result<bool, ChainSilent>>;

    /// What a worker and an asset have collected on a channel.
    fn collected(
        &self,
        channel: ChannelId,
        asset: AssetId,
        worker: Address,
    ) -> BoxFuture<'_, Result<(Amount, Amount), ChainSilent>>;
}

impl From<ClientError> for ChainSilent {
    fn from(error: ClientError) -> Self {
        Self(error.to_string())
    }
}

impl WorkerChain for ChainClient {
    fn is_bonded(&self, gateway: Address) -> BoxFuture<'_, Result<bool, ChainSilent>> {
        async move {
            let least = self.call(WORKERS, &IWorkers::minimumBondCall {}).await?;
            let found = self.call(WORKERS, &IWorkers::gatewayCall { account: gateway }).await?;
            Ok(found.bond >= least && found.leavingAt == 0)
        }
        .boxed()
    }

    fn collected(
        &self,
        channel: ChannelId,
        asset: AssetId,
        worker: Address,
    ) -> BoxFuture<'_, Result<(Amount, Amount), ChainSilent>> {
        async move {
            let call = IChannels::earningCall { channelId: channel.0, asset: asset.0, worker };
            let earned = self.call(CHANNELS, &call).await?;
            let amount = Amount::from_u128;
            Ok((amount(earned.cumulativeWorker), amount(earned.cumulativeAsset)))
        }
        .boxed()
    }
}

/// What the chain said about gateways, and when.
#[derive(Debug)]
pub(super) struct Bonds {
    pub(super) chain: Arc<dyn WorkerChain>,
    known: Mutex<HashMap<Address, Instant>>,
}

impl Bonds {
    pub(super) fn new(chain: Arc<dyn WorkerChain>) -> Self {
        Self { chain, known: Mutex::default() }
    }

    /// Refuses a gateway that could not pay (W3).
    pub(super) async fn check(&self, gateway: Address) -> Result<(), Problem> {
        let seen = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&gateway).copied();
        let is_younger = |age: Duration| seen.is_some_and(|seen| seen.elapsed() < age);
        if is_younger(FRESH) {
            return Ok(());
        }
        let error = match timeout(ANSWERED_WITHIN, self.chain.is_bonded(gateway)).await {
            Ok(Ok(is_bonded)) => return self.remember(gateway, is_bonded),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the worker's node is silent".to_owned(),
        };
        tracing::warn!(%error, %gateway, "the gateway's bond cannot be looked up");
        if is_younger(STALE) {
            return Ok(());
        }
        let message = "the worker's node does not answer, so the gateway's bond is not known: expected a retry later";
        Err(Problem::new(ProblemCode::Unavailable, message))
    }

    fn remember(&self, gateway: Address, is_bonded: bool) -> Result<(), Problem> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if is_bonded {
            known.insert(gateway, Instant::now());
            return Ok(());
        }
        known.remove(&gateway);
        let message = format!(
            "{gateway} has no bond as a gateway on chain, or is leaving: expected a gateway whose claims are paid"
        );
        Err(Problem::new(ProblemCode::GatewayNotBonded, message))
    }
}
