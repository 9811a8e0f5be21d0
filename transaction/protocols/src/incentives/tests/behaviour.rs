//! What becomes of grants, hackathons and rounds.

use super::*;
use sahara_abi::{IVesting, VESTING};

fn deliver(world: &mut Undo, who: Address, grant: u64) -> Result<(), Failure> {
    let call = IIncentives::deliverCall { grant, evidence: B256::repeat_byte(3) };
    ask(world, who, &call).map(drop)
}

fn review(world: &mut Undo, who: Address, grant: u64, is_accepted: bool) -> Result<(), Failure> {
    let call = IIncentives::reviewCall { grant, isAccepted: is_accepted, reason: B256::ZERO };
    ask(world, who, &call).map(drop)
}

fn end(world: &mut Undo, who: Address, grant: u64) -> Result<(), Failure> {
    ask(world, who, &IIncentives::endGrantCall { grant }).map(drop)
}

fn running(world: &mut Undo) -> u64 {
    let plan = grant(1, &[100, 200], &[30, 60], START);
    let number = ask(world, person(0), &plan).unwrap();
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: REVIEWER };
    ask(world, MANAGER, &approve).unwrap();
    number
}

#[test]
fn a_grant_is_proposed_approved_delivered_reviewed_and_paid_by_milestone() {
    let mut world = world();
    let plan = grant(1, &[100, 200], &[30, 60], START);
    let number = ask(&mut world, person(0), &plan).unwrap();
    assert_eq!(left(&mut world, 1), 1_000, "nothing is promised yet");
    assert!(deliver(&mut world, person(0), number).is_err());
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: REVIEWER };
    assert!(ask(&mut world, person(1), &approve).is_err(), "only the manager");
    ask(&mut world, MANAGER, &approve).unwrap();
    assert_eq!(left(&mut world, 1), 700);
    assert!(review(&mut world, REVIEWER, number, true).is_err(), "nothing is delivered");
    assert!(deliver(&mut world, person(1), number).is_err());
    deliver(&mut world, person(0), number).unwrap();
    assert!(review(&mut world, MANAGER, number, true).is_err());
    // A review that takes ten days gives the ten days back.
    pass(&mut world, 10 * DAY);
    review(&mut world, REVIEWER, number, false).unwrap();
    pass(&mut world, 29 * DAY);
    deliver(&mut world, person(0), number).unwrap();
    review(&mut world, REVIEWER, number, true).unwrap();
    assert_eq!(world.held(person(0)), 100 * COIN);
    deliver(&mut world, person(0), number).unwrap();
    review(&mut world, REVIEWER, number, true).unwrap();
    assert_eq!(world.held(person(0)), 300 * COIN);
    let shown = ask(&mut world, MANAGER, &IIncentives::grantCall { grant: number }).unwrap();
    assert_eq!((shown.state, shown.left, shown.paid), (GrantState::Completed, U256::ZERO, 2));
    assert!(
        deliver(&mut world, person(0), number).is_err()
            && end(&mut world, MANAGER, number).is_err()
    );
    check_books(&world);
}

#[test]
fn what_is_unspent_is_clawed_back() {
    let mut world = world();
    let number = running(&mut world);
    assert!(end(&mut world, person(1), number).is_err(), "it is not overdue");
    deliver(&mut world, person(0), number).unwrap();
    assert!(end(&mut world, MANAGER, number).is_err(), "a delivery waits for its review");
    review(&mut world, REVIEWER, number, true).unwrap();
    pass(&mut world, 60 * DAY);
    assert!(deliver(&mut world, person(0), number).is_err(), "too late");
    end(&mut world, person(1), number).unwrap();
    assert_eq!((left(&mut world, 1), world.held(person(0))), (900, 100 * COIN));
    let second = running_again(&mut world);
    end(&mut world, MANAGER, second).unwrap();
    assert_eq!(left(&mut world, 1), 900);
    let third = running_again(&mut world);
    ask(&mut world, GOVERNANCE, &IIncentives::closeProgrammeCall { programme: 1 }).unwrap();
    assert_eq!(world.held(INCENTIVE_POOL), 850 * COIN);
    end(&mut world, MANAGER, third).unwrap();
    assert_eq!(
        world.held(INCENTIVE_POOL),
        900 * COIN,
        "a closed programme's coin goes to the pool"
    );
    check_books(&world);
}

