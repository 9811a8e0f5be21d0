//! [`Catalog`]: what is served, by whom, at which prices, as of the last final block seen.
//!
//! What the chain says is read from the gateway's own node, in the loop that follows it. What workers
//! say of themselves is asked beside, of many at a time, of each once however many assets it offers, and
//! of one that does not answer less and less often: none of them holds up another's prices or models.

use crate::{
    chain::{Chain, ChainError},
    heard::{Heard, Listed, Source},
    licensing::Licensing,
    names::{self, Names},
};
use alloy_primitives::Address;
use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{
    StreamExt,
    stream::{self, FuturesUnordered},
};
use parking_lot::Mutex;
use sahara_abi::IAssets;
use sahara_compute::{Card, GatewayKey, WorkerClient};
use sahara_primitives::{AssetId, Price, Prices};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval},
};

/// Workers that are asked at a time: each may take two seconds and a mebibyte.
const MOST_ASKED: usize = 16;
/// How late somebody whose time has come may be asked.
const LATE: Duration = Duration::from_millis(200);

/// One worker's offer of a model.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) worker: WorkerClient,
    pub(crate) prices: Prices,
    pub(crate) card: Card,
}

/// A model or agent that somebody serves.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) asset: AssetId,
    pub(crate) kind: IAssets::Kind,
    pub(crate) prices: Prices,
    pub(crate) creator: Address,
    pub(crate) registered_at: u64,
    pub(crate) licensing: Licensing,
    /// Cheapest output first; equal prices by address.
    pub(crate) offers: Vec<Offer>,
}

/// Everything served.
#[derive(Debug)]
pub(crate) struct Catalog {
    http: reqwest::Client,
    key: GatewayKey,
    models: ArcSwap<BTreeMap<AssetId, Arc<Model>>>,
    known: Mutex<Known>,
    /// Somebody is to be asked.
    news: Notify,
}

/// What models are made from.
#[derive(Debug, Default)]
struct Known {
    listed: BTreeMap<AssetId, Listed>,
    heard: Heard,
    names: Names,
    /// Everything on chain was read, and after that everybody was heard, once since the start.
    is_read: bool,
    is_whole: bool,
}

impl Catalog {
    pub(crate) fn new(http: reqwest::Client, key: GatewayKey) -> Self {
        Self { http, key, models: ArcSwap::default(), known: Mutex::default(), news: Notify::new() }
    }

    /// Everything on chain has been read.
    pub(crate) fn was_read(&self) {
        self.known.lock().is_read = true;
    }

    /// Whether what is not here is served by nobody. Just after the start it may be that its workers were not
    /// asked yet.
    pub(crate) fn is_whole(&self) -> bool {
        let mut known = self.known.lock();
        known.is_whole |= known.is_read && known.heard.is_everybody_heard();
        known.is_whole
    }

    /// All models, oldest first.
    pub(crate) fn models(&self) -> Vec<Arc<Model>> {
        self.models.load().values().cloned().collect()
    }

