//! `sahara contribution`: who made an asset, a million at a time.

mod list;
mod proof;
mod statement;

use super::deed::{Actor, Deed, words as line};
use crate::{
    cli::{Contribution, Which},
    failure::Failure,
    output::{Format, pairs, table},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use list::List;
use sahara_abi::{
    ASSETS, CONTRIBUTIONS, IAssets,
    IContributions::{self, Activation},
    IRoyalties, ROYALTIES,
};
use sahara_client::{ChainClient, Filter};
use sahara_primitives::{Address, Amount, AssetId, B256, U256, merkle_sum::SumRoot};
use serde::Serialize;
use serde_json::json;
use std::path::Path;

/// Runs a contribution command.
pub(crate) async fn run(
    contribution: &Contribution,
    session: &Session,
    format: Format,
) -> Result<()> {
    match contribution {
        Contribution::Root { list } => {
            let root = List::read(list)?.tree.root();
            format.print(&root_value(&root), |_| pairs(root_lines(&root)))
        }
        Contribution::Prove { list, which } => {
            let proofs = proof::of_list(&List::read(list)?, which)?;
            // Proofs are for a program, whoever looks at them now.
            Format::Json.print(&proofs, |_| String::new())
        }
        Contribution::Commit { asset, list, seal, signer, consent } => {
            let actor = Actor::new(session, signer, Some(consent), format).await?;
            commit(&actor, *asset, list, *seal).await
        }
        Contribution::Activate { asset, proofs, list, which, doing } => {
            let actor = Actor::doing(session, doing, format).await?;
            activate(&actor, *asset, (proofs.as_deref(), list.as_deref()), which).await
        }
        Contribution::List { asset } => listed(&session.client()?, *asset, format).await,
        Contribution::Earned { account, signer } => {
            let account = match account {
                Some(account) => *account,
                None => session.key(signer).await?.address(),
            };
            earned(&session.client()?, account, format).await
        }
        Contribution::Statement(asked) => statement::run(asked, session, format).await,
    }
}

fn root_value(root: &SumRoot) -> serde_json::Value {
    json!({"root": root.root, "units": root.units.to_string(), "count": root.count})
}

fn root_lines(root: &SumRoot) -> Vec<(&'static str, String)> {
    vec![
        ("root", root.root.to_string()),
        ("units", root.units.to_string()),
        ("contributions", root.count.to_string()),
    ]
}

async fn commit(actor: &Actor<'_>, asset: AssetId, list: &Path, seals: bool) -> Result<()> {
    let root = List::read(list)?.tree.root();
    let units = alloy_primitives::aliases::U96::try_from(root.units)
        .map_err(|_| Failure::usage("the contributions' units exceed 96 bits"))?;
    let call =
        IContributions::commitCall { asset: asset.0, root: root.root, units, count: root.count };
    let mut preview = vec![line("commit asset", asset.to_string())];
    preview.extend(root_lines(&root).into_iter().map(|(name, text)| line(name, text)));
    let effect = if seals { "the asset is sealed and earns" } else { "the asset stays open" };
    preview.push(line("then", effect));
    let deed = Deed { to: CONTRIBUTIONS, value: Amount::ZERO, call: &call, preview };
    let Some(mut outcome) = actor.send(deed).await? else { return Ok(()) };
    if seals {
        let call = IAssets::sealCall { asset: asset.0 };
        let sealed = actor.client.send(&actor.key, ASSETS, Amount::ZERO, &call).await;
        outcome = sealed.map_err(refused)?;
    }
    let mut facts = root_value(&root);
    if let Some(facts) = facts.as_object_mut() {
        facts.insert("asset".into(), json!(asset));
        facts.insert("is_sealed".into(), json!(seals));
    }
    let text = format!(
        "asset {asset} is committed to {} contributions with {} units\nroot {}\nkeep the list: contributors are paid by proofs made from it",
        root.count, root.units, root.root
    );
    actor.done(&outcome, facts, &text)
}

async fn commitment(client: &ChainClient, asset: AssetId) -> Result<IContributions::Commitment> {
    let call = IContributions::commitmentCall { asset: asset.0 };
    client.call(CONTRIBUTIONS, &call).await.map_err(refused)
}

/// What is asked for, as the chain takes it: all of it is of the asset's own list.
async fn activations(
    client: &ChainClient,
    asset: AssetId,
    (proofs, list): (Option<&Path>, Option<&Path>),
    which: &Which,
) -> Result<Vec<Activation>> {
    let proofs = match (proofs, list) {
        (Some(path), _) => proof::read(path)?,
        (None, Some(path)) => proof::of_list(&List::read(path)?, which)?,
        (None, None) => return Err(Failure::usage("expected proofs, or --list FILE")),
    };
    if proofs.is_empty() {
        return Err(Failure::usage("there is no proof to activate"));
    }
    let committed = commitment(client, asset).await?;
    if committed.root.is_zero() {
        return Err(Failure::refused(format!("asset {asset} is committed to no contributors")));
    }
    if let Some(other) = proofs.iter().find(|one| one.root != committed.root) {
        return Err(Failure::refused(format!(
            "the proof is for root {}, asset {asset} is committed to {}: is it the right list?",
            other.root, committed.root
        )));
    }
    proofs.iter().map(proof::Proof::activation).collect()
}

/// Has the node try every transaction that [`activate`] would send.
async fn try_out(actor: &Actor<'_>, asset: AssetId, activations: &[Activation]) -> Result<()> {
    for batch in activations.chunks(proof::MOST_ACTIVATIONS) {
        let call = IContributions::activateCall { asset: asset.0, activations: batch.to_vec() };
        actor.attempt((CONTRIBUTIONS, Amount::ZERO), &call).await?;
    }
    actor.tried()
}

async fn activate(
    actor: &Actor<'_>,
    asset: AssetId,
    from: (Option<&Path>, Option<&Path>),
    which: &Which,
) -> Result<()> {
    let activations = activations(&actor.client, asset, from, which).await?;
    if actor.is_trying {
        return try_out(actor, asset, &activations).await;
    }
    let (mut added, mut paid, mut outcomes) = (0, Amount::ZERO, Vec::new());
    for batch in activations.chunks(proof::MOST_ACTIVATIONS) {
        let sent = actor
            .client
            .activate_contributions(&actor.key, asset, batch.to_vec())
            .await
            .map_err(refused)?;
        added += sent.0;
        for settled in sent.1.events::<IRoyalties::Settled>() {
            paid = paid.checked_add(Amount::from_base_units(settled.data.amount))?;
        }
        outcomes.push(sent.1);
    }
    let Some(last) = outcomes.last() else { return Ok(()) };
    let facts = json!({
        "asset": asset, "activated": added, "were_active": activations.len() - added, "paid_out": paid,
    });
    let text = format!(
        "{added} of {} contributions are active now, {} were before: {paid} SAHARA paid out",
        activations.len(),
        activations.len() - added
    );
    actor.done(last, facts, &text)
}

#[derive(Serialize)]
struct Listed {
    index: u32,
    contributor: Address,
    units: String,
}

async fn listed(client: &ChainClient, asset: AssetId, format: Format) -> Result<()> {
    client.call(ASSETS, &IAssets::assetCall { asset: asset.0 }).await.map_err(refused)?;
    let committed = commitment(client, asset).await?;
    let filter =
        Filter::new().address(CONTRIBUTIONS).from_block(0).topic1(B256::from(U256::from(asset.0)));
    let found = client.events::<IContributions::Activated>(filter).await.map_err(refused)?;
    let rows: Vec<_> = found
        .iter()
        .map(|(_, event)| Listed {
            index: event.data.index,
            contributor: event.data.contributor,
            units: event.data.units.to_string(),
        })
        .collect();
    let pool = client.call(ROYALTIES, &IRoyalties::poolCall { asset: asset.0 }).await;
    let pool = pool.map_err(refused)?;
    let value = json!({
        "asset": asset, "root": committed.root, "units": committed.units.to_string(), "count": committed.count,
        "activated": committed.activated, "activated_units": committed.activatedUnits.to_string(),
        "members": pool.members, "pool_units": pool.units.to_string(), "contributions": rows,
    });
    format.print(&value, |_| {
        let mut text = if committed.root.is_zero() {
            format!("asset {asset} is committed to no list of contributors")
        } else {
            format!(
                "asset {asset}: {} contributions with {} units, {} of them active with {}\nroot {}",
                committed.count,
                committed.units,
                committed.activated,
                committed.activatedUnits,
                committed.root
            )
        };
        text.push_str(&format!("\nmembers {}, units of the pool {}", pool.members, pool.units));
        if !rows.is_empty() {
            let mut all = vec![["INDEX", "CONTRIBUTOR", "UNITS"].map(String::from).to_vec()];
            all.extend(rows.iter().map(|row| {
                vec![row.index.to_string(), row.contributor.to_string(), row.units.clone()]
            }));
            text.push_str(&format!("\n\n{}", table(&all)));
        }
        text
    })
}

async fn earned(client: &ChainClient, account: Address, format: Format) -> Result<()> {
    let waiting = client.earned(account).await.map_err(refused)?;
    let balance = client.balance(account).await.map_err(refused)?;
    let value = json!({"account": account, "earned": waiting, "balance": balance});
    format.print(&value, |_| {
        pairs([
            ("account", account.to_string()),
            ("earned, credited before it is next spent", format!("{waiting} SAHARA")),
            ("in the wallet", format!("{balance} SAHARA")),
        ])
    })
}
