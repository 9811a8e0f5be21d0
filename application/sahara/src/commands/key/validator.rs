//! `sahara key validator`.

use crate::output::Format;
use eyre::{Result, WrapErr};
use sahara_finality::{ValidatorKeys, to_hex};
use serde::Serialize;
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

#[derive(Serialize)]
struct Made {
    file: String,
    network_key: String,
    consensus_key: String,
}

/// Makes a validator's secret in a file that only its owner can read.
pub(crate) fn run(file: &Path, format: Format) -> Result<()> {
    let keys = create(file)?;
    let validator = keys.validator(alloy_primitives::Address::ZERO);
    let made = Made {
        file: file.display().to_string(),
        network_key: to_hex(&validator.network_key),
        consensus_key: to_hex(&validator.consensus_key),
    };
    format.print(&made, |made| {
        format!(
            "secret        {}\nnetwork key   {}\nconsensus key {}",
            made.file, made.network_key, made.consensus_key
        )
    })
}

/// Writes a new random secret; an existing file is never touched.
pub(crate) fn create(file: &Path) -> Result<ValidatorKeys> {
    let secret: [u8; 32] = rand::random();
    let keys = ValidatorKeys::from_secret(&secret)?;
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut opened = opened.wrap_err_with(|| format!("could not create {}", file.display()))?;
    writeln!(opened, "{}", hex::encode(secret))?;
    opened.sync_all()?;
    Ok(keys)
}
