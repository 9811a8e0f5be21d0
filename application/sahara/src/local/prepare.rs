//! The files of a new local network.

use super::{Ports, dev};
use crate::{
    cli::{Seal, Up},
    failure::Failure,
    validator_key,
};
use alloy_primitives::{Address, B256};
use eyre::{Result, WrapErr};
use sahara_chain::genesis::{DEFAULT_EPOCH_LENGTH, GenesisFile, GenesisStake, GenesisStaking};
use sahara_evm::{Beneficiary, GenesisConfig};
use sahara_finality::{ValidatorKeys, ValidatorSet, to_hex};
use sahara_primitives::{Amount, LOCAL_CHAIN_ID};
use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// SAHARA that each local validator stakes.
const STAKE: u64 = 100_000;
/// What it keeps of its delegators' rewards, in basis points: 5 %.
const COMMISSION: u16 = 500;

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
    let file = begin(directory, validators)?;
    let draft = directory.join("genesis.json.draft");
    let write = || fs::write(&draft, serde_json::to_vec_pretty(&file)?);
    write()
        .and_then(|()| fs::rename(&draft, &path))
        .wrap_err_with(|| format!("could not write {}", path.display()))?;
    Ok(file)
}

/// Every validator stands with a stake of its own, out of what the last free account would hold.
fn begin(directory: &Path, validators: u16) -> Result<GenesisFile> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let mut config =
        GenesisConfig::local(LOCAL_CHAIN_ID, u64::try_from(now.as_millis())?, dev::accounts());
    let (mut set, mut stakes) = (Vec::new(), Vec::new());
    let stake = Amount::from_coins(STAKE);
    for index in 0..validators {
        let operator = dev::operator(index)?;
        set.push(keys_of(directory, index)?.validator(operator));
        if let Some(last) = config.sale.get_mut(dev::accounts().len().saturating_sub(1)) {
            last.amount = last.amount.checked_sub(stake)?;
        }
        config.sale.push(Beneficiary { account: operator, amount: stake });
        let fee_address = operator;
        stakes.push(GenesisStake { operator, stake, commission: COMMISSION, fee_address });
    }
    Ok(GenesisFile {
        config,
        validators: ValidatorSet::new(set)?,
        epoch_length: DEFAULT_EPOCH_LENGTH,
        staking: Some(GenesisStaking { stakes, parameters: None }),
    })
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
    // A local network lives on one machine, with keys that everybody knows beside it.
    let seal = Seal { password_file: None, is_plain: true };
    if secret.exists() {
        let secret = validator_key::read(&secret, &seal)?;
        return Ok(ValidatorKeys::from_secret(&secret)?);
    }
    validator_key::create(&secret, &seal)
}

/// The arguments of node `index`.
pub(crate) fn node_arguments(
    directory: &Path,
    file: &GenesisFile,
    ports: &Ports,
    (up, index): (&Up, u16),
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
    arguments.push("--plain-key".into());
    arguments.extend([
        "--sync".into(),
        up.sync.name().into(),
        "--history".into(),
        up.history.clone(),
    ]);
    arguments.extend(["--rpc-listen".into(), listen(ports.rpc_of(index))]);
    arguments.extend(["--metrics-listen".into(), listen(ports.metrics_of(index))]);
    arguments.extend(["--peer-listen".into(), listen(ports.peer_of(index))]);
    for other in (0..count).filter(|other| *other != index) {
        let key = to_hex(&keys_of(directory, other)?.validator(Address::ZERO).network_key);
        arguments.extend(["--peer".into(), format!("{key}@{}", listen(ports.peer_of(other)))]);
    }
    Ok(arguments)
}
