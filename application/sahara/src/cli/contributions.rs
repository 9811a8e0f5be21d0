//! Commands about contributions.

use super::{Consent, Doing, Signer};
use clap::{Args, Subcommand, ValueHint, builder::PossibleValuesParser};
use sahara_primitives::{Address, AssetId};
use std::path::PathBuf;

/// `sahara contribution`.
#[derive(Debug, Subcommand)]
pub(crate) enum Contribution {
    /// The root of a list of contributors, without a network.
    #[command(
        after_help = "A list is CSV (contributor,units a line) or JSON lines ({\"contributor\": \"0x...\", \"units\": 3}); `-` reads standard input.\nExample: sahara contribution root contributors.csv"
    )]
    Root {
        /// The list.
        #[arg(value_hint = ValueHint::FilePath)]
        list: PathBuf,
    },
    /// Commit an open asset to its contributors, up to 16,777,216 of them, once and for ever.
    #[command(
        after_help = "Keep the list: who is in it is paid by proofs made from it.\nExample: sahara asset register --open ... && sahara contribution commit 4 contributors.csv --seal --yes"
    )]
    Commit {
        /// The asset, registered with --open.
        asset: AssetId,
        /// CSV (contributor,units) or JSON lines; `-` reads standard input.
        #[arg(value_hint = ValueHint::FilePath)]
        list: PathBuf,
        /// Seal the asset afterwards, so that it earns.
        #[arg(long)]
        seal: bool,
        /// Its owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Proofs for some contributions of a list, without a network.
    #[command(
        after_help = "Examples:\n  sahara contribution prove contributors.csv --contributor 0x7099... > proofs.json\n  sahara contribution prove contributors.csv --index 999999"
    )]
    Prove {
        /// The list.
        #[arg(value_hint = ValueHint::FilePath)]
        list: PathBuf,
        /// Which.
        #[command(flatten)]
        which: Which,
    },
    /// Make contributors members of their asset and pay them what they earned so far; anyone may, for anyone.
    #[command(
        after_help = "Examples:\n  sahara contribution activate 4 proofs.json\n  sahara contribution activate 4 --list contributors.csv --contributor 0x7099..."
    )]
    Activate {
        /// The asset.
        asset: AssetId,
        /// Proofs, as `sahara contribution prove` prints them; `-` reads standard input.
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "list")]
        proofs: Option<PathBuf>,
        /// The whole list instead; say which of it with --contributor or --index.
        #[arg(long, conflicts_with = "proofs", value_hint = ValueHint::FilePath)]
        list: Option<PathBuf>,
        /// Which of the list.
        #[command(flatten)]
        which: Which,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Activated contributions of an asset, and what is committed.
    #[command(after_help = "Example: sahara contribution list 4")]
    List {
        /// The asset.
        asset: AssetId,
    },
    /// What an account earned and has not been credited yet; exact in this block.
    #[command(
        after_help = "Examples:\n  sahara contribution earned 0x70997970C51812dc3A010C7d01b50e0d17dc79C8\n  sahara contribution earned --dev-account 1"
    )]
    Earned {
        /// The account; by default the signer's.
        account: Option<Address>,
        /// Whose.
        #[command(flatten)]
        signer: Signer,
    },
    /// Everything that an account earned as owner, member or contributor, by period, and why.
    Statement(Statement),
}

/// Contributions of a list.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// All contributions of this account. Repeat for each.
    #[arg(long = "contributor", value_name = "ACCOUNT")]
    pub(crate) contributors: Vec<Address>,
    /// The contribution at this place, from 0. Repeat for each.
    #[arg(long = "index", value_name = "N")]
    pub(crate) indices: Vec<u32>,
}

/// `sahara contribution statement`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  sahara contribution statement 0x7099... --by month\n  sahara contribution statement --dev-account 1 --csv > earned.csv"
)]
pub(crate) struct Statement {
    /// The account; by default the signer's.
    pub(crate) account: Option<Address>,
    /// Length of a period, by the calendar (UTC).
    #[arg(long, default_value = "day", value_parser = PossibleValuesParser::new(["day", "month", "year", "all"]))]
    pub(crate) by: String,
    /// From this day (UTC) on, as 2026-11-01.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// Up to this day (UTC), included.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Comma-separated values, amounts in SAHARA.
    #[arg(long)]
    pub(crate) csv: bool,
    /// Whose.
    #[command(flatten)]
    pub(crate) signer: Signer,
}
