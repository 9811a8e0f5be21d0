//! Seats, counted uses, revocation.

use super::town::{
    ask, buy, can, hourly, license, model, offer, pay, register, remix, send, world,
};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::purpose::INFERENCE,
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::ILicenses::{self, Missing, Pricing, Purchase, Terms};

/// Two seats at 10 each, passed on after 100 seconds at the earliest, for 1,000 uses.
fn two_seats() -> Terms {
    Terms {
        pricing: Pricing::PerSeat,
        seatWindow: 100,
        useCap: 1_000,
        isRevocable: true,
        ..remix(10)
    }
}

/// A world where the first payer holds a licence of two seats and sits on one.
fn seated() -> (World, u64, U256) {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &two_seats());
    let number = buy(&mut world, buyer, asset, id, 2).unwrap();
    (world, asset, number)
}

fn assign(world: &mut World, by: Actor, number: U256, account: Address) -> Result<(), Failure> {
    send(world, by, ILicenses::assignSeatCall { license: number, account })
}

fn free(world: &mut World, by: Actor, number: U256, account: Address) -> Result<(), Failure> {
    send(world, by, ILicenses::freeSeatCall { license: number, account })
}

fn count(
    world: &mut World,
    by: Actor,
    number: U256,
    account: Address,
    count: u64,
) -> Result<(), Failure> {
    send(world, by, ILicenses::countUsesCall { license: number, account, count })
}

#[test]
fn a_seat_is_the_right_to_use() {
    let (mut world, asset, number) = seated();
    let [holder, user] = world.payers;
    assert_eq!(can(&mut world, user.address, asset, INFERENCE), Err(Missing::License));
    assign(&mut world, holder, number, user.address).unwrap();
    assert_eq!(can(&mut world, user.address, asset, INFERENCE), Ok(1));
    assert_eq!(license(&mut world, number).seatsTaken, 2);
    // Again changes nothing, however full the licence is.
    assign(&mut world, holder, number, user.address).unwrap();
    assert_eq!(license(&mut world, number).seatsTaken, 2);
    let third = world.stranger.address;
    let refused = ILicenses::NoSeatLeft { license: number, seats: 2 };
    assert_eq!(assign(&mut world, holder, number, third), Err(refused.into()));
}

#[test]
fn only_the_holder_and_its_operator_dispose_of_seats() {
    let (mut world, _, number) = seated();
    let ([holder, user], stranger) = (world.payers, world.stranger);
    let refused: Failure =
        ILicenses::NotHolder { license: number, caller: stranger.address, holder: holder.address }
            .into();
    assert_eq!(assign(&mut world, stranger, number, user.address), Err(refused.clone()));
    let operator = ILicenses::setApprovalForAllCall { operator: stranger.address, approved: true };
    send(&mut world, holder, operator).unwrap();
    assign(&mut world, stranger, number, user.address).unwrap();
    world.wait(100);
    free(&mut world, stranger, number, user.address).unwrap();
    let operator = ILicenses::setApprovalForAllCall { operator: stranger.address, approved: false };
    send(&mut world, holder, operator).unwrap();
    assert_eq!(free(&mut world, stranger, number, holder.address), Err(refused));
    let unknown = U256::from(1_u128 << 64);
    let refused = ILicenses::ERC721NonexistentToken { tokenId: U256::ZERO };
    assert_eq!(assign(&mut world, holder, unknown, user.address), Err(refused.into()));
    let refused = ILicenses::ERC721InvalidReceiver { receiver: Address::ZERO };
    assert_eq!(assign(&mut world, holder, number, Address::ZERO), Err(refused.into()));
}

