//! The reseller buys the ownership of an asset by a signed listing. What it earned before is settled to
//! the seller, what it earns afterwards comes to him; the resale pays the co-owners their royalty; and an
//! asset whose own account was drained after it was listed cannot be sold.

use crate::{
    Town, coins, key,
    town::{amount, due, number, text},
};
use alloy_sol_types::sol;
use eyre::{Result, ensure};
use sahara_abi::{ACCOUNT_REGISTRY, ASSET_ACCOUNT, ASSETS, IAssets};
use sahara_client::SigningKey;
use sahara_primitives::{Address, Amount, B256, Bytes, LOCAL_CHAIN_ID, U256};

sol! {
    interface IAccounts {
        function createAccount(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId)
            external returns (address);
        function execute(address to, uint256 value, bytes data, uint8 operation) external payable returns (bytes);
    }
}

/// Empties an asset's own account as its owner may.
async fn drain(town: &Town, asset: u64, amount: Amount) -> Result<()> {
    let (client, owner) = (&town.client, key(1)?);
    let account = client.call(ASSETS, &IAssets::accountOfCall { asset }).await?;
    let create = IAccounts::createAccountCall {
        implementation: ASSET_ACCOUNT,
        salt: B256::ZERO,
        chainId: U256::from(LOCAL_CHAIN_ID),
        tokenContract: ASSETS,
        tokenId: U256::from(asset),
    };
    client.send(&owner, ACCOUNT_REGISTRY, Amount::ZERO, &create).await?;
    let execute = IAccounts::executeCall {
        to: owner.address(),
        value: amount.base_units(),
        data: Bytes::new(),
        operation: 0,
    };
    client.send(&owner, account, Amount::ZERO, &execute).await?;
    ensure!(client.balance(account).await?.is_zero(), "the account is empty");
    Ok(())
}

async fn owner(town: &Town, asset: u64) -> Result<Address> {
    Ok(town.client.call(ASSETS, &IAssets::ownerOfCall { tokenId: U256::from(asset) }).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reseller_gets_the_future_and_the_seller_keeps_the_past() -> Result<()> {
    let town = Town::open()?;
    let (seller, reseller) = (key(1)?.address(), key(2)?.address());
    let member = SigningKey::random().address();
    let units = format!("--member {member}:60 --owner-units 40 --derivative-royalty 1000");
    let asset = town.register(&format!("--kind dataset --name pool {units} --dev-account 1"))?;
    let account = town.client.call(ASSETS, &IAssets::accountOfCall { asset }).await?;
    town.client.transfer(&key(1)?, account, coins("5")?).await?;
    town.pay(6, asset, coins("10")?).await?;

    // Signed while its account holds 5 SAHARA; listing costs no transaction but the market's leave.
    let sign = format!("market sign asset:{asset}=100 --for 1d --dev-account 1");
    let stale = town.file("stale.json", &town.run(&sign)?.to_string())?;
    drain(&town, asset, coins("5")?).await?;
    let before = town.holds(reseller).await?;
    let name = town.refused(
        &format!("market buy {} --yes --dev-account 2", stale.display()),
        &["is not what was put up for sale", "its own account has acted"],
    )?;
    ensure!(name == "StateChanged", "{name}");
    ensure!(town.holds(reseller).await? == before, "a refused purchase costs nothing");
    ensure!(owner(&town, asset).await? == seller, "and moves nothing");

    // An altered listing is no listing.
    let listing = town.run(&sign)?;
    let mut cheaper = listing.clone();
    if let Some(fields) = cheaper.as_object_mut() {
        fields.insert("nonce".into(), 5.into());
    }
    let cheaper = town.file("cheaper.json", &cheaper.to_string())?;
    town.refused(&format!("market buy {} --yes --dev-account 2", cheaper.display()), &["altered"])?;

    // Sold: a tenth of 100 is royalty to the pool, before the move: 6 for the member, 4 for the seller,
    // who gets the other 90 as well. What it earned before is his, too.
    let (past, share) = (town.holds(seller).await?, town.holds(member).await?);
    let path = town.file("listing.json", &listing.to_string())?;
    let bought = town.run(&format!("market buy {} --yes --dev-account 2", path.display()))?;
    ensure!(text(&bought, "/bought")? == format!("asset:{asset}"), "{bought}");
    ensure!(owner(&town, asset).await? == reseller, "the reseller owns it");
    let gained = town.holds(seller).await?.checked_sub(past)?;
    ensure!(gained == coins("94")?, "the seller gained {gained}");
    let gained = town.holds(member).await?.checked_sub(share)?;
    ensure!(gained == coins("6")?, "the co-owner gained {gained}");
    let spent = before.checked_sub(town.holds(reseller).await?)?;
    ensure!(spent == coins("101")?.checked_add(amount(&bought, "/fee")?)?, "spent {spent}");
    let settled = town.client.earned(seller).await?;
    ensure!(settled.is_zero(), "the past was settled with the sale, {settled} wait");

    // The future is the reseller's.
    let (past, mine) = (town.holds(seller).await?, town.holds(reseller).await?);
    town.pay(6, asset, coins("10")?).await?;
    ensure!(town.holds(seller).await? == past, "the former owner gets nothing of it");
    let gained = town.holds(reseller).await?.checked_sub(mine)?;
    ensure!(gained == coins("4")?, "the reseller's units gained {gained}");

    resale(&town, asset, member).await
}

/// The reseller sells on at a falling price; the royalty is of what is paid.
async fn resale(town: &Town, asset: u64, member: Address) -> Result<()> {
    // He sells on, for less every second; the royalty is of what is paid.
    let terms = "--for 1d --dev-account 2 --yes";
    let dutch = town.run(&format!("market list asset:{asset}=200..0 {terms}"))?;
    town.a_second_later().await?;
    let share = town.holds(member).await?;
    let listing = text(&dutch, "/listing")?;
    let bought = town.run(&format!("market buy --listing {listing} --yes --dev-account 3"))?;
    let price = amount(&bought, "/price")?;
    ensure!(price < coins("200")? && price > coins("199")?, "the price fell to {price}");
    let royalty = price.div_floor(10).unwrap_or_default();
    let deposited = coins("30")?.checked_add(royalty)?;
    let part = |deposited| due(60, U256::from(100), deposited);
    let gained = town.holds(member).await?.checked_sub(share)?;
    let expected = part(deposited).checked_sub(part(coins("30")?))?;
    ensure!(
        gained == expected,
        "the co-owner gained {gained} of a resale at {price}, not {expected}"
    );
    ensure!(
        number(&bought, "block")? > 0 && owner(town, asset).await? == key(3)?.address(),
        "sold"
    );
    Ok(())
}
