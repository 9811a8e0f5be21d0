//! Blocks: fees, the system transaction, refusals and the supply law.

use crate::world::{
    CHAIN_ID, COIN, Draft, GWEI, LEADER, OTHER, STRANGER, World, account, hex, sign,
};
use alloy_consensus::{SignableTransaction, TxEip4844, TxLegacy, transaction::Recovered};
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, Signature, TxKind, U256};
use alloy_sol_types::SolEvent;
use proptest::prelude::*;
use sahara_abi::{COIN as COIN_PROTOCOL, FEES, INCENTIVE_POOL, ISystem, ROYALTIES, SYSTEM};
use sahara_evm::{
    Account, CREATE2_DEPLOYER, GenesisConfig, GenesisError, GrantConfig, MULTICALL3, Refusal,
    Rules, SenderError, StateDiff, SupplyError, TransitionError, check_supply, execute_block,
    genesis, recover,
};
use sahara_finality::{EthereumTransaction, SystemTransaction};

const FORCER: &str = include_str!("../../contracts/Forcer.bin");
const BURNER: &str = include_str!("../../contracts/Burner.bin");

fn recovered(outcome: &sahara_evm::BlockOutcome, index: usize) -> Vec<U256> {
    let logs = outcome.receipts[index].logs.iter().filter(|log| log.address == SYSTEM);
    logs.filter_map(|log| ISystem::Recovered::decode_log(log).ok()).map(|log| log.amount).collect()
}

#[test]
fn genesis_holds_exactly_ten_billion_in_seven_classes() {
    let world = World::new();
    let million = COIN * U256::from(1_000_000);
    assert_eq!(world.state.supply(), million * U256::from(10_000));
    let held = |address| world.state.balance(address) / million;
    assert_eq!(held(sahara_abi::AIRDROP), U256::from(815));
    assert_eq!(held(sahara_abi::COMMUNITY), U256::from(2_075));
    assert_eq!(held(INCENTIVE_POOL), U256::from(3_393));
    assert_eq!(held(sahara_abi::TEAM), U256::from(1_500));
    assert_eq!(held(sahara_abi::INVESTORS), U256::from(1_975));
    assert_eq!(held(account(1)) + held(account(2)), U256::from(242));
    for protocol in sahara_abi::PROTOCOLS {
        let account = world.state.accounts[&protocol.address];
        assert_eq!(account.nonce, 1, "{}", protocol.name);
        assert!(!world.state.code[&account.code_hash].is_empty());
    }
    for address in [MULTICALL3, CREATE2_DEPLOYER, HISTORY_STORAGE_ADDRESS] {
        assert!(world.state.code[&world.state.accounts[&address].code_hash].len() > 60);
    }
}

#[test]
fn genesis_binds_the_classes_to_their_schedules() {
    let mut config = GenesisConfig::local(CHAIN_ID, 1_794_746_096_000, &[account(1)]);
    let (diff, _) = genesis(&config).unwrap();
    let words = &diff.accounts[&sahara_abi::VESTING].storage;
    assert!(words.len() > 20, "curves, steps, schedules, settings");
    assert!(words.values().all(|(before, after)| before.is_zero() && !after.is_zero()));
    config.vesting.grants.push(GrantConfig {
        pool: sahara_abi::TEAM,
        beneficiary: account(2),
        amount: sahara_primitives::Amount::from_coins(1_500_000_001),
        delay: 0,
        is_revocable: true,
    });
    assert!(matches!(genesis(&config), Err(GenesisError::Vesting(_))), "more than the class");
    config.vesting.grants[0].amount = sahara_primitives::Amount::from_coins(1);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<GenesisConfig>(&text).unwrap(), config);
    assert_ne!(genesis(&config).unwrap().0.accounts[&sahara_abi::VESTING].storage, *words);
}

#[test]
fn genesis_names_the_times_of_complaints_or_is_refused() {
    let usual = GenesisConfig::local(CHAIN_ID, 0, &[account(1)]);
    let (without, _) = genesis(&usual).unwrap();
    assert!(
        without.accounts[&sahara_abi::DISPUTES].storage.is_empty(),
        "the defaults need no word"
    );
    let defaults = sahara_protocols::disputes::Parameters::DEFAULT;
    let mut config = GenesisConfig { disputes: Some(defaults.into()), ..usual };
    if let Some(parameters) = &mut config.disputes {
        parameters.answer = 5;
    }
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<GenesisConfig>(&text).unwrap(), config);
    let (diff, _) = genesis(&config).unwrap();
    assert_eq!(diff.accounts[&sahara_abi::DISPUTES].storage.len(), 2);
    if let Some(parameters) = &mut config.disputes {
        parameters.answer = 4 * 86_400 + 1;
    }
    let refused = genesis(&config).unwrap_err().to_string();
    assert_eq!(refused, "answer of disputes is 345601, expected at most 345600");
}

