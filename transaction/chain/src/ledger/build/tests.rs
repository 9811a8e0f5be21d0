//! Blocks whose end panics: what is left out, and who is blamed. Blocks whose check panics: refused, and no more.

use super::{Close, ExecutionError, build_and_close};
use crate::{
    consensus::{BuildContext, Ledger as _},
    genesis::{DEFAULT_EPOCH_LENGTH, GenesisFile},
    ledger::{NodeLedger, execute::Execute},
    pool::{Origin, PoolError},
    store::{Store, StoreOptions},
};
use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use commonware_consensus::{
    simplex::types::Context,
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use sahara_evm::{
    Beneficiary, FeeParameters, GenesisConfig, TransitionError, VestingConfig, execute_block,
};
use sahara_finality::{
    Block, ChainIdentity, EthereumTransaction, RoundSeal, Transaction, ValidatorKeys, ValidatorSet,
    header_template,
};
use sahara_primitives::Amount;
use secp256k1::{Message, SECP256K1, SecretKey};
use std::sync::Arc;
use tempfile::TempDir;

const CHAIN_ID: u64 = 724_272;
const GWEI: u128 = 1_000_000_000;

/// Who sends what breaks the block, and who sends the rest.
const MALLORY: u8 = 1;
const BOB: u8 = 2;

/// A ledger whose only validator asks for blocks one after another.
struct Town {
    ledger: NodeLedger,
    keys: ValidatorKeys,
    chain: ChainIdentity,
    parent: Block,
    _directory: TempDir,
}

impl Town {
    fn new() -> Self {
        let keys = ValidatorKeys::from_secret(&[7; 32]).unwrap();
        let validators = ValidatorSet::new(vec![keys.validator(Address::ZERO)]).unwrap();
        let holder = |index, coins| Beneficiary {
            account: sender(index),
            amount: Amount::from_coins(coins),
        };
        let config = GenesisConfig {
            chain_id: CHAIN_ID,
            milliseconds: 1_760_000_000_000,
            block_gas_limit: 400_000_000,
            fees: FeeParameters::default(),
            sale: vec![holder(MALLORY, 142_000_000)],
            liquidity: vec![holder(BOB, 100_000_000)],
            vesting: VestingConfig::default(),
            parameters: None,
            governance: None,
            disputes: None,
        };
        let epoch_length = DEFAULT_EPOCH_LENGTH;
        let file = GenesisFile { config, validators, epoch_length, staking: None };
        let genesis = file.build().unwrap();
        let chain = ChainIdentity { chain_id: CHAIN_ID, genesis: genesis.block.hash() };
        let parent = genesis.block.clone();
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), StoreOptions::default(), &genesis).unwrap();
        let ledger = NodeLedger::new(&file, &genesis, store);
        Self { ledger, keys, chain, parent, _directory: directory }
    }

    fn add(&self, transaction: &Transaction) {
        self.ledger.pool().add(transaction.clone(), Origin::Local).unwrap();
    }

    /// The next block, closed by `close`.
    fn build(&self, close: Close<'_>) -> Result<Block, ExecutionError> {
        let view = self.parent.header.number + 1;
        let context = Context {
            round: Round::new(Epoch::zero(), View::new(view)),
            leader: self.keys.validator(Address::ZERO).network_key,
            parent: (View::new(view - 1), Digest(self.parent.hash().0)),
        };
        let seal = RoundSeal::sign(&context, view, &self.chain, &self.keys.consensus);
        let time = self.parent.milliseconds() + 1_000;
        let header = header_template(&self.parent, time, &seal, Address::ZERO);
        build_and_close(&self.ledger.inner, &self.parent, BuildContext { header, seal }, close)
    }

    async fn finalize(&mut self, block: Block) {
        self.parent = block.clone();
        self.ledger.finalize(Arc::new(block), None).await;
        assert_eq!(self.ledger.is_broken(), None);
    }
}

fn key(index: u8) -> SecretKey {
    SecretKey::from_byte_array([index; 32]).unwrap()
}

fn sender(index: u8) -> Address {
    let public = key(index).public_key(SECP256K1).serialize_uncompressed();
    Address::from_word(keccak256(&public[1..]))
}

