use super::*;
use alloy_sol_types::{SolCall, SolError};
use sahara_abi::ASSETS;

fn sole(state: &mut MemoryState, owner: Address, parents: &[u64], royalty: u16) -> AssetId {
    assets::register(state, owner, &plan(parents, royalty, &[], 0)).unwrap()
}

fn shared(state: &mut MemoryState, members: &[(Address, u128)], owner_units: u128) -> AssetId {
    assets::register(state, ALICE, &plan(&[], 1_000, members, owner_units)).unwrap()
}

fn settle_one(state: &mut MemoryState, account: Address, asset: AssetId) -> u128 {
    settle(state, account, &[asset]).unwrap().to_u128().unwrap()
}

#[test]
fn a_sole_owner_is_credited_in_the_paying_call_and_nothing_is_stored() {
    let state = &mut rich();
    let asset = sole(state, ALICE, &[], 0);
    let count = counted(state, |state| pay(state, asset, 100).unwrap());
    assert_eq!((balance(state, ALICE), balance(state, ROYALTIES)), (100, 0));
    assert_eq!((count.stores, count.transfers), (0, 1));
}

#[test]
fn everyone_in_a_diamond_is_paid_once() {
    let state = &mut rich();
    sole(state, ALICE, &[], 1_000);
    sole(state, BOB, &[1], 500);
    let tip = sole(state, CAROL, &[1, 2], 0);
    pay(state, tip, 999).unwrap();
    assert_eq!([ALICE, BOB, CAROL].map(|a| balance(state, a)), [99, 49, 851]);
}

#[test]
fn an_owner_who_is_also_ancestor_gets_both_parts() {
    let state = &mut rich();
    sole(state, ALICE, &[], 1_000);
    let tip = sole(state, ALICE, &[1], 0);
    pay(state, tip, 1_001).unwrap();
    assert_eq!(balance(state, ALICE), 1_001);
}

#[test]
fn a_payment_of_one_unit_goes_to_the_asset() {
    let state = &mut rich();
    sole(state, ALICE, &[], 2_000);
    let tip = sole(state, BOB, &[1], 0);
    pay(state, tip, 1).unwrap();
    assert_eq!((balance(state, ALICE), balance(state, BOB)), (0, 1));
}

#[test]
fn one_unit_among_three_waits_until_each_has_a_whole_one() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 1), (CAROL, 1)], 1);
    let people = [ALICE, BOB, CAROL];
    for paid in 1..=3 {
        pay(state, asset, 1).unwrap();
        check(state);
        let due = u128::from(paid == 3);
        assert_eq!(people.map(|a| earned_by(state, a)), [due; 3]);
    }
    assert_eq!(people.map(|a| settle_one(state, a, asset)), [1; 3]);
    assert_eq!(balance(state, ROYALTIES), 0);
    check(state);
}

#[test]
fn a_payer_who_is_payee_gets_its_own_part_back_and_no_more() {
    let state = &mut rich();
    sole(state, ALICE, &[], 1_000);
    let tip = sole(state, PAYER, &[1], 0);
    let before = balance(state, PAYER);
    pay(state, tip, 1_000).unwrap();
    assert_eq!(before - balance(state, PAYER), 100);
}

#[test]
fn an_unsealed_or_unknown_asset_refuses_payment() {
    let state = &mut rich();
    let open = Registration { is_open: true, ..plan(&[], 0, &[(BOB, 1)], 0) };
    let asset = assets::register(state, ALICE, &open).unwrap();
    assert_eq!(pay(state, asset, 5), Err(NotSealed { asset: 1 }.into()));
    assert_eq!(pay(state, AssetId(2), 5), Err(UnknownAsset { asset: 2 }.into()));
    assets::seal(state, ALICE, asset).unwrap();
    pay(state, asset, 5).unwrap();
    assert_eq!(earned_by(state, BOB), 5);
}

#[test]
fn an_open_asset_sealed_without_members_is_its_owners_alone() {
    let state = &mut rich();
    let open = Registration { is_open: true, ..plan(&[], 0, &[], 77) };
    let asset = assets::register(state, ALICE, &open).unwrap();
    assets::seal(state, ALICE, asset).unwrap();
    pay(state, asset, 5).unwrap();
    assert_eq!((balance(state, ALICE), earned_by(state, ALICE)), (5, 0));
    check(state);
}

