//! A node's path of a block without network and RPC: senders, execution, state root, durable store.

use crate::Fault;
use alloy_consensus::{Header, SignableTransaction as _, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use sahara_abi::ASSETS;
use sahara_chain::store::{
    ExecutedBlock, Genesis, PendingStates, Store, StoreOptions, genesis_root,
};
use sahara_evm::{
    Account, AccountDiff, BlockBuilder, BlockEnv, BlockOutcome, GenesisConfig, ParentState as _,
    RecoveredTransaction, Rules, StateDiff, recover_transaction,
};
use sahara_finality::{
    Block, EthereumTransaction, SYSTEM_ADDRESS, Seal, Transaction, receipts_root, transactions_root,
};
use secp256k1::{Message, SECP256K1, SecretKey};
use std::{path::Path, sync::Arc, time::Duration};

pub(crate) const CHAIN_ID: u64 = 724_272;
const GWEI: u64 = 1_000_000_000;
const LEADER: Address = Address::repeat_byte(0x1e);
/// Accounts that one block adds while the state grows.
const GROWTH: usize = 50_000;
/// Who sends: enough for the sender's account not to be the measured thing.
pub(crate) const SENDERS: usize = 200;

/// What a transaction asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) to: Option<Address>,
    pub(crate) value: u128,
    pub(crate) data: Bytes,
    pub(crate) gas: u64,
}

/// What a block took and did.
#[derive(Clone, Debug)]
pub(crate) struct Took {
    pub(crate) recover: Duration,
    pub(crate) execute: Duration,
    pub(crate) root: Duration,
    pub(crate) store: Duration,
    pub(crate) outcome: BlockOutcome,
}

impl Took {
    pub(crate) fn all(&self) -> Duration {
        self.recover + self.execute + self.root + self.store
    }
}

pub(crate) struct Chain {
    pending: PendingStates,
    keys: Vec<SecretKey>,
    nonces: Vec<u64>,
    next: usize,
}

impl Chain {
    /// A chain that begins with `state`, grown by so many accounts.
    pub(crate) fn new(
        (directory, accounts): (&Path, u64),
        state: &StateDiff,
    ) -> Result<Self, Fault> {
        let config = GenesisConfig::local(CHAIN_ID, 1_000_000, &[LEADER]);
        let (mut diff, mut header) = sahara_evm::genesis(&config)?;
        for (address, change) in &state.accounts {
            let account = diff.accounts.entry(*address).or_default();
            account.after = change.after.or(account.after);
            account.storage.extend(&change.storage);
        }
        let keys: Vec<_> = (1..=SENDERS).map(key).collect::<Result<_, _>>()?;
        for key in &keys {
            let account = diff.accounts.entry(account(key)).or_default();
            account.after =
                Some(Account { balance: U256::from(1_u128 << 100), ..Default::default() });
        }
        let seal = Seal::Genesis { chain_id: CHAIN_ID, validators: B256::ZERO };
        header.state_root = genesis_root(&diff)?;
        header.extra_data = Bytes::copy_from_slice(seal.commitment().as_slice());
        let block = Block { header, seal, transactions: Vec::new() };
        let genesis = Genesis { chain_id: CHAIN_ID, block, state: diff };
        let store = Store::open(directory, StoreOptions::default(), &genesis)?;
        let nonces = vec![0; keys.len()];
        let chain = Self { pending: PendingStates::new(store, 1 << 30), keys, nonces, next: 0 };
        (0..accounts).step_by(GROWTH).try_for_each(|first| chain.grow(first))?;
        rest();
        Ok(chain)
    }

    /// Adds accounts, and as many words of the registry, as one block.
    fn grow(&self, first: u64) -> Result<(), Fault> {
        let books = self.pending.store().state().account(ASSETS)?;
        let mut diff = StateDiff::default();
        let mut words = AccountDiff { before: books, after: books, ..AccountDiff::default() };
        for number in (first..).take(GROWTH) {
            let word = keccak256([b"background".as_slice(), &number.to_be_bytes()].concat());
            let account = Account { balance: U256::from(1), ..Account::default() };
            let account = AccountDiff { after: Some(account), ..AccountDiff::default() };
            diff.accounts.insert(Address::from_word(word), account);
            words.storage.insert(word.into(), (U256::ZERO, word.into()));
        }
        diff.accounts.insert(ASSETS, words);
        let parent = self.pending.store().head();
        let (state_root, trie) = self.pending.root_after(parent.hash, &diff)?;
        let header = Header {
            number: parent.number + 1,
            timestamp: parent.header.timestamp + 1,
            parent_hash: parent.hash,
            state_root,
            ..parent.header.clone()
        };
        let seal = Seal::Genesis { chain_id: CHAIN_ID, validators: B256::ZERO };
        let block = Block { header, seal, transactions: Vec::new() };
        let hash = block.hash();
        self.pending.insert(Arc::new(ExecutedBlock {
            block: Arc::new(block),
            receipts: Arc::default(),
            senders: Vec::new(),
            diff,
            trie,
        }))?;
        self.pending.finalize(hash, None)?;
        Ok(())
    }

