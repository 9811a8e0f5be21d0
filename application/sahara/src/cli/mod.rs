//! The command line.

mod accounts;
mod assets;
mod award;
mod contributions;
mod dispute;
mod economy;
mod intent;
mod licenses;
mod market;
mod money;
mod node;
#[cfg(test)]
mod page;
mod sim;
mod span;
mod stake;
mod validators;

pub(crate) use accounts::Account;
pub(crate) use assets::{Asset, Register};
pub(crate) use award::{Award, Doing, Hackathon, Round, Usage};
pub(crate) use contributions::{Contribution, Statement, Which};
pub(crate) use dispute::{Dispute, share};
pub(crate) use economy::{Airdrop, Gov, Vesting};
pub(crate) use intent::{Intent, SignIntent};
pub(crate) use licenses::{BuyLicense, License, Offer, Seat, Terms, TermsSpec};
pub(crate) use market::{BuyListing, ListingSpec, Market, MarketOffer};
pub(crate) use money::{CreateKey, Key, KeyFile, Seal, Signer, Wallet};
pub(crate) use node::{Doctor, LostVotes, Node, SyncMode, Up};
pub(crate) use sim::{Attack, Distribution, Dollars, RunSim, Sim};
pub(crate) use span::Span;
pub(crate) use stake::{CreateStake, Delegation, Stake};
pub(crate) use validators::{Entry, InitTestnet, Submit, Testnet, Validators};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Start here, and what the exit code says.
const AFTER: &str = "\
Start here:
  sahara up                             a local network with a small economy
  sahara chat \"Name three islands\"       an answer, its bill, and who was paid
  sahara earnings --follow              who earns while it happens

Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused (key, signature, funds, rule), 5 no answer.
With --json a failure is {\"error\": {\"code\", \"message\", \"exit_code\"}} on standard output, the code one of
failed, usage, not_found, refused, unreachable. Progress and logs go to standard error.
Environment: SAHARA_DATA_DIR, SAHARA_RPC, SAHARA_GATEWAY, SAHARA_API_KEY, SAHARA_LOG_FORMAT and
OTEL_EXPORTER_OTLP_ENDPOINT as the flags, which win; SAHARA_CACHE (where the model is kept), RUST_LOG (what is
logged), NO_COLOR.";

/// An AI economy that its participants own.
#[derive(Debug, Parser)]
#[command(name = "sahara", version, propagate_version = true, arg_required_else_help = true, after_help = AFTER)]
pub(crate) struct Cli {
    /// Print one JSON value instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where chains, keys and wallets are kept; by default `SAHARA_DATA_DIR`, else `~/.local/share/sahara`.
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
    /// JSON-RPC of a node; by default that of the local network.
    #[arg(long, global = true, value_name = "URL", env = "SAHARA_RPC")]
    pub(crate) rpc: Option<String>,
    /// Gateway; by default that of the local network.
    #[arg(long, global = true, value_name = "URL", env = "SAHARA_GATEWAY")]
    pub(crate) gateway: Option<String>,
    /// How log lines on standard error look.
    #[arg(long, global = true, value_enum, env = "SAHARA_LOG_FORMAT", default_value_t = LogLines::Text)]
    pub(crate) log_format: LogLines,
    /// OpenTelemetry collector that traces are sent to as OTLP over HTTP: a URL with http and, by custom, port 4318.
    #[arg(long, global = true, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub(crate) traces: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLines {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a local network with a small economy and keep it running.
    Up(Up),
    /// Stop the local network, wherever it was started; everything is kept.
    #[command(after_help = "Example: sahara up --detach && sahara down")]
    Down,
    /// Whether everything answers: height, peers, gateway, worker, model.
    #[command(
        after_help = "Exits with 0 when all of it works and with 5 when a part is silent or stands still.\nExample: sahara status --json"
    )]
    Status,
    /// Run a node with JSON-RPC and metrics: a validator, or one that follows.
    Node(Node),
    /// Validators: who they are, and how they join, leave and are replaced.
    #[command(subcommand)]
    Validators(Validators),
    /// Stake: become a validator, stand behind one, leave.
    #[command(subcommand)]
    Stake(Stake),
    /// Networks across machines.
    #[command(subcommand)]
    Testnet(Testnet),
    /// Run a worker: computes answers and signs what it earned.
    Worker(Worker),
    /// Run a gateway: sells answers over HTTP and settles them on chain.
    Gateway(Gateway),
    /// Talk to a model; ends with the bill and who was paid.
    Chat(Chat),
    /// API keys: make, watch and end them; and the secrets of validators.
    #[command(subcommand)]
    Key(Key),
    /// Wallets: keys, balances, transfers.
    #[command(subcommand)]
    Wallet(Wallet),
    /// Assets: register, look up, serve, push and pull, preview royalties.
    #[command(subcommand)]
    Asset(Asset),
    /// Licences: terms, offers, purchases, seats; who may use what.
    #[command(subcommand)]
    License(License),
    /// The market: ownership and licences, sold and resold.
    #[command(subcommand)]
    Market(Market),
    /// Contributions: who made an asset, a million at a time, and what they earned.
    #[command(subcommand)]
    Contribution(Contribution),
    /// Proposals: make them, vote, carry them out.
    #[command(subcommand)]
    Gov(Gov),
    /// The airdrop: its list, and claims.
    #[command(subcommand)]
    Airdrop(Airdrop),
    /// Complaints against assets: file, answer, judge, appeal.
    #[command(subcommand)]
    Dispute(Dispute),
    /// Wishes of accounts without coin: sign one, bring one, sponsor them.
    #[command(subcommand)]
    Intent(Intent),
    /// What comes free when, and announced moves.
    #[command(subcommand, visible_alias = "vest")]
    Vesting(Vesting),
    /// Grants, hackathons and rewards from the incentive pool.
    #[command(subcommand)]
    Award(Award),
    /// What a user pays, and who gets it.
    Fees(Fees),
    /// Who earned what, live.
    Earnings(Earnings),
    /// Usage receipts: fetch one, prove one offline.
    #[command(subcommand)]
    Receipt(Receipt),
    /// The supply, by class; with --recount by walking the whole state of a stopped node.
    Supply(Supply),
    /// Ten years of unlocks, fees, the incentive pool and stake, by the chain's own rules; no network needed.
    Sim(RunSim),
    /// Name, address and ABI of every native protocol.
    #[command(after_help = "Example: sahara abi --json | jq '.[0].abi'")]
    Abi,
    /// The default language model: fetch it, find it.
    #[command(subcommand)]
    Model(Model),
    /// Check this machine and the network, and say what to mend.
    Doctor(Doctor),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Examples:\n  source <(sahara completions bash)\n  sahara completions zsh > ~/.zfunc/_sahara\n  sahara completions fish > ~/.config/fish/completions/sahara.fish"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `sahara fees`.
