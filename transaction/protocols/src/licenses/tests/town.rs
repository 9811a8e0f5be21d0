//! Calls as people make them, in the channels' world of actors.

use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::templates,
};
use alloy_primitives::{Address, B256, U256, aliases::U96, keccak256};
use alloy_sol_types::SolCall;
use sahara_abi::{
    ASSETS, IAssets,
    ILicenses::{self, Missing, Pricing, Purchase, Terms},
    LICENSES,
};

/// A new world.
pub(crate) fn world() -> World {
    World::new()
}

/// What an asset is registered with, unless a test says otherwise: a model open to derivatives, which
/// pay it 5 %.
pub(crate) fn model() -> IAssets::Registration {
    IAssets::Registration {
        kind: IAssets::Kind::Model,
        contentHash: keccak256("content"),
        metadataURI: "ipfs://card".into(),
        inputPrice: 1,
        outputPrice: 1,
        derivativeRoyalty: 500,
        derivatives: IAssets::Derivatives::Open,
        edges: vec![],
        members: vec![],
        ownerUnits: U96::ZERO,
        isOpen: false,
    }
}

/// As [`model`], derived from a model.
pub(crate) fn child_of(parent: u64) -> IAssets::Registration {
    let relation = IAssets::Relation::FinetunedFrom;
    IAssets::Registration { edges: vec![IAssets::Edge { parent, relation }], ..model() }
}

/// Registers an asset.
pub(crate) fn register(
    world: &mut World,
    owner: Actor,
    registration: IAssets::Registration,
) -> Result<u64, Failure> {
    world.call(owner, ASSETS, IAssets::registerCall { registration })
}

/// Commercial remix at a price, for assets of [`model`].
pub(crate) fn remix(price: u128) -> Terms {
    Terms { price, derivativeRoyalty: 500, ..templates::COMMERCIAL_REMIX }
}

/// A subscription at a price per hour.
pub(crate) fn hourly(price: u128) -> Terms {
    Terms { pricing: Pricing::Subscription, period: 3_600, ..remix(price) }
}

/// Sends a call whose answer does not matter; nothing may stay on the protocol's account.
pub(crate) fn send<C: SolCall>(world: &mut World, from: Actor, call: C) -> Result<(), Failure> {
    ask(world, from, call).map(drop)
}

/// Sends a call.
pub(crate) fn ask<C: SolCall>(
    world: &mut World,
    from: Actor,
    call: C,
) -> Result<C::Return, Failure> {
    pay(world, from, 0, call)
}

/// Sends a call with coin.
pub(crate) fn pay<C: SolCall>(
    world: &mut World,
    from: Actor,
    value: u128,
    call: C,
) -> Result<C::Return, Failure> {
    let answer = world.pay(from, LICENSES, value, call);
    assert_eq!(world.balance(LICENSES), 0, "the protocol kept coin");
    answer
}

/// Registers terms and offers them.
pub(crate) fn offer(world: &mut World, owner: Actor, asset: u64, data: &Terms) -> B256 {
    let terms = ask(world, owner, ILicenses::registerTermsCall { data: data.clone() }).unwrap();
    send(world, owner, ILicenses::offerCall { asset, terms }).unwrap();
    terms
}

/// What `quantity` costs, fee included.
pub(crate) fn total(world: &mut World, terms: B256, quantity: u32) -> u128 {
    let call = ILicenses::quoteCall { terms, quantity };
    let quote = ask(world, world.stranger, call).unwrap();
    assert_eq!(quote.fee, quote.price * U256::from(100) / U256::from(10_000));
    (quote.price + quote.fee).to()
}

/// Buys for oneself, seat included.
pub(crate) fn buy(
    world: &mut World,
    buyer: Actor,
    asset: u64,
    terms: B256,
    quantity: u32,
) -> Result<U256, Failure> {
    let value = ask(world, buyer, ILicenses::quoteCall { terms, quantity })
        .map_or(0, |quote| (quote.price + quote.fee).to());
    let (holder, user) = (buyer.address, buyer.address);
    let purchase = Purchase { asset, terms, quantity, holder, user };
    pay(world, buyer, value, ILicenses::buyCall { purchase })
}

/// Renews and pays what it costs.
pub(crate) fn renew(
    world: &mut World,
    payer: Actor,
    license: U256,
    quantity: u32,
) -> Result<(), Failure> {
    let value = ask(world, payer, ILicenses::renewalQuoteCall { license, quantity })
        .map_or(0, |quote| (quote.price + quote.fee).to());
    pay(world, payer, value, ILicenses::renewCall { license, quantity }).map(drop)
}

/// Whether an account may use an asset, under which licence, or what is missing.
pub(crate) fn can(
    world: &mut World,
    account: Address,
    asset: u64,
    purpose: u8,
) -> Result<u64, Missing> {
    let call = ILicenses::canUseCall { account, asset, purpose };
    let answer = ask(world, world.stranger, call).unwrap();
    assert_eq!(answer.isAllowed, answer.missing == Missing::Nothing);
    if answer.isAllowed { Ok(answer.license.to()) } else { Err(answer.missing) }
}

/// A licence's view.
pub(crate) fn license(world: &mut World, license: U256) -> ILicenses::License {
    ask(world, world.stranger, ILicenses::licenseCall { license }).unwrap()
}
