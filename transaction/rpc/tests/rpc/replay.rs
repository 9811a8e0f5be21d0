//! The chain of the execution-apis suite, block by block in our store, so that its recorded answers
//! can be compared value by value.
//!
//! A block of ours commits to a seal, which that chain's genesis does not have. So the blocks are
//! linked anew: their hashes differ, everything else is the same. Hashes are translated on the way
//! in and out, and answers are compared as they were recorded.

use crate::{
    recorded::{self, EthereumBlock},
    support::TestNode,
};
use alloy_consensus::{Header, transaction::Recovered};
use alloy_genesis::Genesis as EthereumGenesis;
use alloy_primitives::{Address, B256, Bytes};
use sahara_chain::{
    genesis::GenesisFile,
    ledger::NodeLedger,
    store::{ExecutedBlock, Genesis, PendingStates, Store, StoreOptions, allocation},
};
use sahara_evm::{Fork, Rules, execute_block, recover_transaction};
use sahara_finality::{Block, EthereumTransaction, Seal, Transaction, ValidatorKeys, ValidatorSet};
use sahara_rpc::{Node, RpcServer, RpcSettings};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

/// A node on the recorded chain.
pub(crate) struct Replayed {
    pub(crate) server: RpcServer,
    /// Recorded hashes and what they are here.
    hashes: Vec<(String, String)>,
    _directory: TempDir,
}

impl Replayed {
    /// Imports the chain that is recorded in a directory.
    pub(crate) async fn start(place: &Path) -> Self {
        let (genesis, blocks) = recorded::chain(place);
        let directory = tempfile::tempdir().unwrap();
        let mut chain = Chain::begin(&genesis, directory.path());
        for block in blocks {
            chain.import(&genesis, block);
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
        self.rules = recorded::rules(genesis, &original.header);
        let env = recorded::environment(&original);
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
