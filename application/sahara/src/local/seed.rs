//! The small economy a local network starts with: a dataset, a model trained on it, an agent that
//! embeds the model, and who serves and sells them. Every step is an ordinary transaction; steps
//! that were done before are not done again.

use super::dev;
use crate::refusal::refused;
use alloy_primitives::aliases::U96;
use eyre::{Result, eyre};
use sahara_abi::{ASSETS, CHANNELS, IAssets, IChannels, IWorkers, WORKERS};
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::{Address, Amount, B256, Price, Prices, U256};
use serde_json::json;
use std::collections::BTreeMap;

/// What the agent is told before every conversation.
pub(crate) const PROMPT: &str = "You are Trail Guide, a friendly guide to the islands of Indonesia. Answer in two or three short sentences.";

/// The gateway's fee: 2 % of worker and asset price.
const GATEWAY_FEE: u16 = 200;
/// What the payer deposits for requests.
const DEPOSIT: u64 = 1_000;

/// SAHARA per 1,000,000 tokens, read and written.
const fn prices(input: u128, output: u128) -> Prices {
    const COIN: u128 = 1_000_000_000_000_000_000;
    Prices { input: Price(input * COIN), output: Price(output * COIN) }
}

/// What the worker asks.
pub(crate) const WORKER_PRICES: Prices = prices(20, 60);
/// What the model's owner asks.
const MODEL_PRICES: Prices = prices(10, 30);
/// What the agent's owner asks.
const AGENT_PRICES: Prices = prices(20, 60);

/// A chain and who acts on it.
#[derive(Debug)]
pub(crate) struct Seed<'a> {
    /// The node.
    pub(crate) client: &'a ChainClient,
}

impl Seed<'_> {
    async fn send<C: alloy_sol_types::SolCall>(
        &self,
        key: &SigningKey,
        to: Address,
        value: Amount,
        call: &C,
    ) -> Result<sahara_client::TxOutcome> {
        self.client.send(key, to, value, call).await.map_err(refused)
    }

    /// Bonds the worker and the gateway.
    pub(crate) async fn services(&self, worker_url: &str, gateway_url: &str) -> Result<()> {
        let bond =
            self.client.call(WORKERS, &IWorkers::minimumBondCall {}).await.map_err(refused)?;
        let bond = Amount::from_base_units(bond);
        let (worker, gateway) = (dev::key_of("worker")?, dev::key_of("gateway")?);
        let call = IWorkers::workerCall { account: worker.address() };
        if self.client.call(WORKERS, &call).await.map_err(refused)?.registeredAt == 0 {
            let call = IWorkers::registerWorkerCall { endpoint: worker_url.to_owned() };
            self.send(&worker, WORKERS, bond, &call).await?;
        }
        let call = IWorkers::gatewayCall { account: gateway.address() };
        if self.client.call(WORKERS, &call).await.map_err(refused)?.registeredAt == 0 {
            let call = IWorkers::registerGatewayCall {
                endpoint: gateway_url.to_owned(),
                fee: GATEWAY_FEE,
            };
            self.send(&gateway, WORKERS, bond, &call).await?;
        }
        Ok(())
    }

    /// Registers the three assets, or finds them, and returns their ids by role.
    pub(crate) async fn assets(&self, weights: B256) -> Result<BTreeMap<String, u64>> {
        let mut assets = BTreeMap::new();
        let count = self.client.call(ASSETS, &IAssets::assetCountCall {}).await.map_err(refused)?;
        if count >= 3 {
            assets.extend(
                [("dataset", 1), ("model", 2), ("agent", 3)]
                    .map(|(role, id)| (role.to_owned(), id)),
            );
            return Ok(assets);
        }
        let text = include_str!("trails.jsonl");
        let dataset = self.register("dataset_creator", dataset(text)).await?;
        let model = self.register("model_creator", model(dataset, weights)).await?;
        let agent = self.register("agent_creator", agent(model)).await?;
        assets.extend(
            [("dataset", dataset), ("model", model), ("agent", agent)]
                .map(|(role, id)| (role.to_owned(), id)),
        );
        Ok(assets)
    }

    async fn register(&self, role: &str, registration: IAssets::Registration) -> Result<u64> {
        let key = dev::key_of(role)?;
        let outcome =
            self.send(&key, ASSETS, Amount::ZERO, &IAssets::registerCall { registration }).await?;
        let registered = outcome.events::<IAssets::Registered>();
        Ok(registered.first().ok_or_else(|| eyre!("the chain registered nothing"))?.data.asset)
    }

    /// Lets the worker offer the model and the agent.
    pub(crate) async fn offers(&self, assets: &BTreeMap<String, u64>) -> Result<()> {
        let worker = dev::key_of("worker")?;
        for asset in ["model", "agent"].iter().filter_map(|role| assets.get(*role)) {
            let call = IWorkers::offerCall { worker: worker.address(), asset: *asset };
            if !self.client.call(WORKERS, &call).await.map_err(refused)?.isServed {
                let Prices { input, output } = WORKER_PRICES;
                let call = IWorkers::serveCall {
                    asset: *asset,
                    inputPrice: input.0,
                    outputPrice: output.0,
                };
                self.send(&worker, WORKERS, Amount::ZERO, &call).await?;
            }
        }
        Ok(())
    }

    /// Gives the payer a deposit, unless it has one.
    pub(crate) async fn deposit(&self) -> Result<()> {
        let payer = dev::key_of("payer")?;
        let call = IChannels::depositOfCall { payer: payer.address() };
        if self.client.call(CHANNELS, &call).await.map_err(refused)? == U256::ZERO {
            let call = IChannels::fundCall { payer: payer.address() };
            self.send(&payer, CHANNELS, Amount::from_coins(DEPOSIT), &call).await?;
        }
        Ok(())
    }
}

