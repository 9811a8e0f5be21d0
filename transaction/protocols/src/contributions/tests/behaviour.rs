use super::*;

#[test]
fn what_was_earned_before_an_activation_is_paid_with_it() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1)]);
    let asset = committed(state, &tree.root(), &[], 4);
    pay(state, asset, 800);
    check(state);
    assert_eq!(activate(state, asset, &one(&tree, &leaves, 0)), Ok(1));
    assert_eq!((balance(state, BOB), balance(state, CAROL)), (300, 0));
    pay(state, asset, 80);
    assert_eq!(royalties::earned(state, BOB), Ok(Amount::from_u128(30)));
    assert_eq!(activate(state, asset, &one(&tree, &leaves, 1)), Ok(1));
    assert_eq!(balance(state, CAROL), 110);
    royalties::settle(state, BOB, &[asset]).unwrap();
    royalties::settle(state, ALICE, &[asset]).unwrap();
    assert_eq!([ALICE, BOB, CAROL].map(|a| balance(state, a)), [440, 330, 110]);
    check(state);
}

#[test]
fn i6_a_leaf_is_activated_once_whoever_tries_again() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1)]);
    let asset = committed(state, &tree.root(), &[], 0);
    pay(state, asset, 400);
    let both = [one(&tree, &leaves, 0), one(&tree, &leaves, 1)].concat();
    assert_eq!(activate(state, asset, &[both.clone(), both.clone()].concat()), Ok(2));
    assert_eq!(activate(state, asset, &both), Ok(0));
    assert_eq!((balance(state, BOB), balance(state, CAROL)), (300, 100));
    let found = commitment(state, asset).unwrap();
    assert_eq!((found.activated, found.activatedUnits.to::<u64>()), (2, 4));
    check(state);
}

#[test]
fn only_what_the_root_commits_to_is_activated() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1), (ALICE, 6)]);
    let asset = committed(state, &tree.root(), &[], 0);
    let [(leaf, proof)] = one(&tree, &leaves, 0);
    let invalid = |index| Err(IContributions::InvalidProof { asset: asset.0, index }.into());
    let tries = [
        (Contribution { units: 4, ..leaf }, proof.clone()),
        (Contribution { contributor: CAROL, ..leaf }, proof.clone()),
        (leaf, SumProof { siblings: proof.siblings[1..].to_vec(), ..proof.clone() }),
    ];
    for attempt in tries {
        assert_eq!(activate(state, asset, &[attempt]), invalid(0));
    }
    for index in [1, 2, 3, u32::MAX] {
        let moved = SumProof { index, ..proof.clone() };
        assert_eq!(activate(state, asset, &[(leaf, moved)]), invalid(index));
    }
    assert_eq!(activate(state, asset, &[(leaf, proof)]), Ok(1));
}

#[test]
fn a_commitment_that_lies_about_its_total_or_number_activates_nothing() {
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1)]);
    let honest = tree.root();
    for root in [
        SumRoot { units: 5, ..honest },
        SumRoot { units: 3, ..honest },
        SumRoot { count: 3, ..honest },
        SumRoot { count: 1, ..honest },
    ] {
        let state = &mut rich();
        let asset = committed(state, &root, &[(ALICE, 1)], 0);
        pay(state, asset, 100);
        assert!(activate(state, asset, &one(&tree, &leaves, 0)).is_err());
        check(state);
    }
}

#[test]
fn a_false_root_takes_nothing_from_other_pools() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1)]);
    let honest = committed(state, &tree.root(), &[], 0);
    let false_root = SumRoot { units: 1, ..tree.root() };
    let other = committed(state, &false_root, &[], 0);
    pay(state, honest, 400);
    pay(state, other, 4);
    for asset in [other, honest] {
        let outcome = activate(state, asset, &one(&tree, &leaves, 0));
        assert_eq!(outcome.is_ok(), asset == honest);
    }
    assert_eq!((balance(state, BOB), balance(state, ROYALTIES)), (300, 104));
    check(state);
}

