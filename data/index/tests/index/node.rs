//! A chain of one validator without its network: the real ledger, store, pool and JSON-RPC; blocks are
//! sealed and certified with a real key as soon as there is work.

use commonware_consensus::{
    simplex::types::{Context, Finalization, Finalize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use sahara_chain::{
    consensus::{BuildContext, Ledger},
    genesis::GenesisFile,
    ledger::NodeLedger,
    store::{Store, StoreOptions},
};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_evm::{Beneficiary, FeeParameters, GenesisConfig};
use sahara_finality::{
    Block, ChainIdentity, RoundSeal, ValidatorKeys, ValidatorSet, encode_finalization,
    header_template, signer,
};
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

struct Validator {
    skipped: Arc<AtomicU64>,
    keys: ValidatorKeys,
    set: ValidatorSet,
    chain: ChainIdentity,
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
        let validator = Validator { keys, set, chain, skipped: Arc::clone(&skipped) };
        let proposer = tokio::spawn(propose(ledger.clone(), validator));
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

async fn propose(ledger: NodeLedger, validator: Validator) {
    let mut parent = ledger.genesis();
    loop {
        ledger.wait_for_work(&parent).await;
        let block = child(&ledger, &validator, &parent).await;
        let certificate = certify(&validator, &block);
        parent = block.clone();
        ledger.finalize(Arc::new(block), Some(certificate)).await;
    }
}

async fn child(ledger: &NodeLedger, validator: &Validator, parent: &Block) -> Block {
    let me = validator.set.as_slice()[0].clone();
    let view = parent.header.number + 1;
    let context = Context {
        round: Round::new(Epoch::zero(), View::new(view)),
        leader: me.network_key,
        parent: (View::new(view - 1), Digest(parent.hash().0)),
    };
    let seal = RoundSeal::sign(&context, view, &validator.chain, &validator.keys.consensus);
    let skipped = validator.skipped.swap(0, Ordering::Relaxed);
    let time = parent.milliseconds() + 1_000 + skipped * 1_000;
    let header = header_template(parent, time, &seal, me.fee_address);
    ledger.build(parent, BuildContext { header, seal }).await.unwrap()
}

fn certify(validator: &Validator, block: &Block) -> Vec<u8> {
    let view = block.header.number;
    let round = Round::new(Epoch::zero(), View::new(view));
    let proposal = Proposal::new(round, View::new(view - 1), Digest(block.hash().0));
    let key = validator.keys.consensus.clone();
    let scheme = signer(&validator.chain, &validator.set, key).unwrap();
    let votes = vec![Finalize::sign(&scheme, proposal).unwrap()];
    let finalization =
        Finalization::from_owned_finalizes(&scheme, non_empty![@votes], &Sequential).unwrap();
    encode_finalization(&finalization)
}
