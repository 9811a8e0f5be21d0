//! What becomes of proposals.

use super::*;

/// Half of all coin behind each of two validators.
pub(super) fn town() -> Undo {
    let mut world = world(2, 4);
    for number in 0..4 {
        join(&mut world, person(number), operator(number % 2), 10_000 * COIN);
    }
    pass(&mut world, DAY);
    world
}

#[test]
fn a_parameter_change_is_proposed_voted_queued_and_executed_by_anyone() {
    let mut world = town();
    let action = change(&mut world, |parameters| parameters.seats = 7);
    let id = propose(&mut world, person(0), std::slice::from_ref(&action), "seven seats").unwrap();
    let created = logged::<IGovernance::ProposalCreated>(&world);
    assert_eq!(created[0].proposalId, id);
    assert_eq!(created[0].voteStart, U256::from(now(&world) + DAY));
    assert_eq!(created[0].signatures, [""]);
    let kind = ask(&mut world, &IGovernance::proposalKindCall { proposalId: id });
    assert_eq!((kind, standing(&mut world, id)), (Kind::Parameter, ProposalState::Pending));
    assert!(vote(&mut world, operator(0), id, IN_FAVOUR).is_err(), "votes are not taken yet");
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    vote(&mut world, operator(1), id, ABSTAIN).unwrap();
    assert!(queue(&mut world, id).is_err(), "votes are still taken");
    close(&mut world, id);
    assert_eq!(standing(&mut world, id), ProposalState::Succeeded);
    let unqueued: Failure = IGovernance::GovernorNotQueuedProposal { proposalId: id }.into();
    assert_eq!(execute(&mut world, id), Err(unqueued));
    queue(&mut world, id).unwrap();
    let eta = U256::from(now(&world) + DAY);
    assert_eq!(ask(&mut world, &IGovernance::proposalEtaCall { proposalId: id }), eta);
    pass(&mut world, DAY - 1);
    let early: Failure = IGovernance::ExecutionTooEarly { proposalId: id, etaSeconds: eta }.into();
    assert_eq!(execute(&mut world, id), Err(early));
    pass(&mut world, 1);
    assert_eq!(parameters(&mut world).seats, 100);
    execute(&mut world, id).unwrap();
    assert_eq!(parameters(&mut world).seats, 7);
    assert_eq!(standing(&mut world, id), ProposalState::Executed);
    assert!(execute(&mut world, id).is_err(), "once");
    check_books(&world);
    let again = propose(&mut world, person(1), &[action], "seven seats");
    assert!(again.is_err(), "the same proposal cannot be made twice");
}

#[test]
fn the_chain_queues_and_executes_when_nobody_does() {
    let mut world = town();
    let action = change(&mut world, |parameters| parameters.jail = 7);
    let id = propose(&mut world, person(0), &[action], "").unwrap();
    let before = world.held(person(0));
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    pass(&mut world, 3_599);
    assert_eq!(standing(&mut world, id), ProposalState::Succeeded);
    pass(&mut world, 1);
    assert_eq!(standing(&mut world, id), ProposalState::Queued);
    assert_eq!(world.held(person(0)), before + 5_000 * COIN, "the deposit came back");
    pass(&mut world, DAY + 3_599);
    assert_eq!(
        (standing(&mut world, id), parameters(&mut world).jail),
        (ProposalState::Queued, 600)
    );
    pass(&mut world, 1);
    assert_eq!(
        (standing(&mut world, id), parameters(&mut world).jail),
        (ProposalState::Executed, 7)
    );
    assert_eq!(world.held(GOVERNANCE), 4 * 100_000 * COIN - 5_000 * COIN);
    check_books(&world);
}

#[test]
fn what_would_fail_is_refused_when_it_is_proposed_and_says_why() {
    let mut world = town();
    let words = world.state.words.clone();
    let good = change(&mut world, |parameters| parameters.seats = 9);
    let bad = change(&mut world, |parameters| parameters.seats = 0);
    let refused = propose(&mut world, person(0), &[good.clone(), bad], "");
    let reason =
        alloy_sol_types::SolError::abi_encode(&sahara_abi::IProtocol::InvalidParameters {}).into();
    let index = U256::from(1);
    assert_eq!(refused, Err(IGovernance::ProposalWouldFail { index, reason }.into()));
    assert_eq!(world.state.words, words, "nothing of what was tried out stays");
    propose(&mut world, person(0), &[good], "").unwrap();
    assert_eq!(parameters(&mut world).seats, 100);
    assert!(logged::<IStaking::ParametersChanged>(&world).is_empty());
}

