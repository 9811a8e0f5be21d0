use super::*;
use crate::{Call, Failure};
use alloy_sol_types::{SolCall, SolEvent};

fn ask(state: &mut MemoryState, data: &[u8]) -> Result<alloy_primitives::Bytes, Failure> {
    let call = Call { caller: BOB, value: Amount::ZERO, data, is_static: false };
    state.call(CONTRIBUTIONS, call)
}

/// Bob by name and in the tree, Carol twice in the tree.
fn world() -> (MemoryState, AssetId, SumTree, Vec<Contribution>) {
    let mut state = rich();
    let (tree, leaves) = tree(&[(CAROL, 3), (BOB, 1), (CAROL, 2), (ALICE, 9)]);
    let asset = committed(&mut state, &tree.root(), &[(BOB, 5)], 0);
    for index in 0..3 {
        activate(&mut state, asset, &one(&tree, &leaves, index)).unwrap();
    }
    (state, asset, tree, leaves)
}

#[test]
fn every_contribution_is_a_token_of_its_contributor() {
    let (mut state, asset, ..) = world();
    let state = &mut state;
    let expected = [(0, CAROL, 3), (1, BOB, 1), (2, CAROL, 2), (1 << 31, BOB, 5)];
    for (index, contributor, units) in expected {
        let token = token_of(asset, index);
        assert_eq!(token, (U256::from(asset.0) << 32) + U256::from(index));
        let found = contribution(state, token).unwrap();
        assert_eq!((found.contributor, found.units.to::<u64>()), (contributor, units));
        assert_eq!((found.asset, found.index), (asset.0, index));
    }
    assert_eq!([ALICE, BOB, CAROL].map(|a| balance_of(state, a).unwrap()), [0, 2, 2]);
    for token in [
        token_of(asset, 3),
        token_of(asset, 4),
        token_of(asset, (1 << 31) + 1),
        token_of(AssetId(2), 0),
        U256::ZERO,
        U256::MAX,
    ] {
        let unknown = IContributions::ERC721NonexistentToken { tokenId: token };
        assert_eq!(contribution(state, token), Err(unknown.into()));
    }
}

#[test]
fn i8_a_contribution_is_locked_and_never_moves() {
    let (mut state, asset, ..) = world();
    let state = &mut state;
    let token = token_of(asset, 1);
    let (from, to) = (BOB, CAROL);
    let (data, approved) = (alloy_primitives::Bytes::new(), true);
    let refused = [
        IContributions::transferFromCall { from, to, tokenId: token }.abi_encode(),
        IContributions::safeTransferFrom_0Call { from, to, tokenId: token }.abi_encode(),
        IContributions::safeTransferFrom_1Call { from, to, tokenId: token, data }.abi_encode(),
        IContributions::approveCall { to, tokenId: token }.abi_encode(),
    ];
    for call in refused {
        let locked = IContributions::ContributionLocked { tokenId: token };
        assert_eq!(ask(state, &call), Err(locked.into()));
    }
    let lent = IContributions::setApprovalForAllCall { operator: CAROL, approved }.abi_encode();
    assert!(ask(state, &lent).is_err());
    let locked = IContributions::lockedCall { tokenId: token }.abi_encode();
    let answer = ask(state, &locked).unwrap();
    assert_eq!(IContributions::lockedCall::abi_decode_returns(&answer), Ok(true));
    let unknown = token_of(asset, 3);
    let locked = IContributions::lockedCall { tokenId: unknown }.abi_encode();
    let error = IContributions::ERC721NonexistentToken { tokenId: unknown };
    assert_eq!(ask(state, &locked), Err(error.into()));
    let uri = IContributions::tokenURICall { tokenId: token }.abi_encode();
    let answer = ask(state, &uri).unwrap();
    assert_eq!(IContributions::tokenURICall::abi_decode_returns(&answer).unwrap(), "ipfs://card");
}

#[test]
fn wallets_hear_of_every_contribution_once() {
    let (state, asset, ..) = world();
    let logs = || state.logs.iter().filter(|log| log.address == CONTRIBUTIONS);
    let minted: Vec<_> = logs()
        .filter_map(|log| IContributions::Transfer::decode_log(log).ok())
        .map(|event| (event.from, event.to, event.tokenId))
        .collect();
    let token = |index| token_of(asset, index);
    let expected = [(1 << 31, BOB), (0, CAROL), (1, BOB), (2, CAROL)];
    assert_eq!(minted, expected.map(|(index, to)| (Address::ZERO, to, token(index))));
    let locked = logs().filter_map(|log| IContributions::Locked::decode_log(log).ok());
    assert!(locked.map(|event| event.tokenId).eq(minted.iter().map(|(_, _, token)| *token)));
}

#[test]
fn a_statement_says_everything_earned_and_why() {
    let (mut state, asset, ..) = world();
    let state = &mut state;
    pay(state, asset, 2_000);
    let data =
        sahara_abi::IRoyalties::statementCall { account: BOB, start: U256::ZERO, count: U256::MAX };
    let call = Call { caller: BOB, value: Amount::ZERO, data: &data.abi_encode(), is_static: true };
    let answer = state.call(ROYALTIES, call).unwrap();
    let answer = sahara_abi::IRoyalties::statementCall::abi_decode_returns(&answer).unwrap();
    let [line] = &answer.statements[..] else { panic!("one pool") };
    assert_eq!((line.asset, line.units.to::<u64>(), line.poolUnits.to::<u64>()), (1, 6, 20));
    assert_eq!((line.deposited, line.paid), (U256::from(2_000), U256::ZERO));
    assert_eq!(line.earned, U256::from(2_000 * 6 / 20));
    assert_eq!(royalties::earned(state, BOB).unwrap().base_units(), line.earned);
}
