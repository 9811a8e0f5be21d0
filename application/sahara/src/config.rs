//! Settings from the environment, read once and here only; flags win over them.

use crate::cli::{Cli, Command, LogLines};
use sahara_telemetry::{LogFormat, TelemetrySettings};
use std::{io::IsTerminal, path::PathBuf};

/// Where things are kept.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Downloads that can be fetched again: models.
    pub(crate) cache: PathBuf,
    /// What must not be lost: chains, keys, wallets.
    pub(crate) data: PathBuf,
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `NO_COLOR` with any value says no.
fn allows_colour() -> bool {
    from_environment("NO_COLOR").is_none()
}

/// What is logged when `RUST_LOG` says nothing.
const LOG_FILTER: &str =
    "info,fjall=warn,lsm_tree=warn,commonware_p2p=warn,commonware_consensus=warn";

/// What this process logs, and where its spans go.
pub(crate) fn telemetry(cli: &Cli) -> TelemetrySettings {
    TelemetrySettings {
        service: match cli.command {
            Command::Node(_) => "sahara-node",
            Command::Gateway(_) => "sahara-gateway",
            Command::Worker(_) => "sahara-worker",
            _ => "sahara",
        },
        filter: LOG_FILTER,
        format: match cli.log_format {
            LogLines::Text => LogFormat::Text,
            LogLines::Json => LogFormat::Json,
        },
        has_colour: allows_colour() && std::io::stderr().is_terminal(),
        collector: cli.traces.clone(),
    }
}

/// The flags with which another process of this program logs as this one does.
pub(crate) fn logging_flags(cli: &Cli) -> Vec<String> {
    let json = matches!(cli.log_format, LogLines::Json).then_some(["--log-format", "json"]);
    let traces = cli.traces.as_deref().map(|url| ["--traces", url]);
    json.into_iter().chain(traces).flatten().map(str::to_owned).collect()
}

impl Places {
    /// `SAHARA_CACHE` and `SAHARA_DATA_DIR`, else the XDG directories, else under the home directory.
    pub(crate) fn find() -> Self {
        let home = from_environment("HOME").unwrap_or_else(|| PathBuf::from("."));
        let cache = from_environment("SAHARA_CACHE")
            .or_else(|| Some(from_environment("XDG_CACHE_HOME")?.join("sahara")))
            .unwrap_or_else(|| home.join(".cache/sahara"));
        let data = from_environment("SAHARA_DATA_DIR")
            .or_else(|| Some(from_environment("XDG_DATA_HOME")?.join("sahara")))
            .unwrap_or_else(|| home.join(".local/share/sahara"));
        Self { cache, data }
    }
}