#[test]
fn a_genesis_whose_parts_do_not_add_up_is_refused() {
    let mut config = GenesisConfig::local(CHAIN_ID, 0, &[account(1)]);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<GenesisConfig>(&text).unwrap(), config);
    config.sale[0].amount = sahara_primitives::Amount::ONE_COIN;
    assert!(matches!(genesis(&config), Err(GenesisError::ClassSum { class: "sale", .. })));
    let reserved = GenesisConfig::local(CHAIN_ID, 0, &[FEES]);
    assert_eq!(genesis(&reserved), Err(GenesisError::Reserved(FEES)));
}

#[test]
fn a_plain_transfer_costs_exactly_21000_gas_and_its_fee_reaches_everyone() {
    let mut world = World::new();
    let before = world.state.clone();
    let draft = Draft { tip: 2, ..Draft::transfer(1, 0, STRANGER, COIN) };
    let outcome = world.block(&[draft]);
    assert_eq!(outcome.executions[0].gas_used, 21_000);
    assert_eq!(outcome.executions[0].effective_gas_price, u128::from(GWEI) + 2);
    let fee = U256::from(21_000) * U256::from(GWEI + 2);
    let gained = |address| world.state.balance(address) - before.balance(address);
    let incentive = fee / U256::from(50);
    let seat = (fee - incentive) / U256::from(3);
    assert_eq!(gained(INCENTIVE_POOL), incentive);
    assert_eq!(gained(OTHER), seat * U256::from(2));
    assert_eq!(gained(LEADER), fee - incentive - seat * U256::from(2));
    assert_eq!(before.balance(account(1)) - world.state.balance(account(1)), COIN + fee);
    assert_eq!(world.state.balance(FEES), U256::ZERO);
}

#[test]
fn the_system_transaction_stands_last_exactly_when_there_is_work() {
    let mut world = World::new();
    let empty = world.block(&[]);
    assert_eq!(empty.system_transaction, None);
    assert!(empty.receipts.is_empty());
    let full = world.block(&[Draft::transfer(1, 0, STRANGER, COIN)]);
    assert_eq!(full.receipts.len(), 2);
    assert_eq!(full.receipts[1].type_byte, sahara_finality::SYSTEM_TYPE);
    assert!(full.receipts[1].status);
    assert_eq!(full.gas_used, full.receipts[1].cumulative_gas_used);
    let log =
        full.receipts[1].logs.iter().find_map(|log| ISystem::FeesDistributed::decode_log(log).ok());
    assert_eq!(log.unwrap().total, U256::from(21_000 * GWEI));
}

#[test]
fn any_other_system_transaction_is_refused() {
    let world = World::new();
    let transactions = [Draft::transfer(1, 0, STRANGER, COIN).sign()];
    let run = |system: Option<SystemTransaction>| {
        let env = world.env.clone();
        execute_block(world.rules, &world.state, env, &transactions, system.as_ref())
    };
    assert!(matches!(run(None), Err(TransitionError::SystemTransaction { got: None, .. })));
    let mut builder = world.builder();
    builder.try_transaction(&transactions[0]).unwrap().unwrap();
    let mut system = builder.finish().unwrap().system_transaction.unwrap();
    assert!(run(Some(system.clone())).is_ok());
    system.gas_limit += 1;
    assert!(matches!(run(Some(system.clone())), Err(TransitionError::SystemTransaction { .. })));
    let idle = execute_block(world.rules, &world.state, world.env.clone(), &[], Some(&system));
    assert!(matches!(idle, Err(TransitionError::SystemTransaction { expected: None, .. })));
}

#[test]
fn the_parent_hash_is_readable_from_the_history_contract() {
    let mut world = World::new();
    let parent = world.env.parent_hash;
    world.block(&[]);
    assert_eq!(
        world.state.storage[&HISTORY_STORAGE_ADDRESS][&U256::ZERO],
        U256::from_be_bytes(parent.0)
    );
}

