//! Why talking to the chain failed.

use crate::{outcome::TxOutcome, revert::Revert, transport::RpcError};
use alloy_primitives::B256;

/// What nodes say of a call that takes more gas than a transaction may have.
const TOO_MUCH: [&str; 4] = [
    "out of gas",
    "intrinsic gas too low",
    "insufficient gas for floor data gas cost",
    "gas required exceeds allowance",
];

/// Why a call or transaction did not do what it should.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is none.
    #[error("not an http URL: {0}")]
    Url(String),
    /// The node did not answer, or not in time. Nothing is known about what it did.
    #[error("the node at {url} did not answer: {reason}")]
    Unreachable {
        /// Where it was asked.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The answer is not what the method returns.
    #[error("unexpected answer to {method}: {reason}")]
    Answer {
        /// What was asked.
        method: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The node refused.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A contract or protocol refused the call.
    #[error(transparent)]
    Reverted(#[from] Revert),
    /// The transaction is in a block and reverted there.
    #[error("transaction {} reverted in block {}: {}", outcome.hash, outcome.block_number, reason_text(revert.as_ref()))]
    Failed {
        /// What it used nevertheless.
        outcome: Box<TxOutcome>,
        /// Why, when running it again shows it.
        revert: Option<Revert>,
    },
    /// Not in a block within the time given; it may still get in.
    #[error("transaction {0} is not final yet")]
    Pending(B256),
    /// A value does not decode as its Solidity type.
    #[error("{what} does not decode: {reason}")]
    Decode {
        /// What was to be decoded.
        what: &'static str,
        /// Why it does not.
        reason: String,
    },
}

impl ClientError {
    /// The revert behind it, if there is one.
    #[must_use]
    pub const fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Reverted(revert) => Some(revert),
            Self::Failed { revert, .. } => revert.as_ref(),
            _ => None,
        }
    }

    /// Whether the call takes more than a transaction may have. It had no effect, and has none if it is
    /// sent again as it is.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        match self {
            Self::Rpc(error) => TOO_MUCH.iter().any(|words| error.message.contains(words)),
            // Run again it does not revert: it ran out of its gas.
            Self::Failed { revert, .. } => revert.is_none(),
            _ => false,
        }
    }

    /// Whether the node could not be reached, so that trying again makes sense.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

fn reason_text(revert: Option<&Revert>) -> String {
    revert.map_or_else(|| "no reason given".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_much_is_told_from_what_is_unknown() {
        let rpc = |message: &str| {
            let message = message.to_owned();
            ClientError::from(RpcError { code: -32_000, message, data: None })
        };
        assert!(rpc("out of gas").is_too_much());
        assert!(rpc("intrinsic gas too low: gas 16777216, minimum needed 17000000").is_too_much());
        assert!(!rpc("already known").is_too_much());
        assert!(!ClientError::Pending(B256::ZERO).is_too_much());
        assert!(!ClientError::from(Revert::from_data(Default::default())).is_too_much());
    }
}
