//! `sahara asset`.

use crate::{
    cli::{Asset, Doing, Register},
    commands::{
        act::Act, asset_account, asset_owner, asset_preview, asset_versions, asset_words as words,
        content, income,
    },
    failure::Failure,
    output::{Format, table},
    refusal::refused,
    session::Session,
};
use alloy_rpc_types_eth::Filter;
use eyre::{Result, WrapErr, eyre};
use sahara_abi::{ASSETS, IAssets, IRoyalties, IWorkers, ROYALTIES, WORKERS};
use sahara_client::{ChainClient, TxOutcome};
use sahara_primitives::{Address, Amount, AssetId, B256, keccak256};
use serde::Serialize;
use serde_json::json;
use std::fs;

/// One asset as people see it.
#[derive(Serialize)]
pub(crate) struct Shown {
    pub(crate) id: u64,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) owner: Address,
    creator: Address,
    content_hash: B256,
    metadata_uri: String,
    license: Option<String>,
    document_hash: Option<B256>,
    input_price: Amount,
    output_price: Amount,
    derivative_royalty: u16,
    derivatives: &'static str,
    is_sealed: bool,
    parents: Vec<Parent>,
    ancestors: Vec<Ancestor>,
    earned: Amount,
    members: u64,
}

#[derive(Serialize)]
struct Parent {
    asset: u64,
    relation: String,
}

#[derive(Serialize)]
struct Ancestor {
    asset: u64,
    share: u16,
}

/// Runs an asset command.
pub(crate) async fn run(asset: &Asset, session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    match asset {
        Asset::Register(asked) => register(asked, session, format).await,
        Asset::Show { asset } => {
            let shown = show(&client, *asset).await?;
            format.print(&shown, details)
        }
        Asset::List => format.print(&list(&client).await?, |assets| rows(assets)),
        Asset::Versions { asset } => asset_versions::show(&client, *asset, format).await,
        Asset::Account(account) => asset_account::run(account, session, format).await,
        Asset::Serve { asset, input_price, output_price, doing } => {
            serve(*asset, (*input_price, *output_price), doing, session, format).await
        }
        Asset::Push { asset, from, vault, doing } => {
            content::push(session, (*asset, from), (vault.as_deref(), doing), format).await
        }
        Asset::Pull { asset, to, vault, signer } => {
            let key = content::reader(session, signer).await?;
            content::pull(session, (*asset, to), (vault.as_deref(), key), format).await
        }
        Asset::Verify { asset, files, vault } => {
            content::verify(session, *asset, (files.as_deref(), vault.as_deref()), format).await
        }
        Asset::Preview { parents, derivative_royalty, amount } => {
            asset_preview::preview(&client, parents, (*derivative_royalty, *amount), format).await
        }
        Asset::Seal { .. }
        | Asset::Approve { .. }
        | Asset::Price { .. }
        | Asset::Transfer { .. } => asset_owner::run(asset, session, format).await,
    }
}

async fn register(asked: &Register, session: &Session, format: Format) -> Result<()> {
    let call = IAssets::registerCall { registration: registration(asked, session)? };
    let act = Act::of(&asked.doing, ASSETS, Amount::ZERO);
    let Some(outcome) = act.perform(session, &call, format).await? else { return Ok(()) };
    let registered = outcome.events::<IAssets::Registered>();
    let id = registered.first().ok_or_else(|| eyre!("the chain registered nothing"))?.data.asset;
    said((id, format!("asset {id}")), &outcome, format)
}

async fn serve(
    asset: AssetId,
    (input_price, output_price): (Amount, Amount),
    doing: &Doing,
    session: &Session,
    format: Format,
) -> Result<()> {
    let call = IWorkers::serveCall {
        asset: asset.0,
        inputPrice: price(input_price)?,
        outputPrice: price(output_price)?,
    };
    let act = Act::of(doing, WORKERS, Amount::ZERO);
    let Some(outcome) = act.perform(session, &call, format).await? else { return Ok(()) };
    said((asset.0, String::from("offered")), &outcome, format)
}

/// Says what became of an asset, and where that stands.
fn said((asset, what): (u64, String), outcome: &TxOutcome, format: Format) -> Result<()> {
    let (block, hash) = (outcome.block_number, outcome.hash);
    format.print(&json!({"asset": asset, "transaction": hash, "block": block}), |_| {
        format!("{what}, final in block {block}: {hash}")
    })
}

fn rows(assets: &[Shown]) -> String {
    let mut rows = vec![["ID", "KIND", "NAME", "OWNER", "EARNED"].map(String::from).to_vec()];
    rows.extend(assets.iter().map(|a| {
        let (kind, owner) = (a.kind.to_owned(), a.owner.to_string());
        vec![a.id.to_string(), kind, a.name.clone(), owner, a.earned.to_string()]
    }));
    table(&rows)
}

