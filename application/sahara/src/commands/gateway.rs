//! `sahara gateway`: sells answers over HTTP and settles them on chain; beside them the app API, from
//! an index of the chain, the web application, and a vault for what assets consist of.

use crate::{
    cli, secret,
    serve::{guard, serve},
    stop,
    web::{self, Allowance, Web},
};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use eyre::{Result, WrapErr, bail, eyre};
use sahara_client::{ChainClient, SigningKey};
use sahara_gateway::{ConfigFile, GatewayConfig, RpcNode};
use sahara_index::{Database, Index, Rate, Source};
use sahara_primitives::B256;
use sahara_vault::{Asker, Settings, Vault};
use std::{fs, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::oneshot};
use tracing::{error, info};

/// Requests of one address to the vault: a segment of a mebibyte each, which a client moves less often.
const VAULT_RATE: Rate = Rate { burst: 4_000, per_minute: 30_000 };

/// Runs a gateway until it is asked to stop.
pub(crate) async fn run(gateway: &cli::Gateway) -> Result<()> {
    let path = &gateway.config;
    let text = fs::read(path).wrap_err_with(|| format!("could not read {}", path.display()))?;
    let config: ConfigFile =
        serde_json::from_slice(&text).wrap_err("the gateway's configuration is malformed")?;
    let client = ChainClient::new(&config.rpc)?;
    refuse_other_chain(&client, config.genesis_hash).await?;
    let key = secret::read(&config.key_file)?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.wrap_err_with(|| format!("cannot listen on {}", config.listen))?;
    let index = open_index(&config, client.clone()).await?;
    let chain_id = client.chain_id().await?;
    let api = index.router_within(rate(&config));
    let (places, hosts) = ((config.clone(), listener.local_addr()?), config.hosts.clone());
    let mut web = pages(&places, &client, &key, chain_id)?;
    let local = GatewayConfig::local(key.clone(), config.data_dir, config.url);
    let settings = GatewayConfig {
        chain_id,
        hosts: config.hosts,
        log_period: config.log_period_seconds.unwrap_or(local.log_period),
        ..local
    };
    let node = Arc::new(RpcNode::new(client.clone(), key));
    let running = sahara_gateway::Gateway::open(settings, node).await?;
    web.gateway_requests = Some(Arc::clone(&running));
    let beside = web::router(web).merge(Router::new().nest("/api/v1", api));
    let beside = guard(&listener, beside, hosts.clone())?;
    let vault = open_vault(places, client, &running).await?;
    let vault = guard(&listener, shelves(&vault), hosts)?;
    let work = tokio::spawn(Arc::clone(&running).work());
    info!(address = %running.address(), listen = %config.listen, "the gateway is running");
    let following = tokio::spawn(follow(index));
    let (finish, finishing) = oneshot::channel::<()>();
    let router = running.router().merge(beside).merge(vault);
    let router = router.layer(middleware::from_fn(web::lost));
    let server = serve(listener, router, async { drop(finishing.await) });
    let mut server = std::pin::pin!(server);
    let ended = tokio::select! {
        () = &mut server => Err(eyre!("the gateway's server ended")),
        () = stop::asked(gateway.follow_parent) => Ok(()),
    };
    // Answers that are cut off here are charged for what was delivered after the next start.
    let _was_open = finish.send(()).is_ok();
    work.abort();
    following.abort();
    ended
}

fn rate(config: &ConfigFile) -> Rate {
    let usual = Rate::default();
    let per_minute = config.api_requests_per_minute.unwrap_or(usual.per_minute);
    Rate { burst: usual.burst.min(per_minute), per_minute }
}

/// What the web application has to know.
fn pages(
    (config, address): &(ConfigFile, SocketAddr),
    client: &ChainClient,
    key: &SigningKey,
    chain_id: u64,
) -> Result<Web> {
    let allowance = config.allowance.map(|terms| {
        let file = config.data_dir.join("allowance.json");
        Allowance::open(terms, key.clone(), file, (chain_id, config.listen))
    });
    Ok(Web {
        client: client.clone(),
        rpc: config.rpc.clone(),
        chain_id,
        genesis_hash: config.genesis_hash,
        gateway: key.address(),
        allowance: allowance.transpose()?,
        origins: origins(config, *address),
        rate: rate(config),
        sessions: web::Sessions::default(),
        gateway_requests: None,
    })
}

