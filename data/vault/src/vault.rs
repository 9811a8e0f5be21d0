//! [`Vault`]: takes content from owners, hands it to whoever has the right.

use crate::{
    error::VaultError,
    manifest::{Entry, Manifest, content_hash},
    metadata::card_of,
    readers::{Asker, Place, Readers},
    registry::{Access, Registered, Registry},
    repository,
    signed::{Asked, Doorkeeper, HEADER, now},
    store::{Reader, Record, Store},
};
use alloy_primitives::{Address, B256};
use axum::http::HeaderMap;
use parking_lot::{Mutex, RwLock};
use sahara_abi::IAssets::Kind;
use sahara_primitives::AssetId;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// The longest metadata document, in bytes.
pub const MAX_DOCUMENT: usize = 1 << 20;

/// For whom a secret that came as `Authorization: Bearer` speaks about an asset; none for an unknown one.
pub type Tokens = Arc<dyn Fn(&str, AssetId) -> Option<Address> + Send + Sync>;

/// How a vault runs.
#[derive(Clone)]
pub struct Settings {
    /// Where it keeps everything.
    pub directory: PathBuf,
    /// The most bytes that content may take.
    pub capacity: u64,
    /// The chain whose assets it keeps.
    pub chain_id: u64,
    /// URLs by which clients know it, as `http://127.0.0.1:8080`: signatures for others are refused.
    pub origins: Vec<String>,
    /// Whose secrets it takes.
    pub tokens: Tokens,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A vault.
#[derive(Debug)]
pub struct Vault {
    pub(crate) settings: Settings,
    pub(crate) door: Doorkeeper,
    store: Arc<Store>,
    registry: Arc<dyn Registry>,
    records: RwLock<BTreeMap<u64, Record>>,
    /// One writer an asset.
    writers: Mutex<BTreeMap<u64, Arc<tokio::sync::Mutex<()>>>>,
    readers: Readers,
}

/// What came to be pushed, and how much of it is here.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) files: Vec<(Entry, u64, bool)>,
}

impl Vault {
    /// Opens a vault's directory.
    ///
    /// # Errors
    /// When it cannot be read or written, or lost its key.
    pub fn open(settings: Settings, registry: Arc<dyn Registry>) -> Result<Arc<Self>, VaultError> {
        let store = Store::open(&settings.directory, settings.capacity)?;
        let records = store.records()?.into_iter().map(|record| (record.asset, record));
        Ok(Arc::new(Self {
            door: Doorkeeper::new(settings.chain_id, settings.origins.clone()),
            records: RwLock::new(records.collect()),
            store: Arc::new(store),
            registry,
            writers: Mutex::default(),
            readers: Readers::default(),
            settings,
        }))
    }

    /// The assets of a repository, the newest first.
    pub(crate) fn shelf(&self, shelf: &str, repository: &str) -> Vec<Record> {
        let records = self.records.read();
        let is_here = |record: &&Record| {
            record.shelf == shelf
                && (record.repository == repository
                    || repository.strip_prefix("asset/") == Some(record.asset.to_string().as_str()))
        };
        records.values().rev().filter(is_here).cloned().collect()
    }

    /// Who signed a request; none for a stranger.
    pub(crate) fn who(
        &self,
        headers: &HeaderMap,
        asked: &Asked<'_>,
    ) -> Result<Option<Address>, VaultError> {
        if let Some(header) = headers.get(HEADER) {
            let header = header.to_str().unwrap_or_default();
            return self.door.admit(header, asked, now()).map(Some);
        }
        Ok(None)
    }

    /// Who holds the secret of a request about an asset; none where there is none.
    pub(crate) fn bearer(
        &self,
        headers: &HeaderMap,
        asset: AssetId,
    ) -> Result<Option<Address>, VaultError> {
        let Some(header) = headers.get("authorization") else { return Ok(None) };
        let secret = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
        let account = secret.and_then(|secret| (self.settings.tokens)(secret.trim(), asset));
        account.map(Some).ok_or_else(|| {
            VaultError::Unauthorised(
                "this token is no API key that holds for this asset: expected one that `sahara key create` printed"
                    .into(),
            )
        })
    }

    /// Lets pass whoever may read an asset in final state.
    pub(crate) async fn allow(
        &self,
        asset: AssetId,
        account: Option<Address>,
    ) -> Result<(), VaultError> {
        match self.registry.access(asset, account).await? {
            Access::Public | Access::Granted => Ok(()),
            Access::Refused(why) if account.is_some() => Err(VaultError::Forbidden(why)),
            Access::Refused(why) => Err(VaultError::Unauthorised(why)),
        }
    }

    /// Whether anyone may read an asset.
    pub(crate) async fn is_public(&self, asset: AssetId) -> Result<bool, VaultError> {
        Ok(self.registry.access(asset, None).await? == Access::Public)
    }

    async fn owned(
        &self,
        asset: AssetId,
        account: Option<Address>,
    ) -> Result<Registered, VaultError> {
        let found = self.registry.asset(asset).await?;
        let found = found
            .ok_or_else(|| VaultError::Missing(format!("there is no asset {asset} on chain")))?;
        match account {
            Some(account) if account == found.owner => Ok(found),
            Some(account) => Err(VaultError::Forbidden(format!(
                "{account} may not push: asset {asset} is owned by {}",
                found.owner
            ))),
            None => Err(VaultError::Unauthorised("expected a request signed by the owner".into())),
        }
    }

