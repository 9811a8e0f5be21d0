//! [`Gateway`]: everything that lives as long as the process.

use crate::{
    account::Account,
    catalog::Catalog,
    chain::{Chain, ChainError, Node},
    error::ApiError,
    rows::{Authority, ChannelRow, KeyRow, list_channel},
    run::Run,
    store::{Store, StoreError, get, list, put},
};
use alloy_primitives::{Address, B256};
use parking_lot::{Mutex, RwLock};
use sahara_client::SigningKey;
use sahara_compute::{Clock, GatewayKey};
use sahara_primitives::{Amount, BasisPoints, ChannelId, FeeRates, Milliseconds, TokenCount};
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

/// How a gateway works.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// The chain that settles.
    pub chain_id: u64,
    /// Signs receipts, job tokens and transactions; its address is the channels' gateway.
    pub key: SigningKey,
    /// Where it remembers.
    pub data_dir: PathBuf,
    /// What clients call it, as `http://127.0.0.1:8080`; stands in every request's hash.
    pub url: String,
    /// Host names it answers to, besides those of loopback.
    pub hosts: Vec<String>,
    /// Set aside in one go under a key, if the payer has it: 0.1 SAHARA saves an opening for most
    /// requests, and is all that waits with one gateway.
    pub headroom: Amount,
    /// Bytes of a request.
    pub max_body: usize,
    /// Tokens of an answer when the client names no limit and the context has them.
    pub default_max_tokens: TokenCount,
    /// Thousandths; when the client names none.
    pub default_temperature_milli: u32,
    /// The time.
    pub clock: Clock,
}

impl GatewayConfig {
    /// The defaults, for a gateway on this machine.
    pub fn local(key: SigningKey, data_dir: PathBuf, url: String) -> Self {
        Self {
            chain_id: sahara_primitives::LOCAL_CHAIN_ID,
            key,
            data_dir,
            url,
            hosts: Vec::new(),
            headroom: Amount::from_u128(100_000_000_000_000_000),
            max_body: 4 << 20,
            default_max_tokens: 512,
            default_temperature_milli: 0,
            clock: Clock::system(),
        }
    }
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A row of the store does not decode, or an unfinished request cannot be charged.
    #[error("the gateway's store is damaged: {0}")]
    Damaged(String),
}

impl From<ApiError> for StartError {
    fn from(error: ApiError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A worker that says nothing for this long is gone: longer than any prompt takes to be read.
const SILENCE: Duration = Duration::from_secs(120);
/// Workers listen, or they do not.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The connections to workers: none of them may hold up the others by saying nothing.
fn worker_http() -> reqwest::Client {
    let client = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).read_timeout(SILENCE);
    client.build().unwrap_or_default()
}

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) config: GatewayConfig,
    chain: Chain,
    store: Store,
    pub(crate) catalog: Catalog,
    accounts: RwLock<HashMap<ChannelId, Arc<Account>>>,
    keys: RwLock<HashMap<B256, ChannelId>>,
    pub(crate) runs: Mutex<Runs>,
    /// Fees of a channel opened now.
    opening_rates: RwLock<FeeRates>,
    /// Channels with receipts to settle.
    pub(crate) unsettled: Mutex<BTreeSet<ChannelId>>,
    pub(crate) settle: Notify,
}

/// Running answers, by request and by who may join.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) by_id: HashMap<B256, Arc<Run>>,
    /// (owner, body) of the last run.
    pub(crate) twins: HashMap<(B256, B256), B256>,
}

impl Gateway {
    /// Opens the store, charges what was delivered before a kill, and reads the chain.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(config: GatewayConfig, node: Arc<dyn Node>) -> Result<Arc<Self>, StartError> {
        let store = Store::open(&config.data_dir)?;
        let key = GatewayKey(config.key.clone());
        let gateway = Arc::new(Self {
            chain: Chain(node),
            catalog: Catalog::new(worker_http(), key),
            accounts: RwLock::default(),
            keys: RwLock::default(),
            runs: Mutex::default(),
            opening_rates: RwLock::default(),
            unsettled: Mutex::default(),
            settle: Notify::new(),
            store,
            config,
        });
        gateway.load()?;
        gateway.recover()?;
        gateway.read_fees().await?;
        Ok(gateway)
    }

    fn load(&self) -> Result<(), ApiError> {
        for (id, row) in list_channel(&self.store)? {
            if row.settled_seq < row.next_seq {
                self.unsettled.lock().insert(id);
            }
            self.accounts.write().insert(id, Account::new(id, row));
        }
        for (_, row) in list::<KeyRow>(&self.store.keys, &[])? {
            self.remember_key(&row);
        }
        Ok(())
    }

    async fn read_fees(&self) -> Result<(), ChainError> {
        let own = self.chain.gateway(self.address()).await?;
        let protocol = self.chain.protocol_fee().await?;
        let points = |points| BasisPoints::new(points).unwrap_or(BasisPoints::ONE);
        *self.opening_rates.write() =
            FeeRates { protocol: points(protocol), gateway: points(own.fee) };
        Ok(())
    }

    /// Its account.
    pub const fn address(&self) -> Address {
        self.config.key.address()
    }

    pub(crate) const fn chain_id(&self) -> u64 {
        self.config.chain_id
    }

    pub(crate) const fn chain(&self) -> &Chain {
        &self.chain
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> Milliseconds {
        self.config.clock.now()
    }

    /// Fees of a channel that would be opened now.
    pub(crate) fn opening_rates(&self) -> FeeRates {
        *self.opening_rates.read()
    }

    /// The account of a channel; a new one for an authority not seen before.
    pub(crate) fn account(
        &self,
        channel: ChannelId,
        authority: Authority,
    ) -> Result<Arc<Account>, ApiError> {
        if let Some(account) = self.known_account(channel) {
            return Ok(account);
        }
        let mut accounts = self.accounts.write();
        if let Some(account) = accounts.get(&channel) {
            return Ok(Arc::clone(account));
        }
        let account = match get::<ChannelRow>(&self.store.channels, channel.0.as_slice())? {
            Some(row) => Account::new(channel, row),
            None => Account::fresh(channel, authority),
        };
        put(&self.store.channels, channel.0.as_slice(), &account.row())?;
        accounts.insert(channel, Arc::clone(&account));
        Ok(account)
    }

    pub(crate) fn known_account(&self, channel: ChannelId) -> Option<Arc<Account>> {
        self.accounts.read().get(&channel).cloned()
    }

    /// All accounts.
    pub(crate) fn all_accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.read().values().cloned().collect()
    }

    pub(crate) fn remember_key(&self, row: &KeyRow) {
        let channel = sahara_abi::signing::grant_channel(self.chain_id(), &row.grant);
        self.keys.write().insert(row.grant.keyId, ChannelId(channel));
    }

    /// The account behind an API key.
    pub(crate) fn account_of_key(&self, secret: &str) -> Option<Arc<Account>> {
        let channel = *self.keys.read().get(&crate::keys::key_id(secret))?;
        self.known_account(channel)
    }

    /// A receipt was written: its channel is to be settled.
    pub(crate) fn wants_settlement(&self, channel: ChannelId) {
        self.unsettled.lock().insert(channel);
        self.settle.notify_one();
    }
}
