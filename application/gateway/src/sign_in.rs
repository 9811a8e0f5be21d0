//! [`SignIn`]: what a page sends of somebody who signs in with Ethereum (EIP-4361).

use alloy_primitives::{Bytes, eip191_hash_message};
use sahara_compute::recover;
use sahara_primitives::Address;
use serde::Deserialize;

/// The longest text of a page that is repeated in what is signed.
const MAX_FIELD: usize = 200;

/// Who signs in, and what was signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Who says to have signed.
    pub account: Address,
    /// Which nonce stands in the text.
    pub nonce: String,
    /// Which time stands in the text.
    pub issued_at: String,
    /// `r || s || v` over the text (EIP-191).
    pub signature: Bytes,
}

impl SignIn {
    /// Whether what the page says can stand in the text: nothing of it begins a line of its own.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let fits = |text: &str| text.len() <= MAX_FIELD && !text.contains(char::is_control);
        fits(&self.nonce) && fits(&self.issued_at)
    }

    /// The text of EIP-4361, for a page that was loaded from `scheme` and `host`.
    #[must_use]
    pub fn text(&self, (scheme, host): (&str, &str), chain_id: u64) -> String {
        let Self { account, nonce, issued_at, .. } = self;
        format!(
            "{host} wants you to sign in with your Ethereum account:\n{account}\n\n\
             See what this account asked here and paid. It costs nothing and sends nothing.\n\n\
             URI: {scheme}://{host}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued_at}"
        )
    }

    /// Whether the account signed the text for this origin and chain.
    #[must_use]
    pub fn is_signed(&self, origin: (&str, &str), chain_id: u64) -> bool {
        let hash = eip191_hash_message(self.text(origin, chain_id));
        self.is_plain() && recover(hash, &self.signature) == Ok(self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_FIELD, SignIn};
    use alloy_primitives::Bytes;
    use sahara_client::SigningKey;

    const ORIGIN: (&str, &str) = ("https", "gateway.example");

    fn signed(key: &SigningKey, chain_id: u64) -> SignIn {
        let unsigned = SignIn {
            account: key.address(),
            nonce: "00".repeat(32),
            issued_at: "2026-11-23T16:00:00Z".into(),
            signature: Bytes::new(),
        };
        let signature = key.sign_message(unsigned.text(ORIGIN, chain_id));
        SignIn { signature, ..unsigned }
    }

    #[test]
    fn a_signature_is_for_one_origin_chain_account_nonce_and_time() {
        let given = signed(&SigningKey::random(), 7);
        assert!(given.is_signed(ORIGIN, 7));
        assert!(!given.is_signed(ORIGIN, 8), "another chain");
        assert!(!given.is_signed(("http", ORIGIN.1), 7), "another scheme");
        assert!(!given.is_signed((ORIGIN.0, "other.example"), 7), "another host");
        let account = SigningKey::random().address();
        let (nonce, issued_at) = ("11".repeat(32), "2026-11-23T16:00:01Z".to_owned());
        assert!(!SignIn { account, ..given.clone() }.is_signed(ORIGIN, 7), "another account");
        assert!(!SignIn { nonce, ..given.clone() }.is_signed(ORIGIN, 7), "another nonce");
        assert!(!SignIn { issued_at, ..given }.is_signed(ORIGIN, 7), "another time");
    }

    #[test]
    fn a_field_that_begins_a_line_of_its_own_is_not_signed() {
        let key = SigningKey::random();
        for time in ["2026\nURI: https://other.example", "\u{85}", &"1".repeat(MAX_FIELD + 1)] {
            let mut given = signed(&key, 7);
            given.issued_at = time.into();
            given.signature = key.sign_message(given.text(ORIGIN, 7));
            assert!(!given.is_plain() && !given.is_signed(ORIGIN, 7), "{time:?}");
        }
    }
}
