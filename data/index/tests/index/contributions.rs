//! Contributors behind a root, activated one by one.

use crate::{
    ask::Ask,
    economy::{CREATOR, Economy, New, STRANGER, address, coins},
    node::key,
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::aliases::U96;
use alloy_sol_types::SolCall;
use sahara_abi::{ASSETS, CONTRIBUTIONS, IAssets, IContributions};
use sahara_primitives::{
    Address, Amount,
    merkle_sum::{Contribution, SumTree},
};

on_both!(activated_contributors_are_members_and_are_paid);

const CONTRIBUTORS: [(u32, u128); 3] = [(20, 100), (21, 250), (20, 50)];

async fn send<C: SolCall>(economy: &Economy, to: Address, call: &C) {
    economy.node.client.send(&key(CREATOR), to, Amount::ZERO, call).await.unwrap();
}

fn activation(tree: &SumTree, index: u32) -> IContributions::Activation {
    let (contributor, units) = CONTRIBUTORS[usize::try_from(index).unwrap()];
    let proof = tree.prove(index).unwrap();
    let siblings = proof
        .siblings
        .iter()
        .map(|node| IContributions::Sibling { hash: node.hash, sum: U96::from(node.sum) });
    IContributions::Activation {
        index,
        contributor: address(contributor),
        units: U96::from(units),
        proof: siblings.collect(),
    }
}

async fn activated_contributors_are_members_and_are_paid(kind: Kind) {
    let economy = Economy::start().await;
    let contributions = CONTRIBUTORS
        .map(|(contributor, units)| Contribution { contributor: address(contributor), units });
    let tree = SumTree::new(&contributions).unwrap();
    let asset = economy.register(CREATOR, &New { is_open: true, ..New::default() }).await;
    let root = tree.root();
    let commit = IContributions::commitCall {
        asset,
        root: root.root,
        units: U96::from(root.units),
        count: root.count,
    };
    send(&economy, CONTRIBUTIONS, &commit).await;
    send(&economy, ASSETS, &IAssets::sealCall { asset }).await;
    economy.pay(STRANGER, asset, coins(410)).await;

    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let ask = Ask(index.router());
    let shown = ask.get(&format!("/assets/{asset}")).await;
    assert_eq!((&shown["committed"], &shown["committed_units"]), (&3.into(), &"400".into()));
    assert_eq!(shown["contributors"].as_array().unwrap().len(), 0);

    let activations = (0..3).map(|index| activation(&tree, index)).collect();
    send(&economy, CONTRIBUTIONS, &IContributions::activateCall { asset, activations }).await;
    index.catch_up().await.unwrap();
    let shown = ask.get(&format!("/assets/{asset}")).await;
    let members = shown["contributors"].as_array().unwrap();
    let members: Vec<_> =
        members.iter().map(|row| (row["account"].as_str(), row["units"].as_str())).collect();
    let (first, second) = (address(20).to_string(), address(21).to_string());
    assert_eq!(
        members,
        [(Some(second.as_str()), Some("250")), (Some(first.as_str()), Some("150"))]
    );
    for (account, amount) in [(first, "150"), (second, "250")] {
        let earned = ask.get(&format!("/accounts/{account}/earnings?asset={asset}")).await;
        assert_eq!(earned["data"][0]["amount"]["amount"], amount, "of 410, with 10 of the owner");
    }
}