fn running_again(world: &mut Undo) -> u64 {
    let now = world.state.block.timestamp.0;
    let number = ask(world, person(2), &grant(1, &[50], &[5], now)).unwrap();
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: REVIEWER };
    ask(world, MANAGER, &approve).unwrap();
    number
}

#[test]
fn a_delivery_that_nobody_reviews_is_paid_after_14_days() {
    let mut world = world();
    let number = running(&mut world);
    deliver(&mut world, person(0), number).unwrap();
    let settle = IIncentives::settleReviewCall { grant: number };
    pass(&mut world, REVIEW - 1);
    assert!(ask(&mut world, person(3), &settle).is_err());
    pass(&mut world, 1);
    ask(&mut world, person(3), &settle).unwrap();
    assert_eq!(world.held(person(0)), 100 * COIN);
    assert!(ask(&mut world, person(3), &settle).is_err(), "once");
}

#[test]
fn i2_a_budget_is_not_promised_twice() {
    let mut world = world();
    assert!(ask(&mut world, MANAGER, &programme(COIN, START + DAY)).is_err(), "only governance");
    assert!(ask(&mut world, GOVERNANCE, &programme(501 * COIN, START + DAY)).is_err());
    ask(&mut world, GOVERNANCE, &programme(500 * COIN, START + DAY)).unwrap();
    let number = ask(&mut world, person(0), &grant(2, &[501], &[5], START)).unwrap();
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: REVIEWER };
    assert!(ask(&mut world, MANAGER, &approve).is_err());
    let close = IIncentives::closeProgrammeCall { programme: 2 };
    assert!(ask(&mut world, person(0), &close).is_err());
    pass(&mut world, DAY);
    let late = grant(2, &[1], &[5], START);
    assert!(ask(&mut world, person(0), &late).is_err(), "the programme is over");
    ask(&mut world, person(0), &close).unwrap();
    assert!(ask(&mut world, person(0), &close).is_err());
    assert_eq!(world.held(INCENTIVE_POOL), 500 * COIN);
    check_books(&world);
}

#[test]
fn i4_nobody_decides_about_coin_for_itself() {
    let mut world = world();
    let number = ask(&mut world, MANAGER, &grant(1, &[5], &[5], START)).unwrap();
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: REVIEWER };
    assert!(ask(&mut world, MANAGER, &approve).is_err());
    let number = ask(&mut world, person(0), &grant(1, &[5], &[5], START)).unwrap();
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: person(0) };
    assert!(ask(&mut world, MANAGER, &approve).is_err());
    let hackathon = ask(&mut world, MANAGER, &contest(&[10])).unwrap();
    let work = B256::repeat_byte(9);
    for account in [person(8), MANAGER] {
        let own = ask(&mut world, account, &IIncentives::submitCall { hackathon, work });
        assert_eq!(own.map(drop), Err(IIncentives::OwnInterest { account }.into()));
    }
}

/// Judges are people 7, 8 and 9.
fn contest(prizes: &[u128]) -> IIncentives::openHackathonCall {
    IIncentives::openHackathonCall {
        programme: 1,
        judges: vec![person(7), person(8), person(9)],
        prizes: coins(prizes),
        submitUntil: START + 10 * DAY,
        judgeUntil: START + 12 * DAY,
        terms: B256::ZERO,
    }
}

