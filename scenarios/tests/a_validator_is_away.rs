//! A validator of a running network is away for too long: it is slashed by a hundredth and jailed, its seat
//! goes to nobody, blocks go on; it comes back, waits, asks to be let out, and leads again.

use alloy_primitives::Address;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{INCENTIVE_POOL, IStaking, STAKING};
use sahara_client::{ChainClient, Filter, SigningKey};
use sahara_primitives::Amount;
use sahara_scenarios::Testnet;
use serde_json::{Value, json};

/// Who is away.
const HOST: u16 = 3;

/// The accounts that the current epoch's seats belong to.
fn seated(network: &Testnet) -> Option<Vec<Address>> {
    let shown = network.run(&["validators", "show"]).ok()?;
    let seats = shown.get("validators")?.as_array()?.clone();
    seats.iter().map(|seat| seat.get("feeAddress")?.as_str()?.parse().ok()).collect()
}

async fn standing(client: &ChainClient, validator: Address) -> Result<IStaking::Validator> {
    Ok(client.call(STAKING, &IStaking::validatorCall { validator }).await?)
}

/// Waits until staking has jailed a validator, and checks what that cost: a hundredth of its stake, for
/// the incentive pool.
async fn is_jailed(network: &Testnet, client: &ChainClient, away: Address) -> Result<()> {
    let jailed = async || standing(client, away).await.ok().filter(|shown| shown.isJailed);
    let shown = network.until("it is jailed", jailed).await?;
    ensure!(shown.stake == Amount::from_coins(99_000).base_units(), "{shown:?}");
    ensure!(!shown.isTombstoned, "{shown:?}");
    let filter = Filter::new().address(STAKING).from_block(0_u64);
    let slashed = client.logs(&filter).await?;
    let slashed = slashed.iter().find_map(|log| {
        let slash = log.log_decode::<IStaking::Slashed>().ok()?;
        Some((log.block_number?, slash.inner.data))
    });
    let (block, slash) = slashed.wrap_err("a slash")?;
    ensure!(slash.validator == away && slash.ratio == 100, "{slash:?}");
    ensure!(slash.amount == Amount::from_coins(1_000).base_units(), "{slash:?}");
    ensure!(slash.bounty.is_zero(), "nobody reported it: {slash:?}");
    let held = async |number: u64| -> Result<Amount> {
        let asked = json!([INCENTIVE_POOL, format!("{number:#x}")]);
        let held = network.rpc(0).call("eth_getBalance", asked).await?;
        Ok(Amount::from_base_units(held.as_str().wrap_err("a balance")?.parse()?))
    };
    let gained = held(block).await?.checked_sub(held(block.saturating_sub(1)).await?)?;
    ensure!(gained == Amount::from_coins(1_000), "the pool gained {gained}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_away_is_jailed_and_comes_back() -> Result<()> {
    let operators: Vec<_> = (0..3).map(|_| SigningKey::random()).collect();
    let accounts: Vec<_> = operators.iter().map(|key| key.address().to_string()).collect();
    let mut extra = vec!["--epoch-length", "16", "--seat-period", "1", "--presence-window", "6"];
    extra.extend(["--most-missed", "3", "--jail-period", "30"]);
    extra.extend(accounts.iter().flat_map(|account| ["--account", account]));
    let mut network = Testnet::start(4, &extra)?;
    network.agree(&[0, 1, 2, 3], 4).await?;
    let client = ChainClient::new(&network.rpc(0).url)?;
    let operator = operators.last().wrap_err("an operator")?;
    let away = operator.address();

    network.end(HOST, "TERM")?;
    is_jailed(&network, &client, away).await?;
    let unjail = IStaking::unjailCall {};
    let early = client.send(operator, STAKING, Amount::ZERO, &unjail).await;
    let early = early.err().wrap_err("it left jail early")?.to_string();
    ensure!(early.contains("JailedUntil"), "{early}");
    let without = async || seated(&network).filter(|seats| seats.len() == 3);
    let seats = network.until("the seat is gone", without).await?;
    ensure!(!seats.contains(&away), "{seats:?}");
    let shown = network.run(&["stake", "show"])?.to_string();
    ensure!(shown.contains("in jail"), "{shown}");
    let height = network.rpc(0).height().await?.saturating_add(3);
    network.agree(&[0, 1, 2], height).await?;

    network.node(HOST, &[])?;
    let until = standing(&client, away).await?.jailedUntil;
    let rpc = network.rpc(0);
    let served = async || {
        let block = rpc.call("eth_getBlockByNumber", json!(["latest", false])).await.ok()?;
        let time = block.get("timestamp")?.as_str()?.trim_start_matches("0x").to_owned();
        (u64::from_str_radix(&time, 16).ok()? >= until).then_some(())
    };
    network.until("its time is over", served).await?;
    client.send(operator, STAKING, Amount::ZERO, &unjail).await?;
    let leads = async || {
        let block = rpc.call("eth_getBlockByNumber", json!(["latest", false])).await.ok()?;
        let leader: Address = block.get("miner").and_then(Value::as_str)?.parse().ok()?;
        (leader == away).then_some(())
    };
    network.until("it leads again", leads).await?;
    let height = rpc.height().await?;
    network.agree(&[0, 1, 2, 3], height).await
}
