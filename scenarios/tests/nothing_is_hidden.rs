//! Attacks on the books themselves: income to accounts of the chain, coin forced into a protocol.

use alloy_primitives::aliases::U96;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{ASSETS, CHANNELS, FEES, IAssets, ISystem, SYSTEM_CALLER};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC, TxRequest};
use sahara_primitives::{Address, Amount, B256};
use sahara_scenarios::{Network, Options};

fn shared_with(account: Address) -> IAssets::Registration {
    IAssets::Registration {
        kind: IAssets::Kind::Dataset,
        contentHash: B256::repeat_byte(7),
        metadataURI: String::from("data:application/json,{\"name\":\"shared\"}"),
        inputPrice: 0,
        outputPrice: 0,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: vec![IAssets::Member { account, units: U96::from(1) }],
        ownerUnits: U96::ZERO,
        isOpen: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_income_reaches_the_chains_own_accounts_and_forced_coin_is_seen() -> Result<()> {
    let mut network = Network::start(Options { validators: 1, demo: false })?;
    let client = ChainClient::new(&network.text("/rpc")?)?;
    let attacker = SigningKey::from_mnemonic(TEST_MNEMONIC, 6)?;
    for account in [FEES, SYSTEM_CALLER, CHANNELS] {
        let call = IAssets::registerCall { registration: shared_with(account) };
        let refused = client.send(&attacker, ASSETS, Amount::ZERO, &call).await;
        let refused = refused.err().wrap_err_with(|| format!("{account} became a member"))?;
        let name = refused.revert().map(|revert| revert.name.clone()).unwrap_or_default();
        ensure!(name == "InvalidMember", "{account}: {refused}");
    }
    // Past the estimate, straight into a block: it reverts there, and blocks go on.
    let call = IAssets::registerCall { registration: shared_with(FEES) };
    let mut forced = TxRequest::call(ASSETS, Amount::ZERO, &call);
    forced.gas = Some(1_000_000);
    let failed = client.send_request(&attacker, forced).await.err().wrap_err("it reverts")?;
    ensure!(failed.to_string().contains("InvalidMember"), "{failed}");
    let coin = client.transfer(&attacker, FEES, Amount::ONE_COIN).await;
    let after = client.transfer(&attacker, Address::repeat_byte(0xee), Amount::ONE_COIN).await?;
    ensure!(after.succeeded, "the network goes on after {coin:?}");
    let mut expected = network.recovered()?.len();

    // `PUSH20 channels SELFDESTRUCT` in a contract's constructor: nothing can refuse this coin, so
    // the end of the transaction gives it to the incentive pool, and says so.
    let input = [&[0x73], CHANNELS.as_slice(), &[0xff]].concat().into();
    let value = Amount::from_u128(12_345);
    let force = TxRequest { to: None, value, input, gas: Some(200_000), fees: None };
    let outcome = client.send_request(&attacker, force).await?;
    expected = expected.saturating_add(1);
    let seen = outcome.events::<ISystem::Recovered>();
    ensure!(seen.len() == 1, "one log tells of it: {:?}", outcome.logs);
    ensure!(seen.iter().all(|log| log.data.amount == value.base_units()), "{seen:?}");
    let found = network.recovered()?;
    ensure!(found.len() == expected, "what every scenario looks for finds it: {found:?}");
    network.allow_recoveries(expected);
    network.stop()
}
