//! Commands about complaints against assets.

use super::{Doing, Signer};
use clap::Subcommand;
use sahara_primitives::{Address, Amount};
use std::path::PathBuf;

/// `sahara dispute`.
#[derive(Debug, Subcommand)]
pub(crate) enum Dispute {
    /// All complaints, the newest last.
    #[command(after_help = "Example: sahara dispute list")]
    List,
    /// One complaint: its sides, bonds, jury, times, and what it asks for.
    #[command(after_help = "Example: sahara dispute show 1")]
    Show {
        /// Its number in `sahara dispute list`.
        complaint: u64,
    },
    /// The times of a complaint, the least bond, and what jurors need and get.
    #[command(after_help = "Example: sahara dispute rules")]
    Rules,
    /// Complain about an asset.
    #[command(
        after_help = "New income of the asset is held from now on, at most as much as the bond.\nExample: sahara dispute file 3 --ground stolen-data --evidence proof.pdf --bond 100 --share 0x7099...=4000 --delist"
    )]
    File {
        /// The asset.
        asset: u64,
        /// What is wrong with it.
        #[arg(long, value_parser = ["stolen-data", "false-lineage", "breached-terms"])]
        ground: String,
        /// What proves it; only its keccak256 goes on chain, so keep it.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// In SAHARA, at least what `sahara dispute rules` says; lost if a jury dismisses the complaint.
        #[arg(long, default_value = "100")]
        bond: Amount,
        /// A part of the asset's future income in basis points. Repeat for each, up to four.
        #[arg(long = "share", value_name = "ADDRESS=POINTS")]
        shares: Vec<String>,
        /// Ask that the asset is no longer sold, licensed or derived from.
        #[arg(long)]
        delist: bool,
        /// Say what it would cost and when what happens, and send nothing.
        #[arg(long)]
        dry_run: bool,
        /// Who complains.
        #[command(flatten)]
        signer: Signer,
    },
    /// Answer a complaint about your asset, by the day that `sahara dispute show` says.
    #[command(after_help = "Example: sahara dispute answer 1 --evidence ours.pdf")]
    Answer {
        /// Its number in `sahara dispute list`.
        complaint: u64,
        /// What speaks against it; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// In SAHARA, at least what `sahara dispute rules` says; lost if the complaint is upheld.
        #[arg(long, default_value = "100")]
        bond: Amount,
        /// The asset's owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// Put yourself on the list of jurors; `sahara dispute rules` says what a place needs of bonded coin.
    #[command(after_help = "Example: sahara dispute enlist 2")]
    Enlist {
        /// How many places more.
        places: u32,
        /// The juror.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take yourself off the list of jurors.
    #[command(after_help = "Example: sahara dispute discharge")]
    Discharge {
        /// The juror.
        #[command(flatten)]
        doing: Doing,
    },
    /// As a juror, commit to what you will say. The salt is made of your key: nothing to keep.
    #[command(after_help = "Example: sahara dispute commit 1 uphold")]
    Commit {
        /// Its number in `sahara dispute list`.
        complaint: u64,
        /// What you will say.
        #[arg(value_parser = ["uphold", "dismiss"])]
        verdict: String,
        /// The juror.
        #[command(flatten)]
        doing: Doing,
    },
    /// As a juror, say what you committed to.
    #[command(after_help = "Example: sahara dispute reveal 1 uphold")]
    Reveal {
        /// Its number in `sahara dispute list`.
        complaint: u64,
        /// What you committed to.
        #[arg(value_parser = ["uphold", "dismiss"])]
        verdict: String,
        /// The juror.
        #[command(flatten)]
        doing: Doing,
    },
    /// Ask governance to decide otherwise than the jury.
    #[command(after_help = "Example: sahara dispute appeal 1 --reason why.pdf")]
    Appeal {
        /// Its number in `sahara dispute list`.
        complaint: u64,
        /// Why; only its keccak256 goes on chain.
        #[arg(long, value_name = "FILE")]
        reason: PathBuf,
        /// In SAHARA, at least what `sahara dispute rules` says; lost unless governance decides otherwise
        /// than the jury.
        #[arg(long, default_value = "100")]
        bond: Amount,
        /// The complainant, or the asset's owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// Pay what the ruling says and make it hold; anyone may.
    #[command(after_help = "Example: sahara dispute close 1")]
    Close {
        /// Its number in `sahara dispute list`.
        complaint: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
}

/// A share of future income, as `ADDRESS=POINTS`.
pub(crate) fn share(text: &str) -> Option<(Address, u16)> {
    let (account, points) = text.split_once('=')?;
    let points = points.parse().ok().filter(|points| (1..=10_000).contains(points))?;
    Some((account.parse().ok()?, points))
}
