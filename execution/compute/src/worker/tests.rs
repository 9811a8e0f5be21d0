use super::{Served, Worker, WorkerConfig};
use crate::{
    ChainSilent, Clock, Engine, EngineCard, EngineError, Event, FinishReason, GatewayKey, Input,
    Job, Limits, Message, Piece, ProblemCode, Role, Run, Sampling, SignRequest, WorkerChain,
    WorkerClient, WorkerError, earning_hash, recover,
};
use alloy_primitives::{Address, B256, hex, keccak256};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use proptest::prelude::*;
use sahara_client::SigningKey;
use sahara_primitives::{
    Amount, AssetId, Bill, ChannelId, DeterminismClass, LicenseId, Milliseconds, Price, Prices,
    Receipt, ReceiptSeq, TokenCount, Usage,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::Semaphore;

pub(super) const NOW: Milliseconds = Milliseconds(1_800_000_000_000);

/// Says `a`, one a permit, for ever.
#[derive(Debug)]
struct Endless(Arc<Semaphore>);

impl Engine for Endless {
    fn card(&self) -> EngineCard {
        EngineCard {
            class: DeterminismClass::D1,
            model_root: keccak256("endless"),
            context_length: 100,
        }
    }

    fn prompt_tokens(&self, input: &Input) -> Result<TokenCount, EngineError> {
        let texts = match input {
            Input::Chat(messages) => messages.iter().map(|one| one.content.as_str()).collect(),
            Input::Text(text) => vec![text.as_str()],
        };
        Ok(texts.iter().map(|text| u32::try_from(text.len()).unwrap()).sum())
    }

    fn start<'a>(
        &'a self,
        input: &'a Input,
        limits: Limits,
        _: Sampling,
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Run, EngineError>> {
        async move {
            let prompt_tokens = self.prompt_tokens(input)?;
            let most = limits.check(prompt_tokens, 100)?;
            let permits = Arc::clone(&self.0);
            let pieces = stream::unfold(0, move |count| {
                let permits = Arc::clone(&permits);
                async move {
                    if count > most {
                        return None;
                    }
                    if count == most {
                        return Some((Ok(Piece::End(FinishReason::Length)), count + 1));
                    }
                    permits.acquire().await.unwrap().forget();
                    Some((Ok(Piece::Token("a".into())), count + 1))
                }
            });
            Ok(Run { prompt_tokens, pieces: pieces.boxed() })
        }
        .boxed()
    }
}

pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32]).unwrap()
}

const fn prices(price: u128) -> Prices {
    Prices { input: Price(price), output: Price(price) }
}

/// A chain that knows one thing about gateways, and what one of them collected.
#[derive(Debug, Default)]
struct Chain {
    is_unbonded: AtomicBool,
    is_silent: AtomicBool,
    collected: Mutex<(Amount, Amount)>,
}

impl WorkerChain for Chain {
    fn is_bonded(&self, _: Address) -> BoxFuture<'_, Result<bool, ChainSilent>> {
        if self.is_silent.load(Ordering::SeqCst) {
            return futures::future::pending().boxed();
        }
        let is_bonded = !self.is_unbonded.load(Ordering::SeqCst);
        async move { Ok(is_bonded) }.boxed()
    }

    fn collected(
        &self,
        _: ChannelId,
        _: AssetId,
        _: Address,
    ) -> BoxFuture<'_, Result<(Amount, Amount), ChainSilent>> {
        let collected = *self.collected.lock().unwrap();
        async move { Ok(collected) }.boxed()
    }
}

fn worker(
    dir: &Path,
    permits: &Arc<Semaphore>,
    chain: &Arc<Chain>,
    max_wait: Duration,
) -> Arc<Worker> {
    let served = |asset, prompt| Served {
        asset: AssetId(asset),
        engine: Arc::new(Endless(Arc::clone(permits))),
        prompt,
        prices: prices(1_000_000),
    };
    Worker::new(WorkerConfig {
        chain_id: 1,
        key: key(1),
        gateways: BTreeSet::from([key(2).address()]),
        data_dir: dir.to_owned(),
        served: vec![served(1, None), served(2, Some("be brief. ".into()))],
        max_jobs: 2,
        max_wait,
        chain: Arc::<Chain>::clone(chain),
        max_body: 10_000,
        clock: Clock::new(|| NOW),
    })
    .unwrap()
}

