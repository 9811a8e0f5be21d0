//! Commands about licences.

use super::{Consent, Doing, Signer, Span};
use crate::commands::license::words::{PRICINGS, PURPOSES, TEMPLATES};
use clap::{ArgGroup, Args, Subcommand, builder::PossibleValuesParser};
use sahara_primitives::{Address, Amount, AssetId, B256};

/// `sahara license`.
#[derive(Debug, Subcommand)]
pub(crate) enum License {
    /// Terms to start from, and what each says.
    #[command(
        after_help = "Examples:\n  sahara license templates\n  sahara license terms create --template commercial-remix --price 25 --asset 3"
    )]
    Templates,
    /// Terms: what one may do, for how much, until when. They never change.
    #[command(subcommand)]
    Terms(Terms),
    /// Offer licences of an asset of yours.
    Offer(Offer),
    /// End an offer for future sales and renewals; what was sold stays valid.
    #[command(after_help = "Example: sahara license withdraw 3 0x5b0c...")]
    Withdraw {
        /// The asset.
        asset: AssetId,
        /// Id of the terms.
        terms: B256,
        /// Its owner.
        #[command(flatten)]
        doing: Doing,
    },
    /// What is offered for an asset.
    #[command(after_help = "Example: sahara license offers 3")]
    Offers {
        /// The asset.
        asset: AssetId,
    },
    /// What a licence, or its renewal, costs now.
    #[command(
        group(ArgGroup::new("what").required(true).args(["terms", "renew"])),
        after_help = "Examples:\n  sahara license quote 0x5b0c... --quantity 3\n  sahara license quote --renew 7"
    )]
    Quote {
        /// Id of the terms.
        terms: Option<B256>,
        /// The licence to renew.
        #[arg(long, value_name = "LICENSE")]
        renew: Option<u64>,
        /// Uses, tokens, seats, periods or durations: what the pricing counts.
        #[arg(long, default_value_t = 1)]
        quantity: u32,
    },
    /// Buy a licence.
    Buy(BuyLicense),
    /// Pay for further periods, uses or tokens of a licence; anyone may.
    #[command(after_help = "Example: sahara license renew 7 --quantity 12 --yes")]
    Renew {
        /// The licence.
        license: u64,
        /// Uses, tokens, periods or durations: what the pricing counts.
        #[arg(long, default_value_t = 1)]
        quantity: u32,
        /// Who pays.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Seats: who may use the asset under a licence.
    #[command(subcommand)]
    Seat(Seat),
    /// Let a gateway count uses of all your licences, or no longer.
    #[command(
        after_help = "Example: sahara license meter 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"
    )]
    Meter {
        /// The gateway.
        account: Address,
        /// Forbid it.
        #[arg(long)]
        forbid: bool,
        /// The licences' holder.
        #[command(flatten)]
        doing: Doing,
    },
    /// Count uses of a licence: yours, or as its meter somebody else's.
    #[command(after_help = "Example: sahara license count 7 1 --dev-account 6")]
    Count {
        /// The licence.
        license: u64,
        /// How many uses, or tokens.
        uses: u64,
        /// Who used it; by default the signer.
        #[arg(long)]
        account: Option<Address>,
        /// The user or a meter.
        #[command(flatten)]
        doing: Doing,
    },
    /// Whether an account may use an asset, and what is missing.
    #[command(
        after_help = "Exits with 0 when it may and with 4 when it may not.\nExample: sahara license check 3 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --purpose training,commercial"
    )]
    Check {
        /// The asset.
        asset: AssetId,
        /// The account.
        account: Address,
        /// For what, separated by commas: one licence must grant all of it.
        #[arg(long = "purpose", value_delimiter = ',', default_value = "inference", value_parser = PossibleValuesParser::new(PURPOSES.iter().map(|(word, _)| *word)))]
        purposes: Vec<String>,
    },
    /// One licence: holder, end, uses, seats, terms.
    #[command(after_help = "Example: sahara license show 7")]
    Show {
        /// Its id.
        license: u64,
    },
    /// Licences that an account holds.
    #[command(
        after_help = "Examples:\n  sahara license list --dev-account 2\n  sahara license list 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )]
    List {
        /// The holder; by default the signer.
        account: Option<Address>,
        /// Whose.
        #[command(flatten)]
        signer: Signer,
    },
    /// End a licence whose terms allow it; it refunds nothing.
    #[command(
        after_help = "Example: sahara license revoke 7 --reason 'resold without leave' --yes"
    )]
    Revoke {
        /// The licence.
        license: u64,
        /// Why; the hash of this text goes on chain.
        #[arg(long)]
        reason: String,
        /// The asset's owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Give a licence away, where its terms allow it; its seats become free.
    #[command(
        after_help = "Example: sahara license transfer 7 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --yes"
    )]
    Transfer {
        /// The licence.
        license: u64,
        /// To whom.
        to: Address,
        /// Its holder.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
}

