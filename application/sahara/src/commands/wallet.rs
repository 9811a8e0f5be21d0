//! `sahara wallet`.

use crate::{
    cli::{Doing, Signer, Wallet},
    commands::act::{self, Act},
    failure::Failure,
    output::{Format, pairs, table},
    refusal::refused,
    session::Session,
    signer,
};
use eyre::{Result, WrapErr};
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::{Keystore, KeystoreCost, SigningKey};
use sahara_primitives::{Address, Amount, U256};
use serde::Serialize;
use serde_json::json;
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

#[derive(Serialize)]
struct Listed {
    name: String,
    address: Option<Address>,
}

#[derive(Serialize)]
struct Balance {
    address: Address,
    wallet: Amount,
    earned: Amount,
    deposit: Amount,
}

/// Runs a wallet command.
pub(crate) async fn run(wallet: &Wallet, session: &Session, format: Format) -> Result<()> {
    match wallet {
        Wallet::New { name, password_file } => new(name, password_file.as_deref(), session, format),
        Wallet::List => list(session, format),
        Wallet::Balance { address, signer } => balance(*address, signer, session, format).await,
        Wallet::Send { to, amount, doing } => {
            transfer((*to, *amount), doing, session, format).await
        }
        Wallet::Fund { amount, doing } => {
            let key = session.key(&doing.signer).await?;
            let fund = IChannels::fundCall { payer: key.address() };
            deposit(*amount, doing).report_as(&key, session, &fund, format).await
        }
        Wallet::Withdraw { amount, doing } => {
            let withdraw = IChannels::withdrawCall { amount: amount.base_units() };
            deposit(Amount::ZERO, doing).report(session, &withdraw, format).await
        }
    }
}

/// A call about the deposit.
const fn deposit(value: Amount, doing: &Doing) -> Act<'_> {
    Act::of(doing, CHANNELS, value)
}

async fn transfer(
    (to, amount): (Address, Amount),
    Doing { dry_run, signer }: &Doing,
    session: &Session,
    format: Format,
) -> Result<()> {
    let (key, client) = (session.key(signer).await?, session.client()?);
    if *dry_run {
        // A transfer calls nothing: what it needs is what its estimate needs.
        let (from, value) = (key.address(), amount.base_units());
        let asked = json!([{ "from": from, "to": to, "value": value }]);
        client.request::<U256>("eth_estimateGas", asked).await.map_err(refused)?;
        return act::tried(from, format);
    }
    act::done(&client.transfer(&key, to, amount).await.map_err(refused)?, format)
}

fn new(name: &str, password_file: Option<&Path>, session: &Session, format: Format) -> Result<()> {
    let path = signer::file(&session.places, name)?;
    if path.exists() {
        return Err(Failure::refused(format!(
            "there is a wallet `{name}` already, in {}: nothing was changed",
            path.display()
        )));
    }
    let directory = signer::directory(&session.places);
    fs::create_dir_all(&directory)
        .wrap_err_with(|| format!("could not create {}", directory.display()))?;
    let password = signer::password(password_file)?;
    let key = SigningKey::random();
    let text = Keystore::encrypt(&key, &password, KeystoreCost::Standard)?.to_json();
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = file.wrap_err_with(|| format!("could not create {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let made = Listed { name: name.to_owned(), address: Some(key.address()) };
    format.print(&made, |_| format!("{}\nkept encrypted in {}", key.address(), path.display()))
}

fn list(session: &Session, format: Format) -> Result<()> {
    let wallets = signer::wallets(&session.places)?;
    let wallets: Vec<_> =
        wallets.into_iter().map(|(name, address)| Listed { name, address }).collect();
    format.print(&wallets, |wallets| {
        if wallets.is_empty() {
            return String::from("no wallets: make one with `sahara wallet new NAME`");
        }
        let row = |one: &Listed| {
            let damaged = || String::from("not readable as a keystore");
            vec![one.name.clone(), one.address.map_or_else(damaged, |a| a.to_string())]
        };
        table(&wallets.iter().map(row).collect::<Vec<_>>())
    })
}

async fn balance(
    address: Option<Address>,
    signer: &Signer,
    session: &Session,
    format: Format,
) -> Result<()> {
    let client = session.client()?;
    let address = match address {
        Some(address) => address,
        None => session.key(signer).await?.address(),
    };
    let deposit = client
        .call(CHANNELS, &IChannels::depositOfCall { payer: address })
        .await
        .map_err(refused)?;
    let balance = Balance {
        address,
        wallet: client.balance(address).await.map_err(refused)?,
        earned: client.earned(address).await.map_err(refused)?,
        deposit: Amount::from_base_units(deposit),
    };
    format.print(&balance, |balance| {
        let coins = |amount: Amount| format!("{amount} SAHARA");
        pairs([
            ("account", balance.address.to_string()),
            ("in the wallet", coins(balance.wallet)),
            ("earned, credited before it is next spent", coins(balance.earned)),
            ("deposit for requests, free", coins(balance.deposit)),
        ])
    })
}
