//! Files with validators' secrets: encrypted as EIP-2335 says, or in clear text where that is asked for.

use crate::{
    cli::{KeyFile, Seal},
    failure::Failure,
    signer::password,
};
use eyre::{Report, Result, WrapErr};
use sahara_client::{KeystoreCost, KeystoreError, ValidatorKeystore};
use sahara_finality::ValidatorKeys;
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use zeroize::Zeroizing;

/// A validator's secret.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// The keys in a file.
///
/// # Errors
/// When the password is wrong, or the file is in clear text and that was not asked for.
pub(crate) fn open(key: &KeyFile) -> Result<ValidatorKeys> {
    let secret = read(&key.file, &key.seal)?;
    Ok(ValidatorKeys::from_secret(&secret)?)
}

/// The secret in a file.
///
/// # Errors
/// As [`open`].
pub(crate) fn read(file: &Path, seal: &Seal) -> Result<Secret> {
    let place = file.display();
    let text = fs::read_to_string(file).wrap_err_with(|| format!("could not read {place}"))?;
    let text = Zeroizing::new(text);
    match (seal.is_plain, is_encrypted(&text)) {
        (true, true) => Err(Failure::usage(format!("{place} is encrypted: leave out --plain-key"))),
        (true, false) => clear(&text).wrap_err_with(|| format!("{place} holds no secret")),
        (false, true) => decrypt(&text, &password(seal.password_file.as_deref())?)
            .map_err(|error| Failure::refused(format!("{place}: {error}"))),
        (false, false) => Err(Failure::refused(format!(
            "{place} holds the secret in clear text: encrypt it with `sahara key import`, or say --plain-key"
        ))),
    }
}

/// The secret in a file in clear text.
///
/// # Errors
/// When it is encrypted already, or holds something else.
pub(crate) fn read_clear(file: &Path) -> Result<Secret> {
    let place = file.display();
    let text = fs::read_to_string(file).wrap_err_with(|| format!("could not read {place}"))?;
    let text = Zeroizing::new(text);
    if is_encrypted(&text) {
        return Err(Failure::usage(format!(
            "{place} is encrypted already: `sahara key change-password` gives it another password"
        )));
    }
    clear(&text).wrap_err_with(|| format!("{place} holds no secret"))
}

/// Draws a secret and writes it; an existing file is never touched.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn create(file: &Path, seal: &Seal) -> Result<ValidatorKeys> {
    let secret = Zeroizing::new(rand::random::<[u8; 32]>());
    let keys = ValidatorKeys::from_secret(&secret)?;
    if seal.is_plain {
        write_clear(file, &secret)?;
    } else {
        write_encrypted(file, &secret, &password(seal.password_file.as_deref())?)?;
    }
    Ok(keys)
}

/// Writes a secret encrypted; an existing file is never touched.
///
/// # Errors
/// When the password is empty or the file cannot be written.
pub(crate) fn write_encrypted(file: &Path, secret: &Secret, password: &str) -> Result<()> {
    if password.is_empty() {
        return Err(Failure::usage("the password is empty: say --plain-key to do without"));
    }
    let keystore = ValidatorKeystore::encrypt(secret, password, KeystoreCost::Standard)?;
    write_new(file, &keystore.to_json())
}

/// Writes a secret in clear text; an existing file is never touched.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_clear(file: &Path, secret: &Secret) -> Result<()> {
    write_new(file, &Zeroizing::new(hex::encode(secret.as_slice())))
}

fn is_encrypted(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

fn decrypt(text: &str, password: &str) -> Result<Secret, KeystoreError> {
    ValidatorKeystore::from_json(text)?.validator_secret(password)
}

fn clear(text: &str) -> Result<Secret> {
    let digits = text.trim();
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), secret.as_mut_slice())
        .wrap_err("expected 32 bytes in hexadecimal")?;
    Ok(secret)
}

/// Readable by its owner alone, and on disk when it returns.
fn write_new(file: &Path, text: &str) -> Result<()> {
    let place = file.display();
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut opened = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::refused(format!("there is a file {place} already: nothing was written"))
        }
        _ => Report::new(error).wrap_err(format!("could not create {place}")),
    })?;
    writeln!(opened, "{text}")?;
    Ok(opened.sync_all()?)
}
