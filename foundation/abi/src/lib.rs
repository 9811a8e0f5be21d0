//! What the chain says to the world: one Solidity interface per protocol, the EIP-712 types, and
//! the one table of addresses.
//!
//! An interface's address, slots and selectors are part of the consensus rules; snapshot tests hold
//! them. Amounts are base units, prices are base units per 1,000,000 tokens, ratios are basis
//! points, times are seconds.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic,
        clippy::iter_over_hash_type,
        clippy::as_conversions,
        clippy::integer_division
    )
)]
#![cfg_attr(not(test), warn(unused_crate_dependencies))]

mod addresses;
mod assets;
mod channels;
mod coin;
mod contributions;
#[expect(clippy::too_many_arguments, reason = "an event's fields, as `sol!` takes them")]
mod disputes;
#[expect(clippy::too_many_arguments, reason = "an event's fields, as `sol!` takes them")]
mod governance;
#[expect(clippy::too_many_arguments, reason = "an event's fields, as `sol!` takes them")]
mod incentives;
#[expect(clippy::too_many_arguments, reason = "an event's fields, as `sol!` takes them")]
mod intents;
mod licenses;
mod market;
mod protocol;
pub mod purpose;
mod royalties;
pub mod signing;
#[expect(clippy::too_many_arguments, reason = "an event's fields, as `sol!` takes them")]
mod staking;
mod system;
pub mod terms;
mod validators;
#[expect(clippy::too_many_arguments, reason = "an event's fields, as `sol!` takes them")]
mod vesting;
mod workers;

pub use addresses::{
    ACCOUNT_REGISTRY, AIRDROP, ASSET_ACCOUNT, ASSETS, CHANNELS, COIN, COMMUNITY, CONTRIBUTIONS,
    DISPUTES, FEES, GOVERNANCE, INCENTIVE_POOL, INCENTIVES, INTENTS, INVESTORS, LICENSES, MARKET,
    PROTOCOLS, Protocol, ROYALTIES, STAKING, SYSTEM, SYSTEM_CALLER, TEAM, VALIDATORS, VESTING,
    WORKERS, protocol_at,
};
pub use assets::IAssets;
pub use channels::IChannels;
pub use coin::ICoin;
pub use contributions::IContributions;
pub use disputes::IDisputes;
pub use governance::IGovernance;
pub use incentives::IIncentives;
pub use intents::IIntents;
pub use licenses::ILicenses;
pub use market::IMarket;
pub use protocol::IProtocol;
pub use royalties::IRoyalties;
pub use staking::IStaking;
pub use system::ISystem;
pub use validators::IValidators;
pub use vesting::IVesting;
pub use workers::IWorkers;

/// The most ancestors an asset may have.
pub const MAX_ANCESTORS: usize = 64;
/// The most parents an asset may name.
pub const MAX_PARENTS: usize = 16;
/// The most members a pool may have.
pub const MAX_MEMBERS: u64 = 10_000;
