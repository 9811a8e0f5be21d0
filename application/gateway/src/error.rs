//! [`ApiError`]: what can go wrong, in OpenAI's shape. Internal text never leaves.

use crate::chain::ChainError;
use axum::{
    Json,
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// An error as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    pub(crate) status: u16,
    pub(crate) message: String,
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
    /// A `PAYMENT-REQUIRED` header.
    payment: Option<String>,
    /// What is missing of a licence, for programs.
    license: Option<Box<Value>>,
}

impl ApiError {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind,
            param: None,
            code: None,
            payment: None,
            license: None,
        }
    }

    const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    pub(crate) fn context_length(message: impl Into<String>) -> Self {
        Self::invalid(message).param("messages").code("context_length_exceeded")
    }

    pub(crate) fn unauthorised(message: impl Into<String>) -> Self {
        Self::new(401, "authentication_error", message).code("invalid_api_key")
    }

    pub(crate) fn insufficient(message: impl Into<String>) -> Self {
        Self::new(402, "insufficient_quota", message).code("insufficient_quota")
    }

    pub(crate) fn payment_required(message: impl Into<String>, challenge: String) -> Self {
        let mut error = Self::new(402, "payment_required", message).code("payment_required");
        error.payment = Some(challenge);
        error
    }

    pub(crate) fn invalid_payment(message: impl Into<String>) -> Self {
        Self::new(402, "payment_required", message).code("invalid_payment")
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "permission_error", message)
    }

    /// A right is missing that paying for the licence one has would bring back (402), or that needs
    /// another step (403).
    pub(crate) fn unlicensed(
        (status, code): (u16, &'static str),
        message: impl Into<String>,
        license: Value,
    ) -> Self {
        let mut error = Self::new(status, "permission_error", message).code(code).param("model");
        error.license = Some(Box::new(license));
        error
    }

    pub(crate) fn model_not_found(model: &str) -> Self {
        let model: String = model.chars().take(100).collect();
        Self::new(404, "invalid_request_error", format!("the model `{model}` does not exist or nobody serves it: GET /v1/models lists what is served"))
            .param("model")
            .code("model_not_found")
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "invalid_request_error", message).code("not_found")
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "invalid_request_error", message).code("key_taken")
    }

    pub(crate) fn too_large(most: usize) -> Self {
        Self::new(413, "invalid_request_error", format!("the body is larger than {most} bytes"))
            .code("body_too_large")
    }

    pub(crate) fn other_body() -> Self {
        Self::new(
            422,
            "invalid_request_error",
            "this Idempotency-Key was used with another body: expected the same body, or a new key",
        )
        .param("Idempotency-Key")
        .code("idempotency_key_reused")
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(429, "rate_limit_error", message).code("rate_limit_exceeded")
    }

    pub(crate) fn worker_failed(message: impl Into<String>) -> Self {
        Self::new(502, "server_error", message).code("worker_failed")
    }

    pub(crate) fn pending() -> Self {
        Self::unavailable(
            "the outcome of this request is pending, its worker has not signed yet: expected a retry later",
        )
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "server_error", message).code("unavailable")
    }

    /// Something of ours broke; the reason goes to the log only.
    pub(crate) fn internal(reason: impl std::fmt::Display) -> Self {
        tracing::error!(%reason, "internal error");
        Self::new(500, "server_error", "the gateway failed: the reason is in its log")
            .code("internal_error")
    }

    /// The JSON body.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({
            "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
        });
        if let (Some(fields), Some(license)) = (error.as_object_mut(), &self.license) {
            fields.insert("license".into(), Value::clone(license));
        }
        json!({ "error": error })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = &self.payment
            && let Ok(value) = HeaderValue::from_str(challenge)
        {
            headers.insert("payment-required", value);
        }
        if self.status == 429 || self.status == 503 {
            headers.insert("retry-after", HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<ChainError> for ApiError {
    fn from(error: ChainError) -> Self {
        match &error {
            ChainError::Refused { name, text } => match name.as_str() {
                "InsufficientDeposit" => Self::insufficient(format!("the payer's deposit: {text}")),
                "GrantTotalExceeded" | "GrantDayExceeded" => {
                    Self::insufficient(format!("the key's cap: {text}"))
                }
                "GrantRevoked" | "Expired" | "ChannelClosed" | "ChannelClosing"
                | "InvalidSignature" => Self::unauthorised(format!("the key ended: {text}")),
                _ => {
                    tracing::error!(%text, "the chain refused");
                    Self::unavailable("the chain refused the gateway's transaction")
                }
            },
            ChainError::TooMuch(reason) => {
                tracing::error!(%reason, "the gateway's transaction does not fit");
                Self::unavailable("the chain refused the gateway's transaction")
            }
            ChainError::Unknown(reason) => {
                tracing::warn!(%reason, "the node did not answer");
                Self::unavailable("the gateway's node does not answer: expected a retry later")
            }
        }
    }
}
