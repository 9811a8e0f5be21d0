//! The chain of the execution-apis suite, from Frontier's rules to the second blob fork, imported
//! block by block through the same transition with Ethereum's rules.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking and say what is absent"
)]

mod ethereum_data;
mod recorded;
#[path = "sahara/support/mod.rs"]
mod support;

use alloy_eips::eip2718::Encodable2718;
use alloy_genesis::Genesis;
use alloy_primitives::{B256, U256};
use recorded::{EthereumBlock, environment, rules};
use sahara_evm::{Fork, Replay, execute_block, recover_transaction};
use sahara_finality::receipts_root;
use support::MemoryState;

fn genesis_state(genesis: &Genesis) -> MemoryState {
    let mut state = MemoryState::default();
    for (address, account) in &genesis.alloc {
        let code = account.code.clone().unwrap_or_default();
        state.insert(*address, account.nonce.unwrap_or_default(), account.balance, code);
        let words = account.storage.iter().flatten();
        let words =
            words.map(|(slot, word)| (U256::from_be_bytes(slot.0), U256::from_be_bytes(word.0)));
        state.storage.insert(*address, words.collect());
    }
    state
}

#[test]
fn every_block_of_the_chain_ends_in_its_roots() {
    let Some(directory) = ethereum_data::find("execution-apis/tests") else { return };
    let (genesis, blocks) = recorded::chain(&directory);
    let mut state = genesis_state(&genesis);
    state.hashes.insert(0, blocks[0].header.parent_hash);
    for block in &blocks {
        import(&genesis, &mut state, block);
    }
    let transactions: usize = blocks.iter().map(|block| block.body.transactions.len()).sum();
    let blocks = blocks.len();
    println!("{blocks} blocks, {transactions} transactions");
    assert!(blocks > 0 && transactions > 0);
}

fn import(genesis: &Genesis, state: &mut MemoryState, block: &EthereumBlock) {
    let (header, number) = (&block.header, block.header.number);
    let rules = rules(genesis, header);
    let senders: Vec<_> =
        block.body.transactions.iter().map(|tx| recover_transaction(tx.clone()).unwrap()).collect();
    let env = environment(block);
    let outcome = execute_block(rules, &*state, env.clone(), &senders, None)
        .unwrap_or_else(|error| panic!("block {number}: {error}"));
    assert_eq!(outcome.gas_used, header.gas_used, "gas of block {number}");
    assert_eq!(outcome.logs_bloom, header.logs_bloom, "bloom of block {number}");
    if rules.is_active(Fork::CANCUN) {
        assert_eq!(Some(outcome.blob_gas_used), header.blob_gas_used, "blob gas of block {number}");
    }
    // Until Byzantium a receipt holds the state root in place of the status.
    if rules.is_active(Fork::BYZANTIUM) {
        assert_eq!(
            receipts_root(&outcome.receipts),
            header.receipts_root,
            "receipts of block {number}"
        );
    }
    let replay =
        Replay { env: &env, transactions: &senders, system: None, hash: header.hash_slow() };
    let options = alloy_rpc_types_trace::geth::GethDebugTracingOptions::default();
    let traces = sahara_evm::trace_block(rules, &*state, replay, &options).unwrap();
    assert_eq!(traces.len(), senders.len());
    for ((_, trace), execution) in traces.into_iter().zip(&outcome.executions) {
        let frame = trace.try_into_default_frame().unwrap();
        assert_eq!(frame.gas, execution.gas_used, "traced gas in block {number}");
    }
    state.apply(&outcome.diff);
    assert_eq!(state.root(), header.state_root, "state root of block {number}");
    state.hashes.insert(number, header.hash_slow());
    let hash: B256 = header.hash_slow();
    assert!(
        !hash.is_zero() && block.body.transactions.iter().all(|tx| !tx.encoded_2718().is_empty())
    );
}
