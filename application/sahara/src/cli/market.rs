//! Commands about the market.

use super::{Consent, Doing, Signer, Span};
use crate::commands::market::{Cancelled, Item, Thing};
use clap::{ArgGroup, Args, Subcommand, ValueHint};
use sahara_primitives::{Address, Amount, B256};
use std::path::PathBuf;

/// `sahara market`.
#[derive(Debug, Subcommand)]
pub(crate) enum Market {
    /// What is on sale: published listings, auctions, offers that wait, licences that can be returned.
    #[command(after_help = "Examples:\n  sahara market show\n  sahara market show asset:3")]
    Show {
        /// Only this: asset:ID or license:ID.
        thing: Option<Thing>,
    },
    /// Publish a listing: fixed price, falling price (Dutch), one thing or a bundle.
    #[command(
        after_help = "An item is asset:ID=PRICE or license:ID=PRICE; PRICE..END falls in a straight line until the end. The protocol fee comes on top.\nExamples:\n  sahara market list asset:3=100 --yes\n  sahara market list asset:3=100..40 --for 2d --yes\n  sahara market list asset:3=80 license:7=5 --dry-run"
    )]
    List(ListingSpec),
    /// Sign a listing: for sale without a transaction and without a fee. Prints it, for buyers.
    #[command(
        after_help = "Example: sahara market sign asset:3=100 --for 7d > listing.json\nA buyer: sahara market buy listing.json"
    )]
    Sign(ListingSpec),
    /// Open an English auction; the best bid gets it.
    #[command(after_help = "Example: sahara market auction asset:3 --reserve 50 --for 2d --yes")]
    Auction {
        /// What: asset:ID or license:ID.
        thing: Thing,
        /// The least that is bid, in SAHARA.
        #[arg(long)]
        reserve: Amount,
        /// How long bids are taken, at most 30d.
        #[arg(long = "for", default_value = "2d")]
        length: Span,
        /// Its owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Bid in an auction; an outbid bidder is paid back at once.
    #[command(after_help = "Example: sahara market bid 1 60 --yes")]
    Bid {
        /// The auction.
        auction: u64,
        /// How much, in SAHARA; by default the least that is possible.
        price: Option<Amount>,
        /// Who bids.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// End an auction after its time: the item to the best bid. Anyone may.
    #[command(after_help = "Example: sahara market settle 1")]
    Settle {
        /// The auction.
        auction: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
    /// Buy what a listing sells.
    Buy(BuyListing),
    /// Take back a listing, or an auction without bids.
    #[command(
        after_help = "Examples:\n  sahara market cancel 0x5b0c...      a published listing\n  sahara market cancel listing.json   a signed one: with a transaction, its nonce\n  sahara market cancel below:1795374245000\n  sahara market cancel auction:1"
    )]
    Cancel {
        /// A listing's hash or file, nonce:N, below:N (all lower nonces), or auction:N.
        what: Cancelled,
        /// Its seller.
        #[command(flatten)]
        doing: Doing,
    },
    /// Offers: what you would pay for something, whether it is for sale or not.
    #[command(subcommand)]
    Offer(MarketOffer),
    /// Return an unused licence within its time, and have everything back.
    #[command(after_help = "Example: sahara market return 1")]
    Return {
        /// The sale.
        sale: u64,
        /// Its buyer.
        #[command(flatten)]
        doing: Doing,
    },
    /// After the time for returning: pay a sale out. Anyone may.
    #[command(after_help = "Example: sahara market release 1")]
    Release {
        /// The sale.
        sale: u64,
        /// Who sends it.
        #[command(flatten)]
        doing: Doing,
    },
}

/// What is for sale, and how.
#[derive(Args, Debug)]
pub(crate) struct ListingSpec {
    /// asset:ID=PRICE or license:ID=PRICE, the price in SAHARA. Several are sold together.
    #[arg(required = true, value_name = "ITEM")]
    pub(crate) items: Vec<Item>,
    /// How long it is on sale.
    #[arg(long = "for", default_value = "7d")]
    pub(crate) length: Span,
    /// The only account that may buy.
    #[arg(long)]
    pub(crate) buyer: Option<Address>,
    /// Part of the price for whoever brings the buyer, in basis points (at most 1000).
    #[arg(long, default_value_t = 0)]
    pub(crate) referral: u16,
    /// Time in which a licence sold alone can be returned unused, at most 30d; the price waits so long.
    #[arg(long, default_value = "0s")]
    pub(crate) refund: Span,
    /// A number that you have not used; by default the time in milliseconds.
    #[arg(long)]
    pub(crate) nonce: Option<u64>,
    /// The seller.
    #[command(flatten)]
    pub(crate) signer: Signer,
    /// Whether to go on.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// `sahara market buy`.
#[derive(Args, Debug)]
#[command(
    group(ArgGroup::new("from").required(true).args(["listing", "file"])),
    after_help = "Examples:\n  sahara market buy listing.json --dry-run\n  sahara market buy --listing 0x5b0c... --yes\n  sahara market buy - --referrer 0x7099... --yes < listing.json"
)]
pub(crate) struct BuyListing {
    /// A signed listing; `-` reads standard input.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// The hash of a published listing, as `sahara market show` says.
    #[arg(long, value_name = "HASH")]
    pub(crate) listing: Option<B256>,
    /// Who gets it; by default the buyer.
    #[arg(long)]
    pub(crate) recipient: Option<Address>,
    /// Who brought you: it gets the referral part.
    #[arg(long)]
    pub(crate) referrer: Option<Address>,
    /// Who pays.
    #[command(flatten)]
    pub(crate) signer: Signer,
    /// Whether to go on.
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// `sahara market offer`.
#[derive(Debug, Subcommand)]
pub(crate) enum MarketOffer {
    /// Offer a price; price and fee wait on chain until it is taken or ends.
    #[command(after_help = "Example: sahara market offer make asset:3 80 --for 3d --yes")]
    Make {
        /// What: asset:ID or license:ID.
        thing: Thing,
        /// How much, in SAHARA.
        price: Amount,
        /// How long it stands.
        #[arg(long = "for", default_value = "7d")]
        length: Span,
        /// Who offers.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Sell to whoever made an offer.
    #[command(after_help = "Example: sahara market offer accept 1 --yes")]
    Accept {
        /// The offer.
        offer: u64,
        /// The owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Take an offer back with its coin; one that has ended anyone may.
    #[command(after_help = "Example: sahara market offer cancel 1")]
    Cancel {
        /// The offer.
        offer: u64,
        /// Who made it.
        #[command(flatten)]
        doing: Doing,
    },
}
