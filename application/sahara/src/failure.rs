//! What went wrong: an exit code for scripts, a text for people, both in one JSON value for programs.

use crate::output::{Format, say};
use sahara_client::ClientError;
use serde_json::json;
use std::{fmt, io, process::ExitCode};

/// The kinds of failure, as `sahara --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something broke.
    Failed,
    /// The command or its input is malformed.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// A key, a signature or funds are missing, or a rule says no.
    Refused,
    /// A node, a gateway or a package registry did not answer.
    Unreachable,
}

impl Kind {
    /// The exit code of the process.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
        }
    }

    /// The `code` of an error in JSON.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
        }
    }
}

/// An error of a known kind.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    text: String,
    /// The custom error's name, when the chain refused.
    name: Option<String>,
    /// The value on standard output says it already: JSON gets no second one.
    is_said: bool,
}

impl Failure {
    fn report(kind: Kind, text: impl Into<String>) -> eyre::Report {
        Self { kind, text: text.into(), name: None, is_said: false }.into()
    }

    /// 2: the command or its input is malformed.
    pub(crate) fn usage(text: impl Into<String>) -> eyre::Report {
        Self::report(Kind::Usage, text)
    }

    /// 3: what was named does not exist.
    pub(crate) fn not_found(text: impl Into<String>) -> eyre::Report {
        Self::report(Kind::NotFound, text)
    }

    /// 4: a key, a signature or funds are missing.
    pub(crate) fn refused(text: impl Into<String>) -> eyre::Report {
        Self::report(Kind::Refused, text)
    }

    /// 4: the chain refused, by the name of its custom error.
    pub(crate) fn refused_as(name: &str, text: impl Into<String>) -> eyre::Report {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Self { kind: Kind::Refused, text: text.into(), name, is_said: false }.into()
    }

    /// 5: a node, a gateway or a package registry did not answer.
    pub(crate) fn network(text: impl Into<String>) -> eyre::Report {
        Self::report(Kind::Unreachable, text)
    }

    /// What a child process said was wrong, by its own JSON.
    pub(crate) fn of_child(said: &serde_json::Value, text: &str) -> eyre::Report {
        let code = said.pointer("/error/code").and_then(serde_json::Value::as_str);
        let kinds = [Kind::Usage, Kind::NotFound, Kind::Refused, Kind::Unreachable];
        let kind = kinds.into_iter().find(|kind| Some(kind.code()) == code);
        Self::report(kind.unwrap_or(Kind::Failed), text)
    }

    /// The printed value says what is wrong; only people are told again.
    pub(crate) fn said(kind: Kind, text: impl Into<String>) -> eyre::Report {
        Self { kind, text: text.into(), name: None, is_said: true }.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

/// The kind of any error: of the first cause that has one.
pub(crate) fn kind_of(error: &eyre::Report) -> Kind {
    let kind = error.chain().find_map(|cause| {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return Some(failure.kind);
        }
        if let Some(client) = cause.downcast_ref::<ClientError>() {
            return Some(kind_of_client(client));
        }
        if cause.is::<reqwest::Error>() {
            return Some(Kind::Unreachable);
        }
        let input = cause.downcast_ref::<io::Error>()?;
        (input.kind() == io::ErrorKind::NotFound).then_some(Kind::NotFound)
    });
    kind.unwrap_or(Kind::Failed)
}

/// The kind of a client's error.
pub(crate) const fn kind_of_client(error: &ClientError) -> Kind {
    match error {
        ClientError::Url(_) => Kind::Usage,
        ClientError::Rpc(_) | ClientError::Reverted(_) | ClientError::Failed { .. } => {
            Kind::Refused
        }
        ClientError::Unreachable { .. }
        | ClientError::Answer { .. }
        | ClientError::Pending(_)
        | ClientError::Decode { .. } => Kind::Unreachable,
    }
}

fn is_caused_by(error: &eyre::Report, kind: io::ErrorKind) -> bool {
    let mut inputs = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    inputs.any(|input| input.kind() == kind)
}

/// The whole text: every cause once, and what helps.
fn text_of(error: &eyre::Report) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Errors that show their source in their own text would say it twice.
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    if is_caused_by(error, io::ErrorKind::StorageFull) {
        text.push_str(
            ": the disk is full; free some space, or name another place with --data-dir or SAHARA_CACHE",
        );
    }
    text
}

