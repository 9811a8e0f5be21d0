//! What an asset's own account holds when the asset is sold: nobody takes it between listing and sale,
//! also not by an allowance or an approval that the account gave before.

use super::stall::{self, buy, owner, sale, sign, state_of};
use crate::{
    Call,
    assets::account_of,
    channels::tests::world::{Actor, World},
    licenses::tests::town,
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{ASSETS, COIN, IAssets, ICoin, ILicenses, IMarket, LICENSES};
use sahara_primitives::{Amount, AssetId};

/// An asset whose account holds coin, an asset and a licence, all of which its seller may take.
struct Chest {
    world: World,
    seller: Actor,
    buyer: Actor,
    asset: u64,
    account: Address,
    inner: u64,
    license: U256,
}

/// A call by an account that has no key. Its code would count it; here everything happens before the listing.
fn by<C: SolCall>(world: &mut World, caller: Address, protocol: Address, call: &C) {
    let data = call.abi_encode();
    let request = Call { caller, value: Amount::ZERO, data: &data, is_static: false };
    world.state.call(protocol, request).unwrap();
}

fn place(world: &mut World, asset: u64) -> Address {
    account_of(&mut world.state, AssetId(asset)).unwrap()
}

fn chest() -> Chest {
    let mut world = town::world();
    let ([seller, buyer], creator) = (world.payers, world.creator);
    let asset = stall::asset(&mut world, seller);
    let inner = stall::asset(&mut world, seller);
    let license = stall::licensed(&mut world, creator, seller);
    let account = place(&mut world, asset);
    world.state.fund(account, Amount::from_u128(1_000));
    let (from, to) = (seller.address, account);
    let call = IAssets::transferFromCall { from, to, tokenId: U256::from(inner) };
    by(&mut world, from, ASSETS, &call);
    by(&mut world, from, LICENSES, &ILicenses::transferFromCall { from, to, tokenId: license });
    let call = ICoin::approveCall { spender: from, value: U256::MAX };
    by(&mut world, account, COIN, &call);
    let call = IAssets::setApprovalForAllCall { operator: from, approved: true };
    by(&mut world, account, ASSETS, &call);
    by(&mut world, account, LICENSES, &ILicenses::approveCall { to: from, tokenId: license });
    Chest { world, seller, buyer, asset, account, inner, license }
}

/// The sale is refused, the asset being in `state`; listed anew as it stands, it is sold.
fn is_void(mut world: World, chest: &Chest, listing: &IMarket::Listing, state: B256) {
    let Chest { seller, buyer, asset, .. } = *chest;
    let (token_id, expected) = (U256::from(asset), listing.items[0].state);
    assert_eq!(state_of(&mut world, ASSETS, token_id), state);
    let changed = IMarket::StateChanged { collection: ASSETS, tokenId: token_id, state, expected };
    let answer = buy(&mut world, buyer, 1_010, listing, sign(seller, listing));
    assert_eq!(answer, Err(changed.into()));
    let again = sale(&mut world, seller, asset, 1_000);
    buy(&mut world, buyer, 1_010, &again, sign(seller, &again)).unwrap();
    assert_eq!(owner(&mut world, asset), buyer.address);
}

#[test]
fn what_a_seller_may_take_by_an_old_approval_voids_its_listing() {
    let chest = chest();
    let (from, to) = (chest.account, chest.seller.address);
    let asset = U256::from(chest.inner);
    let takes = [
        (COIN, ICoin::transferFromCall { from, to, value: U256::ONE }.abi_encode()),
        (ASSETS, IAssets::transferFromCall { from, to, tokenId: asset }.abi_encode()),
        (LICENSES, ILicenses::transferFromCall { from, to, tokenId: chest.license }.abi_encode()),
    ];
    for (protocol, data) in takes {
        let mut world = chest.world.clone();
        let listing = sale(&mut world, chest.seller, chest.asset, 1_000);
        assert_eq!(listing.items[0].state, B256::ZERO);
        let request = Call { caller: to, value: Amount::ZERO, data: &data, is_static: false };
        world.state.call(protocol, request).unwrap();
        is_void(world, &chest, &listing, B256::from(U256::ONE << 64));
    }
}

#[test]
fn what_is_taken_from_an_account_below_voids_the_listing_above() {
    let chest = chest();
    let mut world = chest.world.clone();
    let (to, below) = (chest.seller.address, place(&mut world, chest.inner));
    world.state.fund(below, Amount::from_u128(5));
    by(&mut world, below, COIN, &ICoin::approveCall { spender: to, value: U256::from(5) });
    let listing = sale(&mut world, chest.seller, chest.asset, 1_000);
    let call = ICoin::transferFromCall { from: below, to, value: U256::from(5) };
    by(&mut world, to, COIN, &call);
    is_void(world, &chest, &listing, B256::from(U256::ONE << 64));
}

#[test]
fn who_may_take_nothing_voids_no_listing() {
    let Chest { mut world, seller, buyer, asset, account, .. } = chest();
    let listing = sale(&mut world, seller, asset, 1_000);
    let anyone = world.stranger.address;
    // Nothing is allowed to anyone, and nothing is moved: the listing stands. What comes in is a gift.
    let call = ICoin::transferFromCall { from: account, to: anyone, value: U256::ZERO };
    by(&mut world, anyone, COIN, &call);
    by(&mut world, anyone, COIN, &ICoin::transferCall { to: account, value: U256::from(7) });
    buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
    assert_eq!(world.balance(account), 1_007);
}
