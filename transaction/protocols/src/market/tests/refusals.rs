//! What listings refuse.

use super::stall::{
    LISTING_FEE, act, ask, asset, buy, holder, item, leased, licensed, listing, owner, pay, sale,
    send, sign, state_of,
};
use crate::{
    Failure,
    channels::tests::world::{Actor, World, twin},
    licenses::tests::town,
    market::{MAX_PRICE, MAX_REFUND_SECONDS},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    ASSETS, IAssets, ILicenses,
    IMarket::{self, Item, Listing},
    IProtocol, LICENSES, MARKET, ROYALTIES, signing,
};
use sahara_primitives::LOCAL_CHAIN_ID;

/// A world with an asset for sale at 1,000.
fn stand() -> (World, [Actor; 2], u64, Listing) {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let listing = sale(&mut world, seller, asset, 1_000);
    (world, [seller, buyer], asset, listing)
}

fn refused(
    world: &mut World,
    [seller, buyer]: [Actor; 2],
    listing: &Listing,
    error: impl Into<Failure>,
) {
    let answer = buy(world, buyer, 100_000, listing, sign(seller, listing));
    assert_eq!(answer.map(drop), Err(error.into()));
}

#[test]
fn only_the_sellers_own_signature_of_exactly_these_words_sells() {
    let (mut world, [seller, buyer], asset, listing) = stand();
    let anyone = world.stranger;
    let wrong = |world: &mut World, listing: &Listing, signature: Bytes| {
        let answer = buy(world, buyer, 100_000, listing, signature);
        let Err(Failure::Revert(bytes)) = answer else { panic!("sold: {answer:?}") };
        use alloy_sol_types::SolError;
        assert_eq!(bytes[..4], IMarket::InvalidSignature::SELECTOR, "{bytes}");
    };
    let good = sign(seller, &listing);
    wrong(&mut world, &listing, sign(anyone, &listing));
    wrong(&mut world, &listing, twin(&good));
    wrong(&mut world, &listing, good[..64].to_vec().into());
    wrong(&mut world, &listing, [&good[..], &[0]].concat().into());
    let elsewhere = signing::market_domain(LOCAL_CHAIN_ID + 1);
    let other_chain = seller.sign_hash(listing.eip712_signing_hash(&elsewhere));
    wrong(&mut world, &listing, other_chain);
    let coin = seller.sign_hash(listing.eip712_signing_hash(&signing::coin_domain(LOCAL_CHAIN_ID)));
    wrong(&mut world, &listing, coin);
    let first = |item: Item| Listing { items: vec![item], ..listing.clone() };
    let thing = listing.items[0].clone();
    let changed = [
        Listing { seller: anyone.address, ..listing.clone() },
        Listing { buyer: buyer.address, ..listing.clone() },
        Listing { startsAt: listing.startsAt - 1, ..listing.clone() },
        Listing { endsAt: listing.endsAt + 1, ..listing.clone() },
        Listing { referral: 1, ..listing.clone() },
        Listing { nonce: 2, ..listing.clone() },
        first(Item { tokenId: U256::ONE, ..thing }),
        first(Item { price: 1_001, ..thing }),
        first(Item { endPrice: 999, ..thing }),
        first(Item { state: B256::repeat_byte(1), ..thing }),
        Listing { items: vec![thing.clone(), thing], ..listing.clone() },
    ];
    for listing in changed {
        wrong(&mut world, &listing, good.clone());
    }
    // Nobody signs for the zero address, which an unrecoverable signature would seem to name.
    let nobody = Listing { seller: Address::ZERO, ..listing.clone() };
    wrong(&mut world, &nobody, Bytes::from(vec![0; 65]));
    let hash = listing.eip712_signing_hash(&signing::market_domain(LOCAL_CHAIN_ID));
    let missing = IMarket::NotListed { listing: hash };
    let answer = buy(&mut world, buyer, 100_000, &listing, Bytes::new());
    assert_eq!(answer, Err(missing.into()));
    buy(&mut world, buyer, 1_010, &listing, good).unwrap();
    assert_eq!(owner(&mut world, asset), buyer.address);
}

#[test]
fn a_listing_sells_once() {
    let (mut world, pair, asset, listing) = stand();
    let [seller, buyer] = pair;
    buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
    let call = IAssets::transferFromCall {
        from: buyer.address,
        to: seller.address,
        tokenId: U256::from(asset),
    };
    world.call(buyer, ASSETS, call).unwrap();
    let spent = IMarket::NonceSpent { seller: seller.address, nonce: 1 };
    refused(&mut world, pair, &listing, spent);
}

