use super::world::{COIN, World};
use crate::Failure;
use alloy_primitives::{B256, aliases::U96};
use sahara_abi::{CHANNELS, IChannels};

fn opened() -> (World, B256) {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let id = world.open(&world.reservation(0, 4 * COIN)).unwrap();
    (world, id)
}

fn request(id: B256) -> IChannels::requestCloseCall {
    IChannels::requestCloseCall { channelId: id }
}

fn close(id: B256) -> IChannels::closeCall {
    IChannels::closeCall { channelId: id }
}

#[test]
fn a_gateway_closes_at_once_and_the_rest_is_free_again() {
    let (mut world, id) = opened();
    let line = world.line(id, 1, 0, (COIN, 0));
    let claim = world.claim(id, vec![line]);
    world.collect(&[claim]).unwrap();
    world.call(world.gateways[0], CHANNELS, close(id)).unwrap();
    let charged = COIN + COIN / 100;
    assert_eq!(world.free(world.payers[0]), 10 * COIN - charged);
    let channel = world.channel(id).unwrap();
    assert!(channel.isClosed);
    assert_eq!((channel.settled, channel.deposit), (U96::from(charged), U96::from(charged)));
}

#[test]
fn after_the_delay_anyone_closes() {
    let (mut world, id) = opened();
    let anyone = world.stranger;
    let refused: Failure = IChannels::CloseNotRequested { channelId: id }.into();
    assert_eq!(world.call(anyone, CHANNELS, close(id)).map(drop), Err(refused));
    world.call(world.payers[0], CHANNELS, request(id)).unwrap();
    let closable_at = world.now() + 3_600;
    world.wait(3_599);
    let refused: Failure =
        IChannels::TooEarly { closableAt: closable_at, timestamp: world.now() }.into();
    assert_eq!(world.call(anyone, CHANNELS, close(id)).map(drop), Err(refused));
    world.wait(1);
    world.call(anyone, CHANNELS, close(id)).unwrap();
    assert_eq!(world.free(world.payers[0]), 10 * COIN);
}

#[test]
fn only_the_payer_asks_for_the_rest_and_only_once() {
    let (mut world, id) = opened();
    let payer = world.payers[0].address;
    for other in [world.gateways[0], world.stranger, world.payers[1]] {
        let refused: Failure = IChannels::NotPayer { caller: other.address, payer }.into();
        assert_eq!(world.call(other, CHANNELS, request(id)).map(drop), Err(refused));
    }
    world.call(world.payers[0], CHANNELS, request(id)).unwrap();
    let closable_at = world.now() + 3_600;
    world.wait(10);
    let refused: Failure =
        IChannels::ChannelClosing { channelId: id, closableAt: closable_at }.into();
    assert_eq!(world.call(world.payers[0], CHANNELS, request(id)).map(drop), Err(refused));
}

#[test]
fn a_claim_wins_the_race_when_it_is_ordered_before_the_close() {
    let (mut world, id) = opened();
    let line = world.line(id, 1, 0, (COIN, 0));
    let claim = world.claim(id, vec![line]);
    world.call(world.payers[0], CHANNELS, request(id)).unwrap();
    world.wait(3_600);

    let mut closed_first = world.clone();
    closed_first.call(closed_first.stranger, CHANNELS, close(id)).unwrap();
    let refused = IChannels::ChannelClosed { channelId: id };
    assert_eq!(closed_first.collect(std::slice::from_ref(&claim)), Err(refused.into()));
    assert_eq!(closed_first.free(world.payers[0]), 10 * COIN);

    world.collect(&[claim]).unwrap();
    world.call(world.stranger, CHANNELS, close(id)).unwrap();
    assert_eq!(world.free(world.payers[0]), 9 * COIN - COIN / 100);
}

#[test]
fn a_closed_channel_stays_as_it_is() {
    let (mut world, id) = opened();
    world.call(world.gateways[0], CHANNELS, close(id)).unwrap();
    let before = world.channel(id).unwrap();
    let refused: Failure = IChannels::ChannelClosed { channelId: id }.into();
    for from in [world.gateways[0], world.payers[0], world.stranger] {
        assert_eq!(world.call(from, CHANNELS, close(id)).map(drop), Err(refused.clone()));
    }
    assert_eq!(world.call(world.payers[0], CHANNELS, request(id)).map(drop), Err(refused));
    assert_eq!(world.channel(id), Ok(before));
    assert_eq!(world.free(world.payers[0]), 10 * COIN);
}

#[test]
fn an_unknown_channel_is_named() {
    let mut world = World::new();
    let id = B256::repeat_byte(9);
    let refused: Failure = IChannels::UnknownChannel { channelId: id }.into();
    let payer = world.payers[0];
    assert_eq!(world.channel(id), Err(refused.clone()));
    assert_eq!(world.call(payer, CHANNELS, request(id)).map(drop), Err(refused.clone()));
    assert_eq!(world.call(payer, CHANNELS, close(id)).map(drop), Err(refused));
}
