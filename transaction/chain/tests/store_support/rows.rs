//! What lies on disk, encoded a second time as the table in `specs/0002-state.md` says: whoever changes a row
//! has to count the format up and to bring older directories to it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::RlpEncodable;
use alloy_trie::TrieAccount;
use fjall::{Database, KeyspaceCreateOptions};
use sahara_chain::store::{History, PendingStates, Store, StoreOptions};
use sahara_evm::Account;
use sahara_finality::{Block, TxReceipt};

use crate::{
    LIMIT, evidence, small,
    support::{CHAIN_ID, Chain, Change, address, genesis, storage_root},
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A block's receipts and senders.
type Brought<'a> = (&'a [TxReceipt], &'a [Address]);

/// An account before a block.
#[derive(RlpEncodable)]
struct Before {
    nonce: u64,
    balance: U256,
    code_hash: B256,
}

/// The keyspaces of a directory that nobody has open.
struct Disk(Database);

impl Disk {
    fn rows(&self, keyspace: &str) -> Rows {
        let keyspace = self.0.keyspace(keyspace, KeyspaceCreateOptions::default).unwrap();
        let rows = keyspace.iter().map(|row| row.into_inner().unwrap());
        rows.map(|(key, row)| (key.to_vec(), row.to_vec())).collect()
    }
}

fn number(number: u64) -> Vec<u8> {
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

#[test]
fn i8_rows_are_what_the_specification_says() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { history: History::Window(10), ..small() };
    let store = Store::open(directory.path(), options, &genesis()).unwrap();
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    let first = [Change::Balance(2, 5), Change::Word(3, 1, 2), Change::Code(4, 1)];
    let one = chain.execute_with(&pending, &first, 2);
    pending.finalize(one.block.hash(), Some(b"certificate")).unwrap();
    let second = [Change::Balance(2, 6), Change::Word(3, 1, 0), Change::Word(3, 2, 1)];
    let two = chain.execute(&pending, &[&second[..], &[Change::Destroy(4)]].concat());
    pending.finalize(two.block.hash(), None).unwrap();
    assert!(store.add_evidence(&evidence(1, 5)).unwrap());
    drop((pending, store));
    let disk = Disk(Database::builder(directory.path()).open().unwrap());

    let zero = genesis().block;
    let blocks = [&zero, one.block.as_ref(), two.block.as_ref()];
    let executed: [(&[TxReceipt], &[Address]); 3] =
        [(&[], &[]), (one.receipts.as_slice(), one.senders.as_slice()), (&[], &[])];
    assert_blocks(&disk, &blocks, &executed);
    let transactions = (0_u32..).zip(&one.block.transactions);
    let places = transactions
        .map(|(index, one)| (one.hash().to_vec(), [&number(1)[..], &index.to_be_bytes()].concat()));
    assert_eq!(disk.rows("transactions"), places.collect::<Rows>());
    let certificate = (number(1), b"certificate".to_vec());
    assert_eq!(disk.rows("certificates"), Rows::from([certificate]));
    assert_state(&disk, &chain);
    assert_history(&disk, &chain);
    assert_tries(&disk, &chain, &blocks);

    let meta = disk.rows("meta");
    let oldest = number(0);
    for (name, row) in [
        ("chain id", number(CHAIN_ID)),
        ("genesis", zero.hash().to_vec()),
        ("head", number(2)),
        ("oldest state", oldest.clone()),
        ("oldest trie", oldest),
    ] {
        assert_eq!(meta.get(name.as_bytes()), Some(&row), "{name}");
    }
    assert_eq!(meta.get(&b"format"[..]).map(Vec::len), Some(8));
    let (key, proof) = disk.rows("evidence").pop_first().unwrap();
    let expected = evidence(1, 5);
    let seat = [number(expected.epoch), expected.signer.to_be_bytes().to_vec()].concat();
    assert_eq!((&key[..12], &key[12..20], key.len()), (&seat[..], &number(5)[..], 21));
    assert_eq!(proof, expected.proof);
    assert!(disk.rows("handovers").is_empty() && disk.rows("sync").is_empty());
}

/// Blocks by number, with the receipts and senders of each.
fn assert_blocks(disk: &Disk, blocks: &[&Block], executed: &[Brought<'_>]) {
    let each = |row: &dyn Fn(&Block) -> Vec<u8>| -> Rows {
        (0..).zip(blocks).map(|(at, block)| (number(at), row(block))).collect()
    };
    let header = |block: &Block| [block.hash().to_vec(), alloy_rlp::encode(&block.header)].concat();
    assert_eq!(disk.rows("headers"), each(&header));
    assert_eq!(disk.rows("blocks"), each(&Block::encoded));
    let numbers = (0..).zip(blocks).map(|(at, block)| (block.hash().to_vec(), number(at)));
    assert_eq!(disk.rows("numbers"), numbers.collect::<Rows>());
    let brought = |row: &dyn Fn(Brought<'_>) -> Vec<u8>| -> Rows {
        (0..).zip(executed).map(|(at, brought)| (number(at), row(*brought))).collect()
    };
    assert_eq!(disk.rows("receipts"), brought(&|(of_block, _)| receipts(of_block)));
    let twenty_each = |(_, senders): Brought<'_>| -> Vec<u8> {
        senders.iter().flat_map(|sender| sender.to_vec()).collect()
    };
    assert_eq!(disk.rows("senders"), brought(&twenty_each));
}

/// The flat rows of the head.
fn assert_state(disk: &Disk, chain: &Chain) {
    let (mut accounts, mut words) = (Rows::new(), Rows::new());
    for (at, (held, slots)) in &chain.model().accounts {
        let Account { nonce, balance, code_hash } = *held;
        let leaf = TrieAccount::new(nonce, balance, storage_root(slots), code_hash);
        accounts.insert(account(*at), [at.to_vec(), alloy_rlp::encode(leaf)].concat());
        for (slot, value) in slots {
            words.insert(word(*at, slot.to()), alloy_rlp::encode(value));
        }
    }
    assert_eq!(disk.rows("accounts"), accounts);
    assert_eq!(disk.rows("storage"), words);
    // Code that nobody has any more stays: a state of the past may have it.
    let code = [vec![0xfe], vec![1; 3]].map(|code| (keccak256(&code).to_vec(), code));
    assert_eq!(disk.rows("code"), Rows::from(code));
}

/// What was there before blocks 1 and 2.
fn assert_history(disk: &Disk, chain: &Chain) {
    let held = |at: u8| before(&chain.model_at(1).accounts[&address(at)].0);
    let mut accounts = Rows::new();
    for at in 2..=4 {
        accounts.insert([account(address(at)), number(1)].concat(), Vec::new());
        accounts.insert([account(address(at)), number(2)].concat(), held(at));
    }
    assert_eq!(disk.rows("account history"), accounts);
    let (one, two) = (word(address(3), 1), word(address(3), 2));
    let words = [
        ([one.clone(), number(1)].concat(), Vec::new()),
        ([one.clone(), number(2)].concat(), alloy_rlp::encode(U256::from(2))),
        ([two.clone(), number(2)].concat(), Vec::new()),
    ];
    assert_eq!(disk.rows("storage history"), Rows::from(words));
    let mut changes = disk.rows("changes");
    for (block, mut slots) in [(1, vec![one.clone()]), (2, vec![one, two])] {
        let row = changes.remove(&number(block)).unwrap();
        let (count, keys) = row.split_at(8);
        let (accounts, words) = keys.split_at(3 * 32);
        assert_eq!(count, number(3));
        let mut accounts: Vec<_> = accounts.chunks(32).map(<[u8]>::to_vec).collect();
        let mut expected: Vec<_> = (2..=4).map(|at| account(address(at))).collect();
        accounts.sort();
        expected.sort();
        assert_eq!(accounts, expected);
        let mut words: Vec<_> = words.chunks(64).map(<[u8]>::to_vec).collect();
        words.sort();
        slots.sort();
        assert_eq!(words, slots);
    }
    assert!(changes.is_empty(), "block 0 has no past");
}

/// Tries by path, one byte a nibble, and what stood at a path before a block.
fn assert_tries(disk: &Disk, chain: &Chain, blocks: &[&Block]) {
    let nodes = disk.rows("nodes");
    let state_root = |at: usize| blocks[at].header.state_root;
    assert_eq!(keccak256(&nodes[&[0_u8][..]]), state_root(2));
    for (at, (_, words)) in
        chain.model().accounts.iter().filter(|(_, (_, words))| !words.is_empty())
    {
        let root = [vec![1], account(*at)].concat();
        assert_eq!(keccak256(&nodes[&root]), storage_root(words), "{at}");
    }
    for key in nodes.keys() {
        let path = if key[0] == 0 { &key[1..] } else { &key[33..] };
        assert!(
            key[0] < 2 && path.len() <= 64 && path.iter().all(|nibble| *nibble < 16),
            "{key:?}"
        );
    }
    let (past, changed) = (disk.rows("node history"), disk.rows("node changes"));
    for (at, before) in [(1, state_root(0)), (2, state_root(1))] {
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