#[test]
fn what_fails_when_its_time_comes_is_said_and_expires() {
    let mut world = town();
    // In time when it is proposed; no longer when it is carried out.
    let height = world.state.block.number + MOST_NOTICE;
    let call = IGovernance::scheduleUpgradeCall { version: 2, height }.abi_encode();
    let id = propose(&mut world, person(0), &[(GOVERNANCE, call)], "too late").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    queue(&mut world, id).unwrap();
    pass(&mut world, 7 * DAY);
    assert!(execute(&mut world, id).is_err());
    // The first look after the votes only puts it off to its time.
    pass(&mut world, 3_600);
    let failed = logged::<IGovernance::ExecutionFailed>(&world);
    assert_eq!(failed.len(), 1);
    let why = IGovernance::InvalidUpgrade { version: 2, height };
    assert_eq!(failed[0].reason, Bytes::from(alloy_sol_types::SolError::abi_encode(&why)));
    assert_eq!(standing(&mut world, id), ProposalState::Queued);
    pass(&mut world, 14 * DAY - 3_600);
    assert_eq!(standing(&mut world, id), ProposalState::Expired);
    assert!(execute(&mut world, id).is_err());
}

#[test]
fn i5_what_would_break_the_books_is_taken_back_and_ends_no_block() {
    let mut world = town();
    let action = change(&mut world, |parameters| parameters.seats = 9);
    let id = propose(&mut world, person(0), &[text(), action.clone()], "").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    world.is_broken = true;
    let refused: Failure = IGovernance::InvalidAction { index: U256::from(1) }.into();
    let reason = match &refused {
        Failure::Revert(reason) => reason.clone(),
        other => unreachable!("{other:?}"),
    };
    pass(&mut world, 3_600);
    pass(&mut world, DAY);
    assert_eq!(execute(&mut world, id), Err(refused));
    pass(&mut world, 3_600);
    let failed = logged::<IGovernance::ExecutionFailed>(&world);
    assert_eq!((failed.len(), failed[0].reason.clone()), (1, reason));
    assert_eq!(parameters(&mut world).seats, 100, "nothing of it stays");
    assert_eq!(standing(&mut world, id), ProposalState::Queued);
    let again = propose(&mut world, person(1), &[action], "again");
    let index = U256::ZERO;
    let reason = alloy_sol_types::SolError::abi_encode(&IGovernance::InvalidAction { index });
    let reason = reason.into();
    assert_eq!(again, Err(IGovernance::ProposalWouldFail { index, reason }.into()));
    check_books(&world);
}

#[test]
fn i3_a_veto_sends_the_deposit_to_the_incentive_pool_and_a_defeat_sends_it_back() {
    for (support, takes) in [(VETO, true), (AGAINST, false)] {
        let mut world = town();
        let id = propose(&mut world, person(0), &[text()], "a thought").unwrap();
        let before = (world.held(person(0)), world.held(INCENTIVE_POOL));
        open(&mut world, id);
        vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
        vote(&mut world, operator(1), id, support).unwrap();
        close(&mut world, id);
        assert_eq!(standing(&mut world, id), ProposalState::Defeated);
        pass(&mut world, 3_600);
        let after = (world.held(person(0)), world.held(INCENTIVE_POOL));
        let back = if takes { (0, 1_000 * COIN) } else { (1_000 * COIN, 0) };
        assert_eq!(after, (before.0 + back.0, before.1 + back.1));
        check_books(&world);
    }
}

#[test]
fn a_proposal_is_taken_back_by_its_proposer_before_the_votes_only() {
    let mut world = town();
    let id = propose(&mut world, person(0), &[text()], "never mind").unwrap();
    let cancel = IGovernance::cancel_1Call { proposalId: id };
    let refused: Failure =
        IGovernance::GovernorUnableToCancel { proposalId: id, account: person(1) }.into();
    assert_eq!(world.call(person(1), GOVERNANCE, 0, &cancel).map(drop), Err(refused));
    let before = world.held(person(0));
    world.call(person(0), GOVERNANCE, 0, &cancel).unwrap();
    assert_eq!(world.held(person(0)), before + 1_000 * COIN);
    assert_eq!(standing(&mut world, id), ProposalState::Canceled);
    let other = propose(&mut world, person(0), &[text()], "mind").unwrap();
    open(&mut world, other);
    let cancel = IGovernance::cancel_1Call { proposalId: other };
    assert!(world.call(person(0), GOVERNANCE, 0, &cancel).is_err());
    close(&mut world, other);
    pass(&mut world, 3_600);
    check_books(&world);
}

#[test]
fn a_kind_follows_from_the_calls_and_the_strictest_decides() {
    let mut world = town();
    let seats = change(&mut world, |parameters| parameters.seats = 9);
    let pause = IGovernance::pauseCall { protocols: vec![STAKING], duration: 60 }.abi_encode();
    let pause = (GOVERNANCE, pause);
    let contract = (STRANGER, vec![1, 2, 3, 4]);
    let cases = [
        (vec![text()], Kind::Text),
        (vec![pause.clone(), text()], Kind::Emergency),
        (vec![pause.clone(), seats.clone()], Kind::Parameter),
        (vec![seats.clone(), contract], Kind::Upgrade),
    ];
    for (number, (actions, kind)) in cases.into_iter().enumerate() {
        let id = propose(&mut world, person(number), &actions, "").unwrap();
        assert_eq!(ask(&mut world, &IGovernance::proposalKindCall { proposalId: id }), kind);
    }
    let id = propose(&mut world, person(0), &[pause, seats], "again").unwrap();
    let rules = ask(&mut world, &IGovernance::proposalRulesCall { proposalId: id });
    assert_eq!((rules.threshold, u64::from(rules.period)), (6_670, 2 * DAY));
    let details = ask(&mut world, &IGovernance::proposalDetailsAtCall { index: U256::from(4) });
    assert_eq!((details.proposalId, details.targets), (id, vec![GOVERNANCE, STAKING]));
}

