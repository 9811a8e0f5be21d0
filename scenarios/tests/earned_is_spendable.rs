//! What was earned can be spent at once, by an account that never held coin and claims nothing.

use alloy_primitives::aliases::U96;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{ASSETS, IAssets, IRoyalties, ROYALTIES};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Address, Amount, B256, BlockNumber};
use sahara_scenarios::{Network, Options};

fn dataset(members: &[Address]) -> IAssets::Registration {
    let member = |account: &Address| IAssets::Member { account: *account, units: U96::from(1) };
    IAssets::Registration {
        kind: IAssets::Kind::Dataset,
        contentHash: B256::repeat_byte(7),
        metadataURI: String::from("data:application/json,{\"name\":\"shared\"}"),
        inputPrice: 0,
        outputPrice: 0,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: members.iter().map(member).collect(),
        ownerUnits: U96::ZERO,
        isOpen: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contributor_spends_what_it_earned_in_the_next_block() -> Result<()> {
    let network = Network::start(Options { validators: 1, demo: false })?;
    let client = ChainClient::new(&network.text("/rpc")?)?;
    let payer = SigningKey::from_mnemonic(TEST_MNEMONIC, 6)?;
    let contributors = [SigningKey::random(), SigningKey::random(), SigningKey::random()];
    let registration = dataset(&contributors.each_ref().map(SigningKey::address));
    let call = IAssets::registerCall { registration };
    let outcome = client.send(&payer, ASSETS, Amount::ZERO, &call).await?;
    let registered = outcome.events::<IAssets::Registered>();
    let asset = registered.first().wrap_err("registered")?.data.asset;

    let [first, second, third] = &contributors;
    ensure!(client.balance(first.address()).await?.is_zero(), "a contributor never held coin");
    let pay = IRoyalties::payCall { asset };
    let paid = client.send(&payer, ROYALTIES, Amount::from_coins(10), &pay).await?;
    let third_part = Amount::from_u128(3_333_333_333_333_333_333);
    let held = client.balance_at(first.address(), BlockNumber(paid.block_number)).await?;
    ensure!(held == third_part, "the paying block itself credits {third_part}, found {held}");
    let spent = client.transfer(first, second.address(), Amount::ONE_COIN).await?;
    ensure!(spent.succeeded, "what was earned pays for gas and value: {spent:?}");
    ensure!(spent.block_number > paid.block_number, "and is spent in a block after it");

    // 10 SAHARA to three: each a third, rounded down, whatever was settled when.
    let whole = async |key: &SigningKey| -> Result<Amount> {
        let (held, earned) =
            (client.balance(key.address()).await?, client.earned(key.address()).await?);
        Ok(held.checked_add(earned)?)
    };
    ensure!(whole(third).await? == third_part, "an idle contributor holds a third");
    ensure!(
        whole(second).await? == third_part.checked_add(Amount::ONE_COIN)?,
        "and one received one more"
    );
    let rest = third_part.checked_sub(Amount::ONE_COIN)?.checked_sub(spent.fee())?;
    ensure!(whole(first).await? == rest, "the spender paid value and gas from its earnings");
    Ok(())
}
