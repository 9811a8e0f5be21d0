//! What a network of either kind does with the processes that it consists of.

use eyre::{Result, bail};
use std::{
    fs::{self, File},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// A block of a hundred ports nobody listens on.
pub(crate) fn free_ports() -> Result<u16> {
    for _ in 0..100 {
        let probe = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let base = probe.min(64_000);
        if (0..100)
            .all(|offset| TcpListener::bind(("127.0.0.1", base.saturating_add(offset))).is_ok())
        {
            return Ok(base);
        }
    }
    bail!("no free block of a hundred ports")
}

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

/// Waits until `what` holds, looking every 20 ms for as long as `patience`; the error holds the logs.
pub(crate) async fn until<T>(
    name: &str,
    patience: Duration,
    mut what: impl AsyncFnMut() -> Option<T>,
    logs: impl FnOnce() -> String,
) -> Result<T> {
    let start = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while start.elapsed() < patience {
        if let Some(found) = what().await {
            return Ok(found);
        }
        tick.tick().await;
    }
    bail!("waited {} s in vain until {name}; logs:\n{}", patience.as_secs(), logs())
}
