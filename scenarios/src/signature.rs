//! What anyone can make of a signature without its key.

use alloy_primitives::U256;

/// The other signature of the same hash: `(r, n - s)` with the other parity.
pub fn twin(signature: [u8; 65]) -> [u8; 65] {
    let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
    let mut other = signature;
    let (head, v) = other.split_at_mut(64);
    if let Some(s) = head.get_mut(32..) {
        let high = order - U256::from_be_slice(s);
        s.copy_from_slice(&high.to_be_bytes::<32>());
    }
    if let Some(v) = v.first_mut() {
        *v = 55 - *v;
    }
    other
}

#[cfg(test)]
mod tests {
    use super::twin;
    use alloy_primitives::B256;
    use sahara_client::SigningKey;

    #[test]
    fn the_twin_of_a_signature_is_another_one_and_its_twin_is_the_first() {
        let signature = SigningKey::random().sign_hash(B256::repeat_byte(5));
        assert_ne!(twin(signature), signature);
        assert_eq!(twin(twin(signature)), signature);
    }
}
