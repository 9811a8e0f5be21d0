//! Assets as people publish them: weights and a corpus, read from their own files, kept in a vault,
//! downloaded by `sahara` and by the unmodified `hf download`, and refused to who has no right.

use alloy_primitives::{Address, B256, U256, aliases::U96};
use eyre::{ContextCompat, Result, bail, ensure, eyre};
use sahara_abi::{
    ASSETS, CONTRIBUTIONS, IAssets, IContributions,
    ILicenses::{self, Template},
    LICENSES,
};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{
    Amount,
    merkle_sum::{Contribution, SumTree},
};
use sahara_scenarios::{Network, Options, hf, package, program};
use sahara_vault::{Document, Manifest, slug};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
const MIB: u64 = 1 << 20;

fn key(index: u32) -> Result<SigningKey> {
    Ok(SigningKey::from_mnemonic(TEST_MNEMONIC, index)?)
}

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    value.pointer(path).and_then(Value::as_str).wrap_err_with(|| format!("no {path} in {value}"))
}

fn number(value: &Value, path: &str) -> Result<u64> {
    value.pointer(path).and_then(Value::as_u64).wrap_err_with(|| format!("no {path} in {value}"))
}

fn weights(network: &Network) -> Result<PathBuf> {
    Ok(text(&network.sahara(&["model", "path"])?, "")?.into())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().wrap_err("a path is not UTF-8")
}

/// Starts the program without waiting for it.
fn start(network: &Network, arguments: &[&str]) -> Result<Child> {
    let directory = network.directory();
    let data = directory.parent().wrap_err("the network has no directory")?;
    let mut command = Command::new(program()?);
    command.args(arguments).arg("--json").arg("--data-dir").arg(data);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// The largest unfinished file below a directory.
fn unfinished(directory: &Path, end: &str) -> Option<(PathBuf, u64)> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let sized = entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.len())));
    sized.filter(|(path, _)| path.to_string_lossy().ends_with(end)).max_by_key(|(_, size)| *size)
}

/// Lets a program come as far as some MiB into a file, then kills it.
async fn kill_within(
    network: &Network,
    mut child: Child,
    (directory, end): (&Path, &str),
) -> Result<PathBuf> {
    let found = network
        .until("a few MiB are there", async || {
            unfinished(directory, end).filter(|(_, size)| *size > 8 * MIB)
        })
        .await?;
    child.kill()?;
    child.wait()?;
    ensure!(found.0.exists(), "it was done before it could be killed");
    Ok(found.0)
}

/// Runs `hf download` as a stranger has it.
async fn download(endpoint: &str, arguments: &[&str], token: Option<&str>) -> Result<Output> {
    let home = tempfile::tempdir()?;
    let mut command = tokio::process::Command::new(hf()?);
    command
        .arg("download")
        .args(arguments)
        .env("HF_ENDPOINT", endpoint)
        .env("HF_HOME", home.path())
        .env("HF_HUB_DISABLE_TELEMETRY", "1")
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env_remove("HF_TOKEN")
        .stdin(Stdio::null());
    if let Some(token) = token {
        command.env("HF_TOKEN", token);
    }
    Ok(command.output().await?)
}

fn succeeded(output: &Output) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "hf failed: {said}");
    Ok(())
}

/// `hf` failed, and said this.
fn failed(output: &Output, words: &str) -> Result<()> {
    let out = String::from_utf8_lossy(&output.stdout);
    let said = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(!output.status.success(), "hf was not refused: {said}");
    ensure!(said.contains(words), "hf says {said:?}, expected {words:?}");
    Ok(())
}

fn sha256(path: &Path) -> Result<String> {
    let manifest = Manifest::of(path)?;
    Ok(manifest.files.first().wrap_err("no file")?.sha256.clone())
}

/// A proxy that cuts the first long answer after some MiB, and remembers ranges that were asked for.
async fn cutting_proxy(gateway: &str) -> Result<(String, Arc<Mutex<Vec<String>>>)> {
    let target = gateway.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (ranges, cut) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(false)));
    let seen = Arc::clone(&ranges);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (target, seen, cut) = (target.clone(), Arc::clone(&seen), Arc::clone(&cut));
            tokio::spawn(async move { drop(pass(client, &target, seen, cut).await) });
        }
    });
    Ok((url, ranges))
}

