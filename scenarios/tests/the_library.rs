//! The example of the Rust library, on a real node: what its documentation shows is what happens.

use eyre::{Result, ensure, eyre};
use sahara_abi::{ASSETS, IAssets, ILicenses, LICENSES, MARKET};
use sahara_client::{AccountCall, ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Amount, AssetId, U256, merkle_sum::Contribution};
use sahara_scenarios::{Network, Options};

#[path = "../../transaction/client/examples/economy.rs"]
#[expect(dead_code, reason = "an example has a `main` of its own")]
mod economy;

async fn owner(client: &ChainClient, asset: AssetId) -> Result<sahara_primitives::Address> {
    Ok(client.call(ASSETS, &IAssets::ownerOfCall { tokenId: asset.into() }).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_library_does_what_it_says() -> Result<()> {
    let network = Network::start(Options { demo: false, ..Options::default() })?;
    let client = ChainClient::new(&network.text("/rpc")?)?;
    let creator = SigningKey::from_mnemonic(TEST_MNEMONIC, 6)?;
    let buyer = SigningKey::from_mnemonic(TEST_MNEMONIC, 7)?;

    let (dataset, model) = economy::register(&client, &creator).await.map_err(|e| eyre!(e))?;
    ensure!((dataset, model) == (AssetId(1), AssetId(2)), "the first two assets");
    let terms = economy::license(&client, &creator, model).await.map_err(|e| eyre!(e))?;
    let license = economy::buy(&client, &buyer, (model, terms)).await.map_err(|e| eyre!(e))?;
    ensure!(license == U256::ONE, "the first licence, not {license}");
    let parties = (&creator, &buyer);
    let paid = economy::sell(&client, parties, model).await.map_err(|e| eyre!(e))?;
    ensure!(paid == Amount::from_coins(101), "100 and a fee of 1 %, not {paid}");
    ensure!(owner(&client, model).await? == buyer.address(), "the model is the buyer's");
    ensure!(owner(&client, dataset).await? == creator.address(), "the dataset was not sold");

    let keys: Vec<_> = (0..5).map(|_| SigningKey::random().address()).collect();
    let list: Vec<_> = keys
        .iter()
        .zip([1, 2, 3, 4, 10])
        .map(|(contributor, units)| Contribution { contributor: *contributor, units })
        .collect();
    economy::contribute(&client, parties, &list).await.map_err(|e| eyre!(e))?;
    let last = *keys.last().ok_or_else(|| eyre!("five keys"))?;
    // 10 of 20 units of 10 SAHARA.
    let held = client.balance(last).await?;
    ensure!(held == Amount::from_coins(5), "the last contributor holds {held}");

    let pair = (&creator, &buyer);
    let until = economy::lease(&client, pair, dataset).await.map_err(|e| eyre!(e))?;
    let license = ILicenses::licenseCall { license: U256::from(2) };
    let leased = client.call(LICENSES, &license).await?;
    ensure!(leased.expiresAt == until.0 && leased.holder == buyer.address(), "{leased:?}");
    let bid = economy::bargain(&client, pair, (dataset, until)).await.map_err(|e| eyre!(e))?;
    ensure!(bid == Amount::from_coins(50), "the reserve, not {bid}");
    ensure!(owner(&client, dataset).await? == buyer.address(), "the dataset is the buyer's");
    let waits = client.balance(MARKET).await?;
    let expected = client.bid_quote(bid).await?.total()?;
    ensure!(waits == expected, "the bid waits with its fee, {waits}, and nothing of the offers");
    let kept = economy::treasury(&client, &buyer, model).await.map_err(|e| eyre!(e))?;
    ensure!(kept == Amount::from_coins(3), "two of five were sent, {kept} are left");
    let before = client.asset_account(model).await?;
    let call = AccountCall { to: buyer.address(), value: kept, ..AccountCall::default() };
    let refused = client.act_through(&creator, model, &call).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("NotOwner")), "its owner alone");
    ensure!(client.try_through(buyer.address(), model, &call).await.is_ok(), "which may");
    ensure!(client.asset_account(model).await? == before, "and nothing was sent");
    Ok(())
}
