//! Who signed a hash: secp256k1 recovery that takes exactly one signature per key and hash.

use crate::state::{Failure, Read};
use alloy_primitives::{Address, B256, U256, keccak256, uint};
use secp256k1::{
    Message, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// Gas of a recovery: what the precompile at address 1 costs.
const RECOVER_GAS: u64 = 3_000;

/// Half the group's order. A signature `(r, s)` has a twin `(r, n - s)`; only the lower is taken.
const HALF_ORDER: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// The signer of `hash`, or `None` for a malformed signature: `v` must be 27 or 28 and `s` in the
/// lower half.
pub(crate) fn recover(
    state: &mut impl Read,
    hash: B256,
    v: u8,
    r: B256,
    s: B256,
) -> Result<Option<Address>, Failure> {
    state.charge(RECOVER_GAS)?;
    if U256::from_be_bytes(s.0) > HALF_ORDER {
        return Ok(None);
    }
    let id = match v {
        27 => RecoveryId::Zero,
        28 => RecoveryId::One,
        _ => return Ok(None),
    };
    let compact = [r.0, s.0].concat();
    let signer = RecoverableSignature::from_compact(&compact, id)
        .and_then(|signature| SECP256K1.recover_ecdsa(Message::from_digest(hash.0), &signature))
        .ok()
        .map(|key| {
            let [_, point @ ..] = key.serialize_uncompressed();
            Address::from_word(keccak256(point))
        });
    Ok(signer)
}

/// As [`recover`], from the 65 bytes `r || s || v`.
pub(crate) fn recover_bytes(
    state: &mut impl Read,
    hash: B256,
    signature: &[u8],
) -> Result<Option<Address>, Failure> {
    let Ok(bytes) = <[u8; 65]>::try_from(signature) else { return Ok(None) };
    let [rs @ .., v] = bytes;
    let (r, s) = rs.split_at(32);
    recover(state, hash, v, B256::from_slice(r), B256::from_slice(s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryState;
    use secp256k1::SecretKey;

    fn sign(hash: B256) -> (Address, u8, B256, B256) {
        let key = SecretKey::from_byte_array([7; 32]).unwrap();
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &key);
        let (id, compact) = signature.serialize_compact();
        let [_, point @ ..] = key.public_key(SECP256K1).serialize_uncompressed();
        let v = 27 + u8::try_from(i32::from(id)).unwrap();
        let (r, s) = compact.split_at(32);
        (Address::from_word(keccak256(point)), v, B256::from_slice(r), B256::from_slice(s))
    }

    #[test]
    fn a_signature_names_its_signer() {
        let hash = keccak256("a message");
        let (signer, v, r, s) = sign(hash);
        let state = &mut MemoryState::default();
        assert_eq!(recover(state, hash, v, r, s), Ok(Some(signer)));
        let bytes = [r.as_slice(), s.as_slice(), &[v]].concat();
        assert_eq!(recover_bytes(state, hash, &bytes), Ok(Some(signer)));
        assert_eq!(recover_bytes(state, hash, &bytes[..64]), Ok(None));
        assert_eq!(recover_bytes(state, hash, &[&bytes[..], &[0]].concat()), Ok(None));
        assert_ne!(recover(state, keccak256("another"), v, r, s), Ok(Some(signer)));
    }

    #[test]
    fn the_twin_of_a_signature_is_refused() {
        let hash = keccak256("a message");
        let (_, v, r, s) = sign(hash);
        let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
        let twin = B256::from(order - U256::from_be_bytes(s.0));
        let state = &mut MemoryState::default();
        assert_eq!(recover(state, hash, 55 - v, r, twin), Ok(None));
        assert_eq!(HALF_ORDER, order >> 1);
        for odd in [0, 1, 26, 29, 255] {
            assert_eq!(recover(state, hash, odd, r, s), Ok(None));
        }
    }
}
