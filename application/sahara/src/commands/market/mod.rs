//! `sahara market`: ownership and licences, sold and resold.

mod auction;
mod buy;
mod listing;
mod offer;
mod show;
mod thing;

pub(crate) use thing::{Cancelled, Item, Thing};

use super::deed::{Actor, Deed};
use crate::{
    cli::{Market, MarketOffer},
    output::Format,
    session::Session,
};
use alloy_sol_types::SolCall;
use eyre::Result;
use sahara_abi::{IMarket, MARKET};
use sahara_primitives::Amount;
use serde_json::{Value, json};

/// Runs a market command.
pub(crate) async fn run(market: &Market, session: &Session, format: Format) -> Result<()> {
    match market {
        Market::Show { thing } => show::show(&session.client()?, *thing, format).await,
        Market::List(spec) => listing::publish(spec, session, format).await,
        Market::Sign(spec) => listing::sign(spec, session, format).await,
        Market::Buy(buy) => buy::buy(buy, session, format).await,
        Market::Auction { thing, reserve, length, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            auction::open(&actor, *thing, *reserve, *length).await
        }
        Market::Bid { auction, price, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            auction::bid(&actor, *auction, *price).await
        }
        Market::Settle { auction, doing } => {
            let actor = Actor::doing(session, doing, format).await?;
            auction::settle(&actor, *auction).await
        }
        Market::Cancel { what, doing } => {
            let actor = Actor::doing(session, doing, format).await?;
            listing::cancel(&actor, what).await
        }
        Market::Offer(MarketOffer::Make { thing, price, length, signer, consent }) => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            offer::make(&actor, *thing, *price, *length).await
        }
        Market::Offer(MarketOffer::Accept { offer, signer, consent }) => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            offer::accept(&actor, *offer).await
        }
        Market::Offer(MarketOffer::Cancel { offer, doing }) => {
            let actor = Actor::doing(session, doing, format).await?;
            let call = IMarket::cancelOfferCall { offer: *offer };
            let text = format!("offer {offer} is taken back, its coin is with who made it");
            send(&actor, &call, json!({ "offer": offer }), &text).await
        }
        Market::Return { sale, doing } => {
            let actor = Actor::doing(session, doing, format).await?;
            let held = buy::held(&actor.client, *sale).await?;
            let back = Amount::from_u128(held.price.saturating_add(held.fee));
            let call = IMarket::returnLicenseCall { sale: *sale };
            let license: u64 = held.license.saturating_to();
            let text = format!("licence {license} is returned: {back} SAHARA came back");
            let facts = json!({"sale": sale, "license": license, "returned": back});
            send(&actor, &call, facts, &text).await
        }
        Market::Release { sale, doing } => {
            let actor = Actor::doing(session, doing, format).await?;
            let call = IMarket::releaseCall { sale: *sale };
            send(&actor, &call, json!({ "sale": sale }), &format!("sale {sale} is paid out")).await
        }
    }
}

/// Sends a call that needs no question.
async fn send<C: SolCall>(actor: &Actor<'_>, call: &C, facts: Value, text: &str) -> Result<()> {
    let deed = Deed { to: MARKET, value: Amount::ZERO, call, preview: Vec::new() };
    match actor.send(deed).await? {
        Some(outcome) => actor.done(&outcome, facts, text),
        None => Ok(()),
    }
}
