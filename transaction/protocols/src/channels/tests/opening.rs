use super::world::{Actor, COIN, World, twin};
use crate::Failure;
use alloy_primitives::{Address, Bytes, U256, aliases::U96};
use sahara_abi::{CHANNELS, IChannels, IWorkers, WORKERS, signing};

fn open_signed(
    world: &mut World,
    reservation: &IChannels::Reservation,
    signature: Bytes,
) -> Result<alloy_primitives::B256, Failure> {
    let gateway = world.actor(reservation.gateway);
    let reservation = reservation.clone();
    world.call(gateway, CHANNELS, IChannels::openCall { reservation, signature })
}

#[test]
fn what_is_funded_can_be_withdrawn_by_its_payer_only() {
    let mut world = World::new();
    let [payer, other] = world.payers;
    let call = IChannels::fundCall { payer: payer.address };
    world.pay(other, CHANNELS, 7 * COIN, call).unwrap();
    assert_eq!(world.free(payer), 7 * COIN);

    let withdraw = IChannels::withdrawCall { amount: U256::from(7 * COIN) };
    let refused = IChannels::InsufficientDeposit {
        payer: other.address,
        free: U256::ZERO,
        needed: U256::from(7 * COIN),
    };
    assert_eq!(
        world.call(other, CHANNELS, withdraw.clone()).map(drop).unwrap_err(),
        refused.into()
    );
    let before = world.balance(payer.address);
    world.call(payer, CHANNELS, withdraw).unwrap();
    assert_eq!(world.balance(payer.address), before + 7 * COIN);
    assert_eq!(world.free(payer), 0);
}

#[test]
fn nobody_funds_who_could_never_withdraw() {
    let mut world = World::new();
    for payer in [Address::ZERO, CHANNELS, sahara_abi::GOVERNANCE, sahara_abi::FEES] {
        let call = IChannels::fundCall { payer };
        let refused = IChannels::InvalidPayer { payer };
        let answer = world.pay(world.stranger, CHANNELS, 1, call).map(drop);
        assert_eq!(answer.unwrap_err(), refused.into());
    }
}

#[test]
fn a_withdrawal_does_not_touch_what_is_set_aside() {
    let mut world = World::new();
    let payer = world.payers[0];
    world.fund(payer, 10 * COIN);
    world.open(&world.reservation(0, 6 * COIN)).unwrap();
    let (free, needed) = (U256::from(4 * COIN), U256::from(4 * COIN + 1));
    let withdraw = IChannels::withdrawCall { amount: needed };
    let refused = IChannels::InsufficientDeposit { payer: payer.address, free, needed };
    assert_eq!(world.call(payer, CHANNELS, withdraw).map(drop).unwrap_err(), refused.into());
    world.call(payer, CHANNELS, IChannels::withdrawCall { amount: free }).unwrap();
    assert_eq!(world.free(payer), 0);
}

#[test]
fn of_three_gateways_racing_for_one_deposit_one_opens() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let results: Vec<_> =
        (0..3).map(|gateway| world.open(&world.reservation(gateway, 10 * COIN))).collect();
    assert!(results[0].is_ok());
    let refused = IChannels::InsufficientDeposit {
        payer: world.payers[0].address,
        free: U256::ZERO,
        needed: U256::from(10 * COIN),
    };
    for result in &results[1..] {
        assert_eq!(result, &Err(refused.clone().into()));
    }
}

#[test]
fn a_reservation_opens_once_even_after_its_close() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let reservation = world.reservation(0, COIN);
    let id = world.open(&reservation).unwrap();
    assert_eq!(id, signing::reservation_channel(world.state.block.chain_id, &reservation));
    let refused: Failure = IChannels::AlreadyOpened { channelId: id }.into();
    assert_eq!(world.open(&reservation), Err(refused.clone()));
    world.call(world.gateways[0], CHANNELS, IChannels::closeCall { channelId: id }).unwrap();
    assert_eq!(world.open(&reservation), Err(refused));
    let another = IChannels::Reservation { nonce: 2, ..reservation };
    assert!(world.open(&another).is_ok());
}