#[test]
fn i5_a_transfer_pays_the_past_to_the_old_owner_and_the_future_to_the_new() {
    let state = &mut rich();
    let asset = shared(state, &[(CAROL, 1)], 1);
    pay(state, asset, 100).unwrap();
    assets::transfer_from(state, ALICE, (ALICE, BOB), asset.into()).unwrap();
    assert_eq!((balance(state, ALICE), earned_by(state, BOB)), (50, 0));
    pay(state, asset, 10).unwrap();
    assert_eq!((earned_by(state, ALICE), earned_by(state, BOB)), (0, 5));
    assert_eq!(settle_one(state, BOB, asset), 5);
    let paid = [ALICE, BOB, CAROL].map(|a| paid_to(state, a, asset).unwrap());
    assert_eq!(paid, [amount(50), amount(5), amount(0)]);
    check(state);
}

#[test]
fn a_seat_may_pass_through_a_member_and_come_back() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 3)], 1);
    let path = [ALICE, BOB, CAROL, ALICE];
    for step in path.windows(2) {
        pay(state, asset, 400).unwrap();
        assets::transfer_from(state, step[0], (step[0], step[1]), asset.into()).unwrap();
        check(state);
    }
    assert_eq!(units_of(state, asset, BOB), Ok(3));
    // Bob's transfer settled what he had as a member as well.
    assert_eq!(path[..3].iter().map(|a| balance(state, *a)).collect::<Vec<_>>(), [100, 700, 100]);
    assert_eq!(earned_by(state, BOB), 300);
    let listed = |state: &mut MemoryState, account| {
        views::pools_of(state, account, U256::ZERO, U256::MAX).unwrap()
    };
    assert_eq!(listed(state, BOB), (vec![1], 1));
    assert_eq!(listed(state, CAROL), (vec![], 0));
    assert_eq!(listed(state, ALICE), (vec![1], 1));
}

#[test]
fn seats_leave_a_list_in_any_order() {
    let state = &mut rich();
    let mut left: Vec<u64> = (0..6).map(|_| shared(state, &[(CAROL, 1)], 1).0).collect();
    // Each sale but the last moves the last entry, which the next one then looks for.
    for sold in [1, 6, 5, 2, 4, 3] {
        assets::transfer_from(state, ALICE, (ALICE, BOB), U256::from(sold)).unwrap();
        left.retain(|asset| *asset != sold);
        let (mut listed, total) = views::pools_of(state, ALICE, U256::ZERO, U256::MAX).unwrap();
        listed.sort_unstable();
        assert_eq!((&listed, usize::try_from(total).unwrap()), (&left, left.len()));
    }
    assert_eq!(views::pools_of(state, BOB, U256::from(4), U256::MAX), Ok((vec![4, 3], 6)));
}

#[test]
fn what_was_earned_is_spendable_in_the_next_transaction() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 1)], 0);
    let dust = DUST.to_u128().unwrap();
    pay(state, asset, dust - 1).unwrap();
    before_transaction(state, BOB).unwrap();
    assert_eq!(balance(state, BOB), 0, "dust is not worth the gas");
    pay(state, asset, 1).unwrap();
    before_transaction(state, BOB).unwrap();
    assert_eq!((balance(state, BOB), earned_by(state, BOB)), (dust, 0));
}

#[test]
fn a_sender_in_many_pools_has_sixteen_settled_each_time_round_robin() {
    let state = &mut rich();
    let dust = DUST.to_u128().unwrap();
    for _ in 0..40 {
        let asset = shared(state, &[(BOB, 1)], 0);
        pay(state, asset, dust).unwrap();
    }
    for settled in [16, 32, 40, 40] {
        before_transaction(state, BOB).unwrap();
        assert_eq!(balance(state, BOB), settled * dust);
    }
    check(state);
}

#[test]
fn four_looks_in_a_row_that_find_nothing_are_enough() {
    let state = &mut rich();
    let pools: Vec<_> = (0..20).map(|_| shared(state, &[(BOB, 1)], 0)).collect();
    let count = counted(state, |state| before_transaction(state, BOB).unwrap());
    // The list in two words, and four pools; the place where to go on is written.
    assert_eq!((count.loads, count.stores), (6, 1));
    pay(state, pools[13], DUST.to_u128().unwrap()).unwrap();
    // From the fifth on, four at a time: the fourteenth has its turn in the third transaction.
    let turns = (1..=5).find(|_| {
        before_transaction(state, BOB).unwrap();
        balance(state, BOB) > 0
    });
    assert_eq!(turns, Some(3));
}

#[test]
fn who_is_in_no_pool_reads_one_word_before_its_transaction() {
    let state = &mut rich();
    let count = counted(state, |state| before_transaction(state, BOB).unwrap());
    assert_eq!((count.loads, count.stores), (1, 0));
}

#[test]
fn settle_pays_what_earned_says_and_takes_a_bounded_list() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 7), (CAROL, 3)], 0);
    pay(state, asset, 1_001).unwrap();
    let said = earned_by(state, BOB);
    assert_eq!((said, settle_one(state, BOB, asset)), (700, 700));
    assert_eq!(settle_one(state, BOB, asset), 0);
    assert_eq!(settle(state, BOB, &[asset, asset, AssetId(99)]), Ok(Amount::ZERO));
    let error = IRoyalties::TooManyPools { pools: U256::from(65), most: U256::from(64) };
    assert_eq!(settle(state, BOB, &[asset; 65]), Err(error.into()));
}

