//! Requests that say who asks: signed once, for one place, and good for a minute.

use crate::error::VaultError;
use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolStruct;
use parking_lot::Mutex;
use sahara_abi::signing::{VaultRequest, vault_domain};
use sahara_client::{SigningKey, recover};
use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};

/// How far clocks may differ, and how long a request is remembered.
const LIFE: u64 = 60_000;
/// Requests that are remembered, four thousand a second: as much as eight addresses may ask (gateway.rs of
/// the program), whose signatures may be anybody's.
const MOST: usize = 240_000;
/// The header that carries time, nonce and signature.
pub(crate) const HEADER: &str = "sahara-signature";

/// A request, as it is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

impl Asked<'_> {
    fn hash(&self, home: &Home<'_>, (at, nonce): (u64, B256)) -> B256 {
        let request = VaultRequest {
            origin: home.origin.into(),
            session: home.session,
            method: self.method.into(),
            path: self.path.into(),
            bodyHash: keccak256(self.body),
            at,
            nonce,
        };
        request.eip712_signing_hash(&vault_domain(home.chain_id))
    }

    /// The header's value.
    pub(crate) fn sign(&self, key: &SigningKey, home: &Home<'_>) -> String {
        let (at, nonce) = (now(), B256::new(rand::random()));
        let signature = key.sign_hash(self.hash(home, (at, nonce)));
        format!("{at}:{}:{}:{}", hex::encode(nonce), hex::encode(signature), home.origin)
    }
}

/// Where a request is good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home<'a> {
    pub(crate) chain_id: u64,
    /// The vault's URL, as the client knows it.
    pub(crate) origin: &'a str,
    /// Drawn by the vault when it started.
    pub(crate) session: B256,
}

/// The machine's clock, Unix milliseconds.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What a vault accepts, and what it saw within the last minute.
#[derive(Debug)]
pub(crate) struct Doorkeeper {
    chain_id: u64,
    /// URLs by which it is known.
    origins: Vec<String>,
    /// What was signed for an earlier process may have been used with it.
    session: B256,
    seen: Mutex<BTreeSet<(u64, B256)>>,
}

impl Doorkeeper {
    pub(crate) fn new(chain_id: u64, origins: Vec<String>) -> Self {
        Self { chain_id, origins, session: B256::new(rand::random()), seen: Mutex::default() }
    }

    pub(crate) const fn session(&self) -> B256 {
        self.session
    }

    /// Who signed the header for this request; each is good once. Whoever signed for another
    /// session is somebody unknown.
    pub(crate) fn admit(
        &self,
        header: &str,
        asked: &Asked<'_>,
        now: u64,
    ) -> Result<Address, VaultError> {
        let no = |text: &str| VaultError::Unauthorised(text.to_owned());
        let expected = "expected sahara-signature: MILLISECONDS:NONCE:SIGNATURE:ORIGIN";
        let mut parts = header.splitn(4, ':');
        let mut part = || parts.next().ok_or_else(|| no(expected));
        let (at, nonce, signature, origin) = (part()?, part()?, part()?, part()?);
        let at: u64 = at.parse().map_err(|_| no(expected))?;
        let nonce: B256 = nonce.parse().map_err(|_| no(expected))?;
        let signature = hex::decode(signature).map_err(|_| no(expected))?;
        if !self.origins.iter().any(|own| own == origin) {
            return Err(no(
                "the request is signed for another vault, or for another name of this one",
            ));
        }
        if at.abs_diff(now) > LIFE {
            return Err(no("the signature's time is more than a minute from this clock"));
        }
        let home = Home { chain_id: self.chain_id, origin, session: self.session };
        let hash = asked.hash(&home, (at, nonce));
        let account = recover(hash, &signature)
            .map_err(|error| VaultError::Unauthorised(error.to_string()))?;
        let mut seen = self.seen.lock();
        let forgotten = (now.saturating_sub(LIFE), B256::ZERO);
        *seen = seen.split_off(&forgotten);
        if seen.len() >= MOST {
            return Err(VaultError::Busy("too many signed requests a minute".into()));
        }
        if !seen.insert((at, hash)) {
            return Err(no("the signature was used before: each is good once"));
        }
        Ok(account)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Doorkeeper, Home, LIFE, now};
    use sahara_client::{SigningKey, TEST_MNEMONIC};

    const HOME: &str = "http://127.0.0.1:8080";
    const ASKED: Asked<'_> = Asked { method: "GET", path: "/vault/v1/assets/1", body: b"" };

    #[test]
    fn v4_a_signature_is_good_once_for_one_request_at_one_vault() {
        let key = SigningKey::from_mnemonic(TEST_MNEMONIC, 3).unwrap();
        let vault = Doorkeeper::new(7, vec![HOME.into()]);
        let home = Home { chain_id: 7, origin: HOME, session: vault.session() };
        let sign = || ASKED.sign(&key, &home);
        let header = sign();
        assert_eq!(vault.admit(&header, &ASKED, now()).unwrap(), key.address());
        let again = vault.admit(&header, &ASKED, now()).unwrap_err();
        assert!(again.to_string().contains("used before"), "{again}");
        // Whatever is changed, another account asks: one that owns nothing.
        let is_hers = |vault: &Doorkeeper, header: &str, asked: &Asked<'_>| {
            vault.admit(header, asked, now()).is_ok_and(|account| account == key.address())
        };
        let others = [
            Asked { method: "PUT", ..ASKED },
            Asked { path: "/vault/v1/assets/2", ..ASKED },
            Asked { body: b"x", ..ASKED },
        ];
        for other in others {
            assert!(!is_hers(&vault, &sign(), &other), "{other:?}");
        }
        let chain = Doorkeeper { chain_id: 8, ..Doorkeeper::new(7, vec![HOME.into()]) };
        assert!(!is_hers(&chain, &sign(), &ASKED), "another chain");
        let relayed = Doorkeeper { session: home.session, ..Doorkeeper::new(7, vec!["x".into()]) };
        assert!(!is_hers(&relayed, &sign(), &ASKED), "another vault");
        let restarted = Doorkeeper::new(7, vec![HOME.into()]);
        assert!(!is_hers(&restarted, &header, &ASKED), "after a restart");
        assert!(vault.admit(&sign(), &ASKED, now() + LIFE + 1_000).is_err(), "late");
        assert!(vault.admit(&sign(), &ASKED, now() - LIFE - 1_000).is_err(), "early");
        for bad in ["", "1", "1:2:3", "x:y:z:w", ":::", "99999999999999999999:00:00:x"] {
            assert!(vault.admit(bad, &ASKED, now()).is_err(), "{bad}");
        }
        assert!(is_hers(&vault, &sign(), &ASKED));
    }
}
