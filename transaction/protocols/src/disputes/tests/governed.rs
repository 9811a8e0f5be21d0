//! What governance may set, and what it may not take away.

use super::*;
use sahara_abi::{
    IGovernance::{self, ProposalState},
    IProtocol,
};

const DAY: u32 = 86_400;

fn rules(world: &mut Undo) -> IDisputes::Parameters {
    ask(world, PAYER, &IDisputes::parametersCall {}).unwrap()
}

fn set(world: &mut Undo, parameters: &IDisputes::Parameters) -> Result<(), Failure> {
    let call = IDisputes::setParametersCall { parameters: parameters.clone() };
    ask(world, GOVERNANCE, &call).map(drop)
}

fn coins(coins: u128) -> U256 {
    U256::from(coins * COIN)
}

/// As long as a vote may make nothing shorter, with less coin.
fn least() -> IDisputes::Parameters {
    IDisputes::Parameters {
        answer: DAY,
        commit: DAY / 2,
        reveal: DAY / 2,
        appeal: DAY,
        decision: 6 * DAY,
        leastBond: coins(10),
        seatFee: coins(3) / U256::from(10),
        place: coins(100),
    }
}

#[test]
fn what_genesis_does_not_name_is_the_default() {
    let mut world = world(1);
    let shown = rules(&mut world);
    assert_eq!(Parameters::from(&shown), Parameters::DEFAULT);
    assert_eq!(shown, Parameters::DEFAULT.into());
    let named = IDisputes::Parameters { answer: 7, seatFee: U256::from(1), ..shown };
    world.atomically(|state| Ok(found(state, &named).map(|()| Bytes::new()).unwrap())).unwrap();
    assert_eq!(rules(&mut world), named);
    let none = IDisputes::Parameters { commit: 0, ..shown };
    let refused = ParametersError::Nothing { name: "commit" };
    assert_eq!(Parameters::from(&none).check(), Err(refused));
    let long = IDisputes::Parameters { decision: 9 * DAY, ..shown };
    let refused = Parameters::from(&long).check().unwrap_err();
    let text = "the sum of all times of disputes is 1296000, expected at most 1209600";
    assert_eq!(refused.to_string(), text);
}

#[test]
fn i8_no_vote_ends_disputes() {
    let mut world = world(1);
    let usual = rules(&mut world);
    let invalid: Failure = IProtocol::InvalidParameters {}.into();
    let with = |change: fn(&mut IDisputes::Parameters)| {
        let mut changed = least();
        change(&mut changed);
        changed
    };
    for refused in [
        with(|one| one.answer -= 1),
        with(|one| one.commit -= 1),
        with(|one| one.reveal -= 1),
        with(|one| one.appeal -= 1),
        with(|one| one.decision -= 1),
        with(|one| one.answer = 4 * DAY + 1),
        with(|one| one.decision = 11 * DAY + 1),
        with(|one| one.decision = u32::MAX),
        with(|one| one.leastBond -= U256::from(1)),
        with(|one| one.leastBond = coins(10_000) + U256::from(1)),
        with(|one| one.leastBond = U256::MAX),
        with(|one| one.seatFee -= U256::from(1)),
        // Seven of them are half of the least bond.
        with(|one| one.seatFee = coins(5) / U256::from(7) + U256::from(1)),
        with(|one| one.place -= U256::from(1)),
        with(|one| one.place = coins(10_000) + U256::from(1)),
    ] {
        assert_eq!(set(&mut world, &refused), Err(invalid.clone()), "{refused:?}");
    }
    assert_eq!(rules(&mut world), usual);
    let call = IDisputes::setParametersCall { parameters: least() };
    let stranger: Failure = IProtocol::OnlyGovernance { caller: VICTIM }.into();
    assert_eq!(ask(&mut world, VICTIM, &call).map(drop), Err(stranger));
    for taken in [
        least(),
        with(|one| one.answer = 4 * DAY),
        with(|one| one.decision = 11 * DAY),
        with(|one| one.seatFee = coins(5) / U256::from(7)),
        with(|one| (one.leastBond, one.place) = (coins(10_000), coins(10_000))),
        usual,
    ] {
        set(&mut world, &taken).unwrap();
        assert_eq!(events::<IDisputes::ParametersChanged>(&world)[0].parameters, taken);
        assert_eq!(rules(&mut world), taken);
    }
}

#[test]
fn a_network_that_began_with_less_may_keep_it() {
    let mut world = world(1);
    let short = IDisputes::Parameters {
        answer: 4,
        commit: 3,
        reveal: 3,
        appeal: 2,
        decision: 5,
        leastBond: coins(1),
        seatFee: U256::from(1),
        place: coins(1),
    };
    world.atomically(|state| Ok(found(state, &short).map(|()| Bytes::new()).unwrap())).unwrap();
    let longer = IDisputes::Parameters { answer: 5, ..short.clone() };
    set(&mut world, &longer).unwrap();
    assert!(set(&mut world, &short).is_err(), "not shorter than it is");
}

