//! The command line.

use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// An AI economy that its participants own.
#[derive(Debug, Parser)]
#[command(name = "sahara", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Start here: `sahara up`, then `sahara chat`.\n\
    Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused (key, signature, funds), 5 no answer.")]
pub(crate) struct Cli {
    /// Print one JSON value instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where chains, keys and wallets are kept.
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
    /// JSON-RPC of a node; by default that of the local network.
    #[arg(long, global = true, value_name = "URL", env = "SAHARA_RPC")]
    pub(crate) rpc: Option<String>,
    /// Gateway; by default that of the local network.
    #[arg(long, global = true, value_name = "URL", env = "SAHARA_GATEWAY")]
    pub(crate) gateway: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a local network with a small economy and keep it running.
    Up(Up),
    /// Stop a network that `up --detach` started.
    Down,
    /// Run a node.
    Node(Node),
    /// Run a worker: computes answers and signs what it earned.
    Worker(Worker),
    /// Run a gateway: sells answers over HTTP and settles them on chain.
    Gateway(Gateway),
    /// Talk to a model; ends with the bill and who was paid.
    Chat(Chat),
    /// API keys.
    #[command(subcommand)]
    Key(Key),
    /// Wallets: keys, balances, transfers.
    #[command(subcommand)]
    Wallet(Wallet),
    /// Assets: register, look up, preview royalties.
    #[command(subcommand)]
    Asset(Asset),
    /// Who earned what, live.
    Earnings(Earnings),
    /// Usage receipts.
    #[command(subcommand)]
    Receipt(Receipt),
    /// The supply, by class; with --recount by walking the whole state of a stopped node.
    Supply(Supply),
    /// Name, address and ABI of every native protocol.
    Abi,
    /// The default model.
    #[command(subcommand)]
    Model(Model),
    /// Check this machine and the network, and say what to mend.
    Doctor,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `sahara up`.
#[derive(Args, Debug)]
#[command(after_help = "Example: sahara up --validators 4 --port-base 20000 --detach --json")]
pub(crate) struct Up {
    /// Number of validator processes.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) validators: u16,
    /// Use a block of ports from here: JSON-RPC P, gateway P+1, metrics P+2, peers from P+10.
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
}

/// `sahara node`.
#[derive(Args, Debug)]
pub(crate) struct Node {
    /// The genesis file, equal for all nodes.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) genesis: PathBuf,
    /// Where this node keeps its chain.
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
    /// File with the validator's secret, 32 bytes in hexadecimal.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) key_file: PathBuf,
    /// Address and port of JSON-RPC.
    #[arg(long, default_value = "127.0.0.1:8545")]
    pub(crate) rpc_listen: std::net::SocketAddr,
    /// Address and port of metrics and health.
    #[arg(long, default_value = "127.0.0.1:9615")]
    pub(crate) metrics_listen: std::net::SocketAddr,
    /// Address and port on which other validators reach this one.
    #[arg(long, default_value = "127.0.0.1:9700")]
    pub(crate) peer_listen: std::net::SocketAddr,
    /// Another validator: its network key and address, as KEY@127.0.0.1:9701. Repeat for each.
    #[arg(long = "peer", value_name = "KEY@ADDRESS")]
    pub(crate) peers: Vec<String>,
    /// Memory for the state's cache, in MiB.
    #[arg(long, default_value_t = 256)]
    pub(crate) cache: u64,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) follow_parent: bool,
}

/// `sahara worker`.
#[derive(Args, Debug)]
pub(crate) struct Worker {
    /// Its configuration.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) config: PathBuf,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) follow_parent: bool,
}

/// `sahara gateway`.
#[derive(Args, Debug)]
pub(crate) struct Gateway {
    /// Its configuration.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) config: PathBuf,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) follow_parent: bool,
}

