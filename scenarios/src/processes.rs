//! What a network of either kind does with the processes that it consists of.

use eyre::{Result, bail};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// The longest a test waits for anything: far more than it takes where the machine does other things too, as
/// what does not come is a failure however late that is said.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// Sends a signal to a process: `TERM`, `KILL`, `STOP`, `CONT`.
pub(crate) fn signal(kind: &str, pid: u32) -> Result<()> {
    let sent = Command::new("kill").args(["-s", kind, &pid.to_string()]).status()?;
    if sent.success() { Ok(()) } else { bail!("could not send {kind} to process {pid}") }
}

/// A process' log, to be written on at its end.
pub(crate) fn log(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().create(true).append(true).open(path)
}

/// The last lines of every log, for a failure's report.
pub(crate) fn tails(logs: &[PathBuf]) -> String {
    let tail = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines: Vec<_> = text.lines().rev().take(40).collect();
        lines.reverse();
        format!("== {}\n{}", path.display(), lines.join("\n"))
    };
    logs.iter().map(tail).collect::<Vec<_>>().join("\n")
}

/// Waits until `what` holds, looking every 20 ms; the error holds the logs.
pub(crate) async fn until<T>(
    name: &str,
    mut what: impl AsyncFnMut() -> Option<T>,
    logs: impl FnOnce() -> String,
) -> Result<T> {
    let start = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while start.elapsed() < PATIENCE {
        if let Some(found) = what().await {
            return Ok(found);
        }
        tick.tick().await;
    }
    bail!("waited {} s in vain until {name}; logs:\n{}", PATIENCE.as_secs(), logs())
}
