//! Flags of `sahara validators`.

use super::{Doing, KeyFile, Seal};
use clap::{Args, Subcommand, ValueHint};
use sahara_primitives::{Address, Amount};
use std::{net::SocketAddr, path::PathBuf};

/// `sahara validators`.
#[derive(Debug, Subcommand)]
pub(crate) enum Validators {
    /// Who validates: network key, fee address, address on the network.
    #[command(after_help = "Example: sahara validators show --json")]
    Show {
        /// The epoch; that of the next block when none is named.
        #[arg(long)]
        epoch: Option<u64>,
    },
    /// What the others need to know of a validator: public keys and the proof that it holds them.
    #[command(
        after_help = "Example: sahara validators entry --key-file validator.json --fee-address 0x1111111111111111111111111111111111111111 --address 203.0.113.7:9700 > me.json"
    )]
    Entry(Entry),
    /// Write down a change: validators join, leave or are replaced from the next epoch on.
    #[command(
        after_help = "Send the file to the validators; more than two thirds of them have to sign it within this epoch.\nExample: sahara validators propose --add me.json --remove 0x3b6a... > change.json"
    )]
    Propose {
        /// File with the entry of one who joins; one with a known network key replaces it. Repeat for each.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        add: Vec<PathBuf>,
        /// Network key of one who leaves. Repeat for each.
        #[arg(long, value_name = "KEY")]
        remove: Vec<String>,
    },
    /// Agree to a change as a validator, without a network.
    #[command(after_help = "Example: sahara validators sign change.json --key-file validator.json")]
    Sign {
        /// The change.
        #[arg(value_hint = ValueHint::FilePath)]
        change: PathBuf,
        /// The validator's keys.
        #[command(flatten)]
        key: KeyFile,
    },
    /// Proof that validators contradicted themselves, as the node has kept it; with --report it is sent
    /// to the chain, which slashes them and pays a bounty.
    #[command(
        after_help = "Anyone may report. Works where staking decides who validates.\nExamples:\n  sahara validators evidence\n  sahara validators evidence --report --dry-run --wallet me\n  sahara validators evidence --report --wallet me"
    )]
    Evidence {
        /// Send what the chain does not know yet.
        #[arg(long)]
        report: bool,
        /// Who reports, and receives the bounty.
        #[command(flatten)]
        doing: Doing,
    },
    /// Send a change with the signatures of more than two thirds of the validators; where staking decides
    /// who validates, the chain takes none.
    #[command(
        after_help = "Example: sahara validators submit change.json --signature 0x8a... --signature 0x93... --wallet me"
    )]
    Submit(Submit),
}

/// `sahara validators entry`.
#[derive(Args, Debug)]
pub(crate) struct Entry {
    /// The validator's keys.
    #[command(flatten)]
    pub(crate) key: KeyFile,
    /// Receives the validator's fees.
    #[arg(long)]
    pub(crate) fee_address: Address,
    /// Where the others reach it.
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) address: Option<SocketAddr>,
}

/// `sahara validators submit`.
#[derive(Args, Debug)]
pub(crate) struct Submit {
    /// The change.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) change: PathBuf,
    /// What a validator's `sahara validators sign` printed. Repeat for each.
    #[arg(long = "signature", value_name = "HEX", required = true)]
    pub(crate) signatures: Vec<String>,
    /// Who pays for the transaction.
    #[command(flatten)]
    pub(crate) doing: Doing,
}

/// `sahara testnet`.
#[derive(Debug, Subcommand)]
pub(crate) enum Testnet {
    /// Write genesis, keys, a systemd unit and a container file for each host of a new network.
    #[command(
        after_help = "Example: sahara testnet init --host 203.0.113.1:9700 --host 203.0.113.2:9700 --host 203.0.113.3:9700 --host 203.0.113.4:9700 --account 0x1111111111111111111111111111111111111111 --password-file password --directory testnet"
    )]
    Init(InitTestnet),
}

/// `sahara testnet init`.
#[derive(Args, Debug)]
pub(crate) struct InitTestnet {
    /// Where a validator is reached by the others. Repeat for each.
    #[arg(long = "host", value_name = "IP:PORT", required = true)]
    pub(crate) hosts: Vec<SocketAddr>,
    /// Accounts that hold the liquid coin; host by host each in turn is the validator's. Repeat for more.
    #[arg(long = "account", value_name = "ADDRESS", required = true)]
    pub(crate) accounts: Vec<Address>,
    /// EIP-155 id of the new chain.
    #[arg(long, default_value_t = 724_273)]
    pub(crate) chain_id: u64,
    /// Blocks in an epoch.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) epoch_length: u64,
    /// SAHARA that each host's validator stakes.
    #[arg(long, default_value = "100000")]
    pub(crate) stake: Amount,
    /// Seconds for which seats stay with who has them, unless someone leaves, is jailed or is slashed.
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub(crate) seat_period: u32,
    /// Seconds for which stake that leaves answers for old faults, 21 days if it is not said. Not shorter than the seat period.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) unbonding_period: Option<u32>,
    /// Turns over which a validator's presence is counted, 100 if it is not said; at most 128.
    #[arg(long, value_name = "TURNS")]
    pub(crate) presence_window: Option<u8>,
    /// The most of them that it may miss, 50 if it is not said.
    #[arg(long, value_name = "TURNS")]
    pub(crate) most_missed: Option<u8>,
    /// Seconds in jail for missing more, 600 if it is not said.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) jail_period: Option<u32>,
    /// Nobody stakes: more than two thirds of the validators change their set by signatures.
    #[arg(long)]
    pub(crate) by_signatures: bool,
    /// How the validators' secrets are kept; one password is for all.
    #[command(flatten)]
    pub(crate) seal: Seal,
    /// Where to write; must not exist.
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
}