#[test]
fn a_seat_is_passed_on_only_after_its_window_to_the_second() {
    let (mut world, asset, number) = seated();
    let [holder, user] = world.payers;
    let until = world.now() + 100;
    let locked = |until| -> Failure {
        ILicenses::SeatInUse { license: number, account: holder.address, until }.into()
    };
    world.wait(99);
    assert_eq!(free(&mut world, holder, number, holder.address), Err(locked(until)));
    // A counted use starts the window anew.
    count(&mut world, holder, number, holder.address, 1).unwrap();
    let until = until + 99;
    let call = ILicenses::seatCall { license: number, account: holder.address };
    assert_eq!(ask(&mut world, user, call).unwrap().lockedUntil, until);
    world.wait(1);
    assert_eq!(free(&mut world, holder, number, holder.address), Err(locked(until)));
    world.wait(98);
    assert_eq!(free(&mut world, holder, number, holder.address), Err(locked(until)));
    world.wait(1);
    free(&mut world, holder, number, holder.address).unwrap();
    assert_eq!(can(&mut world, holder.address, asset, INFERENCE), Err(Missing::License));
    let refused = ILicenses::NotSeated { license: number, account: holder.address };
    assert_eq!(free(&mut world, holder, number, holder.address), Err(refused.into()));
    assert_eq!(license(&mut world, number).seatsTaken, 0);
    for account in [user.address, world.stranger.address] {
        assign(&mut world, holder, number, account).unwrap();
    }
}

#[test]
fn who_sits_may_get_up() {
    let (mut world, _, number) = seated();
    let [holder, user] = world.payers;
    assign(&mut world, holder, number, user.address).unwrap();
    world.wait(100);
    free(&mut world, user, number, user.address).unwrap();
    assert_eq!(license(&mut world, number).seatsTaken, 1);
}

#[test]
fn uses_are_counted_by_the_account_or_a_meter_of_the_holder() {
    let (mut world, _, number) = seated();
    let ([holder, user], gateway) = (world.payers, world.gateways[0]);
    let refused: Failure = ILicenses::NotMeter { license: number, caller: gateway.address }.into();
    assert_eq!(count(&mut world, gateway, number, holder.address, 1), Err(refused.clone()));
    // The user's own word names no meter: the licence is the holder's.
    let meter =
        |is_allowed| ILicenses::setMeterCall { meter: gateway.address, isAllowed: is_allowed };
    send(&mut world, user, meter(true)).unwrap();
    assert_eq!(count(&mut world, gateway, number, holder.address, 1), Err(refused.clone()));
    send(&mut world, holder, meter(true)).unwrap();
    count(&mut world, gateway, number, holder.address, 7).unwrap();
    let refused_user = ILicenses::NotSeated { license: number, account: user.address };
    assert_eq!(count(&mut world, gateway, number, user.address, 1), Err(refused_user.into()));
    send(&mut world, holder, meter(false)).unwrap();
    assert_eq!(count(&mut world, gateway, number, holder.address, 1), Err(refused));
    count(&mut world, holder, number, holder.address, 3).unwrap();
    assert_eq!(license(&mut world, number).uses, 10);
}

#[test]
fn uses_end_at_their_cap() {
    let (mut world, asset, number) = seated();
    let holder = world.payers[0];
    let none = ILicenses::WrongQuantity { quantity: 0, least: 1, most: 1_000 };
    assert_eq!(count(&mut world, holder, number, holder.address, 0), Err(none.into()));
    let refused = ILicenses::UsesExceeded { license: number, asked: 1_001, left: 1_000 };
    assert_eq!(count(&mut world, holder, number, holder.address, 1_001), Err(refused.into()));
    count(&mut world, holder, number, holder.address, 999).unwrap();
    assert_eq!(can(&mut world, holder.address, asset, INFERENCE), Ok(1));
    count(&mut world, holder, number, holder.address, 1).unwrap();
    assert_eq!(can(&mut world, holder.address, asset, INFERENCE), Err(Missing::Uses));
    let refused = ILicenses::UsesExceeded { license: number, asked: 1, left: 0 };
    assert_eq!(count(&mut world, holder, number, holder.address, 1), Err(refused.into()));
}

#[test]
fn no_seat_ends_a_licence_without_limit_by_counting() {
    let mut world = world();
    let (owner, [holder, user]) = (world.creator, world.payers);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &Terms { useCap: 0, ..two_seats() });
    let number = buy(&mut world, holder, asset, id, 2).unwrap();
    assign(&mut world, holder, number, user.address).unwrap();
    // Whoever has a seat counts its own uses: here more than there ever are, twice.
    for _ in 0..2 {
        count(&mut world, user, number, user.address, u64::MAX).unwrap();
    }
    let shown = license(&mut world, number);
    assert_eq!((shown.useLimit, shown.uses), (0, u64::MAX));
    for seated in [holder, user] {
        assert_eq!(can(&mut world, seated.address, asset, INFERENCE), Ok(number.to()));
    }
    count(&mut world, holder, number, holder.address, 1).unwrap();
}