/// `sahara chat`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  sahara chat \"Name three rivers\"\n  sahara chat            talk until Ctrl-D"
)]
pub(crate) struct Chat {
    /// What to say; without it the terminal is read line by line.
    pub(crate) message: Vec<String>,
    /// The model or agent, as `/v1/models` names it; by default the demonstration's agent.
    #[arg(long, short)]
    pub(crate) model: Option<String>,
    /// The most tokens to pay for.
    #[arg(long, default_value_t = 256)]
    pub(crate) max_tokens: u32,
    /// 0 picks the likeliest token every time.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) temperature: f32,
    /// Seed of the sampler.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// An API key; by default that of the local network.
    #[arg(long, env = "SAHARA_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
}

/// `sahara key`.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Sign a key grant and print the API key, once.
    Create {
        /// Who pays.
        #[command(flatten)]
        signer: Signer,
        /// The most it may ever cost, in SAHARA.
        #[arg(long, default_value = "100")]
        limit: sahara_primitives::Amount,
        /// The most it may cost on one day (UTC), in SAHARA.
        #[arg(long, default_value = "20")]
        daily_limit: sahara_primitives::Amount,
        /// Only these assets; by default any.
        #[arg(long = "asset", value_name = "ID")]
        assets: Vec<sahara_primitives::AssetId>,
        /// Days until it ends.
        #[arg(long, default_value_t = 30)]
        days: u32,
        /// Add this much from the wallet to the deposit first, in SAHARA.
        #[arg(long, value_name = "SAHARA")]
        fund: Option<sahara_primitives::Amount>,
    },
    /// What a key may still spend, and what a thief or a lying gateway could take at most.
    Show {
        /// An API key; by default that of the local network.
        #[arg(long, env = "SAHARA_API_KEY", hide_env_values = true)]
        api_key: Option<String>,
    },
    /// Make the secret of a validator.
    Validator {
        /// Where to write it; never overwritten.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// Who signs.
#[derive(Args, Clone, Debug)]
pub(crate) struct Signer {
    /// A wallet made with `sahara wallet new`.
    #[arg(long, value_name = "NAME")]
    pub(crate) wallet: Option<String>,
    /// File with the wallet's password; asked for on the terminal otherwise.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// An account of the public test mnemonic; only on the local chain. 0 when nothing is named.
    #[arg(long, value_name = "INDEX", conflicts_with = "wallet")]
    pub(crate) dev_account: Option<u32>,
}

/// `sahara wallet`.
#[derive(Debug, Subcommand)]
pub(crate) enum Wallet {
    /// Make a key and encrypt it with a password.
    New {
        /// Its name.
        name: String,
        /// File with the password.
        #[arg(long, value_hint = ValueHint::FilePath)]
        password_file: Option<PathBuf>,
    },
    /// Wallets on this machine.
    List,
    /// Coin of an account: in the wallet, earned and not yet credited, and deposited for requests.
    Balance {
        /// The account; by default the signer's.
        address: Option<sahara_primitives::Address>,
        /// Whose account.
        #[command(flatten)]
        signer: Signer,
    },
    /// Send coin.
    Send {
        /// To whom.
        to: sahara_primitives::Address,
        /// How much, in SAHARA.
        amount: sahara_primitives::Amount,
        /// From whom.
        #[command(flatten)]
        signer: Signer,
    },
    /// Put coin into the deposit that pays for requests.
    Fund {
        /// How much, in SAHARA.
        amount: sahara_primitives::Amount,
        /// From whom.
        #[command(flatten)]
        signer: Signer,
    },
    /// Take free coin out of the deposit.
    Withdraw {
        /// How much, in SAHARA.
        amount: sahara_primitives::Amount,
        /// Whose.
        #[command(flatten)]
        signer: Signer,
    },
}

/// `sahara asset`.
#[derive(Debug, Subcommand)]
pub(crate) enum Asset {
    /// Register an asset.
    Register(Register),
    /// One asset: owner, prices, lineage, pool.
    Show {
        /// Its id.
        asset: sahara_primitives::AssetId,
    },
    /// All assets.
    List,
    /// Offer to compute for an asset, as a registered worker; again to change the prices.
    Serve {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// SAHARA per 1,000,000 prompt tokens.
        #[arg(long)]
        input_price: sahara_primitives::Amount,
        /// SAHARA per 1,000,000 completion tokens.
        #[arg(long)]
        output_price: sahara_primitives::Amount,
        /// The worker.
        #[command(flatten)]
        signer: Signer,
    },
    /// Before linking: who would get what of one SAHARA of asset income.
    Preview {
        /// Parents as ID or ID:RELATION.
        #[arg(long = "parent", value_name = "ID:RELATION", required = true)]
        parents: Vec<String>,
        /// What descendants of the new asset would owe it, in basis points.
        #[arg(long, default_value_t = 0)]
        derivative_royalty: u16,
    },
}

/// `sahara asset register`.
#[derive(Args, Debug)]
#[command(
    after_help = "Example: sahara asset register --kind dataset --name 'Hiking trails' --content trails.jsonl --derivative-royalty 1000"
)]
pub(crate) struct Register {
    /// Who owns it.
    #[command(flatten)]
    pub(crate) signer: Signer,
    /// dataset, model or agent.
    #[arg(long, value_parser = ["dataset", "model", "agent"])]
    pub(crate) kind: String,
    /// Its name.
    #[arg(long)]
    pub(crate) name: String,
    /// The content; only its hash goes on chain.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) content: Option<PathBuf>,
    /// An agent's system prompt.
    #[arg(long)]
    pub(crate) prompt: Option<String>,
    /// Parents as ID:RELATION: trained-on, finetuned-from, embeds or derived-from.
    #[arg(long = "parent", value_name = "ID:RELATION")]
    pub(crate) parents: Vec<String>,
    /// SAHARA per 1,000,000 prompt tokens.
    #[arg(long, default_value = "0")]
    pub(crate) input_price: sahara_primitives::Amount,
    /// SAHARA per 1,000,000 completion tokens.
    #[arg(long, default_value = "0")]
    pub(crate) output_price: sahara_primitives::Amount,
    /// Part of every descendant's income that comes here, in basis points (at most 2000).
    #[arg(long, default_value_t = 0)]
    pub(crate) derivative_royalty: u16,
    /// Who may derive from it.
    #[arg(long, default_value = "open", value_parser = ["open", "approval", "none"])]
    pub(crate) derivatives: String,
    /// A holder of units as ADDRESS:UNITS. Repeat for each.
    #[arg(long = "member", value_name = "ADDRESS:UNITS")]
    pub(crate) members: Vec<String>,
    /// Units that go with ownership, when there are members.
    #[arg(long, default_value_t = 0)]
    pub(crate) owner_units: u64,
}

/// `sahara earnings`.
#[derive(Args, Debug)]
pub(crate) struct Earnings {
    /// Only this account.
    #[arg(long)]
    pub(crate) account: Option<sahara_primitives::Address>,
    /// Go on as money arrives, until Ctrl-C.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

/// `sahara receipt`.
#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Fetch a receipt with everything that proves it.
    Get {
        /// Its id, as `usage.receipt` says.
        id: String,
    },
    /// Check a receipt without a network, trusting only the genesis hash.
    Verify {
        /// The bundle that `receipt get --json` printed; `-` reads standard input.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Hash of the genesis block; by default that of the local network.
        #[arg(long)]
        genesis: Option<sahara_primitives::B256>,
    },
}

/// `sahara supply`.
#[derive(Args, Debug)]
pub(crate) struct Supply {
    /// Walk the whole state and add up every balance; the node must be stopped.
    #[arg(long)]
    pub(crate) recount: bool,
    /// The node's directory to recount; by default the first of the local network.
    #[arg(long, requires = "recount", value_hint = ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
}

/// `sahara model`.
#[derive(Debug, Subcommand)]
pub(crate) enum Model {
    /// Fetch the default model into the cache, unless it is there.
    Fetch,
    /// Where it lies.
    Path,
}
