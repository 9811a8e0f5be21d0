//! Validators join, leave and are replaced by epoch, and nothing stops (I8, I12, I14).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use commonware_consensus::types::{Epoch, Round, View};
use commonware_glue::simulate::{
    action::{Action, Crash, Schedule},
    plan::PlanResult,
};
use sahara_chain::consensus::Ledger as _;
use sahara_finality::{NetworkPublicKey, epoch_of};

use crate::{
    ledger::Pool,
    simulated::{
        FIRST_SEED, NO_LOSS, Network, assert_one_chain, assert_same, cut, intervals, later, place,
        plan, refill_alone, run, seeds,
    },
};

const LENGTH: u64 = 8;

/// The leaders of the blocks of each epoch, by their places among the nodes.
fn leaders(network: &Network) -> Vec<BTreeSet<usize>> {
    let length = network.ledgers.lock()[0].epoch_length();
    let mut leaders = Vec::new();
    for block in &network.chains()[0] {
        let epoch = usize::try_from(epoch_of(block.header.number, length)).unwrap();
        leaders.resize(leaders.len().max(epoch + 1), BTreeSet::new());
        let leader = &block.seal.as_round().unwrap().leader;
        leaders[epoch].extend((0..network.keys.len()).find(|index| network.key(*index) == *leader));
    }
    leaders
}

/// Whoever joins or leaves, the next block is there within two seconds.
fn assert_no_pause(network: &Network, seed: u64) {
    let longest = intervals(network).into_iter().max();
    assert!(longest.unwrap() < 2_000, "{longest:?} ms between two blocks, seed {seed}");
}

#[test]
fn i8_epochs_follow_one_another_without_a_pause() {
    for seed in seeds(FIRST_SEED, 1) {
        let network = Network::with_epochs(4, &[0, 1, 2, 3], LENGTH, &Pool::with(20));
        run(plan(&network, 5 * LENGTH).seed(seed));
        assert_one_chain(&network);
        assert_no_pause(&network, seed);
        assert_eq!(leaders(&network)[1].len(), 4, "every seat leads");
    }
}

#[test]
fn i14_validators_join_leave_and_are_replaced() {
    for seed in seeds(FIRST_SEED, 1) {
        let pool = Pool::with(6);
        let network = Network::with_epochs(7, &[0, 1, 2, 3], LENGTH, &pool);
        // Two join and one leaves at once.
        pool.change(&network.set(&[1, 2, 3, 4, 5]));
        run(plan(&network, 5 * LENGTH).seed(seed));
        assert_one_chain(&network);
        assert_no_pause(&network, seed);
        let leaders = leaders(&network);
        assert!(leaders[0].iter().all(|index| *index < 4), "{leaders:?}");
        for epoch in &leaders[1..5] {
            assert_eq!(*epoch, BTreeSet::from([1, 2, 3, 4, 5]), "{leaders:?}");
        }
    }
}

#[test]
fn i14_a_whole_set_is_replaced() {
    for seed in seeds(FIRST_SEED, 1) {
        let pool = Pool::with(6);
        let network = Network::with_epochs(8, &[0, 1, 2, 3], LENGTH, &pool);
        pool.change(&network.set(&[4, 5, 6, 7]));
        run(plan(&network, 4 * LENGTH).seed(seed));
        assert_one_chain(&network);
        assert_no_pause(&network, seed);
        assert_eq!(leaders(&network)[2], BTreeSet::from([4, 5, 6, 7]));
        // Who follows is let in as soon as it is decided, within the epoch before.
        let both: BTreeSet<_> = (0..8).map(|index| network.key(index)).collect();
        let let_in = network.let_in.lock();
        let during = |id| {
            let of = |found: u64| {
                let_in.iter().filter(move |(node, one, _)| (*node, *one) == (0, found))
            };
            of(id).flat_map(|(_, _, keys)| keys.clone()).collect::<BTreeSet<NetworkPublicKey>>()
        };
        assert_eq!(during(0).len(), 4);
        assert_eq!(during(1), both);
        assert_eq!(during(2), (4..8).map(|index| network.key(index)).collect());
    }
}

