//! What anyone may send a vault, which has one asset whole.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header},
};
use sahara_abi::IAssets::Kind;
use sahara_client::SigningKey;
use sahara_primitives::{Address, AssetId};
use sahara_vault::{
    Access, Document, Manifest, Registered, Registry, Settings, Vault, VaultClient, VaultError,
};
use serde_json::Map;
use std::{
    error::Error,
    fs,
    future::ready,
    ops::Range,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, LazyLock},
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use tower::ServiceExt as _;

const CHAIN: u64 = 724_272;
const ASSET: AssetId = AssetId(5);
/// The size of its one file, `rows.bin`, in bytes: little, since it is read again and again.
const ROWS: usize = 4_000;

/// A chain of one asset, which anyone may read.
#[derive(Debug)]
struct Chain(Registered);

type Said<'a, T> = Pin<Box<dyn Future<Output = Result<T, VaultError>> + Send + 'a>>;

impl Registry for Chain {
    fn asset(&self, asset: AssetId) -> Said<'_, Option<Registered>> {
        Box::pin(ready(Ok((asset == ASSET).then(|| self.0.clone()))))
    }

    fn access(&self, _: AssetId, _: Option<Address>) -> Said<'_, Access> {
        Box::pin(ready(Ok(Access::Public)))
    }
}

/// The routes, and what they stand on.
struct Served {
    router: Router,
    runtime: Runtime,
    rows: Vec<u8>,
    _directory: TempDir,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| match serve() {
    Ok(served) => served,
    Err(error) => panic!("the vault cannot be made: {error}"),
});

fn serve() -> Result<Served, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let source = directory.path().join("source");
    fs::create_dir(&source)?;
    let rows: Vec<u8> = (0..=u8::MAX).cycle().take(ROWS).collect();
    fs::write(source.join("rows.bin"), &rows)?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let router = runtime.block_on(filled(directory.path().join("vault"), &source))?;
    Ok(Served { router, runtime, rows, _directory: directory })
}

/// A vault to which its owner has pushed what lies in `source`.
async fn filled(directory: PathBuf, source: &Path) -> Result<Router, Box<dyn Error>> {
    let manifest = Manifest::of(source)?;
    let document = Document::of(source, &manifest)?;
    let uri = document.uri(&Map::new())?;
    let key = SigningKey::from_bytes(&[3; 32])?;
    let asset = Registered {
        kind: Kind::Dataset,
        owner: key.address(),
        content: manifest.hash()?,
        first_uri: uri.clone(),
        uri,
        at: 1,
        creator: key.address(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let settings = Settings {
        directory,
        capacity: u64::MAX,
        chain_id: CHAIN,
        origins: vec![url.clone()],
        tokens: Arc::new(|_, _| None::<Address>),
    };
    let router = Vault::open(settings, Arc::new(Chain(asset)))?.router();
    let served = router.clone();
    let serving = tokio::spawn(async move { axum::serve(listener, served).await });
    let mut client = VaultClient::connect(&url, CHAIN, Some(key)).await?;
    client.push(ASSET, source, (&manifest, &document.text()?)).await?;
    serving.abort();
    Ok(router)
}

/// The first line is method and path, those after it up to an empty one are headers, the rest is the
/// body. Whatever is sent, what fails is the request and not the vault; and a part of a file is the part
/// that its answer says.
pub(crate) fn vault_request(data: &[u8]) {
    let Some(request) = request(data) else { return };
    let is_read = request.method() == Method::GET;
    let Served { router, runtime, rows, .. } = &*SERVED;
    runtime.block_on(async {
        let Ok(response) = router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let status = parts.status;
        assert!(!status.is_server_error(), "{status} for a stranger's request");
        let Ok(body) = to_bytes(body, usize::MAX).await else { panic!("an answer broke off") };
        if is_read && status == StatusCode::PARTIAL_CONTENT {
            let part = part(&parts.headers).and_then(|part| rows.get(part));
            assert_eq!(part, Some(&*body), "other bytes than the answer says");
        }
    });
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let end = data.windows(2).position(|two| two == b"\n\n").unwrap_or(data.len());
    let (head, body) = data.split_at_checked(end)?;
    let mut request = Request::new(Body::from(body.get(2..).unwrap_or_default().to_vec()));
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = Uri::try_from(path).ok().filter(|uri| uri.path().starts_with('/'))?;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        request.headers_mut().append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some(request)
}

/// Which part of a file an answer says it is.
fn part(headers: &HeaderMap) -> Option<Range<usize>> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (part, _) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, last) = part.split_once('-')?;
    Some(from.parse().ok()?..last.parse::<usize>().ok()?.checked_add(1)?)
}