#[test]
fn a_hackathon_pays_by_the_points_of_its_judges_and_returns_what_nobody_won() {
    let mut world = world();
    let hackathon = ask(&mut world, MANAGER, &contest(&[60, 30, 10])).unwrap();
    assert_eq!(left(&mut world, 1), 900);
    let work = B256::repeat_byte(9);
    let enter = IIncentives::submitCall { hackathon, work };
    for number in [3, 1, 2] {
        ask(&mut world, person(number), &enter).unwrap();
    }
    assert!(ask(&mut world, person(1), &enter).is_err(), "once");
    let judge = |ranking: &[usize]| IIncentives::judgeCall {
        hackathon,
        ranking: ranking.iter().map(|number| person(*number)).collect(),
    };
    assert!(ask(&mut world, person(7), &judge(&[1])).is_err(), "works are still entered");
    pass(&mut world, 10 * DAY);
    assert!(ask(&mut world, person(4), &enter).is_err());
    assert!(ask(&mut world, person(1), &judge(&[1])).is_err(), "no judge");
    assert!(ask(&mut world, person(7), &judge(&[1, 1])).is_err());
    assert!(ask(&mut world, person(7), &judge(&[4])).is_err(), "no entrant");
    ask(&mut world, person(7), &judge(&[1, 3])).unwrap();
    assert!(ask(&mut world, person(7), &judge(&[1])).is_err(), "once");
    let finish = IIncentives::finishCall { hackathon };
    assert!(ask(&mut world, person(0), &finish).is_err(), "a judge may still judge");
    ask(&mut world, person(8), &judge(&[3, 1])).unwrap();
    pass(&mut world, 2 * DAY);
    assert!(ask(&mut world, person(9), &judge(&[2])).is_err(), "too late");
    ask(&mut world, person(0), &finish).unwrap();
    assert!(ask(&mut world, person(0), &finish).is_err());
    // Equal points: the work of 3 was earlier. Nobody won the third prize.
    let paid = [1, 2, 3].map(|number| world.held(person(number)) / COIN);
    assert_eq!((paid, left(&mut world, 1)), ([30, 0, 60], 910));
    check_books(&world);
}

#[test]
fn i3_i5_an_award_is_paid_once_for_what_its_leaf_says_and_at_most_its_fees() {
    let mut world = world();
    let award = |index: u64, number: usize, fees: u128, amount: u128| Award {
        index,
        account: person(number),
        asset: 7,
        fees: U256::from(fees * COIN),
        amount: U256::from(amount * COIN),
    };
    let (good, greedy) = (award(0, 1, 40, 40), award(1, 2, 10, 11));
    let leaf = |world: &mut Undo, award: &Award| {
        ask(world, person(0), &IIncentives::awardLeafCall { round: 1, award: award.clone() })
            .unwrap()
    };
    let mut nodes = [leaf(&mut world, &good), leaf(&mut world, &greedy)];
    let [first, second] = nodes;
    nodes.sort_unstable();
    let root = keccak256([nodes[0].0, nodes[1].0].concat());
    let open = IIncentives::openRoundCall {
        programme: 1,
        root,
        total: U256::from(100 * COIN),
        closesAt: START + 30 * DAY,
        isByUsage: true,
        terms: B256::ZERO,
    };
    assert_eq!(ask(&mut world, MANAGER, &open), Ok(1));
    let claim = |award: &Award, sibling| IIncentives::claimCall {
        round: 1,
        award: award.clone(),
        proof: vec![sibling],
    };
    let early: Failure = IIncentives::TooEarly { from: START + NOTICE }.into();
    assert_eq!(ask(&mut world, person(5), &claim(&good, second)).map(drop), Err(early));
    let round = ask(&mut world, person(5), &IIncentives::roundCall { round: 1 }).unwrap();
    assert_eq!(round.claimsFrom, START + NOTICE);
    pass(&mut world, NOTICE);
    let more = Award { amount: U256::from(41 * COIN), ..good };
    assert!(ask(&mut world, person(5), &claim(&more, second)).is_err(), "not in the list");
    let beyond = ask(&mut world, person(5), &claim(&greedy, first)).map(drop);
    let (amount, fees) = (greedy.amount, greedy.fees);
    assert_eq!(beyond, Err(IIncentives::MoreThanFees { amount, fees }.into()));
    ask(&mut world, person(5), &claim(&good, second)).unwrap();
    assert_eq!(world.held(person(1)), 40 * COIN);
    assert!(ask(&mut world, person(5), &claim(&good, second)).is_err(), "once");
    let close = IIncentives::closeRoundCall { round: 1 };
    assert!(ask(&mut world, person(5), &close).is_err());
    pass(&mut world, 30 * DAY);
    ask(&mut world, person(5), &close).unwrap();
    assert_eq!(left(&mut world, 1), 960);
    let again: Failure = IIncentives::TooLate { until: START + 30 * DAY }.into();
    assert_eq!(ask(&mut world, person(5), &close).map(drop), Err(again));
    check_books(&world);
}

