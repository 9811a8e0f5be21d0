//! The files of a new local network.

use super::{Ports, dev};
use crate::{commands::key::validator, failure::Failure};
use alloy_primitives::{Address, B256, keccak256};
use eyre::{Result, WrapErr};
use sahara_chain::genesis::{DEFAULT_EPOCH_LENGTH, GenesisFile};
use sahara_evm::GenesisConfig;
use sahara_finality::{ValidatorKeys, ValidatorSet, to_hex};
use sahara_primitives::LOCAL_CHAIN_ID;
use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// Makes validators' secrets and the genesis file, unless they are there.
pub(crate) fn prepare(directory: &Path, validators: u16) -> Result<GenesisFile> {
    let path = directory.join("genesis.json");
    match fs::read(&path) {
        Ok(bytes) => return existing(&bytes, directory, validators),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).wrap_err_with(|| format!("could not read {}", path.display()));
        }
    }
    let mut set = Vec::new();
    for index in 0..validators {
        let keys = keys_of(directory, index)?;
        set.push(keys.validator(fee_address(&keys)));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let config =
        GenesisConfig::local(LOCAL_CHAIN_ID, u64::try_from(now.as_millis())?, dev::accounts());
    let validators = ValidatorSet::new(set)?;
    let file =
        GenesisFile { config, validators, epoch_length: DEFAULT_EPOCH_LENGTH, staking: None };
    let draft = directory.join("genesis.json.draft");
    let write = || fs::write(&draft, serde_json::to_vec_pretty(&file)?);
    write()
        .and_then(|()| fs::rename(&draft, &path))
        .wrap_err_with(|| format!("could not write {}", path.display()))?;
    Ok(file)
}

/// The genesis of a network that was started before.
fn existing(bytes: &[u8], directory: &Path, validators: u16) -> Result<GenesisFile> {
    let place = directory.display();
    let afresh = "start a new one elsewhere with --data-dir, or remove that directory";
    let file = GenesisFile::parse(bytes).map_err(|error| {
        Failure::refused(format!(
            "the network in {place} is damaged or was made by another version of this program ({error}): {afresh}"
        ))
    })?;
    let count = file.validators.len();
    if count != usize::from(validators) {
        return Err(Failure::refused(format!(
            "the network in {place} has {count} validators: start it with --validators {count}; or {afresh}"
        )));
    }
    let built = file.build()?.block.hash();
    let known = fs::read(directory.join("network.json")).ok();
    let known = known.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let known = known.and_then(|known| known.get("genesis_hash")?.as_str()?.parse::<B256>().ok());
    match known {
        // The same file makes another block 0: the rules of genesis are others.
        Some(known) if known != built => Err(Failure::refused(format!(
            "the network in {place} began with block {known}, this version would begin it with {built}: it was made by another version of this program; {afresh}"
        ))),
        _ => Ok(file),
    }
}

fn keys_of(directory: &Path, index: u16) -> Result<ValidatorKeys> {
    let node = directory.join(format!("node-{index}"));
    fs::create_dir_all(&node)?;
    let secret = node.join("validator.secret");
    match fs::read_to_string(&secret) {
        Ok(text) => Ok(ValidatorKeys::parse(text.trim())?),
        Err(_) => validator::create(&secret),
    }
}

/// Where a local validator's fees go: an account of its own, so that its earnings are seen apart.
fn fee_address(keys: &ValidatorKeys) -> Address {
    let key = to_hex(&keys.validator(Address::ZERO).network_key);
    Address::from_word(keccak256(format!("sahara/local/fees/{key}")))
}

/// The arguments of node `index`.
pub(crate) fn node_arguments(
    directory: &Path,
    file: &GenesisFile,
    ports: &Ports,
    index: u16,
) -> Result<Vec<String>> {
    let count = u16::try_from(file.validators.len())?;
    let node = directory.join(format!("node-{index}"));
    let listen = |port: u16| format!("127.0.0.1:{port}");
    let mut arguments = vec![
        "node".into(),
        "--genesis".into(),
        directory.join("genesis.json").display().to_string(),
    ];
    arguments.extend(["--directory".into(), node.display().to_string()]);
    arguments.extend(["--key-file".into(), node.join("validator.secret").display().to_string()]);
    arguments.extend(["--rpc-listen".into(), listen(ports.rpc_of(index))]);
    arguments.extend(["--metrics-listen".into(), listen(ports.metrics_of(index))]);
    arguments.extend(["--peer-listen".into(), listen(ports.peer_of(index))]);
    for other in (0..count).filter(|other| *other != index) {
        let key = to_hex(&keys_of(directory, other)?.validator(Address::ZERO).network_key);
        arguments.extend(["--peer".into(), format!("{key}@{}", listen(ports.peer_of(other)))]);
    }
    Ok(arguments)
}
