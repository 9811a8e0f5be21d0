//! `sahara key list` and `sahara key show`.

use super::{Record, Standing};
use crate::{
    output::{Format, from_now, now, pairs, table, utc},
    refusal::{refusal, silent},
    session::Session,
};
use eyre::Result;
use sahara_client::ChainClient;
use sahara_primitives::{Amount, Timestamp};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    record: Record,
    channel: String,
    max_total: Amount,
    max_per_day: Amount,
    /// What the chain says; absent when no node answers.
    standing: Option<Standing>,
    risk: String,
    /// What the gateway says, for whoever holds the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_says: Option<Value>,
}

impl Shown {
    fn new(record: Record, standing: Option<Standing>) -> Self {
        let amount = |units: alloy_primitives::aliases::U96| Amount::from_u128(units.to());
        let (max_total, max_per_day) =
            (amount(record.grant.maxTotal), amount(record.grant.maxPerDay));
        let risk = standing.as_ref().map_or_else(
            || format!("No node answers: at most {max_total} SAHARA, {max_per_day} a day, less what was spent."),
            Standing::risk,
        );
        let channel = record.channel().to_string();
        Self { record, channel, max_total, max_per_day, standing, risk, gateway_says: None }
    }
}

/// Every key signed here, with what the chain says of it.
pub(super) async fn list(session: &Session, format: Format) -> Result<()> {
    let client = session.client().ok();
    let mut shown = Vec::new();
    for record in Record::all(&session.places)? {
        let standing = standing(client.as_ref(), &record).await;
        shown.push(Shown::new(record, standing));
    }
    format.print(&shown, |shown| {
        if shown.is_empty() {
            return String::from("no key was made on this machine: `sahara key create` makes one");
        }
        let head = ["KEY", "STATE", "LIMIT", "A DAY", "COLLECTED", "AT RISK", "ENDS", "GATEWAY"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(shown.iter().map(row));
        format!(
            "{}\nAt risk: the most that a thief of the key, or a lying gateway, can still take. In SAHARA.",
            table(&rows)
        )
    })
}

/// The standing, if a node of the key's chain answers.
async fn standing(client: Option<&ChainClient>, record: &Record) -> Option<Standing> {
    let client = client?;
    if client.chain_id().await.ok()? != record.chain_id {
        return None;
    }
    Standing::read(client, record).await.ok()
}

fn row(shown: &Shown) -> Vec<String> {
    let known = |field: fn(&Standing) -> String| {
        shown.standing.as_ref().map_or_else(|| String::from("?"), field)
    };
    vec![
        shown.record.label(),
        known(|standing| standing.state.text().to_owned()),
        shown.max_total.to_string(),
        shown.max_per_day.to_string(),
        known(|standing| standing.collected.to_string()),
        known(|standing| standing.at_risk.to_string()),
        from_now(Timestamp(shown.record.grant.validUntil), now()),
        shown.record.gateway_url.clone(),
    ]
}

/// One key: from what was signed here and the chain, and for an API key from its gateway too.
pub(super) async fn run(key: Option<&str>, session: &Session, format: Format) -> Result<()> {
    let key = match key {
        Some(key) => key.to_owned(),
        None => session.api_key(None)?,
    };
    let Some(record) = Record::find(&session.places, &key)? else {
        if !key.starts_with("sk-") {
            return Record::expect(&session.places, &key).map(drop);
        }
        let said = ask(session, &session.gateway()?, &key).await?;
        return format.print(&said, said_text);
    };
    let client = session.client().ok();
    let standing = standing(client.as_ref(), &record).await;
    let url = record.gateway_url.clone();
    let mut shown = Shown::new(record, standing);
    if key.starts_with("sk-") {
        // The chain knows the limits; the gateway only adds what is not settled yet.
        shown.gateway_says = ask(session, &url, &key).await.ok();
    }
    format.print(&shown, text)
}

async fn ask(session: &Session, url: &str, api_key: &str) -> Result<Value> {
    let request = session.http.get(format!("{url}/v1/key")).bearer_auth(api_key);
    let response = request.send().await.map_err(|error| silent(url, &error))?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    Ok(response.json().await?)
}

fn text(shown: &Shown) -> String {
    let (record, grant) = (&shown.record, &shown.record.grant);
    let end = Timestamp(grant.validUntil);
    let mut rows = vec![
        ("key id", record.key_id.to_string()),
        ("payer", grant.payer.to_string()),
        ("gateway", format!("{} at {}", grant.gateway, record.gateway_url)),
        ("assets", assets(&grant.assets)),
        ("limit", format!("{} SAHARA, {} a day (UTC)", shown.max_total, shown.max_per_day)),
        ("good until", format!("{} ({})", utc(end), from_now(end, now()))),
    ];
    if let Some(name) = &record.name {
        rows.insert(0, ("name", name.clone()));
    }
    if let Some(standing) = &shown.standing {
        rows.push(("state", standing.state.text().to_owned()));
        let today =
            format!("{} SAHARA, {} of it today", standing.collected, standing.collected_today);
        rows.push(("collected", today));
        rows.push(("set aside", format!("{} SAHARA more", standing.set_aside)));
        rows.push(("rest of the deposit", format!("{} SAHARA", standing.free_deposit)));
        rows.extend(standing.return_text().map(|text| ("the rest returns", text)));
    }
    if let Some(spent) = shown.gateway_says.as_ref().and_then(|said| said.get("spent")?.as_str()) {
        rows.push((
            "spent, says its gateway",
            format!("{spent} SAHARA, not settled ones included"),
        ));
    }
    format!("{}\n\n{}", pairs(rows), shown.risk)
}

fn assets(assets: &[u64]) -> String {
    if assets.is_empty() {
        return String::from("any");
    }
    assets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a gateway says of a key that was signed elsewhere.
fn said_text(said: &Value) -> String {
    let field = |name: &str| match said.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::from("-"),
    };
    let end = said.get("valid_until").and_then(Value::as_u64).unwrap_or_default();
    let rows = [
        ("key id", field("key_id")),
        ("payer", field("payer")),
        ("gateway", field("gateway")),
        ("assets", field("assets")),
        ("limit", format!("{} SAHARA, {} a day (UTC)", field("limit"), field("limit_per_day"))),
        ("good until", utc(Timestamp(end))),
        ("spent", format!("{} SAHARA", field("spent"))),
        ("set aside", format!("{} SAHARA more", field("set_aside"))),
    ];
    format!(
        "{}\n\n{}\nThe gateway says so; the grant was signed elsewhere.",
        pairs(rows),
        field("risk")
    )
}