#[test]
fn a_round_is_announced_pays_no_manager_and_a_vote_can_close_it_before() {
    let mut world = world();
    let award = |round_account: Address| Award {
        index: 0,
        account: round_account,
        asset: 0,
        fees: U256::ZERO,
        amount: U256::from(100 * COIN),
    };
    let mut open = |round: u64, account: Address, closes: u64| {
        let leaf = IIncentives::awardLeafCall { round, award: award(account) };
        let root = ask(&mut world, person(0), &leaf).unwrap();
        let open = IIncentives::openRoundCall {
            programme: 1,
            root,
            total: U256::from(100 * COIN),
            closesAt: closes,
            isByUsage: false,
            terms: B256::ZERO,
        };
        ask(&mut world, MANAGER, &open)
    };
    let soon: Failure = IIncentives::InvalidPlan {}.into();
    assert_eq!(open(1, MANAGER, START + NOTICE), Err(soon));
    open(1, MANAGER, START + 30 * DAY).unwrap();
    open(2, person(1), START + 30 * DAY).unwrap();
    let claim =
        |round, account| IIncentives::claimCall { round, award: award(account), proof: vec![] };
    assert!(ask(&mut world, person(1), &claim(2, person(1))).is_err(), "it was opened just now");
    pass(&mut world, NOTICE - 1);
    let close = IIncentives::closeRoundCall { round: 2 };
    assert!(ask(&mut world, MANAGER, &close).is_err());
    ask(&mut world, GOVERNANCE, &close).unwrap();
    pass(&mut world, 1);
    assert!(ask(&mut world, person(1), &claim(2, person(1))).is_err(), "a vote closed it");
    let own: Failure = IIncentives::OwnInterest { account: MANAGER }.into();
    assert_eq!(ask(&mut world, MANAGER, &claim(1, MANAGER)).map(drop), Err(own));
    assert_eq!(left(&mut world, 1), 900);
    check_books(&world);
}

#[test]
fn who_was_silent_for_the_time_of_review_cannot_send_back() {
    for (late, is_taken) in [(0, true), (1, false)] {
        let mut world = world();
        let number = running(&mut world);
        deliver(&mut world, person(0), number).unwrap();
        pass(&mut world, REVIEW - 1 + late);
        let answer = review(&mut world, REVIEWER, number, false);
        assert_eq!(answer.is_ok(), is_taken);
        let settle = IIncentives::settleReviewCall { grant: number };
        assert_eq!(ask(&mut world, person(7), &settle).is_ok(), !is_taken);
        check_books(&world);
    }
}

#[test]
fn coin_of_the_pool_arrives_by_an_announced_move_only() {
    let mut world = Undo::default();
    world.state.block.timestamp = Timestamp(START);
    let class = Amount::from_coins(3_393_000_000);
    let plan = crate::vesting::Plan {
        start: Timestamp(START),
        authority: GOVERNANCE,
        notice: 60,
        window: 3_600,
        airdrop_root: B256::ZERO,
        classes: [class; 5],
        grants: Vec::new(),
    };
    crate::vesting::found(&mut world, &plan).unwrap();
    for pool in [INCENTIVE_POOL, sahara_abi::COMMUNITY] {
        world.state.fund(pool, class);
    }
    pass(&mut world, 40 * DAY);
    let announce = |world: &mut Undo, pool| {
        let amount = U256::from(5 * COIN);
        let call = IVesting::announceFromPoolCall { pool, to: INCENTIVES, amount };
        world.call(GOVERNANCE, VESTING, 0, &call)
    };
    assert!(announce(&mut world, sahara_abi::COMMUNITY).is_err());
    let id = announce(&mut world, INCENTIVE_POOL).unwrap();
    let execute = IVesting::executeCall { id };
    assert!(world.call(person(0), VESTING, 0, &execute).is_err(), "it was announced just now");
    pass(&mut world, 60);
    world.call(person(0), VESTING, 0, &execute).unwrap();
    let unassigned = ask(&mut world, person(0), &IIncentives::unassignedCall {}).unwrap();
    assert_eq!(unassigned, U256::from(5 * COIN));
    check_books(&world);
}
