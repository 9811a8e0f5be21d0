//! Key files of services: 32 bytes in hexadecimal, readable by their owner only.

use eyre::{Result, WrapErr};
use sahara_client::SigningKey;
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};
use zeroize::Zeroizing;

/// Reads a key file.
pub(crate) fn read(file: &Path) -> Result<SigningKey> {
    let text =
        fs::read_to_string(file).wrap_err_with(|| format!("could not read {}", file.display()))?;
    let text = Zeroizing::new(text);
    SigningKey::from_hex(text.trim()).wrap_err_with(|| format!("{} holds no key", file.display()))
}

/// Writes a key file; an existing one is replaced.
pub(crate) fn write(file: &Path, key: &SigningKey) -> Result<()> {
    let opened =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
    let mut opened = opened.wrap_err_with(|| format!("could not create {}", file.display()))?;
    writeln!(opened, "{}", *Zeroizing::new(hex::encode(key.to_bytes().as_slice())))?;
    Ok(opened.sync_all()?)
}
