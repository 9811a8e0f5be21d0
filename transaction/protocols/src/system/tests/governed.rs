//! Fees and caps as governance sets them, seen in the next payments.

use super::*;
use crate::{
    channels::tests::world::{Actor, COIN, World},
    licenses::tests::town,
};
use alloy_primitives::U256;
use sahara_abi::{
    ASSETS, CHANNELS, GOVERNANCE, IAssets, IChannels, ILicenses, IMarket, IWorkers, LICENSES,
    MARKET, WORKERS,
};

/// Everything doubled, the caps with it.
fn changed() -> ISystem::Parameters {
    ISystem::Parameters {
        protocolFee: 200,
        licenseFee: 300,
        marketFee: 400,
        listingFee: 5,
        maxReferral: 1_500,
        maxDerivativeRoyalty: 400,
        maxLineageRoyalty: 700,
        maxResaleRoyalty: 900,
        maxGatewayFee: 450,
    }
}

fn ask<C: SolCall>(world: &mut World, caller: Address, call: &C) -> Result<C::Return, Failure> {
    let request = Call { caller, value: Amount::ZERO, data: &call.abi_encode(), is_static: false };
    world.state.call(SYSTEM, request).map(|data| C::abi_decode_returns(&data).unwrap())
}

fn set(world: &mut World, parameters: ISystem::Parameters) {
    ask(world, GOVERNANCE, &ISystem::setParametersCall { parameters }).unwrap();
}

fn now(world: &mut World) -> ISystem::Parameters {
    ask(world, Address::ZERO, &ISystem::parametersCall {}).unwrap()
}

/// What the incentive pool gains by `work`.
fn gained(world: &mut World, work: impl FnOnce(&mut World)) -> u128 {
    let before = world.balance(INCENTIVE_POOL);
    work(world);
    world.balance(INCENTIVE_POOL) - before
}

#[test]
fn only_governance_sets_them_and_only_within_bounds() {
    let mut world = World::new();
    let before = now(&mut world);
    assert_eq!(before, Parameters::DEFAULT.into());
    let stranger = world.stranger.address;
    let call = ISystem::setParametersCall { parameters: changed() };
    let refused = IProtocol::OnlyGovernance { caller: stranger };
    assert_eq!(ask(&mut world, stranger, &call).map(drop), Err(refused.into()));
    for wrong in [
        ISystem::Parameters { protocolFee: 1_001, ..changed() },
        ISystem::Parameters { licenseFee: 1_001, ..changed() },
        ISystem::Parameters { marketFee: u16::MAX, ..changed() },
        ISystem::Parameters { listingFee: u128::MAX, ..changed() },
        ISystem::Parameters { maxReferral: 2_001, ..changed() },
        ISystem::Parameters { maxDerivativeRoyalty: 701, ..changed() },
        ISystem::Parameters { maxLineageRoyalty: 9_001, ..changed() },
        ISystem::Parameters { maxResaleRoyalty: 5_001, ..changed() },
        ISystem::Parameters { maxGatewayFee: 1_001, ..changed() },
        ISystem::Parameters { maxDerivativeRoyalty: 0, maxLineageRoyalty: 0, ..changed() },
    ] {
        let call = ISystem::setParametersCall { parameters: wrong };
        let refused = Err(IProtocol::InvalidParameters {}.into());
        assert_eq!(ask(&mut world, GOVERNANCE, &call).map(drop), refused);
    }
    assert_eq!(now(&mut world), before);
    set(&mut world, changed());
    assert_eq!(now(&mut world), changed());
    set(&mut world, before.clone());
    assert_eq!(now(&mut world), before);
}

/// Opens a channel, and collects a line of two coins twice; what the incentive pool gets of the second.
fn second_claim(world: &mut World, between: impl FnOnce(&mut World)) -> u128 {
    let payer = world.payers[0];
    world.fund(payer, 20 * COIN);
    let reservation = world.reservation(0, 20 * COIN);
    let id = world.open(&reservation).unwrap();
    let first = vec![world.line(id, 1, 0, (COIN, COIN))];
    let first = world.claim(id, first);
    world.collect(&[first]).unwrap();
    between(world);
    let second = vec![world.line(id, 1, 0, (2 * COIN, 2 * COIN))];
    let second = world.claim(id, second);
    gained(world, |world| world.collect(&[second]).unwrap())
}

#[test]
fn a_charge_pays_the_fee_under_which_its_channel_was_opened() {
    let mut world = World::new();
    assert_eq!(second_claim(&mut world, |world| set(world, changed())), 2 * COIN / 100);
    let asked = world.call(world.stranger, CHANNELS, IChannels::protocolFeeCall {}).unwrap();
    assert_eq!(asked, 200);
    let mut world = World::new();
    set(&mut world, changed());
    assert_eq!(second_claim(&mut world, |_| ()), 2 * COIN / 50);
}

#[test]
fn the_next_licence_pays_the_new_fee() {
    let mut world = World::new();
    let (owner, buyer) = (world.creator, world.stranger);
    let asset = town::register(&mut world, owner, town::model()).unwrap();
    let terms = town::offer(&mut world, owner, asset, &town::remix(COIN));
    let buy = |world: &mut World| {
        let quote = ILicenses::quoteCall { terms, quantity: 1 };
        let quote = world.call(buyer, LICENSES, quote).unwrap();
        assert_eq!(quote.price, U256::from(COIN));
        town::buy(world, buyer, asset, terms, 1).unwrap();
    };
    assert_eq!(gained(&mut world, buy), COIN / 100);
    set(&mut world, changed());
    assert_eq!(gained(&mut world, buy), COIN * 3 / 100);
}

