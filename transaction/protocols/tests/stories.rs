//! People of the token economy over two years, on the protocols alone: a network of processes cannot
//! wait for months.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{
    AIRDROP, COMMUNITY, GOVERNANCE,
    IGovernance::{self, ProposalState},
    IIncentives, INCENTIVE_POOL, INCENTIVES, INVESTORS, IStaking, IVesting, STAKING, TEAM, VESTING,
};
use sahara_primitives::{Amount, LOCAL_CHAIN_ID, Timestamp};
use sahara_protocols::{
    Call, Failure, MemoryState, end_block, liabilities_total,
    vesting::{self, Plan, PlannedGrant, add_months},
};

const START: u64 = 1_794_746_096;
const DAY: u64 = 86_400;
const COIN: u128 = 1_000_000_000_000_000_000;
const CLASSES: [(Address, u64); 5] = [
    (AIRDROP, 815),
    (COMMUNITY, 2_075),
    (INCENTIVE_POOL, 3_393),
    (TEAM, 1_500),
    (INVESTORS, 1_975),
];
const VALIDATOR: Address = Address::repeat_byte(1);
const VOTER: Address = Address::repeat_byte(2);
const MEMBER: Address = Address::repeat_byte(3);
const CLAIMANT: Address = Address::repeat_byte(4);
const GRANTEE: Address = Address::repeat_byte(5);
const MANAGER: Address = Address::repeat_byte(6);
const REVIEWER: Address = Address::repeat_byte(7);
const HOME: Address = Address::repeat_byte(8);

fn coins(amount: u128) -> U256 {
    U256::from(amount * COIN)
}

fn ask<C: SolCall>(
    world: &mut MemoryState,
    (caller, protocol): (Address, Address),
    value: u128,
    request: &C,
) -> Result<C::Return, Failure> {
    let value = Amount::from_u128(value * COIN);
    let data = request.abi_encode();
    let call = Call { caller, value, data: &data, is_static: false };
    let answer = world.call(protocol, call)?;
    Ok(C::abi_decode_returns(&answer).unwrap())
}

fn held(world: &MemoryState, account: Address) -> U256 {
    world.balances.get(&account).copied().unwrap_or_default().base_units()
}

fn month(months: u64) -> u64 {
    add_months(Timestamp(START), months).0
}

fn go(world: &mut MemoryState, time: u64) {
    world.block.timestamp = Timestamp(time);
    world.block.number += 1;
    world.logs.clear();
    end_block(world, VALIDATOR, &[]).unwrap();
    for protocol in [VESTING, GOVERNANCE, INCENTIVES, STAKING] {
        let owed = liabilities_total(protocol, world.slots_of(protocol)).unwrap();
        assert_eq!(owed, held(world, protocol), "{protocol}");
    }
}

fn pass(world: &mut MemoryState, seconds: u64) {
    let time = world.block.timestamp.0 + seconds;
    go(world, time);
}

/// The only leaf of the airdrop is its root.
fn chain() -> MemoryState {
    let mut world = MemoryState::default();
    world.block.timestamp = Timestamp(START);
    for (pool, millions) in CLASSES {
        world.fund(pool, Amount::from_coins(millions * 1_000_000));
    }
    for account in [VALIDATOR, VOTER] {
        world.fund(account, Amount::from_coins(1_000_000));
    }
    let plan = Plan {
        start: Timestamp(START),
        authority: GOVERNANCE,
        notice: 7 * DAY,
        window: 14 * DAY,
        airdrop_root: vesting::leaf(LOCAL_CHAIN_ID, 0, CLAIMANT, Amount::from_coins(1_000)),
        classes: CLASSES.map(|(_, millions)| Amount::from_coins(millions * 1_000_000)),
        grants: vec![PlannedGrant {
            pool: TEAM,
            beneficiary: MEMBER,
            amount: Amount::from_coins(4_800),
            delay: 0,
            is_revocable: false,
        }],
    };
    vesting::found(&mut world, &plan).unwrap();
    let create =
        IStaking::createValidatorCall { commission: 0, feeAddress: VALIDATOR, keys: Vec::new() };
    ask(&mut world, (VALIDATOR, STAKING), 100_000, &create).unwrap();
    let join = IStaking::delegateCall { validator: VALIDATOR };
    ask(&mut world, (VOTER, STAKING), 300_000, &join).unwrap();
    let deposit = IGovernance::depositForCall { account: VOTER };
    ask(&mut world, (VOTER, GOVERNANCE), 100_000, &deposit).unwrap();
    pass(&mut world, DAY);
    world
}

