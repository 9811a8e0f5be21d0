use super::*;
use crate::{assets, licenses::tests::town, state::Failure};
use IVesting::{
    announceCall, announceFromPoolCall, cancelCall, closeAirdropCall, executeCall, grantCall,
    releaseCall, revokeCall, unlockedInCall,
};

fn give(world: &mut Undo, pool: Address, to: Address, coins: u128, delay: u64) -> u64 {
    let amount = U256::from(coins * COIN);
    let call = grantCall { pool, beneficiary: to, amount, delay, isRevocable: true };
    world.call(AUTHORITY, VESTING, 0, &call).unwrap()
}

fn unlocked(world: &mut Undo, pool: Address) -> u128 {
    world.call(BOB, VESTING, 0, &unlockedInCall { pool }).unwrap().to()
}

#[test]
fn an_investor_has_nothing_in_month_11_and_a_quarter_in_month_13() {
    let mut world = founded(&plan());
    let schedule = give(&mut world, INVESTORS, ALICE, 4_800, 0);
    let release = releaseCall { schedule };
    for (time, held) in [
        (month(11), 0),
        (month(12) - 1, 0),
        (month(12), 1_200 * COIN),
        (
            month(13),
            1_200 * COIN
                + 3_600 * COIN * u128::from(month(13) - month(12))
                    / u128::from(month(48) - month(12)),
        ),
        (month(48), 4_800 * COIN),
    ] {
        at(&mut world, time);
        world.call(BOB, VESTING, 0, &release).unwrap();
        assert_eq!(world.held(ALICE), held, "{time}");
    }
    assert_eq!(world.call(BOB, VESTING, 0, &release), Ok(U256::ZERO));
}

#[test]
fn a_delay_moves_the_whole_curve() {
    let mut world = founded(&plan());
    let schedule = give(&mut world, INVESTORS, ALICE, 4_800, 1_000);
    at(&mut world, month(12) + 999);
    assert_eq!(world.call(BOB, VESTING, 0, &releaseCall { schedule }), Ok(U256::ZERO));
    at(&mut world, month(12) + 1_000);
    world.call(BOB, VESTING, 0, &releaseCall { schedule }).unwrap();
    assert_eq!(world.held(ALICE), 1_200 * COIN);
    let shown = world.call(BOB, VESTING, 0, &IVesting::unlocksCall { schedule, afterTime: START });
    let times: Vec<_> = shown.unwrap().iter().map(|unlock| (unlock.begins, unlock.ends)).collect();
    let cliff = month(12) + 1_000;
    assert_eq!(times, [(cliff, cliff), (cliff, month(48) + 1_000)]);
}

#[test]
fn the_teams_coin_leaves_by_announced_moves_only() {
    let mut world = founded(&plan());
    let schedule = give(&mut world, TEAM, ALICE, 4_800, 0);
    at(&mut world, month(48));
    let refused: Failure = IVesting::NoticeRequired { schedule }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &releaseCall { schedule }), Err(refused));
    let amount = U256::from(10 * COIN);
    let announce = announceCall { schedule, to: BOB, amount };
    let refused: Failure = IVesting::OnlyBeneficiary { schedule, caller: BOB }.into();
    assert_eq!(world.call(BOB, VESTING, 0, &announce), Err(refused));
    let id = world.call(ALICE, VESTING, 0, &announce).unwrap();
    let due = month(48) + NOTICE;
    at(&mut world, due - 1);
    let refused: Failure = IVesting::MoveTooEarly { id, executableAt: due }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &executeCall { id }).map(drop), Err(refused));
    at(&mut world, due);
    world.call(AUTHORITY, VESTING, 0, &executeCall { id }).unwrap();
    assert_eq!((world.held(BOB), world.held(TEAM)), (10 * COIN, TOTALS[3] - 10 * COIN));
    let refused: Failure = IVesting::MoveNotPending { id }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &executeCall { id }).map(drop), Err(refused));
}