async fn pass(
    client: TcpStream,
    target: &str,
    seen: Arc<Mutex<Vec<String>>>,
    cut: Arc<Mutex<bool>>,
) -> Result<()> {
    let server = TcpStream::connect(target).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = from_client.read(&mut buffer).await?;
            if count == 0 {
                return Ok::<(), eyre::Report>(());
            }
            let head =
                String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()).to_lowercase();
            let ranges = head.lines().filter(|line| line.starts_with("range: "));
            seen.lock().map_err(|_| eyre!("poisoned"))?.extend(ranges.map(str::to_owned));
            to_server.write_all(buffer.get(..count).unwrap_or_default()).await?;
        }
    };
    let down = async move {
        let (mut buffer, mut passed) = (vec![0; 64 << 10], 0_u64);
        loop {
            let count = from_server.read(&mut buffer).await?;
            passed += count as u64;
            let is_first = {
                let mut cut = cut.lock().map_err(|_| eyre!("poisoned"))?;
                passed > 20 * MIB && !std::mem::replace(&mut *cut, true)
            };
            if count == 0 || is_first {
                return Ok::<(), eyre::Report>(());
            }
            to_client.write_all(buffer.get(..count).unwrap_or_default()).await?;
        }
    };
    tokio::select! { ended = up => ended, ended = down => ended }
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_published_and_downloaded_whatever_breaks_off() -> Result<()> {
    let network = Network::start(Options { demo: false, ..Options::default() })?;
    let (gateway, weights) = (network.gateway()?, weights(&network)?);
    let from = path(&weights)?;

    // What is said of the file is held to the file; the rest is read in it.
    let wrong = "0".repeat(64);
    let (code, error) =
        network.refused(&["asset", "register", "--from", from, "--expect", &wrong])?;
    ensure!(code == 4 && text(&error, "/message")?.contains("no file"), "{error}");
    let register = ["asset", "register", "--from", from, "--expect", SHA256, "--dev-account", "2"];
    let asset = number(&network.sahara(&register)?, "/asset")?.to_string();
    let shown = network.sahara(&["asset", "show", &asset])?;
    ensure!(text(&shown, "/kind")? == "model", "{shown}");
    ensure!(text(&shown, "/license")?.eq_ignore_ascii_case("apache-2.0"), "{shown}");
    let name = text(&shown, "/name")?.to_owned();
    ensure!(name.to_lowercase().contains("smollm2"), "{shown}");
    ensure!(text(&shown, "/metadata_uri")?.contains("\"parameters\":134515008"), "{shown}");
    ensure!(text(&shown, "/document_hash")?.len() == 66, "{shown}");

    // Only the owner pushes; killed in the middle, it goes on.
    let (code, error) = network.refused(&["asset", "push", &asset, from, "--dev-account", "3"])?;
    ensure!(code == 4 && text(&error, "/message")?.contains("may not push"), "{error}");
    let vault = network.directory().join(format!("gateway/vault/assets/{asset}"));
    let push = ["asset", "push", &asset, from, "--dev-account", "2"];
    let begun = start(&network, &push)?;
    kill_within(&network, begun, (&vault, ".partial")).await?;
    let pushed = network.sahara(&push)?;
    let (size, moved) = (number(&pushed, "/size")?, number(&pushed, "/moved")?);
    ensure!(moved <= size - 8 * MIB, "nothing that was there is sent again: {pushed}");
    ensure!(number(&network.sahara(&push)?, "/moved")? == 0, "a second push sends nothing");
    let (sealed, _) = unfinished(&vault, ".sealed").wrap_err("nothing is sealed")?;
    ensure!(!fs::read(&sealed)?.windows(4).take(4_096).any(|bytes| bytes == b"GGUF"));

    // The unmodified client, whose connection breaks off once, goes on where it was.
    let creator = format!("{:?}", key(2)?.address()).to_lowercase();
    let repository = format!("{creator}/{}", slug(&name));
    let (proxy, ranges) = cutting_proxy(&gateway).await?;
    let there = tempfile::tempdir()?;
    let got = download(&proxy, &[&repository, "--local-dir", path(there.path())?], None).await?;
    succeeded(&got)?;
    let file = weights.file_name().wrap_err("no name")?;
    ensure!(sha256(&there.path().join(file))? == SHA256);
    let ranges = ranges.lock().map_err(|_| eyre!("poisoned"))?.clone();
    ensure!(ranges.iter().any(|range| range != "range: bytes=0-"), "it went on: {ranges:?}");
    failed(&download(&gateway, &[&format!("{creator}/no-such")], None).await?, "not found")?;
    let missing = download(&gateway, &[&format!("asset/{asset}"), "no-such.txt"], None).await?;
    failed(&missing, "File not found in model")?;

    pulled(&network, (&asset, &weights), size).await?;
    let verified = network.sahara(&["asset", "verify", &asset, from])?;
    ensure!(text(&verified, "/vault")? == "same" && text(&verified, "/files")? == "same");

    // What is changed on the vault's disk is not handed out.
    let mut disk = fs::OpenOptions::new().write(true).open(&sealed)?;
    disk.seek(SeekFrom::Start(3 * MIB))?;
    disk.write_all(b"damaged")?;
    let elsewhere = tempfile::tempdir()?;
    let (code, error) = network.refused(&["asset", "pull", &asset, path(elsewhere.path())?])?;
    ensure!(code == 1 && text(&error, "/message")?.contains("vault failed"), "{error}");
    Ok(())
}

