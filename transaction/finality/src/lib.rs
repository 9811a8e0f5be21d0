//! Headers, certificates, validator sets and trie proofs: what a stranger needs to verify the chain.
//!
//! # Model
//! A [`Block`] is an Ethereum header, a [`Seal`] and [`Transaction`]s. Its hash is the keccak of
//! the RLP header, and it is the very digest the validators vote on. The header commits to seal
//! and transactions, so one hash is one block.
//!
//! A [`LightClient`] trusts the hash of block 0 only. That block's seal names the chain id and the
//! [`ValidatorSet`]; a certificate of the set's quorum makes a header final; the last header of an
//! epoch names the next set ([`Handover`]); and under the roots of a [`VerifiedHeader`] accounts, slots, transactions, receipts and logs are proven.
//!
//! # Formats
//! Every decoder takes the whole input, has a limit, and refuses what does not encode to itself.
//! `specs/0001-finality.md` draws them, and numbers the invariants.
//!
//! # Failure
//! Whatever is refused is refused with a typed error that says what was expected. Nothing here
//! needs a runtime, a clock, a network or a disk.

mod block;
mod certificate;
mod change;
mod evidence;
mod keys;
mod light;
mod proof;
mod receipt;
mod rules;
mod seal;
mod transaction;
mod validators;

pub use block::{
    Block, BlockError, MAX_BLOCK_BYTES, MAX_HEADER_BYTES, MAX_TRANSACTIONS_BYTES, decode_header,
    header_milliseconds, transaction_length, transactions_length, transactions_root,
};
pub use certificate::{
    CertificateError, Finalization, MAX_CERTIFICATE_BYTES, Scheme, certificate_epoch,
    encode_finalization, is_proven, signer, verifier, verify_finalization, verify_with,
};
pub use change::{ChangeError, MAX_CHANGE_BYTES, SignedChange, ValidatorChange};
pub use evidence::{MAX_EVIDENCE_BYTES, proven_conflict};
pub use keys::{
    ConsensusPrivateKey, ConsensusPublicKey, ConsensusSignature, KeyError, NetworkPrivateKey,
    NetworkPublicKey, Pairing, ValidatorKeys, parse_hex, to_bytes, to_hex,
};
pub use light::{Handover, LightClient, LightError, MAX_DESCENDANTS, Succession, VerifiedHeader};
pub use proof::{
    LogClaim, ProofError, prove_receipt, prove_transaction, verify_account, verify_log,
    verify_receipt, verify_storage, verify_transaction,
};
pub use receipt::{Logs, ReceiptError, TxReceipt, block_bloom, receipts_root};
pub use rules::{
    EpochRules, MAX_CLOCK_DRIFT_MILLISECONDS, RuleViolation, check_child, check_header,
    closes_epoch, epoch_of, genesis_block, header_template,
};
pub use seal::{ChainIdentity, MAX_SEAL_BYTES, RoundContext, RoundSeal, Seal, SealError};
pub use transaction::{
    EthereumTransaction, MAX_TRANSACTION_BYTES, SYSTEM_ADDRESS, SYSTEM_TYPE, SystemTransaction,
    Transaction, TransactionError,
};
pub use validators::{
    MAX_VALIDATOR_SET_BYTES, MAX_VALIDATORS, Validator, ValidatorSet, ValidatorSetError, quorum,
};
