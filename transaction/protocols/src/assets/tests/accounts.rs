//! Assets' own accounts, and who may not own whom.

use super::*;
use crate::assets::{
    record::{MOST_TRANSFERS, TURN},
    storage::TITLES,
};
use alloy_sol_types::SolCall;
use sahara_abi::{ASSETS, IProtocol};

#[test]
fn the_account_of_an_asset_is_where_erc6551_says() {
    let state = &mut MemoryState::default();
    let id = registered(state, &[], 0);
    let account = account_of(state, id).unwrap();
    // The same by hand: the registry's rule for salt 0, this chain, this contract, id 1.
    let code = format!(
        "3d60ad80600a3d3981f3363d3d373d3d3d363d73{:x}5af43d82803e903d91602b57fd5bf3{:064x}{:064x}{:0>64}{:064x}",
        sahara_abi::ASSET_ACCOUNT,
        0,
        state.block.chain_id,
        format!("{ASSETS:x}"),
        1,
    );
    let code = alloy_primitives::hex::decode(code).unwrap();
    let hash = alloy_primitives::keccak256(code);
    assert_eq!(account, sahara_abi::ACCOUNT_REGISTRY.create2(B256::ZERO, hash));
    assert_eq!((asset_of(state, account), asset_of(state, ALICE)), (Ok(id), Ok(AssetId(0))));
    let unknown = IAssets::UnknownAsset { asset: 2 };
    assert_eq!(account_of(state, AssetId(2)), Err(unknown.into()));
}

#[test]
fn i8_only_the_protocols_own_code_transfers_for_others() {
    let state = &mut MemoryState::default();
    let token = U256::from(registered(state, &[], 0).0);
    for caller in [ALICE, BOB, sahara_abi::COIN, sahara_abi::SYSTEM_CALLER] {
        let result = transfer_for(state, caller, ALICE, (ALICE, BOB), token);
        assert_eq!(result, Err(IProtocol::OnlySelf { caller }.into()));
    }
    let refused = IAssets::ERC721InsufficientApproval { operator: BOB, tokenId: token };
    assert_eq!(transfer_for(state, ASSETS, BOB, (ALICE, BOB), token), Err(refused.into()));
    // Nobody is approved: that is not an approval of the zero address, as which calls without a sender are tried.
    let operator = Address::ZERO;
    let refused = IAssets::ERC721InsufficientApproval { operator, tokenId: token };
    assert_eq!(transfer_for(state, ASSETS, operator, (ALICE, BOB), token), Err(refused.into()));
    transfer_for(state, ASSETS, ALICE, (ALICE, BOB), token).unwrap();
    assert_eq!(owner_of(state, token), Ok(BOB));
}

#[test]
fn safe_transfers_are_left_to_the_code_that_can_call() {
    let state = &mut MemoryState::default();
    let token = U256::from(registered(state, &[], 0).0);
    let call =
        IAssets::safeTransferFrom_0Call { from: ALICE, to: BOB, tokenId: token }.abi_encode();
    let request = crate::Call { caller: ALICE, value: Amount::ZERO, data: &call, is_static: false };
    assert_eq!(state.call(ASSETS, request), Err(Failure::CallsOut));
    let in_static = state.call(ASSETS, crate::Call { is_static: true, ..request });
    assert_eq!(in_static, Err(IProtocol::StaticCall {}.into()));
    assert_eq!(owner_of(state, token), Ok(ALICE));
}

#[test]
fn an_asset_never_belongs_to_itself_directly_or_through_others() {
    let state = &mut MemoryState::default();
    let ids: Vec<_> = (0..4).map(|_| registered(state, &[], 0)).collect();
    let accounts: Vec<_> = ids.iter().map(|id| account_of(state, *id).unwrap()).collect();
    let give = |state: &mut MemoryState, id: AssetId, to| {
        let owner = owner_of(state, id.into()).unwrap();
        transfer_from(state, owner, (owner, to), id.into())
    };
    for to in 0..4 {
        let cycle = IAssets::OwnershipCycle { asset: ids[to].0, to: accounts[to] };
        assert_eq!(give(state, ids[to], accounts[to]), Err(cycle.into()));
        if to > 0 {
            give(state, ids[to], accounts[to - 1]).unwrap();
        }
    }
    for (id, account) in [(0, 1), (0, 3), (1, 2), (2, 3)] {
        let cycle = IAssets::OwnershipCycle { asset: ids[id].0, to: accounts[account] };
        assert_eq!(give(state, ids[id], accounts[account]), Err(cycle.into()));
    }
    give(state, ids[2], BOB).unwrap();
    assert!(give(state, ids[0], accounts[3]).is_ok(), "a cut chain is no cycle");
}

#[test]
fn accounts_in_accounts_end_at_sixteen() {
    let state = &mut MemoryState::default();
    let mut owner = ALICE;
    for _ in 0..MAX_NESTING {
        let id = register(state, owner, &dataset(&[], 0)).unwrap();
        owner = account_of(state, id).unwrap();
    }
    let deep = IAssets::OwnershipTooDeep { to: owner, most: U256::from(MAX_NESTING) };
    let refused = state.atomically(|state| register(state, owner, &dataset(&[], 0)));
    assert_eq!(refused, Err(deep.into()));
}

