//! Three co-own a dataset by units. What each earns is exact to the base unit, and no unit can be bought
//! from anybody in need.

use crate::{
    Town, coins, key,
    town::{amount, due, text},
};
use eyre::{Result, ensure};
use sahara_abi::{CONTRIBUTIONS, IContributions};
use sahara_client::{ClientError, SigningKey};
use sahara_primitives::{Amount, U256};

/// What so many of all 97 units are due of everything deposited.
fn part(units: u64, deposited: Amount) -> Amount {
    due(units, U256::from(97), deposited)
}

#[tokio::test(flavor = "multi_thread")]
async fn co_owners_earn_by_their_units_and_keep_them() -> Result<()> {
    let town = Town::open()?;
    let (first, second) = (SigningKey::random(), SigningKey::random());
    let owner = key(1)?.address();
    let members = format!("--member {}:53 --member {}:31", first.address(), second.address());
    let kept = "--owner-units 13 --dev-account 1";
    let asset = town.register(&format!("--kind dataset --name shared {members} {kept}"))?;

    // Odd amounts, so that every division has a remainder.
    let before = town.holds(owner).await?;
    let mut deposited = Amount::ZERO;
    for payment in ["10.000000000000000001", "0.123456789012345678", "7"] {
        let payment = coins(payment)?;
        town.pay(6, asset, payment).await?;
        deposited = deposited.checked_add(payment)?;
        for (account, units) in [(first.address(), 53), (second.address(), 31)] {
            let held = town.holds(account).await?;
            ensure!(held == part(units, deposited), "{units} units hold {held} of {deposited}");
        }
        let held = town.holds(owner).await?.checked_sub(before)?;
        ensure!(held == part(13, deposited), "the owner's units hold {held} of {deposited}");
    }

    // Why: the statement names units, pool and deposits.
    let statement = town.run(&format!("contribution statement {}", first.address()))?;
    ensure!(text(&statement, "/pools/0/units")? == "53", "{statement}");
    ensure!(text(&statement, "/pools/0/pool_units")? == "97", "{statement}");
    ensure!(amount(&statement, "/pools/0/deposited")? == deposited, "{statement}");
    let (paid, waiting) =
        (amount(&statement, "/pools/0/paid")?, amount(&statement, "/pools/0/earned")?);
    ensure!(paid.checked_add(waiting)? == part(53, deposited), "{statement}");

    // A unit is a token that never moves.
    let token = U256::from((asset << 32) | (1 << 31));
    let (from, to) = (first.address(), second.address());
    let owner = IContributions::ownerOfCall { tokenId: token };
    ensure!(town.client.call(CONTRIBUTIONS, &owner).await? == from, "the first member's token");
    let sale = IContributions::transferFromCall { from, to, tokenId: token };
    match town.client.simulate(from, CONTRIBUTIONS, Amount::ZERO, &sale).await {
        Err(ClientError::Reverted(revert)) => {
            ensure!(revert.name == "ContributionLocked", "{revert}");
        }
        Err(other) => return Err(other.into()),
        Ok(_) => ensure!(false, "a contribution was moved"),
    }
    Ok(())
}