#[test]
fn a_cancelled_nonce_sells_nothing() {
    let (mut world, pair, _, listing) = stand();
    let seller = pair[0];
    let spent = |nonce| IMarket::NonceSpent { seller: seller.address, nonce };
    // What others cancel is theirs.
    send(&mut world, pair[1], IMarket::cancelCall { nonce: 1 }).unwrap();
    send(&mut world, pair[1], IMarket::cancelBelowCall { floor: 9 }).unwrap();
    send(&mut world, seller, IMarket::cancelCall { nonce: 1 }).unwrap();
    refused(&mut world, pair, &listing, spent(1));
    let call = IMarket::listCall { data: listing.clone() };
    assert_eq!(pay(&mut world, seller, LISTING_FEE, call), Err(spent(1).into()));

    send(&mut world, seller, IMarket::cancelBelowCall { floor: 7 }).unwrap();
    // The floor never sinks.
    send(&mut world, seller, IMarket::cancelBelowCall { floor: 3 }).unwrap();
    let call = IMarket::nonceFloorCall { seller: seller.address };
    assert_eq!(ask(&mut world, seller, call).unwrap(), 7);
    let sixth = Listing { nonce: 6, ..listing.clone() };
    refused(&mut world, pair, &sixth, spent(6));
    let seventh = Listing { nonce: 7, ..listing };
    buy(&mut world, pair[1], 1_010, &seventh, sign(seller, &seventh)).unwrap();
}

#[test]
fn a_listing_sells_in_its_time_to_the_second() {
    let (mut world, pair, _, listing) = stand();
    let (starts_at, ends_at) = (world.now() + 10, world.now() + 20);
    let listing = Listing { startsAt: starts_at, endsAt: ends_at, ..listing };
    world.wait(9);
    refused(&mut world, pair, &listing, IMarket::NotYetOnSale { startsAt: starts_at });
    let ended = IMarket::NoLongerOnSale { endsAt: ends_at };
    let mut later = World { state: world.state.clone(), ..world.clone() };
    later.wait(11);
    refused(&mut later, pair, &listing, ended);
    world.wait(1);
    let mut last = world.clone();
    last.wait(9);
    for mut world in [world, last] {
        buy(&mut world, pair[1], 1_010, &listing, sign(pair[0], &listing)).unwrap();
    }
}

#[test]
fn a_private_listing_is_for_one_buyer() {
    let (mut world, pair, _, listing) = stand();
    let listing = Listing { buyer: world.stranger.address, ..listing };
    let for_other =
        IMarket::NotForCaller { caller: pair[1].address, buyer: world.stranger.address };
    refused(&mut world, pair, &listing, for_other);
    let stranger = world.stranger;
    buy(&mut world, stranger, 1_010, &listing, sign(pair[0], &listing)).unwrap();
}

#[test]
fn an_account_that_was_drained_is_not_sold() {
    let (mut world, pair, asset, listing) = stand();
    act(&mut world, asset);
    let state = B256::from(U256::ONE);
    let changed = IMarket::StateChanged {
        collection: ASSETS,
        tokenId: U256::from(asset),
        state,
        expected: B256::ZERO,
    };
    refused(&mut world, pair, &listing, changed);
    assert_eq!(state_of(&mut world, ASSETS, U256::from(asset)), state);
    let again = sale(&mut world, pair[0], asset, 1_000);
    buy(&mut world, pair[1], 1_010, &again, sign(pair[0], &again)).unwrap();
}

#[test]
fn an_asset_that_came_back_is_not_sold_by_an_old_listing() {
    let (mut world, pair, asset, listing) = stand();
    let (stranger, token) = (world.stranger, U256::from(asset));
    let (here, there) = (pair[0].address, stranger.address);
    let away = IAssets::transferFromCall { from: here, to: there, tokenId: token };
    world.call(pair[0], ASSETS, away).unwrap();
    let back = IAssets::transferFromCall { from: there, to: here, tokenId: token };
    world.call(stranger, ASSETS, back).unwrap();
    // Two transfers stand above the account's actions.
    let state = B256::from(U256::from(2) << 128);
    let changed =
        IMarket::StateChanged { collection: ASSETS, tokenId: token, state, expected: B256::ZERO };
    refused(&mut world, pair, &listing, changed);
    let again = sale(&mut world, pair[0], asset, 1_000);
    assert_eq!(again.items[0].state, state);
    buy(&mut world, pair[1], 1_010, &again, sign(pair[0], &again)).unwrap();
}