#[test]
fn two_towers_on_each_other_have_a_holder_and_take_nothing_more() {
    let state = &mut MemoryState::default();
    let mut towers = Vec::new();
    for _ in 0..2 {
        let mut tower = vec![registered(state, &[], 0)];
        for _ in 1..MAX_NESTING {
            let above = account_of(state, tower[tower.len() - 1]).unwrap();
            let id = registered(state, &[], 0);
            transfer_from(state, ALICE, (ALICE, above), id.into()).unwrap();
            tower.push(id);
        }
        towers.push(tower);
    }
    // All but the lowest of the upper tower have room below; the lower one goes there whole.
    let place = account_of(state, towers[0][MAX_NESTING - 2]).unwrap();
    transfer_from(state, ALICE, (ALICE, place), towers[1][0].into()).unwrap();
    let (top, lowest) = (towers[0][0], towers[1][MAX_NESTING - 1]);
    assert!(has_a_holder(state, lowest));
    let under = account_of(state, lowest).unwrap();
    let deep = IAssets::OwnershipTooDeep { to: under, most: U256::from(MAX_NESTING) };
    let moved = state.atomically(|s| transfer_from(s, ALICE, (ALICE, under), top.into()));
    assert_eq!(moved, Err(deep.into()), "the circle is not closed from further than one looks");
}

/// Moves an asset that changed hands this often by its title; returns how often it did then, ever.
fn passed(state: &mut MemoryState, id: AssetId, transfers: u32) -> u64 {
    let before = title(state, id).unwrap();
    TITLES.set(state, id, &Title { transfers, ..before }).unwrap();
    transfer_from(state, ALICE, (ALICE, ALICE), id.into()).unwrap();
    let after = title(state, id).unwrap();
    transfers_of(state, id, &after).unwrap()
}

#[test]
fn i9_leave_does_not_come_back_however_often_an_asset_changes_hands() {
    let state = &mut MemoryState::default();
    let id = registered(state, &[], 0);
    let account = account_of(state, id).unwrap();
    let turns = [(TURN - 1, 1_u64 << 20), (MOST_TRANSFERS, 2 << 20), (MOST_TRANSFERS, 3 << 20)];
    for (transfers, ever) in turns {
        // Given under a number of transfers that the title comes to again.
        crate::coin::approve(state, account, CAROL, U256::ONE).unwrap();
        assert_eq!(passed(state, id, transfers), ever);
        assert_eq!(crate::coin::allowance(state, account, CAROL), Ok(U256::ZERO), "{ever}");
    }
}

/// Whether following owners from an asset ends with somebody who is no asset's account.
fn has_a_holder(state: &mut MemoryState, mut id: AssetId) -> bool {
    for _ in 0..100 {
        let owner = owner_of(state, id.into()).unwrap();
        match asset_of(state, owner).unwrap() {
            AssetId(0) => return true,
            above => id = above,
        }
    }
    false
}

/// Whether an asset is another, or its owner stands below the other's account.
fn is_at_or_below(state: &mut MemoryState, mut id: u64, above: u64) -> bool {
    while id != above {
        let owner = owner_of(state, U256::from(id)).unwrap();
        match asset_of(state, owner).unwrap() {
            AssetId(0) => return false,
            next => id = next.0,
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn i6_somebody_can_act_for_every_asset(moves in proptest::collection::vec((1u64..9, 0u64..12), 1..50)) {
        let state = &mut MemoryState::default();
        for _ in 0..11 {
            registered(state, &[], 0);
        }
        // Also accounts of assets that do not exist yet.
        let accounts: Vec<_> = (1..12).map(|id| account_of(state, AssetId(id)).unwrap()).collect();
        let state = &mut MemoryState::default();
        for _ in 0..8 {
            registered(state, &[], 0);
        }
        for (id, to) in moves {
            let target = to.checked_sub(1).map_or(BOB, |n| accounts[usize::try_from(n).unwrap()]);
            let owner = owner_of(state, U256::from(id)).unwrap();
            let moved = state.atomically(|s| transfer_from(s, owner, (owner, target), U256::from(id)));
            if moved.is_ok() {
                prop_assert_eq!(owner_of(state, U256::from(id)), Ok(target));
            }
            if to == 11 && count(state).unwrap() < 11 {
                registered(state, &[], 0);
            }
            for asset in 1..=count(state).unwrap() {
                prop_assert!(has_a_holder(state, AssetId(asset)), "asset {asset}");
            }
        }
    }

    #[test]
    fn i9_leave_ends_when_an_asset_above_changes_hands(
        steps in proptest::collection::vec((any::<bool>(), 1u64..6, 0usize..6), 1..60),
    ) {
        let state = &mut MemoryState::default();
        for _ in 0..5 {
            registered(state, &[], 0);
        }
        let accounts: Vec<_> = (1..6).map(|id| account_of(state, AssetId(id)).unwrap()).collect();
        let mut allowed = BTreeMap::new();
        for (number, (is_leave, id, to)) in (1_u64..).zip(steps) {
            if is_leave {
                let account = account_of(state, AssetId(id)).unwrap();
                crate::coin::approve(state, account, CAROL, U256::from(number)).unwrap();
                allowed.insert(id, number);
            } else {
                let below: Vec<_> = (1..6).filter(|other| is_at_or_below(state, *other, id)).collect();
                let owner = owner_of(state, U256::from(id)).unwrap();
                let path = (owner, to.checked_sub(1).map_or(BOB, |index| accounts[index]));
                if state.atomically(|s| transfer_from(s, owner, path, U256::from(id))).is_ok() {
                    allowed.retain(|other, _| !below.contains(other));
                }
            }
            for (id, account) in (1_u64..).zip(&accounts) {
                let expected = allowed.get(&id).copied().unwrap_or_default();
                let found = crate::coin::allowance(state, *account, CAROL);
                prop_assert_eq!(found, Ok(U256::from(expected)), "asset {}", id);
            }
        }
    }
}