#[test]
fn a_call_of_a_contract_is_left_to_the_code_at_the_address() {
    let mut world = town();
    let id = propose(&mut world, person(0), &[(STRANGER, vec![1])], "call out").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    queue(&mut world, id).unwrap();
    pass(&mut world, 8 * DAY);
    assert_eq!(standing(&mut world, id), ProposalState::Queued, "the chain calls no contract");
    assert_eq!(execute(&mut world, id), Err(Failure::CallsOut));
    let begin = IGovernance::beginExecutionCall { proposalId: id };
    assert!(world.call(STRANGER, GOVERNANCE, 0, &begin).is_err());
    let calls = world.call(GOVERNANCE, GOVERNANCE, 0, &begin).unwrap();
    assert_eq!((calls.targets, calls.calldatas), (vec![STRANGER], vec![Bytes::from(vec![1])]));
    assert_eq!(standing(&mut world, id), ProposalState::Executed);
}

#[test]
fn i4_what_expired_stays_expired_whatever_the_settings_become() {
    let mut world = town();
    let action = change(&mut world, |parameters| parameters.seats = 9);
    let old = propose(&mut world, person(0), &[action], "old").unwrap();
    open(&mut world, old);
    vote(&mut world, operator(0), old, IN_FAVOUR).unwrap();
    close(&mut world, old);
    queue(&mut world, old).unwrap();
    // No block ends, so that the chain does not execute it.
    world.state.block.timestamp.0 += 15 * DAY - 1;
    assert_eq!(standing(&mut world, old), ProposalState::Queued);
    world.state.block.timestamp.0 += 1;
    assert_eq!(standing(&mut world, old), ProposalState::Expired);
    let mut settings = ask(&mut world, &IGovernance::settingsCall {});
    settings.grace = 56 * 86_400;
    let call = IGovernance::setSettingsCall { settings };
    world.call(GOVERNANCE, GOVERNANCE, 0, &call).unwrap();
    assert_eq!(standing(&mut world, old), ProposalState::Expired);
    assert!(execute(&mut world, old).is_err());
}

#[test]
fn no_vote_makes_votes_impossible() {
    let mut world = town();
    let usual = parameters(&mut world);
    for wrong in [
        IStaking::Parameters { epoch: 28 * 86_400 + 1, unbonding: 60 * 86_400, ..usual.clone() },
        IStaking::Parameters { unbonding: 60 * 86_400 + 1, ..usual.clone() },
        IStaking::Parameters { unbonding: 7 * 86_400 - 1, ..usual.clone() },
        IStaking::Parameters { jail: 28 * 86_400 + 1, ..usual.clone() },
        IStaking::Parameters { epoch: 3_599, ..usual },
    ] {
        let action = change(&mut world, |parameters| *parameters = wrong);
        assert!(propose(&mut world, person(0), &[action], "").is_err());
    }
    let widest = IStaking::Parameters { epoch: 28 * 86_400, unbonding: 60 * 86_400, ..usual };
    let call = IStaking::setParametersCall { parameters: widest };
    world.call(GOVERNANCE, STAKING, 0, &call).unwrap();
    let most = U256::from(1_000_000 * COIN);
    for (deposit, is_taken) in [(most, true), (most + U256::from(1), false)] {
        let rules = ask(&mut world, &IGovernance::rulesOfCall { kind: Kind::Text });
        let rules = IGovernance::Rules { deposit, ..rules };
        let call = IGovernance::setRulesCall { kind: Kind::Text, rules };
        assert_eq!(world.call(GOVERNANCE, GOVERNANCE, 0, &call).is_ok(), is_taken);
        let mut settings = ask(&mut world, &IGovernance::settingsCall {});
        settings.proposalVotes = deposit;
        let call = IGovernance::setSettingsCall { settings };
        assert_eq!(world.call(GOVERNANCE, GOVERNANCE, 0, &call).is_ok(), is_taken);
    }
}

#[test]
fn openzeppelins_interfaces_are_claimed() {
    let mut world = Undo::default();
    let mut claims = |interface: [u8; 4]| {
        ask(&mut world, &IGovernance::supportsInterfaceCall { interfaceId: interface.into() })
    };
    assert!(claims([0x01, 0xff, 0xc9, 0xa7]));
    assert!(!claims([0xff; 4]));
}