#[test]
fn the_next_sale_and_listing_pay_the_new_fees() {
    let mut world = World::new();
    let (seller, buyer) = (world.creator, world.stranger);
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    world.call(seller, ASSETS, approve).unwrap();
    set(&mut world, changed());
    let asset = {
        let free = IAssets::Registration { derivativeRoyalty: 0, ..town::model() };
        town::register(&mut world, seller, free).unwrap()
    };
    let listing = listing(&mut world, seller, asset);
    let list = IMarket::listCall { data: listing.clone() };
    let wrong = IMarket::WrongListingFee { sent: U256::from(6), expected: U256::from(5) };
    assert_eq!(world.pay(seller, MARKET, 6, list.clone()).map(drop), Err(wrong.into()));
    let publish = |world: &mut World| {
        world.pay(seller, MARKET, 5, list).unwrap();
    };
    assert_eq!(gained(&mut world, publish), 5);
    let greedy = IMarket::Listing { referral: 1_501, nonce: 2, ..listing.clone() };
    let refused = IMarket::ReferralTooHigh { referral: 1_501, most: 1_500 };
    let list = IMarket::listCall { data: greedy };
    assert_eq!(world.pay(seller, MARKET, 5, list).map(drop), Err(refused.into()));
    let price = COIN + COIN * 4 / 100;
    let call = IMarket::buyCall {
        data: listing,
        signature: Default::default(),
        recipient: buyer.address,
        referrer: Address::ZERO,
    };
    let buy = |world: &mut World| {
        world.pay(buyer, MARKET, price, call).unwrap();
    };
    assert_eq!(gained(&mut world, buy), COIN * 4 / 100);
}

/// One asset for one coin.
fn listing(world: &mut World, seller: Actor, asset: u64) -> IMarket::Listing {
    let token = U256::from(asset);
    let asked = IMarket::stateOfCall { collection: ASSETS, tokenId: token };
    let state = world.call(seller, MARKET, asked).unwrap();
    let item =
        IMarket::Item { collection: ASSETS, tokenId: token, price: COIN, endPrice: COIN, state };
    IMarket::Listing {
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

#[test]
fn caps_hold_for_what_is_registered_from_then_on() {
    let mut world = World::new();
    let owner = world.creator;
    let old = town::register(&mut world, owner, town::model()).unwrap();
    set(&mut world, changed());
    let asked = town::register(&mut world, owner, town::model());
    let refused = IAssets::RoyaltyTooHigh { derivativeRoyalty: 500, most: 400 };
    assert_eq!(asked, Err(refused.into()));
    let modest = IAssets::Registration { derivativeRoyalty: 400, ..town::model() };
    let other = town::register(&mut world, owner, modest.clone()).unwrap();
    let edge = |parent| IAssets::Edge { parent, relation: IAssets::Relation::FinetunedFrom };
    // What an older asset asks stays as it was; both together pass the new cap.
    let child = |edges| IAssets::Registration { edges, ..modest.clone() };
    town::register(&mut world, owner, child(vec![edge(old)])).unwrap();
    let refused = IAssets::RoyaltyCapExceeded {
        total: U256::from(900),
        most: U256::from(700),
        parents: vec![old],
    };
    let both = child(vec![edge(old), edge(other)]);
    assert_eq!(town::register(&mut world, owner, both), Err(refused.into()));
    let resale = ILicenses::Terms { resaleRoyalty: 901, derivativeRoyalty: 0, ..town::remix(1) };
    let call = ILicenses::registerTermsCall { data: resale };
    assert!(world.call(owner, LICENSES, call).is_err());
    let gateway = IWorkers::registerGatewayCall { endpoint: "http://g".into(), fee: 451 };
    let refused = IWorkers::GatewayFeeTooHigh { fee: 451, most: 450 };
    let asked = world.pay(world.stranger, WORKERS, 1_000 * COIN, gateway);
    assert_eq!(asked.map(drop), Err(refused.into()));
}

proptest! {
    /// Every valid word is read as it was written, and none is the word of zeros that means defaults.
    #[test]
    fn valid_parameters_are_stored_whole(
        fees in proptest::array::uniform3(0u16..=1_000),
        listing in 0u128..=(5 << 64),
        caps in proptest::array::uniform3(0u16..=1_000),
        lineage in 1u16..=9_000,
    ) {
        let [protocol, license, market] = fees;
        let [referral, derivative, resale] = caps;
        let parameters = ISystem::Parameters {
            protocolFee: protocol,
            licenseFee: license,
            marketFee: market,
            listingFee: listing,
            maxReferral: referral,
            maxDerivativeRoyalty: derivative.min(lineage),
            maxLineageRoyalty: lineage,
            maxResaleRoyalty: resale,
            maxGatewayFee: resale,
        };
        let state = &mut MemoryState::default();
        found_parameters(state, &parameters).unwrap();
        prop_assert_eq!(ISystem::Parameters::from(crate::parameters(state).unwrap()), parameters);
    }
}
