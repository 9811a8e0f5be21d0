//! [`World`]: a chain of the protocols' own rules, a worker with a scripted engine, a gateway.

use super::{
    node::TestNode,
    script::{Script, ScriptEngine},
};
use crate::{Bounds, Gateway, GatewayConfig, Node, Patience};
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolCall;
use axum::{
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use futures::{StreamExt, stream::BoxStream};
use sahara_abi::{ASSETS, CHANNELS, IAssets, IChannels, IWorkers, WORKERS, signing};
use sahara_client::SigningKey;
use sahara_compute::{Clock, Served, Worker, WorkerConfig};
use sahara_primitives::{Amount, AssetId, ChannelId, LOCAL_CHAIN_ID, Milliseconds, Price, Prices};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::AbortHandle,
};

pub(crate) const INPUT: u128 = 3_000_000_000_000_000_000;
/// Above 2^64, as 20 SAHARA for a million tokens.
pub(crate) const OUTPUT: u128 = 20_000_000_000_000_000_001;
pub(crate) const NOW: u64 = 1_800_000_000_000;
/// Long enough for anything that answers, short enough to wait for what does not.
pub(crate) const PATIENCE: Patience = Patience {
    accept: Duration::from_secs(2),
    sign: Duration::from_secs(5),
    stall: Duration::from_secs(2),
    retry: Duration::from_millis(800),
};
/// Seconds of a usage log's period.
pub(crate) const PERIOD: u64 = 3_600;
pub(crate) const SECRET: &str = "sk-test-secret";

/// A stream as its client sees it.
pub(crate) struct Stream {
    bytes: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    pub(crate) text: String,
}

impl Stream {
    pub(crate) async fn until(&mut self, said: &str) {
        while !self.text.contains(said) {
            let bytes = self.bytes.next().await.expect("more of the stream").unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

/// Everything a request needs.
pub(crate) struct World {
    pub(crate) node: Arc<TestNode>,
    pub(crate) script: Arc<Script>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) payer: SigningKey,
    pub(crate) worker: Address,
    pub(crate) now: Arc<AtomicU64>,
    pub(crate) channel: ChannelId,
    /// Of the gateway's next start.
    pub(crate) bounds: Bounds,
    dirs: Vec<TempDir>,
    tasks: Vec<AbortHandle>,
}

pub(crate) fn signer(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32]).unwrap()
}

fn prices() -> Prices {
    Prices { input: Price(INPUT), output: Price(OUTPUT) }
}

/// A worker for asset 1.
fn worker(
    world: (&Arc<TestNode>, &Arc<Script>, &Arc<AtomicU64>),
    offer: (&SigningKey, Prices),
    dir: &Path,
) -> Arc<Worker> {
    let (node, script, now) = world;
    Worker::new(WorkerConfig {
        chain_id: LOCAL_CHAIN_ID,
        key: offer.0.clone(),
        gateways: [node.sender].into(),
        data_dir: dir.to_owned(),
        served: vec![Served {
            asset: AssetId(1),
            engine: Arc::new(ScriptEngine(Arc::clone(script))),
            prompt: None,
            prices: offer.1,
        }],
        max_jobs: 8,
        max_wait: PATIENCE.accept,
        chain: Arc::<TestNode>::clone(node),
        max_body: 1 << 20,
        clock: clock(now),
    })
    .unwrap()
}

/// Runs on its own; everything ends in the middle when it is dropped.
pub(crate) struct Process(Option<Runtime>);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// Never answers at a path.
async fn hang(State(path): State<&'static str>, request: Request, next: Next) -> Response {
    if request.uri().path() == path {
        futures::future::pending::<()>().await;
    }
    next.run(request).await
}

async fn serve(router: axum::Router) -> (String, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, task.abort_handle())
}

fn clock(now: &Arc<AtomicU64>) -> Clock {
    let now = Arc::clone(now);
    Clock::new(move || Milliseconds(now.load(Ordering::SeqCst)))
}

/// A model of `creator`, served by `worker` at its endpoint; a gateway and a payer with coin.
fn economy(node: &TestNode, endpoint: &str, keys: (&SigningKey, &SigningKey)) {
    let (payer, worker) = (keys.0.address(), keys.1.address());
    let creator = signer(4).address();
    for account in [payer, worker, node.sender, creator] {
        node.state.lock().fund(account, Amount::from_coins(1_000_000));
    }
    let bond = Amount::from_coins(1_000);
    let send = |from, to, value, input: Vec<u8>| node.transact(from, to, value, &input).unwrap();
    let register = IWorkers::registerWorkerCall { endpoint: endpoint.to_owned() };
    send(worker, WORKERS, bond, register.abi_encode());
    let register = IWorkers::registerGatewayCall { endpoint: "http://gateway".into(), fee: 200 };
    send(node.sender, WORKERS, bond, register.abi_encode());
    let registration = IAssets::Registration {
        kind: IAssets::Kind::Model,
        contentHash: keccak256("script"),
        metadataURI: "data:application/json,{\"name\":\"Script 1\"}".into(),
        inputPrice: INPUT / 2,
        outputPrice: OUTPUT / 2,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: Vec::new(),
        ownerUnits: Default::default(),
        isOpen: false,
    };
    send(creator, ASSETS, Amount::ZERO, IAssets::registerCall { registration }.abi_encode());
    let serve = IWorkers::serveCall { asset: 1, inputPrice: INPUT, outputPrice: OUTPUT };
    send(worker, WORKERS, Amount::ZERO, serve.abi_encode());
    let fund = IChannels::fundCall { payer };
    send(payer, CHANNELS, Amount::from_coins(100), fund.abi_encode());
}

