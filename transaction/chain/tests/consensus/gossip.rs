//! What nodes send each other of transactions, byte for byte: nodes of two programs run beside each other.

use bytes::Bytes;
use sahara_chain::consensus::gossip::{CHANNEL, MAX_MESSAGE_BYTES, decode_batch};

#[test]
fn a_message_of_transactions_is_how_many_and_each_after_its_length() {
    let message = [2, 1, 0xaa, 2, 0xbb, 0xcc];
    let parts = [Bytes::from_static(&[0xaa]), Bytes::from_static(&[0xbb, 0xcc])];
    assert_eq!(decode_batch(&message), Some(parts.to_vec()));
    // A length from 128 on takes a second byte, seven bits each, the low ones first.
    let long = [&[1, 0xac, 0x02][..], &[7; 300]].concat();
    assert_eq!(decode_batch(&long), Some(vec![Bytes::from(vec![7; 300])]));
    assert_eq!(CHANNEL, 5);
}

#[test]
fn what_is_no_message_of_transactions_is_none() {
    for wrong in [
        &[][..],
        &[0],
        &[1],
        &[1, 0],
        &[1, 2, 0xaa],
        &[1, 1, 0xaa, 0],
        &[0xff; 9],
        &vec![1; MAX_MESSAGE_BYTES + 1],
    ] {
        let start = wrong.get(..8).unwrap_or(wrong);
        assert_eq!(decode_batch(wrong), None, "{start:?}, {} bytes", wrong.len());
    }
}
