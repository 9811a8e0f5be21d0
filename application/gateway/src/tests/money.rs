use super::world::{INPUT, OUTPUT, World, chat, units};
use sahara_abi::INCENTIVE_POOL;
use sahara_primitives::{Amount, BasisPoints};
use serde_json::json;

fn part(input: u128, output: u128, prompt: u128, completion: u128) -> u128 {
    (prompt * input + completion * output).div_ceil(1_000_000)
}

#[tokio::test]
async fn one_answer_pays_everyone_to_the_unit() {
    let world = World::new().await;
    let creator = super::world::signer(4).address();
    let gateway = world.gateway.address();
    let before =
        [world.worker, creator, gateway, INCENTIVE_POOL].map(|who| world.node.balance(who));
    let answer = world.answer(&chat("one two three")).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "t0 t1 t2 t3 t4 ");
    let (worker, asset) = (part(INPUT, OUTPUT, 7, 5), part(INPUT / 2, OUTPUT / 2, 7, 5));
    let fee = |points| {
        BasisPoints::constant(points).of(units(worker + asset)).unwrap().to_u128().unwrap()
    };
    let total = worker + asset + fee(100) + fee(200);
    assert_eq!(answer["usage"]["cost_base_units"], total.to_string());
    world.settle().await;
    let after = [world.worker, creator, gateway, INCENTIVE_POOL].map(|who| world.node.balance(who));
    let gained: Vec<_> = before
        .iter()
        .zip(after)
        .map(|(before, after)| after.checked_sub(*before).unwrap())
        .collect();
    assert_eq!(gained, [worker, asset, fee(200), fee(100)].map(units));
    assert_eq!(Amount::from_u128(world.node.channel(world.channel).settled.to()), units(total));
    let id = answer["usage"]["receipt"].as_str().unwrap();
    let receipt = world.http.get(format!("{}/v1/receipts/{id}", world.url)).send().await.unwrap();
    let receipt: serde_json::Value = receipt.json().await.unwrap();
    assert_eq!(receipt["state"], "settled", "{receipt}");
    let paid: u128 = receipt["payees"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|payee| payee["kind"] != "member")
        .map(|payee| payee["amount_base_units"].as_str().unwrap().parse::<u128>().unwrap())
        .sum();
    assert_eq!(paid, total, "{receipt}");
}

