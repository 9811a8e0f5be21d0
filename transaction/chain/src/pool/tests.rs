//! The pool against its invariants.

use super::{Head, Origin, Pool, PoolError, PoolSettings, PooledTransaction, Spendable};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip7702, TxLegacy};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parking_lot::Mutex;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use sahara_finality::{EthereumTransaction, Transaction};
use secp256k1::{Message, SECP256K1, SecretKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const CHAIN_ID: u64 = 724_272;
const FLOOR: u64 = 100;
const HEAD: Head = Head {
    number: 1,
    timestamp: 1_000_000,
    base_fee: FLOOR,
    base_fee_floor: FLOOR,
    gas_limit: 30_000_000,
};

type Ledger = Arc<Mutex<BTreeMap<Address, Spendable>>>;

fn key(index: u8) -> SecretKey {
    SecretKey::from_byte_array([index + 1; 32]).unwrap()
}

fn sender(index: u8) -> Address {
    let public = key(index).public_key(SECP256K1).serialize_uncompressed();
    Address::from_word(keccak256(&public[1..]))
}

fn sign<T: SignableTransaction<Signature>>(
    transaction: T,
    index: u8,
) -> alloy_consensus::Signed<T> {
    let signature = sign_hash(transaction.signature_hash(), index);
    transaction.into_signed(signature)
}

fn sign_hash(hash: B256, index: u8) -> Signature {
    let message = Message::from_digest(hash.0);
    let (parity, bytes) =
        SECP256K1.sign_ecdsa_recoverable(message, &key(index)).serialize_compact();
    Signature::from_bytes_and_parity(&bytes, parity != secp256k1::ecdsa::RecoveryId::Zero)
}

/// A transaction that lets these accounts delegate, each on the chain that is named beside it.
fn delegating(index: u8, nonce: u64, authorities: &[(u8, u64)]) -> Transaction {
    let authorize = |(index, chain): &(u8, u64)| {
        let address = Address::repeat_byte(7);
        let authorization = Authorization { chain_id: U256::from(*chain), address, nonce: 0 };
        let signature = sign_hash(authorization.signature_hash(), *index);
        authorization.into_signed(signature)
    };
    let transaction = TxEip7702 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 1_010,
        max_priority_fee_per_gas: 10,
        authorization_list: authorities.iter().map(authorize).collect(),
        ..Default::default()
    };
    EthereumTransaction::Eip7702(sign(transaction, index)).into()
}

fn template(nonce: u64, tip: u128) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000 + tip,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(Address::repeat_byte(9)),
        value: U256::from(1),
        ..Default::default()
    }
}

fn transfer(index: u8, nonce: u64, tip: u128) -> Transaction {
    EthereumTransaction::Eip1559(sign(template(nonce, tip), index)).into()
}

fn rich() -> Spendable {
    Spendable { balance: U256::from(1_000_000_000_000_u64), ..Spendable::default() }
}

fn pool_with(settings: PoolSettings) -> (Pool, Ledger) {
    let ledger: Ledger = Arc::default();
    for index in 0..8 {
        ledger.lock().insert(sender(index), rich());
    }
    let source = Arc::clone(&ledger);
    let accounts =
        move |address: Address| Ok(source.lock().get(&address).copied().unwrap_or_default());
    (Pool::new(settings, accounts, HEAD), ledger)
}

fn pool() -> (Pool, Ledger) {
    pool_with(PoolSettings::new(CHAIN_ID))
}

fn refusal(pool: &Pool, transaction: TxEip1559) -> String {
    let signed = EthereumTransaction::Eip1559(sign(transaction, 0)).into();
    pool.add(signed, Origin::Local).unwrap_err().to_string()
}

fn order(pool: &Pool) -> Vec<(Address, u64)> {
    pool.best(HEAD.base_fee, HEAD.gas_limit).map(|one| (one.sender(), one.nonce())).collect()
}

