//! [`ApiError`]: what can go wrong, in the gateway's shape. Internal text never leaves.

use crate::{cursor::CursorError, error::IndexError, search::SearchError};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// An error as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    body: ErrorBody,
}

/// The body of every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ErrorBody {
    error: ErrorText,
}

/// What is wrong, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct ErrorText {
    /// In words, with what was expected.
    message: String,
    /// `invalid_request_error` or `server_error`.
    r#type: &'static str,
    /// The parameter at fault.
    param: Option<&'static str>,
    /// For programs.
    code: &'static str,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let is_ours = status.is_server_error();
        let r#type = if is_ours { "server_error" } else { "invalid_request_error" };
        let error = ErrorText { message: message.into(), r#type, param: None, code };
        Self { status, body: ErrorBody { error } }
    }

    pub(super) fn invalid(param: &'static str, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message);
        error.body.error.param = Some(param);
        error
    }

    pub(super) fn query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn unknown_method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    pub(super) fn too_many(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message)
    }

    pub(super) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }
}

impl From<IndexError> for ApiError {
    fn from(error: IndexError) -> Self {
        tracing::error!(%error, "the index could not answer");
        if error.is_passing() {
            return Self::busy("the index is busy or its database is away: try again");
        }
        let message = "the index failed: the reason is in its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }
}

impl From<CursorError> for ApiError {
    fn from(error: CursorError) -> Self {
        let mut answer = match error {
            CursorError::Expired => {
                Self::new(StatusCode::GONE, "cursor_expired", error.to_string())
            }
            CursorError::Malformed | CursorError::OtherList => {
                Self::new(StatusCode::BAD_REQUEST, "invalid_cursor", error.to_string())
            }
        };
        answer.body.error.param = Some("cursor");
        answer
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Index(error) => error.into(),
            SearchError::Cursor(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
