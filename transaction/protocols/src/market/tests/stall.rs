//! Calls as sellers and buyers make them; the market's coin is checked after each.

use crate::{
    Failure, MemoryState,
    channels::tests::world::{Actor, World},
    liabilities_change, liabilities_total,
    licenses::tests::town,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolStruct};
use sahara_abi::{
    ASSETS, IAssets,
    ILicenses::{self, Terms},
    IMarket::{self, Item, Listing},
    LICENSES, MARKET, signing,
};
use sahara_primitives::LOCAL_CHAIN_ID;
use std::collections::BTreeMap;

/// What a listing costs to publish.
pub(super) const LISTING_FEE: u128 = 10_000_000_000_000_000;

/// Sends a call with coin; afterwards the market holds what it owes, no more and no less.
pub(super) fn pay<C: SolCall>(
    world: &mut World,
    from: Actor,
    value: u128,
    call: C,
) -> Result<C::Return, Failure> {
    let before = world.state.clone();
    let answer = world.pay(from, MARKET, value, call);
    let held = U256::from(world.balance(MARKET));
    assert_eq!(liabilities_total(MARKET, world.state.slots_of(MARKET)), Ok(held));
    let (rise, fall) = liabilities_change(MARKET, changes(&before, &world.state)).unwrap();
    let had = before.balances.get(&MARKET).copied().unwrap_or_default().base_units();
    assert_eq!(had + rise, held + fall);
    answer
}

fn changes(before: &MemoryState, after: &MemoryState) -> Vec<(U256, U256, U256)> {
    let mut words: BTreeMap<U256, (U256, U256)> = BTreeMap::new();
    words.extend(before.slots_of(MARKET).map(|(slot, word)| (slot, (word, U256::ZERO))));
    for (slot, word) in after.slots_of(MARKET) {
        words.entry(slot).or_default().1 = word;
    }
    words.into_iter().map(|(slot, (old, new))| (slot, old, new)).collect()
}

/// Sends a call without coin.
pub(super) fn ask<C: SolCall>(
    world: &mut World,
    from: Actor,
    call: C,
) -> Result<C::Return, Failure> {
    pay(world, from, 0, call)
}

/// Sends a call whose answer does not matter.
pub(super) fn send<C: SolCall>(world: &mut World, from: Actor, call: C) -> Result<(), Failure> {
    ask(world, from, call).map(drop)
}

/// Lets the market move everything of an owner.
pub(super) fn entrust(world: &mut World, owner: Actor) {
    let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    world.call(owner, ASSETS, call).unwrap();
    let call = ILicenses::setApprovalForAllCall { operator: MARKET, approved: true };
    world.call(owner, LICENSES, call).unwrap();
}

/// Registers an asset of 5 % royalty whose owner trusts the market.
pub(super) fn asset(world: &mut World, owner: Actor) -> u64 {
    entrust(world, owner);
    town::register(world, owner, town::model()).unwrap()
}

/// A licence at a price of 0 that its holder trusts the market with, and no seat is taken of.
pub(super) fn licensed(world: &mut World, asset_owner: Actor, holder: Actor) -> U256 {
    bought(world, asset_owner, holder, (&town::remix(0), 1))
}

/// As [`licensed`], but of two hours, and further hours cost nothing either.
pub(super) fn leased(world: &mut World, asset_owner: Actor, holder: Actor) -> U256 {
    bought(world, asset_owner, holder, (&town::hourly(0), 2))
}

fn bought(
    world: &mut World,
    asset_owner: Actor,
    holder: Actor,
    (terms, quantity): (&Terms, u32),
) -> U256 {
    entrust(world, holder);
    let asset = town::register(world, asset_owner, town::model()).unwrap();
    let terms = town::offer(world, asset_owner, asset, terms);
    let user = Address::ZERO;
    let purchase = ILicenses::Purchase { asset, terms, quantity, holder: holder.address, user };
    town::ask(world, holder, ILicenses::buyCall { purchase }).unwrap()
}

/// The state that listings commit to.
pub(super) fn state_of(world: &mut World, collection: Address, token_id: U256) -> B256 {
    let anyone = world.stranger;
    ask(world, anyone, IMarket::stateOfCall { collection, tokenId: token_id }).unwrap()
}

/// An item at a fixed price, as it stands.
pub(super) fn item(world: &mut World, collection: Address, token_id: U256, price: u128) -> Item {
    let state = state_of(world, collection, token_id);
    Item { collection, tokenId: token_id, price, endPrice: price, state }
}

/// A listing of one item, for anyone, for a thousand seconds, with nonce 1.
pub(super) fn listing(world: &World, seller: Actor, item: Item) -> Listing {
    Listing {
        seller: seller.address,
        buyer: Address::ZERO,
        startsAt: world.now(),
        endsAt: world.now() + 1_000,
        referral: 0,
        refundSeconds: 0,
        nonce: 1,
        items: vec![item],
    }
}

/// A listing of an asset at a price.
pub(super) fn sale(world: &mut World, seller: Actor, asset: u64, price: u128) -> Listing {
    let item = item(world, ASSETS, U256::from(asset), price);
    listing(world, seller, item)
}

/// The seller's signature.
pub(super) fn sign(seller: Actor, listing: &Listing) -> Bytes {
    let domain = signing::market_domain(LOCAL_CHAIN_ID);
    seller.sign_hash(listing.eip712_signing_hash(&domain))
}

/// Buys for oneself with a signature and this much coin.
pub(super) fn buy(
    world: &mut World,
    buyer: Actor,
    value: u128,
    listing: &Listing,
    signature: Bytes,
) -> Result<u64, Failure> {
    let (recipient, referrer) = (buyer.address, Address::ZERO);
    let call = IMarket::buyCall { data: listing.clone(), signature, recipient, referrer };
    pay(world, buyer, value, call)
}

/// Who owns an asset.
pub(super) fn owner(world: &mut World, asset: u64) -> Address {
    let call = IAssets::ownerOfCall { tokenId: U256::from(asset) };
    world.call(world.stranger, ASSETS, call).unwrap()
}

/// Who holds a licence.
pub(super) fn holder(world: &mut World, license: U256) -> Address {
    town::license(world, license).holder
}

/// Lets an asset's own account act once, as its code would count it.
pub(super) fn act(world: &mut World, asset: u64) {
    let id = sahara_primitives::AssetId(asset);
    let account = crate::assets::account_of(&mut world.state, id).unwrap();
    let count = world.state.words.entry((account, U256::ZERO)).or_default();
    *count += U256::ONE;
}
