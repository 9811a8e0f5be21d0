//! [`Store`]: what the gateway must not forget.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `keys` | key id | the payer's grant and its signature |
//! | `channels` | channel | terms, running sums, what was settled |
//! | `requests` | request id | what was asked, on which terms, and its outcome |
//! | `open` | request id | nothing; the requests that were reserved and have no outcome |
//! | `twins` | owner, body hash | the last request with this body, for clients that retry |
//! | `results` | request id | the answer, encrypted |
//! | `receipts` | channel, seq | receipt and signatures |
//! | `claims` | channel, first seq | transaction, block, who was paid |
//! | `logs` | asset, end of period | the usage log and its claims |
//! | `marks` | a name | up to where something was done, as `logs` for claims |
//! | `meta` | `format` | the version of all this, a number |
//!
//! Values are JSON, but for answers. The format counts up with every change that an older gateway would misread:
//! a newer one than the program's is refused. A store without it is of the first.
//!
//! A write reaches the operating system before the call returns, so it survives a kill;
//! [`Store::sync`] makes it survive a loss of power.

use crate::error::ApiError;
use alloy_primitives::B256;
use chacha20poly1305::{
    ChaCha20Poly1305, Nonce,
    aead::{Aead, KeyInit},
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use sahara_primitives::domain_hash;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Nonce of a stored answer; a stream's tokens count up from 0 under the same key.
const RESULT_NONCE: u64 = u64::MAX;

/// The version of what is written here.
const FORMAT: u64 = 1;

/// Where [`FORMAT`] stands in `meta`.
const FORMAT_ROW: &str = "format";

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the gateway's store cannot be opened: {0}")]
    Database(#[from] fjall::Error),
    /// A file.
    #[error("the gateway's data directory is not usable: {0}")]
    File(#[from] std::io::Error),
    /// The secret is damaged.
    #[error("the file `secret` in the gateway's data directory does not hold 32 bytes")]
    Secret,
    /// The store was written by a later version.
    #[error("the gateway's store has format {found}, expected at most {supported}")]
    NewerFormat {
        /// The newest format this program reads.
        supported: u64,
        /// The format stored.
        found: u64,
    },
    /// The number of its format is damaged.
    #[error("the gateway's store has a format that is no number from 1 on")]
    Format,
}

/// The store.
#[derive(Clone)]
pub(crate) struct Store {
    database: Database,
    pub(crate) keys: Keyspace,
    pub(crate) channels: Keyspace,
    pub(crate) requests: Keyspace,
    pub(crate) open: Keyspace,
    pub(crate) twins: Keyspace,
    pub(crate) results: Keyspace,
    pub(crate) receipts: Keyspace,
    pub(crate) claims: Keyspace,
    pub(crate) logs: Keyspace,
    pub(crate) marks: Keyspace,
    progress: PathBuf,
    secret: B256,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path)?;
        let progress = path.join("progress");
        fs::create_dir_all(&progress)?;
        let secret = read_secret(&path.join("secret"))?;
        let database = Database::builder(path.join("store")).open()?;
        let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default);
        check_format(&keyspace("meta")?)?;
        Ok(Self {
            keys: keyspace("keys")?,
            channels: keyspace("channels")?,
            requests: keyspace("requests")?,
            open: keyspace("open")?,
            twins: keyspace("twins")?,
            results: keyspace("results")?,
            receipts: keyspace("receipts")?,
            claims: keyspace("claims")?,
            logs: keyspace("logs")?,
            marks: keyspace("marks")?,
            database,
            progress,
            secret,
        })
    }

    /// Where a stream's progress is kept.
    pub(crate) fn progress_path(&self, id: B256) -> PathBuf {
        self.progress.join(alloy_primitives::hex::encode(id))
    }

    /// The ids of streams with a progress file.
    pub(crate) fn progress_ids(&self) -> Vec<B256> {
        let Ok(entries) = fs::read_dir(&self.progress) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// A batch of writes that happen together or not at all.
    pub(crate) fn batch(&self) -> OwnedWriteBatch {
        self.database.batch()
    }

    /// Waits until everything written is on the disk. Blocks: some milliseconds.
    pub(crate) fn sync(&self) -> Result<(), ApiError> {
        self.database.persist(PersistMode::SyncData).map_err(ApiError::internal)
    }

    /// Encrypts part `number` of what belongs to a job; a job's id is used once, so no nonce repeats.
    pub(crate) fn seal(&self, id: B256, number: u64, text: &[u8]) -> Result<Vec<u8>, ApiError> {
        let cipher = self.cipher(id);
        cipher.encrypt(&nonce(number), text).map_err(ApiError::internal)
    }

    /// Decrypts part `number`.
    pub(crate) fn unseal(&self, id: B256, number: u64, sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher(id).decrypt(&nonce(number), sealed).ok()
    }

    /// Encrypts the answer of a job as stored.
    pub(crate) fn seal_result(
        &self,
        job: B256,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, ApiError> {
        self.seal(job, RESULT_NONCE, &encode(value)?)
    }

    /// Reads the stored answer of a request.
    pub(crate) fn result<T: DeserializeOwned>(
        &self,
        id: B256,
        job: B256,
    ) -> Result<Option<T>, ApiError> {
        let sealed = self.results.get(id.as_slice()).map_err(ApiError::internal)?;
        let plain = sealed.and_then(|sealed| self.unseal(job, RESULT_NONCE, &sealed));
        plain.map(|plain| serde_json::from_slice(&plain).map_err(ApiError::internal)).transpose()
    }

    fn cipher(&self, id: B256) -> ChaCha20Poly1305 {
        let key = domain_hash("sahara/result-key/1", &[self.secret.as_slice(), id.as_slice()]);
        ChaCha20Poly1305::new(&key.0.into())
    }
}

/// Reads a row.
pub(crate) fn get<T: DeserializeOwned>(
    keyspace: &Keyspace,
    key: &[u8],
) -> Result<Option<T>, ApiError> {
    let Some(bytes) = keyspace.get(key).map_err(ApiError::internal)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(ApiError::internal)
}

/// Writes a row.
pub(crate) fn put(keyspace: &Keyspace, key: &[u8], value: &impl Serialize) -> Result<(), ApiError> {
    keyspace.insert(key, encode(value)?).map_err(ApiError::internal)
}

/// All rows whose key begins so, in order.
pub(crate) fn list<T: DeserializeOwned>(
    keyspace: &Keyspace,
    prefix: &[u8],
) -> Result<Vec<(Vec<u8>, T)>, ApiError> {
    let mut rows = Vec::new();
    for guard in keyspace.prefix(prefix) {
        let (key, value) = guard.into_inner().map_err(ApiError::internal)?;
        rows.push((key.to_vec(), serde_json::from_slice(&value).map_err(ApiError::internal)?));
    }
    Ok(rows)
}

/// The bytes of a row.
pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(ApiError::internal)
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    if let Some(tail) = bytes.get_mut(4..) {
        tail.copy_from_slice(&number.to_be_bytes());
    }
    bytes.into()
}

