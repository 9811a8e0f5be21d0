//! Contributor number 999,999 of a dataset that a million people made. She never held coin and does
//! nothing: somebody else activates her contribution, and the money is there, to the unit.

use crate::{
    Town, coins, key,
    town::{due, number, says_yes, text},
};
use eyre::{ContextCompat, Result, ensure};
use sahara_client::SigningKey;
use sahara_primitives::{Address, Amount, B256, U256};
use serde_json::{Value, json};
use std::fmt::Write as _;

const CONTRIBUTORS: u32 = 1_000_000;
/// Counted from 0, as the tree does: the last of them.
const SHE: u32 = 999_999;

fn units(index: u32) -> u64 {
    u64::from(index % 7) + 1
}

/// A CSV of a million rows.
fn list(she: Address) -> Result<(String, U256)> {
    let mut text = String::from("contributor,units\n");
    let mut total = 0_u64;
    for index in 0..CONTRIBUTORS {
        let other = U256::from(index) + (U256::from(0xc0_u8) << 152_usize);
        let other = Address::from_word(B256::from(other));
        let contributor = if index == SHE { she } else { other };
        writeln!(text, "{contributor:#x},{}", units(index))?;
        total += units(index);
    }
    Ok((text, U256::from(total)))
}

#[tokio::test(flavor = "multi_thread")]
async fn contributor_number_999_999_of_a_million_is_paid_exactly() -> Result<()> {
    let town = Town::open()?;
    let she = SigningKey::random();
    let (rows, total) = list(she.address())?;
    let list = town.file("contributors.csv", &rows)?;
    drop(rows);

    let asset = town.register("--kind dataset --name crowd --open --dev-account 1")?;
    let committed =
        format!("contribution commit {asset} {} --seal --yes --dev-account 1", list.display());
    let root = town.run(&committed)?;
    ensure!(number(&root, "count")? == u64::from(CONTRIBUTORS), "{root}");
    ensure!(text(&root, "/units")? == total.to_string(), "{root}");

    // The dataset earns before anybody is active.
    let paid = coins("1234567.000000000000000011")?;
    town.pay(6, asset, paid).await?;
    let due = |deposited| due(units(SHE), total, deposited);
    ensure!(town.holds(she.address()).await?.is_zero(), "she holds nothing yet");

    // Somebody else has the list, and makes her proof for her.
    let proofs = format!("contribution prove {} --index {SHE}", list.display());
    let proofs = town.run(&proofs)?;
    ensure!(text(&proofs, "/0/contributor")?.parse::<Address>()? == she.address(), "{proofs}");
    let mut greedy = proofs.clone();
    *greedy.pointer_mut("/0/units").wrap_err("units")? = json!("7000");
    let greedy = town.file("greedy.json", &greedy.to_string())?;
    let activate = |file: &str| format!("contribution activate {asset} {file} --dev-account 9");
    let name = town.refused(
        &activate(&greedy.display().to_string()),
        &["the proof of contribution 999999 does not lead"],
    )?;
    ensure!(name == "InvalidProof", "{name}");

    let try_out = format!("{} --dry-run", activate(&greedy.display().to_string()));
    town.refused(&try_out, &["the proof of contribution 999999 does not lead"])?;
    let file = town.file("proofs.json", &proofs.to_string())?.display().to_string();
    let tried = town.run(&format!("{} --dry-run", activate(&file)))?;
    ensure!(says_yes(&tried, "/would_be_taken"), "{tried}");
    ensure!(town.holds(she.address()).await?.is_zero(), "a dry run pays nothing");
    let active = town.run(&activate(&file))?;
    ensure!(number(&active, "activated")? == 1, "{active}");
    let block = number(&active, "block")?;
    let gained = town.gain(she.address(), block).await?;
    ensure!(gained == due(paid), "the activation pays {gained}, expected {}", due(paid));
    let again = town.run(&activate(&file))?;
    ensure!(number(&again, "activated")? == 0, "a second time adds nothing: {again}");
    ensure!(town.holds(she.address()).await? == due(paid), "and pays nothing");

    // From now on she is a member like any other, and spends what she earned.
    let more = coins("0.000000000000999983")?;
    town.pay(6, asset, more).await?;
    let (all, spent) =
        (paid.checked_add(more)?, Amount::ONE_COIN.div_floor(10).wrap_err("a tenth")?);
    ensure!(town.holds(she.address()).await? == due(all), "both payments, rounded once");
    let sent = town.client.transfer(&she, key(1)?.address(), spent).await?;
    let left = due(all).checked_sub(spent)?.checked_sub(sent.fee())?;
    ensure!(town.holds(she.address()).await? == left, "she spent her earnings");

    let listed = town.run(&format!("contribution list {asset}"))?;
    ensure!(number(&listed, "activated")? == 1, "{listed}");
    let index = listed.pointer("/contributions/0/index").and_then(Value::as_u64);
    ensure!(index == Some(u64::from(SHE)), "{listed}");
    Ok(())
}
