//! [`Worker`]: serves assets to gateways over HTTP.
//!
//! | path | who | what |
//! |---|---|---|
//! | `POST /jobs` | gateway | a job; its events, one JSON line each |
//! | `POST /receipts` | gateway | signatures for a job that was done |
//! | `GET /models` | anyone | the assets served |
//! | `GET /health` | anyone | whether it works, and how busy it is |

mod bonds;
mod jobs;
mod ledger;
mod routes;
#[cfg(test)]
mod tests;

use crate::{Card, Clock, Engine, Input, Message, Problem, ProblemCode, Role};
use alloy_primitives::Address;
pub use bonds::{ChainSilent, WorkerChain};

use bonds::Bonds;
use ledger::Ledger;
use sahara_client::SigningKey;
use sahara_primitives::{AssetId, Milliseconds, Prices, TokenCount};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// What an agent's metadata says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentCard {
    /// Its name.
    pub name: String,
    /// What the model is told before the conversation.
    pub prompt: String,
    /// The model it embeds.
    pub model: AssetId,
}

/// An asset and what answers for it.
#[derive(Clone, Debug)]
pub struct Served {
    /// The asset.
    pub asset: AssetId,
    /// What computes.
    pub engine: Arc<dyn Engine>,
    /// An agent's system prompt.
    pub prompt: Option<String>,
    /// What the worker asks, as it says on chain.
    pub prices: Prices,
}

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The chain that settles.
    pub chain_id: u64,
    /// Signs receipts and earnings; its address is paid.
    pub key: SigningKey,
    /// The gateways it works for.
    pub gateways: BTreeSet<Address>,
    /// Where it remembers what it signed.
    pub data_dir: PathBuf,
    /// The assets.
    pub served: Vec<Served>,
    /// Jobs at a time; as many again, [`QUEUE`] times, wait for a place.
    pub max_jobs: usize,
    /// How long a job waits for a place before it is refused.
    pub max_wait: Duration,
    /// The chain: which gateways could pay, and what was collected.
    pub chain: Arc<dyn WorkerChain>,
    /// Bytes of a job; 4 MiB hold any context there is.
    pub max_body: usize,
    /// The time.
    pub clock: Clock,
}

/// How long a job should wait for a place: people wait some seconds rather than ask again.
pub const PATIENCE: Duration = Duration::from_secs(8);
/// Jobs that may wait, for each that may run: with answers of some seconds, the last of them still
/// has its turn within [`PATIENCE`].
const QUEUE: usize = 4;
/// How long a job is remembered: gateways have its receipt signed as it ends, and give up ten
/// minutes later.
const KEEP_MILLISECONDS: u64 = 86_400_000;
/// How often old jobs are looked for.
const PURGE_EVERY_MILLISECONDS: u64 = 3_600_000;

/// Why a worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ledger is not readable.
    #[error("the worker's ledger cannot be opened: {0}")]
    Ledger(#[from] fjall::Error),
    /// The ledger was written by a later version.
    #[error("the worker's ledger has format {found}, expected at most {supported}")]
    NewerFormat {
        /// The newest format this program reads.
        supported: u64,
        /// The format stored.
        found: u64,
    },
    /// The number of its format is damaged.
    #[error("the worker's ledger has a format that is no number from 1 on")]
    Format,
    /// An agent's prompt does not suit its model.
    #[error("asset {asset} cannot be served: {reason}")]
    Asset {
        /// The asset.
        asset: AssetId,
        /// Why.
        reason: String,
    },
}

/// A worker: assets, their engines, and a ledger.
#[derive(Debug)]
pub struct Worker {
    chain_id: u64,
    key: SigningKey,
    gateways: BTreeSet<Address>,
    served: BTreeMap<AssetId, (Served, Card)>,
    ledger: Ledger,
    places: Arc<Semaphore>,
    queue: Semaphore,
    max_jobs: usize,
    max_wait: Duration,
    bonds: Bonds,
    /// When old jobs were last forgotten.
    purged: AtomicU64,
    max_body: usize,
    clock: Clock,
}

impl Worker {
    /// Opens the ledger and measures the assets.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn new(config: WorkerConfig) -> Result<Arc<Self>, StartError> {
        let mut served = BTreeMap::new();
        for one in config.served {
            let card = card(&one)?;
            served.insert(one.asset, (one, card));
        }
        Ok(Arc::new(Self {
            chain_id: config.chain_id,
            key: config.key,
            gateways: config.gateways,
            served,
            ledger: Ledger::open(&config.data_dir.join("ledger"))?,
            places: Arc::new(Semaphore::new(config.max_jobs)),
            queue: Semaphore::new(config.max_jobs.saturating_mul(QUEUE)),
            max_jobs: config.max_jobs,
            max_wait: config.max_wait,
            bonds: Bonds::new(config.chain),
            purged: AtomicU64::new(0),
            max_body: config.max_body,
            clock: config.clock,
        }))
    }

    /// The assets served.
    pub fn cards(&self) -> Vec<Card> {
        self.served.values().map(|(_, card)| card.clone()).collect()
    }

    /// Forgets jobs of which no signature will be asked any more; at most once an hour.
    fn purge(self: &Arc<Self>) {
        let now = self.clock.now().0;
        let last = self.purged.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(last) >= PURGE_EVERY_MILLISECONDS;
        let claim =
            || self.purged.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if !is_due || claim().is_err() {
            return;
        }
        let worker = Arc::clone(self);
        drop(tokio::task::spawn_blocking(move || {
            let before = Milliseconds(now.saturating_sub(KEEP_MILLISECONDS));
            if let Err(error) = worker.ledger.purge(before) {
                tracing::error!(%error, "old jobs were not removed");
            }
        }));
    }

    fn served(&self, asset: AssetId) -> Result<&(Served, Card), Problem> {
        self.served.get(&asset).ok_or_else(|| {
            Problem::new(ProblemCode::UnknownAsset, format!("asset {asset} is not served here"))
        })
    }
}

fn card(one: &Served) -> Result<Card, StartError> {
    let engine = one.engine.card();
    let empty = Message { role: Role::User, content: String::new() };
    let overhead_tokens = one
        .engine
        .prompt_tokens(&one.complete(Input::Chat(vec![empty])))
        .or_else(|error| if one.prompt.is_some() { Err(error) } else { Ok(0) })
        .map_err(|error| StartError::Asset { asset: one.asset, reason: error.to_string() })?;
    if overhead_tokens >= engine.context_length {
        let reason = format!("its prompt has {overhead_tokens} tokens, the whole context");
        return Err(StartError::Asset { asset: one.asset, reason });
    }
    Ok(Card {
        asset: one.asset,
        class: engine.class,
        model_root: engine.model_root,
        context_length: engine.context_length,
        overhead_tokens: TokenCount::max(overhead_tokens, 1),
        prices: one.prices,
    })
}

impl Served {
    /// The input with an agent's prompt before it.
    fn complete(&self, input: Input) -> Input {
        let Some(prompt) = &self.prompt else { return input };
        let mut messages = vec![Message { role: Role::System, content: prompt.clone() }];
        match input {
            Input::Chat(said) => messages.extend(said),
            Input::Text(text) => messages.push(Message { role: Role::User, content: text }),
        }
        Input::Chat(messages)
    }
}
