//! The creator registers a dataset, prices it, offers licences, and is paid in the block in which a
//! stranger buys one.

use crate::{
    Town, coins, key,
    town::{amount, number, says_yes, text},
};
use eyre::{Result, ensure};

#[tokio::test(flavor = "multi_thread")]
async fn a_creator_is_paid_in_the_second_in_which_a_licence_is_bought() -> Result<()> {
    let town = Town::open()?;
    let (creator, stranger) = (key(1)?.address(), key(2)?.address());
    let priced = "--kind dataset --name trails --input-price 2 --output-price 6";
    let asset = town.register(&format!("{priced} --derivative-royalty 1000 --dev-account 1"))?;

    // Until something is offered, anyone may use it.
    let free = town.run(&format!("license check {asset} {stranger} --purpose training"))?;
    ensure!(says_yes(&free, "/is_allowed"), "{free}");

    // Terms that do not fit are refused with the flag and the nearest value.
    let misfit = "--template commercial-remix --price 25 --derivative-royalty 900 --yes";
    let name = town.refused(
        &format!("license offer {asset} {misfit} --dev-account 1"),
        &["--derivative-royalty is 900", "it needs 1000"],
    )?;
    ensure!(name == "TermsDoNotFit", "{name}");
    let offer = format!("license offer {asset} --template commercial-remix --price 25");
    let somebody = town.refused(&format!("{offer} --yes --dev-account 2"), &["only its owner"])?;
    ensure!(somebody == "NotAssetOwner", "{somebody}");

    // Nothing that cannot be undone happens unasked.
    let (code, error) =
        town.network.refused(&format!("{offer} --dev-account 1").split(' ').collect::<Vec<_>>())?;
    ensure!(code == 2 && text(&error, "/message")?.contains("--dry-run"), "{code}: {error}");
    let shown = town.run(&format!("{offer} --dry-run --dev-account 1"))?;
    ensure!(text(&shown, "/dry_run/effect")?.contains("every use"), "{shown}");
    let offered = town.run(&format!("{offer} --yes --dev-account 1"))?;
    let terms = text(&offered, "/terms")?;
    ensure!(shown.pointer("/dry_run/terms") == offered.get("terms"), "{shown} {offered}");

    // From now on the stranger is told what is missing, and what to do.
    let check = format!("license check {asset} {stranger} --purpose training,commercial");
    let (code, missing) = town.network.answered(&check.split(' ').collect::<Vec<_>>())?;
    ensure!(code == 4 && text(&missing, "/missing")? == "license", "{missing}");
    ensure!(text(&missing, "/needs")?.contains("sahara license buy"), "{missing}");

    let quote = town.run(&format!("license quote {terms}"))?;
    ensure!(amount(&quote, "/total")? == coins("25.25")?, "{quote}");
    let before = town.holds(stranger).await?;
    let looked = town.run(&format!("license buy {asset} --dry-run --dev-account 2"))?;
    ensure!(amount(&looked, "/dry_run/to_pay")? == coins("25.25")?, "{looked}");
    ensure!(town.holds(stranger).await? == before, "looking costs nothing");

    let bought = town.run(&format!("license buy {asset} --yes --dev-account 2"))?;
    let block = number(&bought, "block")?;
    ensure!(town.gain(creator, block).await? == coins("25")?, "the block of the sale pays 25");
    let spent = before.checked_sub(town.holds(stranger).await?)?;
    ensure!(
        spent == coins("25.25")?.checked_add(amount(&bought, "/fee")?)?,
        "the stranger paid price, fee and gas, not {spent}"
    );
    let now = town.run(&check)?;
    ensure!(says_yes(&now, "/is_allowed") && number(&now, "license")? == 1, "{now}");

    // The statement says it, for people, programs and spreadsheets.
    let statement = town.run(&format!("contribution statement {creator} --by month"))?;
    ensure!(amount(&statement, "/credited")? == coins("25")?, "{statement}");
    ensure!(amount(&statement, "/lines/0/credited")? == coins("25")?, "{statement}");
    let table = town.shown(&format!("contribution statement {creator}"))?;
    ensure!(table.contains("CREDITED") && table.contains("together"), "{table}");
    let csv = town.shown(&format!("contribution statement {creator} --by all --csv"))?;
    ensure!(csv == format!("period,asset,payments,credited\nall,{asset},1,25\n"), "{csv}");
    Ok(())
}