#[test]
fn malleable_twin_is_refused() {
    let (pool, _) = pool();
    let signed = sign(template(0, 1), 3);
    let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
    let signature = signed.signature();
    let twin = Signature::new(signature.r(), order - signature.s(), !signature.v());
    let twin = EthereumTransaction::Eip1559(signed.tx().clone().into_signed(twin));
    let refused = pool.add(twin.into(), Origin::Peer).unwrap_err();
    assert_eq!(refused, PoolError::InvalidSignature);
    let added = pool.add(EthereumTransaction::Eip1559(signed).into(), Origin::Peer).unwrap();
    assert_eq!(added.sender(), sender(3));
}

#[test]
fn refusals_begin_with_the_words_tools_look_for() {
    let (pool, ledger) = pool();
    let base = template(5, 10);
    pool.add(transfer(0, 5, 10), Origin::Local).unwrap();
    let again = pool.add(transfer(0, 5, 10), Origin::Peer).unwrap_err();
    assert_eq!(again.to_string(), "already known");
    let cases = [
        (
            TxEip1559 { max_priority_fee_per_gas: 11, ..base.clone() },
            "replacement transaction underpriced",
        ),
        (TxEip1559 { gas_limit: 20_999, ..base.clone() }, "intrinsic gas too low"),
        (TxEip1559 { gas_limit: 30_000_001, ..base.clone() }, "exceeds block gas limit"),
        (TxEip1559 { gas_limit: 1 << 25, ..base.clone() }, "exceeds block gas limit"),
        (TxEip1559 { gas_limit: (1 << 24) + 1, ..base.clone() }, "transaction gas limit too high"),
        (TxEip1559 { chain_id: 1, ..base.clone() }, "invalid chain id"),
        (
            TxEip1559 { value: U256::MAX, ..template(6, 10) },
            "insufficient funds for gas * price + value",
        ),
        (
            TxEip1559 { max_priority_fee_per_gas: 9_999, ..base.clone() },
            "max priority fee per gas higher than max fee per gas",
        ),
        (TxEip1559 { nonce: u64::MAX, ..base.clone() }, "nonce has max value"),
        (
            TxEip1559 { input: Bytes::from(vec![1; 100]), gas_limit: 22_700, ..base.clone() },
            "insufficient gas for floor data gas cost",
        ),
        (
            TxEip1559 { to: TxKind::Create, input: Bytes::from(vec![0; 49_153]), ..base },
            "max initcode size exceeded",
        ),
    ];
    for (transaction, words) in cases {
        let text = refusal(&pool, transaction);
        assert!(text.starts_with(words), "{text} should begin with {words}");
    }
    ledger.lock().insert(sender(1), Spendable { nonce: 3, ..rich() });
    let low = pool.add(transfer(1, 2, 1), Origin::Local).unwrap_err();
    assert_eq!(low.to_string(), "nonce too low: next nonce 3, tx nonce 2");
    ledger.lock().insert(sender(2), Spendable { has_code: true, ..rich() });
    let contract = pool.add(transfer(2, 0, 1), Origin::Local).unwrap_err();
    assert_eq!(contract, PoolError::SenderHasCode(sender(2)));
    let legacy = TxLegacy { gas_limit: 21_000, gas_price: 1_000, ..Default::default() };
    let unprotected = EthereumTransaction::Legacy(sign(legacy, 0)).into();
    assert_eq!(pool.add(unprotected, Origin::Local).unwrap_err(), PoolError::Unprotected);
    let blob = pool.add_encoded(&[3, 0xc0], Origin::Local).unwrap_err().to_string();
    assert!(blob.starts_with("blob transactions (type 3) are not supported"), "{blob}");
}

#[test]
fn replacement_takes_a_tenth_more_of_both_fees() {
    let (pool, _) = pool();
    let first = template(0, 100);
    let add = |transaction: TxEip1559| {
        pool.add(EthereumTransaction::Eip1559(sign(transaction, 0)).into(), Origin::Local)
    };
    let old = add(first.clone()).unwrap();
    assert_eq!(
        add(TxEip1559 { max_priority_fee_per_gas: 110, max_fee_per_gas: 1_209, ..first.clone() })
            .unwrap_err(),
        PoolError::ReplacementUnderpriced { max_fee: 1_210, max_tip: 110 }
    );
    let new =
        add(TxEip1559 { max_priority_fee_per_gas: 110, max_fee_per_gas: 1_210, ..first }).unwrap();
    assert!(pool.find(&old.hash()).is_none());
    assert_eq!(pool.content_of(sender(0)).pending, [new]);
}

