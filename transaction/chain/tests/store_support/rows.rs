//! What lies on disk, encoded a second time as the table in `specs/0002-state.md` says: whoever changes a row
//! has to count the format up and to bring older directories to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::RlpEncodable;
use alloy_trie::{HashBuilder, Nibbles, TrieAccount, proof::ProofRetainer};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use sahara_chain::{
    consensus::Evidence,
    store::{ExecutedBlock, History, PendingStates, Store, StoreOptions},
};
use sahara_evm::Account;
use sahara_finality::{Block, TxReceipt};

use crate::{
    LIMIT, evidence, small,
    support::{CHAIN_ID, Chain, Change, Model, address, genesis, storage_root},
};

/// The keyspaces of format 1; what came later is empty where no past tries are kept and no state was fetched.
const FIRST_KEYSPACES: [&str; 16] = [
    "meta",
    "accounts",
    "storage",
    "code",
    "nodes",
    "headers",
    "blocks",
    "numbers",
    "transactions",
    "receipts",
    "senders",
    "certificates",
    "account history",
    "storage history",
    "changes",
    "evidence",
];

/// The keyspaces of format 2 that format 1 had not.
const LATER_KEYSPACES: [&str; 4] = ["node history", "node changes", "handovers", "sync"];

pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// An account before a block.
#[derive(RlpEncodable)]
struct Before {
    nonce: u64,
    balance: U256,
    code_hash: B256,
}

/// The keyspaces of a directory that nobody has open.
pub(crate) struct Disk(Database);

impl Disk {
    pub(crate) fn open(directory: &Path) -> Self {
        Self(Database::builder(directory).open().unwrap())
    }

    pub(crate) fn rows(&self, keyspace: &str) -> Rows {
        let keyspace = self.0.keyspace(keyspace, KeyspaceCreateOptions::default).unwrap();
        let rows = keyspace.iter().map(|row| row.into_inner().unwrap());
        rows.map(|(key, row)| (key.to_vec(), row.to_vec())).collect()
    }

    /// Every row of every keyspace of the present format.
    pub(crate) fn all(&self) -> BTreeMap<&'static str, Rows> {
        let keyspaces = FIRST_KEYSPACES.into_iter().chain(LATER_KEYSPACES);
        keyspaces.map(|keyspace| (keyspace, self.rows(keyspace))).collect()
    }

    fn write(&self, keyspace: &str, rows: &Rows) {
        let keyspace = self.0.keyspace(keyspace, KeyspaceCreateOptions::default).unwrap();
        for (key, row) in rows {
            keyspace.insert(key.as_slice(), row.as_slice()).unwrap();
        }
    }
}

pub(crate) fn number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn account(at: Address) -> Vec<u8> {
    keccak256(at).to_vec()
}

fn word(at: Address, slot: u64) -> Vec<u8> {
    [account(at), keccak256(B256::from(U256::from(slot))).to_vec()].concat()
}

fn before(account: &Account) -> Vec<u8> {
    let Account { nonce, balance, code_hash } = *account;
    alloy_rlp::encode(Before { nonce, balance, code_hash })
}

fn receipts(receipts: &[TxReceipt]) -> Vec<u8> {
    let encoded = receipts.iter().map(|receipt| Bytes::from(receipt.encoded()));
    alloy_rlp::encode(encoded.collect::<Vec<_>>())
}

/// Two blocks that write every kind of row, and evidence.
pub(crate) struct TwoBlocks {
    pub(crate) chain: Chain,
    pub(crate) one: Arc<ExecutedBlock>,
    pub(crate) two: Arc<ExecutedBlock>,
}

impl TwoBlocks {
    /// Commits them to a store that holds nothing but the genesis.
    pub(crate) fn commit(store: &Store) -> Self {
        let pending = PendingStates::new(store.clone(), LIMIT);
        let mut chain = Chain::new();
        let first = [Change::Balance(2, 5), Change::Word(3, 1, 2), Change::Code(4, 1)];
        let one = chain.execute_with(&pending, &first, 2);
        pending.finalize(one.block.hash(), Some(b"certificate")).unwrap();
        let second = [Change::Balance(2, 6), Change::Word(3, 1, 0), Change::Word(3, 2, 1)];
        let two = chain.execute(&pending, &[&second[..], &[Change::Destroy(4)]].concat());
        pending.finalize(two.block.hash(), None).unwrap();
        assert!(store.add_evidence(&evidence(1, 5)).unwrap());
        Self { chain, one, two }
    }