/// The index is made from the chain alone: where it is lost it is read again.
async fn open_index(config: &ConfigFile, client: ChainClient) -> Result<Arc<Index>> {
    fs::create_dir_all(&config.data_dir)
        .wrap_err_with(|| format!("could not create {}", config.data_dir.display()))?;
    let database = Database::open_file(&config.data_dir.join("index.sqlite")).await?;
    Ok(Arc::new(Index::new(database, Source::new(client))))
}

/// What pages and programs call this gateway.
fn origins(config: &ConfigFile, address: SocketAddr) -> Vec<String> {
    let mut origins = vec![config.url.trim_end_matches('/').to_owned()];
    if address.ip().is_loopback() {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        origins.extend(names.map(|name| format!("http://{name}:{}", address.port())));
    }
    let schemes = ["http", "https"];
    origins.extend(
        config.hosts.iter().flat_map(|host| schemes.map(|scheme| format!("{scheme}://{host}"))),
    );
    origins
}

/// The vault beside the gateway: API keys say who downloads with other people's programs.
async fn open_vault(
    (config, address): (ConfigFile, SocketAddr),
    client: ChainClient,
    gateway: &Arc<sahara_gateway::Gateway>,
) -> Result<Arc<Vault>> {
    let gateway = Arc::clone(gateway);
    let settings = Settings {
        directory: config.data_dir.join("vault"),
        capacity: config.vault_capacity,
        chain_id: client.chain_id().await?,
        origins: origins(&config, address),
        tokens: Arc::new(move |secret, asset| gateway.payer_of_key(secret, asset)),
    };
    Ok(Vault::open(settings, Arc::new(client))?)
}

/// The vault's routes. A signature costs its checker more than its maker, and each is remembered for a
/// minute, whoever made it: so an address asks so often and no more.
fn shelves(vault: &Arc<Vault>) -> Router {
    let router = vault.router().layer(middleware::from_fn(name_asker));
    sahara_index::limited(router, VAULT_RATE)
}

/// The vault counts downloads by address.
async fn name_asker(mut request: Request, next: Next) -> Response {
    let asker = Asker(sahara_index::client(&request));
    request.extensions_mut().insert(asker);
    next.run(request).await
}

/// A broken index stops the app API from growing, not the gateway from selling.
async fn follow(index: Arc<Index>) {
    if let Err(ended) = index.follow().await {
        error!(error = %ended, "the index stopped: the app API shows the chain up to its head");
    }
}

/// A gateway that settled on another chain than its receipts name would be paid by nobody.
async fn refuse_other_chain(client: &ChainClient, expected: B256) -> Result<()> {
    let genesis: serde_json::Value = client.request("eth_getBlockByNumber", ("0x0", false)).await?;
    let found = genesis.get("hash").and_then(serde_json::Value::as_str).unwrap_or_default();
    if found.parse::<B256>().ok() != Some(expected) {
        bail!("the node's chain begins with {found}, the configuration says {expected}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{VAULT_RATE, shelves};
    use axum::{body::Body, extract::ConnectInfo, http::Request};
    use sahara_client::ChainClient;
    use sahara_vault::{Settings, Vault};
    use std::{net::SocketAddr, sync::Arc};
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn an_address_asks_the_vault_so_often_and_leaves_it_to_others() {
        let place = tempfile::tempdir().unwrap();
        let settings = Settings {
            directory: place.path().to_owned(),
            capacity: 1,
            chain_id: 7,
            origins: Vec::new(),
            tokens: Arc::new(|_, _| None),
        };
        let client = ChainClient::new("http://127.0.0.1:9").unwrap();
        let router = shelves(&Vault::open(settings, Arc::new(client)).unwrap());
        let ask = async |from: &str| {
            let mut request = Request::get("/vault/v1").body(Body::empty()).unwrap();
            let from: SocketAddr = from.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(from));
            router.clone().oneshot(request).await.unwrap().status().as_u16()
        };
        for _ in 0..VAULT_RATE.burst {
            assert_eq!(ask("192.0.2.1:5").await, 200);
        }
        // Some are allowed again by now; not as many as were taken.
        let mut refused = false;
        for _ in 0..VAULT_RATE.burst {
            refused |= ask("192.0.2.1:6").await == 429;
        }
        assert!(refused);
        assert_eq!(ask("192.0.2.2:5").await, 200);
    }
}
