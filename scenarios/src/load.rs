//! [`Steady`]: some who pay all the time and remember what was promised to be final.

use crate::{Account, Rpc, Testnet};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use eyre::{ContextCompat, Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// How long a node may take to make all that waits final before another is asked.
const ANSWER: Duration = Duration::from_secs(5);

/// Accounts that pay at the same time.
const PAYERS: u8 = 4;

/// Payments of one account that are not known to be final, at most: with all accounts a block holds up to 32.
const IN_FLIGHT: usize = 8;

/// What each of them is given, in base units: 100 coins, enough for 47,000 payments at the dearest fee.
const FUNDS: u128 = 100_000_000_000_000_000_000;

/// Requests in one.
const BATCH: usize = 100;

/// A payment that a node said to be final.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The transaction.
    pub hash: String,
    /// The block that it was said to be in.
    pub block: String,
}

/// Payments of one unit each; as a slice those that were acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Paid {
    /// What nodes said to be final.
    pub acknowledged: Vec<Acknowledged>,
    /// All that were signed. Of those that are not acknowledged each may be final or not.
    pub sent: u64,
}

impl Deref for Paid {
    type Target = [Acknowledged];

    fn deref(&self) -> &[Acknowledged] {
        &self.acknowledged
    }
}

impl Paid {
    /// The most that were acknowledged in one block.
    pub fn most_in_a_block(&self) -> usize {
        let mut blocks = BTreeMap::<&str, usize>::new();
        for Acknowledged { block, .. } in &self.acknowledged {
            let count = blocks.entry(block).or_default();
            *count = count.saturating_add(1);
        }
        blocks.into_values().max().unwrap_or_default()
    }
}

/// Units for a stranger, from several accounts with several payments in flight each, through each node in
/// turn; nodes may die at any moment.
#[derive(Debug)]
pub struct Steady {
    task: JoinHandle<Result<Paid>>,
    stop: Arc<AtomicBool>,
    /// Who is paid.
    pub to: Address,
}

impl Steady {
    /// Begins to pay: first from a fresh account, which the genesis must have given coin, to the accounts
    /// that pay from then on.
    pub fn start(account: Account, chain_id: u64, nodes: Vec<Rpc>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (to, stopped) = (Address::repeat_byte(0xb0), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut funder = Payer::new(account, chain_id);
            let mut payers = Vec::new();
            for secret in 1..=PAYERS {
                let payer = Account::new([secret; 32])?;
                funder.sign(payer.address, U256::from(FUNDS))?;
                payers.push(Payer::new(payer, chain_id));
            }
            funder.settle(&mut nodes.iter().cycle(), &stopped).await?;
            // Each begins with another node.
            let paying = payers
                .into_iter()
                .enumerate()
                .map(|(first, payer)| payer.pay(to, nodes.iter().cycle().skip(first), &stopped));
            let mut all = Paid::default();
            for paid in try_join_all(paying).await? {
                all.acknowledged.extend(paid.acknowledged);
                all.sent = all.sent.saturating_add(paid.sent);
            }
            Ok(all)
        });
        Self { task, stop, to }
    }

    /// As [`Self::start`], through these hosts.
    ///
    /// # Errors
    /// When the first of them does not answer.
    pub async fn on(network: &Testnet, account: Account, hosts: &[u16]) -> Result<Self> {
        let nodes: Vec<Rpc> = hosts.iter().map(|host| network.rpc(*host)).collect();
        let first = nodes.first().wrap_err("a host")?;
        let id = first.call("eth_chainId", json!([])).await?;
        let id = id.as_str().wrap_err("a chain id")?.trim_start_matches("0x");
        Ok(Self::start(account, u64::from_str_radix(id, 16)?, nodes))
    }

    /// Stops, and returns what was said to be final.
    ///
    /// # Errors
    /// When a transaction could not be signed, or failed.
    pub async fn end(self) -> Result<Paid> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

/// A signed payment.
struct Payment {
    raw: Bytes,
    hash: String,
}

/// An account and its payments.
struct Payer {
    account: Account,
    chain_id: u64,
    /// Of the next payment: so many were signed.
    nonce: u64,
    /// Not known to be final, in the order of their nonces.
    waiting: VecDeque<Payment>,
    acknowledged: Vec<Acknowledged>,
    /// The receipt of one that failed.
    failed: Option<Value>,
}

impl Payer {
    const fn new(account: Account, chain_id: u64) -> Self {
        Self {
            account,
            chain_id,
            nonce: 0,
            waiting: VecDeque::new(),
            acknowledged: Vec::new(),
            failed: None,
        }
    }

