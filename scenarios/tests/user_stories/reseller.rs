//! The reseller buys the ownership of an asset by a signed listing. What it earned before is settled to
//! the seller, what it earns afterwards comes to him; the resale pays the co-owners their royalty; and an
//! asset whose own account was drained after it was listed cannot be sold.

use crate::{
    Town, coins, key,
    town::{amount, due, number, text},
};
use eyre::{Result, ensure};
use sahara_abi::{ASSETS, IAssets};
use sahara_client::SigningKey;
use sahara_primitives::{Address, U256};
use serde_json::{Value, json};

/// Empties an asset's own account, which holds 5 SAHARA and another asset, as its owner may and nobody else.
async fn drain(town: &Town, asset: u64, inner: u64) -> Result<()> {
    let seller = key(1)?.address();
    let show = format!("asset account show {asset}");
    let account = town.run(&show)?;
    ensure!(amount(&account, "/holds")? == coins("5")?, "{account}");
    ensure!(number(&account, "assets")? == 1 && number(&account, "actions")? == 0, "{account}");
    let send = format!("asset account send {asset} {seller} 5");
    let name = town.refused(&format!("{send} --yes --dev-account 2"), &["belongs to"])?;
    ensure!(name == "NotOwner", "{name}");
    let looked = town.run(&format!("{send} --dry-run --dev-account 1"))?;
    ensure!(amount(&looked, "/dry_run/send")? == coins("5")?, "{looked}");
    ensure!(town.run(&show)? == account, "looking changes nothing");

    // The inner asset is the account's, and so its own account acts for the seller as well. The first action
    // places both accounts' code.
    let place = IAssets::accountOfCall { asset: inner };
    let place = town.client.call(ASSETS, &place).await?;
    town.client.transfer(&key(1)?, place, coins("1")?).await?;
    let below = format!("asset account send {inner} {seller} 1 --yes");
    town.refused(&format!("{below} --dev-account 2"), &["belongs to"])?;
    town.run(&format!("{below} --dev-account 1"))?;
    ensure!(town.client.balance(place).await?.is_zero(), "what was below is the seller's");

    let sent = town.run(&format!("{send} --yes --dev-account 1"))?;
    ensure!(amount(&sent, "/sent")? == coins("5")?, "{sent}");
    let give = format!("asset account give {asset} asset:{inner} {seller} --yes");
    town.refused(&format!("{give} --dev-account 2"), &["belongs to"])?;
    town.run(&format!("{give} --dev-account 1"))?;
    ensure!(owner(town, inner).await? == seller, "what the account held is the seller's");
    // What it holds no longer it cannot give: the chain's reason, not that of the account.
    let name = town.refused(&format!("{give} --dev-account 1"), &[])?;
    ensure!(name.starts_with("ERC721"), "{name}");
    let account = town.run(&show)?;
    ensure!(amount(&account, "/holds")? == coins("0")?, "{account}");
    ensure!(number(&account, "assets")? == 0 && number(&account, "actions")? == 3, "{account}");
    let has_code = account.get("has_code").and_then(Value::as_bool);
    ensure!(has_code == Some(true), "{account}");
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
    let inner = town.register("--kind dataset --name inner --dev-account 1")?;
    town.run(&format!("asset transfer {inner} {account} --yes --dev-account 1"))?;
    town.pay(6, asset, coins("10")?).await?;

    // Signed while its account holds 5 SAHARA; listing costs no transaction but the market's leave.
    let sign = format!("market sign asset:{asset}=100 --for 1d --dev-account 1");
    let stale = town.file("stale.json", &town.run(&sign)?.to_string())?;
    drain(&town, asset, inner).await?;
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

/// A line of versions goes to whoever owns the latest: the buyer goes on with it, the seller does not.
#[tokio::test(flavor = "multi_thread")]
async fn who_buys_the_latest_version_goes_on_with_the_line() -> Result<()> {
    let town = Town::open()?;
    let (seller, buyer) = (key(1)?.address(), key(2)?.address());
    let first = town.register("--kind dataset --name trails-1 --dev-account 1")?;
    let next = |name: &str, parent: u64| {
        format!("--kind dataset --name {name} --parent {parent}:version-of")
    };
    let second = town.register(&format!("{} --dev-account 1", next("trails-2", first)))?;
    town.run(&format!("asset transfer {second} {buyer} --yes --dev-account 1"))?;

    // Neither on top of what is another's, nor beside it.
    let content = town.file("content", "rows")?;
    let strange = format!("asset register --content {} {}", content.display(), next("x", second));
    let name = town.refused(&format!("{strange} --dev-account 1"), &[])?;
    ensure!(name == "NotOwner", "{name}");
    let name = town.refused(
        &format!(
            "asset register --content {} {} --dev-account 1",
            content.display(),
            next("x", first)
        ),
        &[],
    )?;
    ensure!(name == "NotLatestVersion", "{name}");
    let third = town.register(&format!("{} --dev-account 2", next("trails-3", second)))?;

    for (place, asset) in [first, second, third].into_iter().enumerate() {
        let line = town.run(&format!("asset versions {asset}"))?;
        let own = place.saturating_add(1);
        ensure!(number(&line, "number")? == u64::try_from(own)?, "{line}");
        ensure!(number(&line, "first")? == first && number(&line, "latest")? == third, "{line}");
        let of = |field: &str| -> Vec<Value> {
            let versions = line.get("versions").and_then(Value::as_array);
            let versions = versions.into_iter().flatten();
            versions.filter_map(|version| version.get(field).cloned()).collect()
        };
        ensure!(of("asset") == [first, second, third].map(Value::from), "{line}");
        ensure!(of("name") == ["trails-1", "trails-2", "trails-3"].map(Value::from), "{line}");
        ensure!(of("owner") == [seller, buyer, buyer].map(|owner| json!(owner)), "{line}");
    }
    let shown = town.shown(&format!("asset versions {first}"))?;
    ensure!(shown.contains("trails-3") && shown.contains("is version 1 of 3"), "{shown}");
    let name = town.refused("asset versions 99", &["there is no asset 99"])?;
    ensure!(name == "UnknownAsset", "{name}");
    Ok(())
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
