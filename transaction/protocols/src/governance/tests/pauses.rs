//! Pauses and upgrades.

use super::*;
use sahara_abi::{FEES, MARKET, PROTOCOLS, VESTING};

fn guarded() -> Undo {
    let mut world = world(1, 2);
    let setup = quick(5, STRANGER);
    world.atomically(|state| found(state, &setup).map(|()| Bytes::new())).unwrap();
    world
}

fn stop(world: &mut Undo, who: Address, protocols: &[Address], until: u64) -> Result<(), Failure> {
    let duration = until.saturating_sub(now(world));
    let call = IGovernance::pauseCall { protocols: protocols.to_vec(), duration };
    world.call(who, GOVERNANCE, 0, &call).map(drop)
}

fn try_to_join(world: &mut Undo) -> Result<(), Failure> {
    let call = IStaking::delegateCall { validator: operator(0) };
    world.call(person(0), STAKING, COIN, &call).map(drop)
}

#[test]
fn i8_a_pause_stops_what_leads_in_lets_out_what_is_in_and_ends_by_itself() {
    let mut world = guarded();
    try_to_join(&mut world).unwrap();
    let until = now(&world) + 3 * DAY;
    stop(&mut world, STRANGER, &[STAKING], until).unwrap();
    let paused: Failure = IGovernance::EntriesPaused { protocol: STAKING, until }.into();
    assert_eq!(try_to_join(&mut world), Err(paused.clone()));
    let leave = IStaking::undelegateCall { validator: operator(0), amount: U256::from(COIN) };
    world.call(person(0), STAKING, 0, &leave).unwrap();
    pass(&mut world, 3 * DAY - 1);
    assert_eq!(try_to_join(&mut world), Err(paused));
    pass(&mut world, 1);
    assert_eq!(ask(&mut world, &IGovernance::pausedUntilCall { protocol: STAKING }), 0);
    try_to_join(&mut world).unwrap();
}

#[test]
fn i8_what_was_earned_is_paid_in_a_pause_and_not_bonded_again() {
    let mut world = guarded();
    join(&mut world, person(0), operator(0), 7_000 * COIN);
    let earn = |world: &mut Undo| {
        let amount = Amount::from_coins(10_000);
        world.state.fund(FEES, amount);
        let rewarded = world.atomically(|state| {
            crate::staking::reward(state, FEES, operator(0), amount).map(|()| Bytes::new())
        });
        rewarded.unwrap();
    };
    earn(&mut world);
    let until = now(&world) + DAY;
    stop(&mut world, STRANGER, &[STAKING], until).unwrap();
    let again = IStaking::compoundCall { validator: operator(0) };
    let paused: Failure = IGovernance::EntriesPaused { protocol: STAKING, until }.into();
    assert_eq!(world.call(person(0), STAKING, 0, &again), Err(paused));
    let before = world.held(person(0));
    let settle = IStaking::settleCall { delegator: person(0), validator: operator(0) };
    let paid = world.call(person(0), STAKING, 0, &settle).unwrap();
    // A tenth is the validator's commission, seven eighths of the rest the delegator's.
    assert_eq!(paid, U256::from(7_875 * COIN));
    assert_eq!(world.held(person(0)) - before, 7_875 * COIN);
    pass(&mut world, DAY);
    earn(&mut world);
    assert_eq!(world.call(person(0), STAKING, 0, &again), Ok(paid));
}

#[test]
fn i8_the_guardian_alone_pauses_not_for_long_and_rests() {
    let mut world = guarded();
    let start = now(&world);
    let refused: Failure = IGovernance::OnlyGuardian { caller: person(0) }.into();
    assert_eq!(stop(&mut world, person(0), &[STAKING], start + 1), Err(refused));
    assert!(stop(&mut world, STRANGER, &[STAKING], start + 3 * DAY + 1).is_err());
    assert!(stop(&mut world, STRANGER, &[STAKING], start).is_err());
    assert!(stop(&mut world, STRANGER, &[VESTING], start + 1).is_err(), "nothing leads in there");
    stop(&mut world, STRANGER, &[MARKET, STAKING], start + DAY).unwrap();
    let end = IGovernance::unpauseCall { protocols: vec![STAKING] };
    world.call(STRANGER, GOVERNANCE, 0, &end).unwrap();
    try_to_join(&mut world).unwrap();
    let rests: Failure = IGovernance::GuardianRests { until: start + 31 * DAY }.into();
    pass(&mut world, 31 * DAY - 1);
    let later = now(&world);
    assert_eq!(stop(&mut world, STRANGER, &[STAKING], later + 5), Err(rests));
    // A vote may, which takes its time.
    stop(&mut world, GOVERNANCE, &[STAKING], later + 5).unwrap();
    pass(&mut world, 1);
    stop(&mut world, STRANGER, &[STAKING], later + 5).unwrap();
}

