//! `sahara up` and `sahara down`.

use crate::{
    cli::Up,
    commands::{gateway, key, worker},
    failure::Failure,
    local::{Child, Network, Ports, Supervisor, dev, directory, node_arguments, prepare, seed},
    model,
    output::Format,
    secret,
    session::Session,
    stop,
};
use eyre::{Result, WrapErr, bail, eyre};
use sahara_chain::genesis::GenesisFile;
use sahara_client::ChainClient;
use sahara_primitives::{Amount, B256};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, IsTerminal, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The longest a part may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Jobs at a time of the local worker.
const MAX_JOBS: usize = 8;

/// Starts a network and keeps it running until it is asked to stop.
pub(crate) async fn run(up: &Up, session: &Session, format: Format) -> Result<()> {
    if up.detach {
        return detach(up, session, format);
    }
    let local = directory(&session.places);
    let ports = Ports::new(up.port_base)
        .ok_or_else(|| eyre!("the port base leaves no room for a hundred ports"))?;
    let say = |step: &str| eprintln!("{step}");
    ports_are_free(&ports, up.validators)?;
    let places = session.places.clone();
    let model =
        tokio::task::spawn_blocking(move || model::ensure(&places, &|step| eprintln!("{step}")))
            .await??;
    let file = prepare(&local, up.validators)?;
    fs::write(local.join("supervisor.pid"), std::process::id().to_string())?;
    let mut supervisor = Supervisor::new();
    let starting = Start { up, local: &local, ports, file: &file, model, session, say: &say };
    let network = tokio::select! {
        network = starting.run(&mut supervisor) => network,
        () = stop::asked(false) => Err(eyre!("stopped before the network was ready")),
    };
    let network = match network {
        Ok(network) => network,
        Err(error) => {
            supervisor.stop().await;
            return Err(error);
        }
    };
    ready(&network, format)?;
    let ended = tokio::select! {
        () = stop::asked(false) => Ok(()),
        error = supervisor.broken() => Err(error),
    };
    say("stopping");
    supervisor.stop().await;
    fs::remove_file(local.join("supervisor.pid")).wrap_err("could not remove supervisor.pid")?;
    ended
}

/// A taken port is said at once, not after a minute of restarts.
fn ports_are_free(ports: &Ports, validators: u16) -> Result<()> {
    let nodes =
        (0..validators).flat_map(|i| [ports.rpc_of(i), ports.metrics_of(i), ports.peer_of(i)]);
    for port in nodes.chain([ports.gateway, ports.worker]) {
        std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            Failure::network(format!("port {port} cannot be used ({error}): try --port-base 20000"))
        })?;
    }
    Ok(())
}

struct Start<'a> {
    up: &'a Up,
    local: &'a Path,
    ports: Ports,
    file: &'a GenesisFile,
    model: PathBuf,
    session: &'a Session,
    say: &'a (dyn Fn(&str) + Sync),
}