/// Refuses what a later gateway wrote, and says of a store without a format which one it has.
fn check_format(meta: &Keyspace) -> Result<(), StoreError> {
    let Some(row) = meta.get(FORMAT_ROW)? else {
        return Ok(meta.insert(FORMAT_ROW, FORMAT.to_string())?);
    };
    match serde_json::from_slice(&row) {
        Ok(0) | Err(_) => Err(StoreError::Format),
        Ok(found) if found > FORMAT => Err(StoreError::NewerFormat { supported: FORMAT, found }),
        Ok(_) => Ok(()),
    }
}

fn read_secret(path: &Path) -> Result<B256, StoreError> {
    match fs::read(path) {
        Ok(bytes) => B256::try_from(bytes.as_slice()).map_err(|_| StoreError::Secret),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = B256::from(rand::random::<[u8; 32]>());
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(secret.as_slice())?;
            file.sync_all()?;
            Ok(secret)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Store, StoreError};
    use fjall::{Database, Keyspace, KeyspaceCreateOptions};
    use std::path::Path;

    fn keyspace(directory: &Path, name: &str) -> Result<(Database, Keyspace), fjall::Error> {
        let database = Database::builder(directory.join("store")).open()?;
        let keyspace = database.keyspace(name, KeyspaceCreateOptions::default)?;
        Ok((database, keyspace))
    }

    #[test]
    fn a_store_without_a_format_is_of_the_first_and_gets_its_number() {
        let directory = tempfile::tempdir().unwrap();
        {
            // As gateways wrote it that knew no formats.
            let (database, marks) = keyspace(directory.path(), "marks").unwrap();
            marks.insert("logs", "7").unwrap();
            assert!(!database.keyspace_exists("meta"));
        }
        for _ in 0..2 {
            let store = Store::open(directory.path()).unwrap();
            assert_eq!(super::get::<u64>(&store.marks, b"logs").unwrap(), Some(7));
        }
        let (_database, meta) = keyspace(directory.path(), "meta").unwrap();
        assert_eq!(meta.get("format").unwrap().as_deref(), Some(&b"1"[..]));
    }

    #[test]
    fn a_store_of_a_later_gateway_is_refused_and_left_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let rows = |row: &str| {
            let (database, meta) = keyspace(directory.path(), "meta").unwrap();
            meta.insert("format", row).unwrap();
            assert!(!database.keyspace_exists("channels"), "nothing was made in it");
        };
        rows("2");
        let refused = Store::open(directory.path()).unwrap_err();
        assert!(matches!(refused, StoreError::NewerFormat { supported: 1, found: 2 }));
        for damaged in ["0", "one", ""] {
            rows(damaged);
            let refused = Store::open(directory.path()).unwrap_err();
            assert!(matches!(refused, StoreError::Format), "{refused}");
        }
        rows("1");
        drop(Store::open(directory.path()).unwrap());
    }
}
