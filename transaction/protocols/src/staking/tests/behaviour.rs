//! Validators and delegations, sentence by sentence.

use super::*;
use sahara_abi::IProtocol;
use std::net::{Ipv4Addr, SocketAddr};

fn refused<R>(result: Result<R, Failure>, error: impl Into<Failure>) {
    assert_eq!(result.map(drop), Err(error.into()));
}

#[test]
fn a_validator_puts_in_at_least_1000_of_its_own() {
    let mut world = world(1, 1);
    let call = creation(2, 0);
    let (stake, least) = (U256::from(1_000 * COIN - 1), U256::from(1_000 * COIN));
    let too_small = IStaking::StakeTooSmall { stake, least };
    refused(world.call(person(0), STAKING, 1_000 * COIN - 1, &call), too_small);
    world.call(person(0), STAKING, 1_000 * COIN, &call).unwrap();
    let again = world.call(person(0), STAKING, 1_000 * COIN, &call);
    refused(again, IStaking::ValidatorExists { validator: person(0) });
    let all = IStaking::validatorsCall { start: U256::ZERO, count: U256::MAX };
    let page = world.call(REPORTER, STAKING, 0, &all).unwrap();
    assert_eq!(page.validators, [operator(0), person(0)]);
}

fn candidate(number: u64) -> Address {
    Address::left_padding_from(&(number + 0x1_0000).to_be_bytes())
}

/// Stands as a validator without keys.
fn stand(world: &mut Undo, account: Address, stake: u128) -> Result<(), Failure> {
    world.state.fund(account, Amount::from_u128(10_000 * COIN));
    let (commission, keys) = (0, vec![]);
    let call = IStaking::createValidatorCall { commission, feeAddress: account, keys };
    world.call(account, STAKING, stake, &call).map(drop)
}

/// As many validators as may stand, with 1,000 SAHARA each.
fn crowd() -> Undo {
    let mut world = world(0, 1);
    for number in 0..MAX_VALIDATORS {
        stand(&mut world, candidate(number), 1_000 * COIN).unwrap();
    }
    world
}

/// Whether a validator is listed, and how many are.
fn listed(world: &mut Undo, account: Address) -> (bool, u64) {
    let mut found = false;
    let mut total = 0;
    for start in [0, 256] {
        let call = IStaking::validatorsCall { start: U256::from(start), count: U256::from(256) };
        let page = world.call(REPORTER, STAKING, 0, &call).unwrap();
        found |= page.validators.contains(&account);
        total = page.total.to();
    }
    (found, total)
}

#[test]
fn who_brings_more_takes_the_place_of_the_least() {
    let mut world = crowd();
    let full = IStaking::TooManyValidators { most: U256::from(MAX_VALIDATORS) };
    refused(stand(&mut world, candidate(1_000), 1_000 * COIN), full);
    stand(&mut world, candidate(1_000), 1_000 * COIN + 1).unwrap();
    let (first, second) = (candidate(0), candidate(1));
    assert_eq!(listed(&mut world, candidate(1_000)), (true, MAX_VALIDATORS));
    assert_eq!(listed(&mut world, first), (false, MAX_VALIDATORS), "the first of the least");
    // It is a validator still, and is back as soon as it has more than the least, not before.
    part(&mut world, first, first, COIN).unwrap();
    join(&mut world, person(0), first, COIN).unwrap();
    assert_eq!(listed(&mut world, first), (false, MAX_VALIDATORS));
    join(&mut world, person(0), first, 1).unwrap();
    assert_eq!(listed(&mut world, first), (true, MAX_VALIDATORS));
    let gone: Vec<_> =
        (1..MAX_VALIDATORS).filter(|number| !listed(&mut world, candidate(*number)).0).collect();
    assert_eq!(gone.len(), 1, "one place for one");
    assert_eq!(shown(&mut world, second).stake, U256::from(1_000 * COIN));
    check_books(&world.state);
}

