//! `sahara up` and `sahara down`.

mod background;
mod page;

pub(crate) use background::down;

use crate::{
    cli::Up,
    commands::key,
    failure::Failure,
    local::{
        self, Child, Lock, Network, Ports, Supervisor, dev, directory, node_arguments, prepare,
        seed,
    },
    model,
    output::Format,
    secret,
    session::Session,
    stop,
};
use eyre::{Result, eyre};
use sahara_chain::genesis::GenesisFile;
use sahara_client::ChainClient;
use sahara_compute::EngineConfig;
use sahara_gateway::{AllowanceTerms, DEFAULT_VAULT_CAPACITY};
use sahara_primitives::{Amount, B256};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The longest a part may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// Jobs at a time of the local worker.
const MAX_JOBS: usize = 8;

/// What keys made in a browser get: about ninety short answers each, for two hundred of them a day.
fn newcomers() -> AllowanceTerms {
    let each = Amount::from_u128(500_000_000_000_000_000);
    AllowanceTerms { each, per_day: Amount::from_coins(100) }
}

/// Starts a network and keeps it running until it is asked to stop.
pub(crate) async fn run(up: &Up, session: &Session, format: Format) -> Result<()> {
    let local = directory(&session.places);
    let ports = Ports::new(up.port_base).ok_or_else(|| {
        Failure::usage("--port-base leaves no room for a hundred ports: expected at most 65000")
    })?;
    let say = |step: &str| eprintln!("{step}");
    local::writable(&local.join("logs"), "name another place with --data-dir")?;
    local::enough(&local, &say)?;
    let lock = Lock::take(&session.places)?;
    let file = prepare(&local, up.validators)?;
    ports.refuse_used(up.validators)?;
    if up.detach {
        // What takes long, or goes wrong at once, does so before this terminal's eyes.
        fetch(session).await?;
        lock.release()?;
        return background::start(up, session, format);
    }
    let mut supervisor = Supervisor::new();
    let plan = Plan { up, local: &local, file: &file, ports, session, say: &say };
    let ended = keep(plan, &mut supervisor, format).await;
    if ended.is_ok() {
        say("stopping");
    }
    supervisor.stop().await;
    lock.release()?;
    ended
}

/// The default model, fetched if it is not there.
async fn fetch(session: &Session) -> Result<PathBuf> {
    let places = session.places.clone();
    let model = move || model::ensure(&places, &|step| eprintln!("{step}"));
    tokio::select! {
        model = tokio::task::spawn_blocking(model) => model?,
        () = stop::asked(false) => Err(eyre!("stopped while the model was fetched")),
    }
}

/// What is to be started, and where.
struct Plan<'a> {
    up: &'a Up,
    local: &'a Path,
    file: &'a GenesisFile,
    ports: Ports,
    session: &'a Session,
    say: &'a (dyn Fn(&str) + Sync),
}

/// Starts everything and watches it until it is to stop.
async fn keep(plan: Plan<'_>, supervisor: &mut Supervisor, format: Format) -> Result<()> {
    let model = fetch(plan.session).await?;
    let Plan { up, local, file, ports, session, say } = plan;
    let starting = Start { up, local, ports, file, model, session, say };
    let network = tokio::select! {
        network = starting.run(supervisor) => network?,
        () = stop::asked(false) => return Err(eyre!("stopped before the network was ready")),
    };
    page::ready(&network, format, "Ctrl-C stops it; everything is kept.")?;
    tokio::select! {
        () = stop::asked(false) => Ok(()),
        error = supervisor.broken() => Err(error),
    }
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
            let arguments = node_arguments(self.local, self.file, &self.ports, (self.up, index))?;
            supervisor.add(self.child(&format!("node-{index}"), arguments));
        }
        let client = ChainClient::new(&network.rpc)?;
        self.until("the chain", supervisor, async || client.block_number().await.is_ok()).await?;
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
            self.until(name, supervisor, async || {
                self.session.http.get(&url).send().await.is_ok_and(|r| r.status().is_success())
            })
            .await?;
        }
        if !self.up.no_demo {
            self.until("the catalogue", supervisor, async || self.is_listed(&network).await)
                .await?;
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

    fn child(&self, name: &str, mut arguments: Vec<String>) -> Child {
        arguments.extend_from_slice(&self.session.logging);
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
        let worker = sahara_compute::ConfigFile {
            rpc: network.rpc.clone(),
            listen: loopback(self.ports.worker),
            hosts: Vec::new(),
            key_file: worker_dir.join("key.secret"),
            data_dir: worker_dir.clone(),
            gateways: vec![dev::key_of("gateway")?.address()],
            engine: EngineConfig::Own { model: self.model.clone(), threads: self.up.threads },
            max_jobs: MAX_JOBS,
        };
        let gateway = sahara_gateway::ConfigFile {
            rpc: network.rpc.clone(),
            listen: loopback(self.ports.gateway),
            url: network.gateway.clone(),
            hosts: Vec::new(),
            key_file: gateway_dir.join("key.secret"),
            data_dir: gateway_dir.clone(),
            api_requests_per_minute: None,
            vault_capacity: DEFAULT_VAULT_CAPACITY,
            genesis_hash: network.genesis_hash,
            log_period_seconds: self.up.log_period,
            allowance: Some(newcomers()),
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
            let limits: serde_json::Value = answer.json().await.unwrap_or_default();
            // A key that was revoked buys nothing.
            if limits.get("is_closing") == Some(&serde_json::Value::Bool(false)) {
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
        let at = (network.gateway.as_str(), client);
        Ok(key::create(self.session, at, &payer, (&limits, None)).await?.api_key)
    }

    async fn until(
        &self,
        name: &str,
        supervisor: &mut Supervisor,
        mut answers: impl AsyncFnMut() -> bool,
    ) -> Result<()> {
        let start = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while start.elapsed() < PATIENCE {
            tick.tick().await;
            if answers().await {
                return Ok(());
            }
            if let Some(error) = supervisor.is_broken() {
                return Err(error);
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
