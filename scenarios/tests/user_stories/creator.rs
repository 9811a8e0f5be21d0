//! The creator registers a dataset, prices it, offers licences, and is paid in the block in which a
//! stranger buys one, and of that in which a stranger's conversation with an agent is settled.

use crate::{
    Town, coins, key,
    town::{amount, number, says_yes, text},
};
use eyre::{ContextCompat, Result, ensure};
use sahara_primitives::{Amount, U256};
use serde_json::Value;

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

/// The same through the gateway: a worker that is not hers serves her agent, a stranger who holds
/// nothing but an API key talks to it, and the block that settles the conversation pays her.
#[tokio::test(flavor = "multi_thread")]
async fn a_creator_is_paid_in_the_block_that_settles_a_strangers_conversation() -> Result<()> {
    let town = Town::with_demonstration()?;
    let creator = key(6)?.address();
    let about = "--kind agent --name pelita --prompt Briefly. --parent 2:embeds";
    let prices = "--input-price 10 --output-price 30 --dev-account 6";
    let registered = town.run(&format!("asset register {about} {prices}"))?;
    let agent = number(&registered, "asset")?;
    town.run(&format!("asset serve {agent} --input-price 1 --output-price 1 --dev-account 4"))?;
    let (http, gateway) = (reqwest::Client::new(), town.network.gateway()?);
    let listed = format!("{gateway}/v1/models/pelita");
    town.network
        .until("her agent is served", async || {
            http.get(&listed).send().await.ok()?.status().is_success().then_some(())
        })
        .await?;

    let before = town.holds(creator).await?;
    let chat = town.run("chat --model pelita --max-tokens 5 Hello!")?;
    let id = text(&chat, "/usage/receipt")?;
    // She finds the payment in the app API, with the block that paid it.
    let payments = format!("{gateway}/api/v1/payments?asset={agent}");
    let payment = town
        .network
        .until("the conversation is settled", async || {
            let page: Value = http.get(&payments).send().await.ok()?.json().await.ok()?;
            let rows = page.get("data")?.as_array()?;
            let is_use = |row: &&Value| row.get("kind").and_then(Value::as_str) == Some("use");
            rows.iter().find(is_use).cloned()
        })
        .await?;
    let block = number(&payment, "block")?;
    let receipt = town.run(&format!("receipt get {id}"))?;
    let whole = amount(&receipt, "/bundle/receipt/bill/asset")?;
    ensure!(whole > Amount::ZERO, "{receipt}");
    let shown = text(&payment, "/amount/base_units")?;
    ensure!(shown == whole.base_units().to_string(), "{payment} {receipt}");
    // Everyone in her agent's line has a part of it, rounded down; the rest is hers, in that block.
    let lineage = town.run(&format!("asset show {agent}"))?;
    let line = lineage.get("ancestors").and_then(Value::as_array).wrap_err("a line")?;
    let mut hers = whole.base_units();
    for ancestor in line {
        let share = U256::from(number(ancestor, "share")?);
        hers -= whole.base_units() * share / U256::from(10_000);
    }
    ensure!(line.len() == 2 && hers < whole.base_units(), "{lineage}");
    let gained = town.gain(creator, block).await?;
    ensure!(gained.base_units() == hers, "she gained {gained} of {whole}");
    let now = town.holds(creator).await?;
    ensure!(now.checked_sub(before)? == gained, "and that is all she gained: {now}");
    Ok(())
}
