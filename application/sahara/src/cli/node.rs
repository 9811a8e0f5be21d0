//! Flags of `sahara up`, `sahara node` and `sahara doctor`.

use super::KeyFile;
use clap::{Args, ValueEnum, ValueHint};
use sahara_chain::store::{History, StoreOptions};
use std::path::PathBuf;

/// `sahara up`.
#[derive(Args, Debug)]
#[command(
    after_help = "It needs about 1 GiB of disk and memory, and Python 3 with pip the first time.\nExamples:\n  sahara up\n  sahara up --validators 4 --port-base 20000 --detach --json"
)]
pub(crate) struct Up {
    /// Number of validator processes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) validators: u16,
    /// Use a block of ports from here: JSON-RPC P, gateway P+1, metrics P+2, peers from P+10. By default
    /// 8545, 8080, 9615 and from 9700.
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u16).range(1024..=65_000))]
    pub(crate) port_base: Option<u16>,
    /// Start bare, without the demonstration's assets and API key.
    #[arg(long)]
    pub(crate) no_demo: bool,
    /// Return once everything answers; stop it with `sahara down`.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Threads of the language model.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// As `sahara node --history`: how much of the past the nodes keep.
    #[arg(long, default_value = "pruned", value_parser = known_history)]
    pub(crate) history: String,
    /// As `sahara node --sync`: how a node of it that has no chain yet gets it.
    #[arg(long, value_enum, default_value_t = SyncMode::Replay)]
    pub(crate) sync: SyncMode,
    /// Seconds of a usage log's period; a day, if it is not said.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) log_period: Option<u64>,
}

/// `sahara node`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example: sahara node --genesis genesis.json --directory node --key-file validator.json --password-file password --peer KEY@10.0.0.2:9700"
)]
pub(crate) struct Node {
    /// The genesis file, equal for all nodes.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) genesis: PathBuf,
    /// Where this node keeps its chain.
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
    /// The validator's keys.
    #[command(flatten)]
    pub(crate) key: KeyFile,
    /// Address and port of JSON-RPC.
    #[arg(long, default_value = "127.0.0.1:8545")]
    pub(crate) rpc_listen: std::net::SocketAddr,
    /// A name under which a proxy on this machine passes requests to JSON-RPC, as node.example:443.
    /// Repeat for each. An address that is not loopback answers to every name.
    #[arg(long = "rpc-host", value_name = "NAME:PORT")]
    pub(crate) rpc_hosts: Vec<String>,
    /// Address and port of metrics and health.
    #[arg(long, default_value = "127.0.0.1:9615")]
    pub(crate) metrics_listen: std::net::SocketAddr,
    /// Address and port on which other validators reach this one.
    #[arg(long, default_value = "127.0.0.1:9700")]
    pub(crate) peer_listen: std::net::SocketAddr,
    /// Another node: its network key and address, as KEY@127.0.0.1:9701. Repeat for each. Needed for
    /// validators whose address the set does not say, and for nodes that follow this one.
    #[arg(long = "peer", value_name = "KEY@ADDRESS")]
    pub(crate) peers: Vec<String>,
    /// What to do when the consensus directory is missing or older than what this key has signed.
    #[arg(long, value_enum, default_value_t = LostVotes::Refuse)]
    pub(crate) lost_votes: LostVotes,
    /// Memory for the state's cache, in MiB.
    #[arg(long, default_value_t = 256)]
    pub(crate) cache: u64,
    /// How a new node gets the chain: by executing all blocks, or by fetching the state after a recent
    /// one, each part proven under the genesis hash. Blocks from before are then fetched as far back as
    /// `--history` says. A node that has a chain goes on with it either way.
    #[arg(long, value_enum, default_value_t = SyncMode::Replay)]
    pub(crate) sync: SyncMode,
    /// How much of the past is kept: `pruned` (values of the last 10,000 blocks, proofs of the last
    /// one), `window=N` (values and proofs of the last N blocks), or `archive` (of all). Blocks and
    /// receipts are kept in each; those from before a fetched state come from peers, none with `pruned`.
    #[arg(long, default_value = "pruned", value_parser = parse_history)]
    pub(crate) history: History,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) follow_parent: bool,
}

/// `sahara doctor`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exits with 1 when something is to be mended.\nExamples:\n  sahara doctor\n  sahara doctor --rpc http://127.0.0.1:8545 --genesis genesis.json --directory node --key-file validator.json"
)]
pub(crate) struct Doctor {
    /// Look at the guard of a validator on this machine, too: its genesis file, as `sahara node` has it.
    #[arg(long, value_hint = ValueHint::FilePath, requires = "key_file")]
    pub(crate) genesis: Option<PathBuf>,
    /// Where that validator keeps its chain.
    #[arg(long, value_hint = ValueHint::DirPath, requires = "genesis")]
    pub(crate) directory: Option<PathBuf>,
    /// The file with its secret, which is not opened.
    #[arg(long, value_hint = ValueHint::FilePath, requires = "directory")]
    pub(crate) key_file: Option<PathBuf>,
}

/// How a new node gets the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SyncMode {
    /// Executes all blocks.
    Replay,
    /// Fetches the state after a recent block.
    State,
}

impl SyncMode {
    /// As it stands in a flag.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::State => "state",
        }
    }
}

/// What [`parse_history`] reads, as it was written.
fn known_history(text: &str) -> Result<String, String> {
    parse_history(text).map(|_| text.to_owned())
}

/// Reads `pruned`, `window=N` or `archive`.
fn parse_history(text: &str) -> Result<History, String> {
    match text.split_once('=') {
        None if text == "pruned" => Ok(StoreOptions::default().history),
        None if text == "archive" => Ok(History::Archive),
        Some(("window", blocks)) => match blocks.parse() {
            Ok(blocks) if blocks > 0 => Ok(History::Window(blocks)),
            _ => Err(format!("expected a number of blocks after `window=`, got `{blocks}`")),
        },
        _ => Err(String::from("expected `pruned`, `window=N` or `archive`")),
    }
}

/// What a node does when its directory has lost votes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LostVotes {
    /// Do not start.
    Refuse,
    /// Follow, and sign again from the next epoch on.
    SitOut,
    /// Sign again at once; a double vote can be proven.
    SignAnyway,
}