impl World {
    pub(crate) async fn new() -> Self {
        let (payer, worker_key, gateway_key) = (signer(1), signer(2), signer(3));
        let now = Arc::new(AtomicU64::new(NOW));
        let node = Arc::new(TestNode::new(gateway_key.address(), &now));
        let script = Arc::new(Script::new());
        let (worker_dir, gateway_dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let world = (&node, &script, &now);
        let worker = worker(world, (&worker_key, prices()), worker_dir.path());
        let (endpoint, worker_task) = serve(worker.router()).await;
        economy(&node, &endpoint, (&payer, &worker_key));
        let (gateway, url, task) =
            Self::start(&node, gateway_dir.path(), (&now, Bounds::default())).await;
        let mut world = Self {
            node,
            script,
            gateway,
            url,
            http: reqwest::Client::new(),
            payer,
            worker: worker_key.address(),
            now,
            channel: ChannelId::default(),
            bounds: Bounds::default(),
            dirs: vec![worker_dir, gateway_dir],
            tasks: vec![worker_task, task],
        };
        world.channel = world.register_key(&world.grant(10, 5)).await;
        world
    }

    async fn start(
        node: &Arc<TestNode>,
        dir: &Path,
        (now, bounds): (&Arc<AtomicU64>, Bounds),
    ) -> (Arc<Gateway>, String, AbortHandle) {
        let gateway = Self::open(node, dir, (now, bounds)).await;
        gateway.look(None).await.unwrap();
        gateway.catalog.ask_due().await;
        gateway.charge_owed().await;
        let (url, task) = serve(gateway.router()).await;
        (gateway, url, task)
    }

    /// A gateway that knows nothing of the chain yet.
    async fn open(
        node: &Arc<TestNode>,
        dir: &Path,
        (now, bounds): (&Arc<AtomicU64>, Bounds),
    ) -> Arc<Gateway> {
        let config = GatewayConfig {
            clock: clock(now),
            max_body: 10_000,
            patience: PATIENCE,
            bounds,
            log_period: PERIOD,
            ..GatewayConfig::local(signer(3), dir.to_owned(), "http://gateway".into())
        };
        let node: Arc<dyn Node> = Arc::<TestNode>::clone(node);
        Gateway::open(config, node).await.unwrap()
    }

    /// Another gateway than ours, just started, where it listens.
    pub(crate) async fn newcomer(&self, dir: &Path) -> (Arc<Gateway>, String) {
        let gateway = Self::open(&self.node, dir, (&self.now, self.bounds)).await;
        let (url, _) = serve(gateway.router()).await;
        (gateway, url)
    }

    pub(crate) fn grant(&self, total: u64, day: u64) -> IChannels::KeyGrant {
        let units = |coins| Amount::from_coins(coins).base_units().to();
        IChannels::KeyGrant {
            payer: self.payer.address(),
            gateway: self.gateway.address(),
            keyId: keccak256(SECRET),
            maxTotal: units(total),
            maxPerDay: units(day),
            assets: Vec::new(),
            validUntil: NOW / 1_000 + 1_000_000,
            nonce: total,
        }
    }

    pub(crate) async fn register_key(&self, grant: &IChannels::KeyGrant) -> ChannelId {
        let response = self.post_key(grant).await;
        assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
        ChannelId(signing::grant_channel(LOCAL_CHAIN_ID, grant))
    }

    pub(crate) async fn post_key(&self, grant: &IChannels::KeyGrant) -> reqwest::Response {
        self.post_key_of(&self.payer, grant).await
    }

    pub(crate) async fn post_key_of(
        &self,
        payer: &SigningKey,
        grant: &IChannels::KeyGrant,
    ) -> reqwest::Response {
        let signature = payer.sign_typed(grant, &signing::channels_domain(LOCAL_CHAIN_ID));
        let body = json!({ "signature": signature, "grant": {
            "payer": grant.payer, "gateway": grant.gateway, "keyId": grant.keyId,
            "maxTotal": grant.maxTotal.to_string(), "maxPerDay": grant.maxPerDay.to_string(),
            "assets": grant.assets, "validUntil": grant.validUntil.to_string(),
            "nonce": grant.nonce.to_string(),
        }});
        self.http.post(format!("{}/v1/keys", self.url)).json(&body).send().await.unwrap()
    }

    /// The chain has moved on: the gateway sees it.
    pub(crate) async fn catch_up(&self) {
        self.gateway.look(Some(0)).await.unwrap();
        self.gateway.catalog.ask_due().await;
    }

    /// One more worker for asset 1, a unit cheaper than the first: it is asked before it. At one path
    /// it never answers. It has a runtime of its own: shut down, it is gone in the middle of things.
    pub(crate) async fn cheaper_worker(&mut self, hangs_at: &'static str) -> Process {
        let key = signer(5);
        let prices = Prices { input: Price(INPUT), output: Price(OUTPUT - 1) };
        self.dirs.insert(0, TempDir::new().unwrap());
        let world = (&self.node, &self.script, &self.now);
        let worker = worker(world, (&key, prices), self.dirs[0].path());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let router = worker.router().layer(middleware::from_fn_with_state(hangs_at, hang));
        let served = runtime.spawn(serve(router));
        let (endpoint, _) = served.await.unwrap();
        self.node.state.lock().fund(key.address(), Amount::from_coins(1_000_000));
        let send = |value, input: Vec<u8>| {
            self.node.transact(key.address(), WORKERS, value, &input).unwrap();
        };
        send(Amount::from_coins(1_000), IWorkers::registerWorkerCall { endpoint }.abi_encode());
        let (input, output) = (prices.input.0, prices.output.0);
        let serve = IWorkers::serveCall { asset: 1, inputPrice: input, outputPrice: output };
        send(Amount::ZERO, serve.abi_encode());
        self.gateway.refresh().await.unwrap();
        Process(Some(runtime))
    }

    /// The gateway's files as they are.
    pub(crate) fn copy_store(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        copy(self.dirs.last().unwrap().path(), dir.path());
        dir
    }

    /// Another process goes on with these files.
    pub(crate) async fn restart_with(&mut self, dir: TempDir) {
        self.tasks.pop().unwrap().abort();
        let (gateway, url, task) =
            Self::start(&self.node, dir.path(), (&self.now, self.bounds)).await;
        self.gateway = gateway;
        self.url = url;
        self.tasks.push(task);
        self.dirs.push(dir);
    }

    /// What a kill leaves: the files as they are. Another process goes on with them.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.restart_with(self.copy_store()).await;
    }

