//! A stock Governor client changes the chain: a parameter, and the version of its protocols.

use alloy_primitives::{Address, U256, address};
use eyre::{Result, ensure};
use sahara_abi::IGovernance::{Rules, Settings, Setup};
use sahara_primitives::Amount;
use sahara_scenarios::{Network, Options, node};
use serde_json::{Value, json};
use std::path::Path;

/// Account 7 of the test mnemonic.
const VALIDATOR: Address = address!("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955");

/// A vote within a quarter of a minute; the chain leaves queueing and executing to the client for a while.
#[expect(clippy::indexing_slicing, reason = "a test writes what it wants")]
fn quick(genesis: &mut Value) {
    let rules = Rules {
        delay: 3,
        period: 12,
        timelock: 2,
        quorum: 3_340,
        threshold: 5_000,
        veto: 3_340,
        deposit: U256::from(10).pow(U256::from(21)),
    };
    let settings = Settings {
        patience: 120,
        grace: 3_600,
        pauseFor: 60,
        pauseRest: 600,
        guardian: Address::ZERO,
        proposalVotes: U256::ZERO,
    };
    let rules = std::array::from_fn(|_| rules.clone());
    genesis["config"]["governance"] = json!(Setup { rules, settings });
    // The node's stake is an account's that everybody has the key of, and blocks come in twos, so
    // that seats are apportioned when their time is over.
    genesis["epochLength"] = json!(2);
    genesis["validators"][0]["feeAddress"] = json!(VALIDATOR);
    genesis["staking"] = json!({
        "stakes": [{
            "operator": VALIDATOR, "stake": Amount::from_coins(600_000), "commission": 1_000,
            "feeAddress": VALIDATOR,
        }],
        "parameters": {
            "epoch": 2, "unbonding": 1_814_400, "jail": 600, "seats": 100, "maxCommission": 2_000,
            "maxCommissionChange": 100, "doubleSignSlash": 500, "downtimeSlash": 100,
            "bounty": 500, "window": 100, "maxMissed": 50,
        },
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn ethers_with_openzeppelins_abi_changes_a_parameter_and_upgrades_the_chain() -> Result<()> {
    let mut network = Network::start(Options { demo: false, ..Options::default() })?;
    network.regenesis(quick)?;
    let abi = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/openzeppelin_governor.json");
    let abi = abi.display().to_string();
    let mut seen = node("governor.mjs", &[&network.rpc(0)?.url, &abi], &[])?;
    let take = |seen: &mut Value, name: &str| seen[name].take().as_u64().unwrap_or_default();
    let (before, after) = (take(&mut seen, "epochsBefore"), take(&mut seen, "epochsAfter"));
    let height = take(&mut seen, "height");
    // What governance sets, the next blocks do.
    ensure!(before < 5 && after >= 5, "epochs of {before} and then {after} s");
    let life = ["Active", "Succeeded", "Queued", "Executed"];
    let states = [life, life].concat();
    assert_eq!(
        seen,
        json!({
            "states": states,
            "identifier": true,
            "supports": true,
            "counting": "support=bravo,veto&quorum=against,for,abstain,veto&overridable=true",
            "clock": "mode=timestamp",
            "votes": ["0.0", "400000.0", "600000.0"],
            "weights": ["1000000.0", "400000.0"],
            "quorum": "334000.0",
            "hasVoted": true,
            "epoch": 5,
            "baseFees": ["1.0", "3.0"],
            "floor": "3.0",
            // The validator spoke for its delegator until that one spoke itself.
            "cast": [[false, 2, "1000000.0"], [true, 1, "400000.0"]],
            "executed": true,
            "refused": true,
            "epochsBefore": null,
            "epochsAfter": null,
            "height": null,
        })
    );
    // The only node does not have version 2.
    network.ended()?;
    let said = format!("from block {height} on the chain needs version 2 of the protocols");
    ensure!(network.logs().contains(&said), "{}", network.logs());
    // It said so before.
    let warned = "this node stops before an upgrade that it does not have";
    ensure!(network.logs().contains(warned), "{}", network.logs());
    Ok(())
}
