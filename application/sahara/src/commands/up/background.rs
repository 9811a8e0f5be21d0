//! A network that outlives the command that started it, and how it is stopped.

use super::{PATIENCE, page::ready};
use crate::{
    cli::Up,
    failure::Failure,
    local::{self, Network, directory},
    output::Format,
    session::Session,
};
use eyre::{Result, WrapErr, bail, eyre};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Starts `up` in the background and returns when it is ready.
pub(super) fn start(up: &Up, session: &Session, format: Format) -> Result<()> {
    let log = directory(&session.places).join("logs/up.log");
    let errors =
        fs::File::create(&log).wrap_err_with(|| format!("could not write {}", log.display()))?;
    eprintln!("starting in the background, with its log at {}", log.display());
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--json").arg("--data-dir").arg(&session.places.data).arg("up");
    command.args(&session.logging);
    command.args([
        "--validators",
        &up.validators.to_string(),
        "--threads",
        &up.threads.to_string(),
        "--sync",
        up.sync.name(),
        "--history",
        &up.history,
    ]);
    if let Some(base) = up.port_base {
        command.args(["--port-base", &base.to_string()]);
    }
    if up.no_demo {
        command.arg("--no-demo");
    }
    if let Some(seconds) = up.log_period {
        command.args(["--log-period", &seconds.to_string()]);
    }
    // A group of its own: Ctrl-C in this terminal is not meant for it.
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(errors));
    let mut child = command.spawn().wrap_err("could not start the background process")?;
    let mut said = String::new();
    let output =
        child.stdout.take().ok_or_else(|| eyre!("the background process has no output"))?;
    BufReader::new(output).read_line(&mut said)?;
    if let Ok(network) = serde_json::from_str::<Network>(&said) {
        return ready(
            &network,
            format,
            "It runs in the background; `sahara down` stops it, everything is kept.",
        );
    }
    let said: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    match said.pointer("/error/message").and_then(serde_json::Value::as_str) {
        Some(reason) => Err(Failure::of_child(&said, reason)),
        None => Err(eyre!("the network did not start and gave no reason: see {}", log.display())),
    }
}

/// Stops a network that runs in the background.
pub(crate) async fn down(session: &Session, format: Format) -> Result<()> {
    let places = &session.places;
    let local = directory(places);
    let pid = local::holder(places).filter(|_| local::is_running(places));
    let Some(pid) = pid else {
        return Err(Failure::not_found(format!(
            "no network is running in {}: nothing to stop",
            local.display()
        )));
    };
    eprintln!("stopping the network in {}", local.display());
    let sent = Command::new("kill").arg(pid.to_string()).status();
    if !sent.wrap_err("could not start `kill`")?.success() {
        return Err(Failure::refused(format!(
            "process {pid} cannot be stopped: is it another user's?"
        )));
    }
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let start = Instant::now();
    while local::is_running(places) {
        tick.tick().await;
        if start.elapsed() > PATIENCE {
            bail!("the network does not stop: its process is {pid}");
        }
    }
    let stopped = serde_json::json!({"stopped": local.display().to_string()});
    format.print(&stopped, |_| {
        String::from("stopped; everything is kept, `sahara up` goes on from there")
    })
}
