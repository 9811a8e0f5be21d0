//! A complaint from its filing to its end.

use super::*;

#[test]
fn i2_only_new_income_is_held_and_at_most_the_bond() {
    for is_shared in [false, true] {
        let mut world = world(9);
        let asset = asset(&mut world, &[], is_shared);
        pay(&mut world, asset, 500 * COIN);
        let complaint = file(&mut world, asset, 150 * COIN).unwrap();
        assert_eq!(world.held(DISPUTES), 150 * COIN, "nothing of the past");
        pay(&mut world, asset, 100 * COIN);
        assert_eq!(shown(&mut world, complaint).held, U256::from(100 * COIN));
        pay(&mut world, asset, 100 * COIN);
        let held = events::<IDisputes::Held>(&world);
        assert_eq!(held[0].amount, U256::from(50 * COIN));
        let paid = events::<IRoyalties::Paid>(&world);
        assert_eq!(paid[0].amount, U256::from(100 * COIN));
        let rest = &paid[0].parts;
        assert_eq!((rest.len(), rest[0].amount), (1, U256::from(50 * COIN)));
        assert_eq!(shown(&mut world, complaint).held, U256::from(150 * COIN), "as the bond");
        check_books(&world);
    }
}

#[test]
fn i2_a_descendants_payment_is_held_only_in_the_part_that_comes_here() {
    let mut world = world(9);
    let dataset = asset(&mut world, &[], true);
    let model = asset(&mut world, &[dataset], false);
    let complaint = file(&mut world, dataset, 150 * COIN).unwrap();
    let before = world.held(OWNER);
    pay(&mut world, model, 100 * COIN);
    assert_eq!(shown(&mut world, complaint).held, U256::from(10 * COIN));
    assert_eq!(world.held(OWNER) - before, 90 * COIN);
    assert_eq!(deposited(&mut world, dataset), 0);
    check_books(&world);
}

#[test]
fn i3_upheld_the_complainant_gets_what_was_held_and_the_owners_bond() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], true);
    let (victim, owner) = (world.held(VICTIM), world.held(OWNER));
    let complaint = file(&mut world, asset, 150 * COIN).unwrap();
    let answer = IDisputes::answerCall { complaint, evidence: B256::repeat_byte(2) };
    world.call(OWNER, DISPUTES, 100 * COIN, &answer).unwrap();
    pay(&mut world, asset, 100 * COIN);
    rule(&mut world, complaint, true);
    assert_eq!(shown(&mut world, complaint).ruling, Ruling::Upheld);
    // A jury has spoken: now everything that comes is held.
    pay(&mut world, asset, 1_000 * COIN);
    assert_eq!(shown(&mut world, complaint).held, U256::from(1_100 * COIN));
    let early = IDisputes::WrongPhase { complaint, phase: Phase::Appealable };
    assert_eq!(close(&mut world, complaint), Err(early.into()));
    until(&mut world, complaint, APPEAL);
    close(&mut world, complaint).unwrap();
    let paid = events::<IDisputes::JurorPaid>(&world);
    let fees: u128 = paid.iter().map(|paid| paid.amount.to::<u128>()).sum();
    assert_eq!(fees, JURY_FEE);
    assert_eq!(world.held(VICTIM), victim + 1_200 * COIN - JURY_FEE);
    assert_eq!(world.held(OWNER), owner - 100 * COIN);
    assert_eq!((world.held(DISPUTES), deposited(&mut world, asset)), (0, 0));
    assert!(close(&mut world, complaint).is_err(), "once");
    check_books(&world);
}

#[test]
fn i6_shares_are_paid_from_the_closing_on_and_the_asset_is_not_sold() {
    for is_shared in [false, true] {
        let mut world = world(9);
        let asset_number = asset(&mut world, &[], is_shared);
        let complaint = file(&mut world, asset_number, 100 * COIN).unwrap();
        rule(&mut world, complaint, true);
        until(&mut world, complaint, APPEAL);
        close(&mut world, complaint).unwrap();
        let victim = world.held(VICTIM);
        pay(&mut world, asset_number, 100 * COIN + 3);
        assert_eq!(world.held(VICTIM) - victim, 40 * COIN + 1, "rounded down");
        let rest: u128 = events::<IRoyalties::Paid>(&world)[0].parts[0].amount.to();
        assert_eq!(rest, 60 * COIN + 2);
        let standing = IDisputes::standingCall { asset: asset_number };
        let standing_now = ask(&mut world, PAYER, &standing).unwrap();
        assert_eq!((standing_now.corrected, standing_now.isDelisted), (complaint, true));
        let refused: Failure = IDisputes::AssetDelisted { asset: asset_number }.into();
        let result = world.atomically(|state| {
            check_listed(state, sahara_primitives::AssetId(asset_number)).map(|()| Bytes::new())
        });
        assert_eq!(result, Err(refused));
        // Governance may take it back, for the future.
        let restore = IDisputes::restoreCall { asset: asset_number };
        assert!(ask(&mut world, VICTIM, &restore).is_err());
        ask(&mut world, GOVERNANCE, &restore).unwrap();
        pay(&mut world, asset_number, 10 * COIN);
        assert_eq!(world.held(VICTIM) - victim, 40 * COIN + 1);
        check_books(&world);
    }
}

