//! [`ConfigFile`]: what a worker's operator writes down.

use sahara_primitives::Address;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

/// The most jobs at a time: a machine computes a few, a service behind a URL some hundreds.
const MAX_JOBS: usize = 4_096;
/// The most threads: each is one of the system's, and machines of twice as many cores are rare.
const MAX_THREADS: usize = 1_024;

/// What a worker's configuration file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// JSON-RPC of a node: what this worker offers there is what it serves.
    pub rpc: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Host names it answers to besides those of loopback.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// File with its key.
    pub key_file: PathBuf,
    /// Where it remembers what it signed.
    pub data_dir: PathBuf,
    /// The gateways it works for.
    pub gateways: Vec<Address>,
    /// What computes.
    pub engine: EngineConfig,
    /// Jobs at a time, 1 to 4,096.
    pub max_jobs: usize,
}

/// What computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineConfig {
    /// The deterministic engine on a GGUF file (class D1).
    Own {
        /// The weights.
        model: PathBuf,
        /// Threads, at most 1,024.
        threads: usize,
    },
    /// Any URL that speaks OpenAI's API (class Statistical).
    Remote {
        /// Up to and with `/v1`.
        url: String,
        /// The model's name there.
        model: String,
        /// Tokens of prompt and answer together.
        context_length: u32,
    },
}

/// Why a configuration is none.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not the JSON of one.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
    /// A number with which no worker works.
    #[error("{field} {given}: expected 1 to {most}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// What stands there.
        given: usize,
        /// The most.
        most: usize,
    },
}

impl ConfigFile {
    /// What a file says.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(text: &[u8]) -> Result<Self, ConfigError> {
        let file: Self = serde_json::from_slice(text)?;
        in_range("max_jobs", file.max_jobs, MAX_JOBS)?;
        if let EngineConfig::Own { threads, .. } = file.engine {
            // The engine counts none as one.
            in_range("threads", threads.max(1), MAX_THREADS)?;
        }
        Ok(file)
    }
}

fn in_range(field: &'static str, given: usize, most: usize) -> Result<(), ConfigError> {
    if (1..=most).contains(&given) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange { field, given, most })
}

#[cfg(test)]
mod tests {
    use super::{ConfigError, ConfigFile};
    use serde_json::json;

    fn read(max_jobs: usize, threads: usize) -> Result<ConfigFile, ConfigError> {
        let text = json!({
            "rpc": "http://127.0.0.1:8545",
            "listen": "127.0.0.1:9000",
            "key_file": "key.secret",
            "data_dir": "worker",
            "gateways": [],
            "engine": { "own": { "model": "model.gguf", "threads": threads } },
            "max_jobs": max_jobs,
        });
        ConfigFile::read(text.to_string().as_bytes())
    }

    #[test]
    fn numbers_with_which_no_worker_works_are_refused() {
        assert!(read(1, 0).is_ok() && read(4_096, 1_024).is_ok());
        let refused = |jobs, threads| read(jobs, threads).unwrap_err().to_string();
        assert_eq!(refused(0, 1), "max_jobs 0: expected 1 to 4096");
        assert_eq!(refused(usize::MAX, 1), format!("max_jobs {}: expected 1 to 4096", usize::MAX));
        assert_eq!(refused(1, 1_025), "threads 1025: expected 1 to 1024");
    }
}