/// `sahara license terms`.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a command line is read once")]
pub(crate) enum Terms {
    /// What terms say.
    #[command(after_help = "Example: sahara license terms show 0x5b0c...")]
    Show {
        /// Their id.
        terms: B256,
    },
    /// Register terms from a template, changed where you say so; anyone may, and again without effect.
    #[command(
        after_help = "Examples:\n  sahara license terms create --template commercial --price 25\n  sahara license terms create --pricing subscription --price 3 --period 30d --seat-cap 5 --purpose inference,commercial"
    )]
    Create {
        /// What they say.
        #[command(flatten)]
        spec: TermsSpec,
        /// The asset that they are for: its derivative royalty is theirs.
        #[arg(long)]
        asset: Option<AssetId>,
        /// Who registers them.
        #[command(flatten)]
        signer: Signer,
        /// Show them and their id, and send nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What terms say: a template, and what differs from it.
#[derive(Args, Debug)]
pub(crate) struct TermsSpec {
    /// What to start from; the other flags change it. `sahara license templates` shows them.
    #[arg(long, default_value = "commercial", value_parser = PossibleValuesParser::new(TEMPLATES.iter().map(|(word, _)| *word)))]
    pub(crate) template: String,
    /// Price in SAHARA of what the pricing counts; the protocol fee comes on top.
    #[arg(long)]
    pub(crate) price: Option<Amount>,
    /// What a price is for.
    #[arg(long, value_parser = PossibleValuesParser::new(PRICINGS.iter().map(|(word, _)| *word)))]
    pub(crate) pricing: Option<String>,
    /// Length of a subscription's period, as 30d.
    #[arg(long)]
    pub(crate) period: Option<Span>,
    /// Time from the sale to the end, as 365d; 0s for none.
    #[arg(long)]
    pub(crate) duration: Option<Span>,
    /// What is granted, separated by commas.
    #[arg(long = "purpose", value_delimiter = ',', value_parser = PossibleValuesParser::new(PURPOSES.iter().map(|(word, _)| *word)))]
    pub(crate) purposes: Vec<String>,
    /// Whether a derivative needs your approval as well.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) needs_approval: Option<bool>,
    /// Whether a derivative carries these terms, and no others.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) reciprocal: Option<bool>,
    /// Whether a use must name the asset.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) attribution: Option<bool>,
    /// Whether the licence can be given or sold.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) transferable: Option<bool>,
    /// Whether you may revoke it.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) revocable: Option<bool>,
    /// Part of a resale's price for the asset, in basis points.
    #[arg(long)]
    pub(crate) resale_royalty: Option<u16>,
    /// What derivatives pay, in basis points: the asset's own number.
    #[arg(long)]
    pub(crate) derivative_royalty: Option<u16>,
    /// Uses (or tokens) for each price paid, or the most that a licence may ever hold; 0 for no cap.
    #[arg(long)]
    pub(crate) use_cap: Option<u64>,
    /// Seats of a licence, or the most that can be bought.
    #[arg(long)]
    pub(crate) seat_cap: Option<u16>,
    /// Time after its last use in which a seat cannot be passed on, as 1d.
    #[arg(long)]
    pub(crate) seat_window: Option<Span>,
    /// A text that says where; its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    pub(crate) territory: Option<String>,
    /// A text that says what is forbidden; its hash goes on chain.
    #[arg(long, value_name = "TEXT")]
    pub(crate) restrictions: Option<String>,
}

/// `sahara license offer`.
#[derive(Args, Debug)]
#[command(
    after_help = "From the first offer on, for ever, using the asset needs a licence.\nExamples:\n  sahara license offer 3 --template commercial-remix --price 25 --yes\n  sahara license offer 3 --terms 0x5b0c... --dry-run"
)]
pub(crate) struct Offer {
    /// The asset.
    pub(crate) asset: AssetId,
    /// Id of registered terms; without it they are made from the other flags.
    #[arg(long)]
    pub(crate) terms: Option<B256>,
    /// What the terms say.
    #[command(flatten)]
    pub(crate) spec: TermsSpec,
    /// The asset's owner.
    #[command(flatten)]
    pub(crate) signer: Signer,
    /// Whether to go on.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// `sahara license buy`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  sahara license buy 3 --dry-run\n  sahara license buy 3 --terms 0x5b0c... --quantity 100 --yes"
)]
pub(crate) struct BuyLicense {
    /// The asset.
    pub(crate) asset: AssetId,
    /// Id of the terms; not needed when only one set is sold.
    #[arg(long)]
    pub(crate) terms: Option<B256>,
    /// Uses, tokens, seats, periods or durations: what the pricing counts.
    #[arg(long, default_value_t = 1)]
    pub(crate) quantity: u32,
    /// Who gets the licence; by default the buyer.
    #[arg(long)]
    pub(crate) holder: Option<Address>,
    /// Who gets its first seat; by default its holder.
    #[arg(long, conflicts_with = "no_user")]
    pub(crate) user: Option<Address>,
    /// Leave all seats free.
    #[arg(long)]
    pub(crate) no_user: bool,
    /// Who pays.
    #[command(flatten)]
    pub(crate) signer: Signer,
    /// Whether to go on.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// `sahara license seat`.
#[derive(Debug, Subcommand)]
pub(crate) enum Seat {
    /// Give an account a seat.
    #[command(
        after_help = "Example: sahara license seat assign 7 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )]
    Assign {
        /// The licence.
        license: u64,
        /// Who sits.
        account: Address,
        /// The licence's holder.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a seat back after its use window.
    #[command(
        after_help = "Example: sahara license seat free 7 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )]
    Free {
        /// The licence.
        license: u64,
        /// Who sat.
        account: Address,
        /// The licence's holder, or the account.
        #[command(flatten)]
        doing: Doing,
    },
}