    /// The rows of all keyspaces that both formats have, but for meta.
    pub(crate) fn rows(&self) -> BTreeMap<&'static str, Rows> {
        let mut rows = self.block_rows();
        rows.extend(self.state_rows());
        rows.extend(self.history_rows());
        let Evidence { epoch, signer, view, fault, proof } = evidence(1, 5);
        let seat = [number(epoch), signer.to_be_bytes().to_vec()].concat();
        let key = [seat, number(view), vec![fault.byte()]].concat();
        rows.insert("evidence", Rows::from([(key, proof)]));
        rows
    }

    /// The rows of meta that both formats have, but for the format's own.
    pub(crate) fn meta(&self) -> Rows {
        let rows = [
            ("chain id", number(CHAIN_ID)),
            ("genesis", genesis().block.hash().to_vec()),
            ("head", number(2)),
            ("oldest state", number(0)),
        ];
        rows.into_iter().map(|(name, row)| (name.as_bytes().to_vec(), row)).collect()
    }

    /// Writes the directory that a program of format 1 left.
    pub(crate) fn write_first_format(&self, directory: &Path) {
        let disk = Disk::open(directory);
        let mut rows = self.rows();
        let mut meta = self.meta();
        meta.insert(b"format".to_vec(), number(1));
        rows.insert("meta", meta);
        assert!(rows.keys().copied().eq(BTreeSet::from(FIRST_KEYSPACES)));
        rows.iter().for_each(|(keyspace, rows)| disk.write(keyspace, rows));
        disk.0.persist(PersistMode::SyncAll).unwrap();
    }

    /// Blocks by number, with the receipts and senders of each, and what finds them.
    fn block_rows(&self) -> BTreeMap<&'static str, Rows> {
        let zero = genesis().block;
        let blocks = [&zero, self.one.block.as_ref(), self.two.block.as_ref()];
        let each = |row: &dyn Fn(&Block) -> Vec<u8>| -> Rows {
            (0..).zip(blocks).map(|(at, block)| (number(at), row(block))).collect()
        };
        let header =
            |block: &Block| [block.hash().to_vec(), alloy_rlp::encode(&block.header)].concat();
        let numbers = (0..).zip(blocks).map(|(at, block)| (block.hash().to_vec(), number(at)));
        let none = (receipts(&[]), Vec::new());
        let senders = self.one.senders.iter().flat_map(|sender| sender.to_vec()).collect();
        let brought = [none.clone(), (receipts(&self.one.receipts), senders), none];
        let (receipts, senders): (Rows, Rows) = (0..)
            .zip(brought)
            .map(|(at, (receipts, senders))| ((number(at), receipts), (number(at), senders)))
            .unzip();
        let places = (0_u32..).zip(&self.one.block.transactions).map(|(index, transaction)| {
            (transaction.hash().to_vec(), [&number(1)[..], &index.to_be_bytes()].concat())
        });
        BTreeMap::from([
            ("headers", each(&header)),
            ("blocks", each(&Block::encoded)),
            ("numbers", numbers.collect()),
            ("receipts", receipts),
            ("senders", senders),
            ("transactions", places.collect()),
            ("certificates", Rows::from([(number(1), b"certificate".to_vec())])),
        ])
    }

    /// The flat rows of the head, and its tries.
    fn state_rows(&self) -> BTreeMap<&'static str, Rows> {
        let (mut accounts, mut words) = (Rows::new(), Rows::new());
        for (at, (held, slots)) in &self.chain.model().accounts {
            let leaf = alloy_rlp::encode(leaf(held, storage_root(slots)));
            accounts.insert(account(*at), [at.to_vec(), leaf].concat());
            for (slot, value) in slots {
                words.insert(word(*at, slot.to()), alloy_rlp::encode(value));
            }
        }
        // Code that nobody has any more stays: a state of the past may have it.
        let code = [vec![0xfe], vec![1; 3]].map(|code| (keccak256(&code).to_vec(), code));
        BTreeMap::from([
            ("accounts", accounts),
            ("storage", words),
            ("code", Rows::from(code)),
            ("nodes", tries(self.chain.model())),
        ])
    }

    /// What was there before blocks 1 and 2.
    fn history_rows(&self) -> BTreeMap<&'static str, Rows> {
        let held = |at: u8| before(&self.chain.model_at(1).accounts[&address(at)].0);
        let mut accounts = Rows::new();
        for at in 2..=4 {
            accounts.insert([account(address(at)), number(1)].concat(), Vec::new());
            accounts.insert([account(address(at)), number(2)].concat(), held(at));
        }
        let (one, two) = (word(address(3), 1), word(address(3), 2));
        let words = [
            ([one.clone(), number(1)].concat(), Vec::new()),
            ([one.clone(), number(2)].concat(), alloy_rlp::encode(U256::from(2))),
            ([two.clone(), number(2)].concat(), Vec::new()),
        ];
        // By address, and the words of each by key; block 0 has no past.
        let changed = (2..=4).flat_map(|at| account(address(at))).collect::<Vec<_>>();
        let changes = [(1, vec![one.clone()]), (2, vec![one, two])].map(|(block, mut slots)| {
            slots.sort();
            (number(block), [number(3), changed.clone(), slots.concat()].concat())
        });
        BTreeMap::from([
            ("account history", accounts),
            ("storage history", Rows::from(words)),
            ("changes", Rows::from(changes)),
        ])
    }
}

