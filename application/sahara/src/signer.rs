//! Who signs: a wallet of this machine, or an account of the public test mnemonic.

use crate::{cli::Signer, config::Places, failure::Failure, local::dev, refusal::refused};
use eyre::{Result, WrapErr};
use sahara_client::{ChainClient, Keystore, SigningKey};
use sahara_primitives::{Address, LOCAL_CHAIN_ID};
use std::{
    fs,
    io::{BufRead, IsTerminal},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where wallets are kept.
pub(crate) fn directory(places: &Places) -> PathBuf {
    places.data.join("wallets")
}

/// The file of a wallet; a name is letters, digits, `-` and `_`, so that it names no other file.
pub(crate) fn file(places: &Places, name: &str) -> Result<PathBuf> {
    let is_plain =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !is_plain || name.len() > 64 {
        return Err(Failure::usage(format!(
            "`{name}` is no wallet name: expected up to 64 letters, digits, - and _"
        )));
    }
    Ok(directory(places).join(format!("{name}.json")))
}

/// The password from a file, or asked for on the terminal.
pub(crate) fn password(file: Option<&Path>) -> Result<Zeroizing<String>> {
    let text = match file {
        Some(file) => fs::read_to_string(file)
            .wrap_err_with(|| format!("could not read {}", file.display()))?,
        None => {
            let input = std::io::stdin();
            if !input.is_terminal() {
                return Err(Failure::refused("no password: give --password-file FILE"));
            }
            eprint!("Password (shown as you type): ");
            let mut line = String::new();
            input.lock().read_line(&mut line)?;
            line
        }
    };
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Opens the key that a command's flags name.
pub(crate) async fn open(
    signer: &Signer,
    places: &Places,
    client: &ChainClient,
) -> Result<SigningKey> {
    if let Some(name) = &signer.wallet {
        let path = file(places, name)?;
        let Ok(text) = fs::read_to_string(&path) else {
            return Err(Failure::not_found(format!(
                "no wallet `{name}`: `sahara wallet list` shows those there are"
            )));
        };
        let opened =
            Keystore::from_json(&text)?.decrypt(&password(signer.password_file.as_deref())?);
        return opened.map_err(|error| Failure::refused(format!("wallet `{name}`: {error}")));
    }
    if client.chain_id().await.map_err(refused)? != LOCAL_CHAIN_ID {
        return Err(Failure::refused("this is no local chain: name a wallet with --wallet NAME"));
    }
    Ok(dev::key(signer.dev_account.unwrap_or_default())?)
}

/// Opens the key of an account: the one that the flags name, else the wallet or public test account
/// that has this address.
pub(crate) async fn open_account(
    signer: &Signer,
    places: &Places,
    client: &ChainClient,
    account: Address,
) -> Result<SigningKey> {
    let mut signer = signer.clone();
    if signer.wallet.is_none() && signer.dev_account.is_none() {
        let wallets = wallets(places)?;
        let own = wallets.into_iter().find(|(_, address)| *address == Some(account));
        signer.wallet = own.map(|(name, _)| name);
        if signer.wallet.is_none() {
            let index = dev::accounts().iter().position(|address| *address == account);
            signer.dev_account = index.and_then(|index| u32::try_from(index).ok());
        }
        if signer.wallet.is_none() && signer.dev_account.is_none() {
            return Err(Failure::refused(format!(
                "this needs the key of {account}, and no wallet in {} is its: `sahara wallet list`",
                directory(places).display()
            )));
        }
    }
    open(&signer, places, client).await
}

/// Name and address of every wallet, by name.
pub(crate) fn wallets(places: &Places) -> Result<Vec<(String, Option<Address>)>> {
    let mut wallets = Vec::new();
    for entry in fs::read_dir(directory(places)).into_iter().flatten() {
        let path = entry?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let keystore =
            fs::read_to_string(&path).ok().and_then(|text| Keystore::from_json(&text).ok());
        wallets.push((name.to_owned(), keystore.and_then(|keystore| keystore.address)));
    }
    wallets.sort();
    Ok(wallets)
}
