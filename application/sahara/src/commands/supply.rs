//! `sahara supply`.

use crate::{
    cli::Supply,
    failure::{Failure, Kind},
    local::directory,
    output::{Format, table},
    refusal::refused,
    session::Session,
};
use eyre::{Result, WrapErr};
use sahara_abi::{COIN, ICoin};
use sahara_chain::{
    genesis::GenesisFile,
    store::{Store, StoreError, StoreOptions},
};
use sahara_evm::{CLASSES, Holder};
use sahara_primitives::{Address, Amount};
use serde::Serialize;
use std::fs;

#[derive(Serialize)]
struct Shown {
    total: Amount,
    classes: Vec<Class>,
}

#[derive(Serialize)]
struct Class {
    name: &'static str,
    at_genesis: Amount,
    account: Option<Address>,
    held_now: Option<Amount>,
}

#[derive(Serialize)]
struct Recounted {
    block: u64,
    accounts: u64,
    total: Amount,
    expected: Amount,
    state_root: String,
    holds: bool,
}

/// Shows the supply by class, or adds up every balance of a stopped node.
pub(crate) async fn run(supply: &Supply, session: &Session, format: Format) -> Result<()> {
    if supply.recount {
        return recount(supply, session, format);
    }
    let client = session.client()?;
    let total = client.call(COIN, &ICoin::totalSupplyCall {}).await.map_err(refused)?;
    let mut classes = Vec::new();
    for class in CLASSES {
        let account = match class.holder {
            Holder::Account(account) => Some(account),
            Holder::Sale | Holder::Liquidity => None,
        };
        let held_now = match account {
            Some(account) => Some(client.balance(account).await.map_err(refused)?),
            None => None,
        };
        let at_genesis = Amount::from_coins(class.millions.saturating_mul(1_000_000));
        classes.push(Class { name: class.name, at_genesis, account, held_now });
    }
    let shown = Shown { total: Amount::from_base_units(total), classes };
    format.print(&shown, |shown| {
        let mut rows =
            vec![["CLASS", "AT GENESIS", "HELD NOW", "ACCOUNT"].map(String::from).to_vec()];
        rows.extend(shown.classes.iter().map(|class| {
            let now =
                class.held_now.map_or_else(|| String::from("distributed"), |held| held.to_string());
            let account = class.account.map_or_else(String::new, |account| account.to_string());
            vec![class.name.into(), class.at_genesis.to_string(), now, account]
        }));
        format!(
            "{}\ntotal {} SAHARA, fixed: every node checks it after every block",
            table(&rows),
            shown.total
        )
    })
}

fn recount(supply: &Supply, session: &Session, format: Format) -> Result<()> {
    let local = directory(&session.places);
    let node = supply.directory.clone().unwrap_or_else(|| local.join("node-0"));
    let file = node.parent().unwrap_or(&local).join("genesis.json");
    let bytes = fs::read(&file).wrap_err_with(|| format!("could not read {}", file.display()))?;
    let genesis = GenesisFile::parse(&bytes)?.build()?;
    let store = Store::open(node.join("chain"), StoreOptions::default(), &genesis);
    let store = store.map_err(|error| match error {
        StoreError::InUse(place) => Failure::refused(format!(
            "a node is running on {}: stop it first, as with `sahara down`",
            place.display()
        )),
        other => other.into(),
    })?;
    let counted = store.recount()?;
    let expected = sahara_protocols::GENESIS_SUPPLY;
    let total = Amount::from_base_units(counted.total);
    let recounted = Recounted {
        block: store.head().number,
        accounts: counted.accounts,
        total,
        expected,
        state_root: counted.root.to_string(),
        holds: total == expected && counted.root == store.head().header.state_root,
    };
    format.print(&recounted, |it| {
        table(&[
            vec!["block".into(), it.block.to_string()],
            vec!["accounts".into(), it.accounts.to_string()],
            vec!["sum of all balances".into(), format!("{} SAHARA", it.total)],
            vec!["genesis supply".into(), format!("{} SAHARA", it.expected)],
            vec!["state root, recomputed".into(), it.state_root.clone()],
        ])
    })?;
    if recounted.holds {
        Ok(())
    } else {
        Err(Failure::said(Kind::Failed, "the supply law is broken"))
    }
}
