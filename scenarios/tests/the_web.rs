//! People in front of a real browser: a visitor chats without a wallet and sees who was paid, a creator
//! registers and sells, a remixer is refused over the cap, a buyer's wallet buys, money arrives live,
//! again in Indonesian on a phone; axe finds nothing serious on any page.

use eyre::{Result, ensure};
use sahara_abi::IGovernance::{Kind, Rules, Settings, Setup};
use sahara_primitives::Amount;
use sahara_scenarios::{Network, Options, node};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn people_chat_trade_and_earn_in_a_browser() -> Result<()> {
    let network = Network::start(Options::default())?;
    let pictures = tempfile::tempdir()?;
    let pictures = pictures.path().display().to_string();
    let seen = node("web.mjs", &[&network.gateway()?, &network.rpc(0)?.url, &pictures], &[])?;
    assert_eq!(seen["problems"], json!([]));
    let first = &seen["first"];
    ensure!(first["kibibytes"].as_f64().is_some_and(|size| size <= 31.0), "first load: {first}");
    ensure!(first["shift"].as_f64().is_some_and(|shift| shift <= 0.1), "it jumps: {first}");
    for (visit, language) in [("visit", "en"), ("kunjungan", "id")] {
        let visit = &seen[visit];
        assert_eq!(visit["payees"], 6, "{visit}");
        assert_eq!(visit["said"], true, "{visit}");
        assert_eq!(visit["account"], true, "{visit}");
        assert_eq!(visit["language"], language, "{visit}");
        // The browser makes every hash of the receipt again, checks the validators' certificate, and finds
        // what somebody changed: a signature of theirs; or the answer, the bill, and with it both
        // signatures and the place in the claim.
        assert_eq!(
            visit["proof"],
            json!({ "whole": true, "links": 11, "broken": 5, "unsigned": true }),
            "{visit}"
        );
        let policy = visit["policy"].as_str().unwrap_or_default();
        ensure!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(seen["watched"], json!({ "head": "time_ms", "isWhole": true }));
    assert_eq!(seen["signed"], json!({ "before": 401, "rows": 2, "cookies": "" }));
    assert_eq!(seen["owner"], "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    assert_eq!(seen["reference"].as_u64(), u64::try_from(sahara_abi::PROTOCOLS.len()).ok());
    they_bargain_and_look(&seen)?;
    // A call through a contract, with what was called inside.
    let explored = json!({ "calls": 3, "isNamed": true, "free": "10,000,000,000 SAHARA" });
    assert_eq!(seen["explore"], explored);
    let keys = json!({ "skipped": "main", "found": "/market/1", "payees": 6, "inside": true, "isBack": true });
    assert_eq!(seen["keys"], keys);
    let kept = json!({ "keys": 1, "isBrought": true, "isGuarded": true, "isAnew": true });
    assert_eq!(seen["kept"], kept);
    for (language, daily) in [("en", "0.25 SAHARA"), ("id", "0,25 SAHARA")] {
        let budgets = json!({ "isHeld": true, "daily": daily, "left": 1 });
        assert_eq!(seen["budgets"][language], budgets);
    }
    let trade = &seen["trade"];
    // A hostile name is a text; two parents of 20 % are previewed, a third is one too many.
    assert_eq!(trade["title"], "Market · Sahara");
    assert_eq!(trade["shares"], json!(["60%", "20%", "20%"]));
    let refusal = trade["refusal"].as_str().unwrap_or_default();
    ensure!(refusal.contains("more than half"), "{refusal}");
    assert_eq!(trade["isOpen"], false);
    assert_eq!(trade["switched"], "0xb0d30");
    Ok(())
}

/// In either language.
#[expect(clippy::indexing_slicing, reason = "what is missing is null, and fails")]
fn they_bargain_and_look(seen: &Value) -> Result<()> {
    // Somebody is outbid and has to bid a twentieth more; an offer is accepted, another taken back; a price falls.
    for (language, least) in [("en", ["2", "2.1"]), ("id", ["2", "2,1"])] {
        let bargain = &seen["bargain"][language];
        assert_eq!(bargain["bidding"], json!(least), "{bargain}");
        assert_eq!(bargain["isSold"], true, "{bargain}");
        let price = bargain["fallen"].as_str().unwrap_or_default();
        ensure!(price.contains("SAHARA") && !price.starts_with("10 "), "it did not fall: {price}");
        assert_eq!(bargain["isResold"], true, "{bargain}");
        let shared = json!({ "parts": ["75%", "25%"], "isGuarded": true });
        assert_eq!(bargain["shared"], shared, "{bargain}");
        assert_eq!(bargain["versions"], 2, "{bargain}");
        // What ended takes no bid; somebody settles it, and who bid most has it.
        let settled = json!({ "isOpen": false, "isLeft": false, "isSaid": true, "isWon": true });
        assert_eq!(bargain["settled"], settled, "{bargain}");
        // A block's certificate is checked in the browser, and a changed signature found out.
        let proof = json!({ "whole": true, "broken": true, "first": true });
        assert_eq!(seen["proof"][language], proof);
        // Nobody answers: what was there stays. No stream: the page does not know, until it is back. A part
        // of the application does not come: it is loaded when it is asked for again.
        let late = json!({ "isKept": true, "isUntold": true, "loaded": "/market" });
        assert_eq!(seen["late"][language], late);
    }
    Ok(())
}

/// Accounts 7 and 6 of the test mnemonic stake for the two nodes, and a vote is open for longer than any
/// machine needs to take part.
#[expect(clippy::indexing_slicing, reason = "a test writes what it wants")]
fn staked(genesis: &mut Value) {
    let validators = [
        (alloy_primitives::address!("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"), 600_000),
        (alloy_primitives::address!("0x976EA74026E726554dB657fA54763abd0C3a0aa9"), 450_000),
    ];
    let calm = Rules {
        delay: 5,
        period: 600,
        timelock: 3,
        quorum: 3_340,
        threshold: 5_000,
        veto: 3_340,
        deposit: alloy_primitives::U256::from(10).pow(alloy_primitives::U256::from(21)),
    };
    let settings = Settings {
        // What nobody does the chain does soon.
        patience: 5,
        grace: 3_600,
        pauseFor: 600,
        pauseRest: 600,
        guardian: alloy_primitives::address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        proposalVotes: alloy_primitives::U256::ZERO,
    };
    // Parameters are decided while somebody looks.
    let rules = std::array::from_fn(|kind| {
        let is_parameter = kind == usize::from(u8::from(Kind::Parameter));
        let period = if is_parameter { 90 } else { calm.period };
        Rules { period, ..calm.clone() }
    });
    genesis["config"]["governance"] = json!(Setup { rules, settings });
    genesis["epochLength"] = json!(2);
    for (place, (validator, _)) in validators.iter().enumerate() {
        genesis["validators"][place]["feeAddress"] = json!(validator);
    }
    let stakes = validators.map(|(validator, coins)| {
        json!({
            "operator": validator, "stake": Amount::from_coins(coins), "commission": 1_000,
            "feeAddress": validator,
        })
    });
    genesis["staking"] = json!({
        "stakes": stakes,
        "parameters": {
            "epoch": 5, "unbonding": 1_814_400, "jail": 600, "seats": 100, "maxCommission": 2_000,
            "maxCommissionChange": 100, "doubleSignSlash": 500, "downtimeSlash": 100,
            "bounty": 500, "window": 100, "maxMissed": 50,
        },
    });
}

/// Account 1 guards and pauses; two votes set the floor of gas; after the first the second is one step too many. In either language.
#[expect(clippy::indexing_slicing, reason = "what is missing is null, and fails")]
fn they_see_what_failed(seen: &Value) -> Result<()> {
    for language in ["en", "id"] {
        assert_eq!(seen["economy"][language], "1 gwei");
        let failed = &seen["fail"][language];
        let why = failed["why"].as_str().unwrap_or_default();
        ensure!(why.contains("InvalidParameters"), "the page does not say why: {failed}");
        assert_eq!(failed["isOpen"], true, "nobody can execute it: {failed}");
    }
    assert_eq!(seen["paused"], json!({ "before": 0, "said": [true, true] }));
    let [before, after] = [&seen["fail"]["before"], &seen["fail"]["after"]];
    assert_eq!(*before, json!([true, true]), "each would be done when it was made");
    assert_eq!(*after, json!([false]), "tried out again, it is refused");
    assert_eq!(seen["fail"]["floor"], "0.1 gwei");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_stake_propose_and_vote_in_a_browser() -> Result<()> {
    let mut network = Network::start(Options { demo: false, validators: 2 })?;
    network.regenesis(staked)?;
    let pictures = tempfile::tempdir()?;
    let pictures = pictures.path().display().to_string();
    let (gateway, rpc) = (network.gateway()?, network.rpc(0)?.url);
    let arguments = [gateway.as_str(), &rpc, &pictures, "govern,stake,fail"];
    let seen = node("web.mjs", &arguments, &[])?;
    assert_eq!(seen["problems"], json!([]));
    let governed = &seen["govern"];
    assert_eq!(governed["staked"], "400 SAHARA");
    assert_eq!(governed["power"], "400 SAHARA");
    assert_eq!(governed["title"], "Governance · Sahara");
    let said = governed["said"].as_str().unwrap_or_default();
    ensure!(said.contains("For") && said.contains("100%"), "the tally says {said:?}");
    they_see_what_failed(&seen)?;
    for (language, waits) in [("en", "days"), ("id", "hari")] {
        let staked = &seen["stake"][language];
        // 400 delegated; 150 of them moved to the other validator, 50 on their way out.
        assert_eq!(staked["values"], json!(["150", "200"]), "{staked}");
        let said = staked["waits"].as_str().unwrap_or_default();
        ensure!(said.contains(waits), "the countdown says {said:?}");
        assert_eq!(
            staked["head"],
            "time,block,transaction,validator,amount_sahara,amount_base_units"
        );
        let rows = staked["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure!(!rows.is_empty(), "no rewards in the file: {staked}");
        for row in rows {
            let amount = row.as_str().and_then(|row| row.rsplit(',').next());
            ensure!(amount.and_then(|units| units.parse::<u128>().ok()) > Some(0), "{row}");
        }
        let earns = staked["earns"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [one, two] = earns else {
            eyre::bail!("expected two estimates: {staked}");
        };
        ensure!(one != two && two.as_str().is_some_and(|text| text.contains("SAHARA")), "{staked}");
        ensure!(staked["faults"].as_str().is_some_and(|text| !text.is_empty()), "{staked}");
    }
    Ok(())
}
