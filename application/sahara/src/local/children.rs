//! The processes of a local network: started, watched, started again when they fall.

use eyre::{Result, WrapErr, eyre};
use std::{
    fs::OpenOptions,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{process::Command, sync::watch, task::JoinSet};

/// One process to keep alive: this program with other arguments.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    /// Name of its log.
    pub(crate) name: String,
    /// Arguments.
    pub(crate) arguments: Vec<String>,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// A child that falls more often than this within [`WINDOW`] is broken, not unlucky.
const MOST_FALLS: usize = 5;
/// See [`MOST_FALLS`].
const WINDOW: Duration = Duration::from_secs(60);
/// Wait before a fallen child is started again, so that a broken one does not burn the machine.
const PAUSE: Duration = Duration::from_millis(200);
/// How much of a log's end is looked through for a reason, in bytes.
const LAST_WORDS: u64 = 64 << 10;
/// A child that was asked to stop is killed after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps children alive until told to stop.
#[derive(Debug)]
pub(crate) struct Supervisor {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<()>>,
}

impl Supervisor {
    /// A supervisor without children.
    pub(crate) fn new() -> Self {
        Self { stop: watch::Sender::new(false), tasks: JoinSet::new() }
    }

    /// Starts a child and watches it.
    pub(crate) fn add(&mut self, child: Child) {
        self.tasks.spawn(keep(child, self.stop.subscribe()));
    }

    /// Resolves when a child cannot be kept alive.
    pub(crate) async fn broken(&mut self) -> eyre::Report {
        why(self.tasks.join_next().await)
    }

    /// Why a child could not be kept alive, if one could not.
    pub(crate) fn is_broken(&mut self) -> Option<eyre::Report> {
        self.tasks.try_join_next().map(|ended| why(Some(ended)))
    }

    /// Asks every child to stop and waits for it.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn why(ended: Option<Result<Result<()>, tokio::task::JoinError>>) -> eyre::Report {
    match ended {
        Some(Ok(Err(error))) => error,
        Some(Ok(Ok(()))) | None => eyre!("a process ended although nobody asked it to"),
        Some(Err(error)) => error.into(),
    }
}

/// The last reason that a process gave, from its log.
pub(crate) fn last_words(log: &Path) -> Option<String> {
    let mut file = std::fs::File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS))).ok()?;
    let mut bytes = Vec::new();
    file.take(LAST_WORDS).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().rev().find_map(|line| {
        if line.contains("No space left on device") || line.contains("StorageFull") {
            return Some(String::from("the disk is full"));
        }
        line.strip_prefix("error: ").map(str::to_owned)
    })
}

async fn keep(child: Child, mut stop: watch::Receiver<bool>) -> Result<()> {
    let mut falls: Vec<Instant> = Vec::new();
    loop {
        let log = OpenOptions::new().create(true).append(true).open(&child.log);
        let log = log.wrap_err_with(|| format!("could not open {}", child.log.display()))?;
        let program = std::env::current_exe().wrap_err("could not find this program")?;
        // The open pipe is how a child learns that its parent is gone, however it went.
        let mut process = Command::new(program)
            .args(&child.arguments)
            .arg("--follow-parent")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .wrap_err_with(|| format!("could not start {}", child.name))?;
        // `wait` would close the pipe at once.
        let pipe = process.stdin.take();
        if let Some(id) = process.id() {
            std::fs::write(child.log.with_extension("pid"), id.to_string())?;
        }
        tokio::select! {
            _ = process.wait() => {}
            () = told(&mut stop) => {
                drop(pipe);
                if tokio::time::timeout(PATIENCE, process.wait()).await.is_err() {
                    process.kill().await?;
                }
                return Ok(());
            }
        }
        falls.retain(|fall| fall.elapsed() < WINDOW);
        falls.push(Instant::now());
        if falls.len() > MOST_FALLS {
            let reason = last_words(&child.log).unwrap_or_else(|| String::from("no reason given"));
            return Err(eyre!(
                "{} does not stay up: {reason} (its log: {})",
                child.name,
                child.log.display()
            ));
        }
        let pause = tokio::time::timeout(PAUSE, told(&mut stop)).await;
        if pause.is_ok() {
            return Ok(());
        }
    }
}

/// Resolves when the supervisor wants to stop, or is gone.
async fn told(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn the_last_reason_in_a_log_is_found() {
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("log");
        assert_eq!(last_words(&log), None);
        let noise = "INFO something\n".repeat(5_000);
        std::fs::write(&log, format!("error: first\n{noise}error: second: why\nINFO more\n"))
            .unwrap();
        assert_eq!(last_words(&log).unwrap(), "second: why");
        std::fs::write(&log, "thread panicked: Os { code: 28, kind: StorageFull }\nstack\n")
            .unwrap();
        assert_eq!(last_words(&log).unwrap(), "the disk is full");
    }
}
