//! The remixer looks first, is refused without the right and told what is missing, buys it, links, is
//! paid with those above, and is refused what passes the cap.

use crate::{
    Town, coins, key,
    town::{amount, number},
};
use eyre::{Result, ensure};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_remixer_buys_the_right_and_everyone_above_is_paid() -> Result<()> {
    let town = Town::open()?;
    let (creator, remixer) = (key(1)?.address(), key(2)?.address());
    let model =
        town.register("--kind model --name base --derivative-royalty 1000 --dev-account 1")?;
    let terms = "--template commercial-remix --price 25";
    town.run(&format!("license offer {model} {terms} --yes --dev-account 1"))?;

    // Every payee before linking: 10 % above, 90 % stay, of the cap of 50 % there are 35 % to give.
    let parent = format!("--parent {model}:finetuned-from");
    let preview =
        town.run(&format!("asset preview {parent} --derivative-royalty 500 --amount 10"))?;
    ensure!(amount(&preview, "/parts/0/amount")? == coins("9")?, "{preview}");
    ensure!(amount(&preview, "/parts/1/amount")? == coins("1")?, "{preview}");
    ensure!(number(&preview, "room")? == 3_500, "{preview}");
    let shown = town.shown(&format!("asset preview {parent} --derivative-royalty 500"))?;
    ensure!(shown.contains("10 % of the income go to those above, 90 % stay"), "{shown}");

    // Without the right the chain itself refuses the link.
    let content = town.file("remix", "weights")?;
    let register = format!(
        "asset register --kind adapter --name remix --content {} {parent} --derivative-royalty 500 --dev-account 2",
        content.display()
    );
    let name = town
        .refused(&register, &["no right to use asset 1 for derivative", "sahara license buy 1"])?;
    ensure!(name == "RightMissing", "{name}");

    let bought = town.run(&format!("license buy {model} --yes --dev-account 2"))?;
    ensure!(town.gain(creator, number(&bought, "block")?).await? == coins("25")?, "{bought}");
    let list = town.run("license list --dev-account 2")?;
    ensure!(list.pointer("/0/asset").and_then(Value::as_u64) == Some(model), "{list}");
    let remix = number(&town.run(&register)?, "asset")?;

    // Income of the remix: nine tenths for the remixer, one for the creator, in the paying block.
    let (above, own) = (town.holds(creator).await?, town.holds(remixer).await?);
    let paid = town.pay(6, remix, coins("10.000000000000000009")?).await?;
    ensure!(town.gain(creator, paid.block_number).await? == coins("1")?, "a tenth, rounded down");
    ensure!(town.holds(creator).await?.checked_sub(above)? == coins("1")?, "and no more");
    let rest = town.holds(remixer).await?.checked_sub(own)?;
    ensure!(rest == coins("9.000000000000000009")?, "the remainder stays, not {rest}");

    // Three more parents at 20 % each pass the cap; the refusal names whom to give up.
    let mut parents = format!("--parent {model}:embeds");
    for name in ["a", "b", "c"] {
        let dear = format!("--kind model --name {name} --derivative-royalty 2000 --dev-account 1");
        parents = format!("{parents} --parent {}:embeds", town.register(&dear)?);
    }
    let agent = format!("asset register --kind agent --name all --prompt Answer. {parents}");
    let name = town.refused(
        &format!("{agent} --dev-account 2"),
        &["7000 basis points, at most 5000", "give up parent"],
    )?;
    ensure!(name == "RoyaltyCapExceeded", "{name}");
    Ok(())
}

/// Where an owner wants to be asked, it is asked on chain; what it asks for its own asset it changes as it likes.
#[tokio::test(flavor = "multi_thread")]
async fn a_remixer_asks_for_leave_where_the_owner_wants_to_be_asked() -> Result<()> {
    let town = Town::open()?;
    let remixer = key(2)?.address();
    let model = town.register(
        "--kind model --name shy --derivative-royalty 1000 --derivatives approval --dev-account 1",
    )?;
    let content = town.file("shy-remix", "weights")?;
    let register = format!(
        "asset register --kind adapter --name shy-remix --content {} --parent {model}:finetuned-from --dev-account 2",
        content.display()
    );
    let name = town.refused(&register, &["only with its owner's approval"])?;
    ensure!(name == "DerivativesRefused", "{name}");

    let leave = format!("asset approve {model} {remixer}");
    let name = town.refused(&format!("{leave} --dev-account 2"), &[])?;
    ensure!(name == "NotOwner", "{name}");
    let given = town.run(&format!("{leave} --dev-account 1"))?;
    ensure!(given.get("is_approved") == Some(&Value::Bool(true)), "{given}");
    let remix = number(&town.run(&register)?, "asset")?;

    // Leave that was taken back allows nothing more, and undoes nothing.
    town.run(&format!("{leave} --forbid --dev-account 1"))?;
    let name = town.refused(&register, &["only with its owner's approval"])?;
    ensure!(name == "DerivativesRefused", "{name}");
    let kept = town.run(&format!("asset show {remix}"))?;
    ensure!(kept.pointer("/parents/0/asset").and_then(Value::as_u64) == Some(model), "{kept}");

    town.run(&format!("asset price {model} --input-price 2 --output-price 6.5 --dev-account 1"))?;
    let priced = town.run(&format!("asset show {model}"))?;
    ensure!(amount(&priced, "/input_price")? == coins("2")?, "{priced}");
    ensure!(amount(&priced, "/output_price")? == coins("6.5")?, "{priced}");
    Ok(())
}
