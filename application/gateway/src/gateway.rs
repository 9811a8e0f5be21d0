//! [`Gateway`]: everything that lives as long as the process.

use crate::{
    account::Account,
    catalog::Catalog,
    chain::{Chain, ChainError, Node},
    error::ApiError,
    metrics::Metrics,
    rights::Rights,
    rows::{Authority, KeyRow, list_channel},
    run::Run,
    sign::Owed,
    store::{Store, StoreError, list},
};
use alloy_primitives::{Address, B256};
use parking_lot::{Mutex, RwLock};
use sahara_client::SigningKey;
use sahara_compute::{Clock, GatewayKey};
use sahara_primitives::{
    Amount, BasisPoints, ChannelId, FeeRates, Milliseconds, ReceiptSeq, TokenCount,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

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
    /// How long workers may take.
    pub patience: Patience,
    /// How much of it one payer may take.
    pub bounds: Bounds,
    /// Seconds of a usage log's period, counted from 1970.
    pub log_period: u64,
    /// The time.
    pub clock: Clock,
}

/// How long a gateway waits for workers and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a job is accepted: a worker lets it wait for a place for some seconds, and another
    /// engine behind it may read the prompt first.
    pub accept: Duration,
    /// Until an answer is signed for: an entry in the worker's ledger, on disk.
    pub sign: Duration,
    /// Until a stream's client takes the next token, when it is a window behind; then it has left.
    pub stall: Duration,
    /// Until somebody comes back for a request whose client left before anything was delivered:
    /// stock clients come back within 8 s.
    pub retry: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            accept: Duration::from_secs(30),
            sign: Duration::from_secs(5),
            stall: Duration::from_secs(60),
            retry: Duration::from_secs(10),
        }
    }
}

/// How much of a gateway one payer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Keys and reservations of one payer: each is remembered for good, so that a coin of deposit
    /// does not buy any number of rows.
    pub channels_per_payer: usize,
    /// Requests of one key at a time: more than people and most programs have, and no key takes a
    /// gateway's every place.
    pub parallel: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { channels_per_payer: 1_000, parallel: 64 }
    }
}

/// A usage log for every day, UTC: what people compare, and one registration a day and asset.
const DAY_SECONDS: u64 = 86_400;

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
            patience: Patience::default(),
            bounds: Bounds::default(),
            log_period: DAY_SECONDS,
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
/// Workers close a connection that is idle for 15 s: one that is about to be closed is not used again.
const IDLE_FOR: Duration = Duration::from_secs(10);

/// The connections to workers: none of them may hold up the others by saying nothing.
fn worker_http() -> reqwest::Client {
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .read_timeout(SILENCE)
        .pool_idle_timeout(IDLE_FOR)
        // A worker that sends its gateway elsewhere would have it ask machines that only it reaches.
        .redirect(reqwest::redirect::Policy::none());
    client.build().unwrap_or_default()
}

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) config: GatewayConfig,
    chain: Chain,
    store: Store,
    pub(crate) catalog: Catalog,
    accounts: RwLock<Accounts>,
    pub(crate) keys: RwLock<HashMap<B256, ChannelId>>,
    pub(crate) runs: Mutex<Runs>,
    /// Fees of a channel opened now.
    opening_rates: RwLock<FeeRates>,
    /// Channels with receipts to settle.
    pub(crate) unsettled: Mutex<BTreeSet<ChannelId>>,
    pub(crate) settle: Notify,
    /// Requests that were delivered and not signed for.
    pub(crate) owed: Mutex<BTreeMap<B256, Owed>>,
    /// Workers that did not sign, until when they are not asked again.
    pub(crate) silent: Mutex<HashMap<Address, Instant>>,
    /// Reservations that are not open yet: kept as long as a request holds them.
    unopened: Mutex<HashMap<ChannelId, Weak<Account>>>,
    /// Who may use what, and what licences still hold.
    pub(crate) rights: Rights,
    pub(crate) metrics: Metrics,
}

/// Accounts by channel, and each payer's.
#[derive(Debug, Default)]
struct Accounts {
    by_channel: HashMap<ChannelId, Arc<Account>>,
    by_payer: HashMap<Address, Vec<Arc<Account>>>,
}

