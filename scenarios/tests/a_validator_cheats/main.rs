//! A validator signs two votes that exclude each other, on a running network: the others prove it, a
//! stranger reports it, it loses a twentieth and its seat for good; whoever stands behind it loses the
//! same ratio, wherever the stake went after the fault, and nobody else loses anything.
//!
//! Another one floods the rest and babbles on every channel: it slows nobody's blocks, and fills nobody's
//! memory.

mod cheat;
mod flood;

use alloy_primitives::{Address, B256, U256};
use cheat::{Cheat, Role};
use eyre::{ContextCompat, Result, ensure};
use flood::Flood;
use sahara_abi::{INCENTIVE_POOL, IStaking, STAKING};
use sahara_client::{ChainClient, SigningKey, TxOutcome};
use sahara_finality::{ChainIdentity, ValidatorKeys, ValidatorSet};
use sahara_primitives::Amount;
use sahara_scenarios::Testnet;
use serde_json::{Value, json};
use std::fs;

/// Seconds for which stake that leaves answers for old faults.
const UNBONDING: &str = "75";
/// The cheat's host.
const HOST: u16 = 3;
/// Memory, in KiB, that a node may take beyond its peak before a flood: half of what it is sent.
const MOST_GROWTH: u64 = 128 << 10;

/// A network, who cheats in it, and who stands behind the cheat.
struct Story {
    network: Testnet,
    client: ChainClient,
    /// The operators of hosts 1 to 3.
    operators: Vec<SigningKey>,
    delegator: Address,
    cheat: Address,
    honest: Address,
}

impl Story {
    async fn begin() -> Result<Self> {
        let operators: Vec<_> = (0..3).map(|_| SigningKey::random()).collect();
        let accounts: Vec<_> = operators.iter().map(|key| key.address().to_string()).collect();
        let mut extra = vec!["--epoch-length", "16", "--seat-period", "1"];
        extra.extend(["--unbonding-period", UNBONDING]);
        extra.extend(accounts.iter().flat_map(|account| ["--account", account]));
        let network = Testnet::start(4, &extra)?;
        network.agree(&[0, 1, 2, 3], 1).await?;
        let client = ChainClient::new(&network.rpc(0).url)?;
        let [payer, honest, cheat] = operators.as_slice() else { eyre::bail!("three operators") };
        let delegator = network.wallet("delegator")?.parse()?;
        client.transfer(payer, delegator, Amount::from_coins(20_000)).await?;
        let (honest, cheat) = (honest.address(), cheat.address());
        Ok(Self { network, client, operators, delegator, cheat, honest })
    }

    fn payer(&self) -> Result<&SigningKey> {
        self.operators.first().wrap_err("an operator")
    }

    /// A command of the delegator's.
    fn stake(&self, arguments: &[&str]) -> Result<Value> {
        let password = self.network.text("password");
        let signer = ["--wallet", "delegator", "--password-file", &password];
        self.network.run(&[&["stake"], arguments, &signer].concat())
    }

    async fn worth(&self, validator: Address) -> Result<Amount> {
        let call = IStaking::delegationCall { delegator: self.delegator, validator };
        Ok(Amount::from_base_units(self.client.call(STAKING, &call).await?.value))
    }

    /// The timestamp of the last block.
    async fn now(&self) -> Result<u64> {
        let asked = json!(["latest", false]);
        let block = self.network.rpc(0).call("eth_getBlockByNumber", asked).await?;
        let time = block.get("timestamp").and_then(Value::as_str).wrap_err("a timestamp")?;
        Ok(u64::from_str_radix(time.trim_start_matches("0x"), 16)?)
    }

    async fn unbondings(&self) -> Result<Vec<IStaking::Unbonding>> {
        let (delegator, validator) = (self.delegator, self.cheat);
        let call = IStaking::unbondingsCall { delegator, validator };
        Ok(self.client.call(STAKING, &call).await?)
    }

