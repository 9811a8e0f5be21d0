//! A chain with real certificates over a real store, and everything that a stranger fetches.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    path::Path,
};

use alloy_consensus::{Header, SignableTransaction as _, TxLegacy};
use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B64, B256, Bytes, Log, Signature, TxKind, U256, keccak256};
use commonware_consensus::{
    CertifiableBlock as _,
    simplex::types::{Context, Finalization, Finalize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use proptest::prelude::*;
use sahara_chain::{
    store::{
        ExecutedBlock, Genesis, PendingStates, Store, StoreOptions, SyncStore, allocation,
        genesis_root,
    },
    sync::{Handovers, Trust},
};
use sahara_evm::{Account, AccountDiff, StateDiff, recover};
use sahara_finality::{
    Block, ChainIdentity, EthereumTransaction, Handover, RoundSeal, Seal, Transaction, TxReceipt,
    ValidatorKeys, ValidatorSet, block_bloom, closes_epoch, encode_finalization, epoch_of,
    genesis_block, header_template, receipts_root, signer, transactions_root,
};
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const CHAIN_ID: u64 = 724_272;
/// A block takes longer than a slot, so each is pinned.
const BLOCK_MILLISECONDS: u64 = 9_000;
/// Sets whose keys are these seeds take turns.
const SETS: [[u8; 4]; 3] = [[1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 8]];

/// What a block does to the state.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Balance(u16, u64),
    Word(u16, u16, u8),
    Code(u16, u8),
    Destroy(u16),
}

pub(crate) fn changes(accounts: u16) -> impl Strategy<Value = Change> {
    let at = move || 0..accounts;
    prop_oneof![
        4 => (at(), 1_u64..9).prop_map(|(at, balance)| Change::Balance(at, balance)),
        6 => (at(), 0_u16..60, 0_u8..4).prop_map(|(at, slot, word)| Change::Word(at, slot, word)),
        1 => (at(), 0_u8..6).prop_map(|(at, code)| Change::Code(at, code)),
        2 => at().prop_map(Change::Destroy),
    ]
}

/// A transaction and its receipt, which has a log of so many bytes.
pub(crate) fn transfer(nonce: u64, bytes: usize) -> (Transaction, TxReceipt) {
    let legacy = TxLegacy {
        chain_id: Some(CHAIN_ID),
        nonce,
        gas_price: 1,
        gas_limit: 21_000,
        to: TxKind::Call(address(1)),
        ..TxLegacy::default()
    };
    let signed = legacy.into_signed(Signature::test_signature());
    let topics = vec![B256::from(U256::from(nonce))];
    let log = Log::new(address(1), topics, Bytes::from(vec![7; bytes])).unwrap();
    let receipt = TxReceipt {
        type_byte: 0,
        status: true,
        cumulative_gas_used: 21_000,
        logs: vec![log].into(),
    };
    (EthereumTransaction::Legacy(signed).into(), receipt)
}

pub(crate) fn address(index: u16) -> Address {
    Address::from_word(B256::from(U256::from(0xaa_0000_u64 + u64::from(index))))
}

type Words = BTreeMap<U256, U256>;
type Model = BTreeMap<Address, (Account, Words)>;

/// What a new node knows.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) genesis: Genesis,
    pub(crate) length: NonZeroU64,
}

impl Start {
    pub(crate) fn trust(&self) -> Trust {
        Trust::new(&self.genesis, validators(0), self.length).unwrap()
    }

    pub(crate) fn sync_store(&self, path: &Path) -> SyncStore {
        SyncStore::open(path, options(), &self.genesis).unwrap().unwrap()
    }
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) start: Start,
    pub(crate) store: Store,
    pending: PendingStates,
    chain: ChainIdentity,
    tip: Block,
    model: Model,
}

fn keys(seed: u8) -> ValidatorKeys {
    ValidatorKeys::from_secret(&[seed; 32]).unwrap()
}

fn seeds(epoch: u64) -> [u8; 4] {
    // Two epochs each.
    SETS[usize::try_from(epoch / 2).unwrap() % SETS.len()]
}

pub(crate) fn validators(epoch: u64) -> ValidatorSet {
    let seats = seeds(epoch).map(|seed| keys(seed).validator(Address::repeat_byte(seed)));
    ValidatorSet::new(seats.to_vec()).unwrap()
}

pub(crate) fn options() -> StoreOptions {
    StoreOptions { node_cache_bytes: 1 << 20, ..StoreOptions::default() }
}

