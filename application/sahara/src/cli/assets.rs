//! Commands about assets.

use super::Signer;
use crate::commands::asset_words::KINDS;
use clap::{Args, Subcommand, ValueHint, builder::PossibleValuesParser};
use std::path::PathBuf;

/// `sahara asset`.
#[derive(Debug, Subcommand)]
pub(crate) enum Asset {
    /// Register an asset.
    Register(Register),
    /// One asset: owner, prices, lineage, pool.
    #[command(after_help = "Example: sahara asset show 2")]
    Show {
        /// Its id.
        asset: sahara_primitives::AssetId,
    },
    /// All assets.
    #[command(after_help = "Example: sahara asset list")]
    List,
    /// Offer to compute for an asset, as a registered worker; again to change the prices.
    #[command(
        after_help = "Example: sahara asset serve 3 --input-price 20 --output-price 60 --dev-account 4"
    )]
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
    #[command(after_help = "Example: sahara asset preview --parent 1:trained-on --parent 2:embeds")]
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
    /// What it is.
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS.iter().map(|(word, _)| *word)))]
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
    /// Parents as ID:RELATION: trained-on, finetuned-from, embeds, derived-from, evaluated-on,
    /// labelled-by, version-of, generated-by, trained-with or records.
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
