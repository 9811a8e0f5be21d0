//! A chain of one validator without its network: the real ledger, store and pool.

use crate::proposer::Proposer;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex, keccak256};
use jsonrpsee::{
    core::{ClientError, client::ClientT, traits::ToRpcParams},
    http_client::{HttpClient, HttpClientBuilder},
    types::ErrorObjectOwned,
};
use sahara_chain::{
    genesis::GenesisFile,
    ledger::NodeLedger,
    store::{Genesis, History, Store, StoreOptions, genesis_root},
};
use sahara_evm::{Beneficiary, FeeParameters, GenesisConfig, StateDiff};
use sahara_finality::{
    ChainIdentity, EthereumTransaction, ValidatorKeys, ValidatorSet, genesis_block,
};
use sahara_primitives::Amount;
use sahara_rpc::{Node, RpcServer, RpcSettings};
use secp256k1::{Message, SECP256K1, SecretKey};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const CHAIN_ID: u64 = 724_272;
const GWEI: u128 = 1_000_000_000;

/// Two of the well-known test mnemonic's keys.
pub(crate) const ALICE: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
pub(crate) const BOB: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

pub(crate) struct TestNode {
    pub(crate) server: RpcServer,
    pub(crate) client: HttpClient,
    pub(crate) ledger: NodeLedger,
    pub(crate) validators: ValidatorSet,
    pub(crate) chain: ChainIdentity,
    proposer: JoinHandle<()>,
    _directory: TempDir,
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.proposer.abort();
        // No test forces coin upon a protocol, so every coin has to be in somebody's books.
        if !std::thread::panicking() {
            assert_eq!(self.ledger.metrics().recovered(), 0, "coin that no books know of");
        }
    }
}

impl TestNode {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut RpcSettings)) -> Self {
        Self::start_on(|_| {}, change).await
    }

    /// On a genesis whose state was changed.
    pub(crate) async fn start_on(
        alter: impl FnOnce(&mut StateDiff),
        change: impl FnOnce(&mut RpcSettings),
    ) -> Self {
        Self::start_with_ledger((pruned(), alter), change, NodeLedger::new).await
    }

    /// That keeps so much of the past, on a genesis whose state was changed.
    pub(crate) async fn start_keeping(
        history: History,
        alter: impl FnOnce(&mut StateDiff),
    ) -> Self {
        Self::start_with_ledger((history, alter), |_| {}, NodeLedger::new).await
    }

    /// With a leader that has no time to execute.
    pub(crate) async fn start_hurried() -> Self {
        let hurried = |file: &_, genesis: &_, store| {
            NodeLedger::with_build_time(file, genesis, store, Duration::ZERO)
        };
        Self::start_with_ledger((pruned(), |_: &mut StateDiff| {}), |_| {}, hurried).await
    }

    async fn start_with_ledger(
        (history, alter): (History, impl FnOnce(&mut StateDiff)),
        change: impl FnOnce(&mut RpcSettings),
        open: impl FnOnce(&GenesisFile, &Genesis, Store) -> NodeLedger,
    ) -> Self {
        let keys = ValidatorKeys::from_secret(&[7; 32]).unwrap();
        let set = ValidatorSet::new(vec![keys.validator(Address::repeat_byte(7))]).unwrap();
        let genesis = GenesisFile {
            config: config(),
            validators: set.clone(),
            epoch_length: sahara_chain::genesis::DEFAULT_EPOCH_LENGTH,
            staking: None,
        };
        let mut built = genesis.build().unwrap();
        alter(&mut built.state);
        let mut header = built.block.header.clone();
        header.state_root = genesis_root(&built.state).unwrap();
        built.block = genesis_block(header, CHAIN_ID, &set);
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions { history, ..StoreOptions::default() };
        let store = Store::open(directory.path(), options, &built).unwrap();
        let ledger = open(&genesis, &built, store);
        let chain = ChainIdentity { chain_id: CHAIN_ID, genesis: built.block.hash() };
        let proposer = Proposer { keys, set: set.clone(), chain, skipped: Arc::default() };
        let proposer = tokio::spawn(proposer.run(ledger.clone()));
        let mut settings = RpcSettings::new("127.0.0.1:0".parse().unwrap());
        change(&mut settings);
        let node = Node::new(&ledger, &genesis, Box::new(|| 0), "sahara/test");
        let server = RpcServer::start(node, settings).await.unwrap();
        let url = format!("http://{}", server.address());
        let client = HttpClientBuilder::default().build(url).unwrap();
        Self { server, client, ledger, validators: set, chain, proposer, _directory: directory }
    }

    /// The genesis configuration of test chains.
    pub(crate) fn config() -> GenesisConfig {
        config()
    }

    pub(crate) async fn ask(&self, method: &str, params: impl ToRpcParams + Send) -> Value {
        self.client.request(method, params).await.unwrap()
    }

    pub(crate) async fn refusal(
        &self,
        method: &str,
        params: impl ToRpcParams + Send,
    ) -> ErrorObjectOwned {
        match self.client.request::<Value, _>(method, params).await {
            Err(ClientError::Call(error)) => error,
            other => panic!("{method} should be refused, got {other:?}"),
        }
    }

    /// Sends and waits until it is final.
    pub(crate) async fn send(
        &self,
        key: &str,
        to: Option<Address>,
        value: u64,
        input: Vec<u8>,
    ) -> Value {
        let nonce = self.nonce(address(key)).await;
        let raw = signed(key, transaction(nonce, to, value, input));
        self.ask("eth_sendRawTransactionSync", (raw,)).await
    }

    pub(crate) async fn nonce(&self, account: Address) -> u64 {
        let nonce = self.ask("eth_getTransactionCount", (account, "pending")).await;
        quantity(&nonce)
    }
}

