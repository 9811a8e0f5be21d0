//! What a stranger's texts become before anything is done for them.

use crate::{
    error::VaultError,
    metadata::split_card,
    signed::{Asked, Doorkeeper},
};

/// What a text is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// A model or dataset card, with or without front matter.
    Card,
    /// The header `sahara-signature` of a request.
    Signature,
}

/// A vault that nobody runs.
const ORIGIN: &str = "http://127.0.0.1:8080";

/// Whether a text is understood as what it is said to be: the decoders alone, for who has texts and no
/// vault, as fuzzers. A signature is held to the time that it names.
///
/// # Errors
/// What a client would be told.
pub fn read(text: Text, given: &str) -> Result<(), VaultError> {
    match text {
        Text::Card => split_card(given).map(drop),
        Text::Signature => {
            let now = given.split(':').next().and_then(|at| at.parse().ok()).unwrap_or_default();
            let asked = Asked { method: "GET", path: "/vault/v1", body: b"" };
            Doorkeeper::new(0, vec![ORIGIN.to_owned()]).admit(given, &asked, now).map(drop)
        }
    }
}
