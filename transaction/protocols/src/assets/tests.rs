use super::*;
use crate::{
    memory::MemoryState,
    royalties::Share,
    state::{Failure, Read},
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolError;
use proptest::prelude::*;
use sahara_abi::IAssets::{self, Derivatives, Kind, Relation};
use sahara_primitives::{Amount, AssetId, BasisPoints, Price, Prices};
use std::collections::{BTreeMap, BTreeSet};

mod accounts;
mod relations;
mod tokens;
mod versions;

const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const CAROL: Address = Address::repeat_byte(0xca);

/// A sealed dataset of its owner alone, derived from others.
pub(crate) fn dataset(parents: &[u64], royalty: u16) -> Registration {
    let derived = |id: &u64| Edge { parent: AssetId(*id), relation: Relation::DerivedFrom };
    Registration {
        kind: Kind::Dataset,
        content_hash: B256::repeat_byte(1),
        metadata: "ipfs://bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi".into(),
        prices: Prices { input: Price(1_000), output: Price(2_000) },
        derivative_royalty: BasisPoints::new(royalty).unwrap(),
        derivatives: Derivatives::Open,
        edges: parents.iter().map(derived).collect(),
        members: vec![],
        owner_units: 0,
        is_open: false,
    }
}

fn registered(state: &mut MemoryState, parents: &[u64], royalty: u16) -> AssetId {
    register(state, ALICE, &dataset(parents, royalty)).unwrap()
}

fn refusal(state: &mut MemoryState, asset: &Registration) -> Failure {
    state.atomically(|state| register(state, BOB, asset)).unwrap_err()
}

fn shares_of(state: &mut impl Read, id: AssetId) -> Vec<(u64, u16)> {
    let rows = ancestors(state, id).unwrap();
    rows.into_iter().map(|row| (row.asset.0, row.share.points())).collect()
}

#[test]
fn an_asset_is_what_was_registered() {
    let state = &mut MemoryState::default();
    let parent = registered(state, &[], 700);
    let id = registered(state, &[parent.0], 300);
    let asset = views::asset(state, id).unwrap();
    assert_eq!(asset.metadataURI, dataset(&[], 0).metadata);
    assert_eq!((asset.inputPrice, asset.outputPrice, asset.derivativeRoyalty), (1_000, 2_000, 300));
    assert_eq!((asset.creator, asset.contentHash), (ALICE, B256::repeat_byte(1)));
    assert!(asset.isSealed && asset.kind == Kind::Dataset);
    assert_eq!(edges(state, id).unwrap(), dataset(&[1], 0).edges);
    assert_eq!((count(state), owner_of(state, U256::from(2))), (Ok(2), Ok(ALICE)));
    assert_eq!(balance_of(state, ALICE), Ok(2));
    assert!(exists(state, id).unwrap() && !exists(state, AssetId(3)).unwrap());
}

#[test]
fn an_edge_to_an_unknown_or_younger_asset_is_refused() {
    let state = &mut MemoryState::default();
    registered(state, &[], 0);
    for parent in [0, 2, 3, u64::MAX] {
        let error = IAssets::UnknownParent { parent };
        assert_eq!(refusal(state, &dataset(&[parent], 0)), error.into());
    }
    assert_eq!(count(state), Ok(1));
}

#[test]
fn no_protocol_registers_an_asset_of_its_own() {
    let state = &mut MemoryState::default();
    // A proposal calls as governance, whose account would hold coin that it owes to nobody.
    for creator in [sahara_abi::GOVERNANCE, sahara_abi::FEES] {
        let refused = IAssets::ERC721InvalidReceiver { receiver: creator };
        assert_eq!(register(state, creator, &dataset(&[], 0)), Err(refused.into()));
    }
}

#[test]
fn a_parent_is_named_once() {
    let state = &mut MemoryState::default();
    registered(state, &[], 0);
    let twice = IAssets::DuplicateEdge { parent: 1 };
    assert_eq!(refusal(state, &dataset(&[1, 1], 0)), twice.into());
}

#[test]
fn an_open_asset_is_no_parent_yet() {
    let state = &mut MemoryState::default();
    let open = Registration { is_open: true, ..dataset(&[], 100) };
    let id = register(state, ALICE, &open).unwrap();
    let error = IAssets::NotSealed { asset: id.0 };
    assert_eq!(refusal(state, &dataset(&[id.0], 0)), error.into());
    seal(state, ALICE, id).unwrap();
    assert!(register(state, BOB, &dataset(&[id.0], 0)).is_ok());
}

#[test]
fn i3_a_diamond_of_unequal_paths_is_paid_once() {
    let state = &mut MemoryState::default();
    registered(state, &[], 1_000);
    registered(state, &[1], 500);
    registered(state, &[2], 300);
    let tip = registered(state, &[1, 3], 0);
    assert_eq!(shares_of(state, tip), [(1, 1_000), (2, 500), (3, 300)]);
}

#[test]
fn who_asks_for_nothing_has_no_row_but_its_ancestors_do() {
    let state = &mut MemoryState::default();
    registered(state, &[], 1_000);
    registered(state, &[1], 0);
    let tip = registered(state, &[2], 0);
    assert_eq!(shares_of(state, tip), [(1, 1_000)]);
}

#[test]
fn at_ten_percent_each_a_line_ends_after_five() {
    let state = &mut MemoryState::default();
    registered(state, &[], 1_000);
    for parent in 1..=5 {
        registered(state, &[parent], 1_000);
    }
    let error = IAssets::RoyaltyCapExceeded {
        total: U256::from(6_000),
        most: U256::from(5_000),
        parents: vec![6],
    };
    assert_eq!(refusal(state, &dataset(&[6], 0)), error.into());
}

#[test]
fn a_cap_refusal_names_the_fewest_parents_that_add_most() {
    let state = &mut MemoryState::default();
    for royalty in [1_000, 2_000, 1_900, 500] {
        registered(state, &[], royalty);
    }
    let error = IAssets::RoyaltyCapExceeded {
        total: U256::from(5_400),
        most: U256::from(5_000),
        parents: vec![2],
    };
    assert_eq!(refusal(state, &dataset(&[1, 2, 3, 4], 0)), error.into());
    assert!(register(state, BOB, &dataset(&[1, 3, 4], 0)).is_ok());
}

#[test]
fn sixty_four_ancestors_fit_and_one_more_does_not() {
    let state = &mut MemoryState::default();
    for _ in 0..65 {
        registered(state, &[], 1);
    }
    let parents = |from: u64| (from..from + 13).collect::<Vec<_>>();
    let middles: Vec<_> = (0..4).map(|i| registered(state, &parents(1 + i * 13), 1).0).collect();
    let tip = registered(state, &[&middles[..], &(53..=60).collect::<Vec<_>>()].concat(), 0);
    assert_eq!(shares_of(state, tip).len(), 64);
    let more = [&middles[..], &(53..=61).collect::<Vec<_>>()].concat();
    let error = IAssets::TooManyAncestors { ancestors: U256::from(65), most: U256::from(64) };
    assert_eq!(refusal(state, &dataset(&more, 0)), error.into());
}

#[test]
fn terms_beyond_their_limits_are_refused() {
    let state = &mut MemoryState::default();
    for _ in 0..17 {
        registered(state, &[], 0);
    }
    let parents: Vec<u64> = (1..=17).collect();
    let too_many = IAssets::TooManyParents { parents: U256::from(17), most: U256::from(16) };
    assert_eq!(refusal(state, &dataset(&parents, 0)), too_many.into());
    assert!(register(state, BOB, &dataset(&parents[..16], 0)).is_ok());
    let too_high = IAssets::RoyaltyTooHigh { derivativeRoyalty: 2_001, most: 2_000 };
    assert_eq!(refusal(state, &dataset(&[], 2_001)), too_high.into());
    let long = Registration { metadata: "x".repeat(MAX_METADATA + 1), ..dataset(&[], 0) };
    let too_long = IAssets::MetadataTooLong { bytes_: U256::from(2_049), most: U256::from(2_048) };
    assert_eq!(refusal(state, &long), too_long.into());
    let prices = Prices { input: Price(0), output: Price(MAX_PRICE + 1) };
    let too_dear = IAssets::PriceTooHigh { price: MAX_PRICE + 1, most: MAX_PRICE };
    assert_eq!(refusal(state, &Registration { prices, ..dataset(&[], 0) }), too_dear.into());
    let error = set_prices(state, ALICE, AssetId(1), prices);
    assert_eq!(error, Err(too_dear_again().into()));
}

fn too_dear_again() -> IAssets::PriceTooHigh {
    IAssets::PriceTooHigh { price: MAX_PRICE + 1, most: MAX_PRICE }
}

#[test]
fn a_policy_of_none_refuses_even_the_owner() {
    let state = &mut MemoryState::default();
    let closed = Registration { derivatives: Derivatives::None, ..dataset(&[], 0) };
    let id = register(state, BOB, &closed).unwrap();
    let error = IAssets::DerivativesRefused { parent: id.0, policy: Derivatives::None };
    assert_eq!(refusal(state, &dataset(&[id.0], 0)), error.into());
}

#[test]
fn an_approval_ends_with_the_ownership_that_gave_it() {
    let state = &mut MemoryState::default();
    let guarded = Registration { derivatives: Derivatives::Approval, ..dataset(&[], 0) };
    let id = register(state, ALICE, &guarded).unwrap();
    let error = || -> Failure {
        IAssets::DerivativesRefused { parent: id.0, policy: Derivatives::Approval }.into()
    };
    assert_eq!(refusal(state, &dataset(&[id.0], 0)), error());
    assert!(register(state, ALICE, &dataset(&[id.0], 0)).is_ok(), "the owner needs no approval");
    approve_derivative(state, ALICE, id, (BOB, true)).unwrap();
    assert!(register(state, BOB, &dataset(&[id.0], 0)).is_ok());
    transfer_from(state, ALICE, (ALICE, CAROL), id.into()).unwrap();
    assert_eq!(refusal(state, &dataset(&[id.0], 0)), error());
    let not_owner = IAssets::NotOwner { asset: id.0, caller: ALICE, owner: CAROL };
    assert_eq!(approve_derivative(state, ALICE, id, (BOB, true)), Err(not_owner.into()));
}

#[test]
fn a_preview_says_what_registering_does() {
    let state = &mut MemoryState::default();
    registered(state, &[], 1_000);
    registered(state, &[1], 333);
    let plan = dataset(&[2], 500);
    let (parts, room) =
        preview(state, &plan.edges, plan.derivative_royalty, Amount::from_u128(101)).unwrap();
    let parts: Vec<_> = parts.iter().map(|p| (p.asset, p.share, p.amount.to::<u64>())).collect();
    assert_eq!(parts, [(0, 8_667, 88), (1, 1_000, 10), (2, 333, 3)]);
    assert_eq!(room, 5_000 - 1_333 - 500);
    let id = register(state, BOB, &plan).unwrap();
    assert_eq!(shares_of(state, id), [(1, 1_000), (2, 333)]);
}

#[test]
fn members_join_in_batches_until_the_seal() {
    let state = &mut MemoryState::default();
    let open = Registration { is_open: true, owner_units: 5, ..dataset(&[], 0) };
    let id = register(state, ALICE, &open).unwrap();
    let share = |byte: u8| Share { account: Address::repeat_byte(byte), units: byte.into() };
    let not_owner = IAssets::NotOwner { asset: 1, caller: BOB, owner: ALICE };
    assert_eq!(add_members(state, BOB, id, &[share(1)]), Err(not_owner.into()));
    add_members(state, ALICE, id, &[share(1), share(2)]).unwrap();
    add_members(state, ALICE, id, &[share(3)]).unwrap();
    let again = IAssets::DuplicateMember { account: share(1).account };
    let result = state.atomically(|state| add_members(state, ALICE, id, &[share(4), share(1)]));
    assert_eq!(result, Err(again.into()));
    seal(state, ALICE, id).unwrap();
    let closed = IAssets::AlreadySealed { asset: 1 };
    assert_eq!(add_members(state, ALICE, id, &[share(5)]), Err(closed.into()));
    let closed = IAssets::AlreadySealed { asset: 1 };
    assert_eq!(seal(state, ALICE, id), Err(closed.into()));
    assert_eq!(crate::royalties::units_of(state, id, ALICE), Ok(5));
}

#[test]
fn accounts_of_the_chain_itself_earn_nothing() {
    for account in [sahara_abi::FEES, sahara_abi::SYSTEM_CALLER, sahara_abi::CHANNELS] {
        let state = &mut MemoryState::default();
        let members = vec![Share { account, units: 1 }];
        let failure = refusal(&mut state.clone(), &Registration { members, ..dataset(&[], 0) });
        let Failure::Revert(bytes) = failure else { panic!("{failure:?}") };
        assert!(bytes.starts_with(&IAssets::InvalidMember::SELECTOR), "{account}");
        let id = register(state, ALICE, &dataset(&[], 0)).unwrap();
        let refused = IAssets::ERC721InvalidReceiver { receiver: account };
        let sent = transfer_from(state, ALICE, (ALICE, account), id.into());
        assert_eq!(sent, Err(refused.into()));
    }
}

#[test]
fn a_member_needs_an_address_and_units() {
    let state = &mut MemoryState::default();
    let refused = |account: Address, units: u128| {
        let members = vec![Share { account, units }];
        let failure = refusal(&mut state.clone(), &Registration { members, ..dataset(&[], 0) });
        matches!(failure, Failure::Revert(bytes) if bytes.starts_with(&IAssets::InvalidMember::SELECTOR))
    };
    assert!(refused(Address::ZERO, 1) && refused(BOB, 0) && refused(sahara_abi::ROYALTIES, 1));
    let member =
        |units| Share { account: Address::left_padding_from(&[units]), units: (1 << 96) - 1 };
    let members = vec![member(1), member(2)];
    let overflow = sahara_abi::IProtocol::Overflow {};
    assert_eq!(refusal(state, &Registration { members, ..dataset(&[], 0) }), overflow.into());
}

#[test]
fn ten_thousand_members_fit_and_one_more_does_not() {
    let state = &mut MemoryState::default();
    let open = Registration { is_open: true, ..dataset(&[], 0) };
    let id = register(state, ALICE, &open).unwrap();
    let share =
        |n: u32| Share { account: Address::left_padding_from(&(n + 1).to_be_bytes()), units: 1 };
    let all: Vec<_> = (0..10_000).map(share).collect();
    let before = state.count;
    add_members(state, ALICE, id, &all[..300]).unwrap();
    let (stores, loads) = (state.count.stores - before.stores, state.count.loads - before.loads);
    assert!(stores * 20_000 + loads * 2_100 < 30_000_000, "{stores} stores, {loads} loads");
    add_members(state, ALICE, id, &all[300..]).unwrap();
    let error = IAssets::TooManyMembers { members: U256::from(10_001), most: U256::from(10_000) };
    assert_eq!(add_members(state, ALICE, id, &[share(10_000)]), Err(error.into()));
    seal(state, ALICE, id).unwrap();
}

#[test]
fn only_the_owner_an_approved_account_or_an_operator_moves_an_asset() {
    let state = &mut MemoryState::default();
    let (id, token) = (registered(state, &[], 0), U256::ONE);
    let refused =
        |operator| IAssets::ERC721InsufficientApproval { operator, tokenId: token }.into();
    assert_eq!(transfer_from(state, BOB, (ALICE, BOB), token), Err(refused(BOB)));
    assert_eq!(approve(state, BOB, BOB, token), Err(refused(BOB)));
    approve(state, ALICE, BOB, token).unwrap();
    assert_eq!(ownership::approved(state, token), Ok(BOB));
    transfer_from(state, BOB, (ALICE, CAROL), token).unwrap();
    assert_eq!(owner_of(state, token), Ok(CAROL));
    assert_eq!(transfer_from(state, BOB, (CAROL, BOB), token), Err(refused(BOB)), "used up");
    set_approval_for_all(state, CAROL, BOB, true).unwrap();
    transfer_from(state, BOB, (CAROL, BOB), token).unwrap();
    assert_eq!([ALICE, BOB, CAROL].map(|a| balance_of(state, a).unwrap()), [0, 1, 0]);
    let wrong = IAssets::ERC721IncorrectOwner { sender: CAROL, tokenId: token, owner: BOB };
    assert_eq!(transfer_from(state, BOB, (CAROL, ALICE), token), Err(wrong.into()));
    assert_eq!(title(state, id).unwrap().owner, BOB);
}

#[test]
fn nobody_and_no_protocol_receives_an_asset() {
    let state = &mut MemoryState::default();
    registered(state, &[], 0);
    for receiver in [Address::ZERO, sahara_abi::CHANNELS] {
        let error = IAssets::ERC721InvalidReceiver { receiver };
        assert_eq!(transfer_from(state, ALICE, (ALICE, receiver), U256::ONE), Err(error.into()));
    }
    let unknown = IAssets::ERC721NonexistentToken { tokenId: U256::MAX };
    assert_eq!(owner_of(state, U256::MAX), Err(unknown.into()));
    let nobody = IAssets::ERC721InvalidOwner { owner: Address::ZERO };
    assert_eq!(balance_of(state, Address::ZERO), Err(nobody.into()));
}

#[test]
fn a_sale_pays_the_owner_the_derivative_royalty() {
    let state = &mut MemoryState::default();
    registered(state, &[], 250);
    let info = ownership::royalty_info(state, U256::ONE, U256::from(1_001));
    assert_eq!(info, Ok((ALICE, U256::from(25))));
}

#[test]
fn a_title_packs_into_one_word() {
    let state = &mut MemoryState::default();
    let id = registered(state, &[], 0x0123);
    let word = state.words[&(sahara_abi::ASSETS, storage::TITLES.slot(id))];
    let expected = format!("{ALICE:x}") + "0123" + "00" + "00" + "801adad280" + "000000";
    assert_eq!(format!("{word:064x}")[..48], expected[..48]);
}

/// Registrations with random parents against reachability in a plain graph.
#[derive(Default)]
struct Model {
    parents: BTreeMap<u64, Vec<u64>>,
    royalty: BTreeMap<u64, u16>,
}

impl Model {
    fn reach(&self, parents: &[u64]) -> BTreeSet<u64> {
        let mut all = BTreeSet::new();
        let mut next: Vec<u64> = parents.to_vec();
        while let Some(id) = next.pop() {
            if all.insert(id) {
                next.extend(&self.parents[&id]);
            }
        }
        all
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn i2_i3_a_table_is_everyone_reachable_and_within_the_caps(
        plans in proptest::collection::vec((proptest::collection::btree_set(1u64..30, 0..5), 0u16..1_200), 1..30),
    ) {
        let (state, mut model) = (&mut MemoryState::default(), Model::default());
        for (parents, royalty) in plans {
            let known = count(state).unwrap();
            let parents: Vec<u64> = parents.into_iter().filter(|p| *p <= known).collect();
            let rows: Vec<(u64, u16)> = model.reach(&parents).into_iter()
                .map(|id| (id, model.royalty[&id])).filter(|(_, share)| *share > 0).collect();
            let total: u64 = rows.iter().map(|(_, share)| u64::from(*share)).sum();
            let plan = dataset(&parents, royalty);
            let result = state.atomically(|state| register(state, ALICE, &plan));
            prop_assert_eq!(result.is_ok(), total <= 5_000 && rows.len() <= 64);
            if let Ok(id) = result {
                prop_assert_eq!(shares_of(state, id), rows);
                prop_assert_eq!(balance_of(state, ALICE), Ok(id.0));
                model.parents.insert(id.0, parents);
                model.royalty.insert(id.0, royalty);
            } else if let Err(Failure::Revert(bytes)) = result {
                let error = IAssets::RoyaltyCapExceeded::abi_decode(&bytes).unwrap();
                prop_assert_eq!(error.total, U256::from(total));
                let rest: Vec<u64> = parents.iter().copied().filter(|p| !error.parents.contains(p)).collect();
                prop_assert!(register(state, ALICE, &dataset(&rest, royalty)).is_ok());
                model.parents.insert(count(state).unwrap(), rest);
                model.royalty.insert(count(state).unwrap(), royalty);
            }
        }
    }

    #[test]
    fn i1_an_edge_points_to_an_older_asset_and_is_there_for_ever(
        plans in proptest::collection::vec((proptest::collection::btree_set(1u64..12, 0..4), 0u16..400), 1..12),
    ) {
        let (state, mut written) = (&mut MemoryState::default(), Vec::new());
        for (parents, royalty) in plans {
            let known = count(state).unwrap();
            let (older, younger): (Vec<u64>, Vec<u64>) = parents.into_iter().partition(|p| *p <= known);
            for parent in younger {
                let error = IAssets::UnknownParent { parent };
                prop_assert_eq!(refusal(state, &dataset(&[parent], royalty)), Failure::from(error));
            }
            let id = registered(state, &older, royalty);
            written.push((id, dataset(&older, royalty).edges, shares_of(state, id)));
        }
        for (id, edges_then, shares_then) in written {
            prop_assert!(edges_then.iter().all(|edge| edge.parent.0 < id.0));
            prop_assert_eq!(edges(state, id).unwrap(), edges_then);
            prop_assert_eq!(shares_of(state, id), shares_then);
        }
    }

    #[test]
    fn tables_and_edges_read_what_they_wrote(rows in proptest::collection::vec((any::<u64>(), 0u16..=10_000, any::<bool>()), 0..65)) {
        let rows: Vec<Row> = rows.into_iter().map(|(asset, share, has_members)| Row {
            asset: AssetId(asset), share: BasisPoints::new(share).unwrap(), has_members,
        }).collect();
        prop_assert_eq!(Row::decode(&Row::encode(&rows)).unwrap(), rows);
    }
}
