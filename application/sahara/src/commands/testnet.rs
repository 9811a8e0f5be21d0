//! `sahara testnet init`: what N hosts need to begin a network of their own.

use crate::{cli::InitTestnet, failure::Failure, local::dev, output::Format, validator_key};
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
    /// What a container is run with.
    run: &'static str,
    /// What is done before it is run.
    before: &'static str,
    /// What a person does.
    todo: &'static str,
}

const CLEAR: Kept = Kept {
    file: "validator.secret",
    flag: "--plain-key",
    credential: "",
    container_flag: "\"--plain-key\"",
    run: "",
    before: "",
    todo: "",
};

/// The password comes to the service from a file that only root can read.
const ENCRYPTED: Kept = Kept {
    file: "validator.json",
    flag: "--password-file %d/validator-password",
    credential: "LoadCredential=validator-password:/etc/sahara/validator.password\n",
    container_flag: "\"--password-file\", \"/run/secrets/validator-password\"",
    run: "--secret validator-password ",
    before: "#   podman secret create validator-password password\n",
    todo: "  install -m 600 password /etc/sahara/validator.password        (the password's file, readable by root alone)\n",
};

/// Writes a directory for each host; an existing one is never touched.
pub(crate) fn init(init: &InitTestnet, format: Format) -> Result<()> {
    if init.chain_id == LOCAL_CHAIN_ID {
        return Err(Failure::usage(format!(
            "chain {LOCAL_CHAIN_ID} is for one machine: choose another --chain-id"
        )));
    }
    if let Some(known) = init.accounts.iter().find(|account| dev::accounts().contains(account)) {
        return Err(Failure::usage(format!(
            "the key of {known} is public: it may hold coin on chain {LOCAL_CHAIN_ID} only; make one with `sahara wallet new`"
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let genesis = genesis(init, ValidatorSet::new(set)?, u64::try_from(now.as_millis())?)?;
    let hash = genesis.build()?.block.hash();
    for (index, address) in init.hosts.iter().enumerate() {
        let host = init.directory.join(format!("host-{index}"));
        fs::write(host.join("genesis.json"), written(&genesis)?)?;
        fs::write(host.join("sahara.service"), unit(*address, kept))?;
        fs::write(host.join("Containerfile"), container(*address, kept))?;
    }
    let shown = json!({
        "directory": init.directory, "hosts": init.hosts, "chain_id": init.chain_id,
        "genesis_hash": hash, "epoch_length": init.epoch_length,
    });
    format.print(&shown, |_| page(&init.directory, init.hosts.len(), &hash.to_string(), kept))
}

/// Of a network that begins at this Unix time.
fn genesis(init: &InitTestnet, validators: ValidatorSet, milliseconds: u64) -> Result<GenesisFile> {
    let config = GenesisConfig::local(init.chain_id, milliseconds, &init.accounts);
    let epoch_length = NonZeroU64::new(init.epoch_length)
        .ok_or_else(|| Failure::usage("an epoch has at least 2 blocks"))?;
    let staking = (!init.by_signatures).then(|| stakes(init, &validators));
    Ok(GenesisFile { config, validators, epoch_length, staking })
}

/// The content of `genesis.json`.
fn written(genesis: &GenesisFile) -> Result<String> {
    Ok(serde_json::to_string_pretty(genesis)?)
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

/// A unit for systemd: the node may write to its own directory only, and needs of the kernel nothing but
/// files, sockets and threads. What it exits with after a wrong flag or password is not mended by starting
/// it again.
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
RestartPreventExitStatus=2 4
TimeoutStopSec=30
LimitNOFILE=65536
StateDirectory=sahara
StateDirectoryMode=0700
UMask=0077
NoNewPrivileges=true
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
LockPersonality=true
MemoryDenyWriteExecute=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"
    )
}

/// The program alone; key, guard and chain live in the volume, so that they outlive the container. Peers
/// are let in by the address that the others know them under, which a network of its own would hide.
fn container(address: SocketAddr, kept: &Kept) -> String {
    let port = address.port();
    let Kept { file, container_flag, run, before, .. } = kept;
    format!(
        "# The program lies beside this file. User {USER_ID} owns the volume, which holds {file}. Peers know this host by its
# address, so the container needs the host's network:
#   podman build --tag sahara .
{before}#   podman run --network host {run}--volume /var/lib/sahara:/var/lib/sahara sahara
FROM debian:stable-slim
COPY sahara /usr/local/bin/sahara
COPY genesis.json /etc/sahara/genesis.json
RUN chmod 755 /usr/local/bin/sahara && chmod 644 /etc/sahara/genesis.json \\
  && useradd --uid {USER_ID} --home-dir /var/lib/sahara --no-create-home --shell /usr/sbin/nologin sahara \\
  && install -d -m 700 -o sahara /var/lib/sahara
USER sahara
VOLUME /var/lib/sahara
EXPOSE {port}
STOPSIGNAL SIGTERM
ENTRYPOINT [\"sahara\", \"node\", \"--genesis\", \"/etc/sahara/genesis.json\", \"--directory\", \"/var/lib/sahara\", \
         \"--key-file\", \"/var/lib/sahara/{file}\", {container_flag}, \"--peer-listen\", \"{address}\"]
"
    )
}

/// Whoever owns the volume on the host needs a number that does not change.
const USER_ID: u32 = 10_001;

fn page(directory: &Path, hosts: usize, hash: &str, kept: &Kept) -> String {
    let Kept { file, todo, .. } = kept;
    format!(
        "{hosts} hosts in {}; genesis {hash}
On each host, as root, in its own directory of these, with the program `sahara` beside:
  useradd --system --home-dir /var/lib/sahara --no-create-home --shell /usr/sbin/nologin sahara
  install -D -m 755 sahara /usr/local/bin/sahara
  install -D -m 644 genesis.json /etc/sahara/genesis.json
  install -d -m 700 -o sahara /var/lib/sahara
  install -m 600 -o sahara {file} /var/lib/sahara/{file}
{todo}  install -m 644 sahara.service /etc/systemd/system/sahara.service
  systemctl enable --now sahara
The Containerfile there is for the same without systemd. Delete the secrets here afterwards: each belongs
on one host only.",
        directory.display()
    )
}

#[cfg(test)]
mod tests {
    use super::{CLEAR, ENCRYPTED, Kept, container, genesis, page, unit, written};
    use crate::cli::{Cli, Command, Node, Testnet};
    use clap::Parser as _;
    use sahara_chain::genesis::GenesisFile;
    use sahara_finality::{ValidatorKeys, ValidatorSet};
    use std::path::Path;

    const ADDRESSES: [&str; 2] = ["203.0.113.7:9700", "[2001:db8::7]:9701"];

    /// A network's nodes read it at every start, for as long as the network lives, whatever their program.
    #[test]
    fn the_genesis_file_is_frozen_and_read() {
        let accounts = [0x11, 0x22].map(sahara_primitives::Address::repeat_byte);
        let [one, two] = accounts.map(|account| account.to_string());
        let mut arguments = vec!["sahara", "testnet", "init", "--directory", "x", "--plain-key"];
        arguments.extend(["--account", one.as_str(), "--account", two.as_str()]);
        arguments.extend(ADDRESSES.into_iter().flat_map(|address| ["--host", address]));
        let parse = |arguments: &[&str]| match Cli::try_parse_from(arguments) {
            Ok(Cli { command: Command::Testnet(Testnet::Init(init)), .. }) => init,
            other => panic!("{other:?}"),
        };
        let seats = (1_u8..).zip(accounts).zip(ADDRESSES).map(|((seed, account), address)| {
            let mut seat = ValidatorKeys::from_secret(&[seed; 32]).unwrap().validator(account);
            seat.address = Some(address.parse().unwrap());
            seat
        });
        let validators = ValidatorSet::new(seats.collect()).unwrap();
        let mut both = Vec::new();
        for by_signatures in [false, true] {
            arguments.extend(by_signatures.then_some("--by-signatures"));
            let file = genesis(&parse(&arguments), validators.clone(), 1_760_000_000_123).unwrap();
            let text = written(&file).unwrap();
            let read = GenesisFile::parse(text.as_bytes()).unwrap();
            assert_eq!(written(&read).unwrap(), text);
            let hash = |file: &GenesisFile| file.build().unwrap().block.hash();
            assert_eq!(hash(&read), hash(&file));
            both.push(text);
        }
        insta::assert_snapshot!(both.join("\n"));
    }

    /// The value of a directive, its continued lines joined.
    fn directive<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
        let lines = unit.split('\n').filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        lines.collect()
    }

    /// What the program makes of these arguments, as systemd or a container hands them over.
    fn parsed(arguments: &[String], kept: &Kept, address: &str) -> Node {
        let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
        let Command::Node(node) = cli.command else { panic!("another command: {arguments:?}") };
        assert_eq!(node.genesis, Path::new("/etc/sahara/genesis.json"));
        assert_eq!(node.directory, Path::new("/var/lib/sahara"));
        // The guard of votes is written beside the key, in the one place that can be written to.
        assert_eq!(node.key.file, Path::new("/var/lib/sahara").join(kept.file));
        assert_eq!(node.key.seal.is_plain, kept.credential.is_empty());
        assert_eq!(node.key.seal.password_file.is_some(), !node.key.seal.is_plain);
        assert_eq!(node.peer_listen, address.parse::<std::net::SocketAddr>().unwrap());
        assert!(node.rpc_listen.ip().is_loopback() && node.metrics_listen.ip().is_loopback());
        assert!(!node.follow_parent, "nobody holds its standard input");
        node
    }

    #[test]
    fn the_units_command_is_one_of_this_program() {
        for (kept, address) in
            [&CLEAR, &ENCRYPTED].into_iter().flat_map(|kept| ADDRESSES.map(|one| (kept, one)))
        {
            let text = unit(address.parse().unwrap(), kept);
            let joined = text.replace("\\\n", " ");
            let command = directive(&joined, "ExecStart");
            assert_eq!(command.len(), 1, "{text}");
            let credentials = "/run/credentials/sahara.service";
            let words = command[0].replace("%d", credentials);
            assert!(
                !words.contains(['%', '$', '"', '\\']),
                "systemd would read it otherwise: {words}"
            );
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            assert_eq!(words[0], "/usr/local/bin/sahara", "systemd wants a whole path");
            let node = parsed(&words, kept, address);
            let loaded = directive(&joined, "LoadCredential");
            match node.key.seal.password_file {
                Some(file) => {
                    let (name, place) = loaded[0].split_once(':').unwrap();
                    assert_eq!(file, Path::new(credentials).join(name));
                    assert!(page(Path::new("testnet"), 1, "0x", kept).contains(place));
                }
                None => assert!(loaded.is_empty()),
            }
            assert_eq!(directive(&joined, "User"), ["sahara"]);
            assert_eq!(directive(&joined, "StateDirectory"), ["sahara"], "of /var/lib");
            // Every line is a section, a directive or empty.
            let is_known =
                |line: &str| line.is_empty() || line.starts_with('[') || line.contains('=');
            assert!(joined.lines().all(is_known), "{joined}");
        }
    }

    /// What systemd itself says of a unit; none where it is not installed.
    fn said_by_systemd(unit: &str) -> Option<Vec<String>> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sahara.service");
        // Nothing is installed here; what stands in for the program is on every machine.
        std::fs::write(&file, unit.replace("/usr/local/bin/sahara", "/bin/true")).unwrap();
        let verify = ["verify", "--man=no", "--recursive-errors=no"];
        let output = std::process::Command::new("systemd-analyze").args(verify).arg(&file).output();
        let said = match output {
            Ok(output) => output.stderr,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => panic!("{error}"),
        };
        let said = String::from_utf8_lossy(&said).into_owned();
        let of_ours = said.lines().filter(|line| line.contains("sahara.service"));
        Some(of_ours.map(str::to_owned).collect())
    }

    #[test]
    fn systemd_understands_every_line_of_the_unit() {
        for (kept, address) in
            [&CLEAR, &ENCRYPTED].into_iter().flat_map(|kept| ADDRESSES.map(|one| (kept, one)))
        {
            let unit = unit(address.parse().unwrap(), kept);
            let Some(said) = said_by_systemd(&unit) else {
                eprintln!("systemd-analyze is not installed: it was not asked");
                return;
            };
            assert!(said.is_empty(), "{said:?}");
            let misspelt = unit.replace("PrivateTmp=", "PrivateTemp=");
            let said = said_by_systemd(&misspelt).unwrap_or_default();
            assert!(said.iter().any(|line| line.contains("PrivateTemp")), "{said:?}");
        }
    }

    #[test]
    fn the_containers_entry_point_is_one_of_this_program() {
        for (kept, address) in
            [&CLEAR, &ENCRYPTED].into_iter().flat_map(|kept| ADDRESSES.map(|one| (kept, one)))
        {
            let text = container(address.parse().unwrap(), kept);
            let joined = text.replace("\\\n", " ");
            let entry = joined.lines().filter_map(|line| line.strip_prefix("ENTRYPOINT "));
            let entry: Vec<&str> = entry.collect();
            assert_eq!(entry.len(), 1, "{text}");
            let words: Vec<String> = serde_json::from_str(entry[0]).unwrap();
            let node = parsed(&words, kept, address);
            if let Some(file) = node.key.seal.password_file {
                assert_eq!(file, Path::new("/run/secrets/validator-password"));
                assert!(text.contains("--secret validator-password "), "{text}");
                assert!(text.contains("podman secret create validator-password "), "{text}");
            }
            // The user who runs it is made before, and owns the volume.
            let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what}: {text}"));
            assert!(place("useradd") < place("\nUSER sahara\n"));
            assert!(place("-o sahara /var/lib/sahara") < place("\nVOLUME /var/lib/sahara\n"));
            assert!(text.contains("--network host"), "{text}");
            let known = [
                "#",
                "FROM ",
                "COPY ",
                "RUN ",
                "USER ",
                "VOLUME ",
                "EXPOSE ",
                "STOPSIGNAL ",
                "ENTRYPOINT ",
            ];
            let is_known = |line: &str| known.iter().any(|word| line.starts_with(word));
            assert!(joined.lines().all(is_known), "{joined}");
        }
    }
}
