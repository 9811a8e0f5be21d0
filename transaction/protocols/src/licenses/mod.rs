//! Licences: the right to use an asset, under terms that never change.
//!
//! # Model
//! *Terms* are registered once and known by their hash, so a price or a clause cannot change between a
//! buyer's reading and its payment. An owner *offers* terms for its asset; a sale divides the price
//! through [`crate::royalties`] in the same call and issues a LicenseNFT. A licence has *seats*;
//! whoever has one may use the asset, which [`can_use`] answers for gateways and vaults and
//! [`link`] enforces when a derivative is registered.
//!
//! An asset that was never offered follows its own policy of derivatives and is otherwise free to use.
//! See `specs/0011-licenses.md` for the why.
//!
//! # Invariants
//! - I1 The id of terms is the hash of their fields, and registered terms never change.
//! - I2 What a buyer pays is the price and the fee; the price is divided whole, and the protocol's own
//!   account holds nothing after every call.
//! - I3 `canUse` allows exactly what ownership, policy, a live seat or offered free terms allow.
//! - I4 Every licence has exactly one holder; `balanceOf` counts them; asset and terms never change.
//! - I5 Never more seats are taken than there are, and none is passed on within its use window.
//! - I6 Uses never pass their limit.
//! - I7 A licence ends before its time only where its terms allow it.
//! - I8 A derivative is linked only with the right to, and carries reciprocal terms for ever.
//! - I9 A gateway serves no more of a licence with a limit than was bought, whoever is away when it counts.
//!
//! # Rounding
//! A price per 1,000,000 tokens is rounded up once per sale, the fee down.

mod dispatch;
mod offers;
mod ownership;
mod rights;
mod sale;
mod seats;
mod storage;
pub mod templates;
pub mod terms;
#[cfg(test)]
pub(crate) mod tests;
mod views;
mod words;

pub(crate) use dispatch::call;
pub use offers::{is_offered, offer, register_terms, withdraw_offer};
pub(crate) use ownership::check_transfer;
pub use ownership::{
    approve, balance_of, owner_of, royalty_info, set_approval_for_all, transfer_for, transfer_from,
};
pub(crate) use rights::offers_made;
pub use rights::{Right, can_use, is_licensed, link};
pub use sahara_abi::purpose;
pub use sale::{Quote, buy, quote, renew};
pub(crate) use seats::count_served;
pub use seats::{assign_seat, count_uses, free_seat, revoke, set_meter};
pub(crate) use storage::{LAYOUT, liability};
pub use views::{license, terms_of};
pub(crate) use views::{standing_word, stands_as, stands_as_listed, use_word};

/// The highest price: 2^96 base units, more than all coin. With 2^32 of them it fits 128 bits.
pub const MAX_PRICE: u128 = 1 << 96;

/// The shortest period of a subscription: an hour.
pub const MIN_PERIOD: u32 = 3_600;

/// The longest use window: 30 days. A seat longer bound would be the account's for good.
pub const MAX_SEAT_WINDOW: u32 = 30 * 86_400;

/// For how long a gateway that was withdrawn, or whose user gave its seat up, still counts what it has
/// served: a day, in which it collects. Otherwise a licence would be used again and again by who is away
/// whenever its uses are counted.
pub const METER_NOTICE: u32 = 86_400;

/// The most seats of a licence.
pub const MAX_SEATS: u16 = 10_000;

/// The latest end of a licence, 40 bits of seconds: in the year 36,812.
pub const MAX_EXPIRY: u64 = (1 << 40) - 1;

/// Licences of one asset in which an account can be seated at once, so that a right is found in
/// bounded time.
pub const MAX_SEATINGS: usize = 8;

/// The places of [`MAX_SEATINGS`] that others may fill: nobody can crowd out what one buys oneself.
pub const MAX_SEATINGS_BY_OTHERS: usize = 4;

/// The name of the collection.
pub const NAME: &str = "Sahara Licenses";

/// The symbol of the collection.
pub const SYMBOL: &str = "SAHARA-LICENSE";
