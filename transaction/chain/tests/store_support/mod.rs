//! A chain of small blocks beside a model that keeps every state whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use alloy_consensus::Header;
use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Log, U256, keccak256};
use alloy_trie::{TrieAccount, root::state_root_unhashed};
use proptest::prelude::*;
use sahara_chain::store::{ExecutedBlock, Genesis, PendingStates, allocation, genesis_root};
use sahara_evm::{Account, AccountDiff, StateDiff};
use sahara_finality::{
    Block, SYSTEM_ADDRESS, SYSTEM_TYPE, Seal, SystemTransaction, Transaction, TxReceipt,
    ValidatorKeys, ValidatorSet, block_bloom, genesis_block, receipts_root, transactions_root,
};

pub(crate) const CHAIN_ID: u64 = 724_272;
pub(crate) const ADDRESSES: u8 = 8;
pub(crate) const SLOTS: u8 = 6;

/// What a block does to the state.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Sets a balance, creating the account.
    Balance(u8, u64),
    /// Sets a word, creating the account.
    Word(u8, u8, u8),
    /// Deploys code.
    Code(u8, u8),
    /// Removes the account with its storage.
    Destroy(u8),
    /// Removes the account with its storage, then creates it with one word.
    Recreate(u8, u8, u8),
}

pub(crate) fn changes() -> impl Strategy<Value = Change> {
    let at = || 0..ADDRESSES;
    let word = || (at(), 0..SLOTS, 0_u8..3);
    prop_oneof![
        3 => (at(), 1_u64..5).prop_map(|(at, balance)| Change::Balance(at, balance)),
        6 => word().prop_map(|(at, slot, word)| Change::Word(at, slot, word)),
        1 => (at(), 0_u8..3).prop_map(|(at, code)| Change::Code(at, code)),
        1 => at().prop_map(Change::Destroy),
        1 => word().prop_map(|(at, slot, word)| Change::Recreate(at, slot, word)),
    ]
}

pub(crate) fn address(index: u8) -> Address {
    Address::left_padding_from(&[0xaa, index])
}

type Words = BTreeMap<U256, U256>;

/// A whole state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<Address, (Account, Words)>,
}

impl Model {
    pub(crate) fn root(&self) -> B256 {
        state_root_unhashed(self.accounts.iter().map(|(address, (account, words))| {
            let Account { nonce, balance, code_hash } = *account;
            (*address, TrieAccount::new(nonce, balance, storage_root(words), code_hash))
        }))
    }

    pub(crate) fn total(&self) -> U256 {
        self.accounts.values().map(|(account, _)| account.balance).sum()
    }

    fn entry(&mut self, at: u8) -> &mut (Account, Words) {
        let created = Account { balance: U256::ONE, ..Account::default() };
        self.accounts.entry(address(at)).or_insert((created, Words::new()))
    }

    fn set_word(&mut self, at: u8, slot: u8, word: u8) {
        let words = &mut self.entry(at).1;
        if word == 0 {
            words.remove(&U256::from(slot));
        } else {
            words.insert(U256::from(slot), U256::from(word));
        }
    }
}

pub(crate) fn storage_root(words: &Words) -> B256 {
    let words = words.iter().map(|(slot, word)| (B256::from(slot.to_be_bytes::<32>()), *word));
    alloy_trie::root::storage_root_unhashed(words)
}

static GENESIS: LazyLock<Genesis> = LazyLock::new(|| genesis_with(CHAIN_ID, 1_000));

pub(crate) fn genesis() -> Genesis {
    GENESIS.clone()
}

/// Two accounts, one with code and a word.
pub(crate) fn genesis_with(chain_id: u64, balance: u64) -> Genesis {
    let plain = GenesisAccount { balance: U256::from(balance), ..GenesisAccount::default() };
    let word = (B256::with_last_byte(1), B256::with_last_byte(7));
    let contract = GenesisAccount {
        nonce: Some(1),
        code: Some(Bytes::from_static(&[0xfe])),
        storage: Some([word].into()),
        ..GenesisAccount::default()
    };
    let state = allocation([(address(0), plain), (address(1), contract)]);
    let state_root = genesis_root(&state).unwrap();
    let header = Header { state_root, base_fee_per_gas: Some(1), ..Header::default() };
    let keys = ValidatorKeys::from_secret(&[1; 32]).unwrap();
    let validators = ValidatorSet::new(vec![keys.validator(Address::ZERO)]).unwrap();
    Genesis { chain_id, block: genesis_block(header, chain_id, &validators), state }
}

/// A change that creates an account.
pub(crate) fn created() -> AccountDiff {
    let account = Account { balance: U256::ONE, ..Account::default() };
    AccountDiff { after: Some(account), ..AccountDiff::default() }
}

