//! Commands about assets' own accounts.

use super::{Consent, Signer};
use crate::commands::market::Thing;
use clap::Subcommand;
use sahara_primitives::{Address, Amount, AssetId, Bytes};

/// `sahara asset account`.
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Where it is, what it holds, and how often it has acted.
    #[command(
        after_help = "Coin, assets and licences can be sent to its address from the asset's registration on.\nExample: sahara asset account show 3"
    )]
    Show {
        /// The asset.
        asset: AssetId,
    },
    /// Send coin out of it. Whatever it does voids the listings of its asset.
    #[command(
        after_help = "Example: sahara asset account send 3 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 5 --yes"
    )]
    Send {
        /// The asset.
        asset: AssetId,
        /// To whom.
        to: Address,
        /// How much, in SAHARA.
        amount: Amount,
        /// The asset's owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Give away an asset or a licence that it holds.
    #[command(
        after_help = "Example: sahara asset account give 3 license:7 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --yes"
    )]
    Give {
        /// The asset whose account it is.
        asset: AssetId,
        /// What: asset:ID or license:ID.
        thing: Thing,
        /// To whom.
        to: Address,
        /// The asset's owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
    /// Have it call anything, as ERC-6551's `execute` does.
    #[command(
        after_help = "Call data is made by tools like `cast calldata`.\nExample: sahara asset account call 3 0x5341484152410000000000000000000000000007 --data 0x... --yes"
    )]
    Call {
        /// The asset.
        asset: AssetId,
        /// Whom it calls.
        to: Address,
        /// Coin of the account to send along, in SAHARA.
        #[arg(long, default_value = "0")]
        value: Amount,
        /// The call, in hexadecimal digits.
        #[arg(long, default_value = "0x")]
        data: Bytes,
        /// The asset's owner.
        #[command(flatten)]
        signer: Signer,
        /// Whether to go on.
        #[command(flatten)]
        consent: Consent,
    },
}
