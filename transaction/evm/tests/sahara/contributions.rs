//! Contributions as contracts and wallets see them, and what they cost.

use crate::world::{COIN, Draft, World};
use alloy_primitives::{Address, B256, U256, aliases::U96};
use alloy_sol_types::SolCall;
use sahara_abi::{ASSETS, CONTRIBUTIONS, IAssets, IContributions, IRoyalties, ROYALTIES};
use sahara_primitives::merkle_sum::{Contribution, SumNode, SumProof};

/// An asset of account 1, committed to `root` and sealed.
fn committed(world: &mut World, root: B256, units: u64, count: u32) -> u64 {
    let registration =
        IAssets::Registration { isOpen: true, ..crate::native::registration(vec![]) };
    let register = IAssets::registerCall { registration }.abi_encode();
    let first = world.nonce(1);
    world.block(&[Draft::call(1, first, ASSETS, register)]);
    let call = sahara_evm::call(
        world.rules,
        &world.state,
        &world.env,
        &alloy_rpc_types_eth::TransactionRequest::default()
            .to(ASSETS)
            .input(alloy_primitives::Bytes::from(IAssets::assetCountCall {}.abi_encode()).into()),
        None,
    );
    let asset = IAssets::assetCountCall::abi_decode_returns(&call.unwrap().output).unwrap();
    let commit =
        IContributions::commitCall { asset, root, units: U96::from(units), count }.abi_encode();
    let seal = IAssets::sealCall { asset }.abi_encode();
    let outcome = world.block(&[
        Draft::call(1, first + 1, CONTRIBUTIONS, commit),
        Draft::call(1, first + 2, ASSETS, seal),
    ]);
    assert!(outcome.receipts.iter().all(|receipt| receipt.status));
    asset
}

fn payment(world: &mut World, asset: u64) -> u64 {
    let data = IRoyalties::payCall { asset }.abi_encode();
    let draft = Draft { value: COIN, ..Draft::call(2, world.nonce(2), ROYALTIES, data) };
    let outcome = world.block(&[draft]);
    assert!(outcome.receipts[0].status);
    outcome.executions[0].gas_used
}

/// A leaf of 7 units at `index`, with its way up through `depth` levels of siblings of 7 units times their
/// width, all below hashes of nothing.
fn leaf(index: u32, contributor: Address, depth: u32) -> (SumNode, IContributions::Activation) {
    let mut top = SumNode::leaf(index, &Contribution { contributor, units: 7 });
    let mut siblings = Vec::new();
    for level in 0..depth {
        let sibling = SumNode { hash: B256::repeat_byte(1), sum: 7 << level };
        let is_left = (index >> level) & 1 == 0;
        let (left, right) = if is_left { (top, sibling) } else { (sibling, top) };
        top = SumNode::above(&left, &right).unwrap();
        siblings.push(sibling);
    }
    let root = top.root(1 << depth);
    let proof = SumProof { index, siblings: siblings.clone() };
    assert!(proof.verify(&root, &Contribution { contributor, units: 7 }));
    let proof = siblings
        .iter()
        .map(|s| IContributions::Sibling { hash: s.hash, sum: U96::from(s.sum) })
        .collect();
    (top, IContributions::Activation { index, contributor, units: U96::from(7), proof })
}

#[test]
fn a_payment_costs_the_same_gas_for_one_contributor_and_for_a_million() {
    let gas = [1, 1_000, 1 << 20].map(|count| {
        let mut world = World::new();
        let asset = committed(&mut world, B256::repeat_byte(9), 7 << 20, count);
        payment(&mut world, asset);
        payment(&mut world, asset)
    });
    assert_eq!(gas, [gas[0]; 3]);
    assert!(gas[0] < 60_000, "a payment into a pool cost {} gas", gas[0]);
}

#[test]
fn one_of_a_million_is_activated_by_anyone_and_paid() {
    let mut world = World::new();
    let contributor = Address::repeat_byte(0x77);
    let (top, activation) = leaf(999_999, contributor, 20);
    let root = top.root(1 << 20);
    assert_eq!(root.units, 7 << 20);
    let asset = committed(&mut world, root.root, 7 << 20, 1 << 20);
    payment(&mut world, asset);
    let data = IContributions::activateCall { asset, activations: vec![activation] }.abi_encode();
    let outcome = world.block(&[Draft::call(2, world.nonce(2), CONTRIBUTIONS, data.clone())]);
    assert!(outcome.receipts[0].status);
    let gas = outcome.executions[0].gas_used;
    assert!(gas < 200_000, "an activation among a million cost {gas} gas");
    // The owner holds one unit beside the committed ones.
    let due = COIN * U256::from(7) / U256::from((7 << 20) + 1);
    assert_eq!(world.state.balance(contributor), due);
    let again = world.block(&[Draft::call(1, world.nonce(1), CONTRIBUTIONS, data)]);
    assert!(again.receipts[0].status && again.receipts[0].logs.is_empty());
    assert_eq!(world.state.balance(contributor), due);
}
