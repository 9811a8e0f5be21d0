//! Traders: an offer that is taken and one that is taken back, a bundle, an auction with two bidders.

use crate::{
    Town, coins, key,
    town::{amount, number, text},
};
use eyre::{Result, ensure};
use sahara_abi::{ASSETS, IAssets, ILicenses, LICENSES, MARKET};
use sahara_primitives::{Address, Amount, U256};

async fn owners(town: &Town, asset: u64) -> Result<(Address, Address)> {
    let asset = IAssets::ownerOfCall { tokenId: U256::from(asset) };
    let license = ILicenses::ownerOfCall { tokenId: U256::ONE };
    Ok((town.client.call(ASSETS, &asset).await?, town.client.call(LICENSES, &license).await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_bundles_and_auctions_move_exactly_what_they_say() -> Result<()> {
    let town = Town::open()?;
    let (seller, trader) = (key(1)?.address(), key(2)?.address());
    let asset = town.register("--kind dataset --name a --dev-account 1")?;
    let terms = "--template commercial --price 10 --yes --dev-account 1";
    town.run(&format!("license offer {asset} {terms}"))?;
    town.run(&format!("license buy {asset} --no-user --yes --dev-account 1"))?;

    // An offer waits with its coin; taken back, everything returns but gas.
    let make = format!("market offer make asset:{asset} 70 --yes --dev-account 2");
    let before = town.holds(trader).await?;
    let made = town.run(&make)?;
    ensure!(town.client.balance(MARKET).await? == coins("70.7")?, "{made}");
    let offer = number(&made, "offer")?;
    let strange = format!("market offer cancel {offer} --dev-account 3");
    ensure!(town.refused(&strange, &["only"])? == "NotBidder", "a stranger");
    let back = town.run(&format!("market offer cancel {offer} --dev-account 2"))?;
    let gas = amount(&made, "/fee")?.checked_add(amount(&back, "/fee")?)?;
    ensure!(before.checked_sub(town.holds(trader).await?)? == gas, "only gas was spent");

    // Another is accepted: the owner has the price, whatever listing he had.
    let offer = number(&town.run(&make)?, "offer")?;
    let accept = format!("market offer accept {offer} --dev-account 1");
    let looked = town.run(&format!("{accept} --dry-run"))?;
    ensure!(amount(&looked, "/dry_run/for_you")? == coins("70")?, "{looked}");
    let before = town.holds(seller).await?;
    let sold = town.run(&format!("{accept} --yes"))?;
    let after = town.holds(seller).await?.checked_add(amount(&sold, "/fee")?)?;
    ensure!(after.checked_sub(before)? == coins("70")?, "{sold}");
    ensure!(owners(&town, asset).await? == (trader, seller), "the asset moved, the licence not");

    // A bundle sells everything or nothing: he needs the licence first.
    let bundle = format!("market list asset:{asset}=80 license:1=5");
    town.refused(&format!("{bundle} --yes --dev-account 2"), &["license:1 belongs to"])?;
    town.run(&format!("license transfer 1 {trader} --yes --dev-account 1"))?;
    let looked = town.run(&format!("{bundle} --dry-run --dev-account 2"))?;
    ensure!(amount(&looked, "/dry_run/royalty")? == coins("0.5")?, "{looked}");
    let listed = town.run(&format!("{bundle} --yes --dev-account 2"))?;
    let listing = text(&listed, "/listing")?;
    let before = town.holds(trader).await?;
    let bought = town.run(&format!("market buy --listing {listing} --yes --dev-account 3"))?;
    ensure!(amount(&bought, "/paid")? == coins("85.85")?, "{bought}");
    // The licence's royalty goes to who owns the asset by then: the items move one after another.
    let gained = town.holds(trader).await?.checked_sub(before)?;
    ensure!(gained == coins("84.5")?, "the trader gained {gained}");
    let buyer = key(3)?.address();
    ensure!(owners(&town, asset).await? == (buyer, buyer), "both moved");
    auction(&town, asset).await
}

async fn auction(town: &Town, asset: u64) -> Result<()> {
    let (seller, first) = (key(3)?.address(), key(4)?.address());
    let open = format!("market auction asset:{asset} --for 1h --yes --dev-account 3 --reserve");
    let unsold = number(&town.run(&format!("{open} 500"))?, "auction")?;
    town.run(&format!("market cancel auction:{unsold} --dev-account 3"))?;
    let auction = number(&town.run(&format!("{open} 50"))?, "auction")?;
    let low = format!("market bid {auction} 49 --yes --dev-account 4");
    ensure!(town.refused(&low, &["at least 50"])? == "BidTooLow", "low");
    let before = town.holds(first).await?;
    let bid = town.run(&format!("market bid {auction} --yes --dev-account 4"))?;
    ensure!(amount(&bid, "/paid")? == coins("50.5")?, "the least, and 1 %: {bid}");

    // Outbid, the first has everything back in the same call.
    let low = format!("market bid {auction} 52 --yes --dev-account 5");
    town.refused(&low, &["at least 52.5"])?;
    town.run(&format!("market bid {auction} 60 --yes --dev-account 5"))?;
    let spent = before.checked_sub(town.holds(first).await?)?;
    ensure!(spent == amount(&bid, "/fee")?, "the first spent gas only, not {spent}");
    ensure!(town.client.balance(MARKET).await? == coins("60.6")?, "the second's coin waits");
    let cancel = format!("market cancel auction:{auction} --dev-account 3");
    ensure!(town.refused(&cancel, &["it can only be settled"])? == "AuctionHasBid", "cancel");
    let settle = format!("market settle {auction} --dev-account 9");
    ensure!(town.refused(&settle, &["runs until"])? == "AuctionRunning", "settle");
    let show = town.run(&format!("market show asset:{asset}"))?;
    ensure!(amount(&show, "/auctions/0/least_bid")? == coins("63")?, "{show}");
    ensure!(owners(town, asset).await?.0 == seller, "until the end it is its seller's");
    ensure!(town.client.earned(MARKET).await? == Amount::ZERO, "a market earns nothing");
    Ok(())
}
