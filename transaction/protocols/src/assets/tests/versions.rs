//! Versions stand in a line.

use super::*;

fn next(state: &mut MemoryState, owner: Address, parent: AssetId) -> Result<AssetId, Failure> {
    let edges = vec![Edge { parent, relation: Relation::VersionOf }];
    let plan = Registration { edges, ..dataset(&[], 500) };
    state.atomically(|state| register(state, owner, &plan))
}

fn line(state: &mut MemoryState, id: AssetId) -> Vec<u64> {
    history(state, id, U256::ZERO, U256::MAX).unwrap().0
}

#[test]
fn a_line_of_versions_is_read_from_any_of_them() {
    let state = &mut MemoryState::default();
    let first = registered(state, &[], 500);
    assert_eq!((line(state, first), version_of(state, first).unwrap().number), (vec![1], 1));
    registered(state, &[], 0);
    let third = next(state, ALICE, first).unwrap();
    let fourth = next(state, ALICE, third).unwrap();
    for (id, number) in [(first, 1), (third, 2), (fourth, 3)] {
        assert_eq!(line(state, id), [1, 3, 4]);
        assert_eq!(version_of(state, id), Ok(Standing { first, number, latest: fourth }));
    }
    let page = |state: &mut MemoryState, start: u64, count: u64| {
        history(state, fourth, U256::from(start), U256::from(count)).unwrap()
    };
    assert_eq!(page(state, 0, 2), (vec![1, 3], 3));
    assert_eq!(page(state, 1, 1), (vec![3], 3));
    assert_eq!(page(state, 2, 9), (vec![4], 3));
    assert_eq!(page(state, 0, 0), (vec![], 3));
    assert_eq!(page(state, 3, 9), (vec![], 3));
    let unknown = IAssets::UnknownAsset { asset: 9 };
    assert_eq!(version_of(state, AssetId(9)), Err(unknown.into()));
}

#[test]
fn a_new_version_pays_those_who_made_the_old_one() {
    let state = &mut MemoryState::default();
    let first = registered(state, &[], 500);
    let second = next(state, ALICE, first).unwrap();
    let third = next(state, ALICE, second).unwrap();
    assert_eq!(shares_of(state, third), [(1, 500), (2, 500)]);
}

#[test]
fn only_the_owner_of_the_latest_version_adds_one() {
    let state = &mut MemoryState::default();
    let first = registered(state, &[], 0);
    let stranger = IAssets::NotOwner { asset: 1, caller: BOB, owner: ALICE };
    assert_eq!(next(state, BOB, first), Err(stranger.into()));
    let second = next(state, ALICE, first).unwrap();
    let fork = IAssets::NotLatestVersion { parent: 1, latest: 2 };
    assert_eq!(next(state, ALICE, first), Err(fork.into()));
    transfer_from(state, ALICE, (ALICE, BOB), second.into()).unwrap();
    let former = IAssets::NotOwner { asset: 2, caller: ALICE, owner: BOB };
    assert_eq!(next(state, ALICE, second), Err(former.into()));
    assert_eq!(next(state, BOB, second), Ok(AssetId(3)));
}

#[test]
fn an_owner_goes_on_where_nobody_may_derive() {
    let state = &mut MemoryState::default();
    let closed = Registration { derivatives: Derivatives::None, ..dataset(&[], 0) };
    let id = register(state, ALICE, &closed).unwrap();
    assert_eq!(next(state, ALICE, id), Ok(AssetId(2)));
}

#[test]
fn a_version_has_one_predecessor() {
    let state = &mut MemoryState::default();
    let parents = [registered(state, &[], 0), registered(state, &[], 0)];
    let edges = parents.map(|parent| Edge { parent, relation: Relation::VersionOf }).to_vec();
    let error = IAssets::InvalidRelation { parent: 2, relation: Relation::VersionOf };
    assert_eq!(refusal(state, &Registration { edges, ..dataset(&[], 0) }), error.into());
}
