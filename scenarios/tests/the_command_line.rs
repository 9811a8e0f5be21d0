//! The program as a person and a script meet it: keys that end, a network that starts and stops,
//! refusals that say what to do.

use alloy_primitives::U256;
use eyre::{ContextCompat, Result, ensure};
use sahara_primitives::Amount;
use sahara_scenarios::{Network, Options, program};
use serde_json::{Value, json};
use std::{net::TcpListener, path::Path, process::Command};

fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str> {
    value.pointer(path).and_then(Value::as_str).wrap_err_with(|| format!("no {path} in {value}"))
}

/// An amount as programs read it: base units in hexadecimal.
fn units(value: &Value, path: &str) -> Result<U256> {
    Ok(text(value, path)?.parse()?)
}

fn coins(count: u64) -> U256 {
    U256::from(count) * U256::from(10).pow(U256::from(18))
}

/// What the network's program is asked to do fails with this code, and says this.
fn refuses(network: &Network, arguments: &[&str], code: i32, words: &str) -> Result<()> {
    let (exit, error) = network.refused(arguments)?;
    ensure!(exit == code, "{arguments:?} exits with {exit}, expected {code}: {error}");
    ensure!(error.get("exit_code") == Some(&json!(code)), "{error}");
    let message = text(&error, "/message")?;
    ensure!(message.contains(words), "{arguments:?} says {message:?}, expected {words:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_watched_and_ended_without_its_gateway() -> Result<()> {
    let network = Network::start(Options::default())?;
    let limits = ["--limit", "2", "--daily-limit", "1", "--name", "laptop"];
    let create = [["key", "create", "--dev-account", "8", "--fund", "3"].as_slice(), &limits];
    let made = network.sahara(&create.concat())?;
    ensure!(text(&made, "/risk")?.contains("at most 2 SAHARA in all and 1 on one day"), "{made}");
    let key = text(&made, "/api_key")?.to_owned();
    let shown = network.sahara(&["key", "show", "laptop"])?;
    ensure!(text(&shown, "/standing/state")? == "unused", "{shown}");
    ensure!(units(&shown, "/standing/at_risk")? == coins(2), "{shown}");

    let chat = network.sahara(&["chat", "--api-key", &key, "--max-tokens", "3", "Hello!"])?;
    ensure!(chat.pointer("/usage/receipt").is_some(), "{chat}");
    let shown = network.shown(&["key", "show", "laptop"])?;
    ensure!(shown.contains("active") && shown.contains("a lying gateway"), "{shown}");

    // The gateway says nothing any more; the payer needs only the chain.
    network.signal("gateway", "STOP")?;
    refuses(&network, &["key", "revoke", "laptop", "--dev-account", "7"], 4, "NotPayer")?;
    refuses(&network, &["key", "close", "laptop"], 4, "`sahara key revoke laptop` comes first")?;
    tried(&network, &["key", "revoke", "laptop"])?;
    let shown = network.sahara(&["key", "show", "laptop"])?;
    ensure!(text(&shown, "/standing/state")? == "active", "a dry run ends nothing: {shown}");
    let ended = network.sahara(&["key", "revoke", "laptop"])?;
    ensure!(
        !units(&ended, "/returns")?.is_zero(),
        "a part of the headroom is still set aside: {ended}"
    );
    ensure!(ended.get("closable_at").is_some_and(Value::is_u64), "{ended}");
    refuses(&network, &["key", "revoke", "laptop"], 4, "revoked before")?;
    refuses(&network, &["key", "close", "laptop", "--dry-run"], 4, "close it then")?;
    refuses(&network, &["key", "close", "laptop"], 4, "close it then")?;
    let shown = network.sahara(&["key", "show", "laptop"])?;
    ensure!(text(&shown, "/standing/state")? == "closing", "{shown}");
    ensure!(shown.pointer("/standing/at_risk") == ended.get("returns"), "{shown}");
    let list = network.shown(&["key", "list"])?;
    ensure!(list.contains("laptop") && list.contains("revoked, closing"), "{list}");
    network.signal("gateway", "CONT")?;

    let answer = network
        .until("the gateway refuses the key", async || {
            let body = json!({"model": "trail-guide", "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}]});
            let url = format!("{}/v1/chat/completions", network.gateway().ok()?);
            let asked = reqwest::Client::new().post(url).bearer_auth(&key).json(&body).send();
            let answer = asked.await.ok()?;
            (answer.status().as_u16() == 401).then_some(answer)
        })
        .await?;
    let answer: Value = answer.json().await?;
    ensure!(text(&answer, "/error/message")?.contains("revoked"), "{answer}");
    refuses(&network, &["chat", "--api-key", &key, "Hello!"], 4, "revoked")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_is_shown_to_people_and_proven_to_them() -> Result<()> {
    let network = Network::start(Options::default())?;
    let chat = network.shown(&["chat", "--max-tokens", "4", "Hello!"])?;
    for words in ["tokens read, 4 written", "owner of asset 1", "incentive pool", "transaction 0x"]
    {
        ensure!(chat.contains(words), "the bill says nothing of {words:?}: {chat}");
    }
    let id = chat.split(['(', ')']).find(|word| word.starts_with("rcpt_")).wrap_err("an id")?;
    let got = network.shown(&["receipt", "get", id])?;
    ensure!(got.contains("sahara receipt verify") && !got.contains("bundle"), "{got}");
    let file = network.directory().join("receipt.json");
    std::fs::write(&file, network.sahara(&["receipt", "get", id])?.to_string())?;
    let path = file.display().to_string();
    let shown = network.shown(&["receipt", "verify", &path])?;
    for words in [
        &format!("The receipt {id} holds."),
        &network.genesis()?.to_string(),
        "ok  genesis",
        "ok  validator set",
        "ok  certificate",
        "ok  claim",
        "ok  path",
        "ok  receipt",
        "ok  bill",
        "owner of asset 3",
    ] {
        ensure!(shown.contains(words), "nothing of {words:?}: {shown}");
    }
    ensure!(!shown.contains('{'), "no JSON for people: {shown}");
    let proven = network.sahara(&["receipt", "verify", &path])?;
    ensure!(text(&proven, "/id")? == id, "{proven}");
    let charged = chat.split("written: ").nth(1).and_then(|rest| rest.split(' ').next());
    let charged: Amount = charged.wrap_err("a bill")?.parse()?;
    ensure!(charged.base_units() == units(&proven, "/charged")?, "{chat} {proven}");
    let other = format!("0x{}", "11".repeat(32));
    refuses(&network, &["receipt", "verify", &path, "--genesis", &other], 4, "proves nothing")?;
    refuses(&network, &["receipt", "get", "rcpt_00_9"], 3, "there is no receipt")?;

    refuses(&network, &["chat"], 2, "standard input is empty")?;
    refuses(&network, &["chat", "  "], 2, "the message is empty")?;
    refuses(&network, &["chat", "--model", "nobody", "Hello!"], 3, "does not exist")?;
    refuses(&network, &["chat", "--api-key", "sk-wrong", "Hello!"], 4, "unknown API key")?;
    refuses(&network, &["asset", "show", "99"], 3, "no asset 99")?;
    refuses(&network, &["wallet", "send", "nobody", "1"], 2, "nobody")?;
    refuses(&network, &["supply", "--rpc", "http://127.0.0.1:9"], 5, "did not answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_in_the_background_is_seen_and_stopped() -> Result<()> {
    let network = Network::start(Options { validators: 1, demo: false })?;
    let status = network.shown(&["status"])?;
    for words in ["block ", "final, made ", "the only validator", "0 of 8 jobs running"] {
        ensure!(status.contains(words), "nothing of {words:?}: {status}");
    }
    // The same directory, and the same ports from another directory.
    refuses(&network, &["up", "--port-base", "30000"], 4, "`sahara down` stops it")?;
    refuses(&network, &["up", "--detach"], 4, "is running already")?;
    let other = tempfile::tempdir()?;
    let port = network.ready.pointer("/ports/rpc").and_then(Value::as_u64).wrap_err("a port")?;
    let up = Command::new(program()?)
        .args(["up", "--detach", "--json", "--no-demo", "--port-base", &port.to_string()])
        .arg("--data-dir")
        .arg(other.path())
        .output()?;
    let said: Value = serde_json::from_slice(&up.stdout)?;
    let message = text(&said, "/error/message")?;
    ensure!(
        message.contains(&format!("127.0.0.1:{port}, needed for the node's JSON-RPC")),
        "{said}"
    );
    ensure!(message.contains("--port-base") && up.status.code() == Some(4), "{said}");

    let stopped = network.sahara(&["down"])?;
    ensure!(stopped.get("stopped").is_some(), "{stopped}");
    let free = TcpListener::bind(("127.0.0.1", u16::try_from(port)?));
    ensure!(free.is_ok(), "after `down` the port is free");
    drop(free);
    refuses(&network, &["down"], 3, "nothing to stop")?;
    background(other.path(), &port.to_string())
}

/// Stops what a failing test left running.
struct Background<'a>(&'a Path);

impl Drop for Background<'_> {
    fn drop(&mut self) {
        drop(run(self.0, &["down"]));
    }
}

/// What the program prints, and its exit code.
fn run(place: &Path, arguments: &[&str]) -> Result<(String, i32)> {
    let mut sahara = Command::new(program()?);
    let output = sahara.args(arguments).arg("--data-dir").arg(place).output()?;
    Ok((String::from_utf8(output.stdout)?, output.status.code().unwrap_or(-1)))
}

fn background(place: &Path, base: &str) -> Result<()> {
    let guard = Background(place);
    let up = ["up", "--detach", "--no-demo", "--port-base", base];
    let (page, code) = run(place, &up)?;
    ensure!(code == 0 && page.contains("`sahara down` stops it"), "{code}: {page}");
    ensure!(!page.contains("Ctrl-C"), "nobody's Ctrl-C reaches it: {page}");
    let (page, code) = run(place, &["down"])?;
    ensure!(code == 0 && page.contains("everything is kept"), "{code}: {page}");
    drop(guard);
    // A silent network is a value that says so, not an error beside it.
    let (status, code) = run(place, &["status", "--json"])?;
    let status: Value = serde_json::from_str(&status)?;
    ensure!(code == 5 && status.get("is_fine") == Some(&json!(false)), "{code}: {status}");
    let (again, code) = run(place, &up)?;
    ensure!(code == 0, "it starts again from its directory: {again}");
    let (_, code) = run(place, &["down"])?;
    ensure!(code == 0, "and stops again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_free_is_awarded_and_earned_is_told_before_anything_is_sent() -> Result<()> {
    let network = Network::start(Options::default())?;
    let fees = network.shown(&["fees"])?;
    ensure!(fees.contains("98 % validators by seats, 2 % incentive pool"), "{fees}");
    ensure!(fees == network.shown(&["fees", "--defaults"])?, "a local network has the defaults");

    let classes = network.sahara(&["vest", "show"])?;
    let total = |row: usize| units(&classes, &format!("/{row}/total"));
    ensure!(total(3)? == coins(1_500_000_000), "the team's class: {classes}");
    // A quarter of 48 at month 12, the rest by the second until month 48.
    let plan = network.sahara(&["vest", "calc", "team", "48", "--delay", "30d"])?;
    ensure!(units(&plan, "/unlocks/0/amount")? == coins(12), "{plan}");
    ensure!(units(&plan, "/unlocks/1/amount")? == coins(36), "{plan}");
    ensure!(units(&plan, "/free_now")?.is_zero(), "{plan}");
    let steps = network.sahara(&["vest", "calc", "community", "48"])?;
    ensure!(steps.pointer("/unlocks/47").is_some(), "a part for each month: {steps}");
    refuses(&network, &["vest", "release", "4", "--dry-run"], 4, "NothingToRelease")?;
    refuses(&network, &["vest", "execute", "9", "--dry-run"], 4, "UnknownMove")?;

    let list = network.shown(&["award", "list"])?;
    ensure!(list.contains("no programmes, 0 SAHARA unassigned"), "{list}");
    let file = std::env::temp_dir().join(format!("sahara-terms-{}", std::process::id()));
    std::fs::write(&file, "what it is for")?;
    let file = file.display().to_string();
    let ask = ["award", "propose", "1", "--milestone", "5@30d", "--proposal", &file, "--dry-run"];
    refuses(&network, &ask, 4, "there is no programme 1: `sahara award list`")?;
    let wrong = ["award", "propose", "1", "--milestone", "5", "--proposal", &file];
    refuses(&network, &wrong, 2, "expected SAHARA@SPAN")?;
    refuses(&network, &["award", "show", "1"], 4, "there is no grant 1")?;
    let manager = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let call = network.sahara(&["award", "budget", manager, "500", "--terms", &file])?;
    ensure!(text(&call, "/data")?.len() > 2 + 8 + 4 * 64 - 1, "{call}");
    refuses(&network, &["award", "usage", "count", "1", "1"], 4, "no round has counted yet")?;
    std::fs::remove_file(&file)?;

    let estimate = network.sahara(&["stake", "calc", "1000", "--blocks", "100000"])?;
    ensure!(!units(&estimate, "/fees")?.is_zero(), "the demonstration paid for gas: {estimate}");
    ensure!(units(&estimate, "/a_year")? > units(&estimate, "/fees")?, "{estimate}");
    let leaving = network.shown(&["stake", "unbonding", manager])?;
    ensure!(leaving.contains("nothing of"), "{leaving}");
    let leave = ["stake", "undelegate", manager, "1", "--dry-run"];
    refuses(&network, &leave, 4, "UnknownValidator")?;
    nothing_is_sent(&network)?;
    nothing_is_kept(&network)
}

/// What is asked for is only tried, and would be taken.
fn tried(network: &Network, ask: &[&str]) -> Result<()> {
    let tried = network.sahara(&[ask, &["--dry-run"]].concat())?;
    ensure!(tried.get("would_be_taken") == Some(&json!(true)), "{ask:?}: {tried}");
    Ok(())
}

/// A dry run says what would become of it, and nothing does.
fn nothing_is_sent(network: &Network) -> Result<()> {
    let to = "0x00000000000000000000000000000000000d0d00";
    for ask in [
        ["wallet", "send", to, "1"].as_slice(),
        &["wallet", "fund", "1"],
        &["gov", "deposit", "1"],
        &["intent", "cancel", "3"],
    ] {
        tried(network, &[ask, &["--dev-account", "7"]].concat())?;
    }
    let held = network.sahara(&["wallet", "balance", to])?;
    ensure!(units(&held, "/wallet")?.is_zero(), "{held}");
    refuses(network, &["wallet", "send", to, "99999999999", "--dry-run"], 4, "")?;
    refuses(network, &["gov", "vote", "9", "for", "--dry-run"], 3, "there is no proposal 9")?;
    refuses(network, &["market", "settle", "9", "--dry-run"], 4, "UnknownAuction")?;
    refuses(network, &["dispute", "close", "9", "--dry-run"], 4, "")
}

/// A dry run leaves no asset, no offer and no key, neither on the chain nor on this machine.
fn nothing_is_kept(network: &Network) -> Result<()> {
    let many = |what: &[&str]| -> Result<usize> {
        let listed = network.sahara(what)?;
        Ok(listed.as_array().wrap_err_with(|| format!("no list: {listed}"))?.len())
    };
    let (assets, keys) = (many(&["asset", "list"])?, many(&["key", "list"])?);
    let rows = network.directory().join("rows.jsonl");
    std::fs::write(&rows, "{\"row\": 1}\n")?;
    let rows = rows.display().to_string();
    let register =
        ["asset", "register", "--from", &rows, "--kind", "dataset", "--dev-account", "7"];
    tried(network, &register)?;
    let document = network.directory().with_file_name("documents");
    ensure!(!document.exists(), "what is not registered is not kept for a push");
    let serve = ["asset", "serve", "1", "--input-price", "1", "--output-price", "1"];
    tried(network, &[&serve[..], &["--dev-account", "4"]].concat())?;
    let stranger = [&serve[..], &["--dev-account", "7", "--dry-run"]].concat();
    refuses(network, &stranger, 4, "not registered and bonded")?;

    let create = ["key", "create", "--name", "tried", "--dev-account", "7"];
    tried(network, &[&create[..], &["--fund", "3"]].concat())?;
    let poor = [&create[..], &["--dry-run"]].concat();
    refuses(network, &poor, 4, "has no deposit")?;
    let held = network.sahara(&["wallet", "balance", "--dev-account", "7"])?;
    ensure!(units(&held, "/deposit")?.is_zero(), "{held}");
    ensure!(many(&["asset", "list"])? == assets && many(&["key", "list"])? == keys);

    // A push compares files, chain and account before it says that the vault would take it.
    let registered = network.sahara(&register)?;
    let asset = registered.get("asset").and_then(Value::as_u64).wrap_err("an asset")?.to_string();
    let push = ["asset", "push", &asset, &rows];
    tried(network, &[&push[..], &["--dev-account", "7"]].concat())?;
    let verified = network.sahara(&["asset", "verify", &asset])?;
    ensure!(text(&verified, "/vault")? == "absent", "{verified}");
    let stranger = [&push[..], &["--dev-account", "6", "--dry-run"]].concat();
    refuses(network, &stranger, 4, "may not push")?;
    std::fs::write(&rows, "{\"row\": 2}\n")?;
    let changed = [&push[..], &["--dev-account", "7", "--dry-run"]].concat();
    refuses(network, &changed, 4, "is not the content of asset")
}