#[test]
fn a_treasury_move_waits_can_be_cancelled_and_expires() {
    let mut world = founded(&plan());
    at(&mut world, month(1));
    let free = TOTALS[1] / 48;
    assert_eq!(unlocked(&mut world, COMMUNITY), free);
    let announce = |to, amount| announceFromPoolCall { pool: COMMUNITY, to, amount };
    let call = announce(ALICE, U256::from(free));
    let refused: Failure = IVesting::OnlyAuthority { caller: ALICE }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &call), Err(refused));
    let [first, second, third, more] = [free, free, free, free + 1]
        .map(|amount| world.call(AUTHORITY, VESTING, 0, &announce(ALICE, U256::from(amount))));
    let [first, second, third, more] = [first, second, third, more].map(Result::unwrap);
    let cancel = cancelCall { id: first };
    let refused: Failure = IVesting::OnlyAuthority { caller: ALICE }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &cancel).map(drop), Err(refused));
    world.call(AUTHORITY, VESTING, 0, &cancel).unwrap();

    let due = month(1) + NOTICE;
    at(&mut world, due);
    let mut execute = |id| world.call(BOB, VESTING, 0, &executeCall { id }).map(drop);
    assert_eq!(execute(first), Err(IVesting::MoveNotPending { id: first }.into()));
    let refused =
        IVesting::InsufficientUnlocked { amount: U256::from(free + 1), unlocked: U256::from(free) };
    assert_eq!(execute(more), Err(refused.into()));
    assert_eq!(execute(second), Ok(()));
    assert_eq!(world.held(ALICE), free);
    at(&mut world, due + WINDOW);
    let refused = IVesting::MoveExpired { id: third, expiresAt: due + WINDOW };
    let execute = executeCall { id: third };
    assert_eq!(world.call(BOB, VESTING, 0, &execute).map(drop), Err(refused.into()));
    let moves = IVesting::movesCall { first: 1, count: U256::MAX };
    let shown = world.call(BOB, VESTING, 0, &moves).unwrap();
    let fates: Vec<_> = shown.iter().map(|shown| shown.state as u8).collect();
    assert_eq!(fates, [2, 1, 0, 0]);
}

#[test]
fn a_move_is_made_from_the_end_of_its_notice_to_the_second_before_its_window_closes() {
    let mut world = founded(&plan());
    at(&mut world, month(1));
    let call = announceFromPoolCall { pool: COMMUNITY, to: ALICE, amount: U256::from(COIN) };
    let id = world.call(AUTHORITY, VESTING, 0, &call).unwrap();
    let (due, over) = (month(1) + NOTICE, month(1) + NOTICE + WINDOW);
    let announced = world.state.clone();
    let early = Failure::from(IVesting::MoveTooEarly { id, executableAt: due });
    let late = Failure::from(IVesting::MoveExpired { id, expiresAt: over });
    for (time, expected) in [
        (due - 1, Err(early)),
        (due, Ok(())),
        (due + 1, Ok(())),
        (over - 1, Ok(())),
        (over, Err(late.clone())),
        (over + 1, Err(late)),
    ] {
        world.state = announced.clone();
        at(&mut world, time);
        let done = world.call(BOB, VESTING, 0, &executeCall { id }).map(drop);
        assert_eq!(done, expected, "at {time}");
    }
}

#[test]
fn coin_cannot_move_where_nobody_could_use_it() {
    let mut world = founded(&plan());
    for to in [Address::ZERO, STAKING, VESTING, FEES, COMMUNITY] {
        let call = announceFromPoolCall { pool: COMMUNITY, to, amount: U256::ONE };
        let refused = IVesting::InvalidMove { to, amount: U256::ONE };
        if to != STAKING {
            assert_eq!(world.call(AUTHORITY, VESTING, 0, &call), Err(refused.into()));
        }
    }
    for account in [Address::ZERO, VESTING, TEAM, INCENTIVE_POOL] {
        let amount = U256::ONE;
        let call =
            grantCall { pool: TEAM, beneficiary: account, amount, delay: 0, isRevocable: false };
        let refused = IVesting::NotABeneficiary { account };
        assert_eq!(world.call(AUTHORITY, VESTING, 0, &call), Err(refused.into()));
    }
    for pool in [COMMUNITY, INCENTIVE_POOL, AIRDROP] {
        let amount = U256::ONE;
        let call = grantCall { pool, beneficiary: ALICE, amount, delay: 0, isRevocable: false };
        let refused = IVesting::NoGrants { pool };
        assert_eq!(world.call(AUTHORITY, VESTING, 0, &call), Err(refused.into()));
    }
}

