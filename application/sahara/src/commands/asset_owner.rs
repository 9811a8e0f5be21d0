//! What only an asset's owner does.

use super::deed::{Actor, Deed, coins, words as line};
use crate::refusal::refused;
use eyre::Result;
use sahara_abi::{ASSETS, IAssets, IRoyalties, ROYALTIES};
use sahara_primitives::{Address, Amount, AssetId};
use serde_json::json;

/// Seals an asset.
pub(super) async fn seal(actor: &Actor<'_>, asset: AssetId) -> Result<()> {
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
pub(super) async fn transfer(actor: &Actor<'_>, asset: AssetId, to: Address) -> Result<()> {
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