#[test]
fn refusals_say_what_tools_look_for() {
    let mut world = World::new();
    world.block(&[Draft::transfer(1, 0, STRANGER, COIN)]);
    let good = Draft::transfer(1, 1, STRANGER, COIN);
    let says = |draft: Draft, words: &str| {
        let refusal = world.refusal(&draft).to_string();
        assert!(refusal.contains(words), "{refusal:?} lacks {words:?}");
    };
    says(Draft { nonce: 0, ..good.clone() }, "nonce too low");
    says(Draft { nonce: 9, ..good.clone() }, "nonce too high");
    says(Draft { key: 9, nonce: 0, ..good.clone() }, "insufficient funds for gas * price + value");
    says(Draft { value: COIN << 40, ..good.clone() }, "insufficient funds for gas * price + value");
    says(Draft { gas: 20_999, ..good.clone() }, "intrinsic gas too low");
    says(Draft { gas: 500_000_000, ..good.clone() }, "exceeds block gas limit");
    says(Draft { gas: 17_000_000, ..good.clone() }, "transaction gas limit too high");
    world.env.base_fee = 2 * GWEI;
    let refusal = world.refusal(&good);
    assert!(refusal.to_string().contains("max fee per gas less than block base fee"), "{refusal}");
    world.env.base_fee = GWEI;
    world.rules = Rules::sahara(CHAIN_ID + 1);
    assert_eq!(
        world.refusal(&good),
        Refusal::ChainId { expected: CHAIN_ID + 1, got: Some(CHAIN_ID) }
    );
}

#[test]
fn a_blob_transaction_is_refused() {
    let world = World::new();
    let blob = TxEip4844 { chain_id: CHAIN_ID, gas_limit: 21_000, ..TxEip4844::default() };
    let signature = sign(1, blob.signature_hash());
    let transaction = EthereumTransaction::Eip4844(blob.into_signed(signature));
    let transaction = Recovered::new_unchecked(transaction, account(1));
    let refused = world.builder().try_transaction(&transaction).unwrap().map(|_| ()).unwrap_err();
    assert_eq!(refused, Refusal::Blob);
}

#[test]
fn the_malleable_twin_of_a_signature_recovers_nobody() {
    let order: U256 =
        "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse().unwrap();
    let legacy = TxLegacy { to: TxKind::Call(STRANGER), ..TxLegacy::default() };
    let good = sign(1, legacy.signature_hash());
    let twin = Signature::new(good.r(), order - good.s(), !good.v());
    let signed = |signature| EthereumTransaction::Legacy(legacy.clone().into_signed(signature));
    assert_eq!(recover(&signed(good)), Ok(account(1)));
    assert_eq!(recover(&signed(twin)), Err(SenderError::HighS));
    let zero = Signature::new(U256::ZERO, U256::ZERO, false);
    assert_eq!(recover(&signed(zero)), Err(SenderError::Invalid));
}

#[test]
fn coin_destroyed_with_its_contract_goes_to_the_incentive_pool() {
    let mut world = World::new();
    let pool = world.state.balance(INCENTIVE_POOL);
    let draft = Draft { key: 1, value: COIN, data: hex(BURNER), gas: 200_000, ..Draft::default() };
    let outcome = world.block(&[draft]);
    assert!(outcome.receipts[0].status);
    assert_eq!(recovered(&outcome, 0), [COIN]);
    assert!(world.state.balance(INCENTIVE_POOL) >= pool + COIN);
}

#[test]
fn coin_forced_upon_a_protocol_goes_to_the_incentive_pool() {
    for (index, protocol) in [COIN_PROTOCOL, ROYALTIES, SYSTEM].into_iter().enumerate() {
        let mut world = World::new();
        let pool = world.state.balance(INCENTIVE_POOL);
        let mut code = hex(FORCER).to_vec();
        code.extend(protocol.into_word());
        let value = COIN * U256::from(index + 1);
        let draft = Draft { key: 1, value, data: code.into(), gas: 200_000, ..Draft::default() };
        let outcome = world.block(&[draft]);
        assert!(outcome.receipts[0].status);
        assert_eq!(recovered(&outcome, 0), [value]);
        assert_eq!(world.state.balance(protocol), U256::ZERO);
        assert!(world.state.balance(INCENTIVE_POOL) >= pool + value);
    }
}

#[test]
fn coin_sent_plainly_to_a_protocol_comes_back() {
    let mut world = World::new();
    for protocol in sahara_abi::PROTOCOLS {
        let nonce = world.nonce(1);
        let draft = Draft { gas: 100_000, ..Draft::transfer(1, nonce, protocol.address, COIN) };
        let outcome = world.block(&[draft]);
        assert!(!outcome.receipts[0].status, "{} took coin", protocol.name);
        assert_eq!(world.state.balance(protocol.address), U256::ZERO);
    }
}