impl Start<'_> {
    async fn run(&self, supervisor: &mut Supervisor) -> Result<Network> {
        (self.say)("starting the chain");
        let mut network = self.network()?;
        for index in 0..self.up.validators {
            let arguments = node_arguments(self.local, self.file, &self.ports, index)?;
            supervisor.add(self.child(&format!("node-{index}"), arguments));
        }
        let client = ChainClient::new(&network.rpc)?;
        self.until("the chain", async || client.block_number().await.is_ok()).await?;
        let seed = seed::Seed { client: &client };
        (self.say)("bonding worker and gateway");
        seed.services(&format!("http://127.0.0.1:{}", self.ports.worker), &network.gateway).await?;
        if !self.up.no_demo {
            (self.say)("registering a dataset, a model and an agent");
            network.assets = seed.assets(self.weights().await?).await?;
            seed.offers(&network.assets).await?;
            seed.deposit().await?;
            network.model = Some(String::from("trail-guide"));
        }
        (self.say)("loading the model");
        self.services(&network, supervisor)?;
        let health = |port: u16| format!("http://127.0.0.1:{port}/health");
        for (name, url) in
            [("worker", health(self.ports.worker)), ("gateway", health(self.ports.gateway))]
        {
            self.until(name, async || {
                self.session.http.get(&url).send().await.is_ok_and(|r| r.status().is_success())
            })
            .await?;
        }
        if !self.up.no_demo {
            self.until("the catalogue", async || self.is_listed(&network).await).await?;
            network.api_key = Some(self.api_key(&client, &network).await?);
        }
        network.write(self.local)?;
        Ok(network)
    }

    fn network(&self) -> Result<Network> {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let mut accounts = BTreeMap::new();
        for (role, index) in dev::ROLES {
            accounts.insert(role.to_owned(), dev::key(index)?.address());
        }
        for (index, validator) in self.file.validators.as_slice().iter().enumerate() {
            accounts.insert(format!("validator_{index}"), validator.fee_address);
        }
        Ok(Network {
            chain_id: self.file.config.chain_id,
            genesis_hash: self.file.build()?.block.hash(),
            rpc: url(self.ports.rpc),
            rpcs: (0..self.up.validators).map(|index| url(self.ports.rpc_of(index))).collect(),
            gateway: url(self.ports.gateway),
            metrics: format!("{}/metrics", url(self.ports.metrics)),
            ports: self.ports,
            accounts,
            assets: BTreeMap::new(),
            model: None,
            api_key: None,
        })
    }

    fn child(&self, name: &str, arguments: Vec<String>) -> Child {
        Child {
            name: name.to_owned(),
            arguments,
            log: self.local.join("logs").join(format!("{name}.log")),
        }
    }

    /// BLAKE3 of the weights.
    async fn weights(&self) -> Result<B256> {
        let path = self.model.clone();
        tokio::task::spawn_blocking(move || {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(fs::File::open(path)?)?;
            Ok(B256::from(*hasher.finalize().as_bytes()))
        })
        .await?
    }

    /// Writes the configurations of worker and gateway and starts both.
    fn services(&self, network: &Network, supervisor: &mut Supervisor) -> Result<()> {
        let loopback = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (worker_dir, gateway_dir) = (self.local.join("worker"), self.local.join("gateway"));
        for (directory, role) in [(&worker_dir, "worker"), (&gateway_dir, "gateway")] {
            fs::create_dir_all(directory)?;
            secret::write(&directory.join("key.secret"), &dev::key_of(role)?)?;
        }
        let worker = worker::Config {
            rpc: network.rpc.clone(),
            listen: loopback(self.ports.worker),
            key_file: worker_dir.join("key.secret"),
            data_dir: worker_dir.clone(),
            gateways: vec![dev::key_of("gateway")?.address()],
            engine: worker::EngineConfig::Own {
                model: self.model.clone(),
                threads: self.up.threads,
            },
            max_jobs: MAX_JOBS,
        };
        let gateway = gateway::Config {
            rpc: network.rpc.clone(),
            listen: loopback(self.ports.gateway),
            url: network.gateway.clone(),
            hosts: Vec::new(),
            key_file: gateway_dir.join("key.secret"),
            data_dir: gateway_dir.clone(),
            genesis_hash: network.genesis_hash,
        };
        fs::write(worker_dir.join("config.json"), serde_json::to_vec_pretty(&worker)?)?;
        fs::write(gateway_dir.join("config.json"), serde_json::to_vec_pretty(&gateway)?)?;
        for (name, directory) in [("worker", worker_dir), ("gateway", gateway_dir)] {
            let config = directory.join("config.json").display().to_string();
            supervisor.add(self.child(name, vec![name.into(), "--config".into(), config]));
        }
        Ok(())
    }

    async fn is_listed(&self, network: &Network) -> bool {
        let Some(model) = &network.model else { return true };
        let answer =
            self.session.http.get(format!("{}/v1/models/{model}", network.gateway)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// The demonstration's API key: the one from before, or a new one.
    async fn api_key(&self, client: &ChainClient, network: &Network) -> Result<String> {
        if let Some(before) =
            Network::find(&self.session.places)?.and_then(|network| network.api_key)
        {
            let answer = self
                .session
                .http
                .get(format!("{}/v1/key", network.gateway))
                .bearer_auth(&before)
                .send()
                .await?;
            if answer.status().is_success() {
                return Ok(before);
            }
        }
        let limits = key::Limits {
            total: Amount::from_coins(500),
            per_day: Amount::from_coins(100),
            assets: vec![],
            days: 365,
        };
        let payer = dev::key_of("payer")?;
        Ok(key::create(&self.session.http, &network.gateway, client, &payer, &limits)
            .await?
            .api_key)
    }

    async fn until(&self, name: &str, mut answers: impl AsyncFnMut() -> bool) -> Result<()> {
        let start = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while start.elapsed() < PATIENCE {
            tick.tick().await;
            if answers().await {
                return Ok(());
            }
        }
        let logs = self.local.join("logs");
        Err(Failure::network(format!(
            "{name} did not answer within {} s: see {}",
            PATIENCE.as_secs(),
            logs.display()
        )))
    }
}

/// Tells that everything answers: one JSON line, or a page.
fn ready(network: &Network, format: Format) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if format == Format::Json {
        writeln!(out, "{}", serde_json::to_string(network)?)?;
    } else {
        writeln!(out, "{}", page(network))?;
    }
    Ok(out.flush()?)
}

