//! [`Network`]: `sahara up` as a stranger starts it.

use crate::{Rpc, ports::Ports, processes, tools};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use eyre::{Context, ContextCompat, Result, bail, ensure, eyre};
use sahara_abi::{ISystem, SYSTEM};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
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
    /// Further arguments of `sahara up`.
    arguments: Vec<String>,
    ports: Ports,
    /// Coin that a test forced into a protocol on purpose.
    allowed_recoveries: usize,
    /// What `up --json` printed.
    pub ready: Value,
    _alone: MutexGuard<'static, ()>,
}

/// How long a node may take to tell of recovered coin.
const TELLS_WITHIN: Duration = Duration::from_secs(30);

fn up(
    directory: &Path,
    (options, arguments): (Options, &[String]),
    port_base: u16,
) -> Result<(Child, Value)> {
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
    command.args(arguments);
    let log = processes::log(&directory.join("up.log"))?;
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
    files.retain(|path| path.extension().is_some_and(|end| end == "log"));
    processes::tails(&files)
}

impl Network {
    /// Starts a network and waits until everything answers.
    ///
    /// # Errors
    /// When it does not; the error holds the logs.
    pub fn start(options: Options) -> Result<Self> {
        Self::start_with(options, &[])
    }

    /// As [`Network::start`], with further arguments of `sahara up`.
    ///
    /// # Errors
    /// As [`Network::start`].
    pub fn start_with(options: Options, arguments: &[&str]) -> Result<Self> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = tempfile::tempdir()?;
        let ports = Ports::claim()?;
        let (child, ready) = up(directory.path(), (options, &arguments), ports.base)?;
        Ok(Self {
            child,
            directory,
            options,
            arguments,
            ports,
            allowed_recoveries: 0,
            ready,
            _alone: alone,
        })
    }

    /// Stops the whole network and starts it again from its directory.
    ///
    /// # Errors
    /// As [`Network::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.begin()
    }

    /// Stops the network and begins another chain in its place, from what `edit` makes of the genesis
    /// file.
    ///
    /// # Errors
    /// As [`Network::start`].
    pub fn regenesis(&mut self, edit: impl FnOnce(&mut Value)) -> Result<()> {
        self.stop()?;
        let local = self.directory();
        let file = local.join("genesis.json");
        let mut genesis: Value = serde_json::from_slice(&fs::read(&file)?)?;
        edit(&mut genesis);
        fs::write(&file, serde_json::to_vec_pretty(&genesis)?)?;
        fs::remove_file(local.join("network.json"))?;
        for entry in fs::read_dir(&local)? {
            let place = entry?.path();
            for part in ["chain", "consensus"] {
                if place.join(part).is_dir() {
                    fs::remove_dir_all(place.join(part))?;
                }
            }
        }
        for service in ["worker", "gateway"] {
            fs::remove_dir_all(local.join(service))?;
        }
        self.begin()
    }

    /// Starts a stopped network from its directory.
    fn begin(&mut self) -> Result<()> {
        let (child, ready) =
            up(self.directory.path(), (self.options, &self.arguments), self.ports.base)?;
        (self.child, self.ready) = (child, ready);
        Ok(())
    }

    /// Waits until the whole network has ended by itself.
    ///
    /// # Errors
    /// When it does not within twice a test's patience.
    pub fn ended(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < processes::PATIENCE.saturating_mul(2) {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the network still runs; logs:\n{}", logs(self.directory.path()))
    }

    /// Asks the network to stop and waits for it.
    ///
    /// # Errors
    /// When it cannot be asked, or when coin was recovered (see [`Self::recovered`]).
    pub fn stop(&mut self) -> Result<()> {
        let recovered = self.recovered();
        self.end()?;
        let recovered = recovered.wrap_err("no node could be asked for recovered coin")?;
        ensure!(recovered.len() == self.allowed_recoveries, "{}", told(&recovered));
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        processes::signal("TERM", self.child.id())?;
        self.child.wait()?;
        Ok(())
    }

    /// Every `Recovered` log of the chain: coin that nobody had booked. A run in which nobody forced
    /// coin into a protocol has none; one would mean that a booking bug was hidden. It is looked for
    /// whenever a network stops.
    ///
    /// # Errors
    /// When no node answers.
    pub fn recovered(&self) -> Result<Vec<Value>> {
        let rpcs = self.ready.get("rpcs").and_then(Value::as_array).cloned().unwrap_or_default();
        let urls = rpcs.iter().filter_map(Value::as_str).map(str::to_owned);
        let rpcs: Vec<_> = urls.map(Rpc::new).collect();
        // Drops run inside of tests' runtimes: a thread of its own may wait.
        let asking = std::thread::spawn(move || recovered_by(&rpcs));
        asking.join().map_err(|_| eyre!("asking for recovered coin panicked"))?
    }

    /// Says that the test forces coin into protocols so often.
    pub const fn allow_recoveries(&mut self, count: usize) {
        self.allowed_recoveries = count;
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

    /// The program, about to be run against this network.
    fn program(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(tools::program()?);
        command.args(arguments).arg("--data-dir").arg(self.directory.path());
        Ok(command)
    }

    /// Runs the program against this network and reads its JSON.
    ///
    /// # Errors
    /// When it fails.
    pub fn sahara(&self, arguments: &[&str]) -> Result<Value> {
        tools::run(self.program(arguments)?.arg("--json"))
    }

    /// Runs the program, which must fail, and returns its exit code and what it says is wrong.
    ///
    /// # Errors
    /// When it succeeds, or prints no error as JSON.
    pub fn refused(&self, arguments: &[&str]) -> Result<(i32, Value)> {
        let (code, said) = self.answered(arguments)?;
        ensure!(code != 0, "{arguments:?} was not refused: {said}");
        let error = said.get("error").cloned();
        Ok((code, error.wrap_err_with(|| format!("{arguments:?} printed no error: {said}"))?))
    }

    /// Runs the program and returns its exit code and the value it prints, whatever it says.
    ///
    /// # Errors
    /// When it prints no JSON.
    pub fn answered(&self, arguments: &[&str]) -> Result<(i32, Value)> {
        let output = self.program(arguments)?.arg("--json").output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let said = serde_json::from_str(&text);
        let said = said.wrap_err_with(|| format!("{arguments:?} printed no JSON: {text:?}"))?;
        Ok((output.status.code().unwrap_or(-1), said))
    }

    /// Runs the program and returns what people see.
    ///
    /// # Errors
    /// When it fails.
    pub fn shown(&self, arguments: &[&str]) -> Result<String> {
        let output = self.program(arguments)?.output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?} failed: {errors}");
        Ok(String::from_utf8(output.stdout)?)
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
        processes::signal(kind, self.pid(name)?)
    }

    /// Waits until `what` holds, looking every 20 ms.
    ///
    /// # Errors
    /// When it does not hold in time; the error holds the logs.
    pub async fn until<T>(&self, name: &str, what: impl AsyncFnMut() -> Option<T>) -> Result<T> {
        processes::until(name, what, || self.logs()).await
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
        let answer = self.rpc(0)?.call("eth_getBalance", json!([account, block])).await?;
        Ok(answer.as_str().wrap_err("a balance is a text")?.parse()?)
    }
}

