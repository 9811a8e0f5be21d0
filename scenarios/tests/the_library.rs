//! The example of the Rust library, on a real node: what its documentation shows is what happens.

use eyre::{Result, ensure, eyre};
use sahara_abi::{ASSETS, IAssets};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
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
    Ok(())
}
