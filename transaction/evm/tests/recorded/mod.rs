//! The recorded chain of the execution-apis suite: its genesis, its blocks, and the rules of each.

use alloy_consensus::{Block, Header};
use alloy_genesis::Genesis;
use alloy_rlp::Decodable;
use sahara_evm::{BlobSchedule, BlockEnv, EthereumEnv, Fork, Rules};
use sahara_finality::EthereumTransaction;
use std::{fs, path::Path};

pub(crate) type EthereumBlock = Block<EthereumTransaction>;

/// The genesis file and every block after it.
pub(crate) fn chain(directory: &Path) -> (Genesis, Vec<EthereumBlock>) {
    let genesis = fs::read(directory.join("genesis.json")).unwrap();
    let bytes = fs::read(directory.join("chain.rlp")).unwrap();
    let (mut rest, mut blocks) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        blocks.push(EthereumBlock::decode(&mut rest).unwrap());
    }
    (serde_json::from_slice(&genesis).unwrap(), blocks)
}

/// The rules of each block, by height before the merge and by time after it.
pub(crate) fn rules(genesis: &Genesis, header: &Header) -> Rules {
    let config = &genesis.config;
    let is_at = |block: Option<u64>| block.is_some_and(|block| header.number >= block);
    let is_since = |time: Option<u64>| time.is_some_and(|time| header.timestamp >= time);
    let bpo = |name: &str| config.extra_fields.get(name).and_then(serde_json::Value::as_u64);
    let blobs = |fork, schedule: &str| {
        let blobs = &config.blob_schedule[schedule];
        let base_fee_update_fraction = u64::try_from(blobs.update_fraction).unwrap();
        let schedule = BlobSchedule { max: blobs.max_blob_count, base_fee_update_fraction };
        Rules::ethereum(config.chain_id, fork).with_blobs(schedule)
    };
    let rules = |fork| Rules::ethereum(config.chain_id, fork);
    match () {
        () if is_since(config.bpo2_time.or_else(|| bpo("bpo2Time"))) => blobs(Fork::OSAKA, "bpo2"),
        () if is_since(config.bpo1_time.or_else(|| bpo("bpo1Time"))) => blobs(Fork::OSAKA, "bpo1"),
        () if is_since(config.osaka_time) => blobs(Fork::OSAKA, "osaka"),
        () if is_since(config.prague_time) => blobs(Fork::PRAGUE, "prague"),
        () if is_since(config.cancun_time) => blobs(Fork::CANCUN, "cancun"),
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

/// What a block's header and body say of it before it is executed.
pub(crate) fn environment(block: &EthereumBlock) -> BlockEnv {
    let header = &block.header;
    let uncles = block.body.ommers.iter().map(|uncle| (uncle.number, uncle.beneficiary));
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
            uncles: uncles.collect(),
        },
    }
}
