//! Headers, certificates, validator sets and trie proofs: what a stranger needs to verify the chain.
//!
//! # Model
//! A [`Block`] is an Ethereum header, a [`Seal`] and [`Transaction`]s. Its hash is the keccak of
//! the RLP header, and it is the very digest the validators vote on.

mod block;
mod keys;
mod receipt;
mod seal;
mod transaction;
mod validators;

pub use block::{
    Block, BlockError, MAX_BLOCK_BYTES, MAX_HEADER_BYTES, MAX_TRANSACTIONS_BYTES, decode_header,
    header_milliseconds, transaction_length, transactions_length, transactions_root,
};
pub use keys::{
    ConsensusPrivateKey, ConsensusPublicKey, ConsensusSignature, KeyError, NetworkPrivateKey,
    NetworkPublicKey, Pairing, ValidatorKeys, parse_hex, to_hex,
};
pub use receipt::{ReceiptError, TxReceipt, block_bloom, receipts_root};
pub use seal::{ChainIdentity, MAX_SEAL_BYTES, RoundContext, RoundSeal, Seal, SealError};
pub use transaction::{
    EthereumTransaction, MAX_TRANSACTION_BYTES, SYSTEM_ADDRESS, SYSTEM_TYPE, SystemTransaction,
    Transaction, TransactionError,
};
pub use validators::{MAX_VALIDATORS, Validator, ValidatorSet, ValidatorSetError};
