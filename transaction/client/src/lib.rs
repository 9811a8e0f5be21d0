//! The chain seen from outside: typed calls, nonces, events, keys.
//!
//! # Model
//! [`ChainClient`] speaks JSON-RPC to one node. Reads are typed by the Solidity interfaces of
//! `sahara-abi`; a revert comes back as a [`Revert`] with the custom error's name. Writes go through
//! [`ChainClient::send`]: the client counts each account's nonces itself, so that many transactions
//! may be under way at once, and returns when the block is final.
//!
//! [`SigningKey`] signs transactions, hashes and EIP-712 messages; it is read from hexadecimal
//! digits, a recovery phrase or an encrypted [`Keystore`] file.
//!
//! # Failure and recovery
//! A nonce that the node refuses is asked for again, a few times. A lost reply leaves the outcome
//! open: the error then carries the hash, and [`ChainClient::wait`] finds out.

mod chain;
mod error;
mod fees;
mod key;
mod keystore;
mod mnemonic;
mod nonces;
mod outcome;
mod revert;
mod send;
#[cfg(test)]
mod tests;
mod transport;

pub use chain::ChainClient;
pub use error::ClientError;
pub use fees::Fees;
pub use key::{KeyError, SigningKey};
pub use keystore::{Keystore, KeystoreCost, KeystoreError};
pub use mnemonic::TEST_MNEMONIC;
pub use outcome::TxOutcome;
pub use revert::Revert;
pub use send::{Submitted, TxRequest};
pub use transport::{Rpc, RpcError};

pub use alloy_rpc_types_eth::{Filter, Log};
