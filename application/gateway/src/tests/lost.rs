//! A gateway whose records are lost or old goes on from what the chain knows.

use super::world::{World, chat};
use sahara_primitives::Amount;
use tempfile::TempDir;

fn seq_of(answer: &serde_json::Value) -> u32 {
    let id = answer["usage"]["receipt"].as_str().unwrap();
    id.rsplit('_').next().unwrap().parse().unwrap()
}

fn settled(world: &World) -> Amount {
    Amount::from_u128(world.node.channel(world.channel).settled.to())
}

#[tokio::test]
async fn g6_a_lost_store_goes_on_from_the_chain_and_uses_no_number_again() {
    let mut world = World::new().await;
    world.answer(&chat("one")).await;
    world.answer(&chat("two")).await;
    world.settle().await;
    // Signed by both, known to the client, and lost before it was collected.
    let lost = world.answer(&chat("lost")).await;
    let before = settled(&world);
    world.restart_with(TempDir::new().unwrap()).await;
    world.register_key(&world.grant(10, 5)).await;
    assert_eq!(world.spent(), before, "what the chain has collected is spent");
    let answer = world.answer(&chat("three")).await;
    assert!(seq_of(&answer) > seq_of(&lost), "{answer}");
    world.settle().await;
    assert_eq!(settled(&world), world.spent());
    let cost = answer["usage"]["cost_base_units"].as_str().unwrap().parse().unwrap();
    assert_eq!(settled(&world).checked_sub(before).unwrap(), super::world::units(cost));
    let receipt =
        format!("{}/v1/receipts/{}", world.url, answer["usage"]["receipt"].as_str().unwrap());
    let receipt: serde_json::Value =
        world.http.get(receipt).send().await.unwrap().json().await.unwrap();
    assert_eq!(receipt["state"], "settled");
}

#[tokio::test]
async fn g6_an_older_store_goes_on_from_the_chain() {
    let mut world = World::new().await;
    world.answer(&chat("one")).await;
    world.settle().await;
    let old = world.copy_store();
    world.answer(&chat("two")).await;
    let last = world.answer(&chat("three")).await;
    world.settle().await;
    world.restart_with(old).await;
    assert_eq!(world.spent(), settled(&world));
    let answer = world.answer(&chat("four")).await;
    assert!(seq_of(&answer) > seq_of(&last), "{answer}");
    world.settle().await;
    assert_eq!(settled(&world), world.spent());
}

#[tokio::test]
async fn g6_a_worker_tells_an_older_store_which_numbers_are_used() {
    let mut world = World::new().await;
    world.answer(&chat("one")).await;
    world.settle().await;
    let old = world.copy_store();
    let lost = world.answer(&chat("not collected")).await;
    world.restart_with(old).await;
    let answer = world.answer(&chat("two")).await;
    assert!(seq_of(&answer) > seq_of(&lost), "{answer}");
    world.settle().await;
    assert_eq!(settled(&world), world.spent());
}
