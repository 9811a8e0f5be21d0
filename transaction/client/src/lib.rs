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
//! The steps of an asset's life have functions of their own: [`ChainClient::register`],
//! [`ChainClient::offer_terms`], [`ChainClient::buy_license`], [`ChainClient::can_use`],
//! [`ChainClient::sign_listing`], [`ChainClient::buy_listing`], [`ChainClient::commit_contributions`],
//! [`ChainClient::activate_contributions`]; and of trade: [`ChainClient::renew_license`],
//! [`ChainClient::make_offer`], [`ChainClient::open_auction`], [`ChainClient::bid_least`].
//! `examples/economy.rs` goes through them.
//! What an asset's own account holds is moved with [`ChainClient::act_through`].
//! An account without coin signs an [`intent()`] instead, and anybody brings it ([`ChainClient::relay`]).
//!
//! # Example
//! Terms are offered, a stranger buys, and the price is divided among everyone above in the same call:
//!
//! ```no_run
//! use sahara_abi::{ILicenses, LICENSES};
//! use sahara_client::{ChainClient, ClientError, SigningKey};
//! use sahara_primitives::AssetId;
//!
//! async fn remix(creator: &SigningKey, stranger: &SigningKey) -> Result<(), ClientError> {
//!     let client = ChainClient::new("http://127.0.0.1:8545")?;
//!     let template = ILicenses::templateCall {
//!         template: ILicenses::Template::CommercialRemix,
//!         price: 25_000_000_000_000_000_000,
//!         derivativeRoyalty: 1_000,
//!     };
//!     let terms = client.call(LICENSES, &template).await?;
//!     let (terms, _) = client.offer_terms(creator, AssetId(3), &terms).await?;
//!
//!     let (holder, user) = (stranger.address(), stranger.address());
//!     let purchase = ILicenses::Purchase { asset: 3, terms, quantity: 1, holder, user };
//!     let (license, paid) = client.buy_license(stranger, purchase).await?;
//!     println!("licence {license} in block {}", paid.block_number);
//!     Ok(())
//! }
//! ```
//!
//! A contribution is proven from the list alone, without a node:
//!
//! ```
//! use sahara_client::{SigningKey, activation};
//! use sahara_primitives::merkle_sum::{Contribution, SumTree};
//!
//! let list = [1, 2, 7].map(|units| Contribution {
//!     contributor: SigningKey::random().address(),
//!     units,
//! });
//! let tree = SumTree::new(&list)?;
//! let proof = tree.prove(2).ok_or("there are three")?;
//! assert!(proof.verify(&tree.root(), &list[2]));
//! assert_eq!(activation(&list[2], &proof)?.proof.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Failure and recovery
//! A nonce that the node refuses is asked for again, a few times. A lost reply leaves the outcome
//! open: the error then carries the hash, and [`ChainClient::wait`] finds out.

mod accounts;
mod chain;
mod economy;
mod error;
mod fees;
mod handovers;
mod intents;
mod key;
mod keystore;
mod logs;
mod mnemonic;
mod nonces;
mod outcome;
mod revert;
mod sealing;
mod send;
mod signature;
#[cfg(test)]
mod tests;
mod trade;
mod transport;
mod validator_keystore;

pub use accounts::{AccountCall, AssetAccount};
pub use chain::ChainClient;
pub use economy::{ListingPurchase, Quote, Right, Thing, activation};
pub use error::ClientError;
pub use fees::Fees;
pub use intents::{IntentTerms, Relayed, intent};
pub use key::{KeyError, SigningKey};
pub use keystore::Keystore;
pub use mnemonic::TEST_MNEMONIC;
pub use outcome::TxOutcome;
pub use revert::Revert;
pub use sealing::{KeystoreCost, KeystoreError};
pub use send::{Submitted, TxRequest};
pub use signature::{SignatureError, recover};
pub use transport::{Rpc, RpcError, trace_header, traced};
pub use validator_keystore::ValidatorKeystore;

pub use alloy_rpc_types_eth::{Filter, Log};