#[test]
fn no_place_is_kept_by_coin_that_has_left() {
    let mut world = crowd();
    let (idle, gone) = (candidate(3), candidate(4));
    for account in [idle, gone] {
        part(&mut world, account, account, 1_000 * COIN).unwrap();
    }
    world.call(gone, STAKING, 0, &IStaking::leaveValidatorCall {}).unwrap();
    assert_eq!(listed(&mut world, gone), (false, MAX_VALIDATORS - 1), "nobody is behind it");
    stand(&mut world, candidate(1_000), 1_000 * COIN).unwrap();
    assert_eq!(listed(&mut world, idle), (true, MAX_VALIDATORS));
    stand(&mut world, candidate(1_001), 1_000 * COIN).unwrap();
    assert_eq!(listed(&mut world, idle), (false, MAX_VALIDATORS), "the least had nothing");
    assert!(listed(&mut world, candidate(1_001)).0);
}

#[test]
fn a_key_is_proven_to_be_held_and_names_one_validator() {
    let mut world = world(1, 1);
    let mut create = |keys| {
        let call = IStaking::createValidatorCall { commission: 0, feeAddress: person(0), keys };
        world.call(person(0), STAKING, 1_000 * COIN, &call)
    };
    let invalid = |index: u64| IStaking::InvalidSeatKey { index: U256::from(index) };
    let (good, taken) = (seat_key(5), seat_key(1));
    let stolen = IStaking::SeatKey { consensusKey: seat_key(6).consensusKey, ..good.clone() };
    refused(create(vec![stolen]), invalid(0));
    let short =
        IStaking::SeatKey { consensusKey: good.consensusKey[1..].to_vec().into(), ..good.clone() };
    refused(create(vec![good.clone(), short]), invalid(1));
    refused(create(vec![taken]), IStaking::SeatKeyTaken { index: U256::ZERO });
    refused(create(vec![good.clone(), good.clone()]), IStaking::SeatKeyTaken { index: U256::ONE });
    create(vec![good.clone()]).unwrap();
    let add = |number| IStaking::addSeatKeyCall { key: seat_key(number) };
    world.call(person(0), STAKING, 0, &add(6)).unwrap();
    refused(
        world.call(REPORTER, STAKING, 0, &add(7)),
        IStaking::UnknownValidator { validator: REPORTER },
    );
    let all = IStaking::seatKeysCall { validator: person(0), start: U256::ZERO, count: U256::MAX };
    let shown = world.call(REPORTER, STAKING, 0, &all).unwrap();
    assert_eq!(shown.keys, [good, seat_key(6)]);
}

#[test]
fn a_commission_rises_by_a_point_a_day_to_at_most_20() {
    let mut world = world(1, 0);
    let edit = |world: &mut Undo, commission| {
        let call = IStaking::editValidatorCall { commission, feeAddress: fees_of(0) };
        world.call(operator(0), STAKING, 0, &call).map(drop)
    };
    let too_soon = |to, at| IStaking::CommissionChange { from: 1_000, to, allowedAt: at };
    later(&mut world, DAY - 1);
    refused(edit(&mut world, 1_100), too_soon(1_100, START + DAY));
    assert_eq!(edit(&mut world, 1_000), Ok(()), "the fee address alone changes any time");
    later(&mut world, 1);
    refused(edit(&mut world, 1_101), too_soon(1_101, START + DAY));
    refused(
        edit(&mut world, 2_001),
        IStaking::CommissionTooHigh { commission: 2_001, most: 2_000 },
    );
    edit(&mut world, 1_100).unwrap();
    refused(
        edit(&mut world, 1_200),
        IStaking::CommissionChange { from: 1_100, to: 1_200, allowedAt: START + 2 * DAY },
    );
    later(&mut world, DAY);
    edit(&mut world, 0).unwrap();
}