    /// The model with this asset number or name; see [`Names`] for who has which.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Model>> {
        let models = self.models.load();
        let number = name.trim_start_matches('#');
        if names::is_number(number) {
            return models.get(&AssetId(number.parse().ok()?)).cloned();
        }
        models.values().find(|model| model.name == name).cloned()
    }

    /// A worker by address, as any of its offers knows it.
    pub(crate) fn worker(&self, address: Address) -> Option<WorkerClient> {
        let models = self.models.load();
        let mut offers = models.values().flat_map(|model| &model.offers);
        offers.find(|offer| offer.worker.address() == address).map(|offer| offer.worker.clone())
    }

    /// A worker where the chain says it is.
    pub(crate) async fn worker_on_chain(
        &self,
        chain: &Chain,
        address: Address,
    ) -> Result<WorkerClient, ChainError> {
        Ok(self.client(address, &chain.worker(address).await?.endpoint))
    }

    fn client(&self, address: Address, endpoint: &str) -> WorkerClient {
        WorkerClient::new(self.http.clone(), self.key.clone(), endpoint, address)
    }

    /// Reads from the chain what it says about these assets, and has their workers asked. Only a block's
    /// events call for it, so a request costs no call.
    pub(crate) async fn read(
        &self,
        chain: &Chain,
        assets: &BTreeSet<AssetId>,
    ) -> Result<(), ChainError> {
        let done = self.read_each(chain, assets).await;
        let mut known = self.known.lock();
        let Known { listed, heard, .. } = &mut *known;
        heard.keep_only(
            listed.values().flat_map(|one| one.offers.iter().map(|(worker, _)| *worker)),
        );
        self.publish(&mut known, assets);
        self.news.notify_one();
        done
    }

    async fn read_each(&self, chain: &Chain, assets: &BTreeSet<AssetId>) -> Result<(), ChainError> {
        let mut endpoints = BTreeMap::new();
        for asset in assets {
            let listed = self.list(chain, *asset, &mut endpoints).await?;
            let mut known = self.known.lock();
            for (worker, _) in &listed.offers {
                let endpoint = endpoints.get(worker).map(String::as_str).unwrap_or_default();
                known.heard.expect(*worker, endpoint, Instant::now());
            }
            if listed.offers.is_empty() {
                known.listed.remove(asset);
            } else {
                known.listed.insert(*asset, listed);
            }
        }
        Ok(())
    }

    /// An asset as the chain has it; its name is remembered.
    async fn list(
        &self,
        chain: &Chain,
        asset: AssetId,
        endpoints: &mut BTreeMap<Address, String>,
    ) -> Result<Listed, ChainError> {
        let mut offers = Vec::new();
        for address in chain.workers_of(asset).await? {
            let offer = chain.offer(address, asset).await?;
            if !offer.isServed {
                continue;
            }
            if let Entry::Vacant(place) = endpoints.entry(address) {
                place.insert(chain.worker(address).await?.endpoint);
            }
            offers.push((address, prices(offer.inputPrice, offer.outputPrice)));
        }
        if offers.is_empty() && self.known.lock().names.knows(asset) {
            return Ok(Listed::default());
        }
        let registered = chain.asset(asset).await?;
        // Such an asset earns nothing yet: a claim for it would be refused.
        if !registered.isSealed {
            return Ok(Listed::default());
        }
        let name = names::name(registered.kind, &registered.metadataURI);
        self.known.lock().names.learn(asset, name, registered.creator);
        if offers.is_empty() {
            return Ok(Listed::default());
        }
        offers.sort_by_key(|(worker, prices)| (prices.output, prices.input, *worker));
        let model = Model {
            name: String::new(),
            asset,
            kind: registered.kind,
            prices: prices(registered.inputPrice, registered.outputPrice),
            creator: registered.creator,
            registered_at: registered.registeredAt,
            licensing: chain.licensing(asset).await?,
            offers: Vec::new(),
        };
        Ok(Listed { model: Some(model), offers })
    }

    /// Asks workers whose time has come, as long as the gateway lives.
    pub(crate) async fn ask_loop(&self) {
        let (mut asked, mut looks) = (FuturesUnordered::new(), interval(LATE));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let free = MOST_ASKED.saturating_sub(asked.len());
            let due = self.known.lock().heard.due(Instant::now(), free);
            asked.extend(due.into_iter().map(|one| self.ask(one)));
            tokio::select! {
                Some(()) = asked.next(), if !asked.is_empty() => {}
                () = self.news.notified() => {}
                _ = looks.tick() => {}
            }
        }
    }

    /// Asks every worker whose time has come, once.
    pub(crate) async fn ask_due(&self) {
        let due = self.known.lock().heard.due(Instant::now(), usize::MAX);
        stream::iter(due).for_each_concurrent(MOST_ASKED, |one| self.ask(one)).await;
    }

    /// These workers have something new to say: whoever did not answer is asked again now.
    pub(crate) fn forgive(&self, workers: &BTreeSet<Address>) {
        let mut known = self.known.lock();
        workers.iter().for_each(|worker| known.heard.forgive(*worker, Instant::now()));
    }

    async fn ask(&self, source: Source) {
        let answer = self.client(source.worker, &source.endpoint).cards().await;
        let mut known = self.known.lock();
        let Known { listed, heard, .. } = &mut *known;
        let offers = |one: &Listed| one.offers.iter().any(|(worker, _)| *worker == source.worker);
        let offered = listed.iter().filter(|(_, one)| offers(one)).map(|(asset, _)| *asset);
        let offered: BTreeSet<AssetId> = offered.collect();
        if let Err(error) = &answer {
            tracing::debug!(%error, worker = %source.worker, "a worker on chain does not answer");
        }
        heard.hear(&source, &offered, (answer.ok(), Instant::now()));
        self.publish(&mut known, &offered);
    }

    /// Shows these assets as they are known now, to the requests that come.
    fn publish(&self, known: &mut Known, assets: &BTreeSet<AssetId>) {
        let mut models = BTreeMap::clone(&self.models.load());
        for asset in assets {
            match self.model(known, *asset) {
                Some(model) => models.insert(*asset, Arc::new(model)),
                None => models.remove(asset),
            };
        }
        let mut served = known.names.give();
        let named = |(asset, model): (AssetId, Arc<Model>)| {
            let name = served.next(asset);
            let is_called_so = model.name == name;
            let renamed = || Arc::new(Model { name, ..Model::clone(&model) });
            (asset, if is_called_so { Arc::clone(&model) } else { renamed() })
        };
        self.models.store(Arc::new(models.into_iter().map(named).collect()));
    }

    /// An asset with the offers of workers that say they serve it.
    fn model(&self, known: &Known, asset: AssetId) -> Option<Model> {
        let listed = known.listed.get(&asset)?;
        let offer = |(address, prices): &(Address, Prices)| {
            let (endpoint, card) = known.heard.card(*address, asset)?;
            let worker = self.client(*address, endpoint);
            Some(Offer { worker, prices: *prices, card: card.clone() })
        };
        let offers: Vec<Offer> = listed.offers.iter().filter_map(offer).collect();
        let model = listed.model.as_ref().filter(|_| !offers.is_empty())?;
        Some(Model { offers, ..model.clone() })
    }
}

const fn prices(input: u128, output: u128) -> Prices {
    Prices { input: Price(input), output: Price(output) }
}

/// The JSON behind a `data:` URI.
pub(crate) fn metadata(uri: &str) -> Option<Value> {
    let (kind, data) = uri.strip_prefix("data:")?.split_once(',')?;
    let bytes =
        if kind.ends_with(";base64") { STANDARD.decode(data).ok()? } else { percent_decoded(data) };
    serde_json::from_slice(&bytes).ok()
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let byte = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    bytes
}