/// Asks the first node that answers.
fn recovered_by(rpcs: &[Rpc]) -> Result<Vec<Value>> {
    let filter = json!([{
        "address": SYSTEM, "fromBlock": "0x0", "toBlock": "latest",
        "topics": [ISystem::Recovered::SIGNATURE_HASH],
    }]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut last = eyre!("the network names no node");
        for rpc in rpcs {
            let asked = rpc.call("eth_getLogs", filter.clone());
            match tokio::time::timeout(TELLS_WITHIN, asked).await {
                Ok(Ok(logs)) => return Ok(logs.as_array().cloned().unwrap_or_default()),
                Ok(Err(error)) => last = error,
                Err(late) => last = late.into(),
            }
        }
        Err(last)
    })
}

fn told(recovered: &[Value]) -> String {
    format!("coin was recovered that nobody had booked: {recovered:?}")
}

impl Drop for Network {
    fn drop(&mut self) {
        // A child that is already gone needs no stop.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let recovered = self.recovered();
        drop(self.end().or_else(|_| self.child.kill().map_err(eyre::Report::from)));
        // A test that fails for a reason of its own is to say that one.
        if let Ok(recovered) = recovered
            && !std::thread::panicking()
        {
            assert!(recovered.len() == self.allowed_recoveries, "{}", told(&recovered));
        }
    }
}
