//! `sahara wallet`.

use crate::{
    cli::{Signer, Wallet},
    failure::Failure,
    output::{Format, pairs, table},
    refusal::refused,
    session::Session,
    signer,
};
use eyre::{Result, WrapErr};
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::{Keystore, KeystoreCost, SigningKey, TxOutcome};
use sahara_primitives::{Address, Amount, B256};
use serde::Serialize;
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

#[derive(Serialize)]
struct Sent {
    transaction: B256,
    block: u64,
    fee: Amount,
}

/// Runs a wallet command.
pub(crate) async fn run(wallet: &Wallet, session: &Session, format: Format) -> Result<()> {
    match wallet {
        Wallet::New { name, password_file } => new(name, password_file.as_deref(), session, format),
        Wallet::List => list(session, format),
        Wallet::Balance { address, signer } => balance(*address, signer, session, format).await,
        Wallet::Send { to, amount, signer } => {
            let outcome =
                session.client()?.transfer(&session.key(signer).await?, *to, *amount).await;
            sent(&outcome.map_err(refused)?, format)
        }
        Wallet::Fund { amount, signer } => {
            let key = session.key(signer).await?;
            let fund = IChannels::fundCall { payer: key.address() };
            let outcome = session.client()?.send(&key, CHANNELS, *amount, &fund).await;
            sent(&outcome.map_err(refused)?, format)
        }
        Wallet::Withdraw { amount, signer } => {
            let key = session.key(signer).await?;
            let withdraw = IChannels::withdrawCall { amount: amount.base_units() };
            let outcome = session.client()?.send(&key, CHANNELS, Amount::ZERO, &withdraw).await;
            sent(&outcome.map_err(refused)?, format)
        }
    }
}

fn sent(outcome: &TxOutcome, format: Format) -> Result<()> {
    let sent = Sent { transaction: outcome.hash, block: outcome.block_number, fee: outcome.fee() };
    format.print(&sent, |sent| {
        format!("final in block {}: {} (fee {} SAHARA)", sent.block, sent.transaction, sent.fee)
    })
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