/// Our own client, killed, and with a byte of what it had changed meanwhile.
async fn pulled(network: &Network, (asset, weights): (&str, &Path), size: u64) -> Result<()> {
    let file = weights.file_name().wrap_err("no name")?;
    let here = tempfile::tempdir()?;
    let pull = ["asset", "pull", asset, path(here.path())?];
    let begun = start(network, &pull)?;
    let partial = kill_within(network, begun, (here.path(), ".partial")).await?;
    let mut damaged = fs::OpenOptions::new().write(true).open(&partial)?;
    damaged.seek(SeekFrom::Start(5 * MIB))?;
    damaged.write_all(b"damaged")?;
    let pulled = network.sahara(&pull)?;
    ensure!(number(&pulled, "/moved")? == size - 5 * MIB, "{pulled}");
    ensure!(sha256(&here.path().join(file))? == SHA256);
    ensure!(number(&network.sahara(&pull)?, "/moved")? == 0, "it is here already");
    Ok(())
}

/// A corpus as its authors wrote it, with a card and a Croissant description.
struct Corpus {
    directory: tempfile::TempDir,
    /// Every conversation, with the account of its topic.
    rows: Vec<Contribution>,
}

fn corpus() -> Result<Corpus> {
    let source = package("chatterbot_corpus")?.join("data/english");
    let directory = tempfile::tempdir()?;
    let mut files: Vec<_> = fs::read_dir(source)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let (mut rows, mut described) = (Vec::new(), Vec::new());
    for (topic, file) in (100_u32..).zip(&files) {
        let name = file.file_name().and_then(|name| name.to_str()).wrap_err("no name")?;
        let content = fs::read_to_string(file)?;
        fs::write(directory.path().join(name), &content)?;
        let contributor = key(topic)?.address();
        let conversations = content.lines().filter(|line| line.starts_with("- - "));
        rows.extend(conversations.map(|_| Contribution { contributor, units: 1 }));
        let hash = sha256(file)?;
        described.push(serde_json::json!({
            "@type": "cr:FileObject", "name": name, "contentUrl": name, "sha256": hash,
        }));
    }
    let croissant = serde_json::json!({
        "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "ChatterBot corpus", "version": "1.3.3", "distribution": described,
    });
    fs::write(directory.path().join("croissant.json"), croissant.to_string())?;
    let card = "---\nlicense: bsd-3-clause\nlanguage:\n- en\ntags: [conversations]\npretty_name: ChatterBot corpus, English\n---\nShort conversations by topic, written by the authors of ChatterBot.\n";
    fs::write(directory.path().join("README.md"), card)?;
    Ok(Corpus { directory, rows })
}

async fn send<C: alloy_sol_types::SolCall>(
    client: &ChainClient,
    (signer, to, value): (&SigningKey, Address, Amount),
    call: &C,
) -> Result<sahara_client::TxOutcome> {
    Ok(client.send(signer, to, value, call).await?)
}

