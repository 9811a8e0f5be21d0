//! Voting power through time.

use super::*;
use std::collections::BTreeMap;

fn ask(world: &mut Undo, account: Address, time: u64) -> u128 {
    let call = IStaking::getPastVotesCall { account, timepoint: U256::from(time) };
    world.call(REPORTER, STAKING, 0, &call).unwrap().to()
}

fn total(world: &mut Undo, time: u64) -> u128 {
    let call = IStaking::getPastTotalSupplyCall { timepoint: U256::from(time) };
    world.call(REPORTER, STAKING, 0, &call).unwrap().to()
}

fn present(world: &mut Undo, account: Address) -> u128 {
    world.call(REPORTER, STAKING, 0, &IStaking::getVotesCall { account }).unwrap().to()
}

#[test]
fn i9_past_votes_never_change_and_add_up_to_at_most_all_stake() {
    let mut world = world(3, 4);
    let mut dice = Dice(9);
    let mut history = BTreeMap::new();
    let everyone: Vec<_> = (0..4).map(person).chain((0..3).map(operator)).collect();
    for _ in 0..OPERATIONS / 20 {
        let mut index = |below| usize::try_from(dice.below(below)).unwrap();
        let (who, house, other) = (person(index(4)), operator(index(3)), operator(index(3)));
        let amount = 1 + dice.amount(1 << 70);
        match dice.below(6) {
            0..3 => join(&mut world, who, house, amount).unwrap(),
            3 => drop(part(&mut world, who, house, amount)),
            4 => drop(over(&mut world, who, [house, other], amount)),
            _ => cut(&mut world, house, 100, START),
        }
        if dice.below(2) == 0 {
            let votes: Vec<_> = everyone.iter().map(|who| present(&mut world, *who)).collect();
            history.insert(world.state.block.timestamp.0, votes);
            let seconds = 1 + dice.below(3) * DAY;
            later(&mut world, seconds);
        }
    }
    for (time, votes) in history {
        let past: Vec<_> = everyone.iter().map(|who| ask(&mut world, *who, time)).collect();
        assert_eq!(past, votes, "{time}");
        let (sum, all) = (votes.iter().sum::<u128>(), total(&mut world, time));
        assert!(sum <= all && all - sum < 16, "{sum} of {all}");
    }
    let now = world.state.block.timestamp.0;
    let call = IStaking::getPastVotesCall { account: everyone[0], timepoint: U256::from(now) };
    let clock = alloy_primitives::aliases::U48::from(now);
    let refused = IStaking::ERC5805FutureLookup { timepoint: U256::from(now), clock };
    assert_eq!(world.call(REPORTER, STAKING, 0, &call), Err(refused.into()));
}

#[test]
fn coin_on_its_way_out_and_borrowed_for_a_block_carries_no_votes() {
    let mut world = world(1, 1);
    join(&mut world, person(0), operator(0), 5 * COIN).unwrap();
    part(&mut world, person(0), operator(0), 5 * COIN).unwrap();
    later(&mut world, 1);
    assert_eq!(ask(&mut world, person(0), START), 0, "only the end of a second counts");
    assert_eq!(ask(&mut world, person(0), START - 1), 0);
    assert_eq!(total(&mut world, START), 1_000 * COIN);
}

#[test]
fn an_account_stands_behind_at_most_32_validators_in_the_history() {
    let mut world = world(33, 1);
    for number in 0..32 {
        join(&mut world, person(0), operator(number), COIN).unwrap();
    }
    let refused: Failure = IStaking::TooManyDelegations { most: U256::from(32) }.into();
    assert_eq!(join(&mut world, person(0), operator(32), COIN), Err(refused.clone()));
    part(&mut world, person(0), operator(5), COIN).unwrap();
    later(&mut world, HISTORY - 1);
    assert_eq!(join(&mut world, person(0), operator(32), COIN), Err(refused));
    later(&mut world, 1);
    join(&mut world, person(0), operator(32), COIN).unwrap();
    assert_eq!(present(&mut world, person(0)), 32 * COIN);
    part(&mut world, person(0), operator(6), COIN).unwrap();
    later(&mut world, HISTORY);
    join(&mut world, person(0), operator(5), COIN).unwrap();
    assert_eq!(present(&mut world, person(0)), 32 * COIN);
}
