//! Income that a complaint held and gave away, on a real chain, from the filing to the end.

use crate::{
    ask::Ask,
    economy::{CREATOR, Economy, New, REMIXER, STRANGER, address, coins},
    market::list,
    node::key,
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolCall;
use sahara_abi::{
    ASSETS, DISPUTES,
    IDisputes::{self, Ground, Ruling},
    IStaking, STAKING,
};
use sahara_client::TxOutcome;
use sahara_primitives::Amount;
use serde_json::Value;
use std::collections::BTreeMap;

on_both!(earnings_pages_know_what_was_held_and_who_got_it);

const DAY: u64 = 86_400;
const VICTIM: u32 = 40;
const JURORS: std::ops::Range<u32> = 30..39;
const SALT: B256 = B256::repeat_byte(0x5a);

async fn send<C: SolCall>(
    economy: &Economy,
    who: u32,
    to: Address,
    value: Amount,
    call: &C,
) -> TxOutcome {
    economy.node.client.send(&key(who), to, value, call).await.unwrap()
}

async fn read<C: SolCall>(economy: &Economy, call: C) -> C::Return {
    economy.node.client.call(DISPUTES, &call).await.unwrap()
}

/// Time passes, and two blocks with something in them.
async fn pass(economy: &Economy, seconds: u64) {
    economy.node.skip(seconds);
    for _ in 0..2 {
        economy.node.client.transfer(&key(STRANGER), address(99), coins(1)).await.unwrap();
    }
}

/// Nine jurors with a place each, behind the stranger's stake.
async fn enlist(economy: &Economy) {
    let create = IStaking::createValidatorCall {
        commission: 0,
        feeAddress: address(STRANGER),
        keys: Vec::new(),
    };
    send(economy, STRANGER, STAKING, coins(10_000), &create).await;
    for who in JURORS.chain([VICTIM, REMIXER]) {
        economy.node.client.transfer(&key(STRANGER), address(who), coins(2_000)).await.unwrap();
    }
    for who in JURORS {
        let join = IStaking::delegateCall { validator: address(STRANGER) };
        send(economy, who, STAKING, coins(1_000), &join).await;
        let enlist = IDisputes::enlistCall { places: 1 };
        send(economy, who, DISPUTES, Amount::ZERO, &enlist).await;
    }
    pass(economy, 1).await;
}

async fn file(economy: &Economy, who: u32, asset: u64, shares: Vec<IDisputes::Share>) -> u64 {
    let evidence = keccak256("a letter");
    let ground = Ground::StolenData;
    let call = IDisputes::fileCall { asset, ground, evidence, isDelisting: false, shares };
    let filed = send(economy, who, DISPUTES, coins(100), &call).await;
    filed.events::<IDisputes::Filed>()[0].data.complaint
}

/// From the filing to the end, all jurors of one mind.
async fn rule(economy: &Economy, complaint: u64, is_upheld: bool) {
    pass(economy, 2 * DAY).await;
    let seats = read(economy, IDisputes::juryCall { complaint }).await;
    let jurors: Vec<_> =
        JURORS.filter(|who| seats.iter().any(|seat| seat.account == address(*who))).collect();
    assert_eq!(jurors.len(), seats.len());
    for who in &jurors {
        let asked = IDisputes::commitmentOfCall {
            complaint,
            juror: address(*who),
            isUpheld: is_upheld,
            salt: SALT,
        };
        let commitment = read(economy, asked).await;
        let call = IDisputes::commitCall { complaint, commitment };
        send(economy, *who, DISPUTES, Amount::ZERO, &call).await;
    }
    pass(economy, DAY).await;
    for who in &jurors {
        let call = IDisputes::revealCall { complaint, isUpheld: is_upheld, salt: SALT };
        send(economy, *who, DISPUTES, Amount::ZERO, &call).await;
    }
    pass(economy, 4 * DAY).await;
    let closed =
        send(economy, STRANGER, DISPUTES, Amount::ZERO, &IDisputes::closeCall { complaint }).await;
    let ruling = closed.events::<IDisputes::Closed>()[0].data.ruling;
    assert_eq!(ruling, if is_upheld { Ruling::Upheld } else { Ruling::Dismissed });
}

/// In whole coins, over everything.
async fn earned(ask: &Ask, account: Address, reason: &str) -> u128 {
    let shown = ask.get(&format!("/accounts/{account}")).await;
    let totals = shown["totals"].as_array().unwrap();
    let found = totals.iter().find(|total| total["reason"] == reason);
    found.map_or(0, units) / 1_000_000_000_000_000_000
}

fn units(row: &Value) -> u128 {
    row["amount"]["base_units"].as_str().unwrap().parse().unwrap()
}

/// What was paid for a use is in its parts, held, or somebody else's: nothing is missing on any page.
async fn every_use_adds_up(ask: &Ask) {
    let mut uses: BTreeMap<String, (u128, u128)> = BTreeMap::new();
    for payment in ask.all("/payments", 100).await {
        let transaction = payment["transaction"].as_str().unwrap().to_owned();
        let (used, parts) = uses.entry(transaction).or_default();
        match payment["kind"].as_str().unwrap() {
            "use" => *used += units(&payment),
            "part" | "held" | "correction" => *parts += units(&payment),
            _ => {}
        }
    }
    let uses: Vec<_> = uses.values().filter(|(used, _)| *used > 0).collect();
    assert!(uses.len() >= 3 && uses.iter().all(|(used, parts)| used == parts), "{uses:?}");
}

async fn earnings_pages_know_what_was_held_and_who_got_it(kind: Kind) {
    let economy = Economy::start().await;
    enlist(&economy).await;
    let asset = economy.register(CREATOR, &New::default()).await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let ask = Ask(index.router());

    let shares = vec![IDisputes::Share { account: address(VICTIM), share: 4_000 }];
    let first = file(&economy, VICTIM, asset, shares).await;
    economy.pay(STRANGER, asset, coins(30)).await;
    index.catch_up().await.unwrap();
    assert_eq!(earned(&ask, address(VICTIM), "correction").await, 0, "it waits");
    let held = ask.get(&format!("/payments?kind=held&asset={asset}")).await;
    assert_eq!(held["data"][0]["amount"]["amount"], "30");
    let revenue = async || {
        let shown = ask.get(&format!("/assets/{asset}")).await;
        shown["revenue"]["amount"].as_str().unwrap().to_owned()
    };
    assert_eq!(revenue().await, "0");
    list(&economy, CREATOR, (ASSETS, asset), (1, 40)).await;
    index.catch_up().await.unwrap();
    let listings = async || {
        let market = ask.get(&format!("/assets/{asset}/market")).await;
        market["listings"].as_array().unwrap().len()
    };
    assert_eq!(listings().await, 1);

    rule(&economy, first, true).await;
    economy.pay(STRANGER, asset, coins(10)).await;
    index.catch_up().await.unwrap();
    assert_eq!(earned(&ask, address(VICTIM), "correction").await, 30 + 4);
    assert_eq!(revenue().await, "6");
    assert_eq!(listings().await, 0, "it was listed with all of its income");

    // A second complaint is dismissed: what was held is its owner's, and the shares stay in front.
    let second = file(&economy, REMIXER, asset, Vec::new()).await;
    economy.pay(STRANGER, asset, coins(20)).await;
    rule(&economy, second, false).await;
    index.catch_up().await.unwrap();
    assert_eq!(earned(&ask, address(VICTIM), "correction").await, 34 + 8);
    let page = ask.get(&format!("/accounts/{}/earnings?asset={asset}", address(VICTIM))).await;
    assert_eq!(page["data"][0]["reason"], "correction");
    assert_eq!(page["data"][0]["amount"]["amount"], "42");
    assert_eq!(earned(&ask, address(REMIXER), "correction").await, 0);
    assert_eq!(revenue().await, "18");
    let mut fees = 0;
    for who in JURORS {
        fees += earned(&ask, address(who), "jury").await;
    }
    assert_eq!(fees, 2 * 21, "both juries");
    every_use_adds_up(&ask).await;
    assert_ne!(economy.balance(address(VICTIM)).await, U256::ZERO);

    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}
