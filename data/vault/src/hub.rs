//! What Hugging Face's clients ask: `HF_ENDPOINT=http://127.0.0.1:8080 hf download OWNER/NAME`.
//!
//! | path | what |
//! |---|---|
//! | `GET /api/{models,datasets}/{owner}/{name}[/revision/{revision}]` | revision and files |
//! | `GET /api/{models,datasets}/{owner}/{name}/tree/{revision}` | the files with their hashes |
//! | `GET`, `HEAD /[datasets/]{owner}/{name}/resolve/{revision}/{path}` | a file, whole or a range |
//!
//! A revision is `main`, the newest version that is here whole, or the first 40 digits of a
//! content hash, which is what the client then pins. Refusals are said in the headers that its
//! error types are made from.

use crate::{
    error::VaultError,
    manifest::Entry,
    metadata::Document,
    readers::{Asker, Place},
    store::{Reader, Record},
    tree::SEGMENT,
    vault::{Vault, blocking},
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures::stream;
use sahara_primitives::AssetId;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};

/// A client that takes no segment for so long has left.
const STALL: Duration = Duration::from_secs(60);
/// The text by which the client tells a bad token from a missing one.
const BAD_TOKEN: &str = "Invalid credentials in Authorization header";

pub(crate) fn routes() -> Router<Arc<Vault>> {
    let mut router = Router::new();
    for shelf in ["models", "datasets"] {
        let of = move |rest: &str| format!("/api/{shelf}/{{owner}}/{{name}}{rest}");
        router = router
            .route(
                &of(""),
                get(move |State(vault): State<Arc<Vault>>, Path(names): Path<(String, String)>| async move {
                    info(&vault, shelf, names, "main").await
                }),
            )
            .route(
                &of("/revision/{revision}"),
                get(move |State(vault): State<Arc<Vault>>, Path((owner, name, revision)): Path<(String, String, String)>| async move {
                    info(&vault, shelf, (owner, name), &revision).await
                }),
            )
            .route(
                &of("/tree/{revision}"),
                get(move |State(vault): State<Arc<Vault>>, Path((owner, name, revision)): Path<(String, String, String)>| async move {
                    tree(&vault, shelf, (owner, name), &revision).await
                }),
            );
    }
    type Names = Path<(String, String, String, String)>;
    router
        .route(
            "/{owner}/{name}/resolve/{revision}/{*path}",
            get(
                |State(vault): State<Arc<Vault>>, Path(names): Names, request: Request| async move {
                    resolve(&vault, "models", names, request).await
                },
            ),
        )
        .route(
            "/datasets/{owner}/{name}/resolve/{revision}/{*path}",
            get(
                |State(vault): State<Arc<Vault>>, Path(names): Names, request: Request| async move {
                    resolve(&vault, "datasets", names, request).await
                },
            ),
        )
}

/// A refusal as Hugging Face's clients understand it.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: Option<&'static str>,
    message: String,
}

impl Refusal {
    const fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self { status, code: Some(code), message }
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        let (status, message) = error.answer();
        let code = match error {
            VaultError::Unauthorised(_) | VaultError::Forbidden(_) => Some("GatedRepo"),
            VaultError::Missing(_) => Some("EntryNotFound"),
            _ => None,
        };
        Self { status, code, message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.message }))).into_response();
        let headers = response.headers_mut();
        if let Some(code) = self.code {
            headers.insert("x-error-code", HeaderValue::from_static(code));
        }
        // Texts may hold names of strangers; a header takes no more than printable ASCII.
        let text: String = self
            .message
            .chars()
            .map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' })
            .collect();
        if let Ok(text) = HeaderValue::from_str(&text) {
            headers.insert("x-error-message", text);
        }
        if matches!(self.status.as_u16(), 429 | 503) {
            headers.insert("retry-after", HeaderValue::from_static("1"));
        }
        response
    }
}

