//! `sahara asset versions`: the line to which an asset belongs.

use super::asset::name_of;
use crate::{
    output::{Format, table},
    refusal::refused,
};
use eyre::Result;
use sahara_abi::{ASSETS, IAssets};
use sahara_client::ChainClient;
use sahara_primitives::{Address, AssetId, B256, U256};
use serde::Serialize;

/// Versions that are asked for at once.
const PAGE: u64 = 100;

/// A line of versions.
#[derive(Serialize)]
struct Line {
    /// The asset that was asked for.
    asset: u64,
    /// Its place, from 1.
    number: u64,
    first: u64,
    latest: u64,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    number: u64,
    asset: u64,
    name: String,
    owner: Address,
    content_hash: B256,
}

/// Shows every version of an asset, oldest first.
pub(super) async fn show(client: &ChainClient, asset: AssetId, format: Format) -> Result<()> {
    let standing = IAssets::versionOfCall { asset: asset.0 };
    let standing = client.call(ASSETS, &standing).await.map_err(refused)?;
    let mut versions = Vec::new();
    for (number, id) in (1..).zip(ids(client, asset).await?) {
        versions.push(version(client, number, id).await?);
    }
    let IAssets::versionOfReturn { first, number, latest } = standing;
    let line = Line { asset: asset.0, number, first, latest, versions };
    format.print(&line, text)
}

/// The ids of the whole line.
async fn ids(client: &ChainClient, asset: AssetId) -> Result<Vec<u64>> {
    let mut ids: Vec<u64> = Vec::new();
    loop {
        let history = IAssets::historyCall {
            asset: asset.0,
            start: U256::from(ids.len()),
            count: U256::from(PAGE),
        };
        let page = client.call(ASSETS, &history).await.map_err(refused)?;
        ids.extend(&page.versions);
        if page.versions.is_empty() || U256::from(ids.len()) >= page.total {
            return Ok(ids);
        }
    }
}

async fn version(client: &ChainClient, number: u64, id: u64) -> Result<Version> {
    let asset = client.call(ASSETS, &IAssets::assetCall { asset: id }).await.map_err(refused)?;
    let owner = IAssets::ownerOfCall { tokenId: U256::from(id) };
    let owner = client.call(ASSETS, &owner).await.map_err(refused)?;
    let (name, content_hash) = (name_of(&asset.metadataURI), asset.contentHash);
    Ok(Version { number, asset: id, name, owner, content_hash })
}

fn text(line: &Line) -> String {
    let mut rows =
        vec![["VERSION", "ASSET", "NAME", "OWNER", "CONTENT HASH"].map(String::from).to_vec()];
    rows.extend(line.versions.iter().map(|version| {
        let Version { number, asset, name, owner, content_hash } = version;
        let (owner, hash) = (owner.to_string(), content_hash.to_string());
        vec![number.to_string(), asset.to_string(), name.clone(), owner, hash]
    }));
    format!(
        "{}\nasset {} is version {} of {}",
        table(&rows),
        line.asset,
        line.number,
        line.versions.len()
    )
}