#[test]
fn the_sweep_credits_everyone_who_waits_for_more_than_dust() {
    let state = &mut rich();
    let dust = DUST.to_u128().unwrap();
    let asset = shared(state, &[(BOB, 2), (CAROL, 1)], 3);
    pay(state, asset, 6 * dust - 6).unwrap();
    end_block(state, ALICE, &[]).unwrap();
    let paid = [ALICE, BOB, CAROL].map(|a| balance(state, a));
    assert_eq!(paid, [3 * dust - 3, 2 * dust - 2, 0], "carol's part is dust");
    assert_eq!(earned_by(state, CAROL), dust - 1);
    check(state);
}

#[test]
fn the_sweep_is_bounded_and_takes_turns() {
    let state = &mut rich();
    let dust = DUST.to_u128().unwrap();
    let account = |n: u64| Address::left_padding_from(&(n + 1_000_000).to_be_bytes());
    let crowd: Vec<_> = (0..1_000).map(|n| (account(n), 1)).collect();
    let large = shared(state, &crowd, 0);
    let small = shared(state, &[(BOB, 1)], 0);
    pay(state, large, 1_000 * dust).unwrap();
    pay(state, small, dust).unwrap();
    let credited = |state: &MemoryState| {
        crowd.iter().filter(|(account, _)| state.balances.contains_key(account)).count()
    };
    end_block(state, ALICE, &[]).unwrap();
    assert_eq!((balance(state, BOB), credited(state)), (dust, 255));
    // A deposit in the middle of a round brings the pool round again.
    pay(state, large, 1_000 * dust).unwrap();
    for _ in 0..8 {
        end_block(state, ALICE, &[]).unwrap();
        check(state);
    }
    assert_eq!((credited(state), balance(state, ROYALTIES)), (1_000, 0));
    let idle = counted(state, |state| end_block(state, ALICE, &[]).unwrap());
    assert_eq!(
        (idle.loads, idle.stores),
        (9, 0),
        "an idle block reads its queue, staking's, the epoch, its beginning, that nobody stands, that \
         no jury is due and no vote waits"
    );
}

#[test]
fn a_pool_that_is_full_refuses() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 1)], 0);
    state.fund(PAYER, amount(u128::MAX));
    let full = IRoyalties::PoolFull { asset: asset.0 };
    assert_eq!(pay(state, asset, pool::CAPACITY), Err(full.into()));
    pay(state, asset, pool::CAPACITY - 1).unwrap();
    check(state);
    assert_eq!(earned_by(state, BOB), pool::CAPACITY - 1);
}

#[test]
fn a_payment_that_does_not_cover_changes_nothing() {
    let state = &mut MemoryState::default();
    let asset = shared(state, &[(BOB, 1)], 0);
    let before = state.words.clone();
    assert!(pay(state, asset, 1).is_err());
    assert_eq!(state.words, before);
}

#[test]
fn coin_sent_with_pay_is_divided_to_the_last_unit() {
    let state = &mut rich();
    shared(state, &[(BOB, 1)], 0);
    let tip = sole(state, CAROL, &[1], 0);
    let data = IRoyalties::payCall { asset: tip.0 }.abi_encode();
    let call = crate::Call { caller: PAYER, value: amount(1_009), data: &data, is_static: false };
    state.call(ROYALTIES, call).unwrap();
    assert_eq!((balance(state, CAROL), balance(state, ROYALTIES)), (909, 100));
    check(state);
}

#[test]
fn a_member_cannot_be_registered_twice_by_ownership() {
    let state = &mut rich();
    let asset = assets::register(state, BOB, &plan(&[], 0, &[(BOB, 2), (CAROL, 1)], 1)).unwrap();
    pay(state, asset, 400).unwrap();
    assert_eq!((units_of(state, asset, BOB), earned_by(state, BOB)), (Ok(3), 300));
    assert_eq!(settle_one(state, BOB, asset), 300);
    check(state);
}

/// What one payment touches with `ancestors` pools above the asset, in gas by words touched.
fn cost(ancestors: u64, members: u64) -> (Count, u64) {
    let state = &mut rich();
    let account = |n: u64| Address::left_padding_from(&(n + 1_000_000).to_be_bytes());
    let crowd: Vec<_> = (0..members).map(|n| (account(n), 1)).collect();
    for _ in 0..ancestors {
        assets::register(state, ALICE, &plan(&[], 100, &crowd, 0)).unwrap();
    }
    let parents: Vec<u64> = (1..=ancestors).collect();
    let tip = assets::register(state, ALICE, &plan(&parents, 0, &crowd, 0)).unwrap();
    pay(state, tip, DUST.to_u128().unwrap() * 1_000).unwrap();
    let count = counted(state, |state| pay(state, tip, 1_000_000).unwrap());
    assert_eq!(count.fresh_stores, 0);
    (count, count.loads * 2_100 + count.stores * 2_900)
}