struct World {
    permits: Arc<Semaphore>,
    worker: Arc<Worker>,
    chain: Arc<Chain>,
    client: WorkerClient,
    url: String,
    _dir: TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with_patience(Duration::from_millis(50)).await
    }

    async fn with_patience(max_wait: Duration) -> Self {
        let dir = TempDir::new().unwrap();
        let permits = Arc::new(Semaphore::new(1_000));
        let chain = Arc::<Chain>::default();
        let worker = worker(dir.path(), &permits, &chain, max_wait);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = worker.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = Self::client(&url, key(2));
        Self { permits, worker, chain, client, url, _dir: dir }
    }

    fn client(url: &str, gateway: SigningKey) -> WorkerClient {
        WorkerClient::new(reqwest::Client::new(), GatewayKey(gateway), url, key(1).address())
    }

    async fn code(&self, job: &Job) -> ProblemCode {
        code(self.client.start(job, NOW).await.map(|_| ()))
    }
}

fn code(outcome: Result<(), WorkerError>) -> ProblemCode {
    match outcome {
        Err(WorkerError::Refused(problem)) => problem.code,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(super) fn job(number: u8, max_tokens: TokenCount) -> Job {
    Job {
        id: B256::repeat_byte(number),
        channel: ChannelId(B256::repeat_byte(9)),
        asset: AssetId(1),
        input: Input::Chat(vec![Message { role: Role::User, content: "hello".into() }]),
        max_tokens,
        is_flexible: false,
        max_prompt_tokens: 50,
        sampling: Sampling::default(),
        stop: Vec::new(),
        worker_prices: prices(1_000_000),
        asset_prices: prices(2_000_000),
    }
}

pub(super) fn receipt(job: &Job, seq: u32, completion_tokens: TokenCount, earned: u128) -> Receipt {
    let usage = Usage { prompt_tokens: 5, completion_tokens };
    let (worker, asset) =
        (job.worker_prices.charge(usage).unwrap(), job.asset_prices.charge(usage).unwrap());
    let bill = Bill::new(Default::default(), Amount::ZERO, worker, asset).unwrap();
    let add = |before: u128, part: Amount| Amount::from_u128(before).checked_add(part).unwrap();
    Receipt {
        chain_id: 1,
        channel: job.channel,
        seq: ReceiptSeq(seq),
        request_hash: B256::ZERO,
        asset: job.asset,
        license: LicenseId::NONE,
        worker: key(1).address(),
        model_root: keccak256("endless"),
        class: DeterminismClass::D1,
        usage,
        worker_prices: job.worker_prices,
        asset_prices: job.asset_prices,
        output_hash: B256::ZERO,
        bill,
        cumulative: Amount::ZERO,
        cumulative_worker: add(earned, worker),
        cumulative_asset: add(earned * 2, asset),
        previous: B256::ZERO,
    }
}

async fn finish(world: &World, job: &Job) -> (usize, Option<Usage>) {
    let mut stream = world.client.start(job, NOW).await.unwrap();
    let (mut tokens, mut end) = (0, None);
    while end.is_none() {
        match stream.next().await.unwrap() {
            Event::Token { .. } => tokens += 1,
            Event::Ended { usage, .. } => end = Some(usage),
            Event::Accepted { .. } => {}
            Event::Failed { message } => panic!("{message}"),
        }
    }
    (tokens, end)
}

#[tokio::test]
async fn w2_signs_what_the_meter_counted_and_no_more() {
    let world = World::new().await;
    let job = job(1, 7);
    let (tokens, usage) = finish(&world, &job).await;
    assert_eq!((tokens, usage.unwrap().completion_tokens), (7, 7));
    let sign = |receipt| SignRequest { job: job.id, receipt };
    let refused = [
        receipt(&job, 0, 8, 0),
        receipt(&job, 0, 7, 1),
        Receipt { asset: AssetId(2), ..receipt(&job, 0, 7, 0) },
        Receipt { worker_prices: prices(1), ..receipt(&job, 0, 7, 0) },
        Receipt { model_root: B256::ZERO, ..receipt(&job, 0, 7, 0) },
        Receipt { chain_id: 2, ..receipt(&job, 0, 7, 0) },
    ];
    for wrong in refused {
        let outcome = world.client.sign(&sign(wrong), NOW).await;
        assert_eq!(code(outcome.map(|_| ())), ProblemCode::Contradiction);
    }
    let good = receipt(&job, 0, 7, 0);
    let signed = world.client.sign(&sign(good.clone()), NOW).await.unwrap();
    assert_eq!(recover(good.hash(), &signed.receipt), Ok(key(1).address()));
    assert_eq!(recover(earning_hash(&good).unwrap(), &signed.earning), Ok(key(1).address()));
    let again = world.client.sign(&sign(good), NOW).await.unwrap();
    assert_eq!(again, signed, "the same receipt is signed again");
    let other = world.client.sign(&sign(receipt(&job, 1, 6, 0)), NOW).await;
    assert_eq!(code(other.map(|_| ())), ProblemCode::Contradiction);
}

#[tokio::test]
async fn w3_what_cannot_be_done_is_refused_before_work() {
    let world = World::new().await;
    assert_eq!(world.code(&job(1, 96)).await, ProblemCode::ContextLengthExceeded);
    assert_eq!(world.code(&job(1, 0)).await, ProblemCode::InvalidJob);
    let cheap = Job { worker_prices: prices(999_999), ..job(1, 1) };
    assert_eq!(world.code(&cheap).await, ProblemCode::PriceTooLow);
    let unknown = Job { asset: AssetId(7), ..job(1, 1) };
    assert_eq!(world.code(&unknown).await, ProblemCode::UnknownAsset);
    let long = Job { max_prompt_tokens: 4, ..job(1, 1) };
    assert_eq!(world.code(&long).await, ProblemCode::InvalidJob);
    let stranger = World::client(&world.url, key(3)).start(&job(1, 1), NOW).await;
    assert_eq!(code(stranger.map(|_| ())), ProblemCode::Unauthorised);
    let stale = world.client.start(&job(1, 1), Milliseconds(NOW.0 - 61_000)).await;
    assert_eq!(code(stale.map(|_| ())), ProblemCode::Unauthorised);
    assert_eq!(world.permits.available_permits(), 1_000, "nothing was computed");
    finish(&world, &job(1, 1)).await;
    assert_eq!(world.code(&job(1, 1)).await, ProblemCode::InvalidJob, "an id is used once");
}

#[tokio::test]
async fn w4_a_dropped_connection_ends_the_job_and_frees_its_place() {
    let world = World::new().await;
    world.permits.forget_permits(1_000);
    world.permits.add_permits(3);
    let (first, second) = (job(1, 50), job(2, 50));
    let mut stream = world.client.start(&first, NOW).await.unwrap();
    let _other = world.client.start(&second, NOW).await.unwrap();
    assert_eq!(world.code(&job(3, 1)).await, ProblemCode::Busy);
    stream.next().await.unwrap();
    drop(stream);
    let freed = async {
        while world.worker.places.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), freed).await.unwrap();
}

#[tokio::test]
async fn an_agent_speaks_with_its_own_prompt() {
    let world = World::new().await;
    let agent = Job { asset: AssetId(2), ..job(1, 1) };
    let mut stream = world.client.start(&agent, NOW).await.unwrap();
    assert_eq!(stream.next().await.unwrap(), Event::Accepted { prompt_tokens: 15 });
    let cards = world.client.cards().await.unwrap();
    assert_eq!(cards.iter().map(|card| card.overhead_tokens).collect::<Vec<_>>(), [1, 10]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn w1_earnings_only_grow_by_exactly_one_receipt(
        steps in proptest::collection::vec((0u32..6, 0u32..8, any::<bool>(), any::<bool>()), 1..20),
    ) {
        let dir = TempDir::new().unwrap();
        let permits = Arc::new(Semaphore::new(0));
        let chain = Arc::<Chain>::default();
        let mut one = worker(dir.path(), &permits, &chain, Duration::ZERO);
        let (mut earned, mut next) = (0u128, 0u32);
        for (number, (seq, tokens, is_honest, restart)) in steps.into_iter().enumerate() {
            if restart {
                drop(one);
                one = worker(dir.path(), &permits, &chain, Duration::ZERO);
            }
            let job = job(u8::try_from(number).unwrap(), 7);
            let engine = (DeterminismClass::D1, keccak256("endless"), NOW);
            let record = super::ledger::JobRecord::new(&job, key(2).address(), 5, engine);
            one.ledger.write_job(job.id, &record).unwrap();
            let base = if is_honest { earned } else { earned + 1 };
            let receipt = receipt(&job, seq, tokens, base);
            let signed = one.ledger.sign(job.id, &receipt, (&one.key, None));
            let should = is_honest && seq >= next && tokens <= 7;
            prop_assert_eq!(signed.is_ok(), should);
            if should {
                earned = receipt.cumulative_worker.to_u128().unwrap();
                next = seq + 1;
                prop_assert_eq!(one.ledger.sign(job.id, &receipt, (&one.key, None)), signed);
            }
        }
    }
}

#[tokio::test]
async fn w3_a_gateway_without_a_bond_is_refused() {
    let world = World::new().await;
    world.chain.is_unbonded.store(true, Ordering::SeqCst);
    assert_eq!(world.code(&job(1, 1)).await, ProblemCode::GatewayNotBonded);
    world.chain.is_unbonded.store(false, Ordering::SeqCst);
    world.chain.is_silent.store(true, Ordering::SeqCst);
    assert_eq!(world.code(&job(1, 1)).await, ProblemCode::Unavailable);
    world.chain.is_silent.store(false, Ordering::SeqCst);
    finish(&world, &job(1, 1)).await;
    world.chain.is_silent.store(true, Ordering::SeqCst);
    finish(&world, &job(2, 1)).await;
    assert_eq!(world.permits.available_permits(), 998, "what was refused computed nothing");
}

#[tokio::test]
async fn a_job_waits_for_a_place() {
    let world = World::with_patience(Duration::from_secs(20)).await;
    world.permits.forget_permits(1_000);
    let _first = world.client.start(&job(1, 50), NOW).await.unwrap();
    let second = world.client.start(&job(2, 50), NOW).await.unwrap();
    let client = world.client.clone();
    let third = tokio::spawn(async move { client.start(&job(3, 1), NOW).await });
    let waits = async {
        while world.worker.queue.available_permits() == 2 * super::QUEUE {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap();
    drop(second);
    assert!(third.await.unwrap().is_ok());
}

#[tokio::test]
async fn w1_a_receipt_may_take_the_place_of_one_that_its_gateway_gave_up() {
    let world = World::new().await;
    let jobs = [job(1, 7), job(2, 7), job(3, 7)];
    for job in &jobs {
        finish(&world, job).await;
    }
    let sign = async |job: &Job, receipt: &Receipt| {
        let request = SignRequest { job: job.id, receipt: receipt.clone() };
        world.client.sign(&request, NOW).await
    };
    let first = receipt(&jobs[0], 0, 7, 0);
    sign(&jobs[0], &first).await.unwrap();
    let given_up = receipt(&jobs[1], 1, 7, 12);
    sign(&jobs[1], &given_up).await.unwrap();
    // Under the number that was signed it is refused, and the worker says which it was.
    let Err(WorkerError::Refused(problem)) = sign(&jobs[2], &receipt(&jobs[2], 1, 7, 12)).await
    else {
        panic!("a number is used once")
    };
    assert_eq!((problem.code, problem.last), (ProblemCode::Contradiction, Some(ReceiptSeq(1))));
    let instead = receipt(&jobs[2], 2, 7, 12);
    sign(&jobs[2], &instead).await.unwrap();
    assert_eq!(instead.cumulative_worker, given_up.cumulative_worker);
    // Two steps back is not one that a gateway gave up, unless the chain has paid no more.
    let job = job(4, 7);
    finish(&world, &job).await;
    let from_nothing = receipt(&job, 3, 7, 0);
    *world.chain.collected.lock().unwrap() = (Amount::from_u128(1), Amount::from_u128(2));
    assert_eq!(code(sign(&job, &from_nothing).await.map(drop)), ProblemCode::Contradiction);
    *world.chain.collected.lock().unwrap() = Default::default();
    sign(&job, &from_nothing).await.unwrap();
    // The job that was given up can be signed for again.
    sign(&jobs[1], &receipt(&jobs[1], 4, 7, 12)).await.unwrap();
}

#[tokio::test]
async fn jobs_are_forgotten_after_a_day() {
    let world = World::new().await;
    finish(&world, &job(1, 1)).await;
    let known = |world: &World| world.worker.ledger.job(job(1, 1).id).unwrap().is_some();
    world.worker.ledger.purge(NOW).unwrap();
    assert!(known(&world));
    world.worker.ledger.purge(Milliseconds(NOW.0 + 1)).unwrap();
    assert!(!known(&world));
}

/// Gateways find out by it what a worker serves; the order of the fields is the JSON writer's.
#[tokio::test]
async fn the_answer_with_all_cards_is_frozen() {
    let world = World::new().await;
    let card = |asset, overhead| {
        let root = keccak256("endless");
        format!(
            r#"{{"asset":{asset},"class":"D1","model_root":"{root}","context_length":100,"overhead_tokens":{overhead},"prices":{{"input":"1000000","output":"1000000"}}}}"#
        )
    };
    let expected = format!(
        r#"{{"worker":"0x{}","models":[{},{}]}}"#,
        hex::encode(key(1).address()),
        card(1, 1),
        card(2, 10),
    );
    let answer = reqwest::get(format!("{}/models", world.url)).await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap(),
        serde_json::from_str::<Value>(&expected).unwrap()
    );
}
