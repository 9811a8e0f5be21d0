//! `sahara key`.

use crate::{
    cli::Key,
    commands::{chat::refusal, validator_key, wallet::refused},
    failure::Failure,
    output::Format,
    session::Session,
};
use alloy_primitives::aliases::U96;
use eyre::{Result, eyre};
use sahara_abi::{CHANNELS, IChannels, signing::channels_domain};
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::{Address, Amount, AssetId, keccak256};
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
}

/// What a new key may spend.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) total: Amount,
    pub(crate) per_day: Amount,
    pub(crate) assets: Vec<AssetId>,
    pub(crate) days: u32,
}

/// Runs a key command.
pub(crate) async fn run(key: &Key, session: &Session, format: Format) -> Result<()> {
    match key {
        Key::Create { signer, limit, daily_limit, assets, days, fund } => {
            let (client, payer) = (session.client()?, session.key(signer).await?);
            if let Some(amount) = fund {
                let call = IChannels::fundCall { payer: payer.address() };
                client.send(&payer, CHANNELS, *amount, &call).await.map_err(refused)?;
            }
            let limits = Limits {
                total: *limit,
                per_day: *daily_limit,
                assets: assets.clone(),
                days: *days,
            };
            let made = create(&session.http, &session.gateway()?, &client, &payer, &limits).await?;
            format.print(&made, |made| {
                format!(
                    "{}\n\nShown once. It may spend at most {} SAHARA in all and {} on one day (UTC) of {}'s deposit.\n\
                     Whoever has it, or a gateway that lies, can take that much and no more.",
                    made.api_key, made.max_total, made.max_per_day, made.payer
                )
            })
        }
        Key::Show { api_key } => {
            let url = format!("{}/v1/key", session.gateway()?);
            let request = session.http.get(url).bearer_auth(session.api_key(api_key.as_ref())?);
            let response = request
                .send()
                .await
                .map_err(|error| Failure::network(format!("the gateway: {error}")))?;
            if !response.status().is_success() {
                return Err(refusal(response).await);
            }
            let shown: Value = response.json().await?;
            format.print(&shown, |shown| serde_json::to_string_pretty(shown).unwrap_or_default())
        }
        Key::Validator { file } => validator_key::run(file, format),
    }
}

/// Signs a key grant for the gateway and hands it over.
pub(crate) async fn create(
    http: &reqwest::Client,
    gateway_url: &str,
    client: &ChainClient,
    payer: &SigningKey,
    limits: &Limits,
) -> Result<Made> {
    let secret: [u8; 24] = rand::random();
    let api_key = format!("sk-{}", hex::encode(secret));
    let key_id = keccak256(api_key.as_bytes());
    let about: Value = http
        .get(format!("{gateway_url}/health"))
        .send()
        .await
        .map_err(|error| Failure::network(format!("the gateway: {error}")))?
        .json()
        .await?;
    let gateway = about
        .get("gateway")
        .and_then(Value::as_str)
        .ok_or_else(|| eyre!("the gateway names no address"))?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let small = |amount: Amount| {
        amount
            .to_u128()
            .filter(|units| *units < 1 << 96)
            .map(U96::from)
            .ok_or_else(|| eyre!("{amount} is too large"))
    };
    let grant = IChannels::KeyGrant {
        payer: payer.address(),
        gateway: gateway.parse()?,
        keyId: key_id,
        maxTotal: small(limits.total)?,
        maxPerDay: small(limits.per_day)?,
        assets: limits.assets.iter().map(|asset| asset.0).collect(),
        validUntil: now.saturating_add(u64::from(limits.days).saturating_mul(86_400)),
        nonce: rand::random(),
    };
    let signature = payer.sign_typed(&grant, &channels_domain(client.chain_id().await?));
    let body = json!({"grant": grant, "signature": signature});
    let response = http.post(format!("{gateway_url}/v1/keys")).json(&body).send().await?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    Ok(Made {
        api_key,
        key_id: key_id.to_string(),
        payer: grant.payer,
        gateway: grant.gateway,
        max_total: limits.total,
        max_per_day: limits.per_day,
        valid_until: grant.validUntil,
    })
}