#[test]
fn i3_a_payment_costs_the_same_for_one_member_and_for_ten_thousand() {
    let costs = [1, 10, 1_000, 10_000].map(|members| cost(1, members).0);
    assert_eq!(costs, [costs[0]; 4]);
    assert_eq!((costs[0].stores, costs[0].loads), (2, 4));
}

#[test]
fn i3_a_payment_writes_one_word_for_each_pool() {
    let (count, gas) = cost(8, 3);
    assert_eq!((count.stores, count.transfers), (9, 1));
    assert!(gas <= 54_000, "{gas} gas for eight ancestors with members");
    let state = &mut rich();
    for _ in 0..8 {
        sole(state, BOB, &[], 100);
    }
    let tip = sole(state, ALICE, &(1..=8).collect::<Vec<_>>(), 0);
    let count = counted(state, |state| pay(state, tip, 1_000_000).unwrap());
    assert_eq!((count.stores, count.transfers), (0, 2), "who owns several is credited once");
    assert!(count.loads * 2_100 <= 40_000, "{} words for eight sole owners", count.loads);
}

#[test]
fn sixty_four_ancestors_stay_below_four_hundred_thousand_gas() {
    let state = &mut rich();
    for _ in 0..60 {
        assets::register(state, ALICE, &plan(&[], 1, &[(BOB, 1)], 1)).unwrap();
    }
    let middle = |state: &mut MemoryState, from: u64| {
        let parents: Vec<u64> = (from..from + 15).collect();
        assets::register(state, ALICE, &plan(&parents, 1, &[(BOB, 1)], 1)).unwrap().0
    };
    let parents = [1, 16, 31, 46].map(|from| middle(state, from));
    let tip = assets::register(state, ALICE, &plan(&parents, 1, &[(BOB, 1)], 1)).unwrap();
    pay(state, tip, DUST.to_u128().unwrap() * 100_000).unwrap();
    let count = counted(state, |state| pay(state, tip, 1_000_000).unwrap());
    assert_eq!(count.stores, 65);
    assert!(count.loads * 2_100 + count.stores * 2_900 < 400_000, "{count:?}");
    check(state);
}

#[test]
fn pool_words_pack_as_published() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 0xb), (CAROL, 0xc)], 0xa);
    pay(state, asset, 33).unwrap();
    settle(state, BOB, &[asset]).unwrap();
    let word = |slot: U256| format!("{:064x}", state.words[&(ROYALTIES, slot)]);
    insta::assert_snapshot!(
        [
            ("flow", word(storage::FLOWS.slot(asset))),
            ("terms", word(storage::TERMS.slot(asset))),
            ("seat", word(storage::SEATS.slot(asset))),
            ("member", word(storage::MEMBERS.slot((asset, BOB)))),
            ("roster", word(storage::ROSTERS.slot((asset, 1)))),
            ("listing", word(storage::LISTINGS.slot(BOB))),
        ]
        .map(|(name, word)| format!("{name:<8}{word}"))
        .join("\n")
    );
}

#[test]
fn a_forged_word_is_found_by_the_recount() {
    let state = &mut rich();
    let asset = shared(state, &[(BOB, 1), (CAROL, 2)], 1);
    pay(state, asset, 100).unwrap();
    let word = storage::MEMBERS.slot((asset, BOB));
    let mut forged = state.clone();
    *forged.words.get_mut(&(ROYALTIES, word)).unwrap() += U256::ONE << 160;
    let slots: Vec<_> = forged.slots_of(ROYALTIES).collect();
    assert!(matches!(liabilities_total(ROYALTIES, slots), Err(Failure::Fatal(_))));
    let mut paid_twice = state.clone();
    *paid_twice.words.get_mut(&(ROYALTIES, word)).unwrap() += U256::ONE << 48;
    let slots: Vec<_> = paid_twice.slots_of(ROYALTIES).collect();
    assert!(matches!(liabilities_total(ROYALTIES, slots), Err(Failure::Fatal(_))));
    check(state);
}

#[test]
fn the_registry_never_holds_coin() {
    assert_eq!(liabilities_total(ASSETS, []), Ok(U256::ZERO));
    assert!(matches!(liabilities_total(ALICE, []), Err(Failure::Fatal(_))));
    assert_eq!(NotSealed::SELECTOR.len(), 4);
}
