//! The chain of the execution-apis suite, from Frontier's rules to the second blob fork, imported
//! block by block through the same transition with Ethereum's rules.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail by panicking and say what is absent"
)]

#[path = "sahara/support/mod.rs"]
mod support;

use alloy_consensus::{Block, Header};
use alloy_eips::eip2718::Encodable2718;
use alloy_genesis::Genesis;
use alloy_primitives::{B256, U256};
use alloy_rlp::Decodable;
use sahara_evm::{
    BlobSchedule, BlockEnv, EthereumEnv, Fork, Replay, Rules, execute_block, recover_transaction,
};
use sahara_finality::{EthereumTransaction, receipts_root};
use std::fs;
use support::MemoryState;

type EthereumBlock = Block<EthereumTransaction>;

/// The rules of each block, by height before the merge and by time after it.
fn rules(genesis: &Genesis, header: &Header) -> Rules {
    let config = &genesis.config;
    let is_at = |block: Option<u64>| block.is_some_and(|block| header.number >= block);
    let is_since = |time: Option<u64>| time.is_some_and(|time| header.timestamp >= time);
    let bpo = |name: &str| config.extra_fields.get(name).and_then(serde_json::Value::as_u64);
    let schedule = |name: &str| {
        let blobs = &config.blob_schedule[name];
        BlobSchedule {
            max: blobs.max_blob_count,
            base_fee_update_fraction: u64::try_from(blobs.update_fraction).unwrap(),
        }
    };
    let rules = |fork| Rules::ethereum(config.chain_id, fork);
    let bpo1 = config.bpo1_time.or_else(|| bpo("bpo1Time"));
    let bpo2 = config.bpo2_time.or_else(|| bpo("bpo2Time"));
    match () {
        () if is_since(bpo2) => rules(Fork::OSAKA).with_blobs(schedule("bpo2")),
        () if is_since(bpo1) => rules(Fork::OSAKA).with_blobs(schedule("bpo1")),
        () if is_since(config.osaka_time) => rules(Fork::OSAKA).with_blobs(schedule("osaka")),
        () if is_since(config.prague_time) => rules(Fork::PRAGUE).with_blobs(schedule("prague")),
        () if is_since(config.cancun_time) => rules(Fork::CANCUN).with_blobs(schedule("cancun")),
        () if is_since(config.shanghai_time) => rules(Fork::SHANGHAI),
        () if is_at(config.merge_netsplit_block) => rules(Fork::MERGE),
        () if is_at(config.london_block) => rules(Fork::LONDON),
        () if is_at(config.berlin_block) => rules(Fork::BERLIN),
        () if is_at(config.istanbul_block) => rules(Fork::ISTANBUL),
        () if is_at(config.constantinople_block) => rules(Fork::PETERSBURG),
        () if is_at(config.byzantium_block) => rules(Fork::BYZANTIUM),
        () if is_at(config.eip155_block) => rules(Fork::SPURIOUS_DRAGON),
        () if is_at(config.eip150_block) => rules(Fork::TANGERINE),
        () => rules(Fork::HOMESTEAD),
    }
}

fn environment(block: &EthereumBlock) -> BlockEnv {
    let header = &block.header;
    BlockEnv {
        number: header.number,
        timestamp: header.timestamp,
        parent_hash: header.parent_hash,
        beneficiary: header.beneficiary,
        gas_limit: header.gas_limit,
        base_fee: header.base_fee_per_gas.unwrap_or_default(),
        prevrandao: header.mix_hash,
        recipients: vec![],
        missed: vec![],
        is_electing: false,
        ethereum: EthereumEnv {
            difficulty: header.difficulty,
            excess_blob_gas: header.excess_blob_gas,
            parent_beacon_block_root: header.parent_beacon_block_root,
            withdrawals: block.body.withdrawals.clone().unwrap_or_default().0,
            uncles: block
                .body
                .ommers
                .iter()
                .map(|uncle| (uncle.number, uncle.beneficiary))
                .collect(),
        },
    }
}

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
    let Some(directory) = support::conformance("execution-apis/tests") else { return };
    let genesis: Genesis =
        serde_json::from_slice(&fs::read(directory.join("genesis.json")).unwrap()).unwrap();
    let bytes = fs::read(directory.join("chain.rlp")).unwrap();
    let mut rest = bytes.as_slice();
    let mut state = genesis_state(&genesis);
    let (mut blocks, mut transactions) = (0, 0);
    while !rest.is_empty() {
        let block = EthereumBlock::decode(&mut rest).unwrap();
        if blocks == 0 {
            state.hashes.insert(0, block.header.parent_hash);
        }
        transactions += block.body.transactions.len();
        import(&genesis, &mut state, &block);
        blocks += 1;
    }
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