impl World {
    pub(crate) fn new(epoch_length: u64) -> Self {
        let word = (B256::with_last_byte(1), B256::with_last_byte(7));
        let contract = GenesisAccount {
            nonce: Some(1),
            code: Some(Bytes::from_static(&[0xfe])),
            storage: Some([word].into()),
            ..GenesisAccount::default()
        };
        let state = allocation([(address(0), contract)]);
        let header = Header {
            gas_limit: 30_000_000,
            base_fee_per_gas: Some(1),
            state_root: genesis_root(&state).unwrap(),
            nonce: B64::new(1_700_000_000_000_u64.to_be_bytes()),
            ..Header::default()
        };
        let block = genesis_block(header, CHAIN_ID, &validators(0));
        let model = state.accounts.iter().map(|(address, change)| {
            let words = change.storage.iter().map(|(slot, (_, word))| (*slot, *word)).collect();
            (*address, (change.after.unwrap(), words))
        });
        let model = model.collect();
        let chain = ChainIdentity { chain_id: CHAIN_ID, genesis: block.hash() };
        let genesis = Genesis { chain_id: CHAIN_ID, block: block.clone(), state };
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), options(), &genesis).unwrap();
        let pending = PendingStates::new(store.clone(), 256 << 20);
        let length = NonZeroU64::new(epoch_length).unwrap();
        let start = Start { genesis, length };
        Self { directory, start, store, pending, chain, tip: block, model }
    }

    /// The directory, which nobody has open any more.
    pub(crate) fn close(self) -> TempDir {
        let Self { directory, store, pending, .. } = self;
        drop((store, pending));
        directory
    }

    pub(crate) fn handovers(&self) -> Sets {
        Sets { store: self.store.clone(), length: self.start.length, damaged: None }
    }

    /// Makes the next block final, with a certificate.
    pub(crate) fn commit(&mut self, changes: &[Change]) {
        self.commit_with(changes, (Vec::new(), Vec::new()));
    }

    /// As [`Self::commit`], with transactions and what came of them.
    pub(crate) fn commit_with(
        &mut self,
        changes: &[Change],
        (transactions, receipts): (Vec<Transaction>, Vec<TxReceipt>),
    ) {
        let diff = self.step(changes);
        let number = self.tip.header.number + 1;
        let epoch = epoch_of(number, self.start.length);
        let leader = keys(seeds(epoch)[0]);
        let me = leader.validator(Address::ZERO).network_key;
        let context = Context {
            round: Round::new(Epoch::new(epoch), View::new(number)),
            leader: me,
            parent: (View::new(number - 1), Digest(self.tip.hash().0)),
        };
        let seal = RoundSeal::sign(&context, number, &self.chain, &leader.consensus);
        let seal = match closes_epoch(number, self.start.length) {
            true => seal.closing(validators(epoch + 1).hash()),
            false => seal,
        };
        let time = self.tip.milliseconds() + BLOCK_MILLISECONDS;
        let mut header = header_template(&self.tip, time, &seal, Address::ZERO);
        let (root, trie) = self.pending.root_after(self.tip.hash(), &diff).unwrap();
        header.state_root = root;
        header.gas_limit = 30_000_000;
        header.base_fee_per_gas = Some(1);
        header.transactions_root = transactions_root(&transactions);
        header.receipts_root = receipts_root(&receipts);
        header.logs_bloom = block_bloom(&receipts);
        let senders = transactions.iter().map(|one| recover(one.as_ethereum().unwrap()).unwrap());
        let senders = senders.collect();
        let block = Block { header, seal: Seal::Round(seal), transactions };
        let certificate = self.certify(&block, epoch);
        let executed = ExecutedBlock {
            block: Arc::new(block.clone()),
            receipts: Arc::new(receipts),
            senders,
            diff,
            trie,
        };
        self.store.commit(&executed, Some(&certificate)).unwrap();
        self.tip = block;
    }

    fn certify(&self, block: &Block, epoch: u64) -> Vec<u8> {
        let view = View::new(block.header.number);
        let round = Round::new(block.context().round.epoch(), view);
        let parent = View::new(block.header.number - 1);
        let proposal = Proposal::new(round, parent, Digest(block.hash().0));
        let set = validators(epoch);
        let schemes = seeds(epoch).map(|seed| signer(&self.chain, &set, keys(seed).consensus));
        let votes = schemes[..3]
            .iter()
            .map(|one| Finalize::sign(one.as_ref().unwrap(), proposal.clone()).unwrap());
        let votes = votes.collect::<Vec<_>>();
        let scheme = schemes[0].as_ref().unwrap();
        let certificate =
            Finalization::from_owned_finalizes(scheme, non_empty![@votes], &Sequential);
        encode_finalization(&certificate.unwrap())
    }

    fn step(&mut self, changes: &[Change]) -> StateDiff {
        let (old, mut diff) = (self.model.clone(), StateDiff::default());
        let (mut touched, mut wiped) = (BTreeSet::new(), BTreeSet::new());
        let created = Account { balance: U256::ONE, ..Account::default() };
        for change in changes {
            let (Change::Balance(at, _)
            | Change::Word(at, ..)
            | Change::Code(at, _)
            | Change::Destroy(at)) = change;
            let at = address(*at);
            touched.insert(at);
            if matches!(change, Change::Destroy(_)) {
                self.model.remove(&at);
                wiped.insert(at);
                continue;
            }
            let entry = self.model.entry(at).or_insert((created, Words::new()));
            match change {
                Change::Balance(_, balance) => entry.0.balance = U256::from(*balance),
                Change::Word(_, slot, 0) => {
                    entry.1.remove(&U256::from(*slot));
                }
                Change::Word(_, slot, word) => {
                    entry.1.insert(U256::from(*slot), U256::from(*word));
                }
                Change::Code(_, byte) => {
                    let code = Bytes::from(vec![*byte; 300]);
                    entry.0.code_hash = keccak256(&code);
                    diff.code.insert(keccak256(&code), code);
                }
                Change::Destroy(_) => {}
            }
        }
        for address in touched {
            let (before, after) = (old.get(&address), self.model.get(&address));
            let is_wiped = wiped.contains(&address);
            let none = (Account::default(), Words::new());
            let (had, has) = (&before.unwrap_or(&none).1, &after.unwrap_or(&none).1);
            let slots = had.keys().chain(has.keys()).copied().collect::<BTreeSet<_>>();
            let words = slots.into_iter().filter_map(|slot| {
                let word = |words: &Words| words.get(&slot).copied().unwrap_or_default();
                let (before, after) = (word(had), word(has));
                let is_named = if is_wiped { !after.is_zero() } else { before != after };
                is_named.then_some((slot, (before, after)))
            });
            let change = AccountDiff {
                storage: words.collect(),
                before: before.map(|(account, _)| *account),
                after: after.map(|(account, _)| *account),
                is_wiped,
            };
            diff.accounts.insert(address, change);
        }
        diff
    }
}