#[test]
fn what_a_block_holds_is_not_replaced_even_before_the_pool_knows_of_the_block() {
    let (pool, ledger) = pool();
    pool.add(transfer(0, 0, 5), Origin::Local).unwrap();
    ledger.lock().get_mut(&sender(0)).unwrap().nonce = 1;
    for tip in [1, 900] {
        let refused = pool.add(transfer(0, 0, tip), Origin::Local).unwrap_err();
        assert_eq!(refused, PoolError::NonceTooLow { next: 1, nonce: 0 });
    }
}

#[test]
fn best_pays_first_and_a_gap_waits() {
    let (pool, _) = pool();
    for (index, nonce, tip) in [(0, 0, 5), (0, 1, 50), (1, 0, 20), (2, 1, 99), (3, 0, 20)] {
        pool.add(transfer(index, nonce, tip), Origin::Local).unwrap();
    }
    let expected = [(1, 0), (3, 0), (0, 0), (0, 1)].map(|(index, nonce)| (sender(index), nonce));
    assert_eq!(order(&pool), expected);
    assert_eq!((pool.status().pending, pool.status().queued), (4, 1));
    assert_eq!(pool.next_nonce(&sender(0)), Some(2));
    assert_eq!(pool.next_nonce(&sender(2)), Some(0));
    assert_eq!(pool.next_nonce(&sender(4)), None);
    pool.add(transfer(2, 0, 1), Origin::Local).unwrap();
    assert_eq!(order(&pool).last(), Some(&(sender(2), 1)));
}

#[test]
fn skipped_sender_is_not_offered_again() {
    let (pool, _) = pool();
    for nonce in 0..3 {
        pool.add(transfer(0, nonce, 9), Origin::Local).unwrap();
    }
    pool.add(transfer(1, 0, 1), Origin::Local).unwrap();
    let mut best = pool.best(HEAD.base_fee, HEAD.gas_limit);
    assert_eq!(best.next().map(|one| one.nonce()), Some(0));
    best.skip_sender();
    assert_eq!(best.map(|one| one.sender()).collect::<Vec<_>>(), [sender(1)]);
}

#[test]
fn below_the_base_fee_it_waits() {
    let (pool, _) = pool();
    pool.add(transfer(0, 0, 0), Origin::Local).unwrap();
    assert!(!pool.has_work(1_001));
    assert_eq!(pool.best(1_001, HEAD.gas_limit).count(), 0);
    assert!(pool.has_work(1_000));
    assert_eq!(pool.best(1_000, HEAD.gas_limit).count(), 1);
}

#[test]
fn a_floor_that_moved_holds_for_what_comes_next() {
    let (pool, _) = pool();
    pool.on_finalized(Head { base_fee: 5_000, base_fee_floor: 5_000, ..HEAD }, []).unwrap();
    let refused = refusal(&pool, template(0, 10));
    assert!(refused.ends_with("the base fee is never below 5000"), "{refused}");
    let cheap = TxEip1559 { max_fee_per_gas: 100, ..template(0, 0) };
    assert!(refusal(&pool, cheap.clone()).contains("underpriced"));
    pool.on_finalized(Head { base_fee: 100, base_fee_floor: 100, ..HEAD }, []).unwrap();
    let signed = EthereumTransaction::Eip1559(sign(cheap, 0)).into();
    pool.add(signed, Origin::Local).unwrap();
    assert!(pool.has_work(100));
}

#[test]
fn finalised_block_takes_its_transactions_and_what_became_unpayable() {
    let (pool, ledger) = pool();
    for nonce in 0..4 {
        pool.add(transfer(0, nonce, 1), Origin::Local).unwrap();
    }
    let cost = pool.content_of(sender(0)).pending[0].cost();
    ledger
        .lock()
        .insert(sender(0), Spendable { nonce: 1, balance: cost * U256::from(2), ..rich() });
    pool.on_finalized(Head { number: 2, ..HEAD }, [sender(0), sender(7)]).unwrap();
    assert_eq!(order(&pool), [(sender(0), 1), (sender(0), 2)]);
}

