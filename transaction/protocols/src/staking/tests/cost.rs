//! What a slash and a reward write, whatever the number of delegators.

use super::*;

fn crowded(delegators: u64) -> Undo {
    let mut world = world(1, 0);
    for number in 0..delegators {
        let mut account = [0x11; 20];
        account[..8].copy_from_slice(&number.to_be_bytes());
        let account = Address::from(account);
        world.state.fund(account, Amount::from_coins(1));
        join(&mut world, account, operator(0), COIN).unwrap();
    }
    earn(&mut world, operator(0), 1_000);
    later(&mut world, 60);
    world
}

fn counted(world: &mut Undo, work: impl FnOnce(&mut Undo)) -> [u64; 3] {
    let before = world.state.count;
    work(world);
    let after = world.state.count;
    [after.loads - before.loads, after.stores - before.stores, after.transfers - before.transfers]
}

#[test]
fn i6_a_slash_and_a_reward_cost_the_same_for_one_delegator_and_for_thousands() {
    let mut costs = Vec::new();
    for delegators in [1, 10, 3_000] {
        let mut world = crowded(delegators);
        let slash = counted(&mut world, |world| cut(world, operator(0), 500, START));
        let reward = counted(&mut world, |world| earn(world, operator(0), 1 << 60));
        costs.push((slash, reward));
    }
    assert_eq!(costs[0], costs[1]);
    assert_eq!(costs[0], costs[2]);
    let (slash, reward) = costs[0];
    assert!(slash[1] <= 8 && reward[1] <= 5, "{costs:?}");
}

#[test]
fn the_sweep_looks_at_a_bounded_number_and_reaches_everyone() {
    let mut world = crowded(200);
    earn(&mut world, operator(0), 1_000 * COIN);
    let mut blocks = 0;
    while SWEEP.get(&mut world).unwrap().is_running {
        let [_, _, transfers] = counted(&mut world, |world| run(world, sweep));
        assert!(transfers <= u64::from(SWEEP_LOOKS));
        blocks += 1;
    }
    assert!((7..=9).contains(&blocks), "{blocks}");
    let waiting = storage::REWARDS.get(&mut world, operator(0)).unwrap().unpaid;
    assert!(waiting < DUST, "{waiting} left");
    let [_, stores, _] = counted(&mut world, |world| run(world, sweep));
    assert_eq!(stores, 0, "an idle block changes nothing");
}

use storage::SWEEP;
