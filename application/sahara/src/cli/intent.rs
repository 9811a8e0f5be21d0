//! Flags of `sahara intent`.

use super::{Doing, Signer, Span};
use clap::{Args, Subcommand, ValueHint};
use sahara_primitives::{Address, Amount};
use std::path::PathBuf;

/// `sahara intent`.
#[derive(Debug, Subcommand)]
pub(crate) enum Intent {
    /// What can be asked for by an intent.
    #[command(after_help = "Example: sahara intent actions")]
    Actions,
    /// Sign what you want done; it costs nothing and sends nothing. Anybody can bring the file.
    #[command(
        after_help = "Arguments are those of the function, one by one; coin as in `5 SAHARA`.\nExamples:\n  sahara intent sign channels.withdraw '5 SAHARA' --wallet me > intent.json\n  sahara intent sign staking.withdraw 0x1111111111111111111111111111111111111111 0x2222222222222222222222222222222222222222 --wallet me > intent.json\n  sahara intent sign governance.castVote 123 1 --max-fee 0 --wallet me > intent.json"
    )]
    Sign(SignIntent),
    /// Bring what somebody signed. You pay the gas and are repaid out of what it yields.
    #[command(
        after_help = "Examples:\n  sahara intent relay intent.json --dry-run\n  sahara intent relay intent.json --sponsor 0x1111111111111111111111111111111111111111"
    )]
    Relay {
        /// What `sahara intent sign` printed.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Whose budget pays what the action does not yield.
        #[arg(long)]
        sponsor: Option<Address>,
        /// Say what you would be repaid, and send nothing.
        #[arg(long)]
        dry_run: bool,
        /// Who brings it and pays the gas.
        #[command(flatten)]
        signer: Signer,
    },
    /// Make an intent of yours useless before somebody brings it.
    #[command(after_help = "Example: sahara intent cancel 3")]
    Cancel {
        /// Its nonce.
        nonce: u64,
        /// Whose intent it is.
        #[command(flatten)]
        doing: Doing,
    },
    /// Let a relayer be repaid from your coin, within limits.
    #[command(
        after_help = "It pays what actions do not yield, as votes. Again to add coin or to change limits.\nExample: sahara intent sponsor 0x1111111111111111111111111111111111111111 10 --per-intent 0.01 --per-day 1"
    )]
    Sponsor {
        /// Who is repaid.
        relayer: Address,
        /// How much to add, in SAHARA; 0 only changes the limits.
        amount: Amount,
        /// The most for one intent, in SAHARA.
        #[arg(long)]
        per_intent: Amount,
        /// The most for one day (UTC), in SAHARA.
        #[arg(long)]
        per_day: Amount,
        /// The sponsor.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take coin out of a budget that you gave.
    #[command(
        after_help = "Example: sahara intent take-back 0x1111111111111111111111111111111111111111 5"
    )]
    TakeBack {
        /// To whom you gave it.
        relayer: Address,
        /// How much, in SAHARA.
        amount: Amount,
        /// The sponsor.
        #[command(flatten)]
        doing: Doing,
    },
    /// What is left of a budget.
    #[command(
        after_help = "Example: sahara intent budget 0x1111111111111111111111111111111111111111 0x2222222222222222222222222222222222222222"
    )]
    Budget {
        /// Who gave it.
        sponsor: Address,
        /// Who is repaid from it.
        relayer: Address,
    },
}

/// `sahara intent sign`.
#[derive(Args, Debug)]
pub(crate) struct SignIntent {
    /// A protocol and its function, as in `sahara intent actions`; its argument types may be left out.
    pub(crate) action: String,
    /// The function's arguments.
    #[arg(allow_negative_numbers = true)]
    pub(crate) arguments: Vec<String>,
    /// Coin of yours that goes with the call, in SAHARA.
    #[arg(long, default_value = "0")]
    pub(crate) value: Amount,
    /// The most that you pay, in SAHARA, out of what it yields. You pay what the gas costs, if that is less.
    #[arg(long, default_value = "0.01")]
    pub(crate) max_fee: Amount,
    /// How long it can be brought.
    #[arg(long = "for", default_value = "1h")]
    pub(crate) length: Span,
    /// Who alone may bring it; anybody if none is named.
    #[arg(long)]
    pub(crate) relayer: Option<Address>,
    /// Whose wish it is.
    #[command(flatten)]
    pub(crate) signer: Signer,
}
