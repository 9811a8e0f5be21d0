//! [`Network`]: `sahara up` as a stranger starts it.

use crate::{Rpc, tools};
use alloy_primitives::{Address, B256, U256};
use eyre::{Context, ContextCompat, Result, bail, eyre};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How a network starts.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Validator processes.
    pub validators: u16,
    /// Whether the demonstration's economy is registered.
    pub demo: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { validators: 1, demo: true }
    }
}

/// Networks of one test binary run one after another: the language model wants the whole machine.
static ALONE: Mutex<()> = Mutex::new(());

/// A running local network; dropping it stops it.
#[derive(Debug)]
pub struct Network {
    child: Child,
    directory: TempDir,
    options: Options,
    port_base: u16,
    /// What `up --json` printed.
    pub ready: Value,
    _alone: MutexGuard<'static, ()>,
}

/// The longest a network may take until everything answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// A block of a hundred ports nobody listens on.
fn free_ports() -> Result<u16> {
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

fn up(directory: &Path, options: Options, port_base: u16) -> Result<(Child, Value)> {
    let mut command = Command::new(tools::program()?);
    command.args(["up", "--json", "--data-dir"]).arg(directory);
    command.args([
        "--port-base",
        &port_base.to_string(),
        "--validators",
        &options.validators.to_string(),
    ]);
    if !options.demo {
        command.arg("--no-demo");
    }
    let log = fs::OpenOptions::new().create(true).append(true).open(directory.join("up.log"))?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
    let mut line = String::new();
    let output = child.stdout.take().wrap_err("the child has no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let ready = serde_json::from_str(&line);
    let ready = ready
        .wrap_err_with(|| format!("`sahara up` printed {line:?}; logs:\n{}", logs(directory)))?;
    Ok((child, ready))
}

/// The last lines of every log, for a failure's report.
fn logs(directory: &Path) -> String {
    let mut files = vec![directory.join("up.log")];
    files.extend(
        fs::read_dir(directory.join("local/logs"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path()),
    );
    let tail = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(30).collect();
        format!("== {}\n{}", path.display(), lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    };
    files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .map(tail)
        .collect::<Vec<_>>()
        .join("\n")
}

impl Network {
    /// Starts a network and waits until everything answers.
    ///
    /// # Errors
    /// When it does not; the error holds the logs.
    pub fn start(options: Options) -> Result<Self> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = tempfile::tempdir()?;
        let port_base = free_ports()?;
        let (child, ready) = up(directory.path(), options, port_base)?;
        Ok(Self { child, directory, options, port_base, ready, _alone: alone })
    }

    /// Stops the whole network and starts it again from its directory.
    ///
    /// # Errors
    /// As [`Network::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let (child, ready) = up(self.directory.path(), self.options, self.port_base)?;
        (self.child, self.ready) = (child, ready);
        Ok(())
    }

    /// Asks the network to stop and waits for it.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn stop(&mut self) -> Result<()> {
        signal("TERM", self.child.id())?;
        self.child.wait()?;
        Ok(())
    }

    /// Its directory.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().join("local")
    }

    /// A text of `network.json`, by path, as `/api_key`.
    ///
    /// # Errors
    /// When there is none.
    pub fn text(&self, path: &str) -> Result<String> {
        let value = self.ready.pointer(path).and_then(Value::as_str);
        value
            .map(str::to_owned)
            .ok_or_else(|| eyre!("`up --json` says nothing at {path}: {}", self.ready))
    }

    /// An address of `network.json`, as `/accounts/payer`.
    ///
    /// # Errors
    /// When there is none.
    pub fn address(&self, path: &str) -> Result<Address> {
        self.text(path)?.parse().wrap_err_with(|| format!("{path} is no address"))
    }

    /// The genesis block's hash.
    ///
    /// # Errors
    /// When `up` did not say it.
    pub fn genesis(&self) -> Result<B256> {
        Ok(self.text("/genesis_hash")?.parse()?)
    }

    /// JSON-RPC of a node.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn rpc(&self, node: u16) -> Result<Rpc> {
        Ok(Rpc::new(self.text(&format!("/rpcs/{node}"))?))
    }

    /// The gateway's URL.
    ///
    /// # Errors
    /// When `up` did not say it.
    pub fn gateway(&self) -> Result<String> {
        self.text("/gateway")
    }

    /// Runs the program against this network and reads its JSON.
    ///
    /// # Errors
    /// When it fails.
    pub fn sahara(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(tools::program()?);
        tools::run(
            command.args(arguments).arg("--json").arg("--data-dir").arg(self.directory.path()),
        )
    }

    /// Process id of a component: `node-0`, `worker`, `gateway`.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pid(&self, name: &str) -> Result<u32> {
        let file = self.directory().join(format!("logs/{name}.pid"));
        Ok(fs::read_to_string(&file)
            .wrap_err_with(|| format!("no {}", file.display()))?
            .trim()
            .parse()?)
    }

    /// Sends a signal to a component: `KILL`, `STOP`, `CONT`.
    ///
    /// # Errors
    /// When it is not running.
    pub fn signal(&self, name: &str, kind: &str) -> Result<()> {
        signal(kind, self.pid(name)?)
    }

    /// Waits until `what` holds, looking every 20 ms.
    ///
    /// # Errors
    /// When it does not hold in time; the error holds the logs.
    pub async fn until<T>(
        &self,
        name: &str,
        mut what: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T> {
        let start = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while start.elapsed() < PATIENCE {
            if let Some(found) = what().await {
                return Ok(found);
            }
            tick.tick().await;
        }
        bail!(
            "waited {} s in vain until {name}; logs:\n{}",
            PATIENCE.as_secs(),
            logs(self.directory.path())
        )
    }

    /// The last lines of every log.
    pub fn logs(&self) -> String {
        logs(self.directory.path())
    }

    /// Coin of an account at a block.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn balance(&self, account: Address, block: &str) -> Result<U256> {
        let answer =
            self.rpc(0)?.call("eth_getBalance", serde_json::json!([account, block])).await?;
        Ok(answer.as_str().wrap_err("a balance is a text")?.parse()?)
    }
}

fn signal(kind: &str, pid: u32) -> Result<()> {
    let sent = Command::new("kill").args(["-s", kind, &pid.to_string()]).status()?;
    if sent.success() { Ok(()) } else { bail!("could not send {kind} to process {pid}") }
}

impl Drop for Network {
    fn drop(&mut self) {
        // A child that is already gone needs no stop, and a drop has nobody to tell.
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.stop().or_else(|_| self.child.kill().map_err(eyre::Report::from)));
        }
    }
}
