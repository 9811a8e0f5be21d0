//! What the tests stand on: an asset, a registry, a served vault.

use axum::Router;
use futures::{FutureExt, future::BoxFuture};
use sahara_abi::IAssets::Kind;
use sahara_client::{SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Address, AssetId};
use sahara_vault::{
    Access, Document, Manifest, Registered, Registry, Settings, Vault, VaultClient, VaultError,
};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

pub(crate) const CHAIN: u64 = 7;
pub(crate) const ASSET: AssetId = AssetId(5);
/// Two segments and a bit.
pub(crate) const SIZE: usize = (2 << 20) + 77;

pub(crate) fn key(index: u32) -> SigningKey {
    SigningKey::from_mnemonic(TEST_MNEMONIC, index).unwrap()
}

/// A chain of one asset.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) asset: Registered,
    /// Who may read; none: anyone.
    pub(crate) readers: Mutex<Option<Vec<Address>>>,
}

impl Registry for Chain {
    fn asset(&self, asset: AssetId) -> BoxFuture<'_, Result<Option<Registered>, VaultError>> {
        async move { Ok((asset == ASSET).then(|| self.asset.clone())) }.boxed()
    }

    fn access(
        &self,
        _: AssetId,
        account: Option<Address>,
    ) -> BoxFuture<'_, Result<Access, VaultError>> {
        async move {
            let readers = self.readers.lock().unwrap();
            Ok(match (readers.as_ref(), account) {
                (None, _) => Access::Public,
                (Some(readers), Some(account)) if readers.contains(&account) => Access::Granted,
                _ => Access::Refused("a licence is needed".into()),
            })
        }
        .boxed()
    }
}

pub(crate) struct World {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) chain: Arc<Chain>,
    pub(crate) manifest: Manifest,
    pub(crate) document: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("source/data");
        fs::create_dir_all(&source).unwrap();
        let content: Vec<u8> = (0..SIZE).map(|n| (n * 7 % 253) as u8).collect();
        fs::write(source.join("rows.bin"), content).unwrap();
        fs::write(directory.path().join("source/README.md"), "# Rows\n\nSome rows.").unwrap();
        let manifest = Manifest::of(&directory.path().join("source")).unwrap();
        let document = Document::of(&directory.path().join("source"), &manifest).unwrap();
        let uri = document.uri(&serde_json::Map::new()).unwrap();
        let asset = Registered {
            kind: Kind::Dataset,
            owner: key(1).address(),
            content: manifest.hash().unwrap(),
            first_uri: uri.clone(),
            uri,
            at: 1,
            creator: key(1).address(),
        };
        let chain = Arc::new(Chain { asset, readers: Mutex::new(None) });
        Self { directory, chain, manifest, document: document.text().unwrap() }
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.directory.path().join("source")
    }

    /// The vault's routes, for a listener at this URL.
    pub(crate) fn router(&self, url: &str) -> Router {
        let reader = key(3).address();
        let settings = Settings {
            directory: self.directory.path().join("vault"),
            capacity: u64::MAX,
            chain_id: CHAIN,
            origins: vec![url.to_owned()],
            tokens: Arc::new(move |secret, _| (secret == "sk-reader").then_some(reader)),
        };
        let registry: Arc<dyn Registry> = Arc::<Chain>::clone(&self.chain);
        Vault::open(settings, registry).unwrap().router()
    }

    /// A served vault, changed by `change` on its way.
    pub(crate) async fn serve(&self, change: impl FnOnce(Router) -> Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = change(self.router(&url));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    pub(crate) async fn client(&self, url: &str, account: Option<u32>) -> VaultClient {
        VaultClient::connect(url, CHAIN, account.map(key)).await.unwrap()
    }

    /// Pushes everything as the owner.
    pub(crate) async fn push(&self, url: &str) {
        let mut owner = self.client(url, Some(1)).await;
        let texts = (&self.manifest, self.document.as_str());
        owner.push(ASSET, &self.source(), texts).await.unwrap();
    }

    /// Pulls into a new directory.
    pub(crate) async fn pull(&self, url: &str, account: Option<u32>) -> Result<u64, VaultError> {
        let mut client = self.client(url, account).await;
        let at = (self.chain.asset.content, self.chain.asset.uri.as_str());
        let (manifest, document) = client.texts(ASSET, at).await?;
        assert_eq!(document, self.document);
        let to = tempfile::tempdir().unwrap();
        let moved = client.pull(ASSET, &manifest, to.path()).await?;
        let read = |place: PathBuf| fs::read(place.join("data/rows.bin")).unwrap();
        assert!(read(to.path().to_owned()) == read(self.source()));
        Ok(moved.moved)
    }
}
