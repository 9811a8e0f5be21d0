//! Flags of `sahara stake`.

use super::{Doing, Signer};
use clap::{Args, Subcommand, ValueHint};
use sahara_primitives::{Address, Amount};
use std::{net::SocketAddr, path::PathBuf};

/// `sahara stake`.
#[derive(Debug, Subcommand)]
pub(crate) enum Stake {
    /// Become a validator: register a node's keys and stake coin.
    #[command(
        after_help = "Seats are apportioned by stake when a consensus epoch ends, and at most once in the seat period (`sahara stake show`).\nExample: sahara stake create --key-file validator.json --address 203.0.113.7:9700 --amount 5000 --wallet me"
    )]
    Create(CreateStake),
    /// Stand behind a validator: delegate coin to it.
    #[command(
        after_help = "Example: sahara stake delegate 0x1111111111111111111111111111111111111111 250.5 --wallet me"
    )]
    Delegate(Delegation),
    /// Take coin back from a validator; it is free when the unbonding period is over.
    #[command(
        after_help = "Example: sahara stake undelegate 0x1111111111111111111111111111111111111111 250.5 --wallet me"
    )]
    Undelegate(Delegation),
    /// Move coin from one validator to another at once; it answers for the old one's faults for an unbonding period.
    #[command(
        after_help = "Example: sahara stake redelegate 0x1111111111111111111111111111111111111111 0x2222222222222222222222222222222222222222 250.5 --wallet me"
    )]
    Redelegate(Redelegation),
    /// Take out what has finished unbonding.
    #[command(
        after_help = "Example: sahara stake withdraw 0x1111111111111111111111111111111111111111 --wallet me"
    )]
    Withdraw {
        /// The validator it was behind.
        validator: Address,
        /// Whose it is.
        #[command(flatten)]
        doing: Doing,
    },
    /// What is on its way out, and when it is free.
    #[command(after_help = "Example: sahara stake unbonding --wallet me")]
    Unbonding {
        /// Whose; by default the signer's.
        account: Option<Address>,
        /// Whose account.
        #[command(flatten)]
        signer: Signer,
    },
    /// What a stake would earn, if fees stayed as they were lately.
    #[command(
        after_help = "Example: sahara stake calc 1000 --validator 0x1111111111111111111111111111111111111111"
    )]
    Calc {
        /// How much, in SAHARA.
        amount: Amount,
        /// The validator, whose commission is taken off; none is when nobody is named.
        #[arg(long)]
        validator: Option<Address>,
        /// How many blocks are looked back on.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        blocks: u64,
    },
    /// Stop being a validator: no seats from the next epoch on.
    #[command(
        after_help = "Keep the node running until the next epoch has begun.\nExample: sahara stake leave --wallet me"
    )]
    Leave {
        /// The validator.
        #[command(flatten)]
        doing: Doing,
    },
    /// Come back from jail.
    #[command(after_help = "Example: sahara stake unjail --wallet me")]
    Unjail {
        /// The validator.
        #[command(flatten)]
        doing: Doing,
    },
    /// Validators, their stake and their seats now and next, and what over a third and over two thirds of them cost.
    #[command(after_help = "Example: sahara stake show --json")]
    Show,
}

/// `sahara stake create`.
#[derive(Args, Debug)]
pub(crate) struct CreateStake {
    /// File with the secret of a node. Repeat for each node, in the order of their addresses. A
    /// validator fills at most as many seats as it has nodes.
    #[arg(long = "key-file", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) key_files: Vec<PathBuf>,
    /// File with the key files' password, the same for all; asked for on the terminal otherwise.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) key_password_file: Option<PathBuf>,
    /// The key files are not encrypted.
    #[arg(long = "plain-key", conflicts_with = "key_password_file")]
    pub(crate) is_plain: bool,
    /// Where the others reach a node. Repeat for each.
    #[arg(long = "address", required = true, value_name = "IP:PORT")]
    pub(crate) addresses: Vec<SocketAddr>,
    /// How much to stake, in SAHARA; at least 1,000.
    #[arg(long)]
    pub(crate) amount: Amount,
    /// What the validator keeps of its delegators' rewards, in basis points (at most 2000).
    #[arg(long, default_value_t = 500)]
    pub(crate) commission: u16,
    /// Receives the commission; the validator's account if none is named.
    #[arg(long)]
    pub(crate) fee_address: Option<Address>,
    /// The validator's account, which pays the stake.
    #[command(flatten)]
    pub(crate) doing: Doing,
}

/// `sahara stake delegate` and `sahara stake undelegate`.
#[derive(Args, Debug)]
pub(crate) struct Delegation {
    /// The validator's account.
    pub(crate) validator: Address,
    /// How much, in SAHARA.
    pub(crate) amount: Amount,
    /// Whose coin it is.
    #[command(flatten)]
    pub(crate) doing: Doing,
}

/// `sahara stake redelegate`.
#[derive(Args, Debug)]
pub(crate) struct Redelegation {
    /// The validator it is behind.
    pub(crate) from: Address,
    /// The validator it goes to.
    pub(crate) to: Address,
    /// How much, in SAHARA.
    pub(crate) amount: Amount,
    /// Whose coin it is.
    #[command(flatten)]
    pub(crate) doing: Doing,
}
