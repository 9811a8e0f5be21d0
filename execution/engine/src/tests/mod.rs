//! The invariants of `specs/0006-engine.md`, each in a test that starts with its number.

#![expect(clippy::cast_possible_truncation, reason = "the tests' own numbers are small")]

mod answers;
mod bits;
mod fixtures;
mod hostile;
mod perplexity;
mod reference;
mod resources;
mod text;

/// The tiny model and a text's bytes as its tokens.
pub(crate) fn tiny_tokens(text: &str) -> (std::sync::Arc<crate::Model>, Vec<u32>) {
    (fixtures::tiny_model(8), text.bytes().map(|byte| u32::from(byte) + 3).collect())
}
