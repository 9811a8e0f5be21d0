//! Merkle-Patricia proofs against the roots of a verified header.
//!
//! A proof is the list of trie nodes from the root down, as `eth_getProof` returns it.

use alloy_consensus::TrieAccount;
use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use alloy_trie::{
    HashBuilder, Nibbles,
    proof::{ProofRetainer, verify_proof},
    root::adjust_index_for_rlp,
};

use crate::{
    receipt::{ReceiptError, TxReceipt},
    transaction::Transaction,
};

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The nodes do not lead from the root to the value.
    #[error("the proof does not lead from the root to the value: {0}")]
    Mismatch(String),
    /// The proven receipt is malformed.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The proven receipt has no such log, or another one there.
    #[error("log {0} of the receipt is not the one claimed")]
    OtherLog(usize),
}

/// Checks that `account` is what the state says about `address`; `None` that there is none.
///
/// # Errors
/// [`ProofError::Mismatch`].
pub fn verify_account(
    state_root: B256,
    address: Address,
    account: Option<&TrieAccount>,
    proof: &[Bytes],
) -> Result<(), ProofError> {
    let key = Nibbles::unpack(keccak256(address));
    verify(state_root, key, account.map(alloy_rlp::encode), proof)
}

/// Checks that `slot` of the account with this storage root holds `value`; zero means that it is
/// absent.
///
/// # Errors
/// [`ProofError::Mismatch`].
pub fn verify_storage(
    storage_root: B256,
    slot: B256,
    value: U256,
    proof: &[Bytes],
) -> Result<(), ProofError> {
    let expected = (!value.is_zero()).then(|| alloy_rlp::encode(value));
    verify(storage_root, Nibbles::unpack(keccak256(slot)), expected, proof)
}

/// Proves transaction `index`; none if there are fewer.
#[must_use]
pub fn prove_transaction(transactions: &[Transaction], index: usize) -> Option<Vec<Bytes>> {
    let items: Vec<_> = transactions.iter().map(Transaction::encoded).collect();
    prove_item(&items, index)
}

/// Proves receipt `index`; none if there are fewer.
#[must_use]
pub fn prove_receipt(receipts: &[TxReceipt], index: usize) -> Option<Vec<Bytes>> {
    let items: Vec<_> = receipts.iter().map(TxReceipt::encoded).collect();
    prove_item(&items, index)
}

/// Checks that `transaction` is at `index` under a header's transactions root.
///
/// # Errors
/// [`ProofError::Mismatch`].
pub fn verify_transaction(
    transactions_root: B256,
    index: usize,
    transaction: &Transaction,
    proof: &[Bytes],
) -> Result<(), ProofError> {
    verify(transactions_root, item_key(index), Some(transaction.encoded()), proof)
}

/// Checks that `receipt` is at `index` under a header's receipts root.
///
/// # Errors
/// [`ProofError::Mismatch`].
pub fn verify_receipt(
    receipts_root: B256,
    index: usize,
    receipt: &TxReceipt,
    proof: &[Bytes],
) -> Result<(), ProofError> {
    verify(receipts_root, item_key(index), Some(receipt.encoded()), proof)
}

/// A log and where it stands in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogClaim<'a> {
    /// The transaction's position in the block.
    pub transaction_index: usize,
    /// The log's position in the receipt (not in the block).
    pub log_index: usize,
    /// The log.
    pub log: &'a Log,
}

/// Checks that a log was emitted: `receipt` is the encoded receipt that holds it.
///
/// # Errors
/// When the receipt is not under the root or its log is another.
pub fn verify_log(
    receipts_root: B256,
    claim: &LogClaim<'_>,
    receipt: &[u8],
    proof: &[Bytes],
) -> Result<(), ProofError> {
    let key = item_key(claim.transaction_index);
    verify(receipts_root, key, Some(receipt.to_vec()), proof)?;
    let receipt = TxReceipt::decode(receipt)?;
    if receipt.logs.get(claim.log_index) == Some(claim.log) {
        Ok(())
    } else {
        Err(ProofError::OtherLog(claim.log_index))
    }
}

fn verify(
    root: B256,
    key: Nibbles,
    expected: Option<Vec<u8>>,
    proof: &[Bytes],
) -> Result<(), ProofError> {
    verify_proof(root, key, expected, proof)
        .map_err(|error| ProofError::Mismatch(error.to_string()))
}

fn item_key(index: usize) -> Nibbles {
    Nibbles::unpack(alloy_rlp::encode_fixed_size(&index))
}

/// Builds the trie of an ordered list and keeps the nodes on the way to `index`.
fn prove_item(items: &[Vec<u8>], index: usize) -> Option<Vec<Bytes>> {
    items.get(index)?;
    let mut builder =
        HashBuilder::default().with_proof_retainer(ProofRetainer::new(vec![item_key(index)]));
    for position in 0..items.len() {
        // The builder wants keys in order, and RLP puts 0 after 127.
        let position = adjust_index_for_rlp(position, items.len());
        builder.add_leaf(item_key(position), items.get(position)?);
    }
    builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    Some(nodes.into_iter().map(|(_, node)| node).collect())
}