    fn sign(&mut self, to: Address, value: U256) -> Result<()> {
        let raw = self.account.transfer(self.chain_id, self.nonce, to, value)?;
        let hash = keccak256(&raw).to_string();
        self.waiting.push_back(Payment { raw, hash });
        self.nonce = self.nonce.saturating_add(1);
        Ok(())
    }

    /// Pays one unit again and again until it is stopped.
    async fn pay<'a>(
        mut self,
        to: Address,
        mut nodes: impl Iterator<Item = &'a Rpc>,
        stopped: &AtomicBool,
    ) -> Result<Paid> {
        while !stopped.load(Ordering::Relaxed) {
            while self.waiting.len() < IN_FLIGHT {
                self.sign(to, U256::ONE)?;
            }
            self.settle(&mut nodes, stopped).await?;
        }
        Ok(Paid { acknowledged: self.acknowledged, sent: self.nonce })
    }

    /// Goes from node to node with what waits until all of it is said to be final, or it is stopped. A nonce
    /// is used once, so a payment that is sent again is paid once.
    async fn settle<'a>(
        &mut self,
        nodes: &mut impl Iterator<Item = &'a Rpc>,
        stopped: &AtomicBool,
    ) -> Result<()> {
        while !self.waiting.is_empty() && !stopped.load(Ordering::Relaxed) {
            let node = nodes.next().wrap_err("a network has nodes")?;
            let asked = tokio::time::timeout(ANSWER, self.through(node, stopped)).await;
            ensure!(self.failed.is_none(), "a payment failed: {:?}", self.failed);
            // A node that died, or that says nothing in time: the next one.
            if !matches!(asked, Ok(Ok(()))) {
                pass(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    /// Sends what waits, whether or not the node has it, and waits for the receipts, which final blocks alone
    /// have. What was acknowledged stays so when this is dropped.
    async fn through(&mut self, node: &Rpc, stopped: &AtomicBool) -> Result<()> {
        for payment in &self.waiting {
            // Refused when it is known or already in a block.
            drop(node.call("eth_sendRawTransaction", json!([payment.raw])).await);
        }
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while let Some(Payment { hash, .. }) = self.waiting.front()
            && !stopped.load(Ordering::Relaxed)
        {
            let receipt = node.call("eth_getTransactionReceipt", json!([hash])).await?;
            let Some(block) = receipt.get("blockHash").and_then(Value::as_str) else {
                tick.tick().await;
                continue;
            };
            if receipt.get("status") != Some(&json!("0x1")) {
                self.failed = Some(receipt);
                return Ok(());
            }
            self.acknowledged.push(Acknowledged { hash: hash.clone(), block: block.to_owned() });
            self.waiting.pop_front();
        }
        Ok(())
    }
}

/// Lets time pass: for what must not happen meanwhile, and for moments that are chance.
#[expect(clippy::disallowed_methods, reason = "what does not happen can only be waited for")]
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Everything acknowledged is in the same block at every host, nothing was paid twice, and all have one
/// state, which each of them counts again from its rows.
///
/// # Errors
/// When it is not so.
pub async fn nothing_is_lost(
    network: &Testnet,
    hosts: &[u16],
    (to, paid): (Address, &Paid),
) -> Result<()> {
    let mut height = 0;
    for host in hosts {
        height = height.max(network.rpc(*host).height().await?);
    }
    network.agree(hosts, height).await?;
    for host in hosts {
        let rpc = network.rpc(*host);
        for some in paid.chunks(BATCH) {
            let asked: Vec<_> = some.iter().map(|one| json!([one.hash])).collect();
            let receipts = rpc.batch("eth_getTransactionReceipt", &asked).await?;
            for (Acknowledged { hash, block }, receipt) in some.iter().zip(receipts) {
                ensure!(
                    receipt.get("blockHash") == Some(&json!(block)),
                    "host {host} has {hash} not in {block} any more: {receipt}"
                );
            }
        }
        let held = rpc.call("eth_getBalance", json!([to, format!("{height:#x}")])).await?;
        let held: U256 = held.as_str().wrap_err("a balance")?.parse()?;
        // Payments may be final without anyone having been told, but no more than were signed.
        let (least, most) = (U256::from(paid.len()), U256::from(paid.sent));
        ensure!(
            least <= held && held <= most,
            "host {host}: {least} payments of {most} were acknowledged, {held} units arrived"
        );
        network.recount(*host).await?;
    }
    Ok(())
}
