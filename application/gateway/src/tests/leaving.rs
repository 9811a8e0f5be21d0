//! A client that leaves pays for what it got; what is forgotten, and when.

use super::world::{World, chat};
use crate::{
    drive::{Call, random},
    openai::{Ask, Endpoint},
    repeat::{Identity, Reply},
    run::Step,
};
use alloy_primitives::{B256, keccak256};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

fn call(world: &World, body: &serde_json::Value) -> Call {
    let body = body.to_string();
    Call {
        account: world.gateway.known_account(world.channel).unwrap(),
        model: world.gateway.catalog.find("script-1").unwrap(),
        ask: Ask::parse(Endpoint::Chat, body.as_bytes()).unwrap(),
        url: "http://gateway/v1/chat/completions".into(),
        purpose: sahara_abi::purpose::INFERENCE,
        body_hash: keccak256(&body),
        identity: Identity::Fresh,
        salt: random(),
    }
}

#[tokio::test]
async fn g5_who_leaves_after_the_worker_has_ended_pays_for_what_it_took() {
    let world = World::new().await;
    let mut body = chat("ended");
    body["stream"] = json!(true);
    let Reply::Live(mut reader) = world.gateway.begin(call(&world, &body)).unwrap() else {
        panic!("it is new")
    };
    for expected in ["t0 ", "t1 "] {
        assert_eq!(reader.next().await, Step::Token(expected.into()));
    }
    // All five tokens and the end are with the gateway, or on the way to it.
    world.until(|world| world.script.is_idle()).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    drop(reader);
    world.until(|world| world.receipts() == 1).await;
    world.settle().await;
    let id = crate::rows::receipt_id(world.channel, sahara_primitives::ReceiptSeq(0));
    let receipt = world.http.get(format!("{}/v1/receipts/{id}", world.url)).send().await.unwrap();
    let receipt: serde_json::Value = receipt.json().await.unwrap();
    assert_eq!(receipt["usage"]["completion_tokens"], 2, "{receipt}");
}

#[tokio::test]
async fn g5_a_plain_answer_that_nobody_came_back_for_is_not_charged() {
    let world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let asking = tokio::spawn(world.ask(&chat("left")).send());
    world.until(|world| world.script.starts.load(Ordering::SeqCst) == 1).await;
    asking.abort();
    let has_reader = |world: &World| {
        let runs = world.gateway.runs.lock();
        runs.by_id.values().any(|run| run.audience().is_present)
    };
    world.until(|world| !has_reader(world)).await;
    world.script.permits.add_permits(10_000);
    world.until(|world| world.gateway.runs.lock().by_id.is_empty()).await;
    assert_eq!((world.receipts(), world.script.is_idle()), (0, true));
    assert_eq!(world.gateway.store().requests.iter().count(), 0);
}

#[tokio::test]
async fn old_answers_and_requests_are_forgotten() {
    const DAY: u64 = 86_400_000;
    let mut world = World::new().await;
    let named = |world: &World| world.ask(&chat("named")).header("idempotency-key", "n").send();
    assert_eq!(named(&world).await.unwrap().status(), 200);
    world.answer(&chat("fresh")).await;
    let rows = |world: &World| {
        let store = world.gateway.store();
        [&store.requests, &store.results, &store.twins].map(|space| space.iter().count())
    };
    world.now.fetch_add(DAY - 1_000, Ordering::SeqCst);
    world.gateway.purge().unwrap();
    assert_eq!(rows(&world), [2, 2, 2]);
    world.now.fetch_add(2_000, Ordering::SeqCst);
    world.gateway.purge().unwrap();
    assert_eq!(rows(&world), [1, 0, 0], "the name is remembered, its answer is not");
    assert_eq!(named(&world).await.unwrap().status(), 404);
    world.kill_and_restart().await;
    world.now.fetch_add(30 * DAY, Ordering::SeqCst);
    world.gateway.purge().unwrap();
    assert_eq!(rows(&world), [0, 0, 0]);
    assert_eq!(world.gateway.store().receipts.iter().count(), 2, "receipts stay");
}

#[tokio::test]
async fn two_requests_of_a_reservation_that_is_not_open_share_one_account() {
    let world = World::new().await;
    let reservation = sahara_abi::IChannels::Reservation {
        payer: world.payer.address(),
        gateway: world.gateway.address(),
        amount: "1000".parse().unwrap(),
        nonce: 1,
        validUntil: u64::MAX,
    };
    let authority = || crate::rows::Authority::Reservation {
        reservation: reservation.clone(),
        signature: Default::default(),
    };
    let channel = sahara_primitives::ChannelId(B256::repeat_byte(3));
    let first = world.gateway.account(channel, authority()).await.unwrap();
    let second = world.gateway.account(channel, authority()).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    drop((first, second));
    assert!(world.gateway.known_account(channel).is_none());
}

#[tokio::test]
async fn requests_are_told_to_who_paid_the_newest_of_all_keys_first() {
    let mut world = World::new().await;
    let grant = sahara_abi::IChannels::KeyGrant {
        keyId: keccak256("sk-other"),
        nonce: 77,
        ..world.grant(10, 10)
    };
    let other = world.register_key(&grant).await;
    for (index, text) in ["one", "two", "three", "four"].iter().enumerate() {
        world.now.fetch_add(1_000, Ordering::SeqCst);
        let secret = if index % 2 == 0 { super::world::SECRET } else { "sk-other" };
        let answer = world.ask_with(secret, &chat(text)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        // Read to its end, or it is a client that left.
        answer.bytes().await.unwrap();
    }
    let payer = world.payer.address();
    let told = |world: &World| world.gateway.requests_of(payer).unwrap();
    let all = told(&world);
    let channels: Vec<_> = all.iter().map(|used| used.channel).collect();
    assert_eq!(channels, [other, world.channel, other, world.channel]);
    assert!(all.is_sorted_by(|one, next| one.created > next.created), "{all:?}");
    let stranger = alloy_primitives::Address::repeat_byte(9);
    assert!(world.gateway.requests_of(stranger).unwrap().is_empty());
    world.kill_and_restart().await;
    let receipts =
        |all: &[crate::Used]| -> Vec<_> { all.iter().map(|used| used.receipt.clone()).collect() };
    assert_eq!(receipts(&told(&world)), receipts(&all), "and after a restart");
}
