//! The formats that others have stored or will send, byte for byte. A change here needs a version, not a
//! new snapshot: what was final under the old bytes must stay provable.

use std::fmt::Write as _;

use alloy_primitives::{Address, B256, Bytes, Log, LogData, Signature, U256, hex};
use sahara_finality::{Seal, SignedChange, Transaction, TxReceipt, ValidatorChange};

use crate::support::{CHAIN_ID, KINDS, Network, transaction};

fn each_kind() -> Vec<Transaction> {
    let signature = Signature::new(U256::from(7), U256::from(8), true);
    let fields = || (1, 2_000_000_000, Address::repeat_byte(3), 4, Bytes::from_static(b"input"));
    (0..KINDS).map(|kind| transaction(kind, fields(), signature)).collect()
}

fn change(network: &Network, next: &Network) -> SignedChange {
    let change = ValidatorChange {
        chain_id: CHAIN_ID,
        origin: network.chain.genesis,
        epoch: 1,
        current: network.validators.hash(),
        next: next.validators.clone(),
    };
    let signatures: Vec<_> = network.keys.iter().map(|keys| change.sign(&keys.consensus)).collect();
    change.collect(&network.validators, &signatures).unwrap()
}

fn receipt() -> TxReceipt {
    let data = LogData::new_unchecked(vec![B256::repeat_byte(5)], Bytes::from_static(b"data"));
    let log = Log { address: Address::repeat_byte(6), data };
    TxReceipt { type_byte: 2, status: true, cumulative_gas_used: 21_000, logs: vec![log].into() }
}

#[test]
fn formats_are_frozen() {
    let network = Network::new(4);
    let next = network.handed_to(&[3, 4, 5]);
    let block = network.child(&network.genesis, 0, each_kind());
    let closing = network.child_in(&block, 1, (0, Some(&next.validators)), Vec::new());
    let signed = network.certify(&block, &[0, 1, 2]).unwrap();
    let mut formats = vec![
        ("block", network.genesis.encoded()),
        ("block", block.encoded()),
        ("block", closing.encoded()),
        ("header", alloy_rlp::encode(&block.header)),
        ("certificate", [block.hash().to_vec(), signed].concat()),
        ("validators", network.validators.encoded()),
        ("set_change", change(&network, &next).encoded()),
        ("receipt", receipt().encoded()),
    ];
    let seals =
        [&network.genesis, &block, &closing].map(|block| ("seal", Seal::encoded(&block.seal)));
    formats.extend(seals);
    formats.extend(each_kind().iter().map(|one| ("transaction", one.encoded())));
    let mut text = String::new();
    for (name, bytes) in formats {
        writeln!(text, "{name} {}", hex::encode(bytes)).unwrap();
    }
    insta::assert_snapshot!(text);
}