#[test]
fn a_commitment_is_made_once_by_the_owner_while_the_asset_is_open() {
    let state = &mut rich();
    let root = tree(&[(BOB, 3)]).0.root();
    let asset = open(state, &[], 0);
    let stranger = IAssets::NotOwner { asset: 1, caller: BOB, owner: ALICE };
    assert_eq!(commit(state, BOB, asset, &root), Err(stranger.into()));
    for (units, count) in [(0_u64, 1), (1, 0), (1, (1 << 24) + 1)] {
        let most = 1 << 24;
        let units_ = alloy_primitives::aliases::U96::from(units);
        let error = IContributions::InvalidCommitment { units: units_, count, most };
        let root = SumRoot { units: units.into(), count, ..root };
        assert_eq!(commit(state, ALICE, asset, &root), Err(error.into()));
    }
    commit(state, ALICE, asset, &root).unwrap();
    let again = IContributions::AlreadyCommitted { asset: 1 };
    assert_eq!(commit(state, ALICE, asset, &root), Err(again.into()));
    let early = activate(state, asset, &[]);
    assert_eq!(early, Err(IAssets::NotSealed { asset: 1 }.into()));
    assets::seal(state, ALICE, asset).unwrap();
    let late = IAssets::AlreadySealed { asset: 1 };
    assert_eq!(commit(state, ALICE, asset, &root), Err(late.into()));
    let plain = open(state, &[], 0);
    assets::seal(state, ALICE, plain).unwrap();
    let none = IContributions::NotCommitted { asset: 2 };
    assert_eq!(activate(state, plain, &[]), Err(none.into()));
}

#[test]
fn units_beyond_ninety_six_bits_are_refused_at_the_seal() {
    let state = &mut rich();
    let root = SumRoot { root: B256::ZERO, units: (1 << 96) - 1, count: 1 };
    let asset = open(state, &[(BOB, 1)], 0);
    commit(state, ALICE, asset, &root).unwrap();
    let sealed = state.atomically(|state| assets::seal(state, ALICE, asset));
    assert_eq!(sealed, Err(sahara_abi::IProtocol::Overflow {}.into()));
}

#[test]
fn nobody_and_no_account_of_the_chain_is_a_contributor() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(ROYALTIES, 3), (sahara_abi::FEES, 1), (BOB, 1)]);
    let asset = committed(state, &tree.root(), &[], 0);
    pay(state, asset, 500);
    for index in [0, 1] {
        use alloy_sol_types::SolError;
        let refused = activate(state, asset, &one(&tree, &leaves, index)).unwrap_err();
        let crate::Failure::Revert(bytes) = refused else { panic!("{refused:?}") };
        assert!(bytes.starts_with(&IContributions::InvalidContribution::SELECTOR));
    }
    assert_eq!(activate(state, asset, &one(&tree, &leaves, 2)), Ok(1));
    check(state);
}

#[test]
fn a_call_activates_a_bounded_number() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3)]);
    let asset = committed(state, &tree.root(), &[], 0);
    let many = vec![one(&tree, &leaves, 0)[0].clone(); MAX_ACTIVATIONS + 1];
    let (activations, most) = (U256::from(81), U256::from(80));
    let error = IContributions::TooManyActivations { activations, most };
    assert_eq!(activate(state, asset, &many), Err(error.into()));
    assert_eq!(activate(state, asset, &many[1..]), Ok(1));
}

#[test]
fn one_unit_among_many_who_wait_is_nobodys_yet() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 1), (CAROL, 1), (ALICE, 1)]);
    let asset = committed(state, &tree.root(), &[], 0);
    for paid in 1..=3_u32 {
        pay(state, asset, 1);
        assert_eq!(royalties::due_for(state, asset, 1), Ok(Amount::from_u128((paid / 3).into())));
        check(state);
    }
    for index in 0..3 {
        activate(state, asset, &one(&tree, &leaves, index)).unwrap();
    }
    assert_eq!([ALICE, BOB, CAROL].map(|a| balance(state, a)), [1, 1, 1]);
    assert_eq!(balance(state, ROYALTIES), 0);
}

#[test]
fn an_ancestors_contributors_are_paid_from_descendants() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1)]);
    let asset = committed(state, &tree.root(), &[], 0);
    let edges = vec![Edge { parent: asset, relation: Relation::TrainedOn }];
    let model = Registration {
        kind: Kind::Model,
        edges,
        content_hash: B256::ZERO,
        metadata: String::new(),
        prices: Prices::default(),
        derivative_royalty: BasisPoints::ZERO,
        derivatives: Derivatives::Open,
        members: vec![],
        owner_units: 0,
        is_open: false,
    };
    let model = assets::register(state, CAROL, &model).unwrap();
    pay(state, model, 4_000);
    activate(state, asset, &one(&tree, &leaves, 0)).unwrap();
    assert_eq!((balance(state, BOB), balance(state, CAROL)), (300, 3_600));
}

#[test]
fn an_activated_contributor_is_credited_like_any_member() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(BOB, 3), (CAROL, 1)]);
    let asset = committed(state, &tree.root(), &[], 0);
    activate(state, asset, &one(&tree, &leaves, 0)).unwrap();
    activate(state, asset, &one(&tree, &leaves, 1)).unwrap();
    let dust = DUST.to_u128().unwrap();
    pay(state, asset, 4 * dust);
    royalties::before_transaction(state, BOB).unwrap();
    assert_eq!(balance(state, BOB), 3 * dust);
    crate::system::end_block(state, ALICE, &[]).unwrap();
    assert_eq!(balance(state, CAROL), dust);
    check(state);
}

