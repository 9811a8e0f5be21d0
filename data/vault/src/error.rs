//! [`VaultError`]: why a vault, or its client, did not do what was asked.

use std::io;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// What was sent is malformed, or not what the chain says.
    #[error("{0}")]
    Invalid(String),
    /// Nobody proved who asks, or the proof is worth nothing.
    #[error("{0}")]
    Unauthorised(String),
    /// Who asks has no right.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing here.
    #[error("{0}")]
    Missing(String),
    /// Another segment comes first.
    #[error("segment {expected} comes next")]
    OutOfOrder {
        /// The next one.
        expected: u64,
    },
    /// There is no room.
    #[error("{0}: nothing was lost, go on when there is room")]
    Full(String),
    /// Too many at once.
    #[error("{0}: expected a retry later")]
    Busy(String),
    /// The node does not answer, so nothing is known about rights.
    #[error("the chain cannot be asked: {0}")]
    Silent(String),
    /// What is stored or served is not what it should be.
    #[error("{0}")]
    Damaged(String),
    /// A vault answered with a refusal.
    #[error("the vault refused ({status}): {message}")]
    Refused {
        /// Its HTTP status.
        status: u16,
        /// Its reason.
        message: String,
    },
    /// A vault did not answer.
    #[error("the vault does not answer: {0}")]
    Unreachable(String),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(io::Error),
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::Full("the disk is full".into()),
            io::ErrorKind::QuotaExceeded => Self::Full("the disk's quota is used up".into()),
            _ => Self::Io(error),
        }
    }
}

impl From<reqwest::Error> for VaultError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::VaultError;
    use std::{fs::OpenOptions, io::Write};

    #[test]
    fn a_full_disk_is_called_one() {
        // Every write to this device fails as on a full disk.
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = VaultError::from(full.write_all(b"x").unwrap_err());
        assert_eq!(
            error.to_string(),
            "the disk is full: nothing was lost, go on when there is room"
        );
    }
}
