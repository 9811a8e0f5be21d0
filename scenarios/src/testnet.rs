//! [`Testnet`]: a network as `sahara testnet init` writes it, each node a process of its own.

use crate::{Rpc, ports::Ports, processes, tools};
use eyre::{ContextCompat, Result, bail, ensure};
use sahara_client::{Keystore, KeystoreCost, SigningKey};
use serde_json::{Value, json};
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Of every wallet.
const PASSWORD: &str = "a long password";

/// The encrypted secret of a host.
const SEALED: &str = "validator.json";

/// Where a host's node listens, and what starts programs there.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where other validators reach it; stands in the genesis file.
    pub public: SocketAddr,
    /// Where it listens for them.
    pub peer: SocketAddr,
    /// Where it serves JSON-RPC.
    pub rpc: SocketAddr,
    /// Where it serves metrics and health.
    pub metrics: SocketAddr,
    /// Command before the program; empty on this machine.
    pub enter: Vec<String>,
}

impl Place {
    /// The places of this machine, each with ports of its own.
    fn local(port_base: u16) -> Vec<Self> {
        let place = |host: u16| {
            let at = |first: u16| {
                let port = port_base.saturating_add(first).saturating_add(host);
                SocketAddr::from(([127, 0, 0, 1], port))
            };
            Self { public: at(0), peer: at(0), rpc: at(30), metrics: at(60), enter: Vec::new() }
        };
        (0..30).map(place).collect()
    }
}

/// A node's process.
#[derive(Debug)]
struct Running {
    host: u16,
    child: Child,
}

/// Nodes of one network on one machine; dropping it stops them.
#[derive(Debug)]
pub struct Testnet {
    directory: TempDir,
    places: Vec<Place>,
    running: Vec<Running>,
    /// Those of this machine; none where hosts have networks of their own.
    _ports: Option<Ports>,
    /// The account of the wallet `me`, which holds the coin.
    pub wallet: String,
}

