//! Hashes: keccak-256, and the one way to separate domains.

use alloy_primitives::{B256, Keccak256};

pub use alloy_primitives::keccak256;

/// keccak-256 over `len(domain) as u8 || domain || parts`, where every part is preceded by its
/// length as `u64` big-endian, so that no two inputs of any two domains share an encoding.
///
/// A domain is a short ASCII name with a version, as `sahara/receipt/1`; only its first 255 bytes
/// count.
pub fn domain_hash(domain: &str, parts: &[&[u8]]) -> B256 {
    let domain = domain.as_bytes();
    let domain = domain.get(..255).unwrap_or(domain);
    let mut hasher = Keccak256::new();
    hasher.update([u8::try_from(domain.len()).unwrap_or(u8::MAX)]);
    hasher.update(domain);
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_border_changes_the_hash() {
        assert_ne!(domain_hash("a", &[b"bc"]), domain_hash("ab", &[b"c"]));
        assert_ne!(domain_hash("a", &[b"b", b"c"]), domain_hash("a", &[b"bc"]));
        assert_ne!(domain_hash("a", &[b"", b"b"]), domain_hash("a", &[b"b", b""]));
    }
}
