//! Who signed: recovery of senders and of EIP-7702 authorities.

use alloy_consensus::transaction::Recovered;
use alloy_eips::eip7702::{RecoveredAuthority, RecoveredAuthorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use sahara_finality::EthereumTransaction;
use secp256k1::{
    Message, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// A signed transaction with its sender. Recovery costs 30 us, so it is done once, where a
/// transaction enters.
pub type RecoveredTransaction = Recovered<EthereumTransaction>;

/// A signature that no key made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// EIP-2: of the two signatures for one message only the one with the lower `s` counts.
    #[error("invalid signature: s is above half the curve order")]
    HighS,
    /// Not a point of the curve, zero, or out of range.
    #[error("invalid signature: no key made it")]
    Invalid,
}

/// The sender of a transaction.
///
/// # Errors
/// See [`SenderError`].
pub fn recover(transaction: &EthereumTransaction) -> Result<Address, SenderError> {
    recover_signer(transaction.signature(), transaction.signature_hash())
}

/// The transaction with its sender.
///
/// # Errors
/// See [`SenderError`].
pub fn recover_transaction(
    transaction: EthereumTransaction,
) -> Result<RecoveredTransaction, SenderError> {
    let sender = recover(&transaction)?;
    Ok(Recovered::new_unchecked(transaction, sender))
}

/// The account that signed `hash`.
///
/// # Errors
/// See [`SenderError`].
pub fn recover_signer(signature: &Signature, hash: B256) -> Result<Address, SenderError> {
    if signature.normalize_s().is_some() {
        return Err(SenderError::HighS);
    }
    recover_any(signature, hash)
}

/// As before EIP-2 (Homestead), for old blocks only.
pub(crate) fn recover_any(signature: &Signature, hash: B256) -> Result<Address, SenderError> {
    let id = if signature.v() { RecoveryId::One } else { RecoveryId::Zero };
    let recoverable = RecoverableSignature::from_compact(&compact(signature), id)
        .map_err(|_| SenderError::Invalid)?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(hash.0), &recoverable)
        .map_err(|_| SenderError::Invalid)?;
    let uncompressed = key.serialize_uncompressed();
    let digest = keccak256(uncompressed.get(1..).unwrap_or_default());
    Ok(Address::from_slice(digest.get(12..).unwrap_or_default()))
}

fn compact(signature: &Signature) -> [u8; 64] {
    let mut bytes = [0; 64];
    let (r, s) = bytes.split_at_mut(32);
    r.copy_from_slice(&signature.r().to_be_bytes::<32>());
    s.copy_from_slice(&signature.s().to_be_bytes::<32>());
    bytes
}

/// Recovers an authority with the same library; an invalid signature makes the authorization
/// void, not the transaction.
pub(crate) fn recover_authorization(signed: &SignedAuthorization) -> RecoveredAuthorization {
    let authority =
        authority(signed).map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid);
    RecoveredAuthorization::new_unchecked(signed.inner().clone(), authority)
}

fn authority(signed: &SignedAuthorization) -> Option<Address> {
    if signed.y_parity() > 1 {
        return None;
    }
    let (r, s): (U256, U256) = (signed.r(), signed.s());
    let signature = Signature::new(r, s, signed.y_parity() == 1);
    recover_signer(&signature, signed.signature_hash()).ok()
}
