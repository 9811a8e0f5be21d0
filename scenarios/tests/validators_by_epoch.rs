//! Validators join, are replaced and leave, each by the commands of `docs/run-a-validator.md`, while
//! blocks go on under load; a node that is no validator serves JSON-RPC, passes transactions on, and proves
//! what was within the window of blocks that it was told to keep.

use alloy_consensus::TrieAccount;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use eyre::{ContextCompat, Result, bail, ensure};
use sahara_client::{ChainClient, SigningKey};
use sahara_finality::{LightClient, decode_header, verify_account};
use sahara_primitives::{Amount, BlockNumber};
use sahara_scenarios::{Rpc, Testnet};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// Blocks in an epoch: long enough for a change to be signed in one, at two blocks a second.
const EPOCH: &str = "36";

/// Blocks back to which the follower keeps values and tries.
const WINDOW: u64 = 64;
/// A block that is so many older than the last is in the window when it is asked for, and payments came after it.
const EARLIER: u64 = 32;

/// Someone who pays all the time.
struct Load {
    task: JoinHandle<Result<usize>>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// One unit to a stranger through each node in turn, again and again; each payment is waited for
    /// until it is final. A node that is a block behind gives a nonce twice, and then it is the same
    /// payment: they are counted by their hashes.
    fn start(key: SigningKey, to: Address, nodes: &[Rpc]) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Result<Vec<_>, _> =
            nodes.iter().map(|node| ChainClient::new(&node.url)).collect();
        let (clients, stopped) = (clients?, Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut paid = BTreeSet::new();
            let mut tick = tokio::time::interval(Duration::from_millis(500));
            for client in clients.iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                tick.tick().await;
                paid.insert(client.transfer(&key, to, Amount::from_u128(1)).await?.hash);
            }
            Ok(paid.len())
        });
        Ok(Self { task, stop })
    }

    async fn end(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

/// The network keys of an epoch's validators, as `sahara validators show` tells.
fn seats(network: &Testnet, epoch: Option<u64>) -> Result<(u64, Vec<String>)> {
    let epoch = epoch.map(|epoch| epoch.to_string());
    let mut arguments = vec!["validators", "show"];
    arguments.extend(epoch.iter().flat_map(|epoch| ["--epoch", epoch]));
    let shown = network.run(&arguments)?;
    let number = shown.get("epoch").and_then(Value::as_str).wrap_err("an epoch")?;
    let number = u64::from_str_radix(number.trim_start_matches("0x"), 16)?;
    let seats = shown.get("validators").and_then(Value::as_array).wrap_err("validators")?;
    let keys = seats.iter().filter_map(|one| one.get("networkKey")?.as_str().map(str::to_owned));
    Ok((number, keys.collect()))
}

/// A host's public entry, in a file; returns its network key.
fn entry(network: &Testnet, host: u16) -> Result<String> {
    let address = network.address(host).to_string();
    let secret = network.secret(host);
    let made = network.run(&[
        "validators",
        "entry",
        "--plain-key",
        "--key-file",
        &secret,
        "--fee-address",
        &network.wallet,
        "--address",
        &address,
    ])?;
    network.write(&format!("entry-{host}.json"), &made.to_string())?;
    let key = made.get("networkKey").and_then(Value::as_str);
    Ok(key.wrap_err("a network key")?.to_owned())
}

/// Epochs in which a change is tried: a busy machine may not start all the programs of one in time.
const EPOCHS: usize = 4;

/// Proposes a change when an epoch is young, has it signed by `signers` and sends it, in the next epoch again
/// if this one was over before; returns the epoch it holds from.
async fn change(network: &Testnet, arguments: &[&str], signers: &[u16]) -> Result<u64> {
    let length: u64 = EPOCH.parse()?;
    let rpc = network.rpc(0);
    for _ in 0..EPOCHS {
        let is_young = async || {
            let place = rpc.height().await.ok()?.saturating_add(1).rem_euclid(length);
            (place < length.div_euclid(3)).then_some(())
        };
        network.until("an epoch is young", is_young).await?;
        let (epoch, _) = seats(network, None)?;
        let changed = change_now(network, arguments, signers);
        if changed.is_ok() || seats(network, None)?.0 == epoch {
            return changed;
        }
    }
    bail!("no change was signed within any of {EPOCHS} epochs")
}

fn change_now(network: &Testnet, arguments: &[&str], signers: &[u16]) -> Result<u64> {
    let proposed = network.run(&[&["validators", "propose"], arguments].concat())?;
    network.write("change.json", &proposed.to_string())?;
    let file = network.text("change.json");
    let mut signatures = Vec::new();
    for host in signers {
        let secret = network.secret(*host);
        let signed =
            network.run(&["validators", "sign", &file, "--plain-key", "--key-file", &secret])?;
        let signature = signed.get("signature").and_then(Value::as_str);
        signatures.push(signature.wrap_err("a signature")?.to_owned());
    }
    let password = network.text("password");
    let mut submit = vec!["validators", "submit", &file, "--wallet", "me"];
    submit.extend(["--password-file", &password]);
    submit.extend(signatures.iter().flat_map(|signature| ["--signature", signature]));
    let tried = network.run(&[&submit[..], &["--dry-run"]].concat())?;
    ensure!(tried.get("would_be_taken") == Some(&json!(true)), "{tried}");
    let decided = network.run(&submit)?;
    decided.get("epoch").and_then(Value::as_u64).wrap_err_with(|| format!("an epoch: {decided}"))
}

/// Waits until `epoch` has begun everywhere, and checks who validates in it.
async fn begun(network: &Testnet, epoch: u64, hosts: &[u16], keys: &[&String]) -> Result<()> {
    let first = epoch.saturating_mul(EPOCH.parse::<u64>()?);
    network.agree(hosts, first.saturating_add(2)).await?;
    let (_, seats) = seats(network, Some(epoch))?;
    let mut wanted: Vec<_> = keys.iter().map(|key| (*key).clone()).collect();
    wanted.sort();
    ensure!(seats == wanted, "epoch {epoch} has {seats:?}, expected {wanted:?}");
    Ok(())
}

/// The longest pause between two blocks so far, in milliseconds.
async fn longest_pause(rpc: &Rpc) -> Result<(u64, u64)> {
    let height = rpc.height().await?;
    let (mut before, mut longest) = (None, (0, 0));
    for number in 1..=height {
        let block =
            rpc.call("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await?;
        let nonce = block.get("nonce").and_then(Value::as_str).wrap_err("a nonce")?;
        let time = u64::from_str_radix(nonce.trim_start_matches("0x"), 16)?;
        if let Some(before) = before.replace(time) {
            longest = longest.max((time.saturating_sub(before), number));
        }
    }
    Ok(longest)
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).wrap_err_with(|| format!("no {name}: {value}"))
}

/// A stranger follows the sets page by page: from block 0, and from the end of an epoch that it trusts.
async fn strangers_follow(rpc: &Rpc) -> Result<()> {
    let whole = rpc.call("sahara_getHandovers", json!([])).await?;
    let (mut paged, mut above) = (Vec::new(), 0);
    loop {
        let asked = json!([format!("{above:#x}"), "0x1"]);
        let page = rpc.call("sahara_getHandovers", asked).await?;
        let Some([one]) = page.as_array().map(Vec::as_slice) else { break };
        above = decode_header(&text(one, "header")?.parse::<Bytes>()?)?.number;
        paged.push(one.clone());
    }
    ensure!(paged.len() >= 3 && whole == json!(paged), "{} pages of {whole}", paged.len());

    let client = ChainClient::new(&rpc.url)?;
    let head = client.block_number().await?;
    let handovers = client.handovers_between(BlockNumber(0), head).await?;
    ensure!(json!(handovers) == whole, "the client finds others: {handovers:?}");
    let genesis = rpc.call("sahara_getCertificate", json!(["earliest"])).await?;
    let header = text(&genesis, "header")?.parse::<Bytes>()?;
    let first = rpc.call("sahara_getValidators", json!(["0x0"])).await?;
    let first = serde_json::from_value(first.get("validators").cloned().unwrap_or_default())?;
    let hash = keccak256(&header);
    let fresh = LightClient::new(hash, &header, client.chain_id().await?, first)?;
    // The last block may still wait for a certificate above it.
    let number = head.0.saturating_sub(5);
    let last = rpc.call("sahara_getCertificate", json!([format!("{number:#x}")])).await?;
    let header = text(&last, "header")?.parse::<Bytes>()?;
    let path: Vec<Bytes> = serde_json::from_value(last.get("path").cloned().unwrap_or_default())?;
    let certificate = text(&last, "certificate")?.parse::<Bytes>()?;
    let from_block_0 = fresh.clone().following(&handovers)?;
    let verified = from_block_0.verify_through(&header, &path, &certificate)?;
    ensure!(verified.header().number == number, "another block: {verified:?}");
    ensure!(fresh.verify_through(&header, &path, &certificate).is_err(), "by the first set alone");

    let end = handovers.get(1).wrap_err("three changes")?;
    let rest =
        client.handovers_between(BlockNumber(decode_header(&end.header)?.number), head).await?;
    ensure!(rest.first() == Some(end) && rest.len() < handovers.len(), "{rest:?}");
    let later = fresh.trusting(keccak256(&end.header), end)?.following(&rest)?;
    ensure!(later.verify_through(&header, &path, &certificate)? == verified, "another block");
    Ok(())
}

async fn state_root(rpc: &Rpc, number: u64) -> Result<B256> {
    let asked = json!([format!("{number:#x}"), false]);
    let block = rpc.call("eth_getBlockByNumber", asked).await?;
    Ok(text(&block, "stateRoot")?.parse()?)
}

/// What somebody held [`EARLIER`] blocks before a height, as the follower proves it: under the header that host 0 has
/// of that block, and not under the one at the height.
async fn proven_earlier(network: &Testnet, of: Address, height: u64) -> Result<U256> {
    let (follower, other) = (network.rpc(6), network.rpc(0));
    let number = height.saturating_sub(EARLIER);
    let at = format!("{number:#x}");
    let held = follower.call("eth_getBalance", json!([of, at])).await?;
    let balance = held.as_str().wrap_err("a balance")?.parse::<U256>()?;
    let proof = follower.call("eth_getProof", json!([of, [], at])).await?;
    let account = TrieAccount {
        nonce: 0,
        balance,
        storage_root: text(&proof, "storageHash")?.parse()?,
        code_hash: text(&proof, "codeHash")?.parse()?,
    };
    let nodes = proof.get("accountProof").cloned().unwrap_or_default();
    let nodes: Vec<Bytes> = serde_json::from_value(nodes)?;
    verify_account(state_root(&other, number).await?, of, Some(&account), &nodes)?;
    let later = state_root(&other, height).await?;
    ensure!(verify_account(later, of, Some(&account), &nodes).is_err(), "under any header");
    Ok(balance)
}

/// The follower says from which block on it knows values and proofs: that is where its window begins.
async fn names_its_window(rpc: &Rpc, account: Address) -> Result<()> {
    for (method, asked) in
        [("eth_getBalance", json!([account, "0x8"])), ("eth_getProof", json!([account, [], "0x8"]))]
    {
        let before = rpc.height().await?.saturating_sub(WINDOW);
        let refused = rpc.call(method, asked).await.err().wrap_err(method)?.to_string();
        let after = rpc.height().await?.saturating_sub(WINDOW);
        let (_, oldest) = refused.split_once("the oldest is that of block ").wrap_err(method)?;
        let digits = oldest.split(|other: char| !other.is_ascii_digit()).next();
        let oldest: u64 = digits.unwrap_or_default().parse()?;
        ensure!((before..=after).contains(&oldest), "{refused}, not of {before} to {after}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_join_are_replaced_and_leave_while_blocks_go_on() -> Result<()> {
    let payer = SigningKey::random();
    let account = payer.address().to_string();
    let mut network =
        Testnet::start(4, &["--by-signatures", "--epoch-length", EPOCH, "--account", &account])?;
    network.agree(&[0, 1, 2, 3], 1).await?;
    let (_, founders) = seats(&network, None)?;
    ensure!(founders.len() == 4, "four validators: {founders:?}");

    // A follower: no validator knows it but host 0, which names it.
    network.add_host(6)?;
    let stranger = entry(&network, 6)?;
    network.end(0, "TERM")?;
    let follower = format!("{stranger}@{}", network.address(6));
    network.node(0, &["--peer", &follower])?;
    network.node(6, &["--history", &format!("window={WINDOW}")])?;
    network.reaches(6, 2).await?;

    let to = Address::repeat_byte(0xb0);
    let load = Load::start(payer, to, &[network.rpc(1), network.rpc(6), network.rpc(0)])?;

    // Joins.
    network.add_host(4)?;
    let joins = entry(&network, 4)?;
    network.node(4, &[])?;
    let file = network.text("entry-4.json");
    let epoch = change(&network, &["--add", &file], &[0, 1, 3]).await?;
    let mut keys: Vec<_> = founders.iter().collect();
    keys.push(&joins);
    begun(&network, epoch, &[0, 1, 2, 3, 4, 6], &keys).await?;

    // One is replaced: another host with other keys takes the place of host 3.
    network.add_host(5)?;
    let successor = entry(&network, 5)?;
    let replaced = entry(&network, 3)?;
    network.node(5, &[])?;
    let file = network.text("entry-5.json");
    let epoch = change(&network, &["--add", &file, "--remove", &replaced], &[1, 2, 3, 4]).await?;
    keys.retain(|key| **key != replaced);
    keys.push(&successor);
    begun(&network, epoch, &[0, 1, 2, 4, 5, 6], &keys).await?;
    network.end(3, "TERM")?;

    // One leaves.
    let leaver = entry(&network, 2)?;
    let epoch = change(&network, &["--remove", &leaver], &[0, 1, 4, 5]).await?;
    keys.retain(|key| **key != leaver);
    begun(&network, epoch, &[0, 1, 4, 5, 6], &keys).await?;

    let paid = load.end().await?;
    let height = network.rpc(6).height().await?;
    network.agree(&[0, 1, 4, 5, 6], height).await?;
    let earlier = proven_earlier(&network, to, height).await?;
    names_its_window(&network.rpc(6), to).await?;
    strangers_follow(&network.rpc(6)).await?;
    let held = network.rpc(6).call("eth_getBalance", json!([to, "latest"])).await?;
    let held: U256 = held.as_str().wrap_err("a balance")?.parse()?;
    ensure!(held == U256::from(paid), "{paid} payments are final, {held} units arrived");
    ensure!(earlier < held && !earlier.is_zero(), "{earlier} units {EARLIER} blocks before {held}");
    ensure!(paid > 20, "only {paid} payments in three epochs");
    // Host 0 was restarted and another stopped; a view without its leader costs its timeout.
    let (pause, number) = longest_pause(&network.rpc(0)).await?;
    ensure!(pause < 30_000, "{pause} ms before block {number}\n{}", network.logs());
    Ok(())
}