fn page(network: &Network) -> String {
    let payer = network.accounts.get("payer").map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![
        format!(
            "\nready  JSON-RPC {}  gateway {}  metrics {}",
            network.rpc, network.gateway, network.metrics
        ),
        String::new(),
        format!("  chain id      {}", network.chain_id),
        format!("  account       {payer} (account 0 of the public test mnemonic, funded)"),
    ];
    if let (Some(key), Some(model)) = (&network.api_key, &network.model) {
        lines.push(format!("  API key       {key} (at most 500 SAHARA, 100 a day)"));
        lines.push(String::from("\ntry\n  sahara chat \"Name three islands of Indonesia.\""));
        lines.push(format!(
            "  curl {}/v1/chat/completions -H \"Authorization: Bearer {key}\" -H \"Content-Type: application/json\" \\\n    \
             -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello!\"}}]}}'",
            network.gateway
        ));
        lines.push(String::from("  sahara earnings --follow"));
    } else {
        lines.push(String::from(
            "\nbare: no assets and no API key; see `sahara asset register --help`",
        ));
    }
    lines.push(String::from("\nCtrl-C stops it; everything is kept."));
    lines.join("\n")
}

/// Starts `up` in the background and returns when it is ready.
fn detach(up: &Up, session: &Session, format: Format) -> Result<()> {
    let local = directory(&session.places);
    fs::create_dir_all(local.join("logs"))?;
    let log = fs::File::create(local.join("logs/up.log"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--json").arg("--data-dir").arg(&session.places.data).arg("up");
    command.args([
        "--validators",
        &up.validators.to_string(),
        "--threads",
        &up.threads.to_string(),
    ]);
    if let Some(base) = up.port_base {
        command.args(["--port-base", &base.to_string()]);
    }
    if up.no_demo {
        command.arg("--no-demo");
    }
    let errors = if std::io::stderr().is_terminal() { Stdio::inherit() } else { Stdio::from(log) };
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn()?;
    let mut line = String::new();
    let output =
        child.stdout.take().ok_or_else(|| eyre!("the background process has no output"))?;
    BufReader::new(output).read_line(&mut line)?;
    if line.is_empty() {
        bail!("the network did not start: see {}", local.join("logs").display());
    }
    ready(
        &serde_json::from_str(&line)
            .wrap_err("the background process said something unexpected")?,
        format,
    )
}

/// Stops a network that runs in the background.
pub(crate) async fn down(session: &Session, format: Format) -> Result<()> {
    let file = directory(&session.places).join("supervisor.pid");
    let Ok(pid) = fs::read_to_string(&file) else {
        return Err(Failure::not_found(format!(
            "no running network in {}",
            session.places.data.display()
        )));
    };
    let sent = Command::new("kill").arg(pid.trim()).status()?;
    if !sent.success() {
        fs::remove_file(&file)?;
        return Err(Failure::not_found("the network was not running any more"));
    }
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let start = Instant::now();
    while file.exists() {
        tick.tick().await;
        if start.elapsed() > PATIENCE {
            bail!("the network does not stop: its process is {pid}");
        }
    }
    format.print(&"stopped", |text| (*text).to_owned())
}