/// Every asset.
pub(crate) async fn list(client: &ChainClient) -> Result<Vec<Shown>> {
    let count = client.call(ASSETS, &IAssets::assetCountCall {}).await.map_err(refused)?;
    let mut assets = Vec::new();
    for id in 1..=count {
        assets.push(show(client, AssetId(id)).await?);
    }
    Ok(assets)
}

async fn show(client: &ChainClient, id: AssetId) -> Result<Shown> {
    let unknown = |error: sahara_client::ClientError| match error.revert() {
        Some(revert) if revert.is::<IAssets::UnknownAsset>() => {
            Failure::not_found(format!("there is no asset {id}"))
        }
        _ => refused(error),
    };
    let asset = client.call(ASSETS, &IAssets::assetCall { asset: id.0 }).await.map_err(unknown)?;
    let owner =
        client.call(ASSETS, &IAssets::ownerOfCall { tokenId: id.into() }).await.map_err(refused)?;
    let edges = client.call(ASSETS, &IAssets::edgesCall { asset: id.0 }).await.map_err(refused)?;
    let ancestors =
        client.call(ASSETS, &IAssets::ancestorsCall { asset: id.0 }).await.map_err(refused)?;
    let pool =
        client.call(ROYALTIES, &IRoyalties::poolCall { asset: id.0 }).await.map_err(refused)?;
    let earned = earned(client, id, &pool).await?;
    let card = sahara_vault::card_of(&asset.metadataURI);
    Ok(Shown {
        license: Some(card.license).filter(|license| !license.is_empty()),
        document_hash: card.document,
        id: id.0,
        kind: words::word(words::KINDS, &asset.kind),
        name: name_of(&asset.metadataURI),
        owner,
        creator: asset.creator,
        content_hash: asset.contentHash,
        input_price: Amount::from_u128(asset.inputPrice),
        output_price: Amount::from_u128(asset.outputPrice),
        derivative_royalty: asset.derivativeRoyalty,
        derivatives: derivatives_name(asset.derivatives),
        is_sealed: asset.isSealed,
        metadata_uri: asset.metadataURI,
        parents: edges
            .iter()
            .map(|e| Parent { asset: e.parent, relation: words::relation(e.relation) })
            .collect(),
        ancestors: ancestors.iter().map(|a| Ancestor { asset: a.asset, share: a.share }).collect(),
        earned,
        members: pool.members,
    })
}

/// What an asset took so far: a pool held by one owner keeps no books, its events tell.
async fn earned(client: &ChainClient, id: AssetId, pool: &IRoyalties::Pool) -> Result<Amount> {
    if pool.members > 0 {
        return Ok(Amount::from_base_units(pool.deposited));
    }
    let parts = income::parts(client, |part| part.asset == id.0).await?;
    let filter = Filter::new()
        .address(ROYALTIES)
        .from_block(0)
        .topic1(B256::from(sahara_primitives::U256::from(id.0)));
    let given_back = client.events::<IRoyalties::Deposited>(filter).await.map_err(refused)?;
    let given_back = given_back.iter().map(|(_, event)| event.data.amount);
    let amounts = parts.iter().map(|(_, part)| part.amount).chain(given_back);
    Ok(Amount::sum(amounts.map(Amount::from_base_units))?)
}

fn details(asset: &Shown) -> String {
    let parents = asset.parents.iter().map(|p| format!("{} {}", p.relation, p.asset));
    let ancestors = asset.ancestors.iter().map(|a| format!("{} takes {} bps", a.asset, a.share));
    let rows = [
        ("asset", asset.id.to_string()),
        ("kind", asset.kind.into()),
        ("name", asset.name.clone()),
        ("owner", asset.owner.to_string()),
        ("creator", asset.creator.to_string()),
        ("content hash", asset.content_hash.to_string()),
        (
            "metadata hash",
            asset.document_hash.map_or_else(|| "none".into(), |hash| hash.to_string()),
        ),
        ("licence", asset.license.clone().unwrap_or_default()),
        ("input price", format!("{} SAHARA per 1,000,000 tokens", asset.input_price)),
        ("output price", format!("{} SAHARA per 1,000,000 tokens", asset.output_price)),
        ("asks of descendants", format!("{} bps", asset.derivative_royalty)),
        ("derivatives", asset.derivatives.into()),
        ("parents", parents.collect::<Vec<_>>().join(", ")),
        ("ancestors", ancestors.collect::<Vec<_>>().join(", ")),
        ("earned so far", format!("{} SAHARA", asset.earned)),
        ("members of its pool", asset.members.to_string()),
    ];
    table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
}