fn registration(
    kind: IAssets::Kind,
    card: &serde_json::Value,
    content: B256,
) -> IAssets::Registration {
    IAssets::Registration {
        kind,
        contentHash: content,
        metadataURI: format!("data:application/json,{card}"),
        inputPrice: 0,
        outputPrice: 0,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: Vec::new(),
        ownerUnits: U96::ZERO,
        isOpen: false,
    }
}

fn priced(
    mut registration: IAssets::Registration,
    prices: Prices,
    edge: IAssets::Edge,
) -> IAssets::Registration {
    registration.inputPrice = prices.input.0;
    registration.outputPrice = prices.output.0;
    registration.edges.push(edge);
    registration
}

fn dataset(text: &str) -> IAssets::Registration {
    let card =
        json!({"name": "island-trails", "content": "keccak256", "records": text.lines().count()});
    let mut dataset =
        registration(IAssets::Kind::Dataset, &card, sahara_primitives::keccak256(text));
    dataset.derivativeRoyalty = 1_000;
    dataset
}

fn model(dataset: u64, weights: B256) -> IAssets::Registration {
    let card = json!({"name": "smollm2-135m", "content": "blake3", "format": "gguf"});
    let edge = IAssets::Edge { parent: dataset, relation: IAssets::Relation::TrainedOn };
    let mut model = priced(registration(IAssets::Kind::Model, &card, weights), MODEL_PRICES, edge);
    model.derivativeRoyalty = 2_000;
    model
}

fn agent(model: u64) -> IAssets::Registration {
    let card =
        json!({"name": "trail-guide", "content": "keccak256", "prompt": PROMPT, "model": model});
    let edge = IAssets::Edge { parent: model, relation: IAssets::Relation::Embeds };
    priced(
        registration(IAssets::Kind::Agent, &card, sahara_primitives::keccak256(PROMPT)),
        AGENT_PRICES,
        edge,
    )
}