#[test]
fn a_planted_violation_is_caught() {
    let mut world = World::new();
    let diff = world.block(&[Draft::transfer(1, 0, STRANGER, COIN)]).diff;
    assert_eq!(check_supply(&diff), Ok(()));
    let raised = |address: Address, by: u64| {
        let mut planted = diff.clone();
        let change = planted.accounts.entry(address).or_default();
        change.after.get_or_insert_with(Account::default).balance += U256::from(by);
        planted
    };
    assert!(matches!(check_supply(&raised(STRANGER, 1)), Err(SupplyError::Total { .. })));
    assert!(matches!(check_supply(&raised(COIN_PROTOCOL, 1)), Err(SupplyError::Protocol { .. })));
    assert_eq!(check_supply(&raised(FEES, 5)), Err(SupplyError::FeesLeft(U256::from(5))));
    // Balanced, but a protocol holds what it does not owe.
    let mut moved = raised(ROYALTIES, 7);
    moved.accounts.get_mut(&STRANGER).unwrap().after.as_mut().unwrap().balance -= U256::from(7);
    assert!(matches!(check_supply(&moved), Err(SupplyError::Protocol { .. })));
    assert_eq!(check_supply(&StateDiff::default()), Ok(()));
}

#[test]
fn coin_sent_to_the_fees_account_is_distributed_with_the_fees() {
    let mut world = World::new();
    let outcome = world.block(&[Draft::transfer(1, 0, FEES, COIN)]);
    assert!(outcome.receipts[0].status);
    assert_eq!(world.state.balance(FEES), U256::ZERO);
    assert!(world.state.balance(OTHER) > COIN / U256::from(2));
}

#[test]
fn a_transaction_of_legacy_type_without_chain_id_runs() {
    let world = World::new();
    let legacy = TxLegacy {
        gas_limit: 21_000,
        gas_price: u128::from(GWEI),
        to: TxKind::Call(STRANGER),
        ..TxLegacy::default()
    };
    let signature = sign(1, legacy.signature_hash());
    let signed = EthereumTransaction::Legacy(legacy.into_signed(signature));
    let mut builder = world.builder();
    let transaction = sahara_evm::recover_transaction(signed).unwrap();
    assert!(builder.try_transaction(&transaction).unwrap().unwrap().status);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn i1_i2_i3_i4_i7_a_block_moves_coin_alone_and_the_same_whoever_executes_it(
        sends in prop::collection::vec((1_u8..3, 0_u8..6, any::<u64>(), 0_u64..1000), 0..12),
    ) {
        let mut world = World::new();
        let mut nonces = [0_u64; 3];
        let mut drafts = vec![];
        for (key, target, value, tip) in sends {
            let nonce = nonces[usize::from(key)];
            nonces[usize::from(key)] += 1;
            let value = U256::from(value);
            let mut draft = Draft { gas: 200_000, tip, ..Draft::transfer(key, nonce, STRANGER, value) };
            match target {
                0 => draft.to = Some(ROYALTIES),
                1 => { draft.to = None; draft.data = hex(BURNER); }
                2 => {
                    let mut code = hex(FORCER).to_vec();
                    code.extend(COIN_PROTOCOL.into_word());
                    draft.to = None;
                    draft.data = code.into();
                }
                3 => draft.to = Some(account(2)),
                4 => draft.to = Some(FEES),
                _ => {}
            }
            drafts.push(draft);
        }
        // The world executes each block again, and holds the supply against genesis.
        let outcome = world.block(&drafts);
        prop_assert_eq!(check_supply(&outcome.diff), Ok(()));
        prop_assert_eq!(world.state.balance(FEES), U256::ZERO);
    }

    #[test]
    fn i5_a_refused_transaction_changes_nothing(
        place in 0_u64..4, fault in 0_u8..5, value in any::<u64>(),
    ) {
        let world = World::new();
        let bad = Draft::transfer(2, 0, STRANGER, COIN);
        let bad = match fault {
            0 => Draft { nonce: 9, ..bad },
            1 => Draft { gas: 20_999, ..bad },
            2 => Draft { value: COIN << 40, ..bad },
            3 => Draft { gas: 17_000_000, ..bad },
            _ => Draft { key: 9, ..bad },
        };
        let finished = |refused_at: Option<u64>| {
            let mut builder = world.builder();
            for nonce in 0..4 {
                if refused_at == Some(nonce) {
                    assert!(builder.try_transaction(&bad.sign()).unwrap().is_err());
                }
                let good = Draft::transfer(1, nonce, STRANGER, U256::from(value));
                assert!(builder.try_transaction(&good.sign()).unwrap().is_ok());
            }
            builder.finish().unwrap()
        };
        prop_assert_eq!(finished(Some(place)), finished(None));
    }
}
