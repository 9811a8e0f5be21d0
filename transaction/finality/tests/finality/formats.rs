//! I1 and I2: one hash is one block, and one value has one encoding.

use alloy_primitives::{Address, B256};
use commonware_codec::{Decode as _, Encode as _};
use commonware_consensus::{BoundedBlock as _, CertifiableBlock as _};
use proptest::{collection::vec, prelude::*};
use sahara_finality::{
    Block, BlockError, MAX_TRANSACTION_BYTES, MAX_TRANSACTIONS_BYTES, Seal, SystemTransaction,
    Transaction, TransactionError, TxReceipt, decode_header, parse_hex, to_hex,
};

use crate::support::{Network, bytes, receipts, transactions};

fn block_with(transactions: Vec<Transaction>) -> Block {
    let network = Network::new(1);
    network.child(&network.genesis, 0, transactions)
}

proptest! {
    #[test]
    fn i2_a_transaction_decodes_to_itself(transaction in transactions()) {
        let bytes = transaction.encoded();
        let decoded = Transaction::decode(&bytes).unwrap();
        prop_assert_eq!(&decoded.encoded(), &bytes);
        prop_assert_eq!(decoded.hash(), transaction.hash());
        prop_assert_eq!(decoded.hash(), alloy_primitives::keccak256(&bytes));
        prop_assert_eq!(decoded, transaction);
    }

    #[test]
    fn i2_a_changed_transaction_is_another_or_none(
        transaction in transactions(),
        position in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut bytes = transaction.encoded();
        *position.get_mut(&mut bytes) ^= flip;
        if let Ok(other) = Transaction::decode(&bytes) {
            prop_assert_eq!(other.encoded(), bytes);
            prop_assert_ne!(other.hash(), transaction.hash());
        }
    }

    #[test]
    fn i2_garbage_is_refused_or_canonical(garbage in bytes(300)) {
        if let Ok(transaction) = Transaction::decode(&garbage) {
            prop_assert_eq!(transaction.encoded(), garbage.to_vec());
        }
        if let Ok(receipt) = TxReceipt::decode(&garbage) {
            prop_assert_eq!(receipt.encoded(), garbage.to_vec());
        }
        if let Ok(block) = Block::decode(&garbage) {
            prop_assert_eq!(block.encoded(), garbage.to_vec());
        }
        prop_assert!(Seal::decode_exact(&garbage).is_err());
        prop_assert!(decode_header(&garbage).is_err());
    }

    #[test]
    fn i2_a_receipt_decodes_to_itself(receipt in receipts()) {
        prop_assert_eq!(TxReceipt::decode(&receipt.encoded()).unwrap(), receipt);
    }

    #[test]
    fn i2_a_block_decodes_to_itself(transactions in vec(transactions(), 0..8)) {
        let block = block_with(transactions);
        let decoded = Block::decode(&block.encoded()).unwrap();
        prop_assert_eq!(&decoded, &block);
        let carried = Block::decode_cfg(block.encode(), &()).unwrap();
        prop_assert_eq!(&carried, &block);
        prop_assert!(block.encode().len() <= Block::max_encode_size(&()));
    }

    #[test]
    fn i1_a_changed_block_has_another_hash_or_none(
        transactions in vec(transactions(), 1..4),
        position in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let block = block_with(transactions);
        let mut bytes = block.encoded();
        *position.get_mut(&mut bytes) ^= flip;
        if let Ok(other) = Block::decode(&bytes) {
            prop_assert_ne!(other.hash(), block.hash());
        }
    }
}

#[test]
fn i1_a_header_with_another_body_is_no_block() {
    let network = Network::new(1);
    let block = network.child(&network.genesis, 0, Vec::new());
    let mut other = block.clone();
    let system = SystemTransaction {
        chain_id: 1,
        block_number: 1,
        index: 0,
        to: Address::ZERO,
        input: Default::default(),
        gas_limit: 1,
    };
    other.transactions.push(system.into());
    assert!(matches!(Block::decode(&other.encoded()), Err(BlockError::TransactionsMismatch(_))));
    let mut other = block;
    other.seal = Seal::Genesis { chain_id: 1, validators: B256::ZERO };
    assert!(matches!(Block::decode(&other.encoded()), Err(BlockError::SealMismatch(_))));
}

#[test]
fn the_context_is_that_of_the_seal() {
    let network = Network::new(1);
    let block = network.child(&network.genesis, 0, Vec::new());
    let context = block.context();
    assert_eq!(context.parent.1.0, network.genesis.hash().0);
    assert_eq!(context.round.view().get(), 1);
}

#[test]
fn transactions_are_refused_with_the_reason() {
    let decode = |bytes: &[u8]| Transaction::decode(bytes).unwrap_err();
    assert_eq!(decode(&[3, 0xc0]), TransactionError::Blob);
    assert_eq!(decode(&[5, 0xc0]), TransactionError::UnsupportedType(5));
    assert!(matches!(decode(&[]), TransactionError::Malformed(_)));
    let long = vec![2; MAX_TRANSACTION_BYTES + 1];
    assert_eq!(decode(&long), TransactionError::TooLong(long.len()));
    let mut trailing = block_with(Vec::new()).seal.encoded();
    trailing.insert(0, 0x53);
    assert!(matches!(decode(&trailing), TransactionError::Malformed(_)));
    let system = SystemTransaction {
        chain_id: 1,
        block_number: 2,
        index: 3,
        to: Address::ZERO,
        input: Default::default(),
        gas_limit: 4,
    };
    let mut bytes = Transaction::from(system).encoded();
    bytes.push(0);
    assert_eq!(decode(&bytes), TransactionError::Trailing(1));
}

#[test]
fn a_block_with_too_many_bytes_is_refused() {
    let large = |index| {
        Transaction::System(SystemTransaction {
            chain_id: 1,
            block_number: 1,
            index,
            to: Address::ZERO,
            input: vec![0; MAX_TRANSACTION_BYTES - 64].into(),
            gas_limit: 1,
        })
    };
    let count = u32::try_from(MAX_TRANSACTIONS_BYTES / MAX_TRANSACTION_BYTES).unwrap();
    let fits = block_with((0..count).map(large).collect());
    assert_eq!(Block::decode(&fits.encoded()), Ok(fits));
    let exceeds = block_with((0..=count).map(large).collect());
    assert!(matches!(Block::decode(&exceeds.encoded()), Err(BlockError::TooLong { .. })));
}

#[test]
fn keys_are_written_and_read_as_hexadecimal() {
    let key = crate::support::validator(1).consensus_key;
    assert_eq!(parse_hex("consensus key", &to_hex(&key)), Ok(key));
    let error = parse_hex::<sahara_finality::NetworkPublicKey>("network key", "0x12").unwrap_err();
    assert!(error.to_string().starts_with("not a valid network key"), "{error}");
}