#[test]
fn what_was_free_stays_after_a_revocation() {
    let mut world = founded(&plan());
    let schedule = give(&mut world, INVESTORS, ALICE, 4_800, 0);
    at(&mut world, month(12));
    world.call(AUTHORITY, VESTING, 0, &revokeCall { schedule }).unwrap();
    let refused: Failure = IVesting::NotRevocable { schedule }.into();
    let again = world.call(AUTHORITY, VESTING, 0, &revokeCall { schedule });
    assert_eq!(again.map(drop), Err(refused));
    at(&mut world, month(48));
    world.call(BOB, VESTING, 0, &releaseCall { schedule }).unwrap();
    assert_eq!(world.held(ALICE), 1_200 * COIN);
    let fixed = grantCall {
        pool: INVESTORS,
        beneficiary: ALICE,
        amount: U256::ONE,
        delay: 0,
        isRevocable: false,
    };
    let schedule = world.call(AUTHORITY, VESTING, 0, &fixed).unwrap();
    let refused: Failure = IVesting::NotRevocable { schedule }.into();
    let kept = world.call(AUTHORITY, VESTING, 0, &revokeCall { schedule });
    assert_eq!(kept.map(drop), Err(refused));
}

#[test]
fn a_schedule_changes_hands_when_both_agree() {
    let mut world = founded(&plan());
    let schedule = give(&mut world, INVESTORS, ALICE, 48, 0);
    let accept = IVesting::acceptBeneficiaryCall { schedule };
    let refused: Failure = IVesting::OnlyOffered { caller: BOB }.into();
    assert_eq!(world.call(BOB, VESTING, 0, &accept).map(drop), Err(refused.clone()));
    let offer = |to| IVesting::offerBeneficiaryCall { schedule, to };
    world.call(ALICE, VESTING, 0, &offer(BOB)).unwrap();
    world.call(ALICE, VESTING, 0, &offer(Address::ZERO)).unwrap();
    assert_eq!(world.call(BOB, VESTING, 0, &accept).map(drop), Err(refused));
    world.call(ALICE, VESTING, 0, &offer(BOB)).unwrap();
    world.call(BOB, VESTING, 0, &accept).unwrap();
    at(&mut world, month(48));
    world.call(ALICE, VESTING, 0, &releaseCall { schedule }).unwrap();
    assert_eq!((world.held(ALICE), world.held(BOB)), (0, 48 * COIN));
}

#[test]
fn what_an_assets_own_account_offered_is_not_the_next_owners_word() {
    let mut world = founded(&plan());
    let registration = town::model();
    let asset = world.call(ALICE, ASSETS, 0, &IAssets::registerCall { registration }).unwrap();
    let account = assets::account_of(&mut world, AssetId(asset)).unwrap();
    let schedule = give(&mut world, INVESTORS, account, 48, 0);
    let offer = IVesting::offerBeneficiaryCall { schedule, to: ALICE };
    world.call(account, VESTING, 0, &offer).unwrap();
    let accept = IVesting::acceptBeneficiaryCall { schedule };
    let show = IVesting::scheduleCall { schedule };
    assert_eq!(world.call(BOB, VESTING, 0, &show).unwrap().offeredTo, ALICE);
    // Whoever accepts it before the sale takes something out of the account, which a listing commits to.
    let state = IMarket::stateOfCall { collection: ASSETS, tokenId: U256::from(asset) };
    let before = world.call(BOB, MARKET, 0, &state).unwrap();
    let kept = world.state.clone();
    world.call(ALICE, VESTING, 0, &accept).unwrap();
    assert_ne!(world.call(BOB, MARKET, 0, &state).unwrap(), before);
    world.state = kept;
    // After it nothing is offered any more, until the account's new owner does.
    let (from, to, token_id) = (ALICE, BOB, U256::from(asset));
    let sale = IAssets::transferFromCall { from, to, tokenId: token_id };
    world.call(ALICE, ASSETS, 0, &sale).unwrap();
    let refused: Failure = IVesting::OnlyOffered { caller: ALICE }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &accept).map(drop), Err(refused));
    assert_eq!(world.call(BOB, VESTING, 0, &show).unwrap().offeredTo, Address::ZERO);
    world.call(account, VESTING, 0, &offer).unwrap();
    world.call(ALICE, VESTING, 0, &accept).unwrap();
}