    /// Waits for an epoch whose faults are later than a moment.
    async fn epoch_after(&self, moment: u64) -> Result<()> {
        let begun = async || {
            let epoch = self.client.call(STAKING, &IStaking::currentEpochCall {}).await.ok()?;
            (epoch.startedAt > moment).then_some(())
        };
        self.network.until("an epoch begins", begun).await
    }

    /// Everyone's votes in the cheat's name, until all honest nodes hold it against it.
    async fn cheats(&mut self) -> Result<()> {
        let role = take_over(&mut self.network).await?;
        let cheat = Cheat::start(role, &self.network.path("cheat"))?;
        for host in 0..HOST {
            let rpc = self.network.rpc(host);
            let known = async || {
                let kept = rpc.call("sahara_evidence", json!([])).await.ok()?;
                (!kept.as_array()?.is_empty()).then_some(())
            };
            self.network.until(&format!("node {host} has proof"), known).await?;
        }
        cheat.end()
    }

    /// Reports what the node has kept, as someone with nothing at stake; returns the transaction.
    async fn report(&self) -> Result<TxOutcome> {
        let reporter: Address = self.network.wallet("reporter")?.parse()?;
        self.client.transfer(self.payer()?, reporter, Amount::from_coins(10)).await?;
        let password = self.network.text("password");
        let mut report = vec!["validators", "evidence", "--report", "--wallet", "reporter"];
        report.extend(["--password-file", &password]);
        let tried = self.network.run(&[&report[..], &["--dry-run"]].concat())?.to_string();
        ensure!(
            tried.contains("would be taken") && tried.contains("\"transaction\":null"),
            "{tried}"
        );
        let shown = self.network.run(&report)?;
        let sent = shown.as_array().and_then(|all| {
            all.iter().find_map(|one| one.get("transaction")?.as_str()?.parse::<B256>().ok())
        });
        let outcome =
            self.client.wait(sent.wrap_err_with(|| format!("a report: {shown}"))?).await?;
        let (before, at) = (outcome.block_number.saturating_sub(1), outcome.block_number);
        let held = async |account: Address, block: u64| -> Result<Amount> {
            let asked = json!([account, format!("{block:#x}")]);
            let held = self.network.rpc(0).call("eth_getBalance", asked).await?;
            Ok(Amount::from_base_units(held.as_str().wrap_err("a balance")?.parse()?))
        };
        let gained = held(reporter, at).await?.checked_add(outcome.fee())?;
        let bounty = gained.checked_sub(held(reporter, before).await?)?;
        ensure!(bounty == Amount::from_coins(265), "the bounty is {bounty}");
        // 2 % of a block's fees are the pool's anyway.
        let fees = outcome.fee().base_units() * U256::from(2) / U256::from(100);
        let pool =
            held(INCENTIVE_POOL, at).await?.checked_sub(held(INCENTIVE_POOL, before).await?)?;
        let rest = Amount::from_coins(5_035).checked_add(Amount::from_base_units(fees))?;
        ensure!(pool == rest, "the pool got {pool}, expected {rest}");
        Ok(outcome)
    }

    /// Rewards of the seat reach the delegator, who does nothing for it.
    async fn earns(&self) -> Result<()> {
        let before = self.client.balance(self.delegator).await?;
        let earned = async || {
            let one = Amount::from_u128(1);
            self.client.transfer(self.payer().ok()?, Address::repeat_byte(7), one).await.ok()?;
            self.client.balance(self.delegator).await.ok().filter(|after| *after > before)
        };
        self.network.until("rewards arrive without a claim", earned).await.map(drop)
    }

