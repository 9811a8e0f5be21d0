//! A company subscribes: two seats by the hour, renewed, counted by a gateway it trusts, and at last
//! revoked under terms that allow it.

use crate::{
    Town, coins, key,
    town::{amount, number, text},
};
use eyre::{ContextCompat, Result, ensure};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_has_seats_is_renewed_counted_and_revoked() -> Result<()> {
    let town = Town::open()?;
    let (company, engineer, visitor) = (key(2)?.address(), key(3)?.address(), key(4)?.address());
    let asset = town.register("--kind model --name daily --dev-account 1")?;

    // Terms that contradict themselves are refused with what would be allowed.
    let create = "license terms create --template commercial --price 3 --pricing subscription";
    let name = town.refused(
        &format!("{create} --period 60s --dev-account 1"),
        &["--period is 1m, the nearest that is allowed is 1h"],
    )?;
    ensure!(name == "InvalidTerms", "{name}");
    let made = "--period 1h --seat-cap 2 --use-cap 10 --transferable=false --revocable";
    let terms = town.run(&format!("{create} {made} --dev-account 1"))?;
    let terms = text(&terms, "/terms")?;
    let shown = town.shown(&format!("license terms show {terms}"))?;
    ensure!(shown.contains("3 SAHARA for each 1h"), "{shown}");
    town.run(&format!("license offer {asset} --terms {terms} --yes --dev-account 1"))?;

    let buy = format!("license buy {asset} --quantity 2 --yes --dev-account 2");
    let bought = town.run(&buy)?;
    ensure!(amount(&bought, "/paid")? == coins("6.06")?, "two periods and 1 %: {bought}");
    let before = town.run("license show 1")?;
    let renewed = town.run("license renew 1 --quantity 1 --yes --dev-account 9")?;
    ensure!(amount(&renewed, "/paid")? == coins("3.03")?, "anyone may pay: {renewed}");
    let (was, is) = (number(&before, "expires_at")?, number(&renewed, "expires_at")?);
    ensure!(is == was + 3_600, "an hour more: {was} {is}");

    // Two seats: the company's own and the engineer's; the visitor finds none.
    town.run(&format!("license seat assign 1 {engineer} --dev-account 2"))?;
    let full = format!("license seat assign 1 {visitor} --dev-account 2");
    ensure!(town.refused(&full, &["all 2 seats", "license seat free"])? == "NoSeatLeft", "full");
    town.run(&format!("license seat free 1 {company} --dev-account 2"))?;
    town.run(&full)?;

    // A gateway counts once the holder lets it.
    let count = format!("license count 1 2 --account {engineer} --dev-account 5");
    ensure!(town.refused(&count, &["sahara license meter"])? == "NotMeter", "no meter yet");
    town.run(&format!("license meter {} --dev-account 2", key(5)?.address()))?;
    town.run(&count)?;
    let list = town.run("license list --dev-account 2")?;
    ensure!(list.pointer("/0/uses").and_then(Value::as_u64) == Some(2), "{list}");

    let away = format!("license transfer 1 {visitor} --yes --dev-account 2");
    let kept = town.refused(&away, &["cannot be passed on: its terms"])?;
    ensure!(kept == "NotTransferable", "{kept}");
    let revoke = "license revoke 1 --reason resold --yes --dev-account";
    ensure!(town.refused(&format!("{revoke} 2"), &["only its owner"])? == "NotAssetOwner", "no");
    town.run(&format!("{revoke} 1"))?;
    let check = format!("license check {asset} {engineer}");
    let (code, lacks) = town.network.answered(&check.split(' ').collect::<Vec<_>>())?;
    ensure!(code == 4 && text(&lacks, "/missing")? == "revoked", "{lacks}");

    // Withdrawn, nothing is sold any more.
    town.run(&format!("license withdraw {asset} {terms} --dev-account 1"))?;
    let (code, error) = town.network.refused(&buy.split(' ').collect::<Vec<_>>())?;
    ensure!(code == 3, "no licence is sold: {code} {error}");
    let offers = town.run(&format!("license offers {asset}"))?;
    let left = offers.get("offers").and_then(Value::as_array).wrap_err("offers")?;
    ensure!(left.is_empty(), "{offers}");
    Ok(())
}
