//! Disks that fail, and power that fails everywhere at once, in virtual time.
//!
//! A node that is started again reads what was synced, and nothing else.

use std::time::Duration;

use commonware_glue::simulate::{
    action::{Action, Crash, Schedule},
    plan::PlanResult,
};
use commonware_runtime::deterministic::{FaultConfig, PartialWriteMode, ResizeConfig, WriteConfig};
use commonware_utils::{NZU64, probability};
use sahara_finality::{NetworkPublicKey, epoch_of};

use crate::{
    ledger::Pool,
    simulated::{FIRST_SEED, Network, assert_one_chain, assert_same, plan, run, seeds},
};

/// Thirty blocks that follow one another as fast as they can: about three seconds.
const TRANSACTIONS: u32 = 90;
/// Past the end of the work.
const HEIGHT: u64 = 40;

type Events = Schedule<NetworkPublicKey>;

/// The same happens to all four.
fn everyone(
    events: Events,
    network: &Network,
    time: Duration,
    action: fn(NetworkPublicKey) -> Action<NetworkPublicKey>,
) -> Events {
    (0..4).fold(events, |events, index| events.at(time, action(network.key(index))))
}

/// Nobody signed what contradicts what it had signed before.
fn assert_nobody_contradicts_itself(network: &Network) {
    for ledger in network.ledgers.lock().iter() {
        let evidence = ledger.disk.lock().evidence.len();
        assert_eq!(evidence, 0, "an honest validator can be accused");
    }
}

type Outcome = (PlanResult<Network>, Network);

/// All four crash at once, and come back.
fn lose_power(seed: u64) -> Outcome {
    let network = Network::new(4, &Pool::with(TRANSACTIONS));
    let cut = Duration::from_millis(400 + seed * 311 % 1_500);
    let events = everyone(Schedule::new(), &network, cut, Action::Crash);
    let events = everyone(events, &network, cut + Duration::from_secs(2), Action::Restart);
    let result = run(plan(&network, HEIGHT).seed(seed).crash(Crash::Schedule(events)));
    (result, network)
}

/// For two seconds, a write or a sync may fail anywhere.
fn lose_disks(seed: u64) -> Outcome {
    let network = Network::new(4, &Pool::with(TRANSACTIONS));
    let failing = FaultConfig::default().sync(probability!(0.02)).write(WriteConfig {
        failure_rate: probability!(0.01),
        retention_rate: probability!(0.5),
        mode: PartialWriteMode::Prefix,
    });
    let events = Schedule::new()
        .at(Duration::from_millis(500), Action::SetStorageFault(failing))
        .at(Duration::from_millis(2_500), Action::SetStorageFault(FaultConfig::default()));
    let events = everyone(events, &network, Duration::from_secs(10), Action::Crash);
    let events = everyone(events, &network, Duration::from_secs(12), Action::Restart);
    let result = run(plan(&network, HEIGHT).seed(seed).crash(Crash::Schedule(events)));
    (result, network)
}

/// All four crash, and for five seconds the disk may refuse whatever a node that starts asks of it: to open a
/// file, to read, to list, to remove or to resize. Then all four are started once more.
fn refuse_starts(seed: u64) -> Outcome {
    let network = Network::new(4, &Pool::with(TRANSACTIONS));
    let rarely = probability!(0.01);
    let resize = ResizeConfig { failure_rate: rarely, partial_rate: probability!(0.5) };
    let refusing =
        FaultConfig::default().open(rarely).read(rarely).scan(rarely).remove(rarely).resize(resize);
    let cut = Duration::from_millis(1_000 + seed * 311 % 1_500);
    let events = everyone(Schedule::new(), &network, cut, Action::Crash)
        .at(cut, Action::SetStorageFault(refusing));
    let events = everyone(events, &network, cut + Duration::from_secs(1), Action::Restart);
    let over = cut + Duration::from_secs(6);
    let events = everyone(events, &network, over, Action::Crash)
        .at(over, Action::SetStorageFault(FaultConfig::default()));
    let events = everyone(events, &network, over + Duration::from_secs(1), Action::Restart);
    let result = run(plan(&network, HEIGHT).seed(seed).crash(Crash::Schedule(events)));
    (result, network)
}

#[test]
fn i9_all_four_lose_power_at_once_and_go_on() {
    for seed in seeds(FIRST_SEED, 3) {
        let (result, network) = lose_power(seed);
        assert_eq!(result.crashes, 4, "seed {seed}");
        assert_one_chain(&network);
        assert_nobody_contradicts_itself(&network);
    }
}

#[test]
fn i9_what_a_ledger_has_before_its_archives_do_outlasts_a_loss_of_power() {
    for seed in seeds(FIRST_SEED, 2) {
        let network = Network::new(4, &Pool::with(TRANSACTIONS));
        network.power.fail_from(3 + seed % 20);
        let events = everyone(Schedule::new(), &network, Duration::from_secs(8), Action::Restart);
        run(plan(&network, HEIGHT).seed(seed).crash(Crash::Schedule(events)));
        let ahead = network.ahead.lock().clone();
        let (first, second) = ahead.split_at(4);
        assert_eq!((first, second.len()), ([0; 4].as_slice(), 4), "seed {seed}");
        assert!(second.iter().any(|blocks| *blocks > 0), "no ledger was ahead, seed {seed}");
        assert_one_chain(&network);
        assert_nobody_contradicts_itself(&network);
    }
}

/// The only validator has the last block of an epoch and is not asked for it before it is back. Its log of
/// the epoch is closed: what it does not have by then, nobody decides again.
/// Here a vote has always synced the certificate before the power fails; the sync that is made for it alone
/// before the block is applied matters where that vote comes later.
#[test]
fn i9_the_certificate_of_an_epochs_last_block_outlasts_a_loss_of_power() {
    let network = Network::with_epochs(2, &[0], 8, &Pool::with(30));
    let follower = network.key(1);
    let last = (1..).find(|height| epoch_of(height + 1, NZU64!(8)) == 1).unwrap();
    network.power.fail_with(last);
    let events = Schedule::new()
        .at(Duration::from_millis(1), Action::Crash(follower.clone()))
        .at(Duration::from_secs(8), Action::Restart(network.key(0)))
        .at(Duration::from_secs(8), Action::Restart(follower));
    run(plan(&network, 24).crash(Crash::Schedule(events)));
    assert!(network.chains()[1].len() >= 24);
    assert_one_chain(&network);
}

#[test]
fn i9_disks_that_fail_end_their_nodes_and_lose_nothing() {
    let mut ended = 0;
    for seed in seeds(FIRST_SEED, 3) {
        let (_, network) = lose_disks(seed);
        assert_one_chain(&network);
        assert_nobody_contradicts_itself(&network);
        ended += *network.ended.lock();
    }
    assert!(ended > 0, "no disk failed when a node needed it");
}

#[test]
fn i9_disks_that_refuse_a_start_lose_nothing() {
    let mut refused = 0;
    for seed in seeds(FIRST_SEED, 2) {
        let (_, network) = refuse_starts(seed);
        assert_one_chain(&network);
        assert_nobody_contradicts_itself(&network);
        assert_eq!(network.ahead.lock().len(), 12, "each of four is started three times");
        refused += 12 - *network.started.lock();
    }
    assert!(refused > 0, "no disk failed when a node started");
}

#[test]
fn the_same_seed_gives_the_same_run_when_power_and_disks_fail() {
    for fail in [lose_power, lose_disks, refuse_starts] {
        assert_same(|| fail(8));
    }
}
