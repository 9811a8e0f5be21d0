//! What a stranger's bytes become before anything is done for them.

use crate::{ApiError, keys, openai, x402};

/// What bytes are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The body of `/v1/chat/completions`.
    Chat,
    /// The body of `/v1/completions`.
    Completion,
    /// The body of `/v1/keys`.
    KeyGrant,
    /// The header `PAYMENT-SIGNATURE`.
    Payment,
}

/// Whether bytes are understood as what they are said to be: the decoders of the HTTP API alone, for
/// who has bytes and no gateway, as fuzzers.
///
/// # Errors
/// What a client would be told.
pub fn read(body: Body, bytes: &[u8]) -> Result<(), ApiError> {
    let ask = |endpoint| openai::Ask::parse(endpoint, bytes).map(drop);
    match body {
        Body::Chat => ask(openai::Endpoint::Chat),
        Body::Completion => ask(openai::Endpoint::Completion),
        Body::KeyGrant => keys::registration(bytes).map(drop),
        Body::Payment => match std::str::from_utf8(bytes) {
            Ok(header) => x402::read(header).map(drop),
            Err(_) => Err(ApiError::invalid("PAYMENT-SIGNATURE: expected text")),
        },
    }
}
