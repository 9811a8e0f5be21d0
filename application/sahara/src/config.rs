//! Settings from the environment, read once and here only; flags win over them.

use std::path::PathBuf;

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
pub(crate) fn allows_colour() -> bool {
    from_environment("NO_COLOR").is_none()
}

/// What `RUST_LOG` says is logged.
pub(crate) fn log_filter() -> tracing_subscriber::EnvFilter {
    let asked = tracing_subscriber::EnvFilter::try_from_default_env();
    asked.unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(
            "info,fjall=warn,lsm_tree=warn,commonware_p2p=warn,commonware_consensus=warn",
        )
    })
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
