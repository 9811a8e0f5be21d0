//! The validators of a running network change by staking transactions alone: one joins with a stake,
//! is seated, leads blocks and earns fees; one leaves and loses its seat.

use alloy_primitives::Address;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{IStaking, STAKING};
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::Amount;
use sahara_scenarios::Testnet;
use serde_json::{Value, json};

/// The accounts that the current epoch's seats belong to, sorted.
fn seated(network: &Testnet) -> Option<Vec<Address>> {
    let shown = network.run(&["validators", "show"]).ok()?;
    let seats = shown.get("validators")?.as_array()?.clone();
    let accounts = seats.iter().filter_map(|seat| seat.get("feeAddress")?.as_str()?.parse().ok());
    let mut accounts: Vec<_> = accounts.collect();
    accounts.sort();
    Some(accounts)
}

async fn seats_are(network: &Testnet, wanted: &[Address]) -> Result<()> {
    let mut wanted = wanted.to_vec();
    wanted.sort();
    let name = format!("the seats are {wanted:?}");
    let are = async || (seated(network)? == wanted).then_some(());
    network.until(&name, are).await
}

/// Waits for a block that `leader` made, and returns its number.
async fn led_by(network: &Testnet, leader: Address) -> Result<u64> {
    let rpc = network.rpc(0);
    let found = async || {
        let block = rpc.call("eth_getBlockByNumber", json!(["latest", false])).await.ok()?;
        let miner: Address = block.get("miner")?.as_str()?.parse().ok()?;
        let number = block.get("number")?.as_str()?.trim_start_matches("0x").to_owned();
        (miner == leader).then(|| u64::from_str_radix(&number, 16).ok()).flatten()
    };
    network.until(&format!("{leader} leads"), found).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_joins_by_stake_and_one_leaves() -> Result<()> {
    let operators: Vec<_> = (0..3).map(|_| SigningKey::random()).collect();
    let accounts: Vec<_> = operators.iter().map(|key| key.address().to_string()).collect();
    let mut extra = vec!["--epoch-length", "16", "--seat-period", "1"];
    extra.extend(accounts.iter().flat_map(|account| ["--account", account]));
    let mut network = Testnet::start(4, &extra)?;
    network.agree(&[0, 1, 2, 3], 1).await?;
    let mut all: Vec<Address> = operators.iter().map(SigningKey::address).collect();
    all.push(network.wallet.parse()?);
    seats_are(&network, &all).await?;

    // A stranger gets coin, makes keys, starts a node, stakes.
    let joiner: Address = network.wallet("joiner")?.parse()?;
    let client = ChainClient::new(&network.rpc(0).url)?;
    let [first, .., last] = operators.as_slice() else { eyre::bail!("three operators") };
    client.transfer(first, joiner, Amount::from_coins(60_000)).await?;
    network.add_sealed_host(4)?;
    network.node(4, &[])?;
    let (secret, password) = (network.secret(4), network.text("password"));
    let address = network.address(4).to_string();
    network.run(&[
        "stake",
        "create",
        "--key-file",
        &secret,
        "--key-password-file",
        &password,
        "--address",
        &address,
        "--amount",
        "50000",
        "--wallet",
        "joiner",
        "--password-file",
        &password,
    ])?;
    all.push(joiner);
    seats_are(&network, &all).await?;
    led_by(&network, joiner).await?;

    // Fees of its seat are its delegators', which is itself; they arrive without a claim.
    let before = client.balance(joiner).await?;
    client.transfer(first, Address::repeat_byte(7), Amount::from_u128(1)).await?;
    let earned = async || client.balance(joiner).await.ok().filter(|after| *after > before);
    network.until("the seat's fees arrive", earned).await?;

    // One leaves; the others go on without it.
    client.send(last, STAKING, Amount::ZERO, &IStaking::leaveValidatorCall {}).await?;
    all.retain(|account| *account != last.address());
    seats_are(&network, &all).await?;
    let place = operators.len();
    network.end(u16::try_from(place)?, "TERM")?;
    let height = led_by(&network, joiner).await?;
    network.agree(&[0, 1, 2, 4], height).await?;

    let shown = network.run(&["stake", "show"])?;
    let rows = shown.get("validators").and_then(Value::as_array).wrap_err("validators")?;
    let leaving = rows.iter().filter(|row| row.get("state") == Some(&json!("leaving")));
    ensure!(leaving.count() == 1, "one leaves: {shown}");
    for what in ["/costs/to_halt/stake", "/costs/to_decide/stake"] {
        ensure!(shown.pointer(what).is_some_and(Value::is_string), "no {what}: {shown}");
    }
    Ok(())
}