#[test]
fn an_expired_licence_counts_nothing() {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &hourly(1));
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    let end = world.now() + 3_600;
    world.wait(3_599);
    count(&mut world, buyer, number, buyer.address, 1).unwrap();
    world.wait(1);
    let refused = ILicenses::LicenseExpired { license: number, expiresAt: end };
    assert_eq!(count(&mut world, buyer, number, buyer.address, 1), Err(refused.into()));
}

fn revoke(world: &mut World, by: Actor, number: U256) -> Result<(), Failure> {
    send(world, by, ILicenses::revokeCall { license: number, reason: B256::repeat_byte(3) })
}

#[test]
fn only_an_assets_owner_revokes_and_only_once() {
    let (mut world, asset, number) = seated();
    let (owner, [holder, user]) = (world.creator, world.payers);
    let refused = ILicenses::NotAssetOwner { asset, caller: holder.address, owner: owner.address };
    assert_eq!(revoke(&mut world, holder, number), Err(refused.into()));
    revoke(&mut world, owner, number).unwrap();
    assert_eq!(can(&mut world, holder.address, asset, INFERENCE), Err(Missing::Revoked));
    let refused: Failure = ILicenses::LicenseRevoked { license: number }.into();
    assert_eq!(revoke(&mut world, owner, number), Err(refused.clone()));
    assert_eq!(assign(&mut world, holder, number, user.address), Err(refused.clone()));
    assert_eq!(count(&mut world, holder, number, holder.address, 1), Err(refused));
}

#[test]
fn terms_that_do_not_allow_it_are_not_revoked() {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &remix(1));
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    let refused = ILicenses::NotRevocable { license: number, terms: id };
    assert_eq!(revoke(&mut world, owner, number), Err(refused.into()));
}

#[test]
fn nobody_crowds_another_out_with_gifts() {
    let (mut world, asset, _) = seated();
    let (giver, victim) = (world.stranger, world.payers[1]);
    let owner = world.creator;
    let id = offer(&mut world, owner, asset, &hourly(0));
    let gift =
        Purchase { asset, terms: id, quantity: 1, holder: giver.address, user: victim.address };
    let mut numbers = Vec::new();
    for _ in 0..6 {
        let call = ILicenses::buyCall { purchase: gift.clone() };
        numbers.push(pay(&mut world, giver, 0, call).unwrap());
    }
    // Four places are for others; further gifts are issued without a seat.
    let call = ILicenses::seatsOfCall { account: victim.address, asset };
    assert_eq!(ask(&mut world, giver, call.clone()).unwrap(), numbers[..4]);
    let full = ILicenses::TooManySeats { account: victim.address, asset, most: U256::from(4) };
    assert_eq!(assign(&mut world, giver, numbers[5], victim.address), Err(full.into()));
    // The victim's own purchases have their places all the same.
    for _ in 0..4 {
        numbers.push(buy(&mut world, victim, asset, id, 1).unwrap());
    }
    let listed = ask(&mut world, giver, call.clone()).unwrap();
    assert_eq!(listed[4..], numbers[6..]);
    let ninth = buy(&mut world, victim, asset, id, 1).unwrap();
    assert_eq!(license(&mut world, ninth).seatsTaken, 0);
    let full = ILicenses::TooManySeats { account: victim.address, asset, most: U256::from(8) };
    assert_eq!(assign(&mut world, victim, ninth, victim.address), Err(full.into()));
    // What has ended gives up its place.
    world.wait(3_600);
    let number = buy(&mut world, victim, asset, id, 1).unwrap();
    assert_eq!(ask(&mut world, giver, call).unwrap(), [number]);
    assert_eq!(can(&mut world, victim.address, asset, INFERENCE), Ok(number.to()));
}
