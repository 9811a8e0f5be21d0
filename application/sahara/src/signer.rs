//! Who signs: a wallet of this machine, or an account of the public test mnemonic.

use crate::{cli::Signer, config::Places, failure::Failure, local::dev};
use eyre::{Result, WrapErr, eyre};
use sahara_client::{ChainClient, Keystore, SigningKey};
use sahara_primitives::LOCAL_CHAIN_ID;
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
        return Err(eyre!(
            "`{name}` is no wallet name: expected up to 64 letters, digits, - and _"
        ));
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
    if client.chain_id().await? != LOCAL_CHAIN_ID {
        return Err(Failure::refused("this is no local chain: name a wallet with --wallet NAME"));
    }
    Ok(dev::key(signer.dev_account.unwrap_or_default())?)
}