#[tokio::test]
async fn g5_a_client_that_leaves_a_stream_pays_for_what_it_got() {
    use futures::StreamExt;
    let world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let mut body = chat("leave");
    body["stream"] = json!(true);
    world.script.permits.add_permits(2);
    let mut stream = world.ask(&body).send().await.unwrap().bytes_stream();
    let mut text = String::new();
    while !text.contains("t1 ") {
        text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    drop(stream);
    world.script.permits.add_permits(1);
    world.until(|world| !world.gateway.unsettled.lock().is_empty()).await;
    world.settle().await;
    let settled: u128 = world.node.channel(world.channel).settled.to();
    let bounds = [2, 3]
        .map(|tokens| part(INPUT, OUTPUT, 5, tokens) + part(INPUT / 2, OUTPUT / 2, 5, tokens));
    assert!(settled >= bounds[0] && settled <= bounds[1] * 104 / 100, "{settled} {bounds:?}");
}

#[tokio::test]
async fn g2_killed_mid_stream_it_charges_what_was_delivered_once() {
    use futures::StreamExt;
    let mut world = World::new().await;
    world.script.permits.forget_permits(10_000);
    world.script.permits.add_permits(3);
    let mut body = chat("kill");
    body["stream"] = json!(true);
    let mut stream = world.ask(&body).send().await.unwrap().bytes_stream();
    let mut text = String::new();
    while !text.contains("t2 ") {
        text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    world.kill_and_restart().await;
    assert_eq!(world.receipts(), 1);
    let spent = world.spent();
    world.kill_and_restart().await;
    assert_eq!((world.receipts(), world.spent()), (1, spent));
    world.settle().await;
    assert_eq!(Amount::from_u128(world.node.channel(world.channel).settled.to()), spent);
    let base = part(INPUT, OUTPUT, 5, 3) + part(INPUT / 2, OUTPUT / 2, 5, 3);
    assert_eq!(world.node.channel(world.channel).base.to::<u128>(), base);
}

#[tokio::test]
async fn g2_killed_before_work_it_charges_nothing() {
    let mut world = World::new().await;
    world.script.permits.forget_permits(10_000);
    let pending = tokio::spawn(world.ask(&chat("before")).send());
    world.until(|world| world.script.starts.load(std::sync::atomic::Ordering::SeqCst) == 1).await;
    world.kill_and_restart().await;
    pending.abort();
    assert_eq!((world.receipts(), world.spent()), (0, Amount::ZERO));
}

#[tokio::test]
async fn g3_whoever_has_a_token_has_it_reserved_in_final_state_and_on_disk() {
    let mut world = World::new().await;
    world.script.permits.forget_permits(10_000);
    world.script.permits.add_permits(1);
    let blocks = world.node.blocks().len();
    let stream = world.stream_until("reserved", "t0 ").await;
    assert_eq!(world.node.blocks().len(), blocks + 1, "the reservation is final");
    let one = part(INPUT, OUTPUT, 5, 1) + part(INPUT / 2, OUTPUT / 2, 5, 1);
    assert!(world.node.channel(world.channel).deposit.to::<u128>() >= one);
    world.kill_and_restart().await;
    assert_eq!(world.receipts(), 1, "what was on disk at that moment is charged");
    drop(stream);
}

#[tokio::test]
async fn g3_whoever_has_an_answer_has_its_receipt_on_disk() {
    let mut world = World::new().await;
    for count in 1..4 {
        world.answer(&chat("ended")).await;
        world.kill_and_restart().await;
        assert_eq!(world.receipts(), count);
    }
}

#[tokio::test]
async fn g2_killed_after_persisting_or_submitting_it_settles_once() {
    let mut world = World::new().await;
    let first = world.answer(&chat("persisted")).await;
    world.kill_and_restart().await;
    world.settle().await;
    let spent = world.spent();
    let settled = |world: &World| Amount::from_u128(world.node.channel(world.channel).settled.to());
    assert_eq!(settled(&world), spent);
    world.answer(&chat("submitted")).await;
    world.kill_after_claim().await;
    world.settle().await;
    assert_eq!(settled(&world), world.spent());
    assert_eq!(world.node.channel(world.channel).seq.to::<u32>(), 2);
    let id = first["usage"]["receipt"].as_str().unwrap();
    assert!(id.ends_with("_0"));
}

#[tokio::test]
async fn g2_a_claim_whose_reply_is_lost_is_found_on_chain() {
    let world = World::new().await;
    world.answer(&chat("lost")).await;
    world.node.is_deaf.store(true, std::sync::atomic::Ordering::SeqCst);
    world.settle().await;
    world.settle().await;
    let row = world.gateway.known_account(world.channel).unwrap().row();
    assert_eq!((row.settled_seq.0, row.settled), (1, world.spent()));
    assert_eq!(world.node.channel(world.channel).seq.to::<u32>(), 1);
}

#[tokio::test]
async fn g1_a_request_that_the_deposit_does_not_cover_is_refused_before_work() {
    let world = World::new().await;
    let mut body = chat("poor");
    body["max_tokens"] = json!(900);
    world
        .register_key(&{
            let mut grant = world.grant(1, 1);
            grant.maxTotal = "1000000000000000".parse().unwrap();
            grant
        })
        .await;
    let response = world.ask(&body).send().await.unwrap();
    assert_eq!(response.status(), 402);
    let error: serde_json::Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], "insufficient_quota");
    assert_eq!(world.script.starts.load(std::sync::atomic::Ordering::SeqCst), 0);
    // Without a limit of its own it gets what the money suffices for.
    let answer = world.answer(&chat("poor")).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn a_channel_that_its_payer_closes_serves_no_more() {
    use alloy_sol_types::SolCall;
    use sahara_abi::{CHANNELS, IChannels};
    let world = World::new().await;
    world.answer(&chat("open")).await;
    let call = IChannels::requestCloseCall { channelId: world.channel.0 }.abi_encode();
    world.node.send_as(world.payer.address(), CHANNELS, &call);
    world.gateway.look(Some(0)).await.unwrap();
    let response = world.ask(&chat("closed")).send().await.unwrap();
    assert_eq!(response.status(), 401);
    world.settle().await;
    assert_eq!(Amount::from_u128(world.node.channel(world.channel).settled.to()), world.spent());
}