#[test]
fn coin_that_came_in_later_counts() {
    let (pool, ledger) = pool();
    let cost = PooledTransaction::new(
        transfer(0, 0, 1),
        Origin::Local,
        &PoolSettings::new(CHAIN_ID),
        &HEAD,
    )
    .unwrap()
    .cost();
    ledger.lock().insert(sender(0), Spendable { balance: cost, ..rich() });
    pool.add(transfer(0, 0, 1), Origin::Local).unwrap();
    assert!(matches!(
        pool.add(transfer(0, 1, 1), Origin::Local),
        Err(PoolError::InsufficientFunds { .. })
    ));
    ledger.lock().insert(sender(0), Spendable { balance: cost * U256::from(2), ..rich() });
    pool.add(transfer(0, 1, 1), Origin::Local).unwrap();
}

#[test]
fn full_pool_keeps_the_better_paying() {
    let (pool, _) = pool_with(PoolSettings { max_transactions: 3, ..PoolSettings::new(CHAIN_ID) });
    for (index, tip) in [(0, 10), (1, 20), (2, 30)] {
        pool.add(transfer(index, 0, tip), Origin::Local).unwrap();
    }
    assert_eq!(
        pool.add(transfer(3, 0, 10), Origin::Local).unwrap_err(),
        PoolError::Underpriced(10)
    );
    pool.add(transfer(4, 0, 40), Origin::Local).unwrap();
    assert_eq!(order(&pool), [(sender(4), 0), (sender(2), 0), (sender(1), 0)]);
    // What stands behind a gap goes first, whatever it pays.
    assert!(matches!(pool.add(transfer(5, 7, 99), Origin::Local), Err(PoolError::Underpriced(99))));
}

#[test]
fn what_a_refused_replacement_would_have_replaced_stays() {
    let (wide, _) = pool();
    let both = [delegating(0, 0, &[(2, CHAIN_ID)]), transfer(1, 0, 1_000)];
    for transaction in both.clone() {
        wide.add(transaction, Origin::Local).unwrap();
    }
    let max_bytes = wide.status().bytes;
    let (pool, _) = pool_with(PoolSettings { max_bytes, ..PoolSettings::new(CHAIN_ID) });
    let [old, other] = both.map(|transaction| pool.add(transaction, Origin::Local).unwrap());
    // It pays more than the old one, but takes more room, and pays less than the other.
    let input = Bytes::from(vec![0; 1_000]);
    let longer = TxEip1559 { input, gas_limit: 100_000, ..template(0, 200) };
    let longer = EthereumTransaction::Eip1559(sign(longer, 0)).into();
    let refused = pool.add(longer, Origin::Local).unwrap_err();
    assert_eq!(refused, PoolError::Underpriced(200));
    assert_eq!(pool.content_of(sender(0)).pending, [Arc::clone(&old)]);
    assert!(pool.find(&old.hash()).is_some());
    assert_eq!((pool.status().bytes, pool.status().pending), (max_bytes, 2));
    assert_eq!(order(&pool), [(sender(1), 0), (sender(0), 0)]);
    let gap = pool.add(transfer(2, 1, 2_000), Origin::Local).unwrap_err();
    assert_eq!(gap, PoolError::DelegatedGap { next: 0, nonce: 1 });
    // It is also the first to leave again, and then all of it is gone.
    pool.add(transfer(3, 0, 300), Origin::Local).unwrap();
    assert_eq!(order(&pool), [(sender(1), 0), (sender(3), 0)]);
    let left = [other.hash(), old.hash()].map(|hash| pool.find(&hash).is_some());
    assert_eq!(left, [true, false]);
}

fn fees(index: u8, nonce: u64, (max_fee, tip): (u128, u128)) -> Transaction {
    let fees = TxEip1559 {
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        ..template(nonce, tip)
    };
    EthereumTransaction::Eip1559(sign(fees, index)).into()
}

