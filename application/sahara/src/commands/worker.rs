//! `sahara worker`: the engine behind HTTP, for gateways.

use crate::{
    cli, secret,
    serve::{MAX_BODY, guard, serve},
    stop,
};
use alloy_rpc_types_eth::Filter;
use eyre::{Result, WrapErr, eyre};
use sahara_abi::{ASSETS, IAssets, IWorkers, WORKERS};
use sahara_client::{ChainClient, SigningKey};
use sahara_compute::{
    Clock, ConfigFile, Engine, EngineConfig, OwnEngine, RemoteEngine, Served, Worker, WorkerConfig,
};
use sahara_engine::{EngineOptions, LoadOptions, Model};
use sahara_primitives::{Address, AssetId, Price, Prices};
use std::{fs, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::oneshot};
use tracing::info;

/// How often the chain is asked for new offers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs a worker until it is asked to stop. When its offers on chain change, it finishes what it
/// works on and starts anew with them.
pub(crate) async fn run(worker: &cli::Worker) -> Result<()> {
    let text = fs::read(&worker.config)
        .wrap_err_with(|| format!("could not read {}", worker.config.display()))?;
    let config = ConfigFile::read(&text).wrap_err("the worker's configuration is malformed")?;
    let client = ChainClient::new(&config.rpc)?;
    let key = secret::read(&config.key_file)?;
    fs::create_dir_all(&config.data_dir)?;
    let engine = start_engine(config.engine.clone()).await?;
    let mut stop = std::pin::pin!(stop::asked(worker.follow_parent));
    loop {
        let offers = offers(&client, key.address()).await?;
        let running = start(&config, &client, &key, &engine, &offers).await?;
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.wrap_err_with(|| format!("cannot listen on {}", config.listen))?;
        info!(address = %key.address(), listen = %config.listen, assets = offers.len(), "the worker is running");
        let (finish, finishing) = oneshot::channel::<()>();
        let router = guard(&listener, running.router(), config.hosts.clone())?;
        drop(running);
        let server = serve(listener, router, async { drop(finishing.await) });
        let mut server = std::pin::pin!(server);
        let is_over = tokio::select! {
            () = &mut server => return Err(eyre!("the worker's server ended")),
            () = &mut stop => true,
            () = changed(&client, key.address(), &offers) => false,
        };
        let _was_open = finish.send(()).is_ok();
        if is_over {
            // What is still computed is signed for by its journal after the next start.
            return Ok(());
        }
        info!("offers have changed");
        server.await;
    }
}

async fn start(
    config: &ConfigFile,
    client: &ChainClient,
    key: &SigningKey,
    engine: &Arc<dyn Engine>,
    offers: &[Offer],
) -> Result<Arc<Worker>> {
    let served = offers.iter().map(|offer| Served {
        asset: offer.asset,
        engine: Arc::clone(engine),
        prompt: offer.prompt.clone(),
        prices: offer.prices,
    });
    Ok(Worker::new(WorkerConfig {
        chain_id: client.chain_id().await?,
        key: key.clone(),
        gateways: config.gateways.iter().copied().collect(),
        data_dir: config.data_dir.clone(),
        served: served.collect(),
        max_jobs: config.max_jobs,
        max_wait: sahara_compute::PATIENCE,
        chain: Arc::new(client.clone()),
        max_body: MAX_BODY,
        clock: Clock::system(),
    })?)
}

/// What a worker offers on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    asset: AssetId,
    prices: Prices,
    /// An agent's system prompt, from its metadata.
    prompt: Option<String>,
}