/// A chain with the state after each of its blocks.
#[derive(Clone)]
pub(crate) struct Chain {
    models: Vec<Model>,
    tip: B256,
    salt: u64,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let genesis = genesis();
        let mut model = Model::default();
        for (address, change) in &genesis.state.accounts {
            let words = change.storage.iter().map(|(slot, (_, word))| (*slot, *word)).collect();
            model.accounts.insert(*address, (change.after.unwrap(), words));
        }
        Self { models: vec![model], tip: genesis.block.hash(), salt: 0 }
    }

    /// A chain from the same tip whose next block has another hash.
    pub(crate) fn fork(&self) -> Self {
        Self { salt: self.salt + 1, ..self.clone() }
    }

    pub(crate) fn model(&self) -> &Model {
        self.models.last().unwrap()
    }

    pub(crate) fn model_at(&self, number: u64) -> &Model {
        &self.models[usize::try_from(number).unwrap()]
    }

    /// Executes the next block and leaves it pending.
    pub(crate) fn execute(
        &mut self,
        pending: &PendingStates,
        changes: &[Change],
    ) -> Arc<ExecutedBlock> {
        self.execute_with(pending, changes, 0)
    }

    /// Like [`Self::execute`], with transactions whose position is in their log.
    pub(crate) fn execute_with(
        &mut self,
        pending: &PendingStates,
        changes: &[Change],
        transactions: u32,
    ) -> Arc<ExecutedBlock> {
        let executed = Arc::new(self.build(pending, changes, transactions));
        pending.insert(executed.clone()).unwrap();
        executed
    }

    /// Executes the next block without leaving it anywhere.
    pub(crate) fn build(
        &mut self,
        pending: &PendingStates,
        changes: &[Change],
        transactions: u32,
    ) -> ExecutedBlock {
        let number = u64::try_from(self.models.len()).unwrap();
        let (diff, model) = step(self.model(), changes);
        let (root, trie) = pending.root_after(self.tip, &diff).unwrap();
        let transactions = (0..transactions).map(|index| transaction(number, index));
        let transactions = transactions.collect::<Vec<_>>();
        let receipts = (0_u8..).zip(&transactions).map(|(index, _)| receipt(index));
        let receipts = receipts.collect::<Vec<_>>();
        let seal = Seal::Genesis { chain_id: CHAIN_ID, validators: B256::ZERO };
        let header = Header {
            number,
            parent_hash: self.tip,
            state_root: root,
            gas_used: self.salt,
            timestamp: number,
            extra_data: Bytes::copy_from_slice(seal.commitment().as_slice()),
            transactions_root: transactions_root(&transactions),
            receipts_root: receipts_root(&receipts),
            logs_bloom: block_bloom(&receipts),
            ..Header::default()
        };
        let senders = vec![SYSTEM_ADDRESS; transactions.len()];
        let block = Block { header, seal, transactions };
        self.tip = block.hash();
        self.models.push(model);
        ExecutedBlock { block: Arc::new(block), receipts: Arc::new(receipts), senders, diff, trie }
    }
}

pub(crate) fn topic(index: u8) -> B256 {
    keccak256([index])
}

const fn transaction(block_number: u64, index: u32) -> Transaction {
    Transaction::System(SystemTransaction {
        chain_id: CHAIN_ID,
        block_number,
        index,
        to: Address::ZERO,
        input: Bytes::new(),
        gas_limit: 21_000,
    })
}

fn receipt(index: u8) -> TxReceipt {
    let log = Log::new(address(index), vec![topic(index)], Bytes::from(vec![index])).unwrap();
    TxReceipt {
        type_byte: SYSTEM_TYPE,
        status: true,
        cumulative_gas_used: 21_000,
        logs: vec![log; usize::from(index) + 1].into(),
    }
}

/// Applies changes to a model, and writes down what an execution would have recorded.
fn step(old: &Model, changes: &[Change]) -> (StateDiff, Model) {
    let (mut new, mut diff) = (old.clone(), StateDiff::default());
    let (mut touched, mut wiped) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        let (Change::Balance(at, ..)
        | Change::Word(at, ..)
        | Change::Code(at, ..)
        | Change::Destroy(at)
        | Change::Recreate(at, ..)) = change;
        touched.insert(address(*at));
        match change {
            Change::Balance(at, balance) => new.entry(*at).0.balance = U256::from(*balance),
            Change::Word(at, slot, word) => new.set_word(*at, *slot, *word),
            Change::Code(at, byte) => {
                let code = Bytes::from(vec![*byte; 3]);
                new.entry(*at).0.code_hash = keccak256(&code);
                diff.code.insert(keccak256(&code), code);
            }
            Change::Destroy(at) => {
                new.accounts.remove(&address(*at));
                wiped.insert(address(*at));
            }
            Change::Recreate(at, slot, word) => {
                new.accounts.remove(&address(*at));
                wiped.insert(address(*at));
                new.set_word(*at, *slot, *word);
            }
        }
    }
    for address in touched {
        let is_wiped = wiped.contains(&address);
        let none = (Account::default(), Words::new());
        let (before, after) = (old.accounts.get(&address), new.accounts.get(&address));
        let words = (&before.unwrap_or(&none).1, &after.unwrap_or(&none).1);
        let storage = (0..SLOTS).map(U256::from).filter_map(|slot| {
            let word = |words: &Words| words.get(&slot).copied().unwrap_or_default();
            let (before, after) = (word(words.0), word(words.1));
            // A wipe says nothing of the words it removed, and all of those written since.
            let is_named = if is_wiped { !after.is_zero() } else { before != after };
            is_named.then_some((slot, (before, after)))
        });
        let change = AccountDiff {
            storage: storage.collect(),
            before: before.map(|(account, _)| *account),
            after: after.map(|(account, _)| *account),
            is_wiped,
        };
        assert!(change.after.is_none_or(|a| !a.is_empty() || a.code_hash != KECCAK256_EMPTY));
        diff.accounts.insert(address, change);
    }
    (diff, new)
}
