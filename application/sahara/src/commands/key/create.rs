//! `sahara key create`: a grant is signed, kept, and handed to the gateway.

use super::record::{Record, check_name};
use crate::{
    cli::CreateKey,
    commands::act,
    failure::Failure,
    output::{Format, now, utc},
    refusal::{refusal, refused, silent},
    session::Session,
};
use alloy_primitives::aliases::U96;
use eyre::Result;
use sahara_abi::{CHANNELS, IChannels, signing::channels_domain};
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::{Address, Amount, AssetId, Timestamp, keccak256};
use serde::Serialize;
use serde_json::{Value, json};

/// A key and what it may spend.
#[derive(Serialize)]
pub(crate) struct Made {
    pub(crate) api_key: String,
    key_id: String,
    payer: Address,
    gateway: Address,
    max_total: Amount,
    max_per_day: Amount,
    valid_until: u64,
    risk: String,
}

/// What a new key may spend.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) total: Amount,
    pub(crate) per_day: Amount,
    pub(crate) assets: Vec<AssetId>,
    pub(crate) days: u32,
}

/// Runs the command.
pub(super) async fn run(key: &CreateKey, session: &Session, format: Format) -> Result<()> {
    check_new(key.name.as_deref(), session)?;
    let (client, payer) = (session.client()?, session.key(&key.doing.signer).await?);
    if key.doing.dry_run {
        try_out(key, session, (&client, payer.address())).await?;
        return act::tried_by("the gateway", payer.address(), format);
    }
    if let Some(amount) = &key.fund {
        let call = IChannels::fundCall { payer: payer.address() };
        client.send(&payer, CHANNELS, *amount, &call).await.map_err(refused)?;
    }
    let limits = Limits {
        total: key.limit,
        per_day: key.daily_limit,
        assets: key.assets.clone(),
        days: key.days,
    };
    let gateway = session.gateway()?;
    let made = create(session, (&gateway, &client), &payer, (&limits, key.name.clone())).await?;
    format.print(&made, |made| {
        let end = utc(Timestamp(made.valid_until));
        format!("{}\n\nShown once, and good until {end}. {}", made.api_key, made.risk)
    })
}

/// A name, if there is one, that no other key has.
fn check_new(name: Option<&str>, session: &Session) -> Result<()> {
    let Some(name) = name else { return Ok(()) };
    check_name(name)?;
    if Record::find(&session.places, name)?.is_some() {
        return Err(Failure::usage(format!("there is a key `{name}` already")));
    }
    Ok(())
}

/// Everything that can go wrong before a grant is signed.
async fn try_out(
    key: &CreateKey,
    session: &Session,
    (client, payer): (&ChainClient, Address),
) -> Result<()> {
    small(key.limit)?;
    small(key.daily_limit)?;
    gateway_at(session, &session.gateway()?).await?;
    let fund = key.fund.unwrap_or_default();
    if fund.is_zero() {
        return refuse_empty_deposit(client, payer).await;
    }
    let call = IChannels::fundCall { payer };
    client.simulate(payer, CHANNELS, fund, &call).await.map(drop).map_err(refused)
}

/// Signs a key grant for the gateway, keeps it, and hands it over.
pub(crate) async fn create(
    session: &Session,
    (url, client): (&str, &ChainClient),
    payer: &SigningKey,
    (limits, name): (&Limits, Option<String>),
) -> Result<Made> {
    let gateway = gateway_at(session, url).await?;
    refuse_empty_deposit(client, payer.address()).await?;
    let secret: [u8; 24] = rand::random();
    let api_key = format!("sk-{}", hex::encode(secret));
    let key_id = keccak256(api_key.as_bytes());
    let lifetime = u64::from(limits.days).saturating_mul(86_400);
    let grant = IChannels::KeyGrant {
        payer: payer.address(),
        gateway,
        keyId: key_id,
        maxTotal: small(limits.total)?,
        maxPerDay: small(limits.per_day)?,
        assets: limits.assets.iter().map(|asset| asset.0).collect(),
        validUntil: now().saturating_add(lifetime).0,
        nonce: rand::random(),
    };
    let chain_id = client.chain_id().await.map_err(refused)?;
    // Kept before it is handed over: whatever the gateway answers, what was signed can be revoked.
    let gateway_url = url.to_owned();
    let record =
        Record { key_id, name, chain_id, gateway_url, created: now().0, grant: grant.clone() };
    record.keep(&session.places)?;
    let signature = payer.sign_typed(&grant, &channels_domain(chain_id));
    let body = json!({"grant": grant, "signature": signature});
    let response = session.http.post(format!("{url}/v1/keys")).json(&body).send().await;
    let response = response.map_err(|error| silent(url, &error))?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let risk = format!(
        "It may spend at most {} SAHARA in all and {} on one day (UTC) of {}'s deposit. \
         Whoever has it, or a gateway that lies, can take that much and no more; `sahara key revoke` ends it.",
        limits.total, limits.per_day, grant.payer
    );
    Ok(Made {
        api_key,
        key_id: key_id.to_string(),
        payer: grant.payer,
        gateway: grant.gateway,
        max_total: limits.total,
        max_per_day: limits.per_day,
        valid_until: grant.validUntil,
        risk,
    })
}

/// The account of the gateway at a URL.
async fn gateway_at(session: &Session, url: &str) -> Result<Address> {
    let answer = session.http.get(format!("{url}/health")).send().await;
    let answer = answer.map_err(|error| silent(url, &error))?;
    let about: Value = answer.json().await.unwrap_or_default();
    let gateway = about.get("gateway").and_then(Value::as_str);
    let gateway = gateway.and_then(|gateway| gateway.parse().ok());
    gateway.ok_or_else(|| {
        Failure::network(format!(
            "what answers at {url} is no gateway: its /health names no account"
        ))
    })
}

/// Nothing is signed for a payer who cannot pay.
async fn refuse_empty_deposit(client: &ChainClient, payer: Address) -> Result<()> {
    let call = IChannels::depositOfCall { payer };
    if client.call(CHANNELS, &call).await.map_err(refused)?.is_zero() {
        return Err(Failure::refused(format!(
            "{payer} has no deposit to pay from: add --fund AMOUNT, or `sahara wallet fund AMOUNT` first"
        )));
    }
    Ok(())
}

fn small(amount: Amount) -> Result<U96> {
    let units = amount.to_u128().filter(|units| *units < 1 << 96).map(U96::from);
    units.ok_or_else(|| Failure::usage(format!("a limit of {amount} SAHARA is too large")))
}
