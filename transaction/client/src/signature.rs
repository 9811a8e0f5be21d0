//! [`recover`]: who signed a hash.

use sahara_primitives::{Address, B256, keccak256};
use secp256k1::{
    Message, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// Why 65 bytes are not a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not `r || s || v` with `v` 27 or 28.
    #[error("expected a signature of 65 bytes, r || s || v with v 27 or 28")]
    Malformed,
    /// A second signature made from the first by anyone.
    #[error("the signature has a high s, expected the low one")]
    Malleable,
}

/// Who signed `hash`; only the low-s form counts.
///
/// # Errors
/// See [`SignatureError`].
pub fn recover(hash: B256, signature: &[u8]) -> Result<Address, SignatureError> {
    let Some((compact, [v])) = signature.split_at_checked(64) else {
        return Err(SignatureError::Malformed);
    };
    let id = match v {
        27 => RecoveryId::Zero,
        28 => RecoveryId::One,
        _ => return Err(SignatureError::Malformed),
    };
    let signature =
        RecoverableSignature::from_compact(compact, id).map_err(|_| SignatureError::Malformed)?;
    let standard = signature.to_standard();
    let mut low = standard;
    low.normalize_s();
    if low != standard {
        return Err(SignatureError::Malleable);
    }
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(hash.0), &signature)
        .map_err(|_| SignatureError::Malformed)?;
    let encoded = key.serialize_uncompressed();
    let digest = keccak256(encoded.get(1..).unwrap_or_default());
    Ok(Address::from_word(digest))
}
