//! [`Meter`]: counts what passes, once.

use sahara_primitives::{TokenCount, Usage};

/// Counts the tokens of one answer as they leave the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    usage: Usage,
}

impl Meter {
    /// A meter for an answer to a prompt of that many tokens.
    pub const fn new(prompt_tokens: TokenCount) -> Self {
        Self { usage: Usage { prompt_tokens, completion_tokens: 0 } }
    }

    /// One token passed.
    pub const fn count(&mut self) {
        self.usage.completion_tokens = self.usage.completion_tokens.saturating_add(1);
    }

    /// What passed so far.
    pub const fn usage(&self) -> Usage {
        self.usage
    }
}