impl Accounts {
    /// The account of a channel: the one that is here, or this one from now on.
    fn keep(&mut self, account: &Arc<Account>) -> Arc<Account> {
        if let Some(known) = self.by_channel.get(&account.channel) {
            return Arc::clone(known);
        }
        // Who pays is part of what a channel is made of.
        let payer = account.row().authority.payer();
        self.by_payer.entry(payer).or_default().push(Arc::clone(account));
        self.by_channel.insert(account.channel, Arc::clone(account));
        Arc::clone(account)
    }
}

/// Running answers, by request and by who may join.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) by_id: HashMap<B256, Arc<Run>>,
    /// (owner, body) of the last run.
    pub(crate) twins: HashMap<(B256, B256), B256>,
}

impl Runs {
    /// Running answers of a channel.
    pub(crate) fn of(&self, channel: ChannelId) -> usize {
        self.by_id.values().filter(|run| run.channel == channel).count()
    }
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
            owed: Mutex::default(),
            silent: Mutex::default(),
            unopened: Mutex::default(),
            rights: Rights::default(),
            metrics: Metrics::new(),
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
                self.rights.take_again(&self.uses_of(id, (row.settled_seq, row.next_seq))?);
            }
            self.accounts.write().keep(&Account::new(id, row));
        }
        for (_, row) in list::<KeyRow>(&self.store.keys, &[])? {
            self.keys.write().insert(row.grant.keyId, self.channel_of_key(&row));
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

    /// The account of a channel; a new one for an authority not seen before. A reservation that is
    /// not open is not stored: it leaves nothing behind if it never opens.
    pub(crate) async fn account(
        &self,
        channel: ChannelId,
        authority: Authority,
    ) -> Result<Arc<Account>, ApiError> {
        if let Some(account) = self.known_account(channel) {
            return Ok(account);
        }
        let is_grant = matches!(authority, Authority::Grant(_));
        let account = Account::fresh(channel, authority);
        if let Some(known) = self.chain.channel(channel).await? {
            // Open on chain, and not here: this store was lost.
            tracing::warn!(%channel, "adopted from the chain, whose records are newer");
            account.adopt(&self.store, &known, Vec::new())?;
            account.follow(&self.store, &known)?;
        } else if !is_grant {
            let mut unopened = self.unopened.lock();
            unopened.retain(|_, account| account.strong_count() > 0);
            if let Some(known) = unopened.get(&channel).and_then(Weak::upgrade) {
                return Ok(known);
            }
            unopened.insert(channel, Arc::downgrade(&account));
            return Ok(account);
        }
        Ok(self.keep(&account))
    }

    /// Remembers an account for good; the one that is known if there is one.
    pub(crate) fn keep(&self, account: &Arc<Account>) -> Arc<Account> {
        self.unopened.lock().remove(&account.channel);
        self.accounts.write().keep(account)
    }

    /// Takes over what the chain says about a channel; all of it, if that is more than is known
    /// here. The
    /// chain's next receipt, if the channel is open.
    pub(crate) async fn follow(
        &self,
        account: &Arc<Account>,
    ) -> Result<Option<ReceiptSeq>, ApiError> {
        let Some(known) = self.chain.channel(account.channel).await? else { return Ok(None) };
        account.follow(&self.store, &known)?;
        if known.seq.to::<u32>() > account.row().next_seq.0 {
            let _turn = account.signing.lock().await;
            let mut earned = Vec::new();
            for one in account.row().earned {
                earned.push(self.chain.earned(account.channel, one.asset, one.worker).await?);
            }
            tracing::warn!(channel = %account.channel, "adopted from the chain, whose records are newer");
            account.adopt(&self.store, &known, earned)?;
        }
        Ok(Some(ReceiptSeq(known.seq.to())))
    }

    /// Takes over what the chain has collected today.
    pub(crate) async fn follow_day(&self, account: &Account) -> Result<(), ApiError> {
        if !matches!(account.row().authority, Authority::Grant(_)) {
            return Ok(());
        }
        let day = self.chain.grant_use(account.channel).await?;
        account.update(&self.store, |row| row.day = day)
    }

    pub(crate) fn known_account(&self, channel: ChannelId) -> Option<Arc<Account>> {
        self.accounts.read().by_channel.get(&channel).cloned()
    }

    /// All accounts.
    pub(crate) fn all_accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.read().by_channel.values().cloned().collect()
    }

    /// The accounts that one payer pays.
    pub(crate) fn accounts_of(&self, payer: Address) -> Vec<Arc<Account>> {
        self.accounts.read().by_payer.get(&payer).cloned().unwrap_or_default()
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
