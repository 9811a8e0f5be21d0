//! `sahara asset account`: what an asset holds, moved by whoever owns the asset.

use super::deed::{Actor, Line, coins, words as line};
use crate::{
    cli::Account,
    output::{Format, pairs},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{ASSETS, IAssets, ILicenses, LICENSES};
use sahara_client::{AccountCall, ChainClient};
use sahara_primitives::{Address, Amount, AssetId, U256};
use serde::Serialize;
use serde_json::{Value, json};

/// An account as people see it.
#[derive(Serialize)]
struct Shown {
    asset: AssetId,
    account: Address,
    owner: Address,
    /// Its balance.
    holds: Amount,
    /// What it earned and is credited before it spends.
    waiting: Amount,
    assets: u64,
    licenses: u64,
    /// How often it has acted.
    actions: u64,
    /// Whether its code stands there; the first action places it.
    has_code: bool,
}

/// What an account is to do, and how that is told.
struct Wish {
    asset: AssetId,
    call: AccountCall,
    preview: Vec<Line>,
    facts: Value,
    text: String,
}

/// Runs a command about an account.
pub(super) async fn run(account: &Account, session: &Session, format: Format) -> Result<()> {
    let (wish, signer, consent) = match account {
        Account::Show { asset } => {
            return format.print(&find(&session.client()?, *asset).await?, text);
        }
        Account::Send { asset, to, amount, signer, consent } => {
            (send(*asset, *to, *amount), signer, consent)
        }
        Account::Give { asset, thing, to, signer, consent } => {
            let client = session.client()?;
            let from = client.asset_account(*asset).await.map_err(refused)?.address;
            // Both collections have the same call.
            let give = IAssets::transferFromCall { from, to: *to, tokenId: thing.0.token() };
            let wish = Wish {
                asset: *asset,
                call: AccountCall::of(thing.0.collection(), Amount::ZERO, &give),
                preview: vec![line("give", thing.to_string()), line("to", to.to_string())],
                facts: json!({"asset": asset, "gave": thing, "to": to}),
                text: format!("{thing} of asset {asset}'s account belongs to {to}"),
            };
            (wish, signer, consent)
        }
        Account::Call { asset, to, value, data, signer, consent } => {
            let (to, value) = (*to, *value);
            let wish = Wish {
                asset: *asset,
                preview: vec![
                    line("call", to.to_string()),
                    coins("with", value),
                    line("data", data.to_string()),
                ],
                facts: json!({"asset": asset, "called": to, "value": value}),
                text: format!("the account of asset {asset} called {to}"),
                call: AccountCall { to, value, data: data.clone() },
            };
            (wish, signer, consent)
        }
    };
    let actor = Actor::new(session, signer, Some(consent), format).await?;
    act(&actor, wish).await
}

fn send(asset: AssetId, to: Address, amount: Amount) -> Wish {
    Wish {
        asset,
        call: AccountCall { to, value: amount, ..AccountCall::default() },
        preview: vec![coins("send", amount), line("to", to.to_string())],
        facts: json!({"asset": asset, "sent": amount, "to": to}),
        text: format!("{amount} SAHARA of asset {asset}'s account are sent to {to}"),
    }
}

/// Tries it, shows it, asks, and has the account do it.
async fn act(actor: &Actor<'_>, wish: Wish) -> Result<()> {
    let Wish { asset, call, mut preview, facts, text } = wish;
    let client = &actor.client;
    client.try_through(actor.address(), asset, &call).await.map_err(refused)?;
    preview.push(line("out of the account of asset", asset.to_string()));
    preview.push(line("then", "listings of the asset are void"));
    if !actor.agrees(&preview)? {
        return Ok(());
    }
    let outcome = client.act_through(&actor.key, asset, &call).await.map_err(refused)?;
    actor.done(&outcome, facts, &text)
}

async fn find(client: &ChainClient, asset: AssetId) -> Result<Shown> {
    let account = client.asset_account(asset).await.map_err(refused)?;
    let owner = account.address;
    let assets = client.call(ASSETS, &IAssets::balanceOfCall { owner }).await.map_err(refused)?;
    let licenses = ILicenses::balanceOfCall { owner };
    let licenses = client.call(LICENSES, &licenses).await.map_err(refused)?;
    let number = |count: U256| count.saturating_to::<u64>();
    Ok(Shown {
        asset,
        account: account.address,
        owner: account.owner,
        holds: client.balance(owner).await.map_err(refused)?,
        waiting: client.earned(owner).await.map_err(refused)?,
        assets: number(assets),
        licenses: number(licenses),
        actions: number(account.actions),
        has_code: account.has_code,
    })
}

fn text(account: &Shown) -> String {
    let code = if account.has_code { "stands there" } else { "is placed by its first action" };
    pairs([
        ("account", account.account.to_string()),
        ("of asset", account.asset.to_string()),
        ("acts for", account.owner.to_string()),
        ("holds", format!("{} SAHARA", account.holds)),
        ("earned and waiting", format!("{} SAHARA", account.waiting)),
        ("assets", account.assets.to_string()),
        ("licences", account.licenses.to_string()),
        ("actions so far", account.actions.to_string()),
        ("its code", code.to_owned()),
    ])
}
