//! What anyone may ask of the app API, over an index of a real chain's block 0.

use crate::servers::Chain;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderValue, Request, Uri, header},
};
use sahara_client::ChainClient;
use sahara_index::{Database, Index, Rate, Source};
use sahara_rpc::{RpcServer, RpcSettings};
use std::{
    error::Error,
    path::Path,
    sync::{Arc, LazyLock},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

/// The routes, and what they stand on.
struct Asked {
    router: Router,
    runtime: Runtime,
    _directory: TempDir,
}

static ASKED: LazyLock<Asked> = LazyLock::new(|| match open() {
    Ok(asked) => asked,
    Err(error) => panic!("the index cannot be made: {error}"),
});

/// Nobody is held to a rate here: what is fuzzed is what is behind it.
const ANY: Rate = Rate { burst: u32::MAX, per_minute: u32::MAX };

fn open() -> Result<Asked, Box<dyn Error>> {
    let (chain, directory) = (Chain::new()?, tempfile::tempdir()?);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let router = runtime.block_on(follow(&chain, directory.path()))?;
    Ok(Asked { router, runtime, _directory: directory })
}

/// Reads all there is of the chain, which is not needed afterwards.
async fn follow(chain: &Chain, directory: &Path) -> Result<Router, Box<dyn Error>> {
    let settings = RpcSettings::new(([127, 0, 0, 1], 0).into());
    let server = RpcServer::start(chain.node(), settings).await?;
    let client = ChainClient::new(&format!("http://{}", server.address()))?;
    let database = Database::open_file(&directory.join("index.db")).await?;
    let index = Arc::new(Index::new(database, Source::new(client)));
    index.catch_up().await?;
    server.stop();
    Ok(index.router_within(ANY))
}

/// The first line is path and query, the second, if there is one, the last event that a stream has seen.
/// Whatever is asked, what fails is the question and not the index, and a refusal says why.
pub(crate) fn index_query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (path, seen) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(uri) = Uri::try_from(format!("/{path}")) else { return };
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    if let Some(seen) = HeaderValue::from_str(seen).ok().filter(|seen| !seen.is_empty()) {
        request.headers_mut().insert("last-event-id", seen);
    }
    let Asked { router, runtime, .. } = &*ASKED;
    runtime.block_on(async {
        let Ok(response) = router.clone().oneshot(request).await;
        let status = response.status();
        assert!(!status.is_server_error(), "{status} for a stranger's question: {text:?}");
        let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        // A stream ends with its client.
        if kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
            return;
        }
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        assert!(status.is_redirection() || !body.is_empty(), "{status} without words: {text:?}");
    });
}