/// Proposes a call, votes as a voter against whose wish the validator votes, and lets the chain do the
/// rest; where the proposal ended.
fn decide<C: SolCall>(
    world: &mut MemoryState,
    target: Address,
    call: &C,
    support: u8,
) -> ProposalState {
    let description = format!("{}", world.block.timestamp.0);
    let propose = IGovernance::proposeCall {
        targets: vec![target],
        values: vec![U256::ZERO],
        calldatas: vec![call.abi_encode().into()],
        description,
    };
    let id = ask(world, (VOTER, GOVERNANCE), 0, &propose).unwrap();
    pass(world, DAY);
    pass(world, 1);
    for (who, says) in [(VALIDATOR, 1 - support), (VOTER, support)] {
        let vote = IGovernance::castVoteCall { proposalId: id, support: says };
        ask(world, (who, GOVERNANCE), 0, &vote).unwrap();
    }
    for _ in 0..(6 * 24) {
        pass(world, 3_600);
    }
    ask(world, (VOTER, GOVERNANCE), 0, &IGovernance::stateCall { proposalId: id }).unwrap()
}

#[test]
fn a_team_member_has_nothing_in_month_11_and_moves_a_quarter_and_a_bit_in_month_13() {
    let mut world = chain();
    let count = ask(&mut world, (MEMBER, VESTING), 0, &IVesting::scheduleCountCall {}).unwrap();
    let schedule = (1..=count)
        .find(|schedule| {
            let shown = IVesting::scheduleCall { schedule: *schedule };
            ask(&mut world, (MEMBER, VESTING), 0, &shown).unwrap().beneficiary == MEMBER
        })
        .unwrap();
    let free = |world: &mut MemoryState| {
        let time = world.block.timestamp.0;
        ask(world, (MEMBER, VESTING), 0, &IVesting::vestedAtCall { schedule, time }).unwrap()
    };
    let announce = IVesting::announceCall { schedule, to: HOME, amount: coins(1_200) };
    go(&mut world, month(11));
    assert_eq!(free(&mut world), U256::ZERO);
    let early = ask(&mut world, (MEMBER, VESTING), 0, &announce).unwrap();
    pass(&mut world, 7 * DAY);
    assert!(
        ask(&mut world, (MEMBER, VESTING), 0, &IVesting::executeCall { id: early }).is_err(),
        "a notice makes nothing free"
    );
    go(&mut world, month(13));
    let line = coins(3_600) * U256::from(month(13) - month(12)) / U256::from(month(48) - month(12));
    assert_eq!(free(&mut world), coins(1_200) + line);
    let release = IVesting::releaseCall { schedule };
    assert!(ask(&mut world, (MEMBER, VESTING), 0, &release).is_err(), "only after a notice");
    let id = ask(&mut world, (MEMBER, VESTING), 0, &announce).unwrap();
    go(&mut world, month(13) + 7 * DAY - 1);
    assert!(ask(&mut world, (MEMBER, VESTING), 0, &IVesting::executeCall { id }).is_err());
    go(&mut world, month(13) + 7 * DAY);
    ask(&mut world, (VOTER, VESTING), 0, &IVesting::executeCall { id }).unwrap();
    assert_eq!(held(&world, HOME), coins(1_200));
}