/// The version that a revision names.
async fn find(
    vault: &Vault,
    shelf: &str,
    (owner, name): (String, String),
    revision: &str,
) -> Result<(Record, String), Refusal> {
    let repository = format!("{owner}/{name}").to_ascii_lowercase();
    let records = vault.shelf(shelf, &repository);
    if records.is_empty() {
        let text = format!(
            "no asset of these {shelf} is here: expected OWNER/NAME, the address that registered it and its name, or asset/ID"
        );
        return Err(Refusal::new(StatusCode::NOT_FOUND, "RepoNotFound", text));
    }
    let mut found = None;
    for record in records {
        if record.commit() == revision {
            return Ok((record, repository));
        }
        if revision == "main" && vault.is_whole(AssetId(record.asset)).await? {
            found = Some(record);
            break;
        }
    }
    found.map(|record| (record, repository)).ok_or_else(|| {
        let text = "no such revision: expected main, once a version was pushed to its end, or the first 40 digits of a content hash";
        Refusal::new(StatusCode::NOT_FOUND, "RevisionNotFound", text.into())
    })
}

async fn info(
    vault: &Vault,
    shelf: &str,
    names: (String, String),
    revision: &str,
) -> Result<Json<Value>, Refusal> {
    let (record, repository) = find(vault, shelf, names, revision).await?;
    let asset = AssetId(record.asset);
    let manifest = vault.manifest(asset).await?;
    let (_, document) = vault.texts(asset).await?;
    let document = Document::read(&document).unwrap_or_default();
    let is_public = vault.is_public(asset).await?;
    let siblings = manifest.files.iter().map(|file| json!({ "rfilename": file.path }));
    Ok(Json(json!({
        "_id": format!("{:024x}", record.asset),
        "id": repository,
        "author": repository.split('/').next(),
        "sha": record.commit(),
        "private": false,
        "disabled": false,
        "gated": if is_public { json!(false) } else { json!("auto") },
        "downloads": 0,
        "likes": 0,
        "tags": document.tags,
        "siblings": siblings.collect::<Vec<_>>(),
        "sahara": { "asset": record.asset, "content_hash": format!("0x{}", record.content) },
    })))
}

async fn tree(
    vault: &Vault,
    shelf: &str,
    names: (String, String),
    revision: &str,
) -> Result<Json<Value>, Refusal> {
    let (record, _) = find(vault, shelf, names, revision).await?;
    let manifest = vault.manifest(AssetId(record.asset)).await?;
    // The whole list, whatever the page: a manifest is bounded.
    let file = |file: &Entry| {
        json!({
            "type": "file",
            "path": file.path,
            "size": file.size,
            "oid": file.blake3.get(..40),
            "lfs": { "oid": file.sha256, "size": file.size, "pointerSize": 134 },
        })
    };
    Ok(Json(manifest.files.iter().map(file).collect()))
}

async fn resolve(
    vault: &Arc<Vault>,
    shelf: &str,
    (owner, name, revision, path): (String, String, String, String),
    request: Request,
) -> Result<Response, Refusal> {
    let (record, _) = find(vault, shelf, (owner, name), &revision).await?;
    let asset = AssetId(record.asset);
    let account = vault.bearer(request.headers(), asset).map_err(|error| Refusal {
        code: None,
        message: BAD_TOKEN.into(),
        ..Refusal::from(error)
    })?;
    let manifest = vault.manifest(asset).await?;
    let missing = || {
        let text = format!("this version has no file `{path}`");
        Refusal::new(StatusCode::NOT_FOUND, "EntryNotFound", text)
    };
    let file = manifest.by_path(&path).ok_or_else(missing)?.clone();
    vault.allow(asset, account).await?;
    let range = range(request.headers(), file.size);
    let mut response = Response::new(Body::empty());
    describe(response.headers_mut(), &record, &file);
    let (from, to) = match range {
        Range::Whole => (0, file.size),
        Range::Part(from, to) => (from, to),
        Range::Beyond => {
            let bad = StatusCode::RANGE_NOT_SATISFIABLE;
            *response.status_mut() = bad;
            set(response.headers_mut(), "content-range", &format!("bytes */{}", file.size));
            return Ok(response);
        }
    };
    if range != Range::Whole {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let last = to.saturating_sub(1);
        let text = format!("bytes {from}-{last}/{}", file.size);
        set(response.headers_mut(), "content-range", &text);
    }
    set(response.headers_mut(), "content-length", &to.saturating_sub(from).to_string());
    let asker = Asker::of(request.extensions());
    let (reader, place) = vault.reader(asset, file, asker).await?;
    if request.method() != Method::HEAD {
        *response.body_mut() = stream_of(reader, place, (from, to));
    }
    Ok(response)
}