    /// Collects what it has, and is killed before its store knows.
    pub(crate) async fn kill_after_claim(&mut self) {
        let account = self.gateway.known_account(self.channel).unwrap();
        let prepared = self.gateway.prepare(&account).unwrap().unwrap();
        self.gateway.chain().claim(vec![prepared.claim], prepared.uses).await.unwrap();
        self.kill_and_restart().await;
    }

    pub(crate) fn ask(&self, body: &Value) -> reqwest::RequestBuilder {
        self.ask_with(SECRET, body)
    }

    pub(crate) fn ask_with(&self, secret: &str, body: &Value) -> reqwest::RequestBuilder {
        let path = format!("{}/v1/chat/completions", self.url);
        self.http.post(path).bearer_auth(secret).json(body)
    }

    /// A stream, read until it says something.
    pub(crate) async fn stream_until(&self, text: &str, said: &str) -> Stream {
        let mut body = chat(text);
        body["stream"] = json!(true);
        let answer = self.ask(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut stream = Stream { bytes: answer.bytes_stream().boxed(), text: String::new() };
        stream.until(said).await;
        stream
    }

    pub(crate) async fn answer(&self, body: &Value) -> Value {
        let response = self.ask(body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// As many new keys, and this answer to each.
    pub(crate) async fn answer_new_keys(&self, count: u8, body: &Value) -> Vec<ChannelId> {
        let mut channels = Vec::new();
        for number in 0..count {
            let secret = format!("{SECRET}-{number}");
            let grant = IChannels::KeyGrant { keyId: keccak256(&secret), ..self.grant(1, 1) };
            channels.push(self.register_key(&grant).await);
            let answer = self.ask_with(&secret, body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
        }
        channels
    }

    /// Settles everything there is.
    pub(crate) async fn settle(&self) {
        self.gateway.settle_now().await;
    }

    pub(crate) fn spent(&self) -> Amount {
        self.gateway.known_account(self.channel).unwrap().row().spent
    }

    pub(crate) fn receipts(&self) -> u32 {
        self.gateway.known_account(self.channel).unwrap().row().next_seq.0
    }

    /// Waits until something that another task does has happened.
    pub(crate) async fn until(&self, what: impl Fn(&Self) -> bool) {
        let wait = async {
            while !what(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn chat(text: &str) -> Value {
    json!({ "model": "script-1", "messages": [{ "role": "user", "content": text }] })
}

pub(crate) fn units(amount: u128) -> Amount {
    Amount::from_base_units(U256::from(amount))
}
