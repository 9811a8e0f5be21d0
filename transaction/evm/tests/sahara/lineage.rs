//! What a payment through a lineage costs, by its length.

use crate::world::{COIN, Draft, World, account};
use alloy_primitives::{Address, U256, aliases::U96};
use alloy_sol_types::SolCall;
use sahara_abi::{ASSETS, IAssets, IRoyalties, ROYALTIES};

fn holder(number: u64) -> Address {
    Address::left_padding_from(&(number + 0x1_0000).to_be_bytes())
}

/// A line of assets, each with another owner, or with a member beside its owner; gas of the second
/// payment for the youngest.
fn payment(ancestors: u64, has_members: bool) -> u64 {
    let mut world = World::new();
    let mut nonce = world.nonce(1);
    let mut draft = |data: Vec<u8>| {
        nonce += 1;
        Draft::call(1, nonce - 1, ASSETS, data)
    };
    let member = |number| IAssets::Member { account: holder(number), units: U96::from(3) };
    let register = |number: u64| {
        let parent = number.checked_sub(1).filter(|parent| *parent > 0);
        let edge = |parent| IAssets::Edge { parent, relation: IAssets::Relation::DerivedFrom };
        let members = if has_members { vec![member(number)] } else { vec![] };
        let registration = IAssets::Registration {
            derivativeRoyalty: 78,
            edges: parent.map(edge).into_iter().collect(),
            ..crate::native::registration(members)
        };
        IAssets::registerCall { registration }.abi_encode()
    };
    let all = 1..=ancestors + 1;
    let made: Vec<_> = all.clone().map(|number| draft(register(number))).collect();
    let given = all.filter(|_| !has_members).map(|number| {
        let (from, to) = (account(1), holder(number));
        IAssets::transferFromCall { from, to, tokenId: U256::from(number) }.abi_encode()
    });
    let given: Vec<_> = given.map(&mut draft).collect();
    for drafts in [made, given] {
        let outcome = world.block(&drafts);
        assert!(outcome.receipts.iter().take(drafts.len()).all(|receipt| receipt.status));
    }
    let data = IRoyalties::payCall { asset: ancestors + 1 }.abi_encode();
    let pay = |nonce| Draft { value: COIN, ..Draft::call(2, nonce, ROYALTIES, data.clone()) };
    let outcome = world.block(&[pay(0), pay(1)]);
    assert!(outcome.receipts[1].status);
    if !has_members {
        let part = COIN * U256::from(2) * U256::from(78) / U256::from(10_000);
        assert!((1..=ancestors).all(|number| world.state.balance(holder(number)) == part));
    }
    outcome.executions[1].gas_used
}

#[test]
fn gas_of_a_payment_grows_with_the_line_only() {
    let rows = [0, 1, 8, 64].map(|ancestors| {
        let (sole, pooled) = (payment(ancestors, false), payment(ancestors, true));
        println!("{ancestors:>2} ancestors: {sole:>7} gas sole owners, {pooled:>7} gas pools");
        (sole, pooled)
    });
    assert!(rows[2].0 < 40_000 && rows[2].1 < 40_000, "eight ancestors: {:?}", rows[2]);
    assert!(rows[3].0 < 200_000 && rows[3].1 < 200_000, "sixty-four: {:?}", rows[3]);
}