#[test]
fn an_airdrop_claimant_gets_44_percent_at_once_and_the_rest_by_month_12() {
    let mut world = chain();
    let claim = IVesting::claimCall {
        index: 0,
        account: CLAIMANT,
        amount: coins(1_000),
        proof: Vec::new(),
    };
    // Anyone may ask: the claimant needs no coin for it.
    let schedule = ask(&mut world, (VOTER, VESTING), 0, &claim).unwrap();
    assert_eq!(held(&world, CLAIMANT), coins(440));
    let release = IVesting::releaseCall { schedule };
    for (time, all) in [(month(6), 440), (month(12) - 1, 999), (month(12), 1_000)] {
        go(&mut world, time);
        ask(&mut world, (VOTER, VESTING), 0, &release).unwrap();
        assert_eq!(held(&world, CLAIMANT) / coins(1), U256::from(all));
    }
    assert_eq!(held(&world, CLAIMANT), coins(1_000));
    assert!(ask(&mut world, (VOTER, VESTING), 0, &claim).is_err(), "once");
}

#[test]
fn a_voter_sends_coin_of_the_pool_to_a_programme_and_a_grantee_earns_a_part() {
    let mut world = chain();
    // The pool's class comes free by months.
    go(&mut world, month(2));
    let amount = coins(50_000);
    let give = IVesting::announceFromPoolCall { pool: INCENTIVE_POOL, to: INCENTIVES, amount };
    let rejected = decide(&mut world, VESTING, &give, 0);
    assert_eq!(rejected, ProposalState::Defeated, "three quarters of the stake overrode");
    let accepted = decide(&mut world, VESTING, &give, 1);
    assert_eq!(accepted, ProposalState::Executed);
    let id = ask(&mut world, (VOTER, VESTING), 0, &IVesting::moveCountCall {}).unwrap();
    let execute = IVesting::executeCall { id };
    assert!(ask(&mut world, (VOTER, VESTING), 0, &execute).is_err(), "its notice runs");
    pass(&mut world, 7 * DAY);
    ask(&mut world, (VOTER, VESTING), 0, &execute).unwrap();
    assert_eq!(held(&world, INCENTIVES), amount);

    let ends_at = world.block.timestamp.0 + 365 * DAY;
    let terms = B256::ZERO;
    let open =
        IIncentives::openProgrammeCall { manager: MANAGER, budget: amount, endsAt: ends_at, terms };
    assert_eq!(decide(&mut world, INCENTIVES, &open, 1), ProposalState::Executed);
    let now = world.block.timestamp.0;
    let propose = IIncentives::proposeGrantCall {
        programme: 1,
        amounts: vec![coins(1_000), coins(2_000)],
        dueTimes: vec![now + 30 * DAY, now + 60 * DAY],
        proposal: B256::repeat_byte(1),
    };
    let grant = ask(&mut world, (GRANTEE, INCENTIVES), 0, &propose).unwrap();
    let approve = IIncentives::approveGrantCall { grant, reviewer: REVIEWER };
    ask(&mut world, (MANAGER, INCENTIVES), 0, &approve).unwrap();
    let deliver = IIncentives::deliverCall { grant, evidence: B256::repeat_byte(2) };
    pass(&mut world, 20 * DAY);
    ask(&mut world, (GRANTEE, INCENTIVES), 0, &deliver).unwrap();
    let review = IIncentives::reviewCall { grant, isAccepted: true, reason: B256::ZERO };
    ask(&mut world, (REVIEWER, INCENTIVES), 0, &review).unwrap();
    assert_eq!(held(&world, GRANTEE), coins(1_000));
    // The second is never delivered: anyone gives it back.
    go(&mut world, now + 100 * DAY);
    ask(&mut world, (VOTER, INCENTIVES), 0, &IIncentives::endGrantCall { grant }).unwrap();
    let left =
        ask(&mut world, (VOTER, INCENTIVES), 0, &IIncentives::programmeCall { programme: 1 });
    assert_eq!(left.unwrap().left, coins(49_000));
}
