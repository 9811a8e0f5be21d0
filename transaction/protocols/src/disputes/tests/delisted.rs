//! What becomes of an asset that lost a dispute: it is not sold, licensed, built on or given away.

use super::*;
use sahara_abi::{
    ILicenses::{self, Missing},
    IMarket, IWorkers, LICENSES, MARKET, WORKERS, purpose,
};

const PRICE: u128 = 25 * COIN;

fn refused<T>(answer: Result<T, Failure>, asset: u64) {
    let delisted: Failure = IDisputes::AssetDelisted { asset }.into();
    assert_eq!(answer.map(drop), Err(delisted));
}

/// Files, has everybody say yes, and closes.
fn lose(world: &mut Undo, asset: u64) {
    let complaint = file(world, asset, 100 * COIN).unwrap();
    rule(world, complaint, true);
    until(world, complaint, APPEAL);
    close(world, complaint).unwrap();
}

fn terms(world: &mut Undo, asset: u64, template: ILicenses::Template, price: u128) -> B256 {
    let call = ILicenses::templateCall { template, price, derivativeRoyalty: 1_000 };
    let data = world.call(OWNER, LICENSES, 0, &call).unwrap();
    let call = ILicenses::registerTermsCall { data };
    let terms = world.call(OWNER, LICENSES, 0, &call).unwrap();
    world.call(OWNER, LICENSES, 0, &ILicenses::offerCall { asset, terms }).unwrap();
    terms
}

fn license(world: &mut Undo, who: Address, asset: u64, terms: B256) -> Result<U256, Failure> {
    let purchase = ILicenses::Purchase { asset, terms, quantity: 1, holder: who, user: who };
    let quote = world.call(who, LICENSES, 0, &ILicenses::quoteCall { terms, quantity: 1 }).unwrap();
    let value: u128 = (quote.price + quote.fee).to();
    world.call(who, LICENSES, value, &ILicenses::buyCall { purchase })
}

fn can_use(world: &mut Undo, account: Address, asset: u64, purpose: u8) -> (bool, Missing) {
    let call = ILicenses::canUseCall { account, asset, purpose };
    let answer = world.call(account, LICENSES, 0, &call).unwrap();
    (answer.isAllowed, answer.missing)
}

/// The market may move what its owner has.
fn entrust(world: &mut Undo) {
    let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    world.call(OWNER, ASSETS, 0, &call).unwrap();
}

fn state_of(world: &mut Undo, asset: u64) -> B256 {
    let call = IMarket::stateOfCall { collection: ASSETS, tokenId: U256::from(asset) };
    world.call(PAYER, MARKET, 0, &call).unwrap()
}

fn listing(world: &mut Undo, assets: &[u64], nonce: u64) -> IMarket::Listing {
    let item = |asset: &u64| IMarket::Item {
        collection: ASSETS,
        tokenId: U256::from(*asset),
        price: PRICE,
        endPrice: PRICE,
        state: state_of(world, *asset),
    };
    let items = assets.iter().map(item).collect();
    let data = IMarket::Listing {
        seller: OWNER,
        buyer: Address::ZERO,
        startsAt: now(world),
        endsAt: now(world) + 30 * 86_400,
        referral: 0,
        refundSeconds: 0,
        nonce,
        items,
    };
    let fee = 10_000_000_000_000_000;
    world.call(OWNER, MARKET, fee, &IMarket::listCall { data: data.clone() }).unwrap();
    data
}

fn buy(world: &mut Undo, data: &IMarket::Listing) -> Result<u64, Failure> {
    let call = IMarket::buyCall {
        data: data.clone(),
        signature: Bytes::new(),
        recipient: PAYER,
        referrer: Address::ZERO,
    };
    world.call(PAYER, MARKET, 100 * COIN, &call)
}

fn owner(world: &mut Undo, asset: u64) -> Address {
    world.call(PAYER, ASSETS, 0, &IAssets::ownerOfCall { tokenId: U256::from(asset) }).unwrap()
}

#[test]
fn a_delisted_asset_gets_no_new_licences_and_old_ones_stay() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let terms = terms(&mut world, asset, ILicenses::Template::CommercialRemix, PRICE);
    license(&mut world, PAYER, asset, terms).unwrap();
    lose(&mut world, asset);
    refused(license(&mut world, juror(0), asset, terms), asset);
    assert_eq!(can_use(&mut world, PAYER, asset, purpose::INFERENCE), (true, Missing::Nothing));
    assert!(!can_use(&mut world, juror(0), asset, purpose::INFERENCE).0);
    // Restored, it is sold again.
    ask(&mut world, GOVERNANCE, &IDisputes::restoreCall { asset }).unwrap();
    license(&mut world, juror(0), asset, terms).unwrap();
}