#[derive(Args, Debug)]
#[command(after_help = "Example: sahara fees --defaults")]
pub(crate) struct Fees {
    /// The defaults, without asking a network.
    #[arg(long)]
    pub(crate) defaults: bool,
}

/// Whether to go on with what cannot be undone.
#[derive(Args, Clone, Debug)]
pub(crate) struct Consent {
    /// Do not ask; needed where nobody can be asked: in scripts, and with --json.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Show what it would do and send nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
}

/// `sahara worker`.
#[derive(Args, Debug)]
#[command(
    after_help = "`sahara up` writes one to DATA/local/worker/config.json.\nExample: sahara worker --config worker.json"
)]
pub(crate) struct Worker {
    /// Its configuration, in JSON.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) config: PathBuf,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) follow_parent: bool,
}

/// `sahara gateway`.
#[derive(Args, Debug)]
#[command(
    after_help = "`sahara up` writes one to DATA/local/gateway/config.json.\nExample: sahara gateway --config gateway.json"
)]
pub(crate) struct Gateway {
    /// Its configuration, in JSON.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) config: PathBuf,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) follow_parent: bool,
}

/// `sahara chat`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  sahara chat \"Name three rivers\"\n  sahara chat                        talk until Ctrl-D\n  sahara chat < question.txt         the whole file is one question\n  sahara chat --model smollm2-135m --max-tokens 20 --json \"Hello\""
)]
pub(crate) struct Chat {
    /// What to say; without it a terminal is read line by line, and a file or pipe as one message (also `-`).
    pub(crate) message: Vec<String>,
    /// The model or agent, as `/v1/models` names it; by default the demonstration's agent.
    #[arg(long, short)]
    pub(crate) model: Option<String>,
    /// The most tokens of an answer; those of the message are paid for too.
    #[arg(long, default_value_t = 256)]
    pub(crate) max_tokens: u32,
    /// From 0 to 2; 0 picks the likeliest token every time.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) temperature: f32,
    /// Seed of the sampler.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// An API key; by default that of the local network.
    #[arg(long, env = "SAHARA_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
}

/// `sahara earnings`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  sahara earnings\n  sahara earnings --follow --account 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
)]
pub(crate) struct Earnings {
    /// Only this account.
    #[arg(long)]
    pub(crate) account: Option<sahara_primitives::Address>,
    /// Go on as money arrives, until Ctrl-C; with --json, one value for each payment.
    #[arg(long, short)]
    pub(crate) follow: bool,
}

