//! A new node fetches the state of a running network of some thousand accounts instead of executing
//! its blocks, is killed while it does and after, and then follows as any other: same roots, same
//! answers, clear words about what it has not, and the blocks from before when it is told to keep all.

use alloy_consensus::TxEip1559;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use eyre::{ContextCompat, Result, ensure};
use sahara_client::SigningKey;
use sahara_scenarios::{Rpc, Testnet};
use serde_json::{Value, json};
use std::fs;

/// Accounts that the network has beside its own.
const ACCOUNTS: u64 = 3_000;
/// Transfers in one JSON-RPC batch.
const BATCH: usize = 100;

/// The n-th stranger.
fn stranger(number: u64) -> Address {
    Address::from_word(alloy_primitives::keccak256(number.to_be_bytes()))
}

/// Pays each stranger as many units as its number, and one.
async fn populate(rpc: &Rpc, payer: &SigningKey) -> Result<()> {
    let chain_id = rpc.call("eth_chainId", json!([])).await?;
    let chain_id: U256 = chain_id.as_str().wrap_err("a chain id")?.parse()?;
    let transfer = |nonce: u64| {
        let transaction = TxEip1559 {
            chain_id: chain_id.to(),
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(stranger(nonce)),
            value: U256::from(nonce.saturating_add(1)),
            ..TxEip1559::default()
        };
        Bytes::from(payer.sign_transaction(transaction).encoded_2718())
    };
    let http = reqwest::Client::new();
    for first in (0..ACCOUNTS).step_by(BATCH) {
        // The pool takes 2,048 of one sender.
        while nonce(rpc, payer).await?.saturating_add(1_500) < first {
            tokio::task::yield_now().await;
        }
        let batch = (first..).take(BATCH).map(|nonce| {
            let raw = transfer(nonce);
            json!({"jsonrpc": "2.0", "id": nonce, "method": "eth_sendRawTransaction", "params": [raw]})
        });
        let batch = batch.collect::<Vec<_>>();
        let answers: Value = http.post(&rpc.url).json(&batch).send().await?.json().await?;
        let refused =
            answers.as_array().into_iter().flatten().find(|one| one.get("error").is_some());
        ensure!(refused.is_none(), "a transfer was refused: {refused:?}");
    }
    while nonce(rpc, payer).await? < ACCOUNTS {
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn nonce(rpc: &Rpc, payer: &SigningKey) -> Result<u64> {
    let answer = rpc.call("eth_getTransactionCount", json!([payer.address(), "latest"])).await?;
    Ok(answer.as_str().wrap_err("a nonce")?.parse::<U256>()?.to())
}

/// What host 2 answers while it fetches.
async fn says_how_far(network: &Testnet) -> Result<()> {
    let rpc = network.rpc(2);
    let syncing = async || rpc.call("eth_syncing", json!([])).await.ok();
    let said = network.until("the newcomer answers", syncing).await?;
    ensure!(said.get("highestBlock").is_some_and(Value::is_string), "{said}");
    ensure!(rpc.call("eth_chainId", json!([])).await? == json!("0xb0d31"), "its chain");
    let refused = rpc.call("eth_blockNumber", json!([])).await.err().wrap_err("too early")?;
    ensure!(refused.to_string().contains("is fetching the state"), "{refused}");
    let ask = async |path: &str| reqwest::get(format!("{}{path}", network.metrics(2))).await;
    let health = ask("/health").await?;
    ensure!(health.status() == 200, "it should go on running");
    let health: Value = health.json().await?;
    ensure!(health.get("isSyncing") == Some(&json!(true)), "{health}");
    ensure!(ask("/ready").await?.status() == 503, "it is not worth asking yet");
    let page = ask("/metrics").await?.text().await?;
    ensure!(page.contains("\nsahara_sync_nodes_total ") && page.ends_with("# EOF\n"), "{page}");
    Ok(())
}

/// How often a host's log says something.
fn said(network: &Testnet, host: u16, what: &str) -> usize {
    let log = fs::read_to_string(network.path(&format!("node-{host}.log"))).unwrap_or_default();
    log.matches(what).count()
}

/// Some of those who were given coin have it there.
async fn has_the_strangers(rpc: &Rpc) -> Result<()> {
    for number in [0, 1, 777, ACCOUNTS - 1] {
        let held = rpc.call("eth_getBalance", json!([stranger(number), "latest"])).await?;
        let held: U256 = held.as_str().wrap_err("a balance")?.parse()?;
        ensure!(held == U256::from(number + 1), "stranger {number} holds {held}");
    }
    Ok(())
}

/// What it has not, it says.
async fn says_what_it_has_not(rpc: &Rpc, account: &str) -> Result<()> {
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x2", true])),
        ("eth_getLogs", json!([{"fromBlock": "0x1", "toBlock": "latest"}])),
        ("eth_getBalance", json!([account, "0x2"])),
        ("eth_getProof", json!([account, [], "0x2"])),
    ] {
        let refused = rpc.call(method, params).await.err().wrap_err(method)?.to_string();
        ensure!(refused.contains("not kept"), "{method}: {refused}");
    }
    Ok(())
}

/// Host 2 has after a while what host 0 has of the blocks from before, down to the first.
async fn fetches_the_past(network: &Testnet) -> Result<()> {
    let (ours, theirs) = (network.rpc(2), network.rpc(0));
    let asked = json!(["0x1", true]);
    let first = theirs.call("eth_getBlockByNumber", asked.clone()).await?;
    let filled = async || {
        let answer = ours.call("eth_getBlockByNumber", asked.clone()).await;
        // Until then it says so, and says nothing else.
        answer.map_err(|early| assert!(early.to_string().contains("not here yet"), "{early}")).ok()
    };
    let block = network.until("host 2 has block 1", filled).await?;
    ensure!(block == first, "{block} is not {first}");
    let last = theirs.height().await?.min(ours.height().await?);
    let range = json!([{"fromBlock": "0x0", "toBlock": format!("{last:#x}")}]);
    let logs = theirs.call("eth_getLogs", range.clone()).await?;
    ensure!(logs == ours.call("eth_getLogs", range).await?, "other logs");
    let mut paid = 0_usize;
    for number in 1..=last {
        let asked = json!([format!("{number:#x}")]);
        let receipts = theirs.call("eth_getBlockReceipts", asked.clone()).await?;
        let same = ours.call("eth_getBlockReceipts", asked).await?;
        ensure!(receipts == same, "block {number} has {same} instead of {receipts}");
        let hashes = receipts.as_array().into_iter().flatten();
        let hashes = hashes.filter_map(|one| one.get("transactionHash")).collect::<Vec<_>>();
        paid = paid.saturating_add(hashes.len());
        // One of each block by its hash, with the proof that it is final.
        for hash in hashes.into_iter().take(1) {
            let known = ours.call("eth_getTransactionByHash", json!([hash])).await?;
            ensure!(known.get("hash") == Some(hash), "{known}");
            let proof = ours.call("sahara_getReceiptProof", json!([hash])).await?;
            let certificate = proof.pointer("/finality/certificate");
            ensure!(certificate.is_some_and(Value::is_string), "{proof}");
        }
    }
    ensure!(u64::try_from(paid)? >= ACCOUNTS, "{paid} transactions");
    let info = ours.call("sahara_nodeInfo", json!([])).await?;
    ensure!(info.get("firstBlock") == Some(&json!("0x0")), "{info}");
    let page = reqwest::get(format!("{}/metrics", network.metrics(2))).await?.text().await?;
    ensure!(page.contains("\nsahara_missing_past_blocks 0\n"), "{page}");
    ensure!(ours.call("eth_syncing", json!([])).await? == json!(false), "it follows");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_joins_by_state_is_killed_and_follows() -> Result<()> {
    let payer = SigningKey::random();
    let account = payer.address().to_string();
    let extra = ["--by-signatures", "--epoch-length", "20", "--account", account.as_str()];
    let mut network = Testnet::start(2, &extra)?;
    network.agree(&[0, 1], 1).await?;
    network.add_host(2)?;
    let newcomer = format!("{}@{}", network.network_key(2)?, network.address(2));
    for host in [0, 1] {
        network.end(host, "TERM")?;
        network.node(host, &["--peer", &newcomer])?;
    }
    network.agree(&[0, 1], 2).await?;
    populate(&network.rpc(0), &payer).await?;
    let before = network.rpc(0).height().await?;
    network.agree(&[0, 1], before.saturating_add(22)).await?;

    // Killed as soon as it has begun, and again.
    let arguments = ["--sync", "state"];
    // While there is nothing to ask, it says how far it is: the network stands still, so it cannot be done.
    network.end(0, "TERM")?;
    network.end(1, "TERM")?;
    network.node(2, &arguments)?;
    says_how_far(&network).await?;
    network.end(2, "KILL")?;
    for host in [0, 1] {
        network.node(host, &["--peer", &newcomer])?;
    }
    for kill in 2..=4 {
        network.node(2, &arguments)?;
        let begun = async || (said(&network, 2, "fetching the state") > kill).then_some(());
        network.until("the newcomer fetches", begun).await?;
        network.end(2, "KILL")?;
    }
    network.node(2, &arguments)?;
    network.reaches(2, before.saturating_add(24)).await?;
    ensure!(said(&network, 2, "the state is whole") >= 1, "no state sync\n{}", network.logs());

    says_what_it_has_not(&network.rpc(2), &account).await?;

    // Killed while it follows, and told to keep the past: it fetches the blocks from before.
    network.end(2, "KILL")?;
    network.node(2, &["--sync", "state", "--history", "archive"])?;
    let height = network.rpc(0).height().await?.saturating_add(5);
    network.agree(&[0, 1, 2], height).await?;
    let rpc = network.rpc(2);
    has_the_strangers(&rpc).await?;
    let ours = rpc.call("eth_getProof", json!([account, [], format!("{height:#x}")])).await?;
    let asked = json!([account, format!("{height:#x}")]);
    let theirs = network.rpc(0).call("eth_getBalance", asked).await?;
    ensure!(ours.get("balance") == Some(&theirs), "a proof of {height}: {ours}");
    fetches_the_past(&network).await?;
    // And it can prove receipts by what it kept of the validators before.
    let handovers = rpc.call("sahara_getHandovers", json!([])).await?;
    ensure!(
        handovers == network.rpc(0).call("sahara_getHandovers", json!([])).await?,
        "{handovers}"
    );
    for host in [0, 1, 2] {
        network.recount(host).await?;
    }
    Ok(())
}