fn describe(headers: &mut HeaderMap, record: &Record, file: &Entry) {
    let tag = format!("\"{}\"", file.sha256);
    set(headers, "etag", &tag);
    set(headers, "x-linked-etag", &tag);
    set(headers, "x-linked-size", &file.size.to_string());
    set(headers, "x-repo-commit", record.commit());
    set(headers, "accept-ranges", "bytes");
    // A stranger's file is never a page of this origin.
    set(headers, "content-type", "application/octet-stream");
    set(headers, "x-content-type-options", "nosniff");
    set(headers, "content-disposition", "attachment");
    set(headers, header::CACHE_CONTROL.as_str(), "private, no-store");
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Which bytes were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// From, and the first byte after.
    Part(u64, u64),
    Beyond,
}

/// One range of bytes; several, or what cannot be read, are answered with the whole file.
fn range(headers: &HeaderMap, size: u64) -> Range {
    let asked = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some((from, to)) = asked
        .and_then(|range| range.strip_prefix("bytes="))
        .filter(|range| !range.contains(','))
        .and_then(|range| range.split_once('-'))
    else {
        return Range::Whole;
    };
    match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(from), _) if from >= size => Range::Beyond,
        (Ok(from), Ok(last)) if last >= from => Range::Part(from, last.saturating_add(1).min(size)),
        (Ok(from), Err(_)) if to.trim().is_empty() => Range::Part(from, size),
        (Err(_), Ok(0)) if from.trim().is_empty() => Range::Beyond,
        (Err(_), Ok(last)) if from.trim().is_empty() && size > 0 => {
            Range::Part(size.saturating_sub(last), size)
        }
        _ => Range::Whole,
    }
}

/// The bytes, a segment at a time, no further ahead than the client follows.
fn stream_of(reader: Reader, place: Place, (from, to): (u64, u64)) -> Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, VaultError>>(1);
    drop(tokio::spawn(async move {
        let _place = place;
        let (mut reader, mut at) = (reader, from);
        while at < to {
            let index = at.checked_div(SEGMENT).unwrap_or_default();
            let read = blocking(move || {
                let segment = reader.segment(index)?;
                Ok((reader, segment))
            });
            let piece = match read.await {
                Ok((back, segment)) => {
                    reader = back;
                    let begin = index.saturating_mul(SEGMENT);
                    let piece = cut(segment, at.saturating_sub(begin), to.saturating_sub(begin));
                    at = begin.saturating_add(SEGMENT);
                    piece
                }
                Err(error) => {
                    tracing::error!(%error, "a download broke off");
                    // The reader is gone with the task that failed.
                    drop(timeout(STALL, sender.send(Err(error))).await);
                    return;
                }
            };
            if !matches!(timeout(STALL, sender.send(Ok(piece))).await, Ok(Ok(()))) {
                return;
            }
        }
    }));
    Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    }))
}

fn cut(segment: Vec<u8>, from: u64, to: u64) -> Bytes {
    let bytes = Bytes::from(segment);
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(place(from)..place(to))
}

#[cfg(test)]
mod tests {
    use super::{Range, range};
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        let read = |text: &'static str, size| {
            let mut headers = HeaderMap::new();
            headers.insert("range", HeaderValue::from_static(text));
            range(&headers, size)
        };
        assert_eq!(range(&HeaderMap::new(), 10), Range::Whole);
        assert_eq!(read("bytes=0-", 10), Range::Part(0, 10));
        assert_eq!(read("bytes=3-5", 10), Range::Part(3, 6));
        assert_eq!(read("bytes=3-99", 10), Range::Part(3, 10));
        assert_eq!(read("bytes=-4", 10), Range::Part(6, 10));
        assert_eq!(read("bytes=-40", 10), Range::Part(0, 10));
        assert_eq!(read("bytes=10-", 10), Range::Beyond);
        assert_eq!(read("bytes=-0", 10), Range::Beyond);
        assert_eq!(read("bytes=0-", 0), Range::Beyond);
        for odd in ["bytes=5-3", "bytes=0-1,3-4", "lines=0-1", "bytes=x-", "bytes=1-x", "bytes="] {
            assert_eq!(read(odd, 10), Range::Whole, "{odd}");
        }
    }
}