#[test]
fn what_an_assets_own_account_announced_is_not_the_next_owners_word() {
    let mut world = founded(&plan());
    let registration = town::model();
    let asset = world.call(ALICE, ASSETS, 0, &IAssets::registerCall { registration }).unwrap();
    let account = assets::account_of(&mut world, AssetId(asset)).unwrap();
    let schedule = give(&mut world, TEAM, account, 48, 0);
    at(&mut world, month(48));
    let announce = announceCall { schedule, to: ALICE, amount: U256::from(48 * COIN) };
    let id = world.call(account, VESTING, 0, &announce).unwrap();
    at(&mut world, month(48) + NOTICE);
    // Before the sale it takes something out of the account's reach, which a listing commits to.
    let state = IMarket::stateOfCall { collection: ASSETS, tokenId: U256::from(asset) };
    let before = world.call(BOB, MARKET, 0, &state).unwrap();
    let kept = world.state.clone();
    world.call(BOB, VESTING, 0, &executeCall { id }).unwrap();
    assert_eq!(world.held(ALICE), 48 * COIN);
    assert_ne!(world.call(BOB, MARKET, 0, &state).unwrap(), before);
    world.state = kept;
    // After it nothing is announced any more, until the account's new owner does.
    let (from, to, token_id) = (ALICE, BOB, U256::from(asset));
    let sale = IAssets::transferFromCall { from, to, tokenId: token_id };
    world.call(ALICE, ASSETS, 0, &sale).unwrap();
    let refused: Failure = IVesting::MoveNotPending { id }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &executeCall { id }).map(drop), Err(refused));
    let shown = world.call(BOB, VESTING, 0, &IVesting::announcedMoveCall { id }).unwrap();
    assert_eq!(shown.state as u8, 2);
    assert_eq!((shown.announcedAt, shown.executableAt), (month(48), month(48) + NOTICE));
    let announce = announceCall { to: BOB, ..announce };
    let id = world.call(account, VESTING, 0, &announce).unwrap();
    at(&mut world, month(48) + 2 * NOTICE);
    world.call(ALICE, VESTING, 0, &executeCall { id }).unwrap();
    assert_eq!((world.held(ALICE), world.held(BOB)), (0, 48 * COIN));
}

#[test]
fn who_takes_a_schedule_over_takes_no_announced_move_with_it() {
    let mut world = founded(&plan());
    let schedule = give(&mut world, TEAM, ALICE, 48, 0);
    at(&mut world, month(48));
    let announce = announceCall { schedule, to: ALICE, amount: U256::from(COIN) };
    let id = world.call(ALICE, VESTING, 0, &announce).unwrap();
    let offer = IVesting::offerBeneficiaryCall { schedule, to: BOB };
    world.call(ALICE, VESTING, 0, &offer).unwrap();
    world.call(BOB, VESTING, 0, &IVesting::acceptBeneficiaryCall { schedule }).unwrap();
    at(&mut world, month(48) + NOTICE);
    let refused: Failure = IVesting::MoveNotPending { id }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &executeCall { id }).map(drop), Err(refused.clone()));
    assert_eq!(world.call(BOB, VESTING, 0, &cancelCall { id }).map(drop), Err(refused));
    // Coming back it is its beneficiary's own word again.
    let offer = IVesting::offerBeneficiaryCall { schedule, to: ALICE };
    world.call(BOB, VESTING, 0, &offer).unwrap();
    world.call(ALICE, VESTING, 0, &IVesting::acceptBeneficiaryCall { schedule }).unwrap();
    world.call(BOB, VESTING, 0, &executeCall { id }).unwrap();
    assert_eq!(world.held(ALICE), COIN);
}

#[test]
fn the_authority_changes_hands_when_both_agree() {
    let mut world = founded(&plan());
    let accept = IVesting::acceptAuthorityCall {};
    let refused: Failure = IVesting::OnlyOffered { caller: ALICE }.into();
    assert_eq!(world.call(ALICE, VESTING, 0, &accept).map(drop), Err(refused));
    let offer = IVesting::offerAuthorityCall { to: ALICE };
    world.call(AUTHORITY, VESTING, 0, &offer).unwrap();
    world.call(ALICE, VESTING, 0, &accept).unwrap();
    let refused: Failure = IVesting::OnlyAuthority { caller: AUTHORITY }.into();
    assert_eq!(world.call(AUTHORITY, VESTING, 0, &offer).map(drop), Err(refused));
}