const fn leaf(held: &Account, storage: B256) -> TrieAccount {
    let Account { nonce, balance, code_hash } = *held;
    TrieAccount::new(nonce, balance, storage, code_hash)
}

/// The rows of a state's tries, by path, one byte a nibble.
fn tries(model: &Model) -> Rows {
    let (mut rows, mut accounts) = (Rows::new(), BTreeMap::new());
    for (at, (held, slots)) in &model.accounts {
        let words = slots
            .iter()
            .map(|(slot, value)| (keccak256(slot.to_be_bytes::<32>()), alloy_rlp::encode(value)));
        rows.extend(trie(&[vec![1], account(*at)].concat(), &words.collect()));
        accounts.insert(keccak256(at), alloy_rlp::encode(leaf(held, storage_root(slots))));
    }
    rows.extend(trie(&[0], &accounts));
    rows
}

/// The rows of one trie as alloy-trie builds it at once: all nodes on the way to a leaf, but for those that are
/// inside their parents. An empty trie has none.
fn trie(prefix: &[u8], leaves: &BTreeMap<B256, Vec<u8>>) -> Rows {
    if leaves.is_empty() {
        return Rows::new();
    }
    let paths = leaves.keys().map(Nibbles::unpack);
    let retainer = paths.collect::<ProofRetainer>();
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted().into_iter();
    let rows = nodes.filter(|(path, node)| path.is_empty() || node.len() >= 32);
    rows.map(|(path, node)| ([prefix, &path.to_vec()].concat(), node.to_vec())).collect()
}

#[test]
fn i8_rows_are_what_the_specification_says() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { history: History::Window(10), ..small() };
    let store = Store::open(directory.path(), options, &genesis()).unwrap();
    let blocks = TwoBlocks::commit(&store);
    drop(store);
    let disk = Disk::open(directory.path());
    for (keyspace, rows) in blocks.rows() {
        assert_eq!(disk.rows(keyspace), rows, "{keyspace}");
    }
    let root = |block: &Block| block.header.state_root;
    assert_eq!(keccak256(&disk.rows("nodes")[&[0_u8][..]]), root(&blocks.two.block));
    assert_past_tries(&disk, [root(&genesis().block), root(&blocks.one.block)]);

    let meta = disk.rows("meta");
    let mut expected = blocks.meta();
    expected.insert(b"oldest trie".to_vec(), number(0));
    expected.insert(b"format".to_vec(), number(2));
    assert_eq!(meta, expected);
    // What a node has that joined by state: tests/sync/rows.rs.
    assert!(disk.rows("handovers").is_empty() && disk.rows("sync").is_empty());
}

/// What stood at a path before blocks 1 and 2, given the roots before each.
fn assert_past_tries(disk: &Disk, roots: [B256; 2]) {
    let (past, changed) = (disk.rows("node history"), disk.rows("node changes"));
    for (at, before) in (1..).zip(roots) {
        let old = [vec![0, 0xff], number(at)].concat();
        assert_eq!(keccak256(&past[&old]), before);
        let (mut keys, mut rest) = (Vec::new(), &changed[&number(at)][..]);
        while let Some((length, others)) = rest.split_first() {
            let (key, others) = others.split_at(usize::from(*length));
            assert!(past.contains_key(&[key, &[0xff], &number(at)].concat()), "{key:?}");
            keys.push(key);
            rest = others;
        }
        assert!(keys.contains(&&[0][..]), "the root changes with every change");
    }
    assert_eq!(changed.len(), 2);
}
