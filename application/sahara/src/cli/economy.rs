//! Commands about what is decided together, and about what comes free when.

use super::{Doing, Signer, Span};
use clap::Subcommand;
use sahara_primitives::{Address, Amount};
use std::path::PathBuf;

/// `sahara gov`.
#[derive(Debug, Subcommand)]
pub(crate) enum Gov {
    /// All proposals, the newest last: where each stands, and how the votes are.
    #[command(after_help = "Example: sahara gov list")]
    List,
    /// One proposal: its rules, votes, times and calls.
    #[command(after_help = "Example: sahara gov show 1")]
    Show {
        /// Its number in `sahara gov list`.
        proposal: u64,
    },
    /// What holds for each kind of proposal.
    #[command(after_help = "Example: sahara gov rules")]
    Rules,
    /// Put coin where proposals take their deposit from.
    #[command(after_help = "Example: sahara gov deposit 1000")]
    Deposit {
        /// How much, in SAHARA.
        amount: Amount,
        /// Whose.
        #[command(flatten)]
        doing: Doing,
    },
    /// Make a proposal: a text, or calls that governance is to make. They are tried out at once.
    #[command(
        after_help = "Without --call it is a text that changes nothing. `cast calldata` makes DATA.\nExamples:\n  sahara gov propose 'We thank the testers'\n  sahara gov propose 'Seven seats' --call 0x534148415241000000000000000000000000000a:0x..."
    )]
    Propose {
        /// What it is about.
        description: String,
        /// A call as ADDRESS:DATA. Repeat for each.
        #[arg(long = "call", value_name = "ADDRESS:DATA")]
        calls: Vec<String>,
        /// Try it out as the chain would, say whether it would be taken, and send nothing.
        #[arg(long)]
        dry_run: bool,
        /// The proposer, whose deposit stands behind it.
        #[command(flatten)]
        signer: Signer,
    },
    /// Vote with all coin that you bonded; it overrides your validators' votes.
    #[command(after_help = "Example: sahara gov vote 1 for --reason 'fewer is faster'")]
    Vote {
        /// Its number in `sahara gov list`.
        proposal: u64,
        /// What you say.
        #[arg(value_parser = ["against", "for", "abstain", "veto"])]
        support: String,
        /// Why.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Who votes.
        #[command(flatten)]
        doing: Doing,
    },
    /// Start the timelock of an accepted proposal; the chain does it later by itself.
    #[command(after_help = "Example: sahara gov queue 1")]
    Queue {
        /// Its number in `sahara gov list`.
        proposal: u64,
        /// Who sends it: anyone may.
        #[command(flatten)]
        doing: Doing,
    },
    /// Execute a queued proposal; the chain does it later by itself.
    #[command(after_help = "Example: sahara gov execute 1")]
    Execute {
        /// Its number in `sahara gov list`.
        proposal: u64,
        /// Who sends it: anyone may.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take your proposal back before votes are taken.
    #[command(after_help = "Example: sahara gov cancel 1")]
    Cancel {
        /// Its number in `sahara gov list`.
        proposal: u64,
        /// Its proposer.
        #[command(flatten)]
        doing: Doing,
    },
}

/// `sahara vesting`.
#[derive(Debug, Subcommand)]
pub(crate) enum Vesting {
    /// Every coming unlock and every announced move, as a table, CSV or iCalendar.
    #[command(
        after_help = "Examples:\n  sahara vesting calendar\n  sahara vesting calendar --ical > sahara.ics"
    )]
    Calendar {
        /// Comma-separated values.
        #[arg(long, conflicts_with = "ical")]
        csv: bool,
        /// iCalendar (RFC 5545), for a calendar program.
        #[arg(long)]
        ical: bool,
        /// Only what concerns this account.
        #[arg(long, value_name = "ADDRESS")]
        account: Option<Address>,
    },
    /// Schedules: of an account, or of the classes.
    #[command(
        after_help = "Examples:\n  sahara vesting show\n  sahara vesting show 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )]
    Show {
        /// Whose; the five classes' when nobody is named.
        account: Option<Address>,
    },
    /// What comes free when of an amount on a class's curve.
    #[command(after_help = "Example: sahara vesting calc team 1000000 --delay 180d")]
    Calc {
        /// The class.
        #[arg(value_parser = ["airdrop", "community", "incentive-pool", "team", "investors"])]
        class: String,
        /// How much, in SAHARA.
        amount: Amount,
        /// How much later than the class's.
        #[arg(long, default_value = "0s")]
        delay: Span,
    },
    /// Pay a schedule's beneficiary what came free; anyone may.
    #[command(after_help = "Example: sahara vesting release 6 --dry-run")]
    Release {
        /// Its number in `sahara vesting show`.
        schedule: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Announce a move from a schedule of yours that needs notice.
    #[command(after_help = "Example: sahara vesting announce 6 0x7099...79C8 1000 --dry-run")]
    Announce {
        /// Its number in `sahara vesting show`.
        schedule: u64,
        /// To whom.
        to: Address,
        /// How much, in SAHARA.
        amount: Amount,
        /// The schedule's beneficiary.
        #[command(flatten)]
        doing: Doing,
    },
    /// Execute an announced move in its window; anyone may.
    #[command(after_help = "Example: sahara vesting execute 1 --dry-run")]
    Execute {
        /// Its number in `sahara vesting calendar`.
        number: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take an announced move back.
    #[command(after_help = "Example: sahara vesting cancel 1")]
    Cancel {
        /// Its number in `sahara vesting calendar`.
        number: u64,
        /// Who announced it.
        #[command(flatten)]
        doing: Doing,
    },
}

/// `sahara airdrop`.
#[derive(Debug, Subcommand)]
pub(crate) enum Airdrop {
    /// The list's root, when claims begin and end, what is unclaimed.
    #[command(after_help = "Example: sahara airdrop status")]
    Status,
    /// The root of a list, to be published with it.
    #[command(after_help = "Lines are ACCOUNT,SAHARA.\nExample: sahara airdrop root list.csv")]
    Root {
        /// The list.
        file: PathBuf,
    },
    /// Claim an allocation for its account; anyone may.
    #[command(after_help = "Example: sahara airdrop claim list.csv 17 --dry-run")]
    Claim {
        /// The list, as it was published.
        file: PathBuf,
        /// The allocation's line, from 0.
        index: u64,
        /// Say what it would give, and send nothing.
        #[arg(long)]
        dry_run: bool,
        /// Who sends it.
        #[command(flatten)]
        signer: Signer,
    },
}