/// What `register` says as the chain takes it.
pub(crate) fn registration(
    register: &Register,
    session: &Session,
) -> Result<IAssets::Registration> {
    let described = match &register.from {
        Some(from) => content::describe(session, from, register)?,
        None => named(register)?,
    };
    Ok(IAssets::Registration {
        kind: parse_kind(&described.kind)?,
        contentHash: described.content,
        metadataURI: described.uri,
        inputPrice: price(register.input_price)?,
        outputPrice: price(register.output_price)?,
        derivativeRoyalty: register.derivative_royalty,
        derivatives: match register.derivatives.as_str() {
            "approval" => IAssets::Derivatives::Approval,
            "none" => IAssets::Derivatives::None,
            _ => IAssets::Derivatives::Open,
        },
        edges: register.parents.iter().map(|parent| parse_edge(parent)).collect::<Result<_>>()?,
        members: register
            .members
            .iter()
            .map(|member| parse_member(member))
            .collect::<Result<_>>()?,
        ownerUnits: alloy_primitives::aliases::U96::from(register.owner_units),
        isOpen: register.open,
    })
}

/// What goes on chain about the content.
pub(crate) struct Described {
    pub(crate) kind: String,
    pub(crate) content: B256,
    pub(crate) uri: String,
}

/// An asset that is named and hashed, no more.
fn named(register: &Register) -> Result<Described> {
    let content = match &register.content {
        Some(path) => {
            fs::read(path).wrap_err_with(|| format!("could not read {}", path.display()))?
        }
        None => register.prompt.clone().unwrap_or_default().into_bytes(),
    };
    if content.is_empty() {
        return Err(Failure::usage(
            "an asset needs content: give --content FILE, --from FILE|DIR, or --prompt TEXT for an agent",
        ));
    }
    let mut metadata = json!({"name": register.name, "content": "keccak256"});
    if let (Some(prompt), Some(card)) = (&register.prompt, metadata.as_object_mut()) {
        card.insert("prompt".into(), json!(prompt));
    }
    Ok(Described {
        kind: register.kind.clone().unwrap_or_default(),
        content: keccak256(content),
        uri: format!("data:application/json,{metadata}"),
    })
}

pub(super) fn price(amount: Amount) -> Result<u128> {
    amount.to_u128().ok_or_else(|| Failure::usage(format!("{amount} SAHARA is no price")))
}

fn parse_member(text: &str) -> Result<IAssets::Member> {
    let expected = || Failure::usage(format!("`{text}` is no member: expected ADDRESS:UNITS"));
    let (account, units) = text.rsplit_once(':').ok_or_else(expected)?;
    let units: u64 = units.parse().map_err(|_| expected())?;
    Ok(IAssets::Member {
        account: account.parse().map_err(|_| expected())?,
        units: alloy_primitives::aliases::U96::from(units),
    })
}

pub(crate) fn parse_edge(text: &str) -> Result<IAssets::Edge> {
    let expected = || {
        Failure::usage(format!(
            "`{text}` is no parent: expected ID:RELATION, the relation one of {}",
            words::all(words::RELATIONS)
        ))
    };
    let (id, relation) = text.split_once(':').unwrap_or((text, "derived-from"));
    let relation = words::value(words::RELATIONS, relation).ok_or_else(expected)?;
    let id: AssetId = id.parse().map_err(|_| expected())?;
    Ok(IAssets::Edge { parent: id.0, relation })
}

fn parse_kind(text: &str) -> Result<IAssets::Kind> {
    words::value(words::KINDS, text).ok_or_else(|| {
        let kinds = words::all(words::KINDS);
        Failure::usage(format!("`{text}` is no kind: expected one of {kinds}"))
    })
}

const fn derivatives_name(derivatives: IAssets::Derivatives) -> &'static str {
    match derivatives {
        IAssets::Derivatives::Open => "open to anyone",
        IAssets::Derivatives::Approval => "with the owner's approval",
        IAssets::Derivatives::None => "none",
        _ => "unknown",
    }
}

/// The name in a metadata URI of the form `data:application/json,{...}`.
pub(crate) fn name_of(metadata_uri: &str) -> String {
    let card = metadata_uri.strip_prefix("data:application/json,");
    let card = card.and_then(|card| serde_json::from_str::<serde_json::Value>(card).ok());
    let name = card.and_then(|card| Some(card.get("name")?.as_str()?.to_owned()));
    // Names come from strangers: nothing in them may move the cursor.
    name.unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect()
}
