//! What the program's exit code says.

use std::fmt;

/// An error of a known kind; anything else exits with 1.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    fn report(code: u8, text: impl Into<String>) -> eyre::Report {
        Self { code, text: text.into() }.into()
    }

    /// 3: what was named does not exist.
    pub(crate) fn not_found(text: impl Into<String>) -> eyre::Report {
        Self::report(3, text)
    }

    /// 4: a key, a signature or funds are missing.
    pub(crate) fn refused(text: impl Into<String>) -> eyre::Report {
        Self::report(4, text)
    }

    /// 5: a node, a gateway or a package registry did not answer.
    pub(crate) fn network(text: impl Into<String>) -> eyre::Report {
        Self::report(5, text)
    }

    /// The exit code of an error.
    pub(crate) fn exit_code(error: &eyre::Report) -> u8 {
        error.downcast_ref::<Self>().map_or(1, |failure| failure.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}