impl Testnet {
    /// Writes a network of `hosts` validators and starts a node for each. `extra` goes to
    /// `sahara testnet init`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(hosts: u16, extra: &[&str]) -> Result<Self> {
        let ports = Ports::claim()?;
        let mut network = Self::start_at(Place::local(ports.base), hosts, extra)?;
        network._ports = Some(ports);
        Ok(network)
    }

    /// As [`Self::start`], at places of one's own.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_at(places: Vec<Place>, hosts: u16, extra: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut network =
            Self { directory, places, running: Vec::new(), _ports: None, wallet: String::new() };
        network.write("password", PASSWORD)?;
        let made = network.wallet("me")?;
        network.wallet = made;
        let genesis = network.path("testnet");
        let addresses: Vec<_> = (0..hosts).map(|host| network.address(host).to_string()).collect();
        let mut arguments = vec!["testnet", "init", "--plain-key", "--account", &network.wallet];
        arguments.push("--directory");
        let place = genesis.display().to_string();
        arguments.push(&place);
        for address in &addresses {
            arguments.extend(["--host", address]);
        }
        arguments.extend(extra);
        network.run(&arguments)?;
        for host in 0..hosts {
            network.node(host, &[])?;
        }
        Ok(network)
    }

    /// Makes a wallet that is quick to open, and returns its account.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn wallet(&self, name: &str) -> Result<String> {
        let key = SigningKey::random();
        let wallet = Keystore::encrypt(&key, PASSWORD, KeystoreCost::Light)?;
        fs::create_dir_all(self.path("wallets"))?;
        self.write(&format!("wallets/{name}.json"), &wallet.to_json())?;
        Ok(key.address().to_string())
    }

    /// A file or directory of this network.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// As [`Self::path`], as an argument.
    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        Ok(fs::write(self.path(name), content)?)
    }

    /// Where a host is.
    ///
    /// # Panics
    /// When there is no such host.
    fn place(&self, host: u16) -> &Place {
        let place = self.places.get(usize::from(host));
        #[expect(clippy::expect_used, reason = "the test names its own hosts")]
        place.expect("a host of this network")
    }

    /// Where a host's node is reached by others.
    pub fn address(&self, host: u16) -> SocketAddr {
        self.place(host).public
    }

    /// JSON-RPC of a host's node.
    pub fn rpc(&self, host: u16) -> Rpc {
        Rpc::new(format!("http://{}", self.place(host).rpc))
    }

    /// A host's metrics and health.
    pub fn metrics(&self, host: u16) -> String {
        format!("http://{}", self.place(host).metrics)
    }

    /// The network key of a host.
    ///
    /// # Errors
    /// When its secret cannot be read.
    pub fn network_key(&self, host: u16) -> Result<String> {
        let (address, secret) = (self.address(host).to_string(), self.secret(host));
        let opening = self.opening(host);
        let mut arguments = vec!["validators", "entry", "--key-file", &secret];
        arguments.extend(["--fee-address", &self.wallet, "--address", &address]);
        arguments.extend(opening.iter().map(String::as_str));
        let made = self.run(&arguments)?;
        let key = made.get("networkKey").and_then(Value::as_str);
        Ok(key.wrap_err("a network key")?.to_owned())
    }

    /// The file with the secret of a host, as an argument.
    pub fn secret(&self, host: u16) -> String {
        let file = |name: &str| self.path(&format!("testnet/host-{host}/{name}"));
        let sealed = Some(file(SEALED)).filter(|file| file.exists());
        sealed.unwrap_or_else(|| file("validator.secret")).display().to_string()
    }

    /// How the file with the secret of a host is opened: `--plain-key`, or `--password-file FILE`.
    pub fn opening(&self, host: u16) -> Vec<String> {
        if self.secret(host).ends_with(SEALED) {
            return vec!["--password-file".into(), self.text("password")];
        }
        vec!["--plain-key".into()]
    }

    /// Makes the secret of a further host, in clear text.
    ///
    /// # Errors
    /// When there is one.
    pub fn add_host(&self, host: u16) -> Result<()> {
        fs::create_dir_all(self.path(&format!("testnet/host-{host}")))?;
        self.run(&["key", "new", "--plain-key", &self.secret(host)]).map(drop)
    }

    /// Makes the secret of a further host, encrypted.
    ///
    /// # Errors
    /// When there is one.
    pub fn add_sealed_host(&self, host: u16) -> Result<()> {
        fs::create_dir_all(self.path(&format!("testnet/host-{host}")))?;
        let file = self.text(&format!("testnet/host-{host}/{SEALED}"));
        self.run(&["key", "new", &file, "--password-file", &self.text("password")]).map(drop)
    }

    /// Starts a host's node, as its unit does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn node(&mut self, host: u16, extra: &[&str]) -> Result<()> {
        let log = processes::log(&self.path(&format!("node-{host}.log")))?;
        let place = self.place(host);
        let mut command = started(&place.enter, tools::program()?);
        let child = command
            .args(["node", "--follow-parent", "--genesis"])
            .arg(self.path("testnet/host-0/genesis.json"))
            .args(["--directory", &self.text(&format!("data-{host}"))])
            .args(["--key-file", &self.secret(host)])
            .args(self.opening(host))
            .args(["--peer-listen", &place.peer.to_string()])
            .args(["--rpc-listen", &place.rpc.to_string()])
            .args(["--metrics-listen", &place.metrics.to_string()])
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.running.push(Running { host, child });
        Ok(())
    }

    /// Ends a host's node with a signal and waits for it.
    ///
    /// # Errors
    /// When none runs there.
    pub fn end(&mut self, host: u16, kind: &str) -> Result<()> {
        let place = self.running.iter().position(|node| node.host == host);
        let mut node = self.running.swap_remove(place.wrap_err("no node of this host runs")?);
        processes::signal(kind, node.child.id())?;
        node.child.wait()?;
        Ok(())
    }

    /// Waits until a host's node ends by itself.
    ///
    /// # Errors
    /// When it goes on.
    pub async fn ended(&mut self, host: u16) -> Result<ExitStatus> {
        let start = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while start.elapsed() < processes::PATIENCE {
            tick.tick().await;
            let running = self.running.iter_mut().find(|node| node.host == host);
            let node = running.wrap_err("no node of this host runs")?;
            if let Some(status) = node.child.try_wait()? {
                self.running.retain(|node| node.host != host);
                return Ok(status);
            }
        }
        bail!("node {host} did not end\n{}", self.logs())
    }

    /// Process id of a host's node.
    ///
    /// # Errors
    /// When none runs there.
    pub fn pid(&self, host: u16) -> Result<u32> {
        let node = self.running.iter().find(|node| node.host == host);
        Ok(node.wrap_err("no node of this host runs")?.child.id())
    }

    /// What a host's node wrote into its log.
    pub fn log(&self, host: u16) -> String {
        fs::read_to_string(self.path(&format!("node-{host}.log"))).unwrap_or_default()
    }

    /// Runs the program against host 0 and reads its JSON.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, arguments: &[&str]) -> Result<Value> {
        self.run_at(0, arguments)
    }

    /// Runs the program against a host and reads its JSON.
    ///
    /// # Errors
    /// When it fails.
    pub fn run_at(&self, host: u16, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(tools::program()?);
        command.args(arguments).args(["--json", "--rpc", &self.rpc(host).url, "--data-dir"]);
        tools::run(command.arg(self.directory.path()))
    }

    /// Waits until `what` holds, looking every 20 ms.
    ///
    /// # Errors
    /// When it does not hold in time; the error holds the logs.
    pub async fn until<T>(&self, name: &str, what: impl AsyncFnMut() -> Option<T>) -> Result<T> {
        processes::until(name, what, || self.logs()).await
    }

    /// Waits until a host's node has a block.
    ///
    /// # Errors
    /// When it does not get it in time.
    pub async fn reaches(&self, host: u16, height: u64) -> Result<()> {
        let rpc = self.rpc(host);
        let reached = async || rpc.height().await.ok().filter(|reached| *reached >= height);
        self.until(&format!("node {host} reaches block {height}"), reached).await.map(drop)
    }

    /// Whether all these hosts have the same block at a height, which they wait for.
    ///
    /// # Errors
    /// When they have not.
    pub async fn agree(&self, hosts: &[u16], height: u64) -> Result<()> {
        let mut seen = Vec::new();
        for host in hosts {
            self.reaches(*host, height).await?;
            let asked = json!([format!("{height:#x}"), false]);
            let block = self.rpc(*host).call("eth_getBlockByNumber", asked).await?;
            seen.push((block.get("hash").cloned(), block.get("stateRoot").cloned()));
        }
        let all_same = seen.windows(2).all(|pair| pair.first() == pair.get(1));
        ensure!(all_same, "a fork at {height}: {seen:?}");
        Ok(())
    }

    /// Votes of these kinds, as `Nullify`, that a host's node has sent in its epoch, repetitions too.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn votes(&self, host: u16, kinds: &[&str]) -> Result<u64> {
        let page = reqwest::get(format!("{}/metrics", self.metrics(host))).await?.text().await?;
        let is_asked =
            |line: &&str| kinds.iter().any(|kind| line.contains(&format!("message=\"{kind}\"")));
        page.lines()
            .filter(|line| line.contains("_outbound_messages_total{"))
            .filter(is_asked)
            .filter_map(|line| line.rsplit(' ').next())
            .map(|count| Ok(count.parse::<u64>()?))
            .sum()
    }

    /// A host counts its whole state, row by row: it comes to the root in the header of the block that it
    /// counted after, and to all the coin there is. Nothing else reads every flat row.
    ///
    /// # Errors
    /// When it comes to something else, or does not answer.
    pub async fn recount(&self, host: u16) -> Result<()> {
        let rpc = self.rpc(host);
        let counted = rpc.call("sahara_recount", json!([])).await?;
        let asked = json!([counted.get("blockNumber"), false]);
        let block = rpc.call("eth_getBlockByNumber", asked).await?;
        let told = rpc.call("sahara_supply", json!([])).await?;
        for (name, expected) in [
            ("blockHash", block.get("hash")),
            ("stateRoot", block.get("stateRoot")),
            ("total", told.get("total")),
        ] {
            let found = counted.get(name);
            ensure!(
                found.is_some() && found == expected,
                "host {host} counts another {name}: {counted}, expected {expected:?}"
            );
        }
        Ok(())
    }

    /// The last lines of every node's log.
    pub fn logs(&self) -> String {
        let mut files: Vec<_> =
            (0..30).map(|host| self.path(&format!("node-{host}.log"))).collect();
        files.retain(|path| path.is_file());
        processes::tails(&files)
    }
}

impl Drop for Testnet {
    fn drop(&mut self) {
        for node in &mut self.running {
            drop(processes::signal("TERM", node.child.id()));
        }
        for node in &mut self.running {
            drop(node.child.wait());
        }
    }
}

fn started(enter: &[String], program: PathBuf) -> Command {
    let Some((first, rest)) = enter.split_first() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(rest).arg(program);
    command
}
