//! Signatures over hashes, and the token by which a worker knows its gateway.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolStruct;
use sahara_abi::{IChannels, signing::channels_domain};
use sahara_client::SigningKey;
pub use sahara_client::{SignatureError, recover};
use sahara_primitives::{Milliseconds, Receipt, domain_hash};

/// How far the clocks of gateway and worker may differ: a minute covers machines without a time
/// service, and bounds what the worker remembers against replay.
const TOKEN_LIFE: u64 = 60_000;

/// The header that carries a [`JobToken`].
pub const fn token_header() -> &'static str {
    "sahara-token"
}

/// Signs a hash: `r || s || v`.
pub fn sign(key: &SigningKey, hash: B256) -> Bytes {
    Bytes::copy_from_slice(&key.sign_hash(hash))
}

/// What a worker signs to be paid what a receipt says it earned by now.
pub fn earning_hash(receipt: &Receipt) -> Option<B256> {
    let earning = IChannels::Earning {
        channelId: receipt.channel.0,
        asset: receipt.asset.0,
        cumulativeWorker: receipt.cumulative_worker.to_u128()?,
        cumulativeAsset: receipt.cumulative_asset.to_u128()?,
    };
    Some(earning.eip712_signing_hash(&channels_domain(receipt.chain_id)))
}

/// A gateway's key, as far as workers care.
#[derive(Clone, Debug)]
pub struct GatewayKey(pub SigningKey);

impl GatewayKey {
    /// Signs a request body for a worker.
    pub fn token(&self, worker: Address, path: &str, body: &[u8], now: Milliseconds) -> String {
        let hash = token_hash(worker, path, body, now);
        let signature = sign(&self.0, hash);
        format!("{}:{}", now.0, alloy_primitives::hex::encode(signature))
    }
}

/// A gateway's signature over time, worker, path and body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobToken {
    /// Who signed.
    pub gateway: Address,
    /// When.
    pub at: Milliseconds,
    /// Unlike any other request's.
    pub hash: B256,
}

/// Why a request is not from a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token.
    #[error("expected a header sahara-token: <milliseconds>:<signature>")]
    Malformed,
    /// Too old or too new.
    #[error("the token's time is more than {} s from this clock", TOKEN_LIFE / 1000)]
    Stale,
    /// The signature is none.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl JobToken {
    /// How long a token may be used, and must be remembered.
    pub const LIFE: u64 = TOKEN_LIFE;

    /// Reads a header's token for a request to `worker`.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn read(
        header: &str,
        worker: Address,
        request: (&str, &[u8]),
        now: Milliseconds,
    ) -> Result<Self, TokenError> {
        let (at, signature) = header.split_once(':').ok_or(TokenError::Malformed)?;
        let at = Milliseconds(at.parse().map_err(|_| TokenError::Malformed)?);
        if at.0.abs_diff(now.0) > TOKEN_LIFE {
            return Err(TokenError::Stale);
        }
        let signature =
            alloy_primitives::hex::decode(signature).map_err(|_| TokenError::Malformed)?;
        let hash = token_hash(worker, request.0, request.1, at);
        Ok(Self { gateway: recover(hash, &signature)?, at, hash })
    }
}

fn token_hash(worker: Address, path: &str, body: &[u8], at: Milliseconds) -> B256 {
    let body = keccak256(body);
    domain_hash(
        "sahara/job-token/1",
        &[worker.as_slice(), path.as_bytes(), body.as_slice(), &at.0.to_be_bytes()],
    )
}
