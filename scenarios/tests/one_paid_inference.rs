//! A stranger asks, an agent answers, and everyone who made it possible holds the money.

use alloy_primitives::{Address, B256, Bytes, LogData, U256};
use alloy_sol_types::SolEvent;
use eyre::{ContextCompat, Result, bail, ensure};
use sahara_abi::{CHANNELS, IChannels, INCENTIVE_POOL, IRoyalties};
use sahara_scenarios::{Network, Options, Rpc, node, python};
use serde_json::{Value, json};

const QUESTION: &str = "Name two islands of Indonesia.";

/// One settled answer, as the chain's own events tell it.
#[derive(Debug)]
struct Settled {
    block: u64,
    gas_fee: U256,
    collected: IChannels::Collected,
    earned: Vec<IChannels::Earned>,
    fees: IChannels::FeesPaid,
    parts: Vec<IRoyalties::Part>,
}

fn number(value: &Value, field: &str) -> Result<U256> {
    let text = value.get(field).and_then(Value::as_str);
    text.wrap_err_with(|| format!("no {field} in {value}"))?.parse().map_err(Into::into)
}

fn events<E: SolEvent>(receipt: &Value) -> Result<Vec<E>> {
    let mut found = Vec::new();
    for log in receipt.get("logs").and_then(Value::as_array).wrap_err("a receipt has logs")? {
        let topics: Vec<B256> =
            serde_json::from_value(log.get("topics").cloned().unwrap_or_default())?;
        let data: Bytes = serde_json::from_value(log.get("data").cloned().unwrap_or_default())?;
        found.extend(E::decode_log_data(&LogData::new_unchecked(topics, data)).ok());
    }
    Ok(found)
}

async fn settled(network: &Network, id: &str) -> Result<Settled> {
    let http = reqwest::Client::new();
    let url = format!("{}/v1/receipts/{id}", network.gateway()?);
    let key = network.text("/api_key")?;
    let receipt = network
        .until(&format!("receipt {id} is settled"), async || {
            let answer: Value =
                http.get(&url).bearer_auth(&key).send().await.ok()?.json().await.ok()?;
            (answer.get("state")?.as_str()? == "settled").then_some(answer)
        })
        .await?;
    let hash = receipt
        .get("transaction")
        .and_then(Value::as_str)
        .wrap_err("a settled receipt has a transaction")?;
    let receipt = network.rpc(0)?.call("eth_getTransactionReceipt", json!([hash])).await?;
    let one = |count: usize| ensure_one(count, id);
    let (collected, fees) =
        (events::<IChannels::Collected>(&receipt)?, events::<IChannels::FeesPaid>(&receipt)?);
    one(collected.len())?;
    Ok(Settled {
        block: number(&receipt, "blockNumber")?.to(),
        gas_fee: number(&receipt, "gasUsed")? * number(&receipt, "effectiveGasPrice")?,
        collected: collected.into_iter().next().wrap_err("one")?,
        earned: events(&receipt)?,
        fees: fees.into_iter().next().wrap_err("a claim pays fees")?,
        parts: events::<IRoyalties::Paid>(&receipt)?
            .into_iter()
            .flat_map(|paid| paid.parts)
            .collect(),
    })
}

fn ensure_one(count: usize, id: &str) -> Result<()> {
    ensure!(count == 1, "the claim of {id} collects from {count} channels, expected one");
    Ok(())
}

fn usage<'a>(answer: &'a Value, path: &str) -> Result<&'a Value> {
    answer.pointer(path).wrap_err_with(|| format!("no {path} in {answer}"))
}

fn tokens(usage: &Value, field: &str) -> Result<U256> {
    let count = usage
        .get(field)
        .and_then(Value::as_u64)
        .wrap_err_with(|| format!("no {field} in {usage}"))?;
    Ok(U256::from(count))
}

/// `ceil((read * input + written * output) / 1,000,000)` for prices in whole SAHARA.
fn price(read: U256, written: U256, input: u64, output: u64) -> U256 {
    let coin = U256::from(10).pow(U256::from(18));
    let sum = (read * U256::from(input) + written * U256::from(output)) * coin;
    sum.div_ceil(U256::from(1_000_000))
}

fn bps(amount: U256, points: u64) -> U256 {
    amount * U256::from(points) / U256::from(10_000)
}