#[test]
fn i8_a_pause_by_a_vote_lasts_as_long_as_was_voted_from_its_execution_on() {
    let mut world = world(1, 2);
    pass(&mut world, DAY);
    let pause = |duration| IGovernance::pauseCall { protocols: vec![STAKING], duration };
    let too_long =
        propose(&mut world, person(0), &[(GOVERNANCE, pause(3 * DAY + 1).abi_encode())], "");
    assert!(too_long.is_err());
    let action = (GOVERNANCE, pause(3 * DAY).abi_encode());
    let id = propose(&mut world, person(0), &[action], "").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    queue(&mut world, id).unwrap();
    pass(&mut world, 5 * DAY);
    drop(execute(&mut world, id));
    assert_eq!(standing(&mut world, id), ProposalState::Executed);
    let until = ask(&mut world, &IGovernance::pausedUntilCall { protocol: STAKING });
    assert_eq!(until, now(&world) + 3 * DAY);
    assert!(try_to_join(&mut world).is_err());
}

/// What pays out, returns, collects or closes, by the words it has in any interface.
const OUT: [&str; 14] = [
    "withdraw",
    "undelegate",
    "claim",
    "close",
    "release",
    "settle",
    "cancel",
    "revoke",
    "leave",
    "unserve",
    "return",
    "redelegate",
    "unjail",
    "apply",
];

#[test]
fn i8_nothing_that_leads_out_is_ever_paused() {
    let mut paused = 0;
    for protocol in PROTOCOLS {
        for function in (protocol.abi)().functions() {
            let is_entry = entries(protocol.address).contains(&function.selector().0);
            let is_way_out = OUT.iter().any(|word| function.name.starts_with(word));
            let is_view = function.state_mutability.as_json_str() == "view";
            assert!(!is_entry || !is_way_out && !is_view, "{}.{}", protocol.name, function.name);
            paused += usize::from(is_entry);
        }
    }
    let listed: usize = PROTOCOLS.iter().map(|protocol| entries(protocol.address).len()).sum();
    assert_eq!(paused, listed, "every entry is a function of its protocol");
}

#[test]
fn i9_an_upgrade_names_the_version_that_a_block_needs() {
    let mut world = guarded();
    world.state.block.number = 10;
    let schedule = |world: &mut Undo, version, height| {
        let call = IGovernance::scheduleUpgradeCall { version, height };
        world.call(GOVERNANCE, GOVERNANCE, 0, &call).map(drop)
    };
    let needed = |world: &Undo, height| {
        let word = world.state.words.get(&(GOVERNANCE, upgrade_slot())).copied();
        needed_version(word.unwrap_or_default(), height).unwrap()
    };
    let scheduled = |world: &Undo| {
        let word = world.state.words.get(&(GOVERNANCE, upgrade_slot())).copied();
        scheduled_upgrade(word.unwrap_or_default()).unwrap()
    };
    assert_eq!((needed(&world, 1 << 40), scheduled(&world)), (1, (1, 0)));
    assert!(schedule(&mut world, 1, 20).is_err() && schedule(&mut world, 2, 10).is_err());
    schedule(&mut world, 2, 20).unwrap();
    assert_eq!([19, 20, 21].map(|height| needed(&world, height)), [1, 2, 2]);
    assert_eq!(scheduled(&world), (2, 20));
    schedule(&mut world, 3, 15).unwrap();
    assert_eq!([14, 15, 20].map(|height| needed(&world, height)), [1, 3, 3]);
    world.state.block.number = 15;
    assert!(schedule(&mut world, 3, 30).is_err());
    let cancel = IGovernance::cancelUpgradeCall {};
    assert!(world.call(GOVERNANCE, GOVERNANCE, 0, &cancel).is_err(), "it is in force");
    schedule(&mut world, 4, 30).unwrap();
    assert_eq!([15, 29, 30].map(|height| needed(&world, height)), [3, 3, 4]);
    world.call(GOVERNANCE, GOVERNANCE, 0, &cancel).unwrap();
    assert_eq!([15, 29, 30].map(|height| needed(&world, height)), [3, 3, 3]);
    assert_eq!(scheduled(&world).0, 3, "none that the chain does not have");
    let foreign = IGovernance::scheduleUpgradeCall { version: 9, height: 99 };
    assert!(world.call(STRANGER, GOVERNANCE, 0, &foreign).is_err());
}

#[test]
fn i9_an_upgrade_gives_as_many_blocks_notice_as_its_timelock_has_seconds_up_to_a_day() {
    let usual = Rules::default_of(Kind::Upgrade);
    let most = u32::try_from(MOST_NOTICE).unwrap();
    for (timelock, notice) in [(0, 1), (1, 1), (5, 5), (most, MOST_NOTICE), (most + 1, MOST_NOTICE)]
    {
        let mut world = Undo::default();
        let rules = Rules { timelock, ..usual }.shown();
        let rules = IGovernance::setRulesCall { kind: Kind::Upgrade, rules };
        world.call(GOVERNANCE, GOVERNANCE, 0, &rules).unwrap();
        let now = world.state.block.number;
        let mut schedule = |version, height| {
            let call = IGovernance::scheduleUpgradeCall { version, height };
            world.call(GOVERNANCE, GOVERNANCE, 0, &call).map(drop)
        };
        let early = IGovernance::InvalidUpgrade { version: 2, height: now + notice - 1 };
        assert_eq!(schedule(2, now + notice - 1), Err(early.into()), "{timelock}");
        schedule(2, now + notice).unwrap();
        // Nor is one that was announced moved nearer than that.
        assert!(schedule(3, now + notice - 1).is_err());
        schedule(3, now + notice + 1).unwrap();
    }
}
