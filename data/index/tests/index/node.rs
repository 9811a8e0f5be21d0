//! A chain of one validator without its network: the real ledger, store, pool and JSON-RPC.

use crate::proposer::Proposer;
use sahara_chain::{
    genesis::GenesisFile,
    ledger::NodeLedger,
    store::{Store, StoreOptions},
};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_evm::{Beneficiary, FeeParameters, GenesisConfig};
use sahara_finality::{ChainIdentity, ValidatorKeys, ValidatorSet};
use sahara_primitives::{Address, Amount, LOCAL_CHAIN_ID};
use sahara_rpc::{Node, RpcServer, RpcSettings};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) struct TestNode {
    pub(crate) client: ChainClient,
    server: RpcServer,
    proposer: JoinHandle<()>,
    skipped: Arc<AtomicU64>,
    _directory: TempDir,
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.proposer.abort();
    }
}

/// A key of the test mnemonic. 0 and 1 hold all free coin at genesis.
pub(crate) fn key(index: u32) -> SigningKey {
    SigningKey::from_mnemonic(TEST_MNEMONIC, index).unwrap()
}

impl TestNode {
    /// The next block comes so many seconds later than it would.
    pub(crate) fn skip(&self, seconds: u64) {
        self.skipped.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// `day` moves block 0 in time, and so makes another chain.
    pub(crate) async fn start(day: u64) -> Self {
        let keys = ValidatorKeys::from_secret(&[7; 32]).unwrap();
        let set = ValidatorSet::new(vec![keys.validator(Address::repeat_byte(7))]).unwrap();
        let genesis = GenesisFile {
            config: config(day),
            validators: set.clone(),
            epoch_length: sahara_chain::genesis::DEFAULT_EPOCH_LENGTH,
            staking: None,
        };
        let built = genesis.build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), StoreOptions::default(), &built).unwrap();
        let ledger = NodeLedger::new(&genesis, &built, store);
        let chain = ChainIdentity { chain_id: LOCAL_CHAIN_ID, genesis: built.block.hash() };
        let skipped = Arc::new(AtomicU64::new(0));
        let proposer = Proposer { keys, set, chain, skipped: Arc::clone(&skipped) };
        let proposer = tokio::spawn(proposer.run(ledger.clone()));
        let settings = RpcSettings::new("127.0.0.1:0".parse().unwrap());
        let node = Node::new(&ledger, &genesis, Box::new(|| 0), "sahara/test");
        let server = RpcServer::start(node, settings).await.unwrap();
        let client = ChainClient::new(&format!("http://{}", server.address())).unwrap();
        Self { client, server, proposer, skipped, _directory: directory }
    }
}

fn config(day: u64) -> GenesisConfig {
    let beneficiary = |index, coins| Beneficiary {
        account: key(index).address(),
        amount: Amount::from_coins(coins),
    };
    GenesisConfig {
        chain_id: LOCAL_CHAIN_ID,
        milliseconds: 1_760_000_000_000 + day * 86_400_000,
        block_gas_limit: 400_000_000,
        fees: FeeParameters::default(),
        sale: vec![beneficiary(0, 142_000_000)],
        liquidity: vec![beneficiary(1, 100_000_000)],
        vesting: sahara_evm::VestingConfig::default(),
        parameters: None,
        governance: None,
        disputes: None,
    }
}