fn transfer(index: u8, nonce: u64, tip: u128) -> Transaction {
    let body = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(sender(BOB)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let message = Message::from_digest(body.signature_hash().0);
    let (parity, bytes) =
        SECP256K1.sign_ecdsa_recoverable(message, &key(index)).serialize_compact();
    let is_odd = parity != secp256k1::ecdsa::RecoveryId::Zero;
    let signature = Signature::from_bytes_and_parity(&bytes, is_odd);
    EthereumTransaction::Eip1559(body.into_signed(signature)).into()
}

/// Those of users, in the block's order.
fn users(block: &Block) -> Vec<B256> {
    let users = block.transactions.iter().filter(|one| one.as_ethereum().is_some());
    users.map(Transaction::hash).collect()
}

#[tokio::test]
async fn transaction_after_which_no_block_can_be_closed_is_left_out_and_the_others_stand() {
    // The best paying of all, one in the middle, and the last.
    for tip in [5 * GWEI, 3 * GWEI, GWEI] {
        let mut town = Town::new();
        let bad = transfer(MALLORY, 0, tip);
        let good: Vec<_> = [4, 4, 2, 2]
            .into_iter()
            .zip(0..)
            .map(|(tip, at)| transfer(BOB, at, tip * GWEI))
            .collect();
        good.iter().chain([&bad]).for_each(|one| town.add(one));

        let mut taken = Vec::new();
        for _ in 0..8 {
            let poisoned = bad.hash();
            let block = town.build(&|builder, taken| {
                let is_poisoned = taken.transactions.iter().any(|one| one.hash() == poisoned);
                assert!(!is_poisoned, "an injected panic");
                builder.finish()
            });
            let block = block.unwrap();
            taken.extend(users(&block));
            town.finalize(block).await;
        }
        let expected: Vec<_> = good.iter().map(Transaction::hash).collect();
        assert_eq!(taken, expected, "with a tip of {tip}");
        assert_eq!(town.ledger.metrics().banished(), 1);
        assert!(town.ledger.pool().find(&bad.hash()).is_none());
        let again = town.ledger.pool().add(bad, Origin::Peer).unwrap_err();
        assert_eq!(again, PoolError::Banished);
    }
}

#[tokio::test]
async fn end_that_panics_whatever_stands_before_it_is_no_transactions_fault() {
    let mut town = Town::new();
    let sent: Vec<_> = (0..3).map(|nonce| transfer(BOB, nonce, GWEI)).collect();
    sent.iter().for_each(|one| town.add(one));
    let refused = town.build(&|_, _| panic!("an injected panic")).unwrap_err();
    let reason = refused.to_string();
    assert!(matches!(refused, ExecutionError::Transition(TransitionError::Fatal(_))), "{reason}");
    assert!(reason.contains("closing the block panicked"), "{reason}");
    assert_eq!(town.ledger.metrics().banished(), 0);
    assert_eq!(town.ledger.is_broken(), None, "it votes on what others propose");

    let block = town.build(&|builder, _| builder.finish()).unwrap();
    assert_eq!(users(&block), sent.iter().map(Transaction::hash).collect::<Vec<_>>());
    town.finalize(block).await;
}

#[tokio::test]
async fn proposal_whose_execution_panics_is_refused_and_the_next_good_one_is_taken() {
    let panics: Execute = |rules, state, env, signed, system| {
        let is_poisoned = signed.iter().any(|one| one.signer() == sender(MALLORY));
        assert!(!is_poisoned, "an injected panic");
        execute_block(rules, state, env, signed, system)
    };
    let leaders = [Town::new(), Town::new()];
    let [bad, good] = [MALLORY, BOB].map(|index| transfer(index, 0, GWEI));
    let [poisoned, sound] = &leaders;
    [&bad, &good].into_iter().for_each(|one| poisoned.add(one));
    sound.add(&good);
    let [poisoned, sound] =
        [poisoned, sound].map(|town| town.build(&|builder, _| builder.finish()).unwrap());
    assert_eq!((users(&poisoned).len(), users(&sound)), (2, vec![good.hash()]));

    let mut town = Town::new();
    let genesis = town.parent.clone();
    assert!(!town.ledger.check_by(&genesis, &poisoned, panics).await);
    assert!(!town.ledger.holds(poisoned.hash()));
    assert_eq!(town.ledger.is_broken(), None, "it votes on what others propose");
    // The panic alone was against it.
    assert!(Town::new().ledger.check(&genesis, &poisoned).await);

    assert!(town.ledger.check_by(&genesis, &sound, panics).await);
    town.finalize(sound.clone()).await;
    assert_eq!(town.ledger.store().head().hash, sound.hash());
    assert_eq!(town.ledger.last_finalized(), 1);
}
