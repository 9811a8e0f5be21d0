//! The chain's own rules, in a real EVM.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking and say what is absent"
)]

mod accounts;
mod accounts_model;
mod attacks;
mod blocks;
mod calls;
mod contributions;
mod corrected;
mod dear_votes;
mod election;
mod estimates;
mod faces;
mod faults;
mod governor;
mod intents;
mod juries;
mod lineage;
mod native;
mod support;
mod sweep;
mod trade;
mod world;