    /// What went over to an honest validator loses the same when anyone touches it; that validator's
    /// own stake loses nothing.
    async fn follows_the_redelegation(&self) -> Result<()> {
        let call = IStaking::applySlashesCall { delegator: self.delegator, validator: self.honest };
        self.client.send(self.payer()?, STAKING, Amount::ZERO, &call).await?;
        let worth = self.worth(self.honest).await?;
        ensure!(worth == Amount::from_coins(1_900), "a twentieth of 2,000 leaves {worth}");
        let call = IStaking::validatorCall { validator: self.honest };
        let stake = Amount::from_base_units(self.client.call(STAKING, &call).await?.stake);
        ensure!(stake == Amount::from_coins(101_900), "the honest validator has {stake}");
        Ok(())
    }

    /// A second report is refused; the seat is gone with the next epoch, and blocks go on.
    async fn is_out_for_good(&self) -> Result<()> {
        let password = self.network.text("password");
        let mut again = vec!["validators", "evidence", "--report", "--wallet", "reporter"];
        again.extend(["--password-file", &password]);
        let again = self.network.run(&again)?.to_string();
        ensure!(again.contains("Tombstoned"), "{again}");
        let mut others = vec![self.network.wallet.parse()?];
        others.extend(self.operators.iter().map(SigningKey::address));
        others.retain(|account| *account != self.cheat);
        let without = async || {
            let shown = self.network.run(&["validators", "show"]).ok()?;
            let seats = shown.get("validators")?.as_array()?.clone();
            let accounts =
                seats.iter().filter_map(|seat| seat.get("feeAddress")?.as_str()?.parse().ok());
            let accounts: Vec<Address> = accounts.collect();
            let are_here = others.iter().all(|one| accounts.contains(one));
            (accounts.len() == 3 && are_here).then_some(())
        };
        self.network.until("the seat is gone", without).await?;
        let shown = self.network.run(&["stake", "show"])?.to_string();
        ensure!(shown.contains("out for good"), "{shown}");
        let height = self.network.rpc(0).height().await?.saturating_add(3);
        self.network.agree(&[0, 1, 2], height).await
    }

    /// What left before the fault is paid whole, what left after it less a twentieth.
    async fn withdraws(&self) -> Result<()> {
        let waiting = self.unbondings().await?;
        let amounts = waiting.iter().map(|one| Amount::from_base_units(one.amount));
        let amounts: Vec<_> = amounts.collect();
        ensure!(amounts == [Amount::from_coins(1_000), Amount::from_coins(950)], "{amounts:?}");
        let last = waiting.iter().map(|one| one.completesAt).max().wrap_err("an entry")?;
        let over = async || self.now().await.ok().filter(|now| *now >= last);
        self.network.until("unbonding is over", over).await?;
        let paid = self.stake(&["withdraw", &self.cheat.to_string()])?;
        let hash = paid.get("transaction").cloned().wrap_err("a hash")?;
        let outcome = self.client.wait(serde_json::from_value(hash)?).await?;
        let withdrawn = outcome.events::<IStaking::Withdrawn>();
        let amount = withdrawn.first().wrap_err("a withdrawal")?.data.amount;
        ensure!(amount == Amount::from_coins(1_950).base_units(), "{amount} was paid");
        Ok(())
    }
}

/// Kills the node of the cheat's host, and returns what someone who has its keys can pretend to be.
async fn take_over(network: &mut Testnet) -> Result<Role> {
    let shown = network.run(&["validators", "show"])?;
    let validators: ValidatorSet =
        serde_json::from_value(shown.get("validators").cloned().wrap_err("validators")?)?;
    let rpc = network.rpc(0);
    let info = rpc.call("sahara_nodeInfo", json!([])).await?;
    let genesis: B256 =
        serde_json::from_value(info.get("genesisHash").cloned().wrap_err("a hash")?)?;
    let chain_id = ChainClient::new(&rpc.url)?.chain_id().await?;
    let chain = ChainIdentity { chain_id, genesis };
    let secret = fs::read_to_string(network.secret(HOST))?;
    let keys = ValidatorKeys::parse(secret.trim())?;
    let listen = network.address(HOST);
    network.end(HOST, "KILL")?;
    Ok(Role { keys, chain, validators, listen })
}