#[test]
fn only_its_gateway_opens_a_reservation() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let reservation = world.reservation(0, COIN);
    let signature = world.payers[0].sign(&reservation);
    let (caller, gateway) = (world.gateways[1], reservation.gateway);
    let call = IChannels::openCall { reservation, signature };
    let refused = IChannels::NotGateway { caller: caller.address, gateway };
    assert_eq!(world.call(caller, CHANNELS, call).map(drop).unwrap_err(), refused.into());
}

#[test]
fn a_reservation_that_its_payer_did_not_sign_here_opens_nothing() {
    let mut world = World::new();
    let payer = world.payers[0];
    world.fund(payer, 10 * COIN);
    let reservation = world.reservation(0, COIN);
    let honest = payer.sign(&reservation);
    let larger = IChannels::Reservation { amount: U96::from(2 * COIN), ..reservation.clone() };
    let forged = [
        world.payers[1].sign(&reservation),
        payer.sign(&larger),
        payer.sign_on(1, &reservation),
        twin(&honest),
        honest.slice(..64),
        [&honest[..], &[0]].concat().into(),
        [&honest[..64], &[honest[64] - 27]].concat().into(),
        Bytes::new(),
    ];
    let refused: Failure = IChannels::InvalidSignature { expected: payer.address }.into();
    for signature in forged {
        assert_eq!(open_signed(&mut world, &reservation, signature), Err(refused.clone()));
    }
    assert!(open_signed(&mut world, &reservation, honest).is_ok());
}

#[test]
fn a_reservation_ends() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let reservation = world.reservation(0, COIN);
    world.wait(3_600);
    let mut late = world.clone();
    late.wait(1);
    let (valid_until, timestamp) = (reservation.validUntil, late.now());
    let refused = IChannels::Expired { validUntil: valid_until, timestamp };
    assert_eq!(late.open(&reservation), Err(refused.into()));
    assert!(world.open(&reservation).is_ok());
}

#[test]
fn a_gateway_does_not_pay_itself() {
    let mut world = World::new();
    let gateway = world.gateways[0];
    world.fund(gateway, COIN);
    let reservation =
        IChannels::Reservation { payer: gateway.address, ..world.reservation(0, COIN) };
    let refused = IChannels::SelfPayment { account: gateway.address };
    assert_eq!(world.open(&reservation), Err(refused.into()));
}

#[test]
fn a_gateway_without_a_bond_opens_nothing() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let refused = |gateway: Actor| -> Failure {
        IChannels::GatewayNotBonded { gateway: gateway.address }.into()
    };
    let stranger = world.stranger;
    let reservation =
        IChannels::Reservation { gateway: stranger.address, ..world.reservation(0, COIN) };
    assert_eq!(world.open(&reservation), Err(refused(stranger)));

    let leaving = world.gateways[0];
    world.call(leaving, WORKERS, IWorkers::leaveCall {}).unwrap();
    world.wait(86_399);
    assert!(world.open(&world.reservation(0, COIN)).is_ok(), "the notice has not ended");
    world.wait(1);
    let reservation = IChannels::Reservation { nonce: 2, ..world.reservation(0, COIN) };
    assert_eq!(world.open(&reservation), Err(refused(leaving)));
}

#[test]
fn fees_are_those_of_the_opening() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let id = world.open(&world.reservation(1, COIN)).unwrap();
    let gateway = world.gateways[1];
    world.call(gateway, WORKERS, IWorkers::leaveCall {}).unwrap();
    world.wait(86_400);
    world.call(gateway, WORKERS, IWorkers::withdrawBondCall {}).unwrap();
    let again = IWorkers::registerGatewayCall { endpoint: String::new(), fee: 500 };
    world.pay(gateway, WORKERS, 1_000 * COIN, again).unwrap();
    let channel = world.channel(id).unwrap();
    assert_eq!((channel.protocolFee, channel.gatewayFee), (100, 250));
}
