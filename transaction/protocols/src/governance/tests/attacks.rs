//! What someone would try.

use super::*;

#[test]
fn i6_coin_bonded_for_a_vote_votes_nothing() {
    let mut world = world(1, 3);
    join(&mut world, person(0), operator(0), 10_000 * COIN);
    pass(&mut world, DAY);
    let id = propose(&mut world, person(1), &[text()], "mine").unwrap();
    // Within the epoch in which voting begins it is too late.
    let snapshot: u64 = ask(&mut world, &IGovernance::proposalSnapshotCall { proposalId: id }).to();
    let rest = snapshot - now(&world);
    pass(&mut world, rest);
    join(&mut world, person(1), operator(0), 1_000_000 * COIN);
    pass(&mut world, 1);
    assert_eq!(vote(&mut world, person(1), id, IN_FAVOUR), Ok(U256::ZERO));
    assert_eq!(vote(&mut world, operator(0), id, AGAINST), Ok(U256::from(11_000 * COIN)));
    let shown = tally(&mut world, id);
    assert_eq!(shown.all, U256::from(11_000 * COIN));
    assert!(shown.countedAt < snapshot);
}

#[test]
fn i6_coin_that_left_and_coin_of_the_classes_votes_nothing() {
    let mut world = world(1, 2);
    join(&mut world, person(0), operator(0), 10_000 * COIN);
    world.state.fund(sahara_abi::COMMUNITY, Amount::from_coins(2_075_000_000));
    let leave =
        IStaking::undelegateCall { validator: operator(0), amount: U256::from(10_000 * COIN) };
    world.call(person(0), STAKING, 0, &leave).unwrap();
    pass(&mut world, DAY);
    let id = propose(&mut world, person(1), &[text()], "").unwrap();
    open(&mut world, id);
    for nobody in [person(0), sahara_abi::COMMUNITY, INCENTIVE_POOL, STAKING, GOVERNANCE] {
        assert_eq!(vote(&mut world, nobody, id, IN_FAVOUR), Ok(U256::ZERO));
    }
    assert_eq!(tally(&mut world, id).inFavour, U256::ZERO);
}

#[test]
fn i1_nobody_votes_twice_through_a_validator_or_two() {
    let mut world = world(2, 2);
    join(&mut world, person(0), operator(0), 500 * COIN);
    join(&mut world, person(0), operator(1), 300 * COIN);
    pass(&mut world, DAY);
    let id = propose(&mut world, person(1), &[text()], "").unwrap();
    open(&mut world, id);
    // One validator before, one after the delegator who stands behind both.
    assert_eq!(vote(&mut world, operator(0), id, IN_FAVOUR), Ok(U256::from(1_500 * COIN)));
    assert_eq!(vote(&mut world, person(0), id, AGAINST), Ok(U256::from(800 * COIN)));
    let reduced = logged::<IGovernance::VoteReduced>(&world);
    assert_eq!((reduced.len(), reduced[0].delegate), (1, operator(0)));
    assert_eq!(reduced[0].weight, U256::from(500 * COIN));
    assert_eq!(vote(&mut world, operator(1), id, VETO), Ok(U256::from(1_000 * COIN)));
    for voter in [operator(0), operator(1), person(0)] {
        let twice: Failure = IGovernance::GovernorAlreadyCastVote { voter }.into();
        assert_eq!(vote(&mut world, voter, id, IN_FAVOUR), Err(twice));
    }
    let shown = tally(&mut world, id);
    let coins = [shown.inFavour, shown.against, shown.vetoed].map(|part| part.to::<u128>() / COIN);
    assert_eq!(coins, [1_000, 800, 1_000]);
    assert_eq!(shown.all, U256::from(2_800 * COIN));
}

#[test]
fn i1_moving_to_another_validator_while_votes_are_taken_changes_nothing() {
    let mut world = world(2, 2);
    join(&mut world, person(0), operator(0), 500 * COIN);
    pass(&mut world, DAY);
    let id = propose(&mut world, person(1), &[text()], "").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    let over = IStaking::redelegateCall {
        source: operator(0),
        destination: operator(1),
        amount: U256::from(500 * COIN),
    };
    world.call(person(0), STAKING, 0, &over).unwrap();
    pass(&mut world, 1);
    assert_eq!(vote(&mut world, operator(1), id, IN_FAVOUR), Ok(U256::from(1_000 * COIN)));
    assert_eq!(tally(&mut world, id).inFavour, U256::from(2_500 * COIN));
}