#[test]
fn i7_a_dismissed_complaint_costs_its_bond_and_returns_what_it_held() {
    for is_shared in [false, true] {
        let mut world = world(9);
        let asset = asset(&mut world, &[], is_shared);
        let (victim, pool) = (world.held(VICTIM), world.held(INCENTIVE_POOL));
        let owner = world.held(OWNER);
        let complaint = file(&mut world, asset, 121 * COIN).unwrap();
        pay(&mut world, asset, 100 * COIN);
        rule(&mut world, complaint, false);
        pay(&mut world, asset, 7 * COIN);
        assert_eq!(shown(&mut world, complaint).held, U256::from(100 * COIN), "no more");
        until(&mut world, complaint, APPEAL);
        close(&mut world, complaint).unwrap();
        assert_eq!(world.held(VICTIM), victim - 121 * COIN);
        assert_eq!(world.held(INCENTIVE_POOL), pool + 50 * COIN);
        let got = if is_shared { deposited(&mut world, asset) } else { 107 * COIN };
        assert_eq!(got, 107 * COIN);
        pass(&mut world, 1);
        let income = if is_shared { 107 * COIN / 2 } else { 107 * COIN };
        assert_eq!(world.held(OWNER), owner + 50 * COIN + income);
        let again = file(&mut world, asset, 100 * COIN);
        assert_eq!(again, Ok(complaint + 1), "another one may be filed");
        check_books(&world);
    }
}

#[test]
fn i5_without_a_majority_of_seats_everyone_gets_back_what_he_put_in() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let (victim, owner) = (world.held(VICTIM), world.held(OWNER));
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    pay(&mut world, asset, 30 * COIN);
    until(&mut world, complaint, ANSWER);
    let jurors = jury(&mut world, complaint);
    let few: Vec<_> = jurors
        .iter()
        .scan(0, |seats, juror| {
            *seats += juror.seats;
            (*seats * 2 <= JURY).then_some(juror.account)
        })
        .collect();
    for juror in &few {
        promise(&mut world, complaint, *juror, true).unwrap();
    }
    until(&mut world, complaint, COMMIT);
    for juror in &few {
        reveal(&mut world, complaint, *juror, true).unwrap();
    }
    until(&mut world, complaint, APPEAL);
    assert_eq!(shown(&mut world, complaint).ruling, Ruling::Open);
    let seats = shown(&mut world, complaint).forIt;
    close(&mut world, complaint).unwrap();
    let fees = u128::from(seats) * JURY_FEE / u128::from(JURY);
    assert_eq!(world.held(VICTIM), victim - fees);
    assert_eq!(world.held(OWNER), owner + 30 * COIN);
    // Who did not speak is off the list.
    let silent = jurors.iter().find(|juror| !few.contains(&juror.account)).unwrap().account;
    let places = IDisputes::placesOfCall { juror: silent };
    assert_eq!(ask(&mut world, PAYER, &places), Ok(0));
    check_books(&world);
}

#[test]
fn governance_turns_a_ruling_on_appeal_and_the_appellant_gets_its_bond_back() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let (victim, owner) = (world.held(VICTIM), world.held(OWNER));
    let complaint = file(&mut world, asset, 121 * COIN).unwrap();
    pay(&mut world, asset, 30 * COIN);
    rule(&mut world, complaint, true);
    let appeal = IDisputes::appealCall { complaint, reason: B256::ZERO };
    let stranger = IDisputes::OnlyParty { complaint, caller: PAYER };
    assert_eq!(world.call(PAYER, DISPUTES, 100 * COIN, &appeal).map(drop), Err(stranger.into()));
    world.call(OWNER, DISPUTES, 100 * COIN, &appeal).unwrap();
    let decide = IDisputes::decideCall { complaint, isUpheld: false };
    assert!(ask(&mut world, OWNER, &decide).is_err());
    until(&mut world, complaint, HOLDING - 1);
    pay(&mut world, asset, 5 * COIN);
    assert_eq!(shown(&mut world, complaint).held, U256::from(35 * COIN));
    ask(&mut world, GOVERNANCE, &decide).unwrap();
    close(&mut world, complaint).unwrap();
    assert_eq!(world.held(VICTIM), victim - 121 * COIN);
    assert_eq!(world.held(OWNER), owner + 50 * COIN + 35 * COIN);
    let standing = ask(&mut world, PAYER, &IDisputes::standingCall { asset }).unwrap();
    assert_eq!((standing.open, standing.corrected, standing.isDelisted), (0, 0, false));
    check_books(&world);
}

