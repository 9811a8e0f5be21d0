//! `sahara license`: the right to use an asset.

mod buy;
mod held;
mod terms;
pub(crate) mod words;

use super::deed::{Actor, Deed, words as line};
use crate::{
    cli::{License, Seat, Terms},
    output::Format,
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{ILicenses, LICENSES};
use sahara_client::ChainClient;
use sahara_primitives::{Amount, B256, U256, keccak256};
use serde_json::json;

/// Runs a licence command.
pub(crate) async fn run(license: &License, session: &Session, format: Format) -> Result<()> {
    match license {
        License::Templates => terms::templates(&session.client()?, format).await,
        License::Terms(Terms::Show { terms }) => {
            terms::show(&session.client()?, *terms, format).await
        }
        License::Terms(Terms::Create { spec, asset, signer, dry_run }) => {
            let actor = Actor::new(session, signer, None, format).await?;
            terms::create(&actor, spec, *asset, *dry_run).await
        }
        License::Offer(offer) => terms::offer(offer, session, format).await,
        License::Offers { asset } => terms::offers(&session.client()?, *asset, format).await,
        License::Quote { terms, renew, quantity } => {
            buy::quote(&session.client()?, (*terms, *renew), *quantity, format).await
        }
        License::Buy(purchase) => buy::buy(purchase, session, format).await,
        License::Renew { license, quantity, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            buy::renew(&actor, *license, *quantity).await
        }
        License::Check { asset, account, purposes } => {
            held::check(&session.client()?, (*account, *asset), purposes, format).await
        }
        License::Show { license } => held::show(&session.client()?, *license, format).await,
        License::List { account, signer } => {
            let account = match account {
                Some(account) => *account,
                None => session.key(signer).await?.address(),
            };
            held::list(&session.client()?, account, format).await
        }
        License::Seat(_)
        | License::Withdraw { .. }
        | License::Meter { .. }
        | License::Count { .. }
        | License::Revoke { .. }
        | License::Transfer { .. } => change(license, session, format).await,
    }
}

/// What changes an offer or a licence and costs nothing but gas.
async fn change(license: &License, session: &Session, format: Format) -> Result<()> {
    match license {
        License::Withdraw { asset, terms, doing } => {
            let call = ILicenses::withdrawOfferCall { asset: asset.0, terms: *terms };
            let actor = Actor::doing(session, doing, format).await?;
            send(&actor, &call, json!({"asset": asset, "terms": terms}), "withdrawn").await
        }
        License::Seat(Seat::Assign { license, account, doing }) => {
            let call =
                ILicenses::assignSeatCall { license: U256::from(*license), account: *account };
            let actor = Actor::doing(session, doing, format).await?;
            let text = format!("{account} has a seat in licence {license}");
            send(&actor, &call, json!({"license": license, "account": account}), &text).await
        }
        License::Seat(Seat::Free { license, account, doing }) => {
            let call = ILicenses::freeSeatCall { license: U256::from(*license), account: *account };
            let actor = Actor::doing(session, doing, format).await?;
            let text = format!("{account} has no seat in licence {license} any more");
            send(&actor, &call, json!({"license": license, "account": account}), &text).await
        }
        License::Meter { account, forbid, doing } => {
            let call = ILicenses::setMeterCall { meter: *account, isAllowed: !forbid };
            let actor = Actor::doing(session, doing, format).await?;
            let text = format!(
                "{account} may {}count uses of licences that {} holds",
                if *forbid { "no longer " } else { "" },
                actor.address()
            );
            send(&actor, &call, json!({"meter": account, "is_allowed": !forbid}), &text).await
        }
        License::Count { license, uses, account, doing } => {
            let actor = Actor::doing(session, doing, format).await?;
            let account = account.unwrap_or_else(|| actor.address());
            let id = U256::from(*license);
            let call = ILicenses::countUsesCall { license: id, account, count: *uses };
            let facts = json!({"license": license, "account": account, "counted": uses});
            send(&actor, &call, facts, &format!("{uses} counted for licence {license}")).await
        }
        _ => lose(license, session, format).await,
    }
}

/// What takes a licence from its holder.
async fn lose(license: &License, session: &Session, format: Format) -> Result<()> {
    match license {
        License::Revoke { license, reason, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            let found = held::find(&actor.client, *license).await?;
            let reason = keccak256(reason);
            let call = ILicenses::revokeCall { license: U256::from(*license), reason };
            let preview = vec![
                line("revoke licence", license.to_string()),
                line("of", found.holder.to_string()),
                line("for asset", found.asset.to_string()),
                line("refund", "nothing"),
            ];
            let deed = Deed { to: LICENSES, value: Amount::ZERO, call: &call, preview };
            let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
            let facts = json!({"license": license, "reason": reason});
            actor.done(&outcome, facts, &format!("licence {license} is revoked"))
        }
        License::Transfer { license, to, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            let found = held::find(&actor.client, *license).await?;
            let token_id = U256::from(*license);
            let call =
                ILicenses::transferFromCall { from: found.holder, to: *to, tokenId: token_id };
            let preview = vec![
                line("give licence", license.to_string()),
                line("for asset", found.asset.to_string()),
                line("to", to.to_string()),
                line("seats that become free", found.seatsTaken.to_string()),
            ];
            let deed = Deed { to: LICENSES, value: Amount::ZERO, call: &call, preview };
            let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
            let facts = json!({"license": license, "holder": to});
            actor.done(&outcome, facts, &format!("licence {license} belongs to {to}"))
        }
        _ => Ok(()),
    }
}

/// Sends a call that needs no question.
async fn send<C: alloy_sol_types::SolCall>(
    actor: &Actor<'_>,
    call: &C,
    facts: serde_json::Value,
    text: &str,
) -> Result<()> {
    let deed = Deed { to: LICENSES, value: Amount::ZERO, call, preview: Vec::new() };
    match actor.send(deed).await? {
        Some(outcome) => actor.done(&outcome, facts, text),
        None => Ok(()),
    }
}

/// Registered terms.
pub(super) async fn terms_of(client: &ChainClient, id: B256) -> Result<ILicenses::Terms> {
    client.call(LICENSES, &ILicenses::termsCall { terms: id }).await.map_err(refused)
}
