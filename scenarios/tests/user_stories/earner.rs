//! She has earned and holds no coin: strangers bring what she signs, and are repaid out of what it yields.

use crate::{
    Town, coins, key,
    town::{amount, number, text},
};
use eyre::{Result, ensure};
use sahara_abi::{CHANNELS, IChannels, IStaking, STAKING};
use sahara_primitives::{Amount, U256};

/// Her account: no genesis gives it anything.
const SHE: u32 = 77;

#[tokio::test(flavor = "multi_thread")]
async fn an_earner_without_coin_withdraws_and_stakes_through_strangers() -> Result<()> {
    let town = Town::open()?;
    let she = key(SHE)?.address();
    let fund = IChannels::fundCall { payer: she };
    town.client.send(&key(6)?, CHANNELS, coins("5")?, &fund).await?;
    ensure!(town.holds(she).await?.is_zero(), "she holds nothing and cannot pay for gas");

    // Signing costs nothing; the file goes to anybody.
    let actions = town.run("intent actions")?;
    let listed = actions
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == "channels.withdraw(uint256)"));
    ensure!(listed, "{actions}");
    let signed = town
        .run(&format!("intent sign channels.withdraw 4500000000000000000 --dev-account {SHE}"))?;
    let file = town.file("intent.json", &signed.to_string())?.display().to_string();
    let tried = town.run(&format!("intent relay {file} --dry-run --dev-account 9"))?;
    ensure!(!amount(&tried, "/fee")?.is_zero(), "{tried}");
    ensure!(town.holds(she).await?.is_zero(), "nothing was sent");

    // Somebody else's change of it is refused; the stranger's relay pays both.
    let mut greedy = signed.clone();
    if let Some(fee) = greedy.pointer_mut("/intent/maxFee") {
        *fee = serde_json::json!(U256::from(10).pow(U256::from(19)));
    }
    let forged = town.file("greedy.json", &greedy.to_string())?.display().to_string();
    town.refused(&format!("intent relay {forged} --dev-account 9"), &["did not sign"])?;
    let relayed = town.run(&format!("intent relay {file} --dev-account 9"))?;
    let (fee, gas) = (amount(&relayed, "/fee")?, amount(&relayed, "/gas")?);
    let got = coins("4.5")?.checked_sub(fee)?;
    ensure!(town.holds(she).await? == got, "she got 4.5 less {fee}");
    ensure!(fee <= gas, "the stranger was repaid {fee} for {gas}: never more");
    let block = number(&relayed, "block")?;
    ensure!(block > 0 && text(&relayed, "/account")?.parse() == Ok(she), "{relayed}");
    town.refused(&format!("intent relay {file} --dev-account 9"), &["was brought already"])?;

    is_sponsored(&town, got).await?;

    // What she no longer wants nobody brings any more.
    let unwanted = town.run(&format!("intent sign channels.withdraw 500 --dev-account {SHE}"))?;
    let file = town.file("unwanted.json", &unwanted.to_string())?.display().to_string();
    town.run(&format!("intent cancel 2 --dev-account {SHE}"))?;
    town.refused(
        &format!("intent relay {file} --dev-account 9"),
        &["was brought already, or cancelled"],
    )?;
    Ok(())
}

/// What yields no coin is paid by a sponsor.
async fn is_sponsored(town: &Town, got: Amount) -> Result<()> {
    let (she, stranger) = (key(SHE)?.address(), key(9)?.address());
    // She stakes what she got, and keeps all of the rest.
    let create = IStaking::createValidatorCall {
        commission: 0,
        feeAddress: key(1)?.address(),
        keys: Vec::new(),
    };
    town.client.send(&key(1)?, STAKING, coins("1000")?, &create).await?;
    let sponsor = key(8)?.address();
    town.run(&format!(
        "intent sponsor {stranger} 1 --per-intent 0.01 --per-day 0.1 --dev-account 8"
    ))?;
    let validator = key(1)?.address();
    let stake = town.run(&format!(
        "intent sign staking.delegate {validator} --value 4 --max-fee 0 --for 10m --dev-account {SHE}"
    ))?;
    let file = town.file("stake.json", &stake.to_string())?.display().to_string();
    let relayed = town.run(&format!("intent relay {file} --sponsor {sponsor} --dev-account 9"))?;
    ensure!(amount(&relayed, "/fee")?.is_zero(), "she pays nothing: {relayed}");
    let sponsored = amount(&relayed, "/sponsored")?;
    ensure!(!sponsored.is_zero() && sponsored <= amount(&relayed, "/gas")?, "{relayed}");
    ensure!(town.holds(she).await? == got.checked_sub(coins("4")?)?, "less what she staked");
    let call = IStaking::delegationCall { delegator: she, validator };
    let staked = town.client.call(STAKING, &call).await?;
    ensure!(Amount::from_base_units(staked.value) == coins("4")?, "and it is hers");
    let budget = town.run(&format!("intent budget {sponsor} {stranger}"))?;
    ensure!(amount(&budget, "/left")? == Amount::ONE_COIN.checked_sub(sponsored)?, "{budget}");
    ensure!(amount(&budget, "/spent_today")? == sponsored, "{budget}");
    Ok(())
}