#[test]
fn p7_what_cannot_pay_the_base_fee_keeps_nobody_out() {
    let (pool, _) = pool_with(PoolSettings { max_transactions: 4, ..PoolSettings::new(CHAIN_ID) });
    let head = |number, base_fee| Head { number, base_fee, ..HEAD };
    pool.on_finalized(head(2, 5_000), []).unwrap();
    // The highest tips of all, and never to be paid while the base fee stays.
    for (index, nonce) in [(0, 0), (0, 1), (1, 0)] {
        pool.add(fees(index, nonce, (4_999, 4_999)), Origin::Peer).unwrap();
    }
    pool.add(fees(2, 0, (4_000, 1)), Origin::Peer).unwrap();
    let add = |index, nonce, given| pool.add(fees(index, nonce, given), Origin::Local);
    let senders = || -> Vec<Address> { pool.content().iter().map(|one| one.sender).collect() };
    add(3, 0, (5_000, 0)).unwrap();
    assert!(!senders().contains(&sender(2)), "the lowest max fee leaves first");
    add(4, 0, (9_000, 1)).unwrap();
    assert!(!senders().contains(&sender(1)), "then the latest");
    let refused = add(5, 0, (4_999, 4_999)).unwrap_err();
    assert_eq!(refused, PoolError::BelowPresentBaseFee { max_fee: 4_999, base_fee: 5_000 });
    // What pays much behind what pays too little cannot run either.
    let behind = add(0, 2, (90_000, 50_000)).unwrap_err();
    assert_eq!(behind, PoolError::BelowPresentBaseFee { max_fee: 4_999, base_fee: 5_000 });
    add(3, 1, (5_000, 0)).unwrap();
    add(4, 1, (9_000, 1)).unwrap();
    assert_eq!((senders().len(), pool.best(5_000, HEAD.gas_limit).count()), (2, 4));
    // As soon as all can pay, the tip decides.
    assert_eq!(add(5, 0, (5_000, 0)).unwrap_err(), PoolError::Underpriced(0));
    pool.on_finalized(head(3, 6_000), []).unwrap();
    add(5, 0, (6_000, 0)).unwrap();
    assert_eq!(pool.content_of(sender(3)).pending.len(), 1);
}

#[test]
fn p8_who_delegates_has_one_waiting_so_that_no_sweep_voids_many() {
    let (pool, ledger) = pool();
    let add = |transaction: Transaction| pool.add(transaction, Origin::Local);
    let delegated = Spendable { is_delegated: true, ..rich() };
    ledger.lock().insert(sender(0), delegated);
    assert_eq!(add(transfer(0, 1, 5)).unwrap_err(), PoolError::DelegatedGap { next: 0, nonce: 1 });
    add(transfer(0, 0, 5)).unwrap();
    assert_eq!(add(transfer(0, 1, 5)).unwrap_err(), PoolError::DelegatedLimit(sender(0)));
    add(transfer(0, 0, 900)).unwrap();
    // The next comes as soon as the first is in a block, also before the pool is told of it.
    ledger.lock().insert(sender(0), Spendable { nonce: 1, ..delegated });
    add(transfer(0, 1, 5)).unwrap();
    assert_eq!(add(transfer(0, 2, 5)).unwrap_err(), PoolError::DelegatedLimit(sender(0)));
    // Who does not delegate any more is a sender like any other.
    ledger.lock().insert(sender(0), Spendable { nonce: 1, ..rich() });
    pool.on_finalized(Head { number: 2, ..HEAD }, [sender(0)]).unwrap();
    add(transfer(0, 2, 5)).unwrap();
    add(transfer(0, 4, 5)).unwrap();
}

#[test]
fn p8_who_is_about_to_delegate_has_one_waiting_too() {
    let (pool, ledger) = pool();
    let add = |transaction: Transaction| pool.add(transaction, Origin::Local);
    add(transfer(1, 0, 5)).unwrap();
    add(transfer(1, 1, 5)).unwrap();
    let refused = add(delegating(0, 0, &[(2, CHAIN_ID), (1, 0)])).unwrap_err();
    assert_eq!(refused, PoolError::AuthorityReserved(sender(1)));
    // What is for another chain binds nobody.
    add(delegating(0, 0, &[(2, CHAIN_ID), (3, 0), (1, 1), (2, CHAIN_ID)])).unwrap();
    add(transfer(1, 2, 5)).unwrap();
    for index in [2, 3] {
        assert!(matches!(add(transfer(index, 1, 5)), Err(PoolError::DelegatedGap { .. })));
        add(transfer(index, 0, 5)).unwrap();
        assert_eq!(
            add(transfer(index, 1, 5)).unwrap_err(),
            PoolError::DelegatedLimit(sender(index))
        );
    }
    // When it has left the pool, the accounts say who delegates.
    ledger.lock().insert(sender(0), Spendable { nonce: 1, ..rich() });
    pool.on_finalized(Head { number: 2, ..HEAD }, [sender(0)]).unwrap();
    add(transfer(2, 1, 5)).unwrap();
}