/// Who validates when, as a node tells it.
pub(crate) struct Sets {
    store: Store,
    length: NonZeroU64,
    /// An end that cannot be read any more.
    pub(crate) damaged: Option<u64>,
}

impl Handovers for Sets {
    fn ends(&self) -> Vec<u64> {
        let head = self.store.head().number;
        let ends = (0..).map(|epoch| (epoch, (epoch + 1) * self.length.get() - 1));
        let ends = ends.take_while(|(_, end)| *end <= head);
        let ends = ends.filter(|(epoch, _)| seeds(*epoch) != seeds(epoch + 1));
        ends.map(|(_, end)| end).collect()
    }

    fn handover(&self, end: u64) -> Option<Handover> {
        let block = self.store.block(end).unwrap().filter(|_| self.damaged != Some(end))?;
        Some(Handover {
            header: alloy_rlp::encode(&block.header).into(),
            seal: block.seal.encoded().into(),
            certificate: self.store.certificate(end).unwrap()?,
            validators: validators(epoch_of(end, self.length) + 1),
        })
    }
}

/// Every row of the state in a directory that nobody has open.
pub(crate) fn rows(directory: &Path) -> BTreeMap<(String, Vec<u8>), Vec<u8>> {
    let database = fjall::Database::builder(directory).open().unwrap();
    let mut rows = BTreeMap::new();
    for name in ["accounts", "storage", "nodes"] {
        let keyspace = database.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap();
        for row in keyspace.iter() {
            let (key, row) = row.into_inner().unwrap();
            rows.insert((name.to_owned(), key.to_vec()), row.to_vec());
        }
    }
    rows
}

/// A state with accounts, words and code: `accounts` accounts in `blocks` blocks.
pub(crate) fn populated(accounts: u16, blocks: u16, length: u64) -> World {
    let mut world = World::new(length);
    for block in 0..blocks {
        let mine = (0..accounts).filter(|one| one % blocks == block);
        let changes = mine.flat_map(|one| {
            let words = if one % 7 == 0 { one % 40 } else { 0 };
            let byte = |number: u16| u8::try_from(number).unwrap();
            let words = (0..words).map(move |slot| Change::Word(one, slot, byte(1 + slot)));
            let code = (one % 11 == 0).then(|| Change::Code(one, byte(one % 5)));
            let balance = Change::Balance(one, 1 + u64::from(one));
            words.chain(code).chain([balance]).collect::<Vec<_>>()
        });
        world.commit(&changes.collect::<Vec<_>>());
    }
    world
}
