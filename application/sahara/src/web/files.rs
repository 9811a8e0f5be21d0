//! The application's files, as `application/web` was built.
//!
//! The build is committed and compared with a fresh one by `cargo xtask test`, so that whoever
//! builds the program needs no Node. A development build reads the directory at run time. The build also
//! packs each file with brotli as small as it gets, which takes too long to do for a visitor.

use super::{Web, refuse};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Files;

/// Names of files under this path hold a hash of their content.
const HASHED: &str = "assets/";

/// Compressed files by the hash of their content: each is compressed once.
static COMPRESSED: LazyLock<Mutex<BTreeMap<[u8; 32], Bytes>>> = LazyLock::new(Mutex::default);

pub(super) async fn page(State(_): State<Arc<Web>>, headers: HeaderMap) -> Response {
    index(&headers)
}

/// The one page.
pub(super) fn index(headers: &HeaderMap) -> Response {
    answer("index.html", headers)
}

pub(super) async fn file(State(_): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    answer(uri.path().trim_start_matches('/'), &headers)
}

fn answer(path: &str, headers: &HeaderMap) -> Response {
    // A development build reads a directory, in which ".." would be a way.
    let is_plain = !path.split('/').any(|part| part == "..");
    let Some(file) = is_plain.then(|| Files::get(path)).flatten() else {
        return refuse(StatusCode::NOT_FOUND, "not_found", format!("there is nothing at /{path}"));
    };
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let accepted = text(header::ACCEPT_ENCODING).unwrap_or_default();
    let hash = file.metadata.sha256_hash();
    let sent = Sent::new(path, file, accepted);
    let (mark, coding) = sent.coding();
    let short = hash.get(..12).unwrap_or_default();
    let etag = format!("\"{mark}{}\"", hex::encode(short));
    let is_known = text(header::IF_NONE_MATCH).is_some_and(|known| known.contains(&etag));
    let lasting =
        if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        sent.bytes(hash).into_response()
    };
    let all = response.headers_mut();
    if let Some(coding) = coding.filter(|_| !is_known) {
        all.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    all.insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    all.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        all.insert(header::ETAG, etag);
    }
    response
}

/// A file as it goes over the line: the smallest that the client takes.
enum Sent {
    /// As the build packed it, beside the file.
    Brotli(EmbeddedFile),
    /// For clients without brotli, which browsers want only from where nobody in between reads along.
    Gzip(EmbeddedFile),
    Plain(EmbeddedFile),
}

impl Sent {
    fn new(path: &str, file: EmbeddedFile, accepted: &str) -> Self {
        let packed = accepts(accepted, "br").then(|| Files::get(&format!("{path}.br"))).flatten();
        match packed {
            Some(packed) => Self::Brotli(packed),
            None if accepts(accepted, "gzip") => Self::Gzip(file),
            None => Self::Plain(file),
        }
    }

    /// A letter that tells bodies of one file apart, and the name of what was done to it.
    const fn coding(&self) -> (char, Option<&'static str>) {
        match self {
            Self::Brotli(_) => ('b', Some("br")),
            Self::Gzip(_) => ('g', Some("gzip")),
            Self::Plain(_) => ('p', None),
        }
    }

    fn bytes(self, hash: [u8; 32]) -> Bytes {
        match self {
            Self::Gzip(file) => compressed(hash, &file),
            Self::Brotli(EmbeddedFile { data, .. }) | Self::Plain(EmbeddedFile { data, .. }) => {
                match data {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::from(bytes),
                }
            }
        }
    }
}

/// Whether a list of codings has this one, and not to say that it is refused.
fn accepts(accepted: &str, coding: &str) -> bool {
    accepted.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let weight = weight.trim().trim_start_matches("q=");
        let is_refused =
            weight.starts_with('0') && weight.bytes().all(|byte| b"0.".contains(&byte));
        name.trim().eq_ignore_ascii_case(coding) && !is_refused
    })
}

fn compressed(hash: [u8; 32], file: &EmbeddedFile) -> Bytes {
    let known = COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
    if let Some(known) = known {
        return known;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Memory takes every byte.
    drop(encoder.write_all(&file.data));
    let bytes = Bytes::from(encoder.finish().unwrap_or_default());
    COMPRESSED.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, bytes.clone());
    bytes
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