#[test]
fn i7_an_unbonding_ends_after_21_days_to_the_second_and_pays_once() {
    let mut world = world(1, 1);
    let (who, house) = (person(0), operator(0));
    join(&mut world, who, house, 10 * COIN).unwrap();
    let before = world.held(who);
    assert_eq!(part(&mut world, who, house, 4 * COIN), Ok(START + UNBONDING));
    refused(take(&mut world, REPORTER, house), IStaking::NothingMature { next: u64::MAX });
    later(&mut world, UNBONDING - 1);
    refused(take(&mut world, who, house), IStaking::NothingMature { next: START + UNBONDING });
    later(&mut world, 1);
    assert_eq!(take(&mut world, who, house), Ok(4 * COIN));
    refused(take(&mut world, who, house), IStaking::NothingMature { next: u64::MAX });
    assert_eq!(world.held(who), before + 4 * COIN);
    check_books(&world.state);
}

#[test]
fn seven_unbondings_run_at_once() {
    let mut world = world(1, 1);
    let (who, house) = (person(0), operator(0));
    join(&mut world, who, house, 10 * COIN).unwrap();
    for _ in 0..7 {
        part(&mut world, who, house, COIN).unwrap();
        later(&mut world, 1);
    }
    let too_many = IStaking::TooManyEntries { most: U256::from(7) };
    refused(part(&mut world, who, house, COIN), too_many);
    at(&mut world, START + UNBONDING + 1);
    assert_eq!(take(&mut world, who, house), Ok(2 * COIN));
    part(&mut world, who, house, COIN).unwrap();
    let open = IStaking::unbondingsCall { delegator: who, validator: house };
    assert_eq!(world.call(REPORTER, STAKING, 0, &open).unwrap().len(), 6);
}

#[test]
fn who_went_over_stays_until_it_matures() {
    let mut world = world(2, 1);
    let (who, [source, to]) = (person(0), [operator(0), operator(1)]);
    join(&mut world, who, source, 10 * COIN).unwrap();
    refused(
        over(&mut world, who, [source, source], COIN),
        IStaking::SameValidator { validator: source },
    );
    over(&mut world, who, [source, to], 10 * COIN).unwrap();
    assert_eq!(held(&mut world, who, to).lockedShares, U256::from(10 * COIN));
    let stays = |amount: u128| IStaking::InsufficientStake {
        validator: to,
        amount: U256::from(amount),
        available: U256::ZERO,
    };
    refused(part(&mut world, who, to, 1), stays(1));
    refused(over(&mut world, who, [to, source], 1), stays(1));
    later(&mut world, UNBONDING - 1);
    refused(part(&mut world, who, to, 1), stays(1));
    later(&mut world, 1);
    part(&mut world, who, to, 10 * COIN).unwrap();
    check_books(&world.state);
}

#[test]
fn rewards_follow_shares_and_the_commission_comes_first() {
    let mut world = world(1, 2);
    let house = operator(0);
    join(&mut world, person(0), house, 3_000 * COIN).unwrap();
    let before = world.held(person(0));
    earn(&mut world, house, 10_000);
    assert_eq!(world.held(fees_of(0)), 1_000);
    // 6,750 and 2,250, but a share's part does not come out even: one unit each waits for the next.
    assert_eq!(held(&mut world, person(0), house).earned, U256::from(6_749));
    // Who comes later has no part in it; joining again pays what was earned.
    join(&mut world, person(1), house, 4_000 * COIN).unwrap();
    assert_eq!(held(&mut world, person(1), house).earned, U256::ZERO);
    join(&mut world, person(0), house, COIN).unwrap();
    assert_eq!(world.held(person(0)), before + 6_749 - COIN);
    let call = IStaking::compoundCall { validator: house };
    let stake = shown(&mut world, house).stake;
    assert_eq!(world.call(house, STAKING, 0, &call), Ok(U256::from(2_249)));
    assert_eq!(shown(&mut world, house).stake, stake + U256::from(2_249));
    refused(world.call(house, STAKING, 0, &call), IStaking::DelegationTooSmall {});
    check_books(&world.state);
}

#[test]
fn fees_of_who_is_no_validator_go_straight_to_it() {
    let mut world = world(1, 0);
    earn(&mut world, person(3), 77);
    assert_eq!(world.held(person(3)), 77);
    part(&mut world, operator(0), operator(0), 1_000 * COIN).unwrap();
    earn(&mut world, operator(0), 100);
    assert_eq!(world.held(fees_of(0)), 100, "nobody stands behind it");
    check_books(&world.state);
}

