//! The processes of a local network: started, watched, started again when they fall.

use eyre::{Result, WrapErr, eyre};
use std::{
    fs::OpenOptions,
    path::PathBuf,
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
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) | None => eyre!("a process ended although nobody asked it to"),
            Some(Err(error)) => error.into(),
        }
    }

    /// Asks every child to stop and waits for it.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
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
            return Err(eyre!(
                "{} fell {MOST_FALLS} times within a minute: see {}",
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