    /// Signs, executes and finalises a block of these calls; every one must succeed.
    pub(crate) fn block(&mut self, calls: &[Call]) -> Result<Took, Fault> {
        let signed: Vec<_> = calls.iter().map(|call| self.sign(call)).collect::<Result<_, _>>()?;
        let (recovered, recover) = timed(|| {
            let recovered = signed.into_iter().map(recover_transaction);
            Ok(recovered.collect::<Result<Vec<_>, _>>()?)
        })?;
        let parent = self.pending.store().head();
        let (number, timestamp) = (parent.number + 1, parent.header.timestamp + 1);
        let env = BlockEnv {
            number,
            timestamp,
            parent_hash: parent.hash,
            beneficiary: LEADER,
            // The law of one transaction holds; a block is as long as the measurement wants.
            gas_limit: 1 << 40,
            base_fee: GWEI,
            recipients: vec![LEADER],
            ..BlockEnv::default()
        };
        let (outcome, execute) = timed(|| self.execute(&recovered, env.clone()))?;
        let ((root, trie), root_took) =
            timed(|| Ok(self.pending.root_after(parent.hash, &outcome.diff)?))?;
        let (_, store) = timed(|| {
            let mut transactions: Vec<_> = recovered
                .iter()
                .map(|transaction| Transaction::Ethereum(transaction.inner().clone()))
                .collect();
            let mut senders: Vec<_> = recovered.iter().map(|one| one.signer()).collect();
            if let Some(system) = outcome.system_transaction.clone() {
                transactions.push(Transaction::System(system));
                senders.push(SYSTEM_ADDRESS);
            }
            let seal = Seal::Genesis { chain_id: CHAIN_ID, validators: B256::ZERO };
            let header = Header {
                number,
                timestamp,
                parent_hash: parent.hash,
                state_root: root,
                gas_limit: env.gas_limit,
                gas_used: outcome.gas_used,
                transactions_root: transactions_root(&transactions),
                receipts_root: receipts_root(&outcome.receipts),
                logs_bloom: outcome.logs_bloom,
                ..parent.header.clone()
            };
            let block = Block { header, seal, transactions };
            let hash = block.hash();
            self.pending.insert(Arc::new(ExecutedBlock {
                block: Arc::new(block),
                receipts: Arc::new(outcome.receipts.clone()),
                senders,
                diff: outcome.diff.clone(),
                trie,
            }))?;
            Ok(self.pending.finalize(hash, None)?)
        })?;
        Ok(Took { recover, execute, root: root_took, store, outcome })
    }

    fn execute(
        &self,
        transactions: &[RecoveredTransaction],
        env: BlockEnv,
    ) -> Result<BlockOutcome, Fault> {
        let state = self.pending.state_after(env.parent_hash)?;
        let mut builder = BlockBuilder::new(Rules::sahara(CHAIN_ID), state, env)?;
        for transaction in transactions {
            match builder.try_transaction(transaction)? {
                Ok(receipt) if receipt.status => {}
                Ok(_) => return Err("a transaction reverted".into()),
                Err(refusal) => return Err(refusal.to_string().into()),
            }
        }
        Ok(builder.finish()?)
    }

    fn sign(&mut self, call: &Call) -> Result<EthereumTransaction, Fault> {
        let sender = self.next % self.keys.len();
        self.next += 1;
        let transaction = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonces[sender],
            gas_limit: call.gas,
            max_fee_per_gas: GWEI.into(),
            to: call.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::from(call.value),
            input: call.data.clone(),
            ..TxEip1559::default()
        };
        self.nonces[sender] += 1;
        let hash = transaction.signature_hash();
        let signed =
            SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.keys[sender]);
        let (id, bytes) = signed.serialize_compact();
        let signature = Signature::from_bytes_and_parity(&bytes, i32::from(id) == 1);
        Ok(EthereumTransaction::Eip1559(transaction.into_signed(signature)))
    }
}

fn key(number: usize) -> Result<SecretKey, Fault> {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&u64::try_from(number)?.to_be_bytes());
    Ok(SecretKey::from_byte_array(bytes)?)
}

fn account(key: &SecretKey) -> Address {
    Address::from_raw_public_key(&key.public_key(SECP256K1).serialize_uncompressed()[1..])
}

/// Waits until the database has put in order what was written: its threads' time counts as the work's.
fn rest() {
    const LOOK: Duration = Duration::from_millis(500);
    loop {
        let before = processor_time();
        std::thread::sleep(LOOK);
        if processor_time().saturating_sub(before) < LOOK / 50 {
            return;
        }
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<(T, Duration), Fault> {
    let before = processor_time();
    let done = work()?;
    Ok((done, processor_time().saturating_sub(before)))
}

/// What this process' threads have run.
fn processor_time() -> Duration {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    let nanoseconds = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