    /// Begins a push, or says how far one came.
    pub(crate) async fn begin(
        &self,
        asset: AssetId,
        account: Option<Address>,
        (manifest, document): (String, String),
    ) -> Result<Progress, VaultError> {
        let found = self.owned(asset, account).await?;
        let read = Manifest::read(&manifest)?;
        if content_hash(manifest.as_bytes()) != found.content {
            return Err(VaultError::Invalid(format!(
                "this is not the content of asset {asset}: its hash on chain is {}",
                found.content
            )));
        }
        let card = card_of(&found.uri);
        if document.len() > MAX_DOCUMENT || card.document != Some(content_hash(document.as_bytes()))
        {
            return Err(VaultError::Invalid(format!(
                "this is not the metadata of asset {asset}: expected the document whose hash its metadata URI names"
            )));
        }
        let record = record(asset, &found);
        let (store, record_) = (Arc::clone(&self.store), record.clone());
        let writing = self.writer(asset.0).lock_owned().await;
        let progress = blocking(move || {
            // Kept to the end also when the client leaves before.
            let _writing = writing;
            if store.texts(asset.0).is_err() {
                store.put(&record_, (&manifest, &document))?;
            }
            Ok(progress(&store, asset.0, read))
        })
        .await?;
        self.records.write().insert(asset.0, record);
        Ok(progress)
    }

    fn writer(&self, asset: u64) -> Arc<tokio::sync::Mutex<()>> {
        let mut writers = self.writers.lock();
        // Only those that somebody holds are worth keeping.
        writers.retain(|_, writer| Arc::strong_count(writer) > 1);
        Arc::clone(writers.entry(asset).or_default())
    }

    /// Takes a file's tree.
    pub(crate) async fn take_tree(
        &self,
        asset: AssetId,
        account: Option<Address>,
        (blake3, bytes): (String, bytes::Bytes),
    ) -> Result<(), VaultError> {
        self.owned(asset, account).await?;
        let store = Arc::clone(&self.store);
        let writing = self.writer(asset.0).lock_owned().await;
        blocking(move || {
            let _writing = writing;
            let manifest = store.manifest(asset.0)?;
            store.put_tree(asset.0, entry(&manifest, &blake3)?, &bytes)
        })
        .await
    }

    /// Takes the next segment of a file; returns how many are here.
    pub(crate) async fn take_segment(
        &self,
        asset: AssetId,
        account: Option<Address>,
        (blake3, index, bytes): (String, u64, bytes::Bytes),
    ) -> Result<u64, VaultError> {
        self.owned(asset, account).await?;
        let store = Arc::clone(&self.store);
        let writing = self.writer(asset.0).lock_owned().await;
        blocking(move || {
            let _writing = writing;
            let manifest = store.manifest(asset.0)?;
            store.append(asset.0, entry(&manifest, &blake3)?, (index, &bytes))
        })
        .await
    }

    /// An asset's manifest and document: whoever sees the chain may see them.
    pub(crate) async fn texts(&self, asset: AssetId) -> Result<(String, String), VaultError> {
        let store = Arc::clone(&self.store);
        blocking(move || store.texts(asset.0)).await
    }

    /// An asset's manifest.
    pub(crate) async fn manifest(&self, asset: AssetId) -> Result<Arc<Manifest>, VaultError> {
        let store = Arc::clone(&self.store);
        blocking(move || store.manifest(asset.0)).await
    }

    /// A file's tree.
    pub(crate) async fn tree(&self, asset: AssetId, blake3: String) -> Result<Vec<u8>, VaultError> {
        let store = Arc::clone(&self.store);
        blocking(move || {
            let manifest = store.manifest(asset.0)?;
            Ok(store.tree(asset.0, entry(&manifest, &blake3)?)?.concat())
        })
        .await
    }

    /// One segment of a file.
    pub(crate) async fn segment(
        &self,
        asset: AssetId,
        (blake3, index): (String, u64),
        asker: Asker,
    ) -> Result<Vec<u8>, VaultError> {
        let _place = self.readers.take(asker)?;
        let store = Arc::clone(&self.store);
        blocking(move || {
            let manifest = store.manifest(asset.0)?;
            store.read(asset.0, entry(&manifest, &blake3)?)?.segment(index)
        })
        .await
    }

    /// Whether every file is here.
    pub(crate) async fn is_whole(&self, asset: AssetId) -> Result<bool, VaultError> {
        let store = Arc::clone(&self.store);
        blocking(move || store.is_whole(asset.0)).await
    }

    /// Opens a file, with a place among the readers.
    pub(crate) async fn reader(
        &self,
        asset: AssetId,
        file: Entry,
        asker: Asker,
    ) -> Result<(Reader, Place), VaultError> {
        let place = self.readers.take(asker)?;
        let store = Arc::clone(&self.store);
        Ok((blocking(move || store.read(asset.0, &file)).await?, place))
    }

    pub(crate) const fn session(&self) -> B256 {
        self.door.session()
    }
}

fn entry<'a>(manifest: &'a Manifest, blake3: &str) -> Result<&'a Entry, VaultError> {
    manifest
        .by_hash(blake3)
        .ok_or_else(|| VaultError::Missing("the asset has no file with this hash".into()))
}

fn progress(store: &Store, asset: u64, manifest: Manifest) -> Progress {
    let files = manifest.files.into_iter().map(|file| {
        let (held, has_tree) = (store.held(asset, &file), store.tree(asset, &file).is_ok());
        (file, held, has_tree)
    });
    Progress { files: files.collect() }
}

fn record(asset: AssetId, found: &Registered) -> Record {
    let shelf = match found.kind {
        Kind::Dataset | Kind::UsageLog => "datasets",
        _ => "models",
    };
    Record {
        asset: asset.0,
        shelf: shelf.into(),
        repository: repository::name(found.creator, &card_of(&found.first_uri).name, asset),
        registered_at: found.at,
        content: hex::encode(found.content),
    }
}

/// Runs what reads and writes the disk where it may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(VaultError::Damaged(format!("a task of the vault ended: {error}"))),
    }
}