#[test]
fn a_delisted_asset_is_used_by_nobody_for_nothing() {
    for is_offered in [false, true] {
        let mut world = world(9);
        let asset = asset(&mut world, &[], true);
        if is_offered {
            terms(&mut world, asset, ILicenses::Template::OpenUse, 0);
        }
        let ask_for = [purpose::INFERENCE, purpose::COMMERCIAL];
        for wanted in ask_for {
            assert!(can_use(&mut world, PAYER, asset, wanted).0, "before");
        }
        lose(&mut world, asset);
        for wanted in ask_for {
            let answer = can_use(&mut world, PAYER, asset, wanted);
            assert_eq!(answer, (false, Missing::Listing));
            assert!(can_use(&mut world, OWNER, asset, wanted).0, "its owner may");
        }
        ask(&mut world, GOVERNANCE, &IDisputes::restoreCall { asset }).unwrap();
        assert!(can_use(&mut world, PAYER, asset, purpose::INFERENCE).0);
    }
}

fn register(
    world: &mut Undo,
    who: Address,
    kind: IAssets::Kind,
    edges: Vec<IAssets::Edge>,
) -> Result<u64, Failure> {
    let registration = IAssets::Registration {
        kind,
        contentHash: B256::repeat_byte(4),
        metadataURI: "data:,".into(),
        inputPrice: 1,
        outputPrice: 1,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges,
        members: Vec::new(),
        ownerUnits: U96::ZERO,
        isOpen: false,
    };
    world.call(who, ASSETS, 0, &IAssets::registerCall { registration })
}

/// A log would do as what one trains on: without a bond nobody makes one.
#[test]
fn the_use_of_a_delisted_asset_is_recorded_by_bonded_gateways_alone() {
    let mut world = world(9);
    let stolen = asset(&mut world, &[], false);
    let edges = vec![IAssets::Edge { parent: stolen, relation: IAssets::Relation::Records }];
    let log = IAssets::Kind::UsageLog;
    register(&mut world, PAYER, log, edges.clone()).unwrap();
    lose(&mut world, stolen);
    for who in [PAYER, OWNER] {
        refused(register(&mut world, who, log, edges.clone()), stolen);
    }
    let bond = IWorkers::registerGatewayCall { endpoint: "http://gateway".into(), fee: 0 };
    world.call(PAYER, WORKERS, 1_000 * COIN, &bond).unwrap();
    register(&mut world, PAYER, log, edges).unwrap();
}

#[test]
fn nothing_is_built_on_a_delisted_asset() {
    let mut world = world(9);
    let (stolen, other) = (asset(&mut world, &[], false), asset(&mut world, &[], false));
    lose(&mut world, stolen);
    let edge = |parent| IAssets::Edge { parent, relation: IAssets::Relation::TrainedOn };
    let register = |world: &mut Undo, who, edges| register(world, who, IAssets::Kind::Model, edges);
    for who in [PAYER, OWNER] {
        refused(register(&mut world, who, vec![edge(stolen)]), stolen);
        refused(register(&mut world, who, vec![edge(other), edge(stolen)]), stolen);
    }
    register(&mut world, PAYER, vec![edge(other)]).unwrap();
}

#[test]
fn a_listing_and_a_bundle_with_a_delisted_asset_sell_nothing() {
    let mut world = world(9);
    let (stolen, other) = (asset(&mut world, &[], false), asset(&mut world, &[], false));
    entrust(&mut world);
    let (alone, bundle) =
        (listing(&mut world, &[stolen], 1), listing(&mut world, &[other, stolen], 2));
    lose(&mut world, stolen);
    let before = world.held(PAYER);
    refused(buy(&mut world, &alone), stolen);
    refused(buy(&mut world, &bundle), stolen);
    assert_eq!((world.held(PAYER), owner(&mut world, other)), (before, OWNER), "all or none");
    // Restored, it is sold by a listing of its own time.
    ask(&mut world, GOVERNANCE, &IDisputes::restoreCall { asset: stolen }).unwrap();
    changed(buy(&mut world, &bundle), state_of(&mut world, stolen), stolen);
    let bundle = listing(&mut world, &[other, stolen], 3);
    buy(&mut world, &bundle).unwrap();
    assert_eq!(owner(&mut world, stolen), PAYER);
}

/// Refused, for the asset was put up in another state, its first.
fn changed<T>(answer: Result<T, Failure>, state: B256, asset: u64) {
    let token_id = U256::from(asset);
    let expected = B256::ZERO;
    let refused = IMarket::StateChanged { collection: ASSETS, tokenId: token_id, state, expected };
    assert_eq!(answer.map(drop), Err(refused.into()));
}

