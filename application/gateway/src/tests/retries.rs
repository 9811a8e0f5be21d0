use super::world::{NOW, World, chat};
use alloy_sol_types::SolCall;
use sahara_abi::{IWorkers, WORKERS};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

async fn text(response: reqwest::RequestBuilder) -> (u16, Value) {
    let response = response.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn g4_an_id_returns_one_result_for_one_charge() {
    let mut world = World::new().await;
    let named = |world: &World, body: &Value| world.ask(body).header("idempotency-key", "a");
    let (status, first) = text(named(&world, &chat("once"))).await;
    assert_eq!(status, 200, "{first}");
    for _ in 0..2 {
        let (_, again) = text(named(&world, &chat("once"))).await;
        assert_eq!(again, first);
        assert_eq!(world.receipts(), 1);
        world.kill_and_restart().await;
    }
    let (status, other) = text(named(&world, &chat("other"))).await;
    assert_eq!((status, &other["error"]["code"]), (422, &json!("idempotency_key_reused")));
    assert_eq!(world.script.starts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn g4_a_result_is_the_same_however_long_its_channel_took_to_open() {
    let world = World::new().await;
    world.node.block_milliseconds.store(3_500, Ordering::SeqCst);
    let named = || world.ask(&chat("slow chain")).header("idempotency-key", "a");
    let (status, first) = text(named()).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["created"], NOW / 1_000, "when it was asked for");
    assert_eq!(text(named()).await.1, first);
}

#[tokio::test]
async fn g4_an_id_keeps_its_result_when_nobody_serves_the_model_any_more() {
    let world = World::new().await;
    let named = |name: &str| world.ask(&chat("gone")).header("idempotency-key", name);
    let (status, first) = text(named("a")).await;
    assert_eq!(status, 200, "{first}");
    let unserve = IWorkers::unserveCall { asset: 1 }.abi_encode();
    world.node.send_as(world.worker, WORKERS, &unserve);
    world.catch_up().await;
    assert_eq!(text(named("b")).await.0, 404);
    assert_eq!(text(named("a")).await, (200, first));
}

#[tokio::test]
async fn who_heard_a_refusal_does_not_join_it() {
    let world = World::new().await;
    let dear = |tokens: u32| {
        let mut body = chat("dear");
        body["max_tokens"] = json!(tokens);
        world.ask(&body).header("idempotency-key", "a")
    };
    let mut grant = world.grant(1, 1);
    grant.maxTotal = "1000000000000000".parse().unwrap();
    world.register_key(&grant).await;
    for _ in 0..20 {
        assert_eq!(text(dear(900)).await.0, 402);
        assert!(world.gateway.runs.lock().by_id.is_empty());
    }
    // Nothing was done under the name: it is free for another body.
    let (status, answer) = text(dear(1)).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn g4_an_id_that_runs_is_joined() {
    let world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let named = |body: &Value| world.ask(body).header("idempotency-key", "a");
    let first = tokio::spawn(text(named(&chat("join"))));
    world.until(|world| world.script.starts.load(Ordering::SeqCst) == 1).await;
    let second = tokio::spawn(text(named(&chat("join"))));
    let (status, _) = text(named(&chat("another"))).await;
    assert_eq!(status, 422);
    world.script.permits.add_permits(100);
    assert_eq!(first.await.unwrap(), second.await.unwrap());
    assert_eq!((world.receipts(), world.script.starts.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn g2_a_stock_clients_retry_joins_within_a_minute() {
    let mut world = World::new().await;
    let retry = |world: &World| world.ask(&chat("retry")).header("x-stainless-retry-count", "1");
    let (_, first) = text(world.ask(&chat("retry"))).await;
    world.now.fetch_add(59_000, Ordering::SeqCst);
    assert_eq!(text(retry(&world)).await.1["id"], first["id"]);
    world.kill_and_restart().await;
    assert_eq!(text(retry(&world)).await.1["id"], first["id"]);
    assert_eq!(world.receipts(), 1);
    let without = world.ask(&chat("retry")).header("x-stainless-retry-count", "0");
    assert_ne!(text(without).await.1["id"], first["id"]);
    world.now.fetch_add(61_000, Ordering::SeqCst);
    assert_ne!(text(retry(&world)).await.1["id"], first["id"]);
    assert_eq!(world.receipts(), 3);
}

#[tokio::test]
async fn g2_a_retry_joins_the_attempt_whose_client_gave_up() {
    let world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let first = tokio::spawn(world.ask(&chat("slow")).send());
    world.until(|world| world.script.starts.load(Ordering::SeqCst) == 1).await;
    first.abort();
    let retry = world.ask(&chat("slow")).header("x-stainless-retry-count", "1");
    let retry = tokio::spawn(text(retry));
    world.script.permits.add_permits(100);
    assert_eq!(retry.await.unwrap().0, 200);
    assert_eq!((world.receipts(), world.script.starts.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn g1_parallel_requests_never_pass_the_cap() {
    let world = World::new().await;
    let answers = (0..6).map(|number| {
        let mut body = chat(&format!("parallel {number}"));
        body["max_tokens"] = json!(400);
        world.ask(&body).send()
    });
    let answers = futures::future::join_all(answers).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|one| one.status() == 200)));
    world.settle().await;
    let channel = world.node.channel(world.channel);
    assert_eq!(channel.seq.to::<u32>(), 6);
    assert!(channel.settled <= channel.deposit);
}
