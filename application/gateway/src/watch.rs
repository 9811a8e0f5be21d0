//! Watching final blocks: prices, workers, and payers who want their money back.

use crate::{chain::ChainError, error::ApiError, gateway::Gateway};
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ASSETS, CHANNELS, DISPUTES, IAssets, IChannels, IDisputes, ILicenses, IWorkers, LICENSES,
    WORKERS,
};
use sahara_client::Log;
use sahara_primitives::{AssetId, ChannelId};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How old the prices may be that a request is fixed to, and a closing that it misses: a fifth of a
/// heartbeat, at five small calls a second.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks between purges of old answers and requests, about an hour.
const LOOKS_PER_PURGE: u64 = 18_000;

/// Blocks whose news are read one by one; who was away for longer reads everything anew.
const MOST_BEHIND: u64 = 10_000;

/// What blocks call for.
#[derive(Debug, Default)]
struct News {
    assets: BTreeSet<AssetId>,
    channels: BTreeSet<ChannelId>,
    /// Who said something on chain, and so is there.
    workers: BTreeSet<Address>,
    is_everything_stale: bool,
}

impl Gateway {
    /// Settles, has owed answers signed, follows the chain and closes usage logs; runs as long as the gateway does.
    pub async fn work(self: Arc<Self>) {
        tokio::join!(
            self.settle_loop(),
            self.owed_loop(),
            self.watch_loop(),
            self.catalog.ask_loop(),
            self.log_loop()
        );
    }

    /// Reads everything that is served now. [`Self::work`] does so too; a caller that wants to
    /// announce a gateway that answers calls it first.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn refresh(&self) -> Result<(), ChainError> {
        self.read_all().await?;
        self.catalog.ask_due().await;
        Ok(())
    }

    async fn read_all(&self) -> Result<(), ChainError> {
        let count = self.chain().asset_count().await?;
        self.catalog.read(self.chain(), &(1..=count).map(AssetId).collect()).await?;
        self.catalog.was_read();
        Ok(())
    }

    async fn watch_loop(&self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        let mut count: u64 = 0;
        loop {
            looks.tick().await;
            count = count.wrapping_add(1);
            match self.look(seen).await {
                Ok(head) => seen = Some(head),
                Err(error) => tracing::warn!(%error, "the chain cannot be followed"),
            }
            if count.is_multiple_of(LOOKS_PER_PURGE)
                && let Err(error) = self.purge()
            {
                tracing::error!(%error, "old requests were not removed");
            }
        }
    }

    /// Takes over the news since a block; everything at first, and after a long silence of the node.
    pub(crate) async fn look(&self, seen: Option<u64>) -> Result<u64, ApiError> {
        let head = self.chain().0.head().await?;
        let near = seen.filter(|seen| head.saturating_sub(*seen) <= MOST_BEHIND);
        let Some(seen) = near else {
            self.rights.forget();
            for account in self.all_accounts() {
                if self.follow(&account).await?.is_some() {
                    self.follow_day(&account).await?;
                }
            }
            self.read_all().await?;
            return Ok(head);
        };
        if head <= seen {
            return Ok(seen);
        }
        self.rights.forget();
        let accounts = vec![ASSETS, CHANNELS, DISPUTES, LICENSES, WORKERS];
        let logs = self.chain().0.logs((seen.saturating_add(1), head), accounts, None).await?;
        let mut news = News::default();
        logs.iter().for_each(|log| news.read(log));
        self.catalog.forgive(&news.workers);
        if news.is_everything_stale {
            self.read_all().await?;
        } else if !news.assets.is_empty() {
            self.catalog.read(self.chain(), &news.assets).await?;
        }
        for account in news.channels.into_iter().filter_map(|one| self.known_account(one)) {
            self.follow(&account).await?;
        }
        Ok(head)
    }
}

impl News {
    fn read(&mut self, log: &Log) {
        let log = &log.inner;
        if log.address == CHANNELS {
            if let Ok(event) = IChannels::CloseRequested::decode_log(log) {
                self.channels.insert(ChannelId(event.channelId));
            } else if let Ok(event) = IChannels::Closed::decode_log(log) {
                self.channels.insert(ChannelId(event.channelId));
            }
        } else if let Ok(event) = IAssets::PricesChanged::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
        } else if let Ok(event) = IAssets::Sealed::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
        } else if let Ok(event) = ILicenses::Offered::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
        } else if let Ok(event) = ILicenses::OfferWithdrawn::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
        } else if let Ok(event) = IDisputes::Corrected::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
        } else if let Ok(event) = IWorkers::Served::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
            self.workers.insert(event.worker);
        } else if let Ok(event) = IWorkers::Unserved::decode_log(log) {
            self.assets.insert(AssetId(event.asset));
        } else if log.address == WORKERS {
            if let Ok(event) = IWorkers::WorkerRegistered::decode_log(log) {
                self.workers.insert(event.worker);
            }
            self.is_everything_stale = true;
        }
    }
}