async fn gain(network: &Network, account: Address, block: u64) -> Result<U256> {
    let at = async |number: u64| network.balance(account, &format!("0x{number:x}")).await;
    let (before, after) = (at(block - 1).await?, at(block).await?);
    after.checked_sub(before).wrap_err_with(|| format!("{account} lost coin in block {block}"))
}

/// Everything one answer must pay, to the last unit.
async fn check_payment(network: &Network, usage: &Value) -> Result<Settled> {
    let id = usage.get("receipt").and_then(Value::as_str).wrap_err("usage has a receipt")?;
    let settled = settled(network, id).await?;
    let (read, written) = (tokens(usage, "prompt_tokens")?, tokens(usage, "completion_tokens")?);
    let (worker, asset) = (price(read, written, 20, 60), price(read, written, 20, 60));
    let [line] = settled.earned.as_slice() else {
        bail!("one answer earns one line: {:?}", settled.earned)
    };
    ensure!(line.workerAmount == worker, "worker {} != {worker}", line.workerAmount);
    ensure!(line.assetAmount == asset, "asset {} != {asset}", line.assetAmount);
    let charge = worker + asset + settled.fees.protocolFee + settled.fees.gatewayFee;
    ensure!(U256::from(settled.collected.amount) == charge, "the charge is the sum of its parts");
    ensure!(
        number(usage, "cost_base_units")? == charge,
        "the bill {usage} says what the chain collected, {charge}"
    );
    // Fees are of the channel's running base: within one unit of the receipt's own.
    let base = worker + asset;
    for (fee, rate) in [(settled.fees.protocolFee, 100), (settled.fees.gatewayFee, 200)] {
        ensure!(
            fee.abs_diff(bps(base, rate)) <= U256::from(1),
            "a fee of {fee} is not {rate} bps of {base}"
        );
    }
    let (dataset, model) = (bps(asset, 1_000), bps(asset, 2_000));
    for (role, expected) in [
        ("dataset_creator", dataset),
        ("model_creator", model),
        ("agent_creator", asset - dataset - model),
        ("worker", worker),
    ] {
        let gained =
            gain(network, network.address(&format!("/accounts/{role}"))?, settled.block).await?;
        ensure!(
            gained == expected,
            "{role} gained {gained} in block {}, expected {expected}",
            settled.block
        );
    }
    let parts: U256 = settled.parts.iter().map(|part| part.amount).sum();
    ensure!(parts == asset, "the parts are {parts} of {asset}");
    let all_at_once = settled.parts.iter().all(|part| !part.account.is_zero());
    ensure!(all_at_once, "sole owners are credited in the paying call: {:?}", settled.parts);
    check_fees(network, &settled).await?;
    Ok(settled)
}

/// Gateway, validators and incentive pool: fees and gas, nothing burned.
async fn check_fees(network: &Network, settled: &Settled) -> Result<()> {
    let gas = settled.gas_fee;
    let pool = gain(network, INCENTIVE_POOL, settled.block).await?;
    let pool_gas = bps(gas, 200);
    ensure!(pool == settled.fees.protocolFee + pool_gas, "the incentive pool gained {pool}");
    let validator = gain(network, network.address("/accounts/validator_0")?, settled.block).await?;
    // It has all of its stake itself; of what is divided by shares, less than a unit waits.
    ensure!(
        validator.abs_diff(gas - pool_gas) <= U256::from(1),
        "the validator gained {validator} of {gas} gas fees"
    );
    let gateway = network.address("/accounts/gateway")?;
    let at = async |number: u64| network.balance(gateway, &format!("0x{number:x}")).await;
    let (before, after) = (at(settled.block - 1).await?, at(settled.block).await?);
    ensure!(
        before + settled.fees.gatewayFee == after + gas,
        "the gateway paid its gas and got its fee"
    );
    let held = async |number: u64| network.balance(CHANNELS, &format!("0x{number:x}")).await;
    let left = held(settled.block - 1).await? - held(settled.block).await?;
    ensure!(
        left == U256::from(settled.collected.amount),
        "channels gave {left}, exactly the charge"
    );
    Ok(())
}