#[test]
fn who_leaves_takes_no_more_delegations_and_no_seats() {
    let mut world = world(2, 1);
    world.call(operator(0), STAKING, 0, &IStaking::leaveValidatorCall {}).unwrap();
    let closed = IStaking::ValidatorClosed { validator: operator(0) };
    refused(join(&mut world, person(0), operator(0), COIN), closed);
    let next = world.call(REPORTER, STAKING, 0, &IStaking::nextSeatsCall {}).unwrap();
    assert_eq!(next.validators, [operator(1)]);
    part(&mut world, operator(0), operator(0), 1_000 * COIN).unwrap();
    let all = IStaking::validatorsCall { start: U256::ZERO, count: U256::MAX };
    assert_eq!(world.call(REPORTER, STAKING, 0, &all).unwrap().validators, [operator(1)]);
}

#[test]
fn seats_are_apportioned_before_an_epoch_that_begins_after_their_day() {
    let mut world = world(2, 1);
    next_epoch(&mut world);
    let current = |world: &mut Undo| {
        let epoch = world.call(REPORTER, STAKING, 0, &IStaking::currentEpochCall {}).unwrap();
        (epoch.epoch, epoch.startedAt)
    };
    assert_eq!(current(&mut world), (1, START));
    assert_eq!(seated(&mut world, 1), [(operator(0), 0), (operator(1), 0)], "there were none");
    let add = IStaking::addSeatKeyCall { key: seat_key(9) };
    world.call(operator(0), STAKING, 0, &add).unwrap();
    join(&mut world, person(0), operator(0), 5_000 * COIN).unwrap();
    later(&mut world, DAY - 1);
    next_epoch(&mut world);
    assert_eq!(seated(&mut world, 2), seated(&mut world, 1), "their day is not over");
    later(&mut world, 1);
    world.state.block.number += 3;
    run(&mut world, turn);
    assert_eq!(current(&mut world), (2, START + DAY - 1), "no other block decides");
    next_epoch(&mut world);
    assert_eq!(current(&mut world), (3, START + DAY));
    assert_eq!(seated(&mut world, 3), [(operator(0), 0), (operator(0), 1), (operator(1), 0)]);
    assert_eq!(seated(&mut world, 2), [(operator(0), 0), (operator(1), 0)], "the past stays");
    let (bytes, since) = validators_of(&mut world.state, 3).unwrap().unwrap();
    let set = ValidatorSet::decode(&bytes).unwrap();
    assert_eq!(since, 3);
    let mut seats: Vec<_> = set.as_slice().iter().map(|one| one.fee_address).collect();
    seats.sort();
    assert_eq!(seats, [operator(0), operator(0), operator(1)], "consensus has the same");
    assert!(set.as_slice().iter().all(|one| one.address.is_some()));
}

fn seated(world: &mut Undo, epoch: u64) -> Vec<(Address, u32)> {
    let seats = world.call(REPORTER, STAKING, 0, &IStaking::seatsOfCall { epoch }).unwrap();
    seats.validators.into_iter().zip(seats.keys).collect()
}

#[test]
fn who_is_out_loses_its_seat_with_the_epoch_and_the_last_ones_keep_theirs() {
    let mut world = world(2, 0);
    next_epoch(&mut world);
    world.call(operator(1), STAKING, 0, &IStaking::leaveValidatorCall {}).unwrap();
    next_epoch(&mut world);
    assert_eq!(seated(&mut world, 2), [(operator(0), 0)], "its day is not over, but it left");
    world.call(operator(0), STAKING, 0, &IStaking::leaveValidatorCall {}).unwrap();
    next_epoch(&mut world);
    assert_eq!(seated(&mut world, 3), [(operator(0), 0)], "someone must make blocks");
}