#[test]
fn a_licence_that_was_used_is_not_sold_as_new() {
    let mut world = town::world();
    let (pair, creator) = (world.payers, world.creator);
    let license = licensed(&mut world, creator, pair[0]);
    let item = item(&mut world, LICENSES, license, 1_000);
    let listing = listing(&world, pair[0], item);
    let account = pair[0].address;
    let call = ILicenses::assignSeatCall { license, account };
    town::send(&mut world, pair[0], call).unwrap();
    let call = ILicenses::countUsesCall { license, account, count: 1 };
    town::send(&mut world, pair[0], call).unwrap();
    let state = state_of(&mut world, LICENSES, license);
    let expected = listing.items[0].state;
    let changed = IMarket::StateChanged { collection: LICENSES, tokenId: license, state, expected };
    refused(&mut world, pair, &listing, changed);
}

/// A licence of two hours, whose renewals cost nothing, for sale at 1,000.
fn lease() -> (World, [Actor; 2], U256, Listing) {
    let mut world = town::world();
    let (pair, creator) = (world.payers, world.creator);
    let license = leased(&mut world, creator, pair[0]);
    let item = item(&mut world, LICENSES, license, 1_000);
    let listing = listing(&world, pair[0], item);
    (world, pair, license, listing)
}

#[test]
fn nobody_voids_a_listing_or_an_offer_by_renewing_its_licence() {
    let (mut world, [seller, buyer], license, listing) = lease();
    let (state, ends_at, anyone) = (listing.items[0].state, world.now() + 100, world.stranger);
    let call = IMarket::makeOfferCall {
        collection: LICENSES,
        tokenId: license,
        price: 500,
        endsAt: ends_at,
        state,
    };
    let offer = pay(&mut world, buyer, 505, call).unwrap();
    let before = town::license(&mut world, license).expiresAt;
    town::renew(&mut world, anyone, license, 3).unwrap();
    assert_ne!(state_of(&mut world, LICENSES, license), state);
    let mut accepted = world.clone();
    send(&mut accepted, seller, IMarket::acceptOfferCall { offer }).unwrap();
    assert_eq!(holder(&mut accepted, license), buyer.address);
    buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
    assert_eq!(holder(&mut world, license), buyer.address);
    assert_eq!(town::license(&mut world, license).expiresAt, before + 3 * 3_600);
}

#[test]
fn who_renews_its_own_licence_does_not_sell_it_by_an_old_listing() {
    let (mut world, pair, license, listing) = lease();
    let anyone = world.stranger;
    for payer in [pair[0], anyone] {
        town::renew(&mut world, payer, license, 3).unwrap();
        let state = state_of(&mut world, LICENSES, license);
        let expected = listing.items[0].state;
        let changed =
            IMarket::StateChanged { collection: LICENSES, tokenId: license, state, expected };
        refused(&mut world, pair, &listing, changed);
    }
    let again =
        Listing { items: vec![item(&mut world, LICENSES, license, 9_000)], ..listing.clone() };
    buy(&mut world, pair[1], 9_090, &again, sign(pair[0], &again)).unwrap();
}

#[test]
fn what_the_seller_cannot_give_is_not_sold() {
    let (mut world, pair, asset, listing) = stand();
    let (token, collection, seller) = (U256::from(asset), ASSETS, pair[0].address);
    let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: false };
    world.call(pair[0], ASSETS, call).unwrap();
    let not_trusted = IAssets::ERC721InsufficientApproval { operator: MARKET, tokenId: token };
    refused(&mut world, pair, &listing, not_trusted);
    // One approval is enough.
    world.call(pair[0], ASSETS, IAssets::approveCall { to: MARKET, tokenId: token }).unwrap();
    let (from, to) = (seller, world.stranger.address);
    let gone = World { state: world.state.clone(), ..world.clone() };
    let mut gone = gone;
    gone.call(pair[0], ASSETS, IAssets::transferFromCall { from, to, tokenId: token }).unwrap();
    let not_his = IMarket::NotMovable { collection, tokenId: token, seller };
    refused(&mut gone, pair, &listing, not_his);
    buy(&mut world, pair[1], 1_010, &listing, sign(pair[0], &listing)).unwrap();
}

#[test]
fn an_asset_whose_members_are_not_final_is_not_sold() {
    let mut world = town::world();
    let pair = world.payers;
    super::stall::entrust(&mut world, pair[0]);
    let open = IAssets::Registration { isOpen: true, ..town::model() };
    let asset = town::register(&mut world, pair[0], open).unwrap();
    let listing = sale(&mut world, pair[0], asset, 5);
    refused(&mut world, pair, &listing, IAssets::NotSealed { asset });
}

#[test]
fn an_asset_is_not_sold_to_its_own_account() {
    let (mut world, [seller, buyer], asset, listing) = stand();
    let id = sahara_primitives::AssetId(asset);
    let recipient = crate::assets::account_of(&mut world.state, id).unwrap();
    let signature = sign(seller, &listing);
    let call = IMarket::buyCall { data: listing, signature, recipient, referrer: Address::ZERO };
    let cycle = IAssets::OwnershipCycle { asset, to: recipient };
    assert_eq!(pay(&mut world, buyer, 1_010, call), Err(cycle.into()));
}