async fn offers(client: &ChainClient, worker: Address) -> Result<Vec<Offer>> {
    let mut offers = Vec::new();
    let count = client.call(ASSETS, &IAssets::assetCountCall {}).await?;
    for asset in 1..=count {
        let offer = client.call(WORKERS, &IWorkers::offerCall { worker, asset }).await?;
        if !offer.isServed {
            continue;
        }
        let about = client.call(ASSETS, &IAssets::assetCall { asset }).await?;
        let card = about.metadataURI.strip_prefix("data:application/json,").unwrap_or_default();
        let card: serde_json::Value = serde_json::from_str(card).unwrap_or_default();
        let prompt = card.get("prompt").and_then(serde_json::Value::as_str);
        offers.push(Offer {
            asset: AssetId(asset),
            prices: Prices { input: Price(offer.inputPrice), output: Price(offer.outputPrice) },
            prompt: prompt.filter(|_| about.kind == IAssets::Kind::Agent).map(str::to_owned),
        });
    }
    Ok(offers)
}

/// Resolves when the chain says something else. A silent node is no change, and is asked again about the
/// blocks that it was silent on.
async fn changed(client: &ChainClient, worker: Address, before: &[Offer]) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut seen = None;
    loop {
        tick.tick().await;
        // Offers only change in blocks with logs of the workers protocol: look there first.
        let Ok(head) = client.block_number().await else { continue };
        let has_news = match seen {
            Some(seen) => has_news(client, seen, head.0).await,
            None => true,
        };
        if has_news {
            match offers(client, worker).await {
                Ok(now) if now != before => return,
                Ok(_) => {}
                Err(_) => continue,
            }
        }
        seen = Some(head.0);
    }
}

/// Whether a worker's offer may have changed in the blocks after `seen`.
async fn has_news(client: &ChainClient, seen: u64, head: u64) -> bool {
    if head <= seen {
        return false;
    }
    let from = seen.saturating_add(1);
    let filter = Filter::new().address(WORKERS).from_block(from).to_block(head);
    // Who did not hear an answer does not know that there is nothing new.
    client.logs(&filter).await.map_or(true, |logs| !logs.is_empty())
}

async fn start_engine(config: EngineConfig) -> Result<Arc<dyn Engine>> {
    match config {
        EngineConfig::Own { model, threads } => {
            let load = move || -> Result<Arc<dyn Engine>> {
                let model = Model::load(&model, &LoadOptions::default())
                    .wrap_err_with(|| format!("could not load {}", model.display()))?;
                let options = EngineOptions { threads, ..EngineOptions::default() };
                Ok(Arc::new(OwnEngine::new(Arc::new(sahara_engine::Engine::new(model, &options)?))))
            };
            tokio::task::spawn_blocking(load).await?
        }
        EngineConfig::Remote { url, model, context_length } => {
            Ok(Arc::new(RemoteEngine::new(url, model, None, context_length)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK_EVERY, Offer, changed};
    use axum::{Json, Router, extract::State, routing::post};
    use sahara_client::ChainClient;
    use sahara_primitives::{Address, AssetId, Price, Prices};
    use serde_json::{Value, json};
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };
    use tokio::{net::TcpListener, time::timeout};

    /// A node on which nothing is registered, whose first call fails and whose blocks hold no logs.
    async fn answer(
        State(calls): State<Arc<AtomicU64>>,
        Json(request): Json<Value>,
    ) -> Json<Value> {
        let result = match request["method"].as_str() {
            Some("eth_blockNumber") => json!("0x5"),
            Some("eth_getLogs") => json!([]),
            _ if calls.fetch_add(1, Ordering::SeqCst) == 0 => {
                let error = json!({ "code": -32_603, "message": "internal error" });
                return Json(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }));
            }
            _ => json!(format!("0x{}", "0".repeat(64))),
        };
        Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
    }

    #[tokio::test]
    async fn a_change_that_a_silent_node_did_not_tell_of_is_asked_for_again() {
        let calls = Arc::new(AtomicU64::new(0));
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&calls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        let client = ChainClient::new(&url).unwrap();
        let prices = Prices { input: Price(1), output: Price(1) };
        let served = Offer { asset: AssetId(1), prices, prompt: None };
        let served = [served];
        let heard = timeout(LOOK_EVERY * 10, changed(&client, Address::ZERO, &served));
        heard.await.expect("what was offered is not offered any more");
        assert_eq!(calls.load(Ordering::SeqCst), 2, "asked again after the failure");
    }
}
