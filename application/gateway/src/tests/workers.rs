//! Workers that are gone, silent or will not sign hold up nobody else.

use super::world::{INPUT, OUTPUT, World, chat, signer};
use axum::Router;
use sahara_abi::{IWorkers, WORKERS};
use sahara_primitives::Amount;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::net::TcpListener;

fn left(world: &World) -> Amount {
    let account = world.gateway.known_account(world.channel).unwrap();
    account.left(world.gateway.now())
}

#[tokio::test]
async fn g6_a_worker_that_is_gone_for_good_holds_up_no_later_receipt() {
    let mut world = World::new().await;
    world.answer(&chat("first")).await;
    world.settle().await;
    let before = left(&world);
    let worker = world.cheaper_worker("").await;
    world.script.permits.forget_permits(10_000);
    world.script.permits.add_permits(2);
    let mut stream = world.stream_until("gone", "t1 ").await;
    drop(worker);
    stream.until("\"error\"").await;
    assert_eq!(world.gateway.owing_channels(), [world.channel]);
    assert!(left(&world) < before, "what was delivered stays held");
    world.script.permits.add_permits(100);
    world.answer(&chat("later")).await;
    world.settle().await;
    let channel = world.node.channel(world.channel);
    assert_eq!(channel.seq.to::<u32>(), 2);
    assert_eq!(Amount::from_u128(channel.settled.to()), world.spent());
    let spent = world.spent();
    world.now.fetch_add(super::super::sign::OWED_MILLISECONDS, Ordering::SeqCst);
    world.gateway.charge_owed().await;
    assert!(world.gateway.owing_channels().is_empty());
    assert_eq!(world.spent(), spent, "what nobody signed for is not charged");
    assert!(world.gateway.store().progress_ids().is_empty());
    world.kill_and_restart().await;
    assert_eq!((world.spent(), world.receipts()), (spent, 2));
}

/// A bonded worker that never says what it serves, for asset 1; how often it was asked.
async fn silent_worker(world: &World) -> Arc<AtomicU64> {
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let router = Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let worker = signer(8).address();
    world.node.state.lock().fund(worker, Amount::from_coins(1_000_000));
    let register = IWorkers::registerWorkerCall { endpoint };
    world.node.pay_as(worker, WORKERS, Amount::from_coins(1_000), &register);
    // Cheaper than the other, so that it would be asked first.
    let serve = IWorkers::serveCall { asset: 1, inputPrice: INPUT, outputPrice: OUTPUT - 2 };
    world.node.pay_as(worker, WORKERS, Amount::ZERO, &serve);
    asked
}

#[tokio::test]
async fn a_worker_that_does_not_answer_holds_up_no_catalogue() {
    let mut world = World::new().await;
    let asked = silent_worker(&world).await;
    // The loop that follows the chain asks nobody: what it reads is there when it returns.
    world.gateway.look(Some(0)).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let model = world.gateway.catalog.find("script-1").unwrap();
    assert_eq!(model.offers.len(), 1);
    // The others are there while it is still silent, also for a gateway that has just begun.
    world.kill_and_restart().await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "once a round");
    assert_eq!(world.gateway.catalog.find("script-1").unwrap().offers.len(), 1);
    world.answer(&chat("served")).await;
}

#[tokio::test]
async fn what_was_delivered_is_charged_when_its_worker_signs_after_all() {
    let mut world = World::new().await;
    world.script.permits.forget_permits(10_000);
    world.script.permits.add_permits(2);
    let stream = world.stream_until("owed", "t1 ").await;
    // The worker's process starts again with its ledger: the gateway finds it where it was.
    world.kill_and_restart().await;
    drop(stream);
    world.script.permits.add_permits(10_000);
    assert_eq!(world.receipts(), 1);
    world.settle().await;
    assert_eq!(Amount::from_u128(world.node.channel(world.channel).settled.to()), world.spent());
}

#[tokio::test]
async fn a_worker_that_never_signs_is_not_paid_and_stops_nobody() {
    let mut world = World::new().await;
    let _worker = world.cheaper_worker("/receipts").await;
    let plain = world.ask(&chat("plain")).send().await.unwrap();
    assert_eq!(plain.status(), 502, "nothing was delivered, and nothing is charged");
    assert_eq!((world.receipts(), world.gateway.owing_channels().len()), (0, 0));
    let mut stream = world.stream_until("stream", "t4 ").await;
    stream.until("\"error\"").await;
    assert_eq!(world.gateway.owing_channels(), [world.channel]);
    // A name whose outcome is open is neither answered nor charged again.
    let mut body = chat("named");
    body["stream"] = json!(true);
    let named = || world.ask(&body).header("idempotency-key", "open").send();
    let text = named().await.unwrap().text().await.unwrap();
    assert!(text.contains("has not signed"), "{text}");
    let again = named().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers().contains_key("retry-after")), (503, true));
    world.settle().await;
    assert_eq!(world.receipts(), 0);
}

#[tokio::test]
async fn a_silent_worker_does_not_freeze_the_gateway() {
    let mut world = World::new().await;
    let _worker = world.cheaper_worker("/jobs").await;
    let waits = tokio::spawn(world.ask(&chat("silent")).send());
    let models = world.http.get(format!("{}/v1/models", world.url)).send().await.unwrap();
    assert_eq!(models.status(), 200);
    assert!(!waits.is_finished(), "the silent worker is asked first");
    assert_eq!(waits.await.unwrap().unwrap().status(), 200, "and then the next");
    world.settle().await;
    assert_eq!(world.node.channel(world.channel).seq.to::<u32>(), 1);
}

#[tokio::test]
async fn twenty_streams_share_eight_places() {
    let world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let mut body = chat("queue");
    body["stream"] = json!(true);
    let streams = (0..20).map(|_| tokio::spawn(world.ask(&body).send())).collect::<Vec<_>>();
    world.until(|world| world.script.starts.load(Ordering::SeqCst) == 8).await;
    world.script.permits.add_permits(10_000);
    for stream in streams {
        let answer = stream.await.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    }
    assert_eq!(world.receipts(), 20);
}

#[tokio::test]
async fn more_than_can_wait_are_told_when_to_come_back() {
    let world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let ask = || tokio::spawn(world.ask(&chat("crowd")).send());
    // Eight run, four times as many wait.
    let crowd = (0..45).map(|_| ask()).collect::<Vec<_>>();
    world.until(|_| crowd.iter().filter(|one| one.is_finished()).count() >= 5).await;
    world.script.permits.add_permits(10_000);
    let mut refused = 0;
    for answer in crowd {
        let answer = answer.await.unwrap().unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("x-ratelimit-limit-requests"), Some("64"));
        assert!(header("x-ratelimit-remaining-tokens").is_some_and(|left| left != "0"));
        assert!(header("x-ratelimit-reset-tokens").is_some_and(|span| span.starts_with("16h0m")));
        if answer.status() == 429 {
            assert_eq!(header("retry-after"), Some("1"));
            refused += 1;
        } else {
            assert_eq!(answer.status(), 200);
        }
    }
    assert_eq!(refused, 5);
}