#[test]
fn p8_an_authorisation_whose_nonce_has_passed_binds_nobody() {
    let (pool, ledger) = pool();
    let add = |transaction: Transaction| pool.add(transaction, Origin::Local);
    let used = Spendable { nonce: 1, ..rich() };
    ledger.lock().insert(sender(1), used);
    // A stranger copies what two signed for their nonce 0; one of them has used it.
    add(delegating(0, 7, &[(1, CHAIN_ID), (2, CHAIN_ID)])).unwrap();
    for nonce in [1, 2, 4] {
        add(transfer(1, nonce, 5)).unwrap();
    }
    add(transfer(2, 0, 5)).unwrap();
    assert_eq!(add(transfer(2, 1, 5)).unwrap_err(), PoolError::DelegatedLimit(sender(2)));
    // The other is free as soon as its nonce has passed, although the copy still waits.
    ledger.lock().insert(sender(2), used);
    pool.on_finalized(Head { number: 2, ..HEAD }, [sender(2)]).unwrap();
    add(transfer(2, 1, 5)).unwrap();
    add(transfer(2, 2, 5)).unwrap();
    // Nor does who has many waiting keep out what brings such an authorisation.
    add(delegating(3, 0, &[(1, 0)])).unwrap();
}

#[test]
fn p8_who_waits_behind_a_gap_and_delegates_then_may_close_it() {
    let (pool, ledger) = pool();
    let add = |transaction: Transaction| pool.add(transaction, Origin::Local);
    add(transfer(0, 2, 5)).unwrap();
    ledger.lock().insert(sender(0), Spendable { is_delegated: true, ..rich() });
    pool.on_finalized(Head { number: 2, ..HEAD }, [sender(0)]).unwrap();
    assert_eq!(add(transfer(0, 1, 5)).unwrap_err(), PoolError::DelegatedGap { next: 0, nonce: 1 });
    add(transfer(0, 0, 5)).unwrap();
    assert_eq!(add(transfer(0, 1, 5)).unwrap_err(), PoolError::DelegatedLimit(sender(0)));
}

#[test]
fn authorisations_are_recovered_only_for_a_sender_who_could_pay() {
    let bringing = || delegating(0, 0, &[(1, 0)]);
    let settings = PoolSettings::new(CHAIN_ID);
    let fresh = PooledTransaction::new(bringing(), Origin::Peer, &settings, &HEAD).unwrap();
    assert!(fresh.authorities().is_empty());
    let (pool, ledger) = pool();
    for nonce in [0, 1] {
        pool.add(transfer(1, nonce, 5), Origin::Peer).unwrap();
    }
    // That the authority has two waiting is known only after its signature was recovered.
    let refused = |account: Spendable| {
        ledger.lock().insert(sender(0), account);
        pool.add(bringing(), Origin::Peer).unwrap_err()
    };
    let poor = refused(Spendable::default());
    assert!(matches!(poor, PoolError::InsufficientFunds { .. }), "{poor}");
    let late = refused(Spendable { nonce: 1, ..rich() });
    assert_eq!(late, PoolError::NonceTooLow { next: 1, nonce: 0 });
    assert_eq!(refused(rich()), PoolError::AuthorityReserved(sender(1)));
}

#[test]
fn what_could_never_enter_a_block_is_refused() {
    let (pool, _) = pool();
    let low = TxEip1559 {
        max_fee_per_gas: u128::from(FLOOR) - 1,
        max_priority_fee_per_gas: 0,
        ..template(0, 0)
    };
    let words = "transaction underpriced: max fee per gas less than block base fee: \
                 maxFeePerGas: 99, the base fee is never below 100";
    assert_eq!(refusal(&pool, low.clone()), words);
    let enough = TxEip1559 { max_fee_per_gas: u128::from(FLOOR), ..low };
    let signed = EthereumTransaction::Eip1559(sign(enough, 0)).into();
    pool.add(signed, Origin::Local).unwrap();
}

