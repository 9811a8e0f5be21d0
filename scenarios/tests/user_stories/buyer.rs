//! The buyer: two licences from the market, brought by a referrer. One is used and stays; the other is
//! returned unused, and every unit comes back.

use crate::{
    Town, coins, key,
    town::{amount, number, says_yes, text},
};
use eyre::{Result, ensure};
use sahara_abi::MARKET;
use sahara_primitives::Amount;

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_uses_one_licence_and_returns_another() -> Result<()> {
    let town = Town::open()?;
    let buyer = key(3)?.address();
    let asset = town.register("--kind dataset --name maps --dev-account 1")?;
    let terms = "--template commercial --price 10 --use-cap 5";
    town.run(&format!("license offer {asset} {terms} --yes --dev-account 1"))?;
    for _ in 0..3 {
        town.run(&format!("license buy {asset} --no-user --yes --dev-account 2"))?;
    }

    referred(&town).await?;

    // It is used: a seat, and a use that is counted.
    town.run(&format!("license seat assign 1 {buyer} --dev-account 3"))?;
    town.run("license count 1 4 --dev-account 3")?;
    let much = town.refused("license count 1 2 --dev-account 3", &["1 uses left, 2 were asked"])?;
    ensure!(much == "UsesExceeded", "{much}");
    let check = town.run(&format!("license check {asset} {buyer} --purpose commercial"))?;
    ensure!(says_yes(&check, "/is_allowed"), "{check}");

    returned(&town).await
}

/// A sale with a referrer is divided in its own block.
async fn referred(town: &Town) -> Result<()> {
    let [creator, reseller, buyer, referrer] =
        [key(1)?.address(), key(2)?.address(), key(3)?.address(), key(4)?.address()];
    // A sale with a referrer is divided in its own block: 10 % of a resale for the asset, 5 % for who
    // brought the buyer, the rest for the seller; the fee is on top.
    let sale = "--referral 500 --dev-account 2 --yes";
    let listed = town.run(&format!("market list license:1=40 {sale}"))?;
    let listing = text(&listed, "/listing")?;
    let show = town.run("market show license:1")?;
    ensure!(text(&show, "/listings/0/standing")? == "on sale", "{show}");
    let before = town.holds(buyer).await?;
    let buy = format!("market buy --listing {listing} --referrer {referrer} --dev-account 3");
    let looked = town.run(&format!("{buy} --dry-run"))?;
    ensure!(amount(&looked, "/dry_run/referral")? == coins("2")?, "{looked}");
    let bought = town.run(&format!("{buy} --yes"))?;
    let block = number(&bought, "block")?;
    for (account, part) in [(creator, "4"), (referrer, "2"), (reseller, "34")] {
        let gain = town.gain(account, block).await?;
        ensure!(gain == coins(part)?, "{account} gained {gain}, expected {part}");
    }
    let spent = before.checked_sub(town.holds(buyer).await?)?;
    ensure!(spent == coins("40.4")?.checked_add(amount(&bought, "/fee")?)?, "spent {spent}");
    let again = town.refused(&format!("{buy} --yes"), &["was sold or taken back"])?;
    ensure!(again == "NonceSpent", "{again}");
    Ok(())
}

/// Two licences that can be returned within an hour: one is used, one comes back.
async fn returned(town: &Town) -> Result<()> {
    let (reseller, buyer) = (key(2)?.address(), key(3)?.address());
    // Two that can be returned within an hour: their price waits on chain, nobody is paid yet.
    let mut sales = Vec::new();
    for license in [2, 3] {
        let terms = "--refund 1h --dev-account 2 --yes";
        let listed = town.run(&format!("market list license:{license}=30 {terms}"))?;
        let buy = format!("market buy --listing {} --dev-account 3", text(&listed, "/listing")?);
        sales.push((town.run(&format!("{buy} --yes"))?, town.holds(buyer).await?));
    }
    let waiting = town.client.balance(MARKET).await?;
    ensure!(waiting == coins("60.6")?, "price and fee of both wait, not {waiting}");

    // The used one cannot be returned; the unused one brings everything back but gas.
    let [(used, _), (unused, _)] = sales.as_slice() else { eyre::bail!("two sales: {sales:?}") };
    let (used, unused) = (number(used, "sale")?, number(unused, "sale")?);
    town.run(&format!("license seat assign 2 {buyer} --dev-account 3"))?;
    town.run("license count 2 1 --dev-account 3")?;
    let kept = town.refused(&format!("market return {used} --dev-account 3"), &["was used"])?;
    ensure!(kept == "StateChanged", "{kept}");
    town.refused(&format!("market return {unused} --dev-account 4"), &["only"])?;
    town.refused(&format!("market release {unused} --dev-account 2"), &["can be returned until"])?;
    let before = town.holds(buyer).await?;
    let returned = town.run(&format!("market return {unused} --dev-account 3"))?;
    let back = town.holds(buyer).await?.checked_add(amount(&returned, "/fee")?)?;
    ensure!(back.checked_sub(before)? == coins("30.3")?, "{returned}");
    let left = town.client.balance(MARKET).await?;
    ensure!(left == coins("30.3")?, "only the used one's price waits, not {left}");
    let held = town.run(&format!("license list {reseller}"))?;
    ensure!(
        number(held.get(0).unwrap_or(&held), "license")? == 3,
        "the reseller has it again: {held}"
    );
    ensure!(town.client.earned(MARKET).await? == Amount::ZERO, "a market earns nothing");
    Ok(())
}