impl Corpus {
    /// Registers the corpus with every conversation as a contribution, and offers licences.
    async fn publish(&self, client: &ChainClient, owner: &SigningKey) -> Result<(u64, B256)> {
        let manifest = Manifest::of(self.directory.path())?;
        let document = Document::of(self.directory.path(), &manifest)?;
        let checked = document.croissant.as_ref().map_or(0, |found| found.checked_files);
        ensure!(checked == 21, "Croissant's hashes are those of {checked} files");
        let registration = IAssets::Registration {
            kind: IAssets::Kind::Dataset,
            contentHash: manifest.hash()?,
            metadataURI: document.uri(&serde_json::Map::new())?,
            inputPrice: 0,
            outputPrice: 0,
            derivativeRoyalty: 1_000,
            derivatives: IAssets::Derivatives::Open,
            edges: Vec::new(),
            members: Vec::new(),
            ownerUnits: U96::from(100_u64),
            isOpen: true,
        };
        let by_owner = (owner, ASSETS, Amount::ZERO);
        let outcome = send(client, by_owner, &IAssets::registerCall { registration }).await?;
        let asset = outcome.events::<IAssets::Registered>();
        let asset = asset.first().wrap_err("nothing was registered")?.data.asset;
        let root = SumTree::new(&self.rows)?.root();
        let commit = IContributions::commitCall {
            asset,
            root: root.root,
            units: U96::from(root.units),
            count: root.count,
        };
        send(client, (owner, CONTRIBUTIONS, Amount::ZERO), &commit).await?;
        send(client, by_owner, &IAssets::sealCall { asset }).await?;
        let template = ILicenses::templateCall {
            template: Template::CommercialRemix,
            price: Amount::from_coins(5).to_u128().wrap_err("a price")?,
            derivativeRoyalty: 1_000,
        };
        let data = client.call(LICENSES, &template).await?;
        let by_owner = (owner, LICENSES, Amount::ZERO);
        let outcome = send(client, by_owner, &ILicenses::registerTermsCall { data }).await?;
        let terms = outcome.events::<ILicenses::TermsRegistered>();
        let terms = terms.first().wrap_err("no terms")?.data.terms;
        send(client, by_owner, &ILicenses::offerCall { asset, terms }).await?;
        Ok((asset, terms))
    }

    /// The last contributor is enrolled by a stranger, and has what was due since the first sale.
    async fn pays_its_last_contributor(&self, client: &ChainClient, asset: u64) -> Result<()> {
        let tree = SumTree::new(&self.rows)?;
        let index = u32::try_from(self.rows.len() - 1)?;
        let row = self.rows.last().wrap_err("no rows")?;
        let proof = tree.prove(index).wrap_err("no proof")?;
        let sibling = |node: &sahara_primitives::merkle_sum::SumNode| IContributions::Sibling {
            hash: node.hash,
            sum: U96::from(node.sum),
        };
        let activation = IContributions::Activation {
            index,
            contributor: row.contributor,
            units: U96::from(row.units),
            proof: proof.siblings.iter().map(sibling).collect(),
        };
        let due = IContributions::dueForCall { asset, units: U96::from(row.units) };
        let due = client.call(CONTRIBUTIONS, &due).await?;
        ensure!(!due.is_zero(), "two licences were sold");
        let call = IContributions::activateCall { asset, activations: vec![activation] };
        send(client, (&key(9)?, CONTRIBUTIONS, Amount::ZERO), &call).await?;
        let has = client.balance(row.contributor).await?;
        ensure!(has.base_units() == due, "{has} of {due}");
        Ok(())
    }
}

