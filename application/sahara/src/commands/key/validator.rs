//! `sahara key new`, `import`, `export` and `change-password`: the secret of a validator.

use crate::{cli::Seal, output::Format, signer::password, validator_key};
use eyre::{Result, WrapErr};
use sahara_finality::{ValidatorKeys, to_hex};
use serde::Serialize;
use std::{fs, path::Path};

#[derive(Serialize)]
struct Made {
    file: String,
    is_encrypted: bool,
    network_key: String,
    consensus_key: String,
}

/// Makes a validator's secret in a file that only its owner can read.
pub(super) fn new(file: &Path, seal: &Seal, format: Format) -> Result<()> {
    let keys = validator_key::create(file, seal)?;
    show(file, &keys, !seal.is_plain, format)
}

/// Encrypts what stands in clear text.
pub(super) fn import(
    (from, file): (&Path, &Path),
    password_file: Option<&Path>,
    format: Format,
) -> Result<()> {
    let secret = validator_key::read_clear(from)?;
    let keys = ValidatorKeys::from_secret(&secret)?;
    validator_key::write_encrypted(file, &secret, &password(password_file)?)?;
    show(file, &keys, true, format)
}

/// Writes in clear text what is encrypted.
pub(super) fn export(
    (file, to): (&Path, &Path),
    password_file: Option<&Path>,
    format: Format,
) -> Result<()> {
    let seal = Seal { password_file: password_file.map(Path::to_path_buf), is_plain: false };
    let secret = validator_key::read(file, &seal)?;
    validator_key::write_clear(to, &secret)?;
    show(to, &ValidatorKeys::from_secret(&secret)?, false, format)
}

/// Replaces an encrypted file by one with another password; a crash leaves the old or the new one.
pub(super) fn change_password(
    file: &Path,
    (old, new): (Option<&Path>, Option<&Path>),
    format: Format,
) -> Result<()> {
    let seal = Seal { password_file: old.map(Path::to_path_buf), is_plain: false };
    let secret = validator_key::read(file, &seal)?;
    let draft = file.with_extension("draft");
    validator_key::write_encrypted(&draft, &secret, &password(new)?)?;
    fs::rename(&draft, file).wrap_err_with(|| format!("could not replace {}", file.display()))?;
    show(file, &ValidatorKeys::from_secret(&secret)?, true, format)
}

fn show(file: &Path, keys: &ValidatorKeys, is_encrypted: bool, format: Format) -> Result<()> {
    let validator = keys.validator(alloy_primitives::Address::ZERO);
    let made = Made {
        file: file.display().to_string(),
        is_encrypted,
        network_key: to_hex(&validator.network_key),
        consensus_key: to_hex(&validator.consensus_key),
    };
    format.print(&made, |made| {
        let kept = if made.is_encrypted { "encrypted" } else { "in clear text: guard it" };
        format!(
            "secret        {} ({kept})\nnetwork key   {}\nconsensus key {}",
            made.file, made.network_key, made.consensus_key
        )
    })
}