#[test]
fn an_owner_may_be_contributor_and_sell() {
    let state = &mut rich();
    let (tree, leaves) = tree(&[(ALICE, 3), (BOB, 1)]);
    let asset = committed(state, &tree.root(), &[], 4);
    activate(state, asset, &one(&tree, &leaves, 0)).unwrap();
    pay(state, asset, 800);
    assert_eq!(royalties::units_of(state, asset, ALICE), Ok(7));
    assets::transfer_from(state, ALICE, (ALICE, BOB), asset.into()).unwrap();
    assert_eq!(balance(state, ALICE), 700);
    activate(state, asset, &one(&tree, &leaves, 1)).unwrap();
    assert_eq!(balance(state, BOB), 100);
    pay(state, asset, 80);
    assets::transfer_from(state, BOB, (BOB, ALICE), asset.into()).unwrap();
    pay(state, asset, 80);
    royalties::settle(state, ALICE, &[asset]).unwrap();
    royalties::settle(state, BOB, &[asset]).unwrap();
    assert_eq!((balance(state, ALICE), balance(state, BOB)), (700 + 30 + 70, 100 + 50 + 10));
    assert_eq!(balance(state, ROYALTIES), 0);
    check(state);
}

/// What a payment touches when the pool is committed to so many.
fn payment(state: &mut MemoryState, asset: AssetId) -> Count {
    pay(state, asset, DUST.to_u128().unwrap() * 1_000);
    state.count = Count::default();
    pay(state, asset, 1_000_000);
    state.count
}

#[test]
fn i3_a_payment_costs_the_same_for_one_contributor_and_for_a_million() {
    let costs = [1, 1_000, 1_000_000].map(|count| {
        let state = &mut rich();
        let root = SumRoot { root: B256::ZERO, units: 1_000_000, count };
        let asset = committed(state, &root, &[], 1);
        payment(state, asset)
    });
    assert_eq!(costs, [costs[0]; 3]);
    assert_eq!((costs[0].stores, costs[0].loads), (1, 3));
}

const MILLION: u32 = 1_000_000;

fn number(n: u32) -> Contribution {
    let contributor = Address::left_padding_from(&(n + MILLION).to_be_bytes());
    Contribution { contributor, units: 7 }
}

/// A node of a tree of a million leaves of 7 units, of which only some are looked at: what is below the
/// others is a hash of nothing.
fn node(level: u32, place: u32, shown: &[u32]) -> SumNode {
    let (first, last) = (place << level, (((place + 1) << level) - 1).min(MILLION - 1));
    if !shown.iter().any(|index| (first..=last).contains(index)) {
        return SumNode { hash: B256::ZERO, sum: u128::from(last - first + 1) * 7 };
    }
    if level == 0 {
        return SumNode::leaf(place, &number(place));
    }
    let left = node(level - 1, place * 2, shown);
    if ((place * 2 + 1) << (level - 1)) >= MILLION {
        return left;
    }
    SumNode::above(&left, &node(level - 1, place * 2 + 1, shown)).unwrap()
}

fn proof(index: u32, shown: &[u32]) -> SumProof {
    let sibling = |level: u32| {
        let place = (index >> level) ^ 1;
        ((place << level) < MILLION).then(|| node(level, place, shown))
    };
    SumProof { index, siblings: (0..20).filter_map(sibling).collect() }
}

#[test]
fn contributor_number_999_999_is_paid_like_the_first() {
    let state = &mut rich();
    let shown = [0, 1, 500_000, 999_999];
    let root = node(20, 0, &shown).root(MILLION);
    assert_eq!(root.units, 7_000_000);
    let asset = committed(state, &root, &[], 0);
    let before = payment(state, asset);
    let mut costs = Vec::new();
    for index in shown {
        state.count = Count::default();
        let activation = (number(index), proof(index, &shown));
        assert_eq!(activate(state, asset, &[activation]), Ok(1));
        costs.push((state.count.loads, state.count.stores, state.count.fresh_stores));
        let due = (DUST.to_u128().unwrap() * 1_000 + u128::from(MILLION)) / 1_000_000;
        assert_eq!(balance(state, number(index).contributor), due);
    }
    assert_eq!(costs[1..], [costs[1]; 3], "whoever it is");
    state.count = Count::default();
    pay(state, asset, 1_000_000);
    assert_eq!((state.count.loads, state.count.stores), (before.loads, before.stores));
    check(state);
}
