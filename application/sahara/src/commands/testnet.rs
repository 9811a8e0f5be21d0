//! `sahara testnet init`: what N hosts need to begin a network of their own.

use crate::{cli::InitTestnet, failure::Failure, output::Format, validator_key};
use eyre::{Result, WrapErr};
use sahara_abi::IStaking;
use sahara_chain::genesis::{GenesisFile, GenesisStake, GenesisStaking};
use sahara_evm::GenesisConfig;
use sahara_finality::ValidatorSet;
use sahara_primitives::{Address, Amount, LOCAL_CHAIN_ID};
use sahara_protocols::staking;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    num::NonZeroU64,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// What the first validators keep of their delegators' rewards, in basis points: 5 %.
const COMMISSION: u16 = 500;

/// How a host's node gets its secret.
struct Kept {
    /// The secret's file.
    file: &'static str,
    /// What the node is told of it.
    flag: &'static str,
    /// What systemd hands over.
    credential: &'static str,
    /// As in a container.
    container_flag: &'static str,
    /// What a person does.
    todo: &'static str,
}

const CLEAR: Kept = Kept {
    file: "validator.secret",
    flag: "--plain-key",
    credential: "",
    container_flag: "\"--plain-key\"",
    todo: "",
};

/// The password comes to the service from a file that only root can read.
const ENCRYPTED: Kept = Kept {
    file: "validator.json",
    flag: "--password-file %d/validator-password",
    credential: "LoadCredential=validator-password:/etc/sahara/validator.password\n",
    container_flag: "\"--password-file\", \"/run/secrets/validator-password\"",
    todo: "The password goes into /etc/sahara/validator.password, readable by root alone (a container takes it as the secret validator-password).\n",
};

/// Writes a directory for each host; an existing one is never touched.
pub(crate) fn init(init: &InitTestnet, format: Format) -> Result<()> {
    if init.chain_id == LOCAL_CHAIN_ID {
        return Err(Failure::usage(format!(
            "chain {LOCAL_CHAIN_ID} is for one machine: choose another --chain-id"
        )));
    }
    fs::create_dir(&init.directory)
        .wrap_err_with(|| format!("could not create {}", init.directory.display()))?;
    let kept = if init.seal.is_plain { &CLEAR } else { &ENCRYPTED };
    let mut set = Vec::new();
    for (index, address) in init.hosts.iter().enumerate() {
        let host = init.directory.join(format!("host-{index}"));
        fs::create_dir(&host)?;
        let keys = validator_key::create(&host.join(kept.file), &init.seal)?;
        let fees = init.accounts.iter().cycle().nth(index).copied().unwrap_or_default();
        let mut seat = keys.validator(fees);
        seat.address = Some(*address);
        set.push(seat);
    }
    let genesis = genesis(init, ValidatorSet::new(set)?)?;
    let hash = genesis.build()?.block.hash();
    for (index, address) in init.hosts.iter().enumerate() {
        let host = init.directory.join(format!("host-{index}"));
        fs::write(host.join("genesis.json"), serde_json::to_vec_pretty(&genesis)?)?;
        fs::write(host.join("sahara.service"), unit(*address, kept))?;
        fs::write(host.join("Containerfile"), container(*address, kept))?;
    }
    let shown = json!({
        "directory": init.directory, "hosts": init.hosts, "chain_id": init.chain_id,
        "genesis_hash": hash, "epoch_length": init.epoch_length,
    });
    format.print(&shown, |_| page(&init.directory, init.hosts.len(), &hash.to_string(), kept))
}

fn genesis(init: &InitTestnet, validators: ValidatorSet) -> Result<GenesisFile> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let milliseconds = u64::try_from(now.as_millis())?;
    let config = GenesisConfig::local(init.chain_id, milliseconds, &init.accounts);
    let epoch_length = NonZeroU64::new(init.epoch_length)
        .ok_or_else(|| Failure::usage("an epoch has at least 2 blocks"))?;
    let staking = (!init.by_signatures).then(|| stakes(init, &validators));
    Ok(GenesisFile { config, validators, epoch_length, staking })
}

/// Each host's stake comes from its account; hosts of one account are seats of one validator.
fn stakes(init: &InitTestnet, validators: &ValidatorSet) -> GenesisStaking {
    let mut stakes = BTreeMap::<Address, Amount>::new();
    for seat in validators.as_slice() {
        let stake = stakes.entry(seat.fee_address).or_default();
        *stake = stake.checked_add(init.stake).unwrap_or(*stake);
    }
    let stake = |(operator, stake)| GenesisStake {
        operator,
        stake,
        commission: COMMISSION,
        fee_address: operator,
    };
    let defaults = IStaking::Parameters::from(staking::Parameters::default());
    let parameters = IStaking::Parameters {
        epoch: init.seat_period,
        unbonding: init.unbonding_period.unwrap_or(defaults.unbonding),
        window: init.presence_window.unwrap_or(defaults.window),
        maxMissed: init.most_missed.unwrap_or(defaults.maxMissed),
        jail: init.jail_period.unwrap_or(defaults.jail),
        ..defaults
    };
    GenesisStaking { stakes: stakes.into_iter().map(stake).collect(), parameters: Some(parameters) }
}

/// A unit for systemd: the node may write to its own directory only.
fn unit(address: SocketAddr, kept: &Kept) -> String {
    let Kept { file, flag, credential, .. } = kept;
    format!(
        "[Unit]
Description=Sahara validator
After=network-online.target
Wants=network-online.target

[Service]
User=sahara
ExecStart=/usr/local/bin/sahara node --genesis /etc/sahara/genesis.json --directory /var/lib/sahara \\
  --key-file /var/lib/sahara/{file} {flag} --peer-listen {address}
{credential}Restart=on-failure
RestartSec=5
TimeoutStopSec=30
LimitNOFILE=65536
StateDirectory=sahara
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true

[Install]
WantedBy=multi-user.target
"
    )
}

/// The program alone; key, guard and chain live in the volume, so that they outlive the container.
fn container(address: SocketAddr, kept: &Kept) -> String {
    let port = address.port();
    let Kept { file, container_flag, .. } = kept;
    format!(
        "FROM debian:stable-slim
COPY sahara /usr/local/bin/sahara
COPY genesis.json /etc/sahara/genesis.json
RUN useradd --system --home /var/lib/sahara sahara && install -d -o sahara /var/lib/sahara
USER sahara
VOLUME /var/lib/sahara
EXPOSE {port}
ENTRYPOINT [\"sahara\", \"node\", \"--genesis\", \"/etc/sahara/genesis.json\", \"--directory\", \"/var/lib/sahara\", \
         \"--key-file\", \"/var/lib/sahara/{file}\", {container_flag}, \"--peer-listen\", \"0.0.0.0:{port}\"]
"
    )
}

fn page(directory: &Path, hosts: usize, hash: &str, kept: &Kept) -> String {
    let Kept { file, todo, .. } = kept;
    format!(
        "{hosts} hosts in {}; genesis {hash}
On each host: install `sahara`, copy its genesis.json to /etc/sahara, its {file} to
/var/lib/sahara and its sahara.service to /etc/systemd/system. {todo}Then
  systemctl enable --now sahara
Delete the secrets here afterwards: each belongs on one host only.",
        directory.display()
    )
}
