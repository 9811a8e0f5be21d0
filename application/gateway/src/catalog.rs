//! [`Catalog`]: what is served, by whom, at which prices, as of the last final block seen.

use crate::{
    chain::{Chain, ChainError},
    licensing::Licensing,
};
use alloy_primitives::Address;
use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use sahara_abi::IAssets;
use sahara_compute::{Card, GatewayKey, WorkerClient};
use sahara_primitives::{AssetId, Price, Prices};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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
    /// Assets with a worker on chain that did not answer.
    unreachable: Mutex<BTreeSet<AssetId>>,
}

impl Catalog {
    pub(crate) fn new(http: reqwest::Client, key: GatewayKey) -> Self {
        Self { http, key, models: ArcSwap::default(), unreachable: Mutex::default() }
    }

    /// All models, oldest first.
    pub(crate) fn models(&self) -> Vec<Arc<Model>> {
        self.models.load().values().cloned().collect()
    }

    /// The model with this name or asset number. Of equal names the oldest asset has it, the
    /// others are called `name-<asset>`: nobody takes over a name by registering it again.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Model>> {
        let models = self.models.load();
        let by_name = models.values().find(|model| model.name == name);
        let by_number = || models.get(&AssetId(name.trim_start_matches('#').parse().ok()?));
        by_name.or_else(by_number).cloned()
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
        let worker = chain.worker(address).await?;
        Ok(WorkerClient::new(self.http.clone(), self.key.clone(), &worker.endpoint, address))
    }

    /// Reads these assets again. Only a block's events call for it, so a request costs no call.
    pub(crate) async fn refresh(
        &self,
        chain: &Chain,
        assets: BTreeSet<AssetId>,
    ) -> Result<(), ChainError> {
        let mut cards = BTreeMap::new();
        let mut changed = Vec::new();
        for asset in assets {
            changed.push((asset, self.read(chain, asset, &mut cards).await?));
        }
        let mut models: BTreeMap<_, _> = BTreeMap::clone(&self.models.load());
        for (asset, model) in changed {
            models.remove(&asset);
            if let Some(model) = model {
                models.insert(asset, Arc::new(model));
            }
        }
        self.models.store(Arc::new(named(models)));
        Ok(())
    }

    /// Asks the workers again that did not answer, or not yet for what they offer on chain.
    pub(crate) async fn retry_unreachable(&self, chain: &Chain) -> Result<(), ChainError> {
        let assets = std::mem::take(&mut *self.unreachable.lock());
        if assets.is_empty() { Ok(()) } else { self.refresh(chain, assets).await }
    }

    async fn read(
        &self,
        chain: &Chain,
        asset: AssetId,
        cards: &mut BTreeMap<Address, Vec<Card>>,
    ) -> Result<Option<Model>, ChainError> {
        let mut offers = Vec::new();
        for address in chain.workers_of(asset).await? {
            let offer = chain.offer(address, asset).await?;
            if !offer.isServed {
                continue;
            }
            let worker = self.worker_on_chain(chain, address).await?;
            if let std::collections::btree_map::Entry::Vacant(place) = cards.entry(address) {
                match worker.cards().await {
                    Ok(served) => place.insert(served),
                    Err(error) => {
                        tracing::debug!(%error, %address, "a worker on chain does not answer");
                        self.unreachable.lock().insert(asset);
                        continue;
                    }
                };
            }
            let served = cards.get(&address).into_iter().flatten();
            let Some(card) = served.into_iter().find(|card| card.asset == asset) else {
                // It says on chain that it will; a worker that has just said so is still starting.
                self.unreachable.lock().insert(asset);
                continue;
            };
            let prices = prices(offer.inputPrice, offer.outputPrice);
            offers.push(Offer { worker, prices, card: card.clone() });
        }
        if offers.is_empty() {
            return Ok(None);
        }
        offers
            .sort_by_key(|offer| (offer.prices.output, offer.prices.input, offer.worker.address()));
        let registered = chain.asset(asset).await?;
        // Such an asset earns nothing yet: a claim for it would be refused.
        if !registered.isSealed {
            return Ok(None);
        }
        Ok(Some(Model {
            name: name(&registered.metadataURI).unwrap_or_else(|| format!("asset-{asset}")),
            asset,
            kind: registered.kind,
            prices: prices(registered.inputPrice, registered.outputPrice),
            creator: registered.creator,
            registered_at: registered.registeredAt,
            licensing: chain.licensing(asset).await?,
            offers,
        }))
    }
}

const fn prices(input: u128, output: u128) -> Prices {
    Prices { input: Price(input), output: Price(output) }
}

/// Gives every name to its oldest asset.
fn named(models: BTreeMap<AssetId, Arc<Model>>) -> BTreeMap<AssetId, Arc<Model>> {
    let mut taken = BTreeSet::new();
    let unique = |(asset, model): (AssetId, Arc<Model>)| {
        if taken.insert(model.name.clone()) {
            return (asset, model);
        }
        let name = format!("{}-{asset}", model.name);
        taken.insert(name.clone());
        (asset, Arc::new(Model { name, ..Model::clone(&model) }))
    };
    models.into_iter().map(unique).collect()
}

/// The name in an asset's metadata, written as model ids are: `SmolLM2 135M` is `smollm2-135m`.
fn name(uri: &str) -> Option<String> {
    let metadata = metadata(uri)?;
    let name = metadata.get("name")?.as_str()?;
    let letter = |letter: char| {
        if letter.is_alphanumeric() || "._:/-".contains(letter) { letter } else { '-' }
    };
    let name: String = name.trim().to_lowercase().chars().take(80).map(letter).collect();
    (!name.is_empty()).then_some(name)
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
