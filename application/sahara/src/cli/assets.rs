//! Commands about assets.

use super::{Account, Consent, Doing, Signer};
use crate::commands::asset_words::{KINDS, RELATIONS, all};
use clap::{Args, Subcommand, ValueHint, builder::PossibleValuesParser};
use std::path::PathBuf;

/// `sahara asset`.
#[derive(Debug, Subcommand)]
pub(crate) enum Asset {
    /// Register an asset.
    Register(Box<Register>),
    /// One asset: owner, prices, lineage, pool.
    #[command(after_help = "Example: sahara asset show 2")]
    Show {
        /// Its id.
        asset: sahara_primitives::AssetId,
    },
    /// All assets.
    #[command(after_help = "Example: sahara asset list")]
    List,
    /// All versions of an asset, oldest first, from any of them.
    #[command(
        after_help = "A next version is registered with --parent ID:version-of, by the owner of the latest.\nExample: sahara asset versions 3"
    )]
    Versions {
        /// Its id.
        asset: sahara_primitives::AssetId,
    },
    /// An asset's own account: what it holds, and what its owner has it do.
    #[command(subcommand)]
    Account(Account),
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
        doing: Doing,
    },
    /// Close an asset registered with --open: its members are final, and it earns from now on.
    #[command(after_help = "Example: sahara asset seal 4 --yes")]
    Seal {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// Its owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Let an account derive from an asset of yours where its policy or your licences ask for your leave, or no
    /// longer. It voids what you have listed of it.
    #[command(
        after_help = "Example: sahara asset approve 3 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )]
    Approve {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// Who may derive.
        creator: sahara_primitives::Address,
        /// Forbid it from now on; what was derived stays.
        #[arg(long)]
        forbid: bool,
        /// Its owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// Change what you ask for an asset of yours; requests that have begun keep their prices.
    #[command(after_help = "Example: sahara asset price 3 --input-price 2 --output-price 6")]
    Price {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// SAHARA per 1,000,000 prompt tokens.
        #[arg(long)]
        input_price: sahara_primitives::Amount,
        /// SAHARA per 1,000,000 completion tokens.
        #[arg(long)]
        output_price: sahara_primitives::Amount,
        /// Its owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// Give an asset away with its future income; the past is settled to you first.
    #[command(
        after_help = "Example: sahara asset transfer 3 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --yes"
    )]
    Transfer {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// To whom.
        to: sahara_primitives::Address,
        /// Its owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Push an asset's content to a vault, or go on where a push broke off; only its owner.
    #[command(
        after_help = "What is there already is not sent again. The vault keeps it encrypted, and its operator holds the key. --dry-run compares files and chain, and asks whether the vault is there.\nExample: sahara asset push 4 model.gguf"
    )]
    Push {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// What it was registered from.
        #[arg(value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
        from: PathBuf,
        /// A vault; by default the gateway's.
        #[arg(long, value_name = "URL")]
        vault: Option<String>,
        /// Its owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// Pull an asset's content, or go on where a pull broke off; every segment is checked against the chain.
    #[command(
        after_help = "Needs no key for what anyone may read; else that of the owner or of whoever has a seat in a licence.\nExample: sahara asset pull 4 smollm2 --wallet me"
    )]
    Pull {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// Where to put the files; made if it is not there.
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: PathBuf,
        /// A vault; by default the gateway's.
        #[arg(long, value_name = "URL")]
        vault: Option<String>,
        /// Who reads.
        #[command(flatten)]
        signer: Signer,
    },
    /// Whether the chain, a vault and files at hand say the same of an asset.
    #[command(
        after_help = "Exits with 1 when something differs.\nExamples:\n  sahara asset verify 4\n  sahara asset verify 4 model.gguf"
    )]
    Verify {
        /// Its id.
        asset: sahara_primitives::AssetId,
        /// Files to compare as well.
        #[arg(value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
        files: Option<PathBuf>,
        /// A vault; by default the gateway's.
        #[arg(long, value_name = "URL")]
        vault: Option<String>,
    },
    /// Before linking: every payee of asset income, and what is left for you and your descendants.
    #[command(
        after_help = "Example: sahara asset preview --parent 1:trained-on --parent 2:embeds --amount 10"
    )]
    Preview {
        #[arg(long = "parent", value_name = "ID:RELATION", required = true, help = parent_help())]
        parents: Vec<String>,
        /// The income to divide, in SAHARA.
        #[arg(long, default_value = "1")]
        amount: sahara_primitives::Amount,
        /// What descendants of the new asset would owe it, in basis points (at most 2000).
        #[arg(long, default_value_t = 0)]
        derivative_royalty: u16,
    },
}

/// `sahara asset register`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  sahara asset register --from model.gguf --expect b179c952...\n  sahara asset register --kind dataset --name 'Hiking trails' --content trails.jsonl --derivative-royalty 1000"
)]
pub(crate) struct Register {
    /// Who owns it.
    #[command(flatten)]
    pub(crate) doing: Doing,
    /// What it is; with --from, weights are a model unless told otherwise.
    #[arg(long, required_unless_present = "from", value_parser = PossibleValuesParser::new(KINDS.iter().map(|(word, _)| *word)))]
    pub(crate) kind: Option<String>,
    /// Its name; with --from, the one that the files say.
    #[arg(long, required_unless_present = "from")]
    pub(crate) name: Option<String>,
    /// The content; only its hash goes on chain.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) content: Option<PathBuf>,
    /// A file or directory: name, licence, sizes, hashes and parameters are read from it, and it can be
    /// pushed to a vault.
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath, conflicts_with_all = ["content", "prompt"])]
    pub(crate) from: Option<PathBuf>,
    /// A SHA-256 or BLAKE3 hash that one of the files must have. Repeat for each.
    #[arg(long = "expect", value_name = "HASH", requires = "from")]
    pub(crate) expected: Vec<String>,
    /// An agent's system prompt; it stands on chain, where everyone can read it.
    #[arg(long)]
    pub(crate) prompt: Option<String>,
    #[arg(long = "parent", value_name = "ID:RELATION", help = parent_help())]
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
    /// Leave it open for contributors; it earns once it is sealed.
    #[arg(long)]
    pub(crate) open: bool,
}

/// What a parent may be, from the table of relations.
fn parent_help() -> String {
    let relations = all(RELATIONS);
    format!(
        "A parent as ID:RELATION, the relation one of {relations}; derived-from if it is left out. Repeat for each"
    )
}
