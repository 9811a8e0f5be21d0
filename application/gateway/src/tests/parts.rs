//! Claims that take more than a transaction may have: an asset with many ancestors costs what they do.

use super::world::{World, chat};
use std::sync::atomic::Ordering;

fn stores(world: &World) -> u64 {
    world.node.state.lock().count.stores
}

/// What settling writes now.
async fn settling(world: &World) -> u64 {
    let before = stores(world);
    world.settle().await;
    stores(world) - before
}

fn blocks(world: &World) -> usize {
    world.node.blocks().len()
}

#[tokio::test]
async fn claims_that_are_too_much_together_are_settled_in_parts() {
    let world = World::new().await;
    world.answer(&chat("one")).await;
    let one = settling(&world).await;
    let channels = world.answer_new_keys(8, &chat("one")).await;
    // About three of them.
    world.node.most_stores.store(3 * one, Ordering::SeqCst);
    let before = blocks(&world);
    world.settle().await;
    assert!(world.gateway.unsettled.lock().is_empty());
    let transactions = blocks(&world) - before;
    assert!((2..=8).contains(&transactions), "{transactions}");
    for channel in channels {
        assert_eq!(world.node.channel(channel).seq.to::<u32>(), 1);
    }
}

#[tokio::test]
async fn a_claim_that_is_too_much_alone_is_settled_with_fewer_lines() {
    let mut world = World::new().await;
    world.answer(&chat("warm")).await;
    world.settle().await;
    world.answer(&chat("one line")).await;
    let one = settling(&world).await;
    world.answer(&chat("the first worker")).await;
    let _worker = world.cheaper_worker("").await;
    world.answer(&chat("the second worker")).await;
    let account = world.gateway.known_account(world.channel).unwrap();
    assert_eq!(world.gateway.prepare(&account).unwrap().unwrap().claim.lines.len(), 2);
    world.node.most_stores.store(one, Ordering::SeqCst);
    let before = blocks(&world);
    world.settle().await;
    assert_eq!(blocks(&world) - before, 2);
    assert_eq!(world.node.channel(world.channel).seq.to::<u32>(), 4);
    assert_eq!(account.row().settled, world.spent());
}

#[tokio::test]
async fn a_claim_that_no_transaction_takes_waits() {
    let world = World::new().await;
    world.answer(&chat("waits")).await;
    world.node.most_stores.store(1, Ordering::SeqCst);
    world.settle().await;
    assert_eq!(world.gateway.unsettled.lock().len(), 1, "not lost, and settling ends");
    world.node.most_stores.store(u64::MAX, Ordering::SeqCst);
    world.settle().await;
    assert!(world.gateway.unsettled.lock().is_empty());
}
