//! `sahara wallet`.

use crate::{
    cli::{Signer, Wallet},
    failure::Failure,
    output::{Format, table},
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

/// What the chain refused exits with 4, a silent node with 5.
pub(crate) fn refused(error: sahara_client::ClientError) -> eyre::Report {
    match error {
        sahara_client::ClientError::Unreachable { .. } => Failure::network(error.to_string()),
        other => Failure::refused(other.to_string()),
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
    fs::create_dir_all(signer::directory(&session.places))?;
    let password = signer::password(password_file)?;
    let key = SigningKey::random();
    let text = Keystore::encrypt(&key, &password, KeystoreCost::Standard)?.to_json();
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = file
        .wrap_err_with(|| format!("could not create {}: is there one already?", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let made = Listed { name: name.to_owned(), address: Some(key.address()) };
    format.print(&made, |_| format!("{}\nkept encrypted in {}", key.address(), path.display()))
}

fn list(session: &Session, format: Format) -> Result<()> {
    let mut wallets = Vec::new();
    for entry in fs::read_dir(signer::directory(&session.places)).into_iter().flatten() {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let keystore =
            fs::read_to_string(&path).ok().and_then(|text| Keystore::from_json(&text).ok());
        wallets.push(Listed {
            name: name.to_owned(),
            address: keystore.and_then(|keystore| keystore.address),
        });
    }
    wallets.sort_by(|left, right| left.name.cmp(&right.name));
    format.print(&wallets, |wallets| {
        if wallets.is_empty() {
            return String::from("no wallets: make one with `sahara wallet new NAME`");
        }
        let row = |one: &Listed| {
            vec![one.name.clone(), one.address.map_or_else(String::new, |a| a.to_string())]
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
        table(&[
            vec!["account".into(), balance.address.to_string()],
            vec!["in the wallet".into(), format!("{} SAHARA", balance.wallet)],
            vec![
                "earned, credited before it is next spent".into(),
                format!("{} SAHARA", balance.earned),
            ],
            vec!["deposit for requests, free".into(), format!("{} SAHARA", balance.deposit)],
        ])
    })
}
