//! How much of a gateway one payer may take, and how long it may stand still.

use super::world::{NOW, SECRET, World, chat, signer};
use crate::{
    Bounds, Patience,
    listen::{Listened, is_taken, listen},
    run::Run,
};
use alloy_primitives::B256;
use sahara_abi::{CHANNELS, IChannels};
use sahara_compute::{Input, Job, Sampling};
use sahara_primitives::{Amount, Milliseconds};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// The stall of these tests.
const BRIEF: Patience = Patience { stall: Duration::from_millis(50), ..super::world::PATIENCE };
/// Whatever ends, ends within it.
const SOON: Duration = Duration::from_secs(20);

async fn bounded(bounds: Bounds) -> World {
    let mut world = World::new().await;
    world.bounds = bounds;
    world.kill_and_restart().await;
    world
}

#[test]
fn the_bounds_are_what_the_spec_says() {
    assert_eq!(Bounds::default(), Bounds { channels_per_payer: 1_000, parallel: 64 });
    assert_eq!(Patience::default().stall, Duration::from_secs(60));
}

#[tokio::test]
async fn a_payer_has_so_many_keys_and_no_more() {
    let world = bounded(Bounds { channels_per_payer: 3, ..Bounds::default() }).await;
    // The world registered one.
    for nonce in [21, 22] {
        world.register_key(&world.grant(nonce, 5)).await;
    }
    let refused = world.post_key(&world.grant(23, 5)).await;
    assert_eq!(refused.status(), 403);
    let error: serde_json::Value = refused.json().await.unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("has 3 keys here"), "{error}");
    // One that is known may come again.
    world.register_key(&world.grant(22, 5)).await;
}

#[tokio::test]
async fn a_key_stays_with_the_payer_who_bound_it() {
    let mut world = World::new().await;
    let fund = IChannels::fundCall { payer: signer(9).address() };
    world.node.state.lock().fund(signer(9).address(), Amount::from_coins(10));
    world.node.pay_as(signer(9).address(), CHANNELS, Amount::from_coins(5), &fund);
    // The id of the key stands in the opening of its channel, for everybody to read.
    let stolen = IChannels::KeyGrant { payer: signer(9).address(), ..world.grant(2, 1) };
    let refused = world.post_key_of(&signer(9), &stolen).await;
    assert_eq!(refused.status(), 409);
    let error: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(error["error"]["code"], "key_taken", "{error}");
    world.answer(&chat("one")).await;
    assert!(!world.spent().is_zero());
    // Its payer may give it other limits; and nobody else after a restart either.
    let channel = world.register_key(&world.grant(11, 6)).await;
    world.kill_and_restart().await;
    assert_eq!(world.gateway.account_of_key(SECRET).unwrap().channel, channel);
    assert_eq!(world.post_key_of(&signer(9), &stolen).await.status(), 409);
}

#[tokio::test]
async fn a_key_has_so_many_requests_at_a_time_and_no_more() {
    let world = bounded(Bounds { parallel: 2, ..Bounds::default() }).await;
    world.script.permits.forget_permits(10_000);
    let running: Vec<_> =
        ["one", "two"].map(|text| tokio::spawn(world.ask(&chat(text)).send())).into();
    world.until(|world| world.script.starts.load(Ordering::SeqCst) == 2).await;
    let refused = world.ask(&chat("three")).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-limit-requests"], "2");
    assert_eq!(refused.headers()["x-ratelimit-remaining-requests"], "0");
    world.script.permits.add_permits(100);
    for answer in running {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    world.until(|world| world.gateway.runs.lock().of(world.channel) == 0).await;
    assert_eq!(world.answer(&chat("three")).await["choices"][0]["finish_reason"], "stop");
}

fn run(world: &World) -> Arc<Run> {
    let ids = [1, 2, 3].map(B256::repeat_byte);
    Run::new((ids[0], ids[1], ids[2]), world.channel, true, (Milliseconds(0), "script-1".into()))
}

#[tokio::test]
async fn a_stream_that_nobody_takes_from_has_been_left() {
    let world = World::new().await;
    let model = world.gateway.catalog.find("script-1").unwrap();
    let offer = &model.offers[0];
    let job = Job {
        id: B256::repeat_byte(1),
        channel: world.channel,
        asset: model.asset,
        input: Input::Text("say much".into()),
        max_tokens: 500,
        is_flexible: false,
        max_prompt_tokens: 100,
        sampling: Sampling::default(),
        stop: Vec::new(),
        worker_prices: offer.prices,
        asset_prices: model.prices,
    };
    world.script.length.store(500, Ordering::SeqCst);
    let mut stream = offer.worker.start(&job, Milliseconds(NOW)).await.unwrap();
    stream.next().await.unwrap();
    let run = run(&world);
    let _reader = run.reader();
    let ended = timeout(SOON, listen(&run, &mut stream, job.max_tokens, BRIEF)).await.unwrap();
    assert!(matches!(ended, Listened::ClientLeft));
    assert!(run.audience().is_behind, "it had been given a window");
    assert_eq!(run.close().len(), 0, "nothing was delivered");
}

#[tokio::test]
async fn g1_a_worker_that_writes_more_than_is_paid_for_is_cut_off() {
    let world = World::new().await;
    world.script.is_greedy.store(true, Ordering::SeqCst);
    world.script.length.store(1_000, Ordering::SeqCst);
    let mut body = chat("little");
    body["max_tokens"] = serde_json::json!(3);
    let refused = world.ask(&body).send().await.unwrap();
    assert_eq!(refused.status(), 502);
    assert_eq!((world.receipts(), world.spent()), (0, Amount::ZERO), "nothing was delivered");
    body["stream"] = true.into();
    let text = world.ask(&body).send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("t3 "), "the fourth token: {text}");
    assert!(text.contains("more tokens than are paid for"), "{text}");
    // What was delivered is charged, within what was held for it; nothing after it is held up.
    world.until(|world| world.gateway.runs.lock().of(world.channel) == 0).await;
    let row = world.gateway.known_account(world.channel).unwrap().row();
    assert!(row.spent <= row.deposit, "{} of {}", row.spent, row.deposit);
    world.script.is_greedy.store(false, Ordering::SeqCst);
    world.script.length.store(5, Ordering::SeqCst);
    world.answer(&chat("more")).await;
    world.settle().await;
    let settled: u128 = world.node.channel(world.channel).settled.to();
    assert_eq!(Amount::from_u128(settled), world.spent());
}

#[tokio::test]
async fn the_end_of_a_stream_that_nobody_takes_waits_as_long_and_no_longer() {
    let ids = [1, 2, 3].map(B256::repeat_byte);
    let run = Run::new(
        (ids[0], ids[1], ids[2]),
        Default::default(),
        true,
        (Milliseconds(0), String::new()),
    );
    run.push("last");
    let mut reader = run.reader();
    assert!(!timeout(SOON, is_taken(&run, BRIEF)).await.unwrap());
    assert!(timeout(BRIEF.stall, is_taken(&run, Patience::default())).await.is_err());
    reader.next().await;
    assert!(timeout(SOON, is_taken(&run, Patience::default())).await.unwrap());
}
