//! Random afternoons: whatever people do, the sums hold.

use crate::{
    ask::Ask,
    economy::{
        CREATOR, CUSTOMER, Economy, MEMBERS, New, PUPPET, REMIXER, STRANGER, address, coins,
    },
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::U256;
use proptest::{
    prelude::{Just, any},
    prop_oneof,
    strategy::{Strategy, ValueTree as _},
    test_runner::TestRunner,
};
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_primitives::{Amount, AssetId};
use serde_json::Value;
use std::collections::BTreeMap;

on_both!(i3_i4_i6_hold_over_a_random_afternoon);

const ACTIONS: usize = 40;

#[derive(Clone, Debug)]
enum Action {
    Claim { payer: u32, lines: Vec<(u64, u64, u64)> },
    Pay { payer: u32, asset: u64, units: u64 },
    Give,
    Price(u64),
    Register(u64),
}

fn payer() -> impl Strategy<Value = u32> {
    prop_oneof![Just(STRANGER), Just(PUPPET), Just(CUSTOMER)]
}

fn action() -> impl Strategy<Value = Action> {
    let line = |asset: u64| (Just(asset), 0_u64..1 << 62, 1_u64..1 << 62);
    let lines = prop_oneof![
        line(2).prop_map(|line| vec![line]),
        line(3).prop_map(|line| vec![line]),
        (line(2), line(3)).prop_map(|(first, second)| vec![first, second]),
    ];
    prop_oneof![
        6 => (payer(), lines).prop_map(|(payer, lines)| Action::Claim { payer, lines }),
        3 => (payer(), 1_u64..4, any::<u64>())
            .prop_map(|(payer, asset, units)| Action::Pay { payer, asset, units }),
        1 => Just(Action::Give),
        1 => any::<u64>().prop_map(Action::Price),
        1 => (1_u64..4).prop_map(Action::Register),
    ]
}

async fn act(economy: &mut Economy, owner: &mut u32, action: Action) {
    let amount = |units: u64| Amount::from_u128(units.into());
    match action {
        Action::Claim { payer, lines } => {
            let lines: Vec<_> = lines
                .iter()
                .map(|(asset, work, income)| (*asset, amount(*work), amount(*income)))
                .collect();
            economy.claim(payer, 1, &lines).await;
        }
        Action::Pay { payer, asset, units } => economy.pay(payer, asset, amount(units)).await,
        Action::Give => {
            let next = if *owner == CREATOR { CUSTOMER } else { CREATOR };
            economy.give(*owner, next, AssetId(1)).await;
            *owner = next;
        }
        Action::Price(price) => economy.set_prices(REMIXER, 3, price.into()).await,
        Action::Register(parent) => {
            let edges = [(parent, sahara_abi::IAssets::Relation::Embeds)];
            let kind = sahara_abi::IAssets::Kind::Agent;
            economy.register(STRANGER, &New { kind, edges: &edges, ..New::default() }).await;
        }
    }
}

fn units(value: &Value) -> u128 {
    value["base_units"].as_str().unwrap().parse().unwrap()
}

async fn i3_i4_i6_hold_over_a_random_afternoon(kind: Kind) {
    let mut economy = Economy::start().await;
    for payer in [STRANGER, PUPPET, CUSTOMER] {
        economy.open(payer, coins(600)).await;
    }
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let mut runner = TestRunner::deterministic();
    let mut owner = CREATOR;
    for step in 0..ACTIONS {
        let action = action().new_tree(&mut runner).unwrap().current();
        act(&mut economy, &mut owner, action).await;
        if step % 5 == 0 {
            index.catch_up().await.unwrap();
        }
    }
    index.catch_up().await.unwrap();
    let ask = Ask(index.router());
    every_charge_adds_up(&ask).await;
    for asset in ask.all("/assets", 100).await {
        assert!(units(&asset["quality"]) <= units(&asset["fees"]), "{asset}");
    }
    for member in MEMBERS {
        let account = address(member);
        let call = IRoyalties::paidToCall { account, asset: 1 };
        let paid: U256 = economy.node.client.call(ROYALTIES, &call).await.unwrap();
        let shown = ask.get(&format!("/accounts/{account}/earnings?asset=1")).await;
        assert_eq!(shown["data"][0]["amount"]["base_units"], paid.to_string());
    }
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}

async fn every_charge_adds_up(ask: &Ask) {
    let mut sums: BTreeMap<String, (u128, u128)> = BTreeMap::new();
    for payment in ask.all("/payments", 100).await {
        let transaction = payment["transaction"].as_str().unwrap().to_owned();
        let (charged, parts) = sums.entry(transaction).or_default();
        match payment["kind"].as_str().unwrap() {
            "charge" => *charged += units(&payment["amount"]),
            "work" | "use" | "protocol_fee" | "gateway_fee" => *parts += units(&payment["amount"]),
            _ => {}
        }
    }
    let claims: Vec<_> = sums.values().filter(|(charged, _)| *charged > 0).collect();
    assert!(claims.len() > 5);
    assert!(claims.iter().all(|(charged, parts)| charged == parts), "{claims:?}");
}
