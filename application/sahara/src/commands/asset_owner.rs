//! What only an asset's owner does.

use super::{
    asset::price,
    deed::{Actor, Deed, coins, words as line},
};
use crate::{cli::Asset, output::Format, refusal::refused, session::Session};
use alloy_sol_types::SolCall;
use eyre::Result;
use sahara_abi::{ASSETS, IAssets, IRoyalties, ROYALTIES};
use sahara_primitives::{Address, Amount, AssetId};
use serde_json::{Value, json};

/// Runs what only an asset's owner may ask for.
pub(super) async fn run(asset: &Asset, session: &Session, format: Format) -> Result<()> {
    match asset {
        Asset::Seal { asset, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            seal(&actor, *asset).await
        }
        Asset::Transfer { asset, to, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            transfer(&actor, *asset, *to).await
        }
        Asset::Approve { asset, creator, forbid, doing } => {
            let is_approved = !forbid;
            let call = IAssets::approveDerivativeCall {
                parent: asset.0,
                creator: *creator,
                isApproved: is_approved,
            };
            let actor = Actor::doing(session, doing, format).await?;
            let facts = json!({"asset": asset, "creator": creator, "is_approved": is_approved});
            let no_longer = if *forbid { "no longer " } else { "" };
            let text = format!("{creator} may {no_longer}derive from asset {asset}");
            send(&actor, &call, facts, &text).await
        }
        Asset::Price { asset, input_price, output_price, doing } => {
            let call = IAssets::setPricesCall {
                asset: asset.0,
                inputPrice: price(*input_price)?,
                outputPrice: price(*output_price)?,
            };
            let actor = Actor::doing(session, doing, format).await?;
            let (input, output) = (input_price, output_price);
            let facts = json!({"asset": asset, "input_price": input, "output_price": output});
            let text = format!(
                "asset {asset} asks {input} and {output} SAHARA per 1,000,000 tokens read and written"
            );
            send(&actor, &call, facts, &text).await
        }
        _ => Ok(()),
    }
}

/// Sends a call that needs no question.
async fn send<C: SolCall>(actor: &Actor<'_>, call: &C, facts: Value, text: &str) -> Result<()> {
    let deed = Deed { to: ASSETS, value: Amount::ZERO, call, preview: Vec::new() };
    match actor.send(deed).await? {
        Some(outcome) => actor.done(&outcome, facts, text),
        None => Ok(()),
    }
}

/// Seals an asset.
async fn seal(actor: &Actor<'_>, asset: AssetId) -> Result<()> {
    let call = IAssets::sealCall { asset: asset.0 };
    let preview = vec![
        line("seal asset", asset.to_string()),
        line("then", "its members and units are final"),
    ];
    let deed = Deed { to: ASSETS, value: Amount::ZERO, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    actor.done(&outcome, json!({ "asset": asset }), &format!("asset {asset} is sealed and earns"))
}

/// Gives an asset away.
async fn transfer(actor: &Actor<'_>, asset: AssetId, to: Address) -> Result<()> {
    let from = actor.address();
    let waiting = IRoyalties::earnedInCall { account: from, asset: asset.0 };
    let waiting = actor.client.call(ROYALTIES, &waiting).await.map_err(refused)?;
    let call = IAssets::transferFromCall { from, to, tokenId: asset.into() };
    let preview = vec![
        line("give asset", asset.to_string()),
        line("to", to.to_string()),
        coins("settled to you before", Amount::from_base_units(waiting)),
        line("its future income", "goes to the new owner"),
    ];
    let deed = Deed { to: ASSETS, value: Amount::ZERO, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    actor.done(
        &outcome,
        json!({"asset": asset, "owner": to}),
        &format!("asset {asset} belongs to {to}"),
    )
}