#[test]
fn a_proposal_decides_an_appeal_in_time() {
    use sahara_abi::IGovernance::{self, ProposalState};
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    rule(&mut world, complaint, false);
    until(&mut world, complaint, APPEAL - 1);
    let appeal = IDisputes::appealCall { complaint, reason: B256::ZERO };
    world.call(VICTIM, DISPUTES, 100 * COIN, &appeal).unwrap();
    let deposit = IGovernance::depositForCall { account: VICTIM };
    world.call(VICTIM, GOVERNANCE, 5_000 * COIN, &deposit).unwrap();
    let data = IDisputes::decideCall { complaint, isUpheld: true }.abi_encode();
    let propose = IGovernance::proposeCall {
        targets: vec![DISPUTES],
        values: vec![U256::ZERO],
        calldatas: vec![data.into()],
        description: "The data are hers".into(),
    };
    let id = world.call(VICTIM, GOVERNANCE, 0, &propose).unwrap();
    pass(&mut world, 86_400);
    pass(&mut world, 1);
    let vote = IGovernance::castVoteCall { proposalId: id, support: 1 };
    world.call(VALIDATOR, GOVERNANCE, 0, &vote).unwrap();
    for _ in 0..(5 * 24) {
        pass(&mut world, 3_600);
    }
    let standing = IGovernance::stateCall { proposalId: id };
    assert_eq!(world.call(PAYER, GOVERNANCE, 0, &standing), Ok(ProposalState::Executed));
    assert_eq!(shown(&mut world, complaint).ruling, Ruling::Upheld);
    close(&mut world, complaint).unwrap();
    assert_eq!(world.held(DISPUTES), 0);
}

#[test]
fn i2_after_fourteen_days_nothing_is_held_whoever_is_late() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    rule(&mut world, complaint, true);
    let appeal = IDisputes::appealCall { complaint, reason: B256::ZERO };
    world.call(OWNER, DISPUTES, 100 * COIN, &appeal).unwrap();
    until(&mut world, complaint, HOLDING);
    pay(&mut world, asset, 10 * COIN);
    assert_eq!(shown(&mut world, complaint).held, U256::ZERO);
    // Governance said nothing: the jury's ruling holds.
    let late = IDisputes::decideCall { complaint, isUpheld: false };
    assert!(ask(&mut world, GOVERNANCE, &late).is_err());
    close(&mut world, complaint).unwrap();
    assert_eq!(events::<IDisputes::Closed>(&world)[0].ruling, Ruling::Upheld);
    check_books(&world);
}

#[test]
fn what_a_complaint_must_be() {
    let mut world = world(2);
    let asset = asset(&mut world, &[], false);
    let small: Failure = IDisputes::BondTooSmall {
        bond: U256::from(100 * COIN - 1),
        least: U256::from(Parameters::DEFAULT.least_bond),
    }
    .into();
    assert_eq!(file(&mut world, asset, 100 * COIN - 1), Err(small));
    assert!(file(&mut world, asset + 1, 100 * COIN).is_err());
    let own: Failure = IDisputes::InvalidComplainant { account: OWNER }.into();
    assert_eq!(world.call(OWNER, DISPUTES, 100 * COIN, &filing(asset, &[])), Err(own));
    let invalid: Failure = IDisputes::InvalidShares {}.into();
    let too_many = [(VICTIM, 1); MAX_SHARES + 1];
    for shares in [
        &[(VICTIM, 5_000), (PAYER, 5_001)][..],
        &[(VICTIM, 0)],
        &[(Address::ZERO, 1)],
        &[(ROYALTIES, 1)],
        &too_many,
    ] {
        let refused = world.call(VICTIM, DISPUTES, 100 * COIN, &filing(asset, shares));
        assert_eq!(refused, Err(invalid.clone()));
    }
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    let twice: Failure = IDisputes::AlreadyDisputed { asset, complaint }.into();
    assert_eq!(file(&mut world, asset, 100 * COIN), Err(twice));
    let answer = IDisputes::answerCall { complaint, evidence: B256::ZERO };
    assert!(world.call(VICTIM, DISPUTES, 100 * COIN, &answer).is_err());
    world.call(OWNER, DISPUTES, 100 * COIN, &answer).unwrap();
    let again: Failure = IDisputes::AlreadyAnswered { complaint }.into();
    assert_eq!(world.call(OWNER, DISPUTES, 100 * COIN, &answer).map(drop), Err(again));
    until(&mut world, complaint, ANSWER);
    let late = IDisputes::WrongPhase { complaint, phase: Phase::Committing };
    assert_eq!(world.call(OWNER, DISPUTES, 100 * COIN, &answer).map(drop), Err(late.into()));
    assert_eq!(
        ask(&mut world, PAYER, &IDisputes::complaintCall { complaint: 9 }),
        Err(IDisputes::UnknownComplaint { complaint: 9 }.into())
    );
}