/// Tells of an error in the way that was asked for, and returns the exit code.
pub(crate) fn tell(error: &eyre::Report, format: Format) -> ExitCode {
    // Whoever reads our output has seen enough, as in `sahara earnings | head`.
    if is_caused_by(error, io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    let kind = kind_of(error);
    let failure = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
    match format {
        Format::Text => eprintln!("error: {}", text_of(error)),
        Format::Json if failure.is_some_and(|failure| failure.is_said) => {}
        Format::Json => {
            let name = failure.and_then(|failure| failure.name.clone());
            let said = value(kind, &text_of(error), name.as_deref());
            // Nobody reads the output of a network in the background; its log is left.
            if say(&said.to_string()).is_err() {
                eprintln!("error: {}", text_of(error));
            }
        }
    }
    ExitCode::from(kind.exit_code())
}

/// `{"error": ...}`.
fn value(kind: Kind, message: &str, name: Option<&str>) -> serde_json::Value {
    let mut error = json!({"code": kind.code(), "message": message, "exit_code": kind.exit_code()});
    if let (Some(name), Some(fields)) = (name, error.as_object_mut()) {
        fields.insert("name".into(), json!(name));
    }
    json!({ "error": error })
}

/// Tells what clap found wrong, or prints the help that was asked for.
pub(crate) fn tell_usage(error: &clap::Error, format: Format) -> ExitCode {
    if !error.use_stderr() {
        // Whoever asked for help and closed the pipe has read enough.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let is_bare = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    match format {
        Format::Text => drop(error.print()),
        Format::Json => {
            let said = text.split("\n\n").next().unwrap_or_default();
            let said = said.strip_prefix("error: ").unwrap_or(said).trim();
            let said =
                if is_bare { "expected a command: `sahara --help` lists them" } else { said };
            drop(say(&value(Kind::Usage, said, None).to_string()));
        }
    }
    ExitCode::from(Kind::Usage.exit_code())
}

#[cfg(test)]
mod tests {
    use super::{Failure, Kind, kind_of, text_of, value};
    use eyre::WrapErr;
    use sahara_client::ClientError;
    use std::io;

    #[test]
    fn an_error_keeps_its_kind_under_any_context() {
        let error = Err::<(), _>(Failure::not_found("no asset 7")).wrap_err("looking");
        assert_eq!(kind_of(&error.unwrap_err()), Kind::NotFound);
        let silent = ClientError::Unreachable { url: "u".into(), reason: "r".into() };
        assert_eq!(kind_of(&eyre::Report::from(silent)), Kind::Unreachable);
        assert_eq!(kind_of(&ClientError::Url("x".into()).into()), Kind::Usage);
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let missing = Err::<(), _>(missing).wrap_err("could not read x");
        assert_eq!(kind_of(&missing.unwrap_err()), Kind::NotFound);
        assert_eq!(kind_of(&eyre::eyre!("anything")), Kind::Failed);
    }

    #[test]
    fn a_full_disk_is_called_one() {
        let full = Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull));
        let text = text_of(&full.wrap_err("could not write /data/genesis.json").unwrap_err());
        assert!(text.contains("could not write /data/genesis.json"), "{text}");
        assert!(text.contains("the disk is full"), "{text}");
    }

    #[test]
    fn kinds_have_exit_codes_of_their_own() {
        let kinds = [Kind::Failed, Kind::Usage, Kind::NotFound, Kind::Refused, Kind::Unreachable];
        let mut codes = kinds.map(Kind::exit_code);
        codes.sort_unstable();
        assert_eq!(codes, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn json_names_the_custom_error() {
        let value = value(Kind::Refused, "no", Some("GrantRevoked"));
        let expected = serde_json::json!({"error": {
            "code": "refused", "message": "no", "exit_code": 4, "name": "GrantRevoked",
        }});
        assert_eq!(value, expected);
    }
}