#[test]
fn a_seat_moves_with_its_node() {
    let mut world = world(2, 0);
    let ip = Ipv4Addr::new(203, 0, 113, 9);
    let mapped = ip.to_ipv6_mapped().octets();
    let call = IStaking::moveSeatCall { key: 0, ip: mapped.into(), port: 30_400 };
    world.call(operator(0), STAKING, 0, &call).unwrap();
    next_epoch(&mut world);
    let (bytes, _) = validators_of(&mut world.state, 1).unwrap().unwrap();
    let set = ValidatorSet::decode(&bytes).unwrap();
    let moved = set.as_slice().iter().find(|one| one.fee_address == operator(0)).unwrap();
    assert_eq!(moved.address, Some(SocketAddr::from((ip, 30_400))));
    let call = IStaking::moveSeatCall { key: 1, ip: [7; 16].into(), port: 1 };
    let index = U256::from(1);
    refused(world.call(operator(0), STAKING, 0, &call), IStaking::InvalidSeatKey { index });
}

#[test]
fn a_seat_is_where_a_node_can_be() {
    let mut world = world(1, 1);
    let mapped = |ip: Ipv4Addr| ip.to_ipv6_mapped().octets();
    let nowhere = [
        ([7; 16], 0),
        ([0; 16], 30_400),
        ([0xff; 16], 30_400),
        (mapped(Ipv4Addr::UNSPECIFIED), 30_400),
        (mapped(Ipv4Addr::BROADCAST), 30_400),
        (mapped(Ipv4Addr::new(224, 0, 0, 1)), 30_400),
    ];
    for (ip, port) in nowhere {
        let ip = ip.into();
        let invalid = |index: u64| IStaking::InvalidSeatKey { index: U256::from(index) };
        let call = IStaking::moveSeatCall { key: 0, ip, port };
        refused(world.call(operator(0), STAKING, 0, &call), invalid(0));
        let call = IStaking::addSeatKeyCall { key: IStaking::SeatKey { ip, port, ..seat_key(9) } };
        refused(world.call(operator(0), STAKING, 0, &call), invalid(1));
        let keys = vec![seat_key(5), IStaking::SeatKey { ip, port, ..seat_key(6) }];
        let call = IStaking::createValidatorCall { commission: 0, feeAddress: person(0), keys };
        refused(world.call(person(0), STAKING, 1_000 * COIN, &call), invalid(1));
    }
    // Those of one's own network are no stranger's business.
    for ip in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 0, 0, 1)] {
        let call = IStaking::moveSeatCall { key: 0, ip: mapped(ip).into(), port: 30_400 };
        world.call(operator(0), STAKING, 0, &call).unwrap();
    }
}

#[test]
fn only_governance_sets_parameters_a_chain_can_live_with() {
    let mut world = world(1, 0);
    let now = world.call(REPORTER, STAKING, 0, &IStaking::parametersCall {}).unwrap();
    let set = |parameters| IStaking::setParametersCall { parameters };
    refused(
        world.call(person(0), STAKING, 0, &set(now.clone())),
        IProtocol::OnlyGovernance { caller: person(0) },
    );
    for wrong in [
        IStaking::Parameters { epoch: 0, ..now.clone() },
        IStaking::Parameters { epoch: 3_599, ..now.clone() },
        IStaking::Parameters { unbonding: 7 * 86_400 - 1, ..now.clone() },
        IStaking::Parameters { unbonding: 60 * 86_400 + 1, ..now.clone() },
        IStaking::Parameters { seats: 257, ..now.clone() },
        IStaking::Parameters { doubleSignSlash: 10_000, ..now.clone() },
        IStaking::Parameters { window: 129, ..now.clone() },
        IStaking::Parameters { maxMissed: 100, ..now },
    ] {
        refused(world.call(GOVERNANCE, STAKING, 0, &set(wrong)), IProtocol::InvalidParameters {});
    }
    let changed = IStaking::Parameters { epoch: 3_600, unbonding: 7 * 86_400, seats: 4, ..now };
    world.call(GOVERNANCE, STAKING, 0, &set(changed.clone())).unwrap();
    let read = world.call(REPORTER, STAKING, 0, &IStaking::parametersCall {}).unwrap();
    assert_eq!(read, changed);
    assert_eq!(part(&mut world, operator(0), operator(0), COIN), Ok(START + 7 * 86_400));
}