/// The node at `place` crashes at `height`, for twenty seconds, while one leaves and one joins.
fn crash_at(place: usize, height: u64, until: u64) -> (PlanResult<Network>, Network) {
    let pool = Pool::with(6);
    let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
    pool.change(&network.set(&[1, 2, 3, 4]));
    let result = run(plan(&network, until).crash(Crash::ProcessedHeight {
        participant: network.key(place),
        // A block that is applied as soon as it is decided may be followed before anybody looks.
        heights: height..=height + 1,
        downtime: Duration::from_secs(20),
    }));
    (result, network)
}

#[test]
fn i8_a_crash_at_the_end_of_an_epoch_stops_nobody() {
    for (place, height) in [(1, LENGTH - 1), (1, LENGTH), (2, 2 * LENGTH - 1)] {
        let (_, network) = crash_at(place, height, 4 * LENGTH);
        assert_one_chain(&network);
    }
}

/// Now one and then another crashes, while one leaves and one joins.
fn restart_at_random(seed: u64) -> (PlanResult<Network>, Network) {
    let pool = Pool::with(60);
    let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
    pool.change(&network.set(&[0, 2, 3, 4]));
    let result = run(plan(&network, 4 * LENGTH).seed(seed).crash(Crash::Random {
        frequency: Duration::from_millis(700),
        downtime: Duration::from_millis(300),
        count: 1,
    }));
    (result, network)
}

#[test]
fn i9_random_restarts_across_epochs_lose_and_repeat_nothing() {
    for seed in seeds(1, 3) {
        let (result, network) = restart_at_random(seed);
        assert!(result.crashes > 5, "only {} crashes", result.crashes);
        assert_one_chain(&network);
    }
}

/// One comes back without its archives, in an epoch in which it has signed nothing, so that it needs no
/// guard.
fn lose_archives() -> (PlanResult<Network>, Network) {
    let pool = Pool::with(10);
    let mut network = Network::with_epochs(4, &[0, 1, 2, 3], LENGTH, &pool);
    network.loses_archives = Some(3);
    let key = network.key(3);
    let schedule = Schedule::new()
        .at(Duration::from_secs(4), Action::Crash(key.clone()))
        .at(Duration::from_secs(40), Action::Restart(key));
    let result = run(plan(&network, 5 * LENGTH).crash(Crash::Schedule(schedule)));
    (result, network)
}

#[test]
fn i9_a_node_that_lost_its_archives_goes_on_from_its_ledger() {
    let (_, network) = lose_archives();
    assert_one_chain(&network);
    let delivered = network.ledgers.lock()[3].delivered.lock().clone();
    // Whatever below came again would have come from the peers, who need not have it.
    let early = delivered.iter().filter(|height| (1..=3).contains(*height)).count();
    assert_eq!(early, 3, "what the ledger has is fetched again: {delivered:?}");
    assert!(delivered.iter().any(|height| *height > 4 * LENGTH), "{delivered:?}");
}

#[test]
fn i9_a_ledger_that_lost_an_epoch_gets_it_from_the_archive() {
    let pool = Pool::with(10);
    let mut network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
    pool.change(&network.set(&[1, 2, 3, 4]));
    network.loses_blocks_above = Some(3);
    refill_alone(&network, (3, Duration::from_secs(20), LENGTH + 4));
    assert_one_chain(&network);
}

#[test]
fn i9_a_ledger_that_lost_an_epoch_goes_on_with_the_others() {
    let pool = Pool::with(10);
    let mut network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
    pool.change(&network.set(&[1, 2, 3, 4]));
    network.loses_blocks_above = Some(3);
    let key = network.key(3);
    let schedule = Schedule::new()
        .at(Duration::from_secs(20), Action::Crash(key.clone()))
        .at(Duration::from_secs(21), Action::Restart(key));
    run(plan(&network, 4 * LENGTH).crash(Crash::Schedule(schedule)));
    assert_one_chain(&network);
}