/// `sahara receipt`.
#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Fetch a receipt with everything that proves it.
    #[command(after_help = "Example: sahara receipt get rcpt_... --json > receipt.json")]
    Get {
        /// Its id, as `usage.receipt` says.
        id: String,
        /// The last block of an epoch whose hash you trust: changes of the validators before it are left
        /// out, which makes the file of an old chain smaller. By default from block 0 on.
        #[arg(long, value_name = "BLOCK")]
        since: Option<u64>,
    },
    /// Check a receipt without a network, trusting only the genesis hash.
    #[command(
        after_help = "Exits with 4 when it proves nothing.\nExamples:\n  sahara receipt verify receipt.json\n  sahara receipt verify - --genesis 0x... < receipt.json"
    )]
    Verify {
        /// The bundle that `receipt get --json` printed; `-` reads standard input.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Hash of the genesis block; by default that of the local network.
        #[arg(long)]
        genesis: Option<sahara_primitives::B256>,
        /// Hash of the last block of an epoch, after which others validated, to trust beside it: what came
        /// before is not needed. For files of `receipt get --since`.
        #[arg(long, value_name = "HASH")]
        since: Option<sahara_primitives::B256>,
    },
}

/// `sahara supply`.
#[derive(Args, Debug)]
#[command(
    after_help = "With --recount it exits with 1 when the sum or the state's root is another.\nExamples:\n  sahara supply\n  sahara down && sahara supply --recount"
)]
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
    #[command(after_help = "Example: SAHARA_CACHE=/big/disk sahara model fetch")]
    Fetch,
    /// Where it lies, or will lie.
    #[command(after_help = "Example: ls -l \"$(sahara model path)\"")]
    Path,
}

#[cfg(test)]
mod tests {
    use super::{AFTER, Cli};
    use crate::failure::Kind;
    use clap::{Arg, Command, CommandFactory};
    use sahara_primitives::Amount;
    use std::{any::TypeId, collections::BTreeSet, ffi::OsStr};

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// Adds every command below one that does something, by its words.
    fn each<'a>(command: &'a Command, path: &str, found: &mut Vec<(String, &'a Command)>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            if sub.has_subcommands() {
                each(sub, &path, found);
            } else {
                found.push((path, sub));
            }
        }
    }

    fn all(cli: &Command) -> Vec<(String, &Command)> {
        let mut found = Vec::new();
        each(cli, "", &mut found);
        found
    }

    #[test]
    fn every_command_shows_an_example() {
        for (path, command) in all(&Cli::command()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example") && help.contains("sahara"), "`{path}` shows none");
            assert!(command.get_about().is_some(), "`{path}` says nothing of itself");
        }
    }

    /// What names a signer only to read, or to sign what is sent by others.
    const SEND_NOTHING: [&str; 7] = [
        "asset pull",
        "contribution earned",
        "contribution statement",
        "intent sign",
        "license list",
        "stake unbonding",
        "wallet balance",
    ];

    #[test]
    fn whatever_is_sent_can_be_tried_first() {
        let cli = Cli::command();
        let has = |command: &Command, flag: &str| {
            command.get_arguments().any(|argument| argument.get_long() == Some(flag))
        };
        let signed = all(&cli).into_iter().filter(|(_, command)| has(command, "wallet"));
        let (tried, others): (Vec<_>, Vec<_>) =
            signed.partition(|(_, command)| has(command, "dry-run"));
        assert!(!tried.is_empty());
        let mut others: Vec<_> = others.iter().map(|(path, _)| path.as_str()).collect();
        others.sort_unstable();
        assert_eq!(others, SEND_NOTHING);
    }

    #[test]
    fn every_amount_says_its_unit() {
        let cli = Cli::command();
        let arguments = all(&cli).into_iter().flat_map(|(path, command)| {
            command.get_arguments().map(move |argument| (path.clone(), argument))
        });
        let amounts = arguments.filter(|(_, argument)| {
            argument.get_value_parser().type_id() == TypeId::of::<Amount>()
        });
        let amounts: Vec<_> = amounts.collect();
        assert!(!amounts.is_empty());
        for (path, argument) in amounts {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("SAHARA"), "`{path}`, {}: {help:?}", argument.get_id());
        }
    }

    #[test]
    fn every_variable_is_documented() {
        let cli = Cli::command();
        let commands = all(&cli).into_iter().map(|(_, command)| command).chain([&cli]);
        let variables = commands.flat_map(Command::get_arguments).filter_map(Arg::get_env);
        let variables: BTreeSet<_> = variables.filter_map(OsStr::to_str).collect();
        assert!(variables.len() > 4, "{variables:?}");
        for variable in variables {
            assert!(AFTER.contains(variable), "{variable}");
        }
    }

    #[test]
    fn every_exit_code_is_documented() {
        let kinds = [Kind::Failed, Kind::Usage, Kind::NotFound, Kind::Refused, Kind::Unreachable];
        for kind in kinds {
            assert!(AFTER.contains(&format!(" {} ", kind.exit_code())), "{kind:?}");
            assert!(AFTER.contains(kind.code()), "{kind:?}");
        }
    }
}