#[test]
fn i7_no_proposal_makes_governance_propose_vote_or_execute() {
    let mut world = world(1, 1);
    let inner = proposal(&[text()], "inner").abi_encode();
    let id = U256::from(1);
    let calls = [
        inner,
        IGovernance::castVoteCall { proposalId: id, support: 1 }.abi_encode(),
        IGovernance::queue_1Call { proposalId: id }.abi_encode(),
        IGovernance::execute_1Call { proposalId: id }.abi_encode(),
        IGovernance::beginExecutionCall { proposalId: id }.abi_encode(),
        IGovernance::withdrawDepositCall { amount: id }.abi_encode(),
        IGovernance::cancel_1Call { proposalId: id }.abi_encode(),
        Vec::new(),
    ];
    let refused: Failure = IGovernance::InvalidAction { index: U256::ZERO }.into();
    for call in calls {
        let tried = propose(&mut world, person(0), &[(GOVERNANCE, call)], "");
        assert_eq!(tried, Err(refused.clone()));
    }
    let end = sahara_abi::ISystem::endBlockCall {
        leader: person(0),
        recipients: Vec::new(),
        missed: Vec::new(),
    };
    let end = (sahara_abi::SYSTEM, end.abi_encode());
    let system = propose(&mut world, person(0), &[end], "");
    assert_eq!(system, Err(refused.clone()));
    // Nor by bringing what somebody signed.
    let cancel = sahara_abi::IIntents::cancelCall { nonce: id };
    let brought = (sahara_abi::INTENTS, cancel.abi_encode());
    assert_eq!(propose(&mut world, person(0), &[brought], ""), Err(refused));
    let rules = Rules::default_of(Kind::Text).shown();
    let set = IGovernance::setRulesCall { kind: Kind::Text, rules };
    let refused: Failure = IGovernance::GovernorOnlyExecutor { account: person(0) }.into();
    assert_eq!(world.call(person(0), GOVERNANCE, 0, &set).map(drop), Err(refused));
}