#[test]
fn p6_what_waits_too_long_leaves_and_the_rest_stays() {
    let (pool, _) = pool();
    let at = |minutes: u64| Head { timestamp: HEAD.timestamp + 60 * minutes, ..HEAD };
    let wait = |minutes| pool.on_finalized(at(minutes), []).unwrap();
    pool.add(transfer(0, 0, 5), Origin::Local).unwrap();
    pool.add(transfer(1, 4, 5), Origin::Peer).unwrap();
    wait(60);
    pool.add(transfer(0, 1, 5), Origin::Local).unwrap();
    wait(179);
    assert_eq!((pool.status().pending, pool.status().queued), (2, 1));
    wait(180);
    // What stood behind an expired one waits for it: the sender may send it again.
    assert_eq!((pool.status().pending, pool.status().queued), (0, 1));
    assert_eq!(pool.next_nonce(&sender(0)), Some(0));
    pool.add(transfer(0, 0, 5), Origin::Local).unwrap();
    assert_eq!(order(&pool), [(sender(0), 0), (sender(0), 1)]);
    wait(240);
    wait(360);
    assert_eq!(pool.status(), super::Status::default());
}

#[test]
fn banished_transaction_leaves_and_does_not_come_back() {
    let (pool, _) = pool();
    let bad = pool.add(transfer(0, 0, 5), Origin::Local).unwrap();
    pool.add(transfer(0, 1, 5), Origin::Local).unwrap();
    pool.banish(bad.hash());
    assert_eq!((pool.status().pending, pool.status().queued), (0, 1));
    assert_eq!(pool.add(transfer(0, 0, 5), Origin::Peer).unwrap_err(), PoolError::Banished);
    pool.add(transfer(0, 0, 6), Origin::Local).unwrap();
    assert_eq!(pool.status().pending, 2);
}

#[tokio::test]
async fn waiting_ends_when_work_arrives() {
    let (pool, _) = pool();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.wait_for_work(HEAD.base_fee).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    let mut arrivals = pool.subscribe();
    let added = pool.add(transfer(0, 0, 1), Origin::Local).unwrap();
    waiting.await.unwrap();
    assert_eq!(arrivals.recv().await.unwrap().hash(), added.hash());
    pool.wait_for_work(HEAD.base_fee).await;
}

#[derive(Clone, Debug)]
enum Step {
    Add { index: u8, nonce: u64, tip: u128 },
    Finalize { index: u8, nonce: u64, coins: u64, minutes: u64 },
    BaseFee(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u8, 0..12_u64, 1..40_u128).prop_map(|(index, nonce, tip)| Step::Add { index, nonce, tip }),
        1 => (0..5_u8, 0..8_u64, prop_oneof![Just(1_000_000_000_000_u64), 0..200_000_000_u64], 0..90_u64)
            .prop_map(|(index, nonce, coins, minutes)| Step::Finalize { index, nonce, coins, minutes }),
        1 => (1_000..1_040_u64).prop_map(Step::BaseFee),
    ]
}

/// P1 to P5 after every step; the ledger never lowers a nonce.
fn check_invariants(pool: &Pool, ledger: &Ledger, settings: &PoolSettings) {
    let content = pool.content();
    let (mut seen, mut bytes, mut pending) = (BTreeSet::new(), 0, 0);
    for one in &content {
        let account = ledger.lock()[&one.sender];
        let all: Vec<_> = one.pending.iter().chain(&one.queued).collect();
        assert!(all.len() <= settings.max_sender_transactions, "P2");
        assert!(all.iter().map(|one| one.cost()).sum::<U256>() <= account.balance, "P4");
        for transaction in &all {
            assert!(seen.insert((one.sender, transaction.nonce())), "P1");
            assert!(pool.find(&transaction.hash()).is_some());
            bytes += transaction.length();
        }
        let nonces: Vec<u64> = one.pending.iter().map(|one| one.nonce()).collect();
        let expected: Vec<u64> = (account.nonce..).take(nonces.len()).collect();
        assert_eq!(nonces, expected, "P3");
        pending += nonces.len();
    }
    let status = pool.status();
    assert_eq!(
        (status.bytes, status.pending, status.pending + status.queued),
        (bytes, pending, seen.len())
    );
    assert!(seen.len() <= settings.max_transactions && bytes <= settings.max_bytes, "P2");
    let mut next: BTreeMap<Address, u64> = BTreeMap::new();
    let mut yielded = 0;
    for one in pool.best(HEAD.base_fee, HEAD.gas_limit) {
        let expected =
            next.entry(one.sender()).or_insert_with(|| ledger.lock()[&one.sender()].nonce);
        assert_eq!(one.nonce(), *expected, "P3");
        *expected += 1;
        yielded += 1;
    }
    assert_eq!(yielded, pending, "all that can run is offered");
}

