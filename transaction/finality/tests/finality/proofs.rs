//! I5: a proof holds for one value at one place.

use std::collections::BTreeMap;

use alloy_consensus::{TrieAccount, proofs::state_root_unhashed};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use sahara_finality::{
    LogClaim, Logs, TxReceipt, prove_receipt, prove_transaction, receipts_root, transactions_root,
    verify_account, verify_log, verify_receipt, verify_storage, verify_transaction,
};

use crate::support::{addresses, receipts, transactions};

/// Root and proof of `key` over hashed keys, as a node's trie gives them.
fn prove(values: &BTreeMap<B256, Vec<u8>>, key: B256) -> (B256, Vec<Bytes>) {
    let retainer = ProofRetainer::new(vec![Nibbles::unpack(key)]);
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in values {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node).collect())
}

fn account(nonce: u64) -> TrieAccount {
    TrieAccount { nonce, balance: U256::from(nonce) << 70, ..TrieAccount::default() }
}

proptest! {
    #[test]
    fn i5_an_account_is_proven_as_it_is(
        nonces in btree_map(addresses(), any::<u64>(), 1..40),
        absent in addresses(),
    ) {
        let accounts: BTreeMap<Address, _> =
            nonces.iter().map(|(address, nonce)| (*address, account(*nonce))).collect();
        let values = accounts
            .iter()
            .map(|(address, account)| (keccak256(address), alloy_rlp::encode(account)))
            .collect();
        let expected = state_root_unhashed(accounts.clone());
        for (address, account) in &accounts {
            let (root, proof) = prove(&values, keccak256(address));
            prop_assert_eq!(root, expected);
            prop_assert!(verify_account(root, *address, Some(account), &proof).is_ok());
            prop_assert!(verify_account(root, *address, None, &proof).is_err());
            let mut richer = *account;
            richer.balance += U256::from(1);
            prop_assert!(verify_account(root, *address, Some(&richer), &proof).is_err());
            prop_assert!(verify_account(root, *address, Some(account), &proof[1..]).is_err());
        }
        prop_assume!(!accounts.contains_key(&absent));
        let (root, proof) = prove(&values, keccak256(absent));
        prop_assert!(verify_account(root, absent, None, &proof).is_ok());
        prop_assert!(verify_account(root, absent, Some(&account(1)), &proof).is_err());
    }

    #[test]
    fn i5_a_slot_is_proven_as_it_is(slots in btree_map(any::<u64>(), 1..u64::MAX, 1..40), absent in any::<u64>()) {
        let slot = |index: u64| B256::from(U256::from(index));
        let values = slots
            .iter()
            .map(|(index, value)| (keccak256(slot(*index)), alloy_rlp::encode(U256::from(*value))))
            .collect();
        for (index, value) in &slots {
            let (root, proof) = prove(&values, keccak256(slot(*index)));
            let check = |value: U256| verify_storage(root, slot(*index), value, &proof).is_ok();
            prop_assert!(check(U256::from(*value)));
            prop_assert!(!check(U256::from(*value) + U256::from(1)) && !check(U256::ZERO));
        }
        prop_assume!(!slots.contains_key(&absent));
        let (root, proof) = prove(&values, keccak256(slot(absent)));
        prop_assert!(verify_storage(root, slot(absent), U256::ZERO, &proof).is_ok());
        prop_assert!(verify_storage(root, slot(absent), U256::from(1), &proof).is_err());
    }

    #[test]
    fn i5_a_receipt_and_its_logs_are_proven_at_their_place(receipts in vec(receipts(), 1..20)) {
        let root = receipts_root(&receipts);
        for (index, receipt) in receipts.iter().enumerate() {
            let proof = prove_receipt(&receipts, index).unwrap();
            prop_assert!(verify_receipt(root, index, receipt, &proof).is_ok());
            prop_assert!(verify_receipt(root, index + 1, receipt, &proof).is_err());
            let other = TxReceipt { status: !receipt.status, ..receipt.clone() };
            prop_assert!(verify_receipt(root, index, &other, &proof).is_err());
            for (log_index, log) in receipt.logs.iter().enumerate() {
                let claim = LogClaim { transaction_index: index, log_index, log };
                prop_assert!(verify_log(root, &claim, &receipt.encoded(), &proof).is_ok());
                let beyond = LogClaim { log_index: receipt.logs.len(), ..claim };
                prop_assert!(verify_log(root, &beyond, &receipt.encoded(), &proof).is_err());
            }
        }
        prop_assert_eq!(prove_receipt(&receipts, receipts.len()), None);
    }

    #[test]
    fn a_receipts_filter_is_that_of_its_logs(
        logs in vec((0_u8..3, vec(0_u8..3, 0..=4)), 0..12),
    ) {
        let log = |(emitter, topics): (u8, Vec<u8>)| Log {
            address: Address::repeat_byte(emitter),
            data: LogData::new_unchecked(
                topics.into_iter().map(B256::repeat_byte).collect(),
                Bytes::new(),
            ),
        };
        let logs: Vec<_> = logs.into_iter().map(log).collect();
        let filter = alloy_primitives::logs_bloom(&logs);
        let receipt =
            TxReceipt { type_byte: 2, status: true, cumulative_gas_used: 9, logs: logs.into() };
        prop_assert_eq!(receipt.bloom(), filter);
    }

    #[test]
    fn i5_a_transaction_is_proven_at_its_place(transactions in vec(transactions(), 2..10)) {
        let root = transactions_root(&transactions);
        for (index, transaction) in transactions.iter().enumerate() {
            let proof = prove_transaction(&transactions, index).unwrap();
            prop_assert!(verify_transaction(root, index, transaction, &proof).is_ok());
            let other = &transactions[(index + 1) % transactions.len()];
            let same = other == transaction;
            prop_assert_eq!(verify_transaction(root, index, other, &proof).is_ok(), same);
        }
    }
}

#[test]
fn i5_positions_around_128_are_proven() {
    // RLP orders 0 after 127, where a trie over positions is easily built wrongly.
    let receipt = |cumulative_gas_used| {
        let logs = Logs::default();
        TxReceipt { type_byte: 2, status: true, cumulative_gas_used, logs }
    };
    let receipts: Vec<_> = (0..260).map(receipt).collect();
    let root = receipts_root(&receipts);
    for index in [0, 1, 126, 127, 128, 129, 255, 256, 259] {
        let proof = prove_receipt(&receipts, index).unwrap();
        verify_receipt(root, index, &receipts[index], &proof).unwrap();
    }
}
