//! What a gateway may ask a worker to sign.

use alloy_primitives::Address;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderValue, Method, Request, Uri},
};
use sahara_client::SigningKey;
use sahara_compute::{
    ChainSilent, Clock, GatewayKey, Problem, Worker, WorkerChain, WorkerConfig, token_header,
};
use sahara_primitives::{Amount, AssetId, ChannelId, Milliseconds};
use std::{
    collections::BTreeSet,
    error::Error,
    future::ready,
    pin::Pin,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

const PATH: &str = "/receipts";
const NOW: Milliseconds = Milliseconds(1_800_000_000_000);

/// A chain on which every gateway has a bond, and nobody has collected anything.
#[derive(Debug)]
struct Chain;

type Said<'a, T> = Pin<Box<dyn Future<Output = Result<T, ChainSilent>> + Send + 'a>>;

impl WorkerChain for Chain {
    fn is_bonded(&self, _: Address) -> Said<'_, bool> {
        Box::pin(ready(Ok(true)))
    }

    fn collected(&self, _: ChannelId, _: AssetId, _: Address) -> Said<'_, (Amount, Amount)> {
        Box::pin(ready(Ok((Amount::ZERO, Amount::ZERO))))
    }
}

/// A worker that serves nothing, and a gateway that it works for.
struct Served {
    router: Router,
    worker: Address,
    gateway: GatewayKey,
    runtime: Runtime,
    _directory: TempDir,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| match serve() {
    Ok(served) => served,
    Err(error) => panic!("the worker cannot be made: {error}"),
});

fn serve() -> Result<Served, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let (key, gateway) = (SigningKey::from_bytes(&[1; 32])?, SigningKey::from_bytes(&[2; 32])?);
    let worker = key.address();
    let config = WorkerConfig {
        chain_id: 724_272,
        key,
        gateways: BTreeSet::from([gateway.address()]),
        data_dir: directory.path().to_owned(),
        served: Vec::new(),
        max_jobs: 1,
        max_wait: Duration::ZERO,
        chain: Arc::new(Chain),
        max_body: 1 << 20,
        clock: Clock::new(|| NOW),
    };
    let router = Worker::new(config)?.router();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let gateway = GatewayKey(gateway);
    Ok(Served { router, worker, gateway, runtime, _directory: directory })
}

/// Any body of a gateway that signed for it. No answer was computed here, so none is signed for; and a
/// gateway is told why.
pub(crate) fn receipt_request(data: &[u8]) {
    let Served { router, worker, gateway, runtime, .. } = &*SERVED;
    let token = gateway.token(*worker, PATH, data, NOW);
    let Ok(token) = HeaderValue::from_str(&token) else { panic!("a token is no header: {token}") };
    let mut request = Request::new(Body::from(data.to_vec()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(PATH);
    request.headers_mut().insert(token_header(), token);
    runtime.block_on(async {
        let Ok(response) = router.clone().oneshot(request).await;
        let status = response.status();
        assert!(status.is_client_error(), "{status} for a job that nobody did");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        let problem = serde_json::from_slice::<Problem>(&body);
        assert!(problem.is_ok_and(|problem| !problem.message.is_empty()), "{status} without words");
    });
}