/// All of its future income is the complainant's, and it is sold as ever: but not by who listed it, made an offer
/// or bid before.
#[test]
fn what_lost_its_income_in_a_dispute_is_not_sold_as_what_had_it() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    entrust(&mut world);
    let (collection, token_id) = (ASSETS, U256::from(asset));
    let (state, fee) = (state_of(&mut world, asset), PRICE / 100);
    assert_eq!(state, B256::ZERO);
    let listed = listing(&mut world, &[asset], 1);
    let ends = now(&world) + 30 * 86_400;
    let offer =
        IMarket::makeOfferCall { collection, tokenId: token_id, price: PRICE, endsAt: ends, state };
    let before = world.held(PAYER);
    let offer = world.call(PAYER, MARKET, PRICE + fee, &offer).unwrap();
    let open =
        IMarket::openAuctionCall { collection, tokenId: token_id, reserve: 1, endsAt: ends, state };
    let auction = world.call(OWNER, MARKET, 0, &open).unwrap();
    let bid = IMarket::bidCall { auction, price: PRICE };
    world.call(PAYER, MARKET, PRICE + fee, &bid).unwrap();

    let evidence = B256::repeat_byte(7);
    let shares = vec![IDisputes::Share { account: VICTIM, share: 10_000 }];
    let ground = IDisputes::Ground::StolenData;
    let complain = IDisputes::fileCall { asset, ground, evidence, isDelisting: false, shares };
    let complaint = world.call(VICTIM, DISPUTES, 100 * COIN, &complain).unwrap();
    // A complaint alone, which anybody may file, voids nothing.
    assert_eq!(state_of(&mut world, asset), state);
    rule(&mut world, complaint, true);
    until(&mut world, complaint, APPEAL);
    close(&mut world, complaint).unwrap();

    let state = state_of(&mut world, asset);
    changed(buy(&mut world, &listed), state, asset);
    let accept = IMarket::acceptOfferCall { offer };
    changed(world.call(OWNER, MARKET, 0, &accept), state, asset);
    world.call(PAYER, MARKET, 0, &IMarket::cancelOfferCall { offer }).unwrap();
    pass(&mut world, 30 * 86_400);
    world.call(PAYER, MARKET, 0, &IMarket::settleAuctionCall { auction }).unwrap();
    assert_eq!((world.held(PAYER), owner(&mut world, asset)), (before, OWNER));
    assert_eq!(world.held(MARKET), 0);
    // Who knows of it may buy it.
    let listed = listing(&mut world, &[asset], 2);
    buy(&mut world, &listed).unwrap();
    assert_eq!(owner(&mut world, asset), PAYER);
}

#[test]
fn an_offer_for_a_delisted_asset_is_not_accepted_and_goes_back() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let call = IMarket::makeOfferCall {
        collection: ASSETS,
        tokenId: U256::from(asset),
        price: PRICE,
        endsAt: now(&world) + 30 * 86_400,
        state: B256::ZERO,
    };
    let (before, fee) = (world.held(PAYER), PRICE / 100);
    let offer = world.call(PAYER, MARKET, PRICE + fee, &call).unwrap();
    lose(&mut world, asset);
    refused(world.call(OWNER, MARKET, 0, &IMarket::acceptOfferCall { offer }), asset);
    world.call(PAYER, MARKET, 0, &IMarket::cancelOfferCall { offer }).unwrap();
    assert_eq!(world.held(PAYER), before);
}

#[test]
fn an_auction_of_a_delisted_asset_is_not_opened_and_a_running_one_ends_without_a_sale() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    entrust(&mut world);
    let open = IMarket::openAuctionCall {
        collection: ASSETS,
        tokenId: U256::from(asset),
        reserve: PRICE,
        endsAt: now(&world) + 20 * 86_400,
        state: B256::ZERO,
    };
    let auction = world.call(OWNER, MARKET, 0, &open).unwrap();
    let before = world.held(PAYER);
    let bid = IMarket::bidCall { auction, price: PRICE };
    world.call(PAYER, MARKET, PRICE + PRICE / 100, &bid).unwrap();
    lose(&mut world, asset);
    refused(world.call(OWNER, MARKET, 0, &open), asset);
    pass(&mut world, 20 * 86_400);
    world.call(PAYER, MARKET, 0, &IMarket::settleAuctionCall { auction }).unwrap();
    let closed = events::<IMarket::AuctionClosed>(&world);
    assert!(!closed[0].isSold);
    assert_eq!((world.held(PAYER), owner(&mut world, asset)), (before, OWNER));
}
