//! The chain of the execution-apis suite, block by block in our store, so that its recorded answers
//! can be compared value by value.
//!
//! A block of ours commits to a seal, which that chain's genesis does not have. So the blocks are
//! linked anew: their hashes differ, everything else is the same. Hashes are translated on the way
//! in and out, and answers are compared as they were recorded.

use crate::support::TestNode;
use alloy_consensus::{Block as GenericBlock, Header, transaction::Recovered};
use alloy_genesis::Genesis as EthereumGenesis;
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::Decodable;
use sahara_chain::{
    genesis::GenesisFile,
    ledger::NodeLedger,
    store::{ExecutedBlock, Genesis, PendingStates, Store, StoreOptions, allocation},
};
use sahara_evm::{
    BlobSchedule, BlockEnv, EthereumEnv, Fork, Rules, execute_block, recover_transaction,
};
use sahara_finality::{Block, EthereumTransaction, Seal, Transaction, ValidatorKeys, ValidatorSet};
use sahara_rpc::{Node, RpcServer, RpcSettings};
use std::{fs, path::Path, sync::Arc};
use tempfile::TempDir;

type EthereumBlock = GenericBlock<EthereumTransaction>;

/// A node on the recorded chain.
pub(crate) struct Replayed {
    pub(crate) server: RpcServer,
    /// Recorded hashes and what they are here.
    hashes: Vec<(String, String)>,
    _directory: TempDir,
}

impl Replayed {
    /// Imports the chain that is recorded in a directory.
    pub(crate) async fn start(recorded: &Path) -> Self {
        let genesis: EthereumGenesis =
            serde_json::from_slice(&fs::read(recorded.join("genesis.json")).unwrap()).unwrap();
        let bytes = fs::read(recorded.join("chain.rlp")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut chain = Chain::begin(&genesis, directory.path());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            chain.import(&genesis, EthereumBlock::decode(&mut rest).unwrap());
        }
        let keys = ValidatorKeys::from_secret(&[7; 32]).unwrap();
        let validators = ValidatorSet::new(vec![keys.validator(Address::repeat_byte(7))]).unwrap();
        let file = GenesisFile {
            config: TestNode::config(),
            validators,
            epoch_length: sahara_chain::genesis::DEFAULT_EPOCH_LENGTH,
            staking: None,
        };
        let store = chain.pending.store().clone();
        let ledger = NodeLedger::new(&file, &chain.genesis, store);
        let about = (Box::new(|| 0_usize) as sahara_rpc::PeerCount, "sahara/test".to_owned());
        let node = Node::with_rules(&ledger, &file, about, chain.rules);
        let settings = RpcSettings::new("127.0.0.1:0".parse().unwrap());
        let server = RpcServer::start(node, settings).await.unwrap();
        Self { server, hashes: chain.hashes, _directory: directory }
    }

    /// A recorded text in this chain's hashes.
    pub(crate) fn here(&self, text: &str) -> String {
        self.hashes.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    /// A text of this chain in the recorded hashes.
    pub(crate) fn there(&self, text: &str) -> String {
        self.hashes.iter().fold(text.to_owned(), |text, (there, here)| text.replace(here, there))
    }
}

struct Chain {
    genesis: Genesis,
    pending: PendingStates,
    rules: Rules,
    tip: B256,
    hashes: Vec<(String, String)>,
}

impl Chain {
    fn begin(file: &EthereumGenesis, directory: &Path) -> Self {
        let chain_id = file.config.chain_id;
        let seal = Seal::Genesis { chain_id, validators: B256::ZERO };
        let state = allocation(file.alloc.clone());
        let original = Header {
            state_root: sahara_chain::store::genesis_root(&state).unwrap(),
            difficulty: file.difficulty,
            gas_limit: file.gas_limit,
            timestamp: file.timestamp,
            nonce: file.nonce.into(),
            mix_hash: file.mix_hash,
            beneficiary: file.coinbase,
            extra_data: file.extra_data.clone(),
            base_fee_per_gas: file.base_fee_per_gas.map(|fee| u64::try_from(fee).unwrap()),
            ..Header::default()
        };
        let extra_data = Bytes::copy_from_slice(seal.commitment().as_slice());
        let recorded = original.hash_slow().to_string();
        let header = Header { extra_data, ..original };
        let block = Block { header, seal, transactions: Vec::new() };
        let genesis = Genesis { chain_id, block, state };
        // Every block stays in memory: it could not be decoded again, having no seal.
        let options = StoreOptions { block_cache_bytes: 1 << 30, ..StoreOptions::default() };
        let store = Store::open(directory, options, &genesis).unwrap();
        let tip = store.head().hash;
        let hashes = vec![(recorded, tip.to_string())];
        let pending = PendingStates::new(store, 64 << 20);
        Self { genesis, pending, rules: Rules::ethereum(chain_id, Fork::HOMESTEAD), tip, hashes }
    }

    fn import(&mut self, genesis: &EthereumGenesis, original: EthereumBlock) {
        self.rules = rules(genesis, &original.header);
        let env = environment(&original);
        let signed = original.body.transactions.iter().cloned().map(recover_transaction);
        let signed: Vec<Recovered<EthereumTransaction>> = signed.map(Result::unwrap).collect();
        let state = self.pending.state_after(self.tip).unwrap();
        let outcome = execute_block(self.rules, state, env, &signed, None).unwrap();
        let (root, trie) = self.pending.root_after(self.tip, &outcome.diff).unwrap();
        assert_eq!(root, original.header.state_root, "block {}", original.header.number);
        let header = Header { parent_hash: self.tip, ..original.header.clone() };
        let seal = Seal::Genesis { chain_id: genesis.config.chain_id, validators: B256::ZERO };
        let transactions = original.body.transactions.into_iter().map(Transaction::Ethereum);
        let block = Block { header, seal, transactions: transactions.collect() };
        self.hashes.push((original.header.hash_slow().to_string(), block.hash().to_string()));
        self.tip = block.hash();
        let executed = ExecutedBlock {
            receipts: Arc::new(outcome.receipts),
            senders: signed.iter().map(Recovered::signer).collect(),
            diff: outcome.diff,
            trie,
            block: Arc::new(block),
        };
        self.pending.insert(Arc::new(executed)).unwrap();
        self.pending.finalize(self.tip, None).unwrap();
    }
}

fn environment(block: &EthereumBlock) -> BlockEnv {
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

/// The rules of each block, by height before the merge and by time after it.
fn rules(genesis: &EthereumGenesis, header: &Header) -> Rules {
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