/// As nodes keep the past when nobody says otherwise.
fn pruned() -> History {
    StoreOptions::default().history
}

fn config() -> GenesisConfig {
    let beneficiary =
        |key, coins| Beneficiary { account: address(key), amount: Amount::from_coins(coins) };
    GenesisConfig {
        chain_id: CHAIN_ID,
        milliseconds: 1_760_000_000_000,
        block_gas_limit: 400_000_000,
        fees: FeeParameters::default(),
        sale: vec![beneficiary(ALICE, 142_000_000)],
        liquidity: vec![beneficiary(BOB, 100_000_000)],
        vesting: sahara_evm::VestingConfig::default(),
        parameters: None,
        governance: None,
        disputes: None,
    }
}

pub(crate) fn secret(key: &str) -> SecretKey {
    SecretKey::from_byte_array(hex::decode_to_array(key).unwrap()).unwrap()
}

pub(crate) fn address(key: &str) -> Address {
    let public = secret(key).public_key(SECP256K1).serialize_uncompressed();
    Address::from_word(keccak256(&public[1..]))
}

pub(crate) fn transaction(
    nonce: u64,
    to: Option<Address>,
    value: u64,
    input: Vec<u8>,
) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: if input.is_empty() { 21_000 } else { 1_000_000 },
        max_fee_per_gas: 3 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: to.map_or(TxKind::Create, TxKind::Call),
        value: U256::from(value),
        input: input.into(),
        ..TxEip1559::default()
    }
}

pub(crate) fn signed(key: &str, transaction: TxEip1559) -> Bytes {
    let message = Message::from_digest(transaction.signature_hash().0);
    let (parity, bytes) =
        SECP256K1.sign_ecdsa_recoverable(message, &secret(key)).serialize_compact();
    let is_odd = parity != secp256k1::ecdsa::RecoveryId::Zero;
    let signature = Signature::from_bytes_and_parity(&bytes, is_odd);
    EthereumTransaction::Eip1559(transaction.into_signed(signature)).encoded_2718().into()
}

pub(crate) fn quantity(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} should be a quantity"));
    let digits = text.strip_prefix("0x").unwrap();
    assert!(digits == "0" || !digits.starts_with('0'), "{text} is padded");
    u64::from_str_radix(digits, 16).unwrap()
}

pub(crate) fn hash(value: &Value) -> B256 {
    value.as_str().unwrap().parse().unwrap()
}

pub(crate) fn bytes(value: &Value) -> Bytes {
    value.as_str().unwrap().parse().unwrap()
}
