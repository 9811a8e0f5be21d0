//! Every time of a proposal, to the second.

use super::{life::town, *};

/// Goes to a second without ending a block: the chain does nothing itself.
fn at(world: &mut Undo, time: u64) {
    world.state.block.timestamp = Timestamp(time);
}

/// A proposal that needs nothing but votes.
fn made(world: &mut Undo, kind: Kind) -> U256 {
    let action = match kind {
        Kind::Text => text(),
        Kind::Emergency => {
            let call = IGovernance::pauseCall { protocols: vec![STAKING], duration: 60 };
            (GOVERNANCE, call.abi_encode())
        }
        Kind::Parameter => change(world, |parameters| parameters.seats = 9),
        _ => {
            let height = world.state.block.number + 10 * MOST_NOTICE;
            (GOVERNANCE, IGovernance::scheduleUpgradeCall { version: 2, height }.abi_encode())
        }
    };
    propose(world, person(0), &[action], "on time").unwrap()
}

const ALL: [Kind; 4] = [Kind::Text, Kind::Emergency, Kind::Parameter, Kind::Upgrade];

fn snapshot(world: &mut Undo, id: U256) -> u64 {
    ask(world, &IGovernance::proposalSnapshotCall { proposalId: id }).to()
}

fn deadline(world: &mut Undo, id: U256) -> u64 {
    ask(world, &IGovernance::proposalDeadlineCall { proposalId: id }).to()
}

/// Goes to the last second before votes are taken.
fn await_votes(world: &mut Undo, id: U256) -> u64 {
    let from = snapshot(world, id);
    let rest = from - now(world);
    pass(world, rest);
    from
}

#[test]
fn i4_votes_are_taken_from_the_second_after_the_snapshot_to_the_deadlines() {
    for kind in ALL {
        let mut world = town();
        let id = made(&mut world, kind);
        let rules = Rules::default_of(kind);
        assert_eq!(snapshot(&mut world, id), now(&world) + u64::from(rules.delay));
        let from = await_votes(&mut world, id);
        assert_eq!(deadline(&mut world, id), from + u64::from(rules.period));
        let to = deadline(&mut world, id);
        let before = world.state.clone();
        for (time, state) in [
            (from - 1, ProposalState::Pending),
            (from, ProposalState::Pending),
            (from + 1, ProposalState::Active),
            (to - 1, ProposalState::Active),
            (to, ProposalState::Active),
            (to + 1, ProposalState::Defeated),
        ] {
            world.state = before.clone();
            at(&mut world, time);
            assert_eq!(standing(&mut world, id), state, "{kind:?} at {time}");
            let is_taken = state == ProposalState::Active;
            assert_eq!(vote(&mut world, operator(0), id, IN_FAVOUR).is_ok(), is_taken);
            assert!(queue(&mut world, id).is_err(), "votes are taken, or were too few");
            let cancel = IGovernance::cancel_1Call { proposalId: id };
            let taken_back = world.call(person(0), GOVERNANCE, 0, &cancel).is_ok();
            assert_eq!(taken_back, state == ProposalState::Pending, "{kind:?} at {time}");
        }
    }
}

#[test]
fn i5_what_was_accepted_is_executed_from_its_time_to_the_second_before_it_expires() {
    for kind in ALL {
        let mut world = town();
        let id = made(&mut world, kind);
        let from = await_votes(&mut world, id);
        at(&mut world, from + 1);
        for number in 0..2 {
            vote(&mut world, operator(number), id, IN_FAVOUR).unwrap();
        }
        let ends = deadline(&mut world, id);
        at(&mut world, ends);
        assert!(queue(&mut world, id).is_err(), "somebody may still vote");
        at(&mut world, ends + 1);
        queue(&mut world, id).unwrap();
        let eta = ends + 1 + u64::from(Rules::default_of(kind).timelock);
        let shown = ask(&mut world, &IGovernance::proposalEtaCall { proposalId: id });
        assert_eq!(shown, U256::from(eta));
        let expires = eta + u64::from(ask(&mut world, &IGovernance::settingsCall {}).grace);
        let queued = world.state.clone();
        for (time, is_in_time) in [
            (eta - 1, false),
            (eta, true),
            (eta + 1, true),
            (expires - 1, true),
            (expires, false),
            (expires + 1, false),
        ] {
            world.state = queued.clone();
            at(&mut world, time);
            assert_eq!(execute(&mut world, id).is_ok(), is_in_time, "{kind:?} at {time}");
            let state = standing(&mut world, id);
            assert_eq!(state == ProposalState::Executed, is_in_time);
            assert_eq!(state == ProposalState::Expired, time >= expires);
        }
    }
}

#[test]
fn the_chain_is_patient_to_the_second() {
    let mut world = town();
    let id = made(&mut world, Kind::Parameter);
    let from = await_votes(&mut world, id);
    at(&mut world, from + 1);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    let patience = u64::from(ask(&mut world, &IGovernance::settingsCall {}).patience);
    let queueing = deadline(&mut world, id) + 1 + patience;
    let executing = queueing + u64::from(Rules::default_of(Kind::Parameter).timelock) + patience;
    for (time, state) in [
        (queueing - 1, ProposalState::Succeeded),
        (queueing, ProposalState::Queued),
        (executing - 1, ProposalState::Queued),
        (executing, ProposalState::Executed),
    ] {
        at(&mut world, time);
        pass(&mut world, 0);
        assert_eq!(standing(&mut world, id), state, "at {time}");
    }
}

#[test]
fn i6_coin_votes_that_was_bonded_by_the_last_second_before_the_epoch() {
    let lived = |bonded_at: Option<u64>| {
        let mut world = town();
        let id = made(&mut world, Kind::Text);
        let start = now(&world);
        if let Some(time) = bonded_at {
            at(&mut world, time);
            join(&mut world, person(3), operator(0), 77 * COIN);
            at(&mut world, start);
        }
        await_votes(&mut world, id);
        pass(&mut world, 1);
        let weight = vote(&mut world, person(3), id, IN_FAVOUR).unwrap();
        (weight, tally(&mut world, id).countedAt)
    };
    let (before, last) = lived(None);
    let more = before + U256::from(77 * COIN);
    assert_eq!([last - 1, last, last + 1].map(|time| lived(Some(time)).0), [more, more, before]);
}