#[test]
fn an_airdrop_is_claimed_until_the_second_before_its_close() {
    let list = List::new((0..7).map(|n| (Address::repeat_byte(n + 1), 10_000)).collect());
    let mut world = founded(&Plan { airdrop_root: list.root(), ..plan() });
    let (first, last, late) = (list.claim(0), list.claim(6), list.claim(3));
    world.call(BOB, VESTING, 0, &first).unwrap();
    assert_eq!(world.held(Address::repeat_byte(1)), 4_400);
    let refused: Failure = IVesting::AlreadyClaimed { index: 0 }.into();
    assert_eq!(world.call(BOB, VESTING, 0, &first), Err(refused));

    let closes = month(15);
    at(&mut world, closes - 1);
    let refused: Failure = IVesting::AirdropNotOver { closes }.into();
    let close = closeAirdropCall {};
    assert_eq!(world.call(BOB, VESTING, 0, &close).map(drop), Err(refused));
    let schedule = world.call(BOB, VESTING, 0, &last).unwrap();
    assert_eq!(world.held(Address::repeat_byte(7)), 10_000, "all of it after month 12");

    at(&mut world, closes);
    let refused: Failure = IVesting::AirdropOver { closes }.into();
    assert_eq!(world.call(BOB, VESTING, 0, &late), Err(refused));
    world.call(BOB, VESTING, 0, &close).unwrap();
    assert_eq!(world.held(COMMUNITY), TOTALS[1] + TOTALS[0] - 20_000);
    assert_eq!(world.held(AIRDROP), 10_000 - 4_400, "what the first has not asked for");
    world.call(BOB, VESTING, 0, &releaseCall { schedule: 6 }).unwrap();
    assert_eq!((world.held(AIRDROP), schedule), (0, 7));
}

#[test]
fn a_false_claim_is_refused() {
    let list = List::new((0..7).map(|n| (Address::repeat_byte(n + 1), 10_000)).collect());
    let mut world = founded(&plan());
    let honest = list.claim(2);
    let refused: Failure = IVesting::InvalidAirdropProof { index: 2 }.into();
    assert_eq!(world.call(BOB, VESTING, 0, &honest), Err(refused.clone()), "no root yet");
    let publish = IVesting::publishAirdropCall { root: list.root() };
    world.call(AUTHORITY, VESTING, 0, &publish).unwrap();
    let twice: Failure = IVesting::AirdropAlreadyPublished { root: list.root() }.into();
    assert_eq!(world.call(AUTHORITY, VESTING, 0, &publish).map(drop), Err(twice));
    for forged in [
        IVesting::claimCall { account: BOB, ..honest.clone() },
        IVesting::claimCall { amount: U256::from(10_001), ..honest.clone() },
        IVesting::claimCall { proof: honest.proof[1..].to_vec(), ..honest.clone() },
        IVesting::claimCall { proof: list.claim(3).proof, ..honest.clone() },
    ] {
        assert_eq!(world.call(BOB, VESTING, 0, &forged), Err(refused.clone()));
    }
    world.state.block.chain_id += 1;
    assert_eq!(world.call(BOB, VESTING, 0, &honest), Err(refused), "another chain's list");
    world.state.block.chain_id -= 1;
    world.call(BOB, VESTING, 0, &honest).unwrap();
}

#[test]
fn a_plan_grants_what_it_names_or_says_which_it_cannot() {
    let grant = |beneficiary, coins| PlannedGrant {
        pool: TEAM,
        beneficiary,
        amount: Amount::from_coins(coins),
        delay: 0,
        is_revocable: true,
    };
    let mut world = founded(&Plan { grants: vec![grant(ALICE, 5)], ..plan() });
    let total = world.call(BOB, VESTING, 0, &IVesting::scheduleCall { schedule: 6 }).unwrap();
    assert_eq!((total.beneficiary, total.needsNotice, total.isHeld), (ALICE, true, false));
    let too_much = Plan { grants: vec![grant(ALICE, 5), grant(BOB, 1_500_000_000)], ..plan() };
    assert_eq!(found(&mut Undo::default(), &too_much), Err(PlanError::Grant { index: 1 }));
}