#[test]
fn i1_whoever_orders_the_votes_of_a_block_decides_nothing() {
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
    let mut counts = Vec::new();
    for order in orders {
        let mut world = world(2, 2);
        join(&mut world, person(0), operator(0), 500 * COIN);
        join(&mut world, person(0), operator(1), 300 * COIN);
        join(&mut world, person(1), operator(1), 70 * COIN);
        pass(&mut world, DAY);
        let id = propose(&mut world, person(1), &[text()], "").unwrap();
        open(&mut world, id);
        let ballots = [
            (operator(0), IN_FAVOUR),
            (operator(1), VETO),
            (person(0), AGAINST),
            (person(1), IN_FAVOUR),
        ];
        for place in order {
            let (voter, support) = ballots[place];
            vote(&mut world, voter, id, support).unwrap();
        }
        let shown = tally(&mut world, id);
        counts.push((shown.inFavour, shown.against, shown.vetoed));
    }
    let coins = |coins: u128| U256::from(coins * COIN);
    assert_eq!(counts[0], (coins(1_070), coins(800), coins(1_000)));
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn i1_whoever_orders_a_vote_and_a_delegation_of_a_block_gains_nothing() {
    for is_first in [false, true] {
        let mut world = world(1, 2);
        join(&mut world, person(0), operator(0), 500 * COIN);
        pass(&mut world, DAY);
        let id = propose(&mut world, person(1), &[text()], "").unwrap();
        open(&mut world, id);
        if is_first {
            join(&mut world, person(0), operator(0), 9_000 * COIN);
        }
        assert_eq!(vote(&mut world, person(0), id, IN_FAVOUR), Ok(U256::from(500 * COIN)));
        if !is_first {
            join(&mut world, person(0), operator(0), 9_000 * COIN);
        }
        assert_eq!(vote(&mut world, operator(0), id, AGAINST), Ok(U256::from(1_000 * COIN)));
    }
}

#[test]
fn spam_binds_a_deposit_each_and_delays_nobody() {
    let mut world = world(1, 2);
    pass(&mut world, DAY);
    for number in 0..100 {
        propose(&mut world, person(0), &[text()], &format!("spam {number}")).unwrap();
    }
    let free: Failure = IGovernance::InsufficientDeposit {
        account: person(0),
        free: U256::ZERO,
        needed: U256::from(1_000 * COIN),
    }
    .into();
    assert_eq!(propose(&mut world, person(0), &[text()], "more"), Err(free));
    let id = propose(&mut world, person(1), &[text()], "earnest").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    queue(&mut world, id).unwrap();
    execute(&mut world, id).unwrap();
    // Four are looked at in a block; in 25 blocks all coin is back.
    pass(&mut world, 3_600);
    for _ in 0..25 {
        pass(&mut world, 1);
    }
    assert_eq!(world.held(GOVERNANCE), 199_000 * COIN - 100_000 * COIN);
    check_books(&world);
}

#[test]
fn coin_and_shapes_that_governance_does_not_take_are_refused() {
    let mut world = world(1, 1);
    let mut call = proposal(&[text()], "");
    call.values = vec![U256::ONE];
    let refused: Failure = IGovernance::ProposalWithCoin { index: U256::ZERO }.into();
    assert_eq!(world.call(person(0), GOVERNANCE, 0, &call), Err(refused));
    call.values = Vec::new();
    let length = IGovernance::GovernorInvalidProposalLength {
        targets: U256::ONE,
        calldatas: U256::ONE,
        values: U256::ZERO,
    };
    assert_eq!(world.call(person(0), GOVERNANCE, 0, &call), Err(length.into()));
    let many = vec![text(); MAX_ACTIONS + 1];
    assert!(propose(&mut world, person(0), &many, "").is_err());
    let long = vec![(STRANGER, vec![1; 8_191])];
    assert!(propose(&mut world, person(0), &long, "").is_err());
}

#[test]
fn a_description_names_who_may_propose_it() {
    let mut world = world(1, 2);
    let mine = format!("an idea #proposer={:#x}", person(0));
    let refused: Failure = IGovernance::GovernorRestrictedProposer { proposer: person(1) }.into();
    assert_eq!(propose(&mut world, person(1), &[text()], &mine), Err(refused));
    propose(&mut world, person(0), &[text()], &mine).unwrap();
    propose(&mut world, person(1), &[text()], "an idea #proposer=0xnobody").unwrap();
}

#[test]
fn a_validator_that_was_shut_out_speaks_for_its_own_coin_only() {
    let mut world = world(2, 2);
    join(&mut world, person(0), operator(0), 9_000 * COIN);
    pass(&mut world, DAY);
    let id = propose(&mut world, person(1), &[text()], "").unwrap();
    open(&mut world, id);
    let epoch = world.call(STRANGER, STAKING, 0, &IStaking::currentEpochCall {}).unwrap().epoch;
    let fault = crate::staking::Fault { epoch };
    world
        .atomically(|state| {
            crate::staking::double_sign(state, operator(0), fault, STRANGER).map(|()| Bytes::new())
        })
        .unwrap();
    assert_eq!(vote(&mut world, operator(0), id, IN_FAVOUR), Ok(U256::from(1_000 * COIN)));
    assert_eq!(vote(&mut world, person(0), id, AGAINST), Ok(U256::from(9_000 * COIN)));
    assert!(logged::<IGovernance::VoteReduced>(&world).is_empty());
    let shown = tally(&mut world, id);
    assert_eq!(shown.inFavour + shown.against + U256::from(1_000 * COIN), shown.all);
}

#[test]
fn nobody_puts_coin_where_it_could_never_be_taken_back() {
    let mut world = world(1, 1);
    let (who, held) = (person(0), world.held(person(0)));
    for account in [Address::ZERO, GOVERNANCE, STAKING, sahara_abi::FEES] {
        let call = IGovernance::depositForCall { account };
        let refused = IGovernance::GovernorRestrictedProposer { proposer: account };
        assert_eq!(world.call(who, GOVERNANCE, COIN, &call).map(drop), Err(refused.into()));
    }
    assert_eq!(world.held(who), held);
    check_books(&world);
}
