//! What an asset's own account holds when the asset is sold: nobody takes it between listing and sale,
//! also not by an allowance or an approval that the account gave before; and after the sale nothing is left
//! of what the account allowed.

use super::stall::{self, LISTING_FEE, ask, buy, owner, pay, sale, sign, state_of};
use crate::{
    Call,
    assets::{account_of, is_deriver},
    channels::tests::world::{Actor, World},
    licenses::{MAX_SEATS, tests::town},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{
    ASSETS, COIN,
    IAssets::{self, Relation},
    ICoin,
    ILicenses::{self, Pricing, Terms},
    IMarket, LICENSES, MARKET,
};
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

/// A call of the market by such an account, with coin.
fn spend<C: SolCall>(world: &mut World, caller: Address, value: u128, call: &C) {
    let data = call.abi_encode();
    let request = Call { caller, value: Amount::from_u128(value), data: &data, is_static: false };
    world.state.call(MARKET, request).unwrap();
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

/// Calls of the seller that take from the account what it was allowed to.
fn takes(chest: &Chest) -> [(Address, Vec<u8>); 3] {
    let (from, to) = (chest.account, chest.seller.address);
    let asset = U256::from(chest.inner);
    [
        (COIN, ICoin::transferFromCall { from, to, value: U256::ONE }.abi_encode()),
        (ASSETS, IAssets::transferFromCall { from, to, tokenId: asset }.abi_encode()),
        (LICENSES, ILicenses::transferFromCall { from, to, tokenId: chest.license }.abi_encode()),
    ]
}

/// Whether a call is answered; what was refused changes nothing.
fn is_done(world: &mut World, caller: Address, (protocol, data): &(Address, Vec<u8>)) -> bool {
    let request = Call { caller, value: Amount::ZERO, data, is_static: false };
    world.state.call(*protocol, request).is_ok()
}

/// Sells the asset at 1,000 as it stands.
fn sell(world: &mut World, seller: Actor, buyer: Actor, asset: u64) {
    let mut listing = sale(world, seller, asset, 1_000);
    listing.nonce = 9;
    buy(world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
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
    for take in takes(&chest) {
        let mut world = chest.world.clone();
        let listing = sale(&mut world, chest.seller, chest.asset, 1_000);
        assert_eq!(listing.items[0].state, B256::ZERO);
        assert!(is_done(&mut world, chest.seller.address, &take));
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
fn seats_and_uses_taken_of_what_an_account_holds_void_its_listing() {
    let Chest { mut world, seller, buyer, asset, account, .. } = chest();
    let (creator, stranger) = (world.creator, world.stranger.address);
    // Ten uses, of which the seller lets its friends take one after the other.
    let licensed = stall::asset(&mut world, creator);
    let terms = Terms { pricing: Pricing::PerUse, seatCap: 4, ..town::remix(0) };
    let terms = town::offer(&mut world, creator, licensed, &terms);
    let license = town::buy(&mut world, seller, licensed, terms, 10).unwrap();
    let (from, to) = (seller.address, account);
    by(&mut world, from, LICENSES, &ILicenses::transferFromCall { from, to, tokenId: license });
    let call = ILicenses::setApprovalForAllCall { operator: from, approved: true };
    by(&mut world, account, LICENSES, &call);
    let call = ILicenses::assignSeatCall { license, account: from };
    by(&mut world, account, LICENSES, &call);
    let seat = |account| ILicenses::assignSeatCall { license, account }.abi_encode();
    let call = ILicenses::countUsesCall { license, account: from, count: 3 };
    for deed in [seat(stranger), call.abi_encode()] {
        let mut world = world.clone();
        let listing = sale(&mut world, seller, asset, 1_000);
        assert!(is_done(&mut world, from, &(LICENSES, deed)));
        let answer = buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing));
        let (token_id, expected) = (U256::from(asset), listing.items[0].state);
        let state = state_of(&mut world, ASSETS, token_id);
        assert_eq!(state, B256::from(U256::from_be_bytes(expected.0) + (U256::ONE << 64)));
        let changed =
            IMarket::StateChanged { collection: ASSETS, tokenId: token_id, state, expected };
        assert_eq!(answer, Err(changed.into()));
    }
    // Who has a seat is given nothing by having it again.
    let listing = sale(&mut world, seller, asset, 1_000);
    assert!(is_done(&mut world, from, &(LICENSES, seat(from))));
    buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
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

#[test]
fn what_an_account_allowed_ends_with_the_sale_of_its_asset() {
    let chest = chest();
    let (seller, buyer, account) = (chest.seller, chest.buyer, chest.account);
    let mut world = chest.world.clone();
    sell(&mut world, seller, buyer, chest.asset);
    for take in takes(&chest) {
        assert!(!is_done(&mut world, seller.address, &take), "{take:?}");
    }
    let (owner, operator) = (account, seller.address);
    let state = &mut world.state;
    assert_eq!(crate::coin::allowance(state, owner, operator), Ok(U256::ZERO));
    let call = IAssets::isApprovedForAllCall { owner, operator };
    assert_eq!(world.call(seller, ASSETS, call), Ok(false));
    let call = ILicenses::getApprovedCall { tokenId: chest.license };
    assert_eq!(town::ask(&mut world, seller, call), Ok(Address::ZERO));
    // It does not come back with the asset; and the account of the day may allow it anew.
    let (from, to, token_id) = (buyer.address, seller.address, U256::from(chest.asset));
    by(&mut world, from, ASSETS, &IAssets::transferFromCall { from, to, tokenId: token_id });
    for take in takes(&chest) {
        assert!(!is_done(&mut world, seller.address, &take), "{take:?}");
    }
    by(&mut world, account, COIN, &ICoin::approveCall { spender: operator, value: U256::ONE });
    assert!(is_done(&mut world, operator, &takes(&chest)[0]));
    assert!(!is_done(&mut world, operator, &takes(&chest)[0]), "one unit was allowed");
}

#[test]
fn what_an_account_below_allowed_ends_with_the_sale_above() {
    let Chest { mut world, seller, buyer, asset, inner, .. } = chest();
    let below = place(&mut world, inner);
    world.state.fund(below, Amount::from_u128(5));
    by(&mut world, below, COIN, &ICoin::approveCall { spender: seller.address, value: U256::MAX });
    sell(&mut world, seller, buyer, asset);
    let (from, to, value) = (below, seller.address, U256::ONE);
    let take = (COIN, ICoin::transferFromCall { from, to, value }.abi_encode());
    assert!(!is_done(&mut world, seller.address, &take));
    assert_eq!(world.balance(below), 5);
}

#[test]
fn the_gateways_and_creators_that_an_account_named_end_with_the_sale() {
    let Chest { mut world, seller, buyer, asset, account, inner, .. } = chest();
    let (meter, creator) = (seller.address, seller.address);
    by(&mut world, account, LICENSES, &ILicenses::setMeterCall { meter, isAllowed: true });
    let call = IAssets::approveDerivativeCall { parent: inner, creator, isApproved: true };
    by(&mut world, account, ASSETS, &call);
    let may = |world: &mut World| {
        let is_meter = ILicenses::isMeterCall { holder: account, meter };
        let is_meter = town::ask(world, seller, is_meter).unwrap();
        let state = &mut world.state;
        let is_deriver = is_deriver(state, AssetId(inner), account, creator).unwrap();
        (is_meter, is_deriver)
    };
    assert_eq!(may(&mut world), (true, true));
    sell(&mut world, seller, buyer, asset);
    assert_eq!(may(&mut world), (false, false));
}

#[test]
fn what_an_account_listed_is_not_the_next_owners_word() {
    let Chest { mut world, seller, buyer, asset, account, inner, .. } = chest();
    let entrust = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    by(&mut world, account, ASSETS, &entrust);
    let mut cheap = sale(&mut world, seller, inner, 1);
    cheap.seller = account;
    world.state.fund(account, Amount::from_u128(2 * LISTING_FEE));
    let data = IMarket::listCall { data: cheap.clone() }.abi_encode();
    let value = Amount::from_u128(LISTING_FEE);
    let request = Call { caller: account, value, data: &data, is_static: false };
    world.state.call(MARKET, request).unwrap();
    let friend = world.stranger;
    let mut before = world.clone();
    buy(&mut before, friend, 1, &cheap, Bytes::new()).unwrap();
    // The asset is sold, and its next owner lets the market move what the account holds.
    sell(&mut world, seller, buyer, asset);
    by(&mut world, account, ASSETS, &entrust);
    let id = ask(&mut world, friend, IMarket::listingHashCall { data: cheap.clone() }).unwrap();
    let refused = IMarket::NotListed { listing: id };
    assert_eq!(buy(&mut world, friend, 1, &cheap, Bytes::new()), Err(refused.into()));
    assert_eq!(owner(&mut world, inner), account);
}

#[test]
fn who_sells_an_asset_offers_no_further_licences_of_it_meanwhile() {
    let Chest { mut world, seller, buyer, asset, .. } = chest();
    let terms = town::offer(&mut world, seller, asset, &town::remix(5));
    let listing = sale(&mut world, seller, asset, 1_000);
    // What was on offer when it was listed, the buyer saw.
    let friend = world.stranger;
    town::buy(&mut world, friend, asset, terms, 1).unwrap();
    let mut honest = world.clone();
    buy(&mut honest, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
    // For ever, for nothing, and all the seats there are: who buys the asset has not agreed to that.
    let gift = Terms { seatCap: MAX_SEATS, ..town::remix(0) };
    let gift = town::offer(&mut world, seller, asset, &gift);
    town::buy(&mut world, friend, asset, gift, 1).unwrap();
    let expected = listing.items[0].state;
    let state = B256::from(U256::from_be_bytes(expected.0) + (U256::ONE << 192));
    let token_id = U256::from(asset);
    let changed = IMarket::StateChanged { collection: ASSETS, tokenId: token_id, state, expected };
    let answer = buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing));
    assert_eq!(answer, Err(changed.into()));
}

#[test]
fn who_sells_an_asset_takes_no_rights_to_it_meanwhile() {
    let chest = chest();
    let Chest { seller, buyer, asset, .. } = chest;
    let child = |relation| {
        let edges = vec![IAssets::Edge { parent: asset, relation }];
        let registration = IAssets::Registration { edges, ..town::model() };
        IAssets::registerCall { registration }.abi_encode()
    };
    let leave = |is_approved| {
        let creator = seller.address;
        let call =
            IAssets::approveDerivativeCall { parent: asset, creator, isApproved: is_approved };
        call.abi_encode()
    };
    let (version, derived) = (child(Relation::VersionOf), child(Relation::FinetunedFrom));
    // Who had the next version would go on with the line; the buyer could not.
    for deed in [version, derived.clone(), leave(true)] {
        let mut world = chest.world.clone();
        let listing = sale(&mut world, seller, asset, 1_000);
        assert!(is_done(&mut world, seller.address, &(ASSETS, deed)));
        is_void(world, &chest, &listing, B256::from(U256::ONE << 64));
    }
    // What others may do anyway, and leave that ends, take nothing from the buyer.
    let mut world = chest.world;
    let (listing, stranger) = (sale(&mut world, seller, asset, 1_000), world.stranger.address);
    assert!(is_done(&mut world, stranger, &(ASSETS, derived)));
    assert!(is_done(&mut world, seller.address, &(ASSETS, leave(false))));
    buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
}

#[test]
fn what_an_account_put_up_is_not_the_next_owners_word() {
    let Chest { mut world, seller, buyer, asset, account, inner, .. } = chest();
    let entrust = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    by(&mut world, account, ASSETS, &entrust);
    let (collection, token_id) = (ASSETS, U256::from(inner));
    let state = state_of(&mut world, collection, token_id);
    let ends = world.now() + 100;
    let open =
        IMarket::openAuctionCall { collection, tokenId: token_id, reserve: 1, endsAt: ends, state };
    by(&mut world, account, MARKET, &open);
    let friend = world.stranger;
    let had = world.balance(friend.address);
    pay(&mut world, friend, 1, IMarket::bidCall { auction: 1, price: 1 }).unwrap();
    let mut before = world.clone();
    before.wait(100);
    ask(&mut before, friend, IMarket::settleAuctionCall { auction: 1 }).unwrap();
    assert_eq!(owner(&mut before, inner), friend.address);
    // The asset is sold, and its next owner lets the market move what the account holds.
    sell(&mut world, seller, buyer, asset);
    by(&mut world, account, ASSETS, &entrust);
    world.wait(100);
    ask(&mut world, friend, IMarket::settleAuctionCall { auction: 1 }).unwrap();
    assert_eq!(owner(&mut world, inner), account);
    assert_eq!((world.balance(friend.address), world.balance(MARKET)), (had, 0));
}

#[test]
fn what_an_account_offered_to_pay_is_not_the_next_owners_word() {
    let chest = chest();
    let (seller, buyer, account) = (chest.seller, chest.buyer, chest.account);
    let mut world = chest.world.clone();
    // All the account's coin for something that is worth nothing, of the seller's own.
    let junk = stall::asset(&mut world, seller);
    let (collection, token_id) = (ASSETS, U256::from(junk));
    let state = state_of(&mut world, collection, token_id);
    let ends = world.now() + 100;
    let call =
        IMarket::makeOfferCall { collection, tokenId: token_id, price: 900, endsAt: ends, state };
    spend(&mut world, account, 909, &call);
    // Taken between listing and sale, it voids the listing.
    let mut before = world.clone();
    let listing = sale(&mut before, seller, chest.asset, 1_000);
    ask(&mut before, seller, IMarket::acceptOfferCall { offer: 1 }).unwrap();
    assert_eq!(owner(&mut before, junk), account);
    is_void(before, &chest, &listing, B256::from(U256::ONE << 64));
    // After the sale nobody takes it, and anybody gives the coin back to the account.
    let anyone = world.stranger;
    let early = IMarket::NotBidder { caller: anyone.address, bidder: account };
    let back = IMarket::cancelOfferCall { offer: 1 };
    assert_eq!(ask(&mut world, anyone, back.clone()).map(drop), Err(early.into()));
    sell(&mut world, seller, buyer, chest.asset);
    let refused = IMarket::UnknownOffer { offer: 1 };
    let answer = ask(&mut world, seller, IMarket::acceptOfferCall { offer: 1 });
    assert_eq!(answer.map(drop), Err(refused.into()));
    ask(&mut world, anyone, back).unwrap();
    assert_eq!((world.balance(account), world.balance(MARKET)), (1_000, 0));
}

#[test]
fn what_an_account_bid_is_not_the_next_owners_word() {
    let chest = chest();
    let (seller, buyer, account) = (chest.seller, chest.buyer, chest.account);
    let mut world = chest.world.clone();
    let junk = stall::asset(&mut world, seller);
    let (collection, token_id) = (ASSETS, U256::from(junk));
    let state = state_of(&mut world, collection, token_id);
    let ends = world.now() + 100;
    let open =
        IMarket::openAuctionCall { collection, tokenId: token_id, reserve: 1, endsAt: ends, state };
    ask(&mut world, seller, open).unwrap();
    spend(&mut world, account, 909, &IMarket::bidCall { auction: 1, price: 900 });
    let settle = IMarket::settleAuctionCall { auction: 1 };
    let mut before = world.clone();
    before.wait(100);
    let listing = sale(&mut before, seller, chest.asset, 1_000);
    ask(&mut before, seller, settle.clone()).unwrap();
    assert_eq!(owner(&mut before, junk), account);
    is_void(before, &chest, &listing, B256::from(U256::ONE << 64));
    // After the sale the bid is nobody's word, and goes back.
    sell(&mut world, seller, buyer, chest.asset);
    world.wait(100);
    ask(&mut world, seller, settle).unwrap();
    assert_eq!(owner(&mut world, junk), seller.address);
    assert_eq!((world.balance(account), world.balance(MARKET)), (1_000, 0));
}

#[test]
fn who_outbids_an_account_buys_whatever_becomes_of_the_account() {
    let Chest { mut world, seller, buyer, asset, account, .. } = chest();
    let creator = world.creator;
    let thing = stall::asset(&mut world, creator);
    let (collection, token_id) = (ASSETS, U256::from(thing));
    let state = state_of(&mut world, collection, token_id);
    let ends = world.now() + 100;
    let open =
        IMarket::openAuctionCall { collection, tokenId: token_id, reserve: 1, endsAt: ends, state };
    ask(&mut world, creator, open).unwrap();
    sell(&mut world, seller, buyer, asset);
    // Of an asset that was sold before, the account has a name of its own: kept with its bid, and of no weight
    // for the next one.
    spend(&mut world, account, 101, &IMarket::bidCall { auction: 1, price: 100 });
    let mut alone = world.clone();
    alone.wait(200);
    ask(&mut alone, seller, IMarket::settleAuctionCall { auction: 1 }).unwrap();
    assert_eq!(owner(&mut alone, thing), account);
    pay(&mut world, seller, 202, IMarket::bidCall { auction: 1, price: 200 }).unwrap();
    world.wait(200);
    ask(&mut world, seller, IMarket::settleAuctionCall { auction: 1 }).unwrap();
    assert_eq!(owner(&mut world, thing), seller.address);
    assert_eq!(world.balance(account), 1_000);
}