#[test]
fn coin_goes_to_nobody_who_could_not_use_it() {
    let (mut world, [seller, buyer], _, listing) = stand();
    let signature = sign(seller, &listing);
    let call = |recipient, referrer| IMarket::buyCall {
        data: listing.clone(),
        signature: signature.clone(),
        recipient,
        referrer,
    };
    for recipient in [Address::ZERO, MARKET, ROYALTIES] {
        let refused = IMarket::InvalidRecipient { recipient };
        let answer = pay(&mut world, buyer, 1_010, call(recipient, Address::ZERO));
        assert_eq!(answer, Err(refused.into()));
    }
    for referrer in [MARKET, ROYALTIES] {
        let refused = IMarket::InvalidReferrer { referrer };
        let answer = pay(&mut world, buyer, 1_010, call(buyer.address, referrer));
        assert_eq!(answer, Err(refused.into()));
    }
}

#[test]
fn a_listing_that_makes_no_sense_is_refused_when_published_and_when_bought() {
    let (mut world, pair, asset, good) = stand();
    let thing = good.items[0].clone();
    let with = |items: Vec<Item>| Listing { items, ..good.clone() };
    let items = |n: usize| IMarket::WrongItems {
        items: U256::from(n),
        least: U256::ONE,
        most: U256::from(16),
    };
    let rising = Item { endPrice: 1_001, ..thing };
    let dear = Item { price: MAX_PRICE + 1, ..thing };
    let cases: Vec<(Listing, Failure)> = vec![
        (with(vec![]), items(0).into()),
        (with(vec![thing.clone(); 17]), items(17).into()),
        (with(vec![rising]), IMarket::PriceRises { price: 1_000, endPrice: 1_001 }.into()),
        (with(vec![dear]), IProtocol::Overflow {}.into()),
        (
            Listing { referral: 1_001, ..good.clone() },
            IMarket::ReferralTooHigh { referral: 1_001, most: 1_000 }.into(),
        ),
        (
            Listing { refundSeconds: 1, ..good.clone() },
            IMarket::RefundNotPossible { refundSeconds: 1, most: 0 }.into(),
        ),
        (
            with(vec![Item { collection: MARKET, ..thing }]),
            IMarket::UnknownCollection { collection: MARKET }.into(),
        ),
        (
            with(vec![Item { collection: MARKET, ..thing }, thing.clone()]),
            IMarket::UnknownCollection { collection: MARKET }.into(),
        ),
    ];
    for (listing, error) in cases {
        refused(&mut world, pair, &listing, error.clone());
        let call = IMarket::listCall { data: listing };
        assert_eq!(pay(&mut world, pair[0], LISTING_FEE, call), Err(error));
    }
    let license = Item { collection: LICENSES, ..thing };
    let long = Listing { refundSeconds: MAX_REFUND_SECONDS + 1, ..with(vec![license]) };
    let most = MAX_REFUND_SECONDS;
    let too_long = IMarket::RefundNotPossible { refundSeconds: most + 1, most };
    refused(&mut world, pair, &long, too_long);
    let token = U256::from(1_u128 << 64);
    let unknown = Item { tokenId: token, ..good.items[0].clone() };
    let missing = IAssets::ERC721NonexistentToken { tokenId: token };
    refused(&mut world, pair, &with(vec![unknown]), missing);
    let _ = asset;
}

#[test]
fn publishing_is_for_the_seller_and_for_the_exact_fee() {
    let (mut world, [seller, buyer], _, good) = stand();
    let call = |data: &Listing| IMarket::listCall { data: data.clone() };
    let not_his = IMarket::NotSeller { caller: buyer.address, seller: seller.address };
    assert_eq!(pay(&mut world, buyer, LISTING_FEE, call(&good)), Err(not_his.into()));
    for sent in [0, LISTING_FEE - 1, LISTING_FEE + 1] {
        let expected = U256::from(LISTING_FEE);
        let wrong = IMarket::WrongListingFee { sent: U256::from(sent), expected };
        assert_eq!(pay(&mut world, seller, sent, call(&good)), Err(wrong.into()));
    }
    let now = world.now();
    for (starts_at, ends_at) in [(now - 5, now), (now + 5, now + 5), (now + 6, now + 5)] {
        let listing = Listing { startsAt: starts_at, endsAt: ends_at, ..good.clone() };
        let wrong = IMarket::WrongPeriod { startsAt: starts_at, endsAt: ends_at, now_: now };
        assert_eq!(pay(&mut world, seller, LISTING_FEE, call(&listing)), Err(wrong.into()));
    }
}