/// One side has a quorum in epoch 0 and may end it; in epoch 1 it is two against two, until the cut
/// heals.
fn partition(seed: u64) -> (PlanResult<Network>, Network) {
    let pool = Pool::with(10);
    let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
    pool.change(&network.set(&[1, 2, 3, 4]));
    let mut schedule = Schedule::new();
    for action in cut(&network, [&[0, 1, 2], &[3, 4]]) {
        schedule = schedule.at(Duration::from_secs(2) + later(seed), action);
    }
    schedule = schedule.at(Duration::from_secs(40), Action::Heal(NO_LOSS));
    let result = run(plan(&network, 4 * LENGTH).seed(seed).crash(Crash::Schedule(schedule)));
    (result, network)
}

#[test]
fn i7_a_partition_across_an_epochs_end_halts_and_heals() {
    for seed in seeds(FIRST_SEED, 1) {
        let (_, network) = partition(seed);
        assert_one_chain(&network);
        let pauses = intervals(&network).into_iter().filter(|one| *one > 25_000).count();
        assert_eq!(pauses, 1, "it stood still once, seed {seed}");
    }
}

#[test]
fn i8_a_node_cut_off_for_epochs_catches_up() {
    for seed in seeds(FIRST_SEED, 1) {
        let pool = Pool::with(10);
        let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
        pool.change(&network.set(&[1, 2, 3, 4]));
        let alone = 1 + place(seed, 0, 3);
        let others: Vec<_> = (0..5).filter(|index| *index != alone).collect();
        let mut schedule = Schedule::new();
        for action in cut(&network, [&[alone], &others]) {
            schedule = schedule.at(Duration::from_secs(4) + later(seed), action);
        }
        // The others pass two ends of epochs meanwhile.
        schedule = schedule.at(Duration::from_secs(60), Action::Heal(NO_LOSS));
        run(plan(&network, 6 * LENGTH).seed(seed).crash(Crash::Schedule(schedule)));
        assert_one_chain(&network);
    }
}

/// One validates from epoch 1 on, and starts in a view of `epoch`.
fn join_late(seed: u64, epoch: u64, height: u64) -> (PlanResult<Network>, Network) {
    let pool = Pool::with(10);
    let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
    pool.change(&network.set(&[0, 1, 2, 3, 4]));
    let view = 3 + (seed - FIRST_SEED) % 5;
    let result = run(plan(&network, height).seed(seed).crash(Crash::DelayRound {
        participants: vec![network.key(4)],
        round: Round::new(Epoch::new(epoch), View::new(view)),
    }));
    (result, network)
}

#[test]
fn i14_a_late_joiner_replays_the_epochs_it_missed() {
    for seed in seeds(FIRST_SEED, 1) {
        let (_, network) = join_late(seed, 2, 6 * LENGTH);
        assert_one_chain(&network);
    }
}

#[test]
fn the_same_seed_gives_the_same_run_with_a_partition_and_with_restarts_across_epochs() {
    for disturb in [partition, restart_at_random] {
        assert_same(|| disturb(8));
    }
}

#[test]
fn the_same_seed_gives_the_same_run_with_a_late_joiner() {
    assert_same(|| join_late(8, 1, 2 * LENGTH));
}

#[test]
fn the_same_seed_gives_the_same_run_with_a_crash_at_an_epochs_end() {
    assert_same(|| crash_at(1, LENGTH - 1, 2 * LENGTH));
}

#[test]
fn the_same_seed_gives_the_same_run_with_lost_archives() {
    assert_same(lose_archives);
}

#[test]
fn the_same_seed_gives_the_same_run_across_epochs() {
    let runs = [7, 7, 8].map(|seed| {
        let pool = Pool::with(20);
        let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &pool);
        pool.change(&network.set(&[1, 2, 3, 4]));
        let result = run(plan(&network, 3 * LENGTH).seed(seed));
        (result.state, network.chains()[0][..20].to_vec())
    });
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0].0, runs[2].0);
}

#[test]
fn a_node_that_is_no_validator_follows() {
    let network = Network::with_epochs(5, &[0, 1, 2, 3], LENGTH, &Pool::with(10));
    let follower = Arc::clone(&network.ledgers);
    run(plan(&network, 3 * LENGTH));
    assert_one_chain(&network);
    assert!(follower.lock()[4].last_finalized() >= 3 * LENGTH);
    assert!(leaders(&network).iter().all(|epoch| !epoch.contains(&4)));
}
