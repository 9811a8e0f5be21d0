//! Before linking: who would be paid.

use super::asset::parse_edge;
use crate::{
    output::{Format, count, table},
    refusal::refused,
};
use eyre::Result;
use sahara_abi::{ASSETS, IAssets, IRoyalties, ROYALTIES};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, AssetId, BasisPoints};
use serde::Serialize;

#[derive(Serialize)]
struct Preview {
    of: Amount,
    parts: Vec<Part>,
    room: u16,
}

#[derive(Serialize)]
struct Part {
    asset: u64,
    owner: Option<Address>,
    /// Who divides the part; 0: the owner alone takes it.
    members: u64,
    units: String,
    share: u16,
    amount: Amount,
}

/// Shows every payee of an asset with these parents.
pub(super) async fn preview(
    client: &ChainClient,
    parents: &[String],
    (derivative_royalty, amount): (u16, Amount),
    format: Format,
) -> Result<()> {
    let edges = parents.iter().map(|parent| parse_edge(parent)).collect::<Result<Vec<_>>>()?;
    let call = IAssets::previewCall {
        edges,
        derivativeRoyalty: derivative_royalty,
        amount: amount.base_units(),
    };
    let answer = client.call(ASSETS, &call).await.map_err(refused)?;
    let mut parts = Vec::new();
    for part in &answer.parts {
        parts.push(payee(client, part).await?);
    }
    let preview = Preview { of: amount, parts, room: answer.room };
    format.print(&preview, text)
}

async fn payee(client: &ChainClient, part: &IAssets::Part) -> Result<Part> {
    let (share, amount) = (part.share, Amount::from_base_units(part.amount));
    let asset = part.asset;
    if asset == 0 {
        return Ok(Part { asset, owner: None, members: 0, units: "0".into(), share, amount });
    }
    let owner = IAssets::ownerOfCall { tokenId: AssetId(asset).into() };
    let owner = client.call(ASSETS, &owner).await.map_err(refused)?;
    let pool = client.call(ROYALTIES, &IRoyalties::poolCall { asset }).await.map_err(refused)?;
    let units = pool.units.to_string();
    Ok(Part { asset, owner: Some(owner), members: pool.members, units, share, amount })
}

fn percent(points: u16) -> String {
    BasisPoints::new(points).map_or_else(|_| format!("{points} bps"), |ratio| ratio.to_string())
}

fn text(preview: &Preview) -> String {
    let mut rows = vec![vec![
        String::from("ASSET"),
        String::from("PAYEE"),
        String::from("SHARE"),
        format!("OF {} SAHARA", preview.of),
    ]];
    rows.extend(preview.parts.iter().map(|part| {
        let asset = if part.asset == 0 { String::from("this one") } else { part.asset.to_string() };
        let payee = match (part.owner, part.units.as_str()) {
            (None, _) => String::from("you"),
            (Some(owner), "0") => owner.to_string(),
            (Some(_), units) => {
                format!("{units} units, {}", count(part.members, "active member"))
            }
        };
        vec![asset, payee, percent(part.share), part.amount.to_string()]
    }));
    let own = preview.parts.iter().find(|part| part.asset == 0).map_or(0, |part| part.share);
    let above = 10_000_u16.saturating_sub(own);
    format!(
        "{}\n{} of the income go to those above, {} stay; your descendants have {} to give",
        table(&rows),
        percent(above),
        percent(own),
        percent(preview.room)
    )
}