/// The most memory that a host's node had at once so far, in KiB.
fn peak(network: &Testnet, host: u16) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", network.pid(host)?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    Ok(number.wrap_err("a peak of memory")?.parse()?)
}

/// What a host counts of a peer's messages on a channel: `received`, or `rate_limited`, those that it had wait
/// since there were more than are allowed.
async fn counted(
    network: &Testnet,
    host: u16,
    what: &str,
    (peer, channel): (&str, u64),
) -> Result<u64> {
    let name = format!("_messages_{what}_total{{");
    let page = reqwest::get(format!("{}/metrics", network.metrics(host))).await?.text().await?;
    let labels = [format!("peer=\"{peer}\""), format!("message=\"data_{channel}\"")];
    page.lines()
        .filter(|line| line.contains(&name))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit(' ').next())
        .map(|count| Ok(count.parse::<u64>()?))
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_floods_and_babbles_on_every_channel_stops_nobody() -> Result<()> {
    let mut network = Testnet::start(4, &["--by-signatures"])?;
    network.agree(&[0, 1, 2, 3], 2).await?;
    let peer = network.network_key(HOST)?;
    let peer = peer.trim_start_matches("0x");
    let role = take_over(&mut network).await?;
    let before = network.rpc(0).height().await?;
    let mut peaks = Vec::new();
    for host in 0..HOST {
        peaks.push((host, peak(&network, host)?));
    }

    let flood = Flood::start(role, network.path("flood"))?;
    let over = async || flood.is_over().then_some(());
    network.until("the one that floods is shut out", over).await?;
    flood.end()?;
    // Blocks came meanwhile, and come after.
    let after = network.rpc(0).height().await?;
    ensure!(after > before.saturating_add(3), "block {before}, and {after} when it was shut out");
    network.agree(&[0, 1, 2], after.saturating_add(3)).await?;
    for (host, before) in peaks {
        for (channel, name, sent) in Flood::channels() {
            let received = counted(&network, host, "received", (peer, channel)).await?;
            ensure!(received >= u64::try_from(sent)?, "host {host} got {received} of {name}");
            // So many votes are taken in a second that a slow machine takes all that come.
            let waited = counted(&network, host, "rate_limited", (peer, channel)).await?;
            ensure!(waited > 0 || channel < 2, "host {host} held back nothing of {name}");
        }
        let grown = peak(&network, host)?.saturating_sub(before);
        ensure!(grown < MOST_GROWTH, "host {host} took {grown} KiB more than before");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_votes_twice_is_reported_slashed_and_out_for_good() -> Result<()> {
    let mut story = Story::begin().await?;
    let (cheat, honest) = (story.cheat.to_string(), story.honest.to_string());

    // A delegator stands behind the validator, earns, and takes a part out in time.
    story.stake(&["delegate", &cheat, "10000"])?;
    story.earns().await?;
    story.stake(&["undelegate", &cheat, "1000"])?;
    let early = story.unbondings().await?;
    story.epoch_after(early.first().wrap_err("an entry")?.createdAt).await?;

    story.cheats().await?;

    // Whoever runs now runs too late: the fault is older.
    story.stake(&["undelegate", &cheat, "1000"])?;
    story.stake(&["redelegate", &cheat, &honest, "2000"])?;
    let outcome = story.report().await?;
    let slashed = outcome.events::<IStaking::Slashed>();
    let slashed = &slashed.first().wrap_err("a slash")?.data;
    ensure!(slashed.validator == story.cheat, "{slashed:?}");
    ensure!(slashed.amount == Amount::from_coins(5_300).base_units(), "{slashed:?}");
    let worth = story.worth(story.cheat).await?;
    ensure!(worth == Amount::from_coins(5_700), "a twentieth of 6,000 leaves {worth}");
    story.follows_the_redelegation().await?;
    story.is_out_for_good().await?;
    story.withdraws().await
}