async fn buy(client: &ChainClient, who: &SigningKey, (asset, terms): (u64, B256)) -> Result<()> {
    let quote = client.call(LICENSES, &ILicenses::quoteCall { terms, quantity: 1 }).await?;
    let value: U256 = quote.price + quote.fee;
    let account = who.address();
    let purchase =
        ILicenses::Purchase { asset, terms, quantity: 1, holder: account, user: account };
    let by_buyer = (who, LICENSES, Amount::from_base_units(value));
    send(client, by_buyer, &ILicenses::buyCall { purchase }).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corpus_is_licensed_trained_on_and_refused_to_others() -> Result<()> {
    let network = Network::start(Options::default())?;
    let client = ChainClient::new(&network.rpc(0)?.url)?;
    let (gateway, api_key) = (network.gateway()?, network.text("/api_key")?);
    let corpus = corpus()?;
    let directory = path(corpus.directory.path())?;
    let (owner, model_maker, payer) = (key(1)?, key(2)?, key(0)?);
    let offer = corpus.publish(&client, &owner).await?;
    let asset = offer.0.to_string();
    // The document is read in the files once more, and is the one on chain.
    network.sahara(&["asset", "push", &asset, directory, "--dev-account", "1"])?;

    // Without a licence nobody reads it, trains on it, or learns more than its card.
    let creator = format!("{:?}", owner.address()).to_lowercase();
    let repository = format!("{creator}/chatterbot-corpus-english");
    let there = tempfile::tempdir()?;
    let local = path(there.path())?;
    let ask = [repository.as_str(), "--repo-type", "dataset", "--local-dir", local];
    for token in [None, Some(api_key.as_str())] {
        failed(&download(&gateway, &ask, token).await?, "requires approval")?;
    }
    failed(&download(&gateway, &ask, Some("sk-of-nobody")).await?, "Invalid credentials")?;
    let elsewhere = tempfile::tempdir()?;
    let pull = ["asset", "pull", &asset, path(elsewhere.path())?];
    for account in [None, Some("7")] {
        let signer = account.map_or(vec![], |account| vec!["--dev-account", account]);
        let (code, error) = network.refused(&[pull.as_slice(), &signer].concat())?;
        ensure!(code == 4 && text(&error, "/message")?.contains("licence"), "{error}");
    }
    let weights = weights(&network)?;
    let parent = format!("{asset}:trained-on");
    let train = [
        "asset",
        "register",
        "--from",
        path(&weights)?,
        "--parent",
        &parent,
        "--dev-account",
        "2",
        "--derivative-royalty",
        "500",
    ];
    let (_, error) = network.refused(&train)?;
    ensure!(text(&error, "/message")?.contains("RightMissing"), "{error}");

    // With one, all of it works, down a line of derivatives.
    buy(&client, &model_maker, offer).await?;
    buy(&client, &payer, offer).await?;
    succeeded(&download(&gateway, &ask, Some(&api_key)).await?)?;
    let names: BTreeMap<_, _> = Manifest::of(corpus.directory.path())?
        .files
        .into_iter()
        .map(|file| (file.path, file.sha256))
        .collect();
    ensure!(names.len() == 23, "{names:?}");
    for (name, hash) in &names {
        ensure!(sha256(&there.path().join(name))? == *hash, "{name}");
    }
    let pulled = network.sahara(&[pull.as_slice(), &["--dev-account", "2"]].concat())?;
    ensure!(number(&pulled, "/files")? == 23, "{pulled}");
    let model = number(&network.sahara(&train)?, "/asset")?;
    line(&network, offer.0, model)?;
    corpus.pays_its_last_contributor(&client, offer.0).await
}

/// A model, an adapter of it and an agent that embeds that have the corpus in their lineage.
fn line(network: &Network, corpus: u64, model: u64) -> Result<()> {
    let tuned = derive(network, "adapter", (model, "finetuned-from"), "6")?;
    let agent = derive(network, "agent", (tuned, "embeds"), "7")?;
    let shown = network.sahara(&["asset", "show", &agent.to_string()])?;
    let ancestors = shown.get("ancestors").and_then(Value::as_array).wrap_err("no ancestors")?;
    let ancestors: Vec<_> = ancestors.iter().filter_map(|row| row.get("asset")?.as_u64()).collect();
    ensure!(ancestors == [corpus, model, tuned], "{shown}");
    Ok(())
}

/// Registers a derivative with a file of its own.
fn derive(network: &Network, kind: &str, (parent, relation): (u64, &str), by: &str) -> Result<u64> {
    let directory = tempfile::tempdir()?;
    let card = format!("---\ntags: [demo]\n---\n# An {kind}\n\nMade from asset {parent}.\n");
    fs::write(directory.path().join("README.md"), card)?;
    let parent = format!("{parent}:{relation}");
    let registered = network.sahara(&[
        "asset",
        "register",
        "--kind",
        kind,
        "--from",
        path(directory.path())?,
        "--parent",
        &parent,
        "--derivative-royalty",
        "300",
        "--dev-account",
        by,
    ])?;
    let Some(asset) = registered.get("asset").and_then(Value::as_u64) else {
        bail!("nothing was registered: {registered}")
    };
    let verified = asset.to_string();
    let push = ["asset", "push", &verified, path(directory.path())?, "--dev-account", by];
    network.sahara(&push)?;
    network.sahara(&["asset", "verify", &verified, path(directory.path())?])?;
    Ok(asset)
}