fn client_environment(network: &Network) -> Result<(String, String)> {
    Ok((format!("{}/v1", network.gateway()?), network.text("/api_key")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_pays_everyone_in_its_lineage() -> Result<()> {
    let mut network = Network::start(Options::default())?;
    let (base, key) = client_environment(&network)?;
    let environment = [("OPENAI_BASE_URL", base.as_str()), ("OPENAI_API_KEY", key.as_str())];
    let answers = python("openai_chat.py", &["trail-guide", QUESTION], &environment)?;
    let text = usage(&answers, "/plain/text")?.as_str().unwrap_or_default();
    ensure!(!text.trim().is_empty(), "the weights answered nothing: {answers}");
    ensure!(
        answers.pointer("/plain/text") == answers.pointer("/streamed/text"),
        "the same seed repeats: {answers}"
    );
    check_payment(&network, usage(&answers, "/plain/usage")?).await?;
    check_payment(&network, usage(&answers, "/streamed/usage")?).await?;

    let other = node("openai_chat.mjs", &["trail-guide", "What is two plus two?"], &environment)?;
    ensure!(
        other.get("text") != answers.pointer("/plain/text"),
        "another question has another answer"
    );
    check_payment(&network, usage(&other, "/usage")?).await?;

    let chat = network.sahara(&["chat", "--max-tokens", "12", "Hello!"])?;
    check_payment(&network, usage(&chat, "/usage")?).await?;
    verify_offline(&network, &chat)?;
    ethereum_tools(&network)?;

    network.stop()?;
    let recount = network.sahara(&["supply", "--recount"])?;
    ensure!(recount.get("holds") == Some(&json!(true)), "{recount}");
    Ok(())
}

/// The receipt of an answer holds by itself, and no altered one does.
fn verify_offline(network: &Network, chat: &Value) -> Result<()> {
    let id =
        usage(chat, "/usage/receipt")?.as_str().wrap_err("a receipt's id is a text")?.to_owned();
    let bundle = network.sahara(&["receipt", "get", &id])?;
    let file = network.directory().join("receipt.json");
    let path = file.display().to_string();
    let genesis = network.genesis()?.to_string();
    let verify = ["receipt", "verify", path.as_str(), "--genesis", genesis.as_str()];
    std::fs::write(&file, bundle.to_string())?;
    network.sahara(&verify)?;
    for (field, forged) in [
        ("/bundle/receipt/usage/completion_tokens", json!(1)),
        ("/bundle/receipt/bill/worker", json!("0x1")),
        ("/bundle/receipt/seq", json!(77)),
        ("/bundle/gatewaySignature", json!("0x00")),
    ] {
        let mut altered = bundle.clone();
        *altered.pointer_mut(field).wrap_err_with(|| format!("no {field} in {bundle}"))? = forged;
        std::fs::write(&file, altered.to_string())?;
        ensure!(network.sahara(&verify).is_err(), "a bundle with a forged {field} was accepted");
    }
    Ok(())
}

/// viem, ethers and x402 as strangers use them.
fn ethereum_tools(network: &Network) -> Result<()> {
    let seen = node("ethereum.mjs", &[&network.text("/rpc")?], &[])?;
    ensure!(seen.get("chainId") == Some(&json!(724_272)), "{seen}");
    ensure!(seen.pointer("/viem/status") == Some(&json!("success")), "{seen}");
    ensure!(seen.pointer("/viem/balance") == Some(&json!("1500000000000000000")), "{seen}");
    ensure!(
        seen.pointer("/multicall/supply") == Some(&json!("10000000000000000000000000000")),
        "{seen}"
    );
    ensure!(seen.pointer("/multicall/balance") == Some(&json!("1500000000000000000")), "{seen}");
    ensure!(seen.pointer("/ethers/status") == Some(&json!(1)), "{seen}");
    ensure!(seen.pointer("/ethers/balance") == Some(&json!("2000000000000000000")), "{seen}");
    let paywall = node("x402.mjs", &[&network.gateway()?, "trail-guide"], &[])?;
    ensure!(paywall.get("status") == Some(&json!(402)), "{paywall}");
    ensure!(paywall.pointer("/required/x402Version") == Some(&json!(2)), "{paywall}");
    ensure!(
        paywall.pointer("/required/accepts/0/network") == Some(&json!("eip155:724272")),
        "{paywall}"
    );
    Ok(())
}

/// Registers an asset with the command line and returns its id.
fn register(network: &Network, arguments: &[&str]) -> Result<String> {
    let mut command = vec!["asset", "register"];
    command.extend(arguments);
    Ok(usage(&network.sahara(&command)?, "/asset")?.to_string())
}

fn model_of(network: &Network, dataset: &str, name: &str, royalty: &str) -> Result<String> {
    let parent = format!("{dataset}:trained-on");
    let about = ["--kind", "model", "--name", name, "--content", &content(network)?];
    let terms = ["--parent", &parent, "--derivative-royalty", royalty, "--dev-account", "7"];
    register(network, &[about.as_slice(), terms.as_slice()].concat())
}

fn content(network: &Network) -> Result<String> {
    let file = network.directory().join("content");
    std::fs::write(&file, "rows")?;
    Ok(file.display().to_string())
}

/// Three accounts that never held coin.
const MEMBERS: [&str; 3] = [
    "0x00000000000000000000000000000000000fee01",
    "0x00000000000000000000000000000000000fee02",
    "0x00000000000000000000000000000000000fee03",
];

/// A dataset of three contributors, two models trained on it, an agent that embeds both.
#[derive(Debug)]
struct Diamond {
    dataset: String,
    left: String,
    right: String,
    agent: String,
}

impl Diamond {
    fn register(network: &Network) -> Result<Self> {
        let [a, b, c] = MEMBERS.map(|member| format!("{member}:1"));
        let about = ["--kind", "dataset", "--name", "d", "--content", &content(network)?];
        let terms = ["--derivative-royalty", "700", "--dev-account", "6"];
        let members = ["--member", &a, "--member", &b, "--member", &c];
        let dataset = register(network, &[about.as_slice(), &terms, &members].concat())?;
        let left = model_of(network, &dataset, "left", "300")?;
        let right = model_of(network, &dataset, "right", "1100")?;
        let (first, second) = (format!("{left}:embeds"), format!("{right}:embeds"));
        let about = ["--kind", "agent", "--name", "diamond", "--prompt", "Answer briefly."];
        let parents = ["--parent", &first, "--parent", &second];
        let terms = ["--input-price", "10", "--output-price", "10", "--dev-account", "8"];
        let agent = register(network, &[about.as_slice(), &parents, &terms].concat())?;
        Ok(Self { dataset, left, right, agent })
    }

    fn check_preview(&self, network: &Network) -> Result<()> {
        let parents = [format!("{}:embeds", self.left), format!("{}:embeds", self.right)];
        let [first, second] = &parents;
        let preview =
            network.sahara(&["asset", "preview", "--parent", first, "--parent", second])?;
        let parts =
            preview.get("parts").and_then(Value::as_array).wrap_err("a preview has parts")?;
        let mut shares: Vec<u64> =
            parts.iter().filter_map(|part| part.get("share")?.as_u64()).collect();
        shares.sort_unstable();
        ensure!(
            shares == [300, 700, 1_100, 7_900],
            "each ancestor once, the whole in all: {preview}"
        );
        Ok(())
    }

    /// What each pool took of the asset's part, and what each of three members holds.
    fn check_parts(&self, network: &Network, settled: &Settled) -> Result<()> {
        let asset = settled.earned.first().wrap_err("a line")?.assetAmount;
        let part = |id: &str| -> Result<U256> {
            let id: u64 = id.parse()?;
            let mut found = settled.parts.iter().filter(|one| one.asset == id);
            let amount = found.next().wrap_err_with(|| format!("asset {id} took no part"))?.amount;
            ensure!(found.next().is_none(), "asset {id} was paid twice");
            Ok(amount)
        };
        let (d, l, r) = (part(&self.dataset)?, part(&self.left)?, part(&self.right)?);
        let expected = (bps(asset, 700), bps(asset, 300), bps(asset, 1_100));
        ensure!((d, l, r) == expected, "{d} {l} {r} of {asset}");
        ensure!(part(&self.agent)? == asset - d - l - r, "the remainder is the agent's own");
        for member in MEMBERS {
            let balance = network.sahara(&["wallet", "balance", member])?;
            let total = number(&balance, "wallet")? + number(&balance, "earned")?;
            ensure!(total == d / U256::from(3), "{member} holds a third of {d}: {balance}");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diamond_pays_each_ancestor_once_and_a_line_over_the_cap_is_refused() -> Result<()> {
    let network = Network::start(Options::default())?;
    let diamond = Diamond::register(&network)?;
    diamond.check_preview(&network)?;
    let offer = ["--input-price", "1", "--output-price", "1", "--dev-account", "4"];
    network.sahara(&[&["asset", "serve", diamond.agent.as_str()], offer.as_slice()].concat())?;
    let (http, listed) =
        (reqwest::Client::new(), format!("{}/v1/models/diamond", network.gateway()?));
    network
        .until("the diamond is served", async || {
            http.get(&listed).send().await.ok()?.status().is_success().then_some(())
        })
        .await?;
    let chat = network.sahara(&["chat", "--model", "diamond", "--max-tokens", "5", "Hello!"])?;
    let id = usage(&chat, "/usage/receipt")?.as_str().unwrap_or_default();
    diamond.check_parts(&network, &settled(&network, id).await?)?;

    let mut over = vec![String::from("asset"), String::from("preview")];
    for name in ["g1", "g2", "g3"] {
        let model = model_of(&network, &diamond.dataset, name, "1900")?;
        over.extend([String::from("--parent"), format!("{model}:embeds")]);
    }
    let over: Vec<&str> = over.iter().map(String::as_str).collect();
    let refusal = network.sahara(&over).err().wrap_err("6,400 bps pass the cap of 5,000")?;
    ensure!(refusal.to_string().contains("RoyaltyCapExceeded"), "{refusal}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_charged_once_and_refusals_cost_nothing() -> Result<()> {
    let network = Network::start(Options::default())?;
    let (base, key) = client_environment(&network)?;
    let http = reqwest::Client::new();
    let body = json!({"model": "trail-guide", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]});
    let ask = async |id: &str, body: &Value| -> Result<(u16, Value)> {
        let request = http
            .post(format!("{base}/chat/completions"))
            .bearer_auth(&key)
            .header("Idempotency-Key", id);
        let answer = request.json(body).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    };
    let (status, first) = ask("one", &body).await?;
    ensure!(status == 200, "{first}");
    let (status, again) = ask("one", &body).await?;
    ensure!(
        status == 200 && again.pointer("/usage/receipt") == first.pointer("/usage/receipt"),
        "{again}"
    );
    let other = json!({"model": "trail-guide", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let (status, refused) = ask("one", &other).await?;
    ensure!(status == 422, "the same id with another body: {refused}");
    let id = usage(&first, "/usage/receipt")?.as_str().unwrap_or_default();
    settled(&network, id).await?;
    let rpc = network.rpc(0)?;
    let charged = collected(&rpc).await?;
    ensure!(
        charged.len() == 1,
        "one answer, asked three times, was collected {} times",
        charged.len()
    );

    let environment = [
        ("OPENAI_BASE_URL", base.as_str()),
        ("OPENAI_API_KEY", key.as_str()),
        ("MODEL", "trail-guide"),
    ];
    let refusals = python("openai_refusals.py", &[], &environment)?;
    let status = |case: &str| refusals.pointer(&format!("/{case}/1")).and_then(Value::as_u64);
    ensure!(status("unknown_model") == Some(404), "{refusals}");
    ensure!(status("bad_key") == Some(401), "{refusals}");
    for case in ["over_long", "bad_role", "negative_tokens"] {
        ensure!(status(case) == Some(400), "{case}: {refusals}");
    }
    ensure!(collected(&rpc).await?.len() == 1, "a refusal was charged");
    empty_balance(&network, &http).await
}

async fn collected(rpc: &Rpc) -> Result<Vec<Value>> {
    let filter = json!([{
        "address": CHANNELS, "fromBlock": "0x0", "toBlock": "latest", "topics": [IChannels::Collected::SIGNATURE_HASH],
    }]);
    let logs = rpc.call("eth_getLogs", filter).await?;
    Ok(logs.as_array().cloned().unwrap_or_default())
}

/// A payer without a deposit is told so before any work, in a form that stock clients do not retry.
async fn empty_balance(network: &Network, http: &reqwest::Client) -> Result<()> {
    let refused = network.sahara(&["key", "create", "--dev-account", "9"]).err();
    let refused = refused.wrap_err("a payer without a deposit gets no key")?.to_string();
    ensure!(refused.contains("deposit"), "{refused}");
    let made = network.sahara(&["key", "create", "--dev-account", "9", "--fund", "1"])?;
    network.sahara(&["wallet", "withdraw", "1", "--dev-account", "9"])?;
    let key = usage(&made, "/api_key")?.as_str().unwrap_or_default().to_owned();
    let body = json!({"model": "trail-guide", "messages": [{"role": "user", "content": "Hi"}]});
    let url = format!("{}/v1/chat/completions", network.gateway()?);
    let answer = http.post(url).bearer_auth(key).json(&body).send().await?;
    ensure!(
        answer.status().as_u16() == 402,
        "an empty deposit is answered with {}",
        answer.status()
    );
    let answer: Value = answer.json().await?;
    ensure!(answer.pointer("/error/code") == Some(&json!("insufficient_quota")), "{answer}");
    Ok(())
}
