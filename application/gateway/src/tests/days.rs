//! A key's daily cap: the chain counts claims on the day of their block, whenever the work was done.

use super::world::{NOW, World, chat};
use alloy_primitives::U256;
use sahara_abi::{CHANNELS, IChannels};
use sahara_primitives::ChannelId;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// From the world's beginning, at 8 in the morning, to a minute before midnight.
const TO_MIDNIGHT: u64 = 57_540_000;
const DAY: u64 = 86_400_000;

fn short() -> Value {
    let mut body = chat("a day");
    body["max_tokens"] = json!(5);
    body
}

/// A key whose daily cap pays for two short answers, the second with room for what it may cost.
async fn two_a_day(world: &World) -> ChannelId {
    let mut grant = world.grant(10, 5);
    grant.maxPerDay = "500000000000000".parse().unwrap();
    assert_eq!(NOW % DAY, DAY - TO_MIDNIGHT - 60_000);
    world.register_key(&grant).await
}

async fn status(world: &World) -> u16 {
    world.ask(&short()).send().await.unwrap().status().as_u16()
}

fn used_today(world: &World, channel: ChannelId) -> U256 {
    let call = IChannels::grantUseCall { channelId: channel.0 };
    U256::from(world.node.view(CHANNELS, &call).today)
}

#[tokio::test]
async fn g1_work_of_the_evening_counts_for_the_day_it_is_collected() {
    let mut world = World::new().await;
    world.channel = two_a_day(&world).await;
    world.now.fetch_add(TO_MIDNIGHT, Ordering::SeqCst);
    assert_eq!([status(&world).await, status(&world).await], [200, 200]);
    assert_eq!(status(&world).await, 402, "the day's cap is used up");
    world.now.fetch_add(180_000, Ordering::SeqCst);
    assert_eq!(status(&world).await, 402, "what is not collected takes of the new day's cap");
    world.settle().await;
    let row = world.gateway.known_account(world.channel).unwrap().row();
    assert_eq!((row.settled, row.settled_seq.0), (world.spent(), 2));
    assert_eq!(used_today(&world, world.channel), world.spent().base_units());
    assert_eq!(status(&world).await, 402, "it was collected today");
    world.now.fetch_add(DAY, Ordering::SeqCst);
    assert_eq!([status(&world).await, status(&world).await], [200, 200]);
    world.settle().await;
    assert_eq!(world.node.channel(world.channel).seq.to::<u32>(), 4);
}

#[tokio::test]
async fn a_day_that_has_begun_here_may_not_have_begun_on_the_chain() {
    let mut world = World::new().await;
    world.channel = two_a_day(&world).await;
    world.now.fetch_add(TO_MIDNIGHT, Ordering::SeqCst);
    assert_eq!([status(&world).await, status(&world).await], [200, 200]);
    world.settle().await;
    world.now.fetch_add(90_000, Ordering::SeqCst);
    assert_eq!(status(&world).await, 402, "the chain's clock may be a minute behind");
    world.now.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(status(&world).await, 200);
}

#[tokio::test]
async fn a_backlog_above_a_days_cap_is_collected_in_parts() {
    let mut world = World::new().await;
    world.channel = two_a_day(&world).await;
    assert_eq!(status(&world).await, 200);
    world.settle().await;
    // As a store that does not know what was collected today.
    let account = world.gateway.known_account(world.channel).unwrap();
    account.update(world.gateway.store(), |row| row.day = (0, Default::default())).unwrap();
    assert_eq!([status(&world).await, status(&world).await], [200, 200]);
    world.settle().await;
    let seq = |world: &World| world.node.channel(world.channel).seq.to::<u32>();
    assert_eq!(seq(&world), 2, "what fits is collected");
    world.settle().await;
    assert_eq!(seq(&world), 2);
    world.now.fetch_add(DAY, Ordering::SeqCst);
    world.settle().await;
    assert_eq!(seq(&world), 3);
    assert_eq!(account.row().settled, world.spent());
}

#[tokio::test]
async fn more_channels_than_a_transaction_takes_are_settled() {
    let world = World::new().await;
    let channels = world.answer_new_keys(40, &short()).await;
    assert_eq!(world.gateway.unsettled.lock().len(), 40);
    world.settle().await;
    assert!(world.gateway.unsettled.lock().is_empty());
    for channel in channels {
        assert_eq!(world.node.channel(channel).seq.to::<u32>(), 1);
    }
}
