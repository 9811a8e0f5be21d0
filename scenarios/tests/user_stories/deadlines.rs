//! What runs out: an auction without a bid just ends, one with bids goes to the best of them, an offer
//! that nobody took is sent back by a stranger, and a licence that was not returned in time is paid out.

use crate::{
    Town, coins, key,
    town::{amount, number, says_yes, text},
};
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{ASSETS, IAssets, ILicenses, LICENSES, MARKET};
use sahara_primitives::{Amount, U256};
use serde_json::Value;

/// Long enough to be refused before, on a slow machine; short enough to wait for.
const SHORT: &str = "12s";

/// Long enough for two bids on a slow machine: each leaves as long again.
const AUCTION: u64 = 20;

/// A command that is refused until its time has come.
async fn in_time(town: &Town, command: &str, too_early: &str) -> Result<Value> {
    let name = town.refused(command, &[])?;
    ensure!(name == too_early, "{command}: {name}");
    town.network.until(command, async || town.run(command).ok()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_out_goes_where_it_belongs_whoever_sends_it() -> Result<()> {
    let town = Town::open()?;
    let (owner, trader) = (key(1)?.address(), key(2)?.address());
    let asset = town.register("--kind dataset --name tides --dev-account 1")?;
    let terms = "--template commercial --price 10 --yes --dev-account 1";
    town.run(&format!("license offer {asset} {terms}"))?;

    // Nobody bids: whoever settles it, the asset stays where it was, and nobody pays anything but gas.
    let open = format!("market auction asset:{asset} --reserve 50 --for {SHORT} --yes");
    let auction = number(&town.run(&format!("{open} --dev-account 1"))?, "auction")?;
    let settle = format!("market settle {auction} --dev-account 9");
    let settled = in_time(&town, &settle, "AuctionRunning").await?;
    ensure!(!says_yes(&settled, "/is_sold"), "{settled}");
    let of = IAssets::ownerOfCall { tokenId: U256::from(asset) };
    ensure!(town.client.call(ASSETS, &of).await? == owner, "it is its seller's as before");
    let again = town.refused(&settle, &[])?;
    ensure!(again == "UnknownAuction", "{again}");

    // Nobody accepts: after its end a stranger sends the coin back, every unit.
    let before = town.holds(trader).await?;
    let make = format!("market offer make asset:{asset} 70 --for {SHORT} --yes --dev-account 2");
    let made = town.run(&make)?;
    ensure!(town.client.balance(MARKET).await? == coins("70.7")?, "price and fee wait: {made}");
    let offer = number(&made, "offer")?;
    let cancel = format!("market offer cancel {offer} --dev-account 9");
    in_time(&town, &cancel, "NotBidder").await?;
    let spent = before.checked_sub(town.holds(trader).await?)?;
    ensure!(spent == amount(&made, "/fee")?, "the trader spent gas only, not {spent}");
    ensure!(town.client.balance(MARKET).await?.is_zero(), "nothing waits");
    sold(&town).await?;
    released(&town, asset).await
}

/// Two bid, each moves the end; a stranger settles it, and in that block the lineage, the seller and the
/// incentive pool are paid, the best bidder owns, and who was outbid has lost gas only.
async fn sold(town: &Town) -> Result<()> {
    let (creator, seller) = (key(1)?.address(), key(4)?.address());
    let (first, best) = (key(5)?.address(), key(6)?.address());
    let parent = "--kind dataset --name spring --derivative-royalty 1000 --dev-account 1";
    let parent = town.register(parent)?;
    let asset = town.register(&format!(
        "--kind model --name ebb --parent {parent}:trained-on --derivative-royalty 500 --dev-account 4"
    ))?;
    let open = format!("market auction asset:{asset} --reserve 50 --for {AUCTION}s --yes");
    let opened = town.run(&format!("{open} --dev-account 4"))?;
    let (auction, first_end) = (number(&opened, "auction")?, ends_at(town, asset)?);
    let before = town.holds(first).await?;
    let bid = town.run(&format!("market bid {auction} 50 --yes --dev-account 5"))?;
    let second_end = ends_at(town, asset)?;
    ensure!(second_end >= first_end, "a bid moves the end: {first_end}, {second_end}");
    town.run(&format!("market bid {auction} 60 --yes --dev-account 6"))?;
    let end = ends_at(town, asset)?;
    ensure!(end >= second_end && end <= first_end + 10 * AUCTION, "{second_end}, {end}");
    let spent = before.checked_sub(town.holds(first).await?)?;
    ensure!(spent == amount(&bid, "/fee")?, "outbid, the first spent gas only, not {spent}");
    ensure!(town.client.balance(MARKET).await? == coins("60.6")?, "the best bid's coin waits");

    let settle = format!("market settle {auction} --dev-account 9");
    let settled = in_time(town, &settle, "AuctionRunning").await?;
    ensure!(says_yes(&settled, "/is_sold"), "{settled}");
    let block = number(&settled, "block")?;
    let of = IAssets::ownerOfCall { tokenId: U256::from(asset) };
    ensure!(town.client.call(ASSETS, &of).await? == best, "the best bidder owns it");
    // 5 % of 60 is the asset's royalty on its sale; a tenth of that is its parent's.
    ensure!(town.gain(creator, block).await? == coins("0.3")?, "the parent's part: {settled}");
    ensure!(town.gain(seller, block).await? == coins("59.7")?, "the seller's: {settled}");
    ensure!(town.client.balance(MARKET).await?.is_zero(), "nothing waits");
    let again = town.refused(&settle, &[])?;
    ensure!(again == "UnknownAuction", "{again}");
    Ok(())
}

fn ends_at(town: &Town, asset: u64) -> Result<u64> {
    let shown = town.run(&format!("market show asset:{asset}"))?;
    let end = shown.pointer("/auctions/0/ends_at").cloned().unwrap_or_default();
    let end = end.as_u64().or_else(|| end.as_str().and_then(|text| text.parse().ok()));
    end.wrap_err_with(|| format!("no auction runs: {shown}"))
}

/// Nobody returns it: after the time for that a stranger has the sale paid out, and it is divided in
/// that block.
async fn released(town: &Town, asset: u64) -> Result<()> {
    let (owner, trader, buyer) = (key(1)?.address(), key(2)?.address(), key(3)?.address());
    town.run(&format!("license buy {asset} --no-user --yes --dev-account 2"))?;
    let list = format!("market list license:1=30 --refund {SHORT} --yes --dev-account 2");
    let listing = text(&town.run(&list)?, "/listing")?;
    let buy = format!("market buy --listing {listing} --yes --dev-account 3");
    let sale = number(&town.run(&buy)?, "sale")?;
    ensure!(town.client.balance(MARKET).await? == coins("30.3")?, "nobody is paid yet");
    let release = format!("market release {sale} --dev-account 9");
    let paid = in_time(town, &release, "ReturnOpen").await?;
    let block = number(&paid, "block")?;
    ensure!(town.gain(trader, block).await? == coins("27")?, "the seller's part: {paid}");
    ensure!(town.gain(owner, block).await? == coins("3")?, "the licensor's tenth: {paid}");
    ensure!(town.client.balance(MARKET).await?.is_zero(), "nothing waits");
    let of = ILicenses::ownerOfCall { tokenId: U256::ONE };
    ensure!(town.client.call(LICENSES, &of).await? == buyer, "the buyer keeps it");
    let late = town.refused(&format!("market return {sale} --dev-account 3"), &[])?;
    ensure!(late == "UnknownSale", "{late}");
    ensure!(town.client.earned(MARKET).await? == Amount::ZERO, "a market earns nothing");
    Ok(())
}
