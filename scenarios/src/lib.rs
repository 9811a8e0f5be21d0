//! Whole-economy tests: each file of `tests/` is a chapter, on real processes and the real model.
//!
//! A [`Network`] is `sahara up` in a directory of its own, on ports of its own, stopped when it is
//! dropped. `cargo xtask test` builds the program, fetches the model and installs the stock clients
//! beforehand; a scenario that lacks one of them fails and says so.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "benchmarks print their results")]

mod account;
pub mod bench;
mod dice;
mod hosts;
mod isolated;
mod load;
mod network;
mod ports;
pub mod power;
mod processes;
mod rpc;
mod signature;
mod testnet;
mod tools;

pub use account::Account;
pub use dice::Dice;
pub use hosts::Hosts;
pub use isolated::isolated;
pub use load::{Acknowledged, Paid, Steady, nothing_is_lost, pass};
pub use network::{Network, Options};
pub use rpc::Rpc;
pub use signature::twin;
pub use testnet::{Place, Testnet};
pub use tools::{hf, node, package, program, python, tool};
