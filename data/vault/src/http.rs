//! The vault's own routes, for `sahara asset push` and `pull`.
//!
//! | path | signed by | what |
//! |---|---|---|
//! | `GET /vault/v1` | | chain, session, size of segments |
//! | `GET /vault/v1/assets/{asset}` | | manifest and document |
//! | `PUT /vault/v1/assets/{asset}` | owner | the same; answers what is missing |
//! | `PUT …/files/{blake3}/tree` | owner | values of a file's segments |
//! | `PUT …/files/{blake3}/segments/{n}` | owner | the next segment |
//! | `GET …/files/{blake3}/tree`, `…/segments/{n}` | who may read | the same back |

use crate::{error::VaultError, hub, readers::Asker, signed::Asked, tree::SEGMENT, vault::Vault};
use alloy_primitives::Address;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use sahara_primitives::AssetId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest body: a manifest and a document, escaped, or the tree of the largest file.
const MAX_BODY: usize = 4 << 20;

impl Vault {
    /// All routes: the vault's own, and those that Hugging Face's clients know.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/vault/v1", get(about))
            .route("/vault/v1/assets/{asset}", get(texts).put(begin))
            .route("/vault/v1/assets/{asset}/files/{blake3}/tree", get(tree).put(put_tree))
            .route(
                "/vault/v1/assets/{asset}/files/{blake3}/segments/{index}",
                get(segment).put(put_segment),
            )
            .merge(hub::routes())
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::clone(self))
    }
}

/// A request with its body read, and who asks.
struct Checked {
    account: Option<Address>,
    asker: Asker,
    body: Bytes,
}

impl FromRequest<Arc<Vault>> for Checked {
    type Rejection = VaultError;

    async fn from_request(request: Request, vault: &Arc<Vault>) -> Result<Self, VaultError> {
        let (parts, method) = (request.uri().clone(), request.method().clone());
        let headers: HeaderMap = request.headers().clone();
        let asker = Asker::of(request.extensions());
        let body = Bytes::from_request(request, vault).await.map_err(|_| {
            VaultError::Invalid(format!("the body broke off, or has more than {MAX_BODY} bytes"))
        })?;
        let path = parts.path_and_query().map_or("/", |path| path.as_str());
        let asked = Asked { method: method.as_str(), path, body: &body };
        Ok(Self { account: vault.who(&headers, &asked)?, asker, body })
    }
}

async fn about(State(vault): State<Arc<Vault>>) -> Json<Value> {
    Json(json!({
        "chain_id": vault.settings.chain_id, "session": vault.session(), "segment": SEGMENT,
    }))
}

async fn texts(
    State(vault): State<Arc<Vault>>,
    Path(asset): Path<u64>,
) -> Result<Json<Value>, VaultError> {
    let (manifest, document) = vault.texts(AssetId(asset)).await?;
    Ok(Json(json!({ "manifest": manifest, "document": document })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    manifest: String,
    document: String,
}

async fn begin(
    State(vault): State<Arc<Vault>>,
    Path(asset): Path<u64>,
    checked: Checked,
) -> Result<Json<Value>, VaultError> {
    let texts: Texts = serde_json::from_slice(&checked.body).map_err(|error| {
        VaultError::Invalid(format!("{error}: expected {{\"manifest\": text, \"document\": text}}"))
    })?;
    let texts = (texts.manifest, texts.document);
    let progress = vault.begin(AssetId(asset), checked.account, texts).await?;
    let file = |(file, held, has_tree): &(crate::Entry, u64, bool)| json!({ "blake3": file.blake3, "segments": held, "has_tree": has_tree });
    Ok(Json(json!({ "files": progress.files.iter().map(file).collect::<Vec<_>>() })))
}

async fn put_tree(
    State(vault): State<Arc<Vault>>,
    Path((asset, blake3)): Path<(u64, String)>,
    checked: Checked,
) -> Result<StatusCode, VaultError> {
    vault.take_tree(AssetId(asset), checked.account, (blake3, checked.body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_segment(
    State(vault): State<Arc<Vault>>,
    Path((asset, blake3, index)): Path<(u64, String, u64)>,
    checked: Checked,
) -> Result<Json<Value>, VaultError> {
    let segment = (blake3, index, checked.body);
    let held = vault.take_segment(AssetId(asset), checked.account, segment).await?;
    Ok(Json(json!({ "segments": held })))
}

async fn tree(
    State(vault): State<Arc<Vault>>,
    Path((asset, blake3)): Path<(u64, String)>,
    checked: Checked,
) -> Result<Vec<u8>, VaultError> {
    vault.allow(AssetId(asset), checked.account).await?;
    vault.tree(AssetId(asset), blake3).await
}

async fn segment(
    State(vault): State<Arc<Vault>>,
    Path((asset, blake3, index)): Path<(u64, String, u64)>,
    checked: Checked,
) -> Result<Vec<u8>, VaultError> {
    vault.allow(AssetId(asset), checked.account).await?;
    vault.segment(AssetId(asset), (blake3, index), checked.asker).await
}

impl VaultError {
    /// The HTTP status, and the text that may leave.
    pub(crate) fn answer(&self) -> (StatusCode, String) {
        let status = match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorised(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::OutOfOrder { .. } => StatusCode::CONFLICT,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Silent(_) => {
                tracing::warn!(error = %self, "the node did not answer");
                let text = "the vault's node does not answer: expected a retry later";
                return (StatusCode::SERVICE_UNAVAILABLE, text.into());
            }
            Self::Damaged(_) | Self::Refused { .. } | Self::Unreachable(_) | Self::Io(_) => {
                tracing::error!(error = %self, "internal error");
                let text = "the vault failed: the reason is in its log";
                return (StatusCode::INTERNAL_SERVER_ERROR, text.into());
            }
        };
        (status, self.to_string())
    }
}

impl IntoResponse for VaultError {
    fn into_response(self) -> Response {
        let (status, message) = self.answer();
        let body = Json(json!({ "error": { "message": message } }));
        let mut response = (status, body).into_response();
        if matches!(status.as_u16(), 429 | 503) {
            response.headers_mut().insert("retry-after", HeaderValue::from_static("1"));
        }
        response
    }
}