#[test]
fn i8_a_complaint_keeps_its_windows_and_its_fee() {
    let mut world = world(9);
    let first = asset(&mut world, &[], false);
    let second = asset(&mut world, &[], false);
    let third = asset(&mut world, &[], false);
    let old = file(&mut world, first, 100 * COIN).unwrap();
    set(&mut world, &least()).unwrap();
    let filed_at = shown(&mut world, old).filedAt;
    assert_eq!(shown(&mut world, old).phaseEndsAt, filed_at + ANSWER);
    // Filed an hour later, with half the time to answer: not due before the first one.
    pass(&mut world, 3_600);
    let behind = file(&mut world, second, 10 * COIN).unwrap();
    assert_eq!(shown(&mut world, behind).phaseEndsAt, filed_at + ANSWER);
    // Two days after that one it has its own time.
    pass(&mut world, ANSWER - 3_600);
    let new = file(&mut world, third, 10 * COIN).unwrap();
    let due = now(&world) + u64::from(DAY);
    assert_eq!(shown(&mut world, new).phaseEndsAt, due);
    rule(&mut world, old, false);
    assert_eq!(shown(&mut world, old).phaseEndsAt, filed_at + APPEAL);
    until(&mut world, old, APPEAL);
    close(&mut world, old).unwrap();
    let paid = events::<IDisputes::JurorPaid>(&world);
    let fees: u128 = paid.iter().map(|paid| paid.amount.to::<u128>()).sum();
    assert_eq!(fees, JURY_FEE, "as it was at the filing");
    check_books(&world);
}

#[test]
fn an_answer_never_needs_more_than_the_complainant_put_in() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 120 * COIN).unwrap();
    let dear = IDisputes::Parameters { leastBond: coins(10_000), ..rules(&mut world) };
    set(&mut world, &dear).unwrap();
    let answer = IDisputes::answerCall { complaint, evidence: B256::ZERO };
    let small: Failure = IDisputes::BondTooSmall { bond: coins(119), least: coins(120) }.into();
    assert_eq!(world.call(OWNER, DISPUTES, 119 * COIN, &answer).map(drop), Err(small));
    world.call(OWNER, DISPUTES, 120 * COIN, &answer).unwrap();
    rule(&mut world, complaint, true);
    let appeal = IDisputes::appealCall { complaint, reason: B256::ZERO };
    assert!(world.call(OWNER, DISPUTES, 119 * COIN, &appeal).is_err());
    world.call(OWNER, DISPUTES, 120 * COIN, &appeal).unwrap();
    check_books(&world);
}

/// A parameter's timelock, not a treasury proposal's.
#[test]
fn a_parameter_proposal_changes_them() {
    let mut world = world(9);
    let deposit = IGovernance::depositForCall { account: VICTIM };
    world.call(VICTIM, GOVERNANCE, 5_000 * COIN, &deposit).unwrap();
    let data = IDisputes::setParametersCall { parameters: least() }.abi_encode();
    let propose = IGovernance::proposeCall {
        targets: vec![DISPUTES],
        values: vec![U256::ZERO],
        calldatas: vec![data.into()],
        description: "Sooner".into(),
    };
    let id = world.call(VICTIM, GOVERNANCE, 0, &propose).unwrap();
    pass(&mut world, 86_400);
    pass(&mut world, 1);
    let vote = IGovernance::castVoteCall { proposalId: id, support: 1 };
    world.call(VALIDATOR, GOVERNANCE, 0, &vote).unwrap();
    for _ in 0..(3 * 24 + 6) {
        pass(&mut world, 3_600);
    }
    let standing = IGovernance::stateCall { proposalId: id };
    assert_eq!(world.call(PAYER, GOVERNANCE, 0, &standing), Ok(ProposalState::Executed));
    assert_eq!(rules(&mut world), least());
}

/// Whatever is voted, complaints are due in the order of filing, each when it was told.
#[test]
fn i8_no_sequence_of_votes_moves_what_is_due() {
    let mut world = world(1);
    let mut dice = Dice(41);
    let mut told: Vec<(u64, u64)> = Vec::new();
    for _ in 0..200 {
        let mut seconds = |least: u64, span: u64| {
            u32::try_from(least * 3_600 + dice.below(span * 3_600)).unwrap()
        };
        let voted = IDisputes::Parameters {
            answer: seconds(24, 72),
            commit: seconds(12, 6),
            reveal: seconds(12, 6),
            appeal: seconds(24, 12),
            decision: seconds(144, 24),
            ..least()
        };
        set(&mut world, &voted).unwrap();
        let asset = asset(&mut world, &[], false);
        let filed_at = now(&world);
        let complaint = file(&mut world, asset, 10 * COIN).unwrap();
        let due = shown(&mut world, complaint).phaseEndsAt;
        assert!(due >= filed_at + u64::from(voted.answer));
        assert!(due <= filed_at + 4 * u64::from(DAY));
        told.push((complaint, due));
        assert!(told.is_sorted_by_key(|(_, due)| *due));
        let skip = dice.below(12 * 3_600);
        pass(&mut world, 1 + skip);
        let now = now(&world);
        for (complaint, due) in &told {
            let shown = shown(&mut world, *complaint);
            let is_answering = shown.phase == Phase::Answering;
            assert_eq!(is_answering, now < *due);
            assert!(!is_answering || shown.phaseEndsAt == *due);
        }
    }
}