proptest! {
    #[test]
    fn p1_to_p7_hold_after_any_steps(steps in proptest::collection::vec(step(), 1..120)) {
        let settings = PoolSettings {
            max_transactions: 12,
            max_bytes: 1_100,
            max_sender_transactions: 5,
            max_sender_bytes: 500,
            ..PoolSettings::new(CHAIN_ID)
        };
        let (pool, ledger) = pool_with(settings);
        let (mut number, mut timestamp, mut base_fee) = (HEAD.number, HEAD.timestamp, FLOOR);
        let mut arrived = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add { index, nonce, tip } => {
                    let added = pool.add(transfer(index, nonce, tip), Origin::Local);
                    if matches!(added, Err(PoolError::Underpriced(_))) {
                        let content = pool.content();
                        let all = content.iter().flat_map(|one| one.pending.iter().chain(&one.queued));
                        // What it would have replaced is back, and did not keep it out.
                        let mut others = all.filter(|one| (one.sender(), one.nonce()) != (sender(index), nonce));
                        assert!(others.all(|one| one.effective_tip(base_fee).is_some()), "P7");
                    }
                    if let Ok(added) = added {
                        arrived.insert(added.hash(), timestamp);
                    }
                }
                Step::Finalize { index, nonce, coins, minutes } => {
                    number += 1;
                    timestamp += 60 * minutes;
                    let account = ledger.lock()[&sender(index)];
                    let nonce = nonce.max(account.nonce);
                    let after = Spendable { nonce, balance: U256::from(coins), ..rich() };
                    ledger.lock().insert(sender(index), after);
                    let head = Head { number, timestamp, base_fee, ..HEAD };
                    pool.on_finalized(head, [sender(index)]).unwrap();
                    let oldest = timestamp - settings.lifetime_seconds - 60;
                    let old = arrived.iter().filter(|(_, at)| **at <= oldest);
                    for (hash, _) in old {
                        assert!(pool.find(hash).is_none(), "P6");
                    }
                }
                Step::BaseFee(changed) => {
                    (number, base_fee) = (number + 1, changed);
                    pool.on_finalized(Head { number, timestamp, base_fee, ..HEAD }, []).unwrap();
                }
            }
            check_invariants(&pool, &ledger, &settings);
        }
    }
}

#[test]
fn what_this_node_was_given_and_nobody_included_is_overdue() {
    let (pool, _) = pool();
    let own = pool.add(transfer(0, 0, 1), Origin::Local).unwrap();
    pool.add(transfer(1, 0, 1), Origin::Peer).unwrap();
    pool.add(transfer(2, 1, 1), Origin::Local).unwrap();
    let hashes =
        |most| -> Vec<_> { pool.overdue(4, most).iter().map(|pooled| pooled.hash()).collect() };
    assert!(hashes(9).is_empty(), "it has just come");
    let later = |seconds| Head { number: 2, timestamp: HEAD.timestamp + seconds, ..HEAD };
    pool.on_finalized(later(3), []).unwrap();
    assert!(hashes(9).is_empty());
    pool.on_finalized(later(4), []).unwrap();
    assert_eq!(hashes(9), [own.hash()], "neither a peer's nor one behind a gap");
    assert!(hashes(0).is_empty());
    pool.on_finalized(Head { base_fee: 10_000, ..later(5) }, []).unwrap();
    assert!(hashes(9).is_empty(), "what pays too little cannot run");
}
