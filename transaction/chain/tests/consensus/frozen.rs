//! What nodes ask each other for, and the envelopes of it, byte for byte: nodes of two programs run beside each
//! other.

use std::fmt::Write as _;

use alloy_primitives::hex;
use commonware_codec::Encode as _;
use commonware_consensus::{
    marshal::resolver::handler::Key,
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use sahara_chain::consensus::{Content, Envelope, requested_block};

/// Requests for a block, in the order of their kinds.
fn keys() -> [Vec<u8>; 3] {
    let round = Round::new(Epoch::new(5), View::new(300));
    let keys: [Key<Digest>; 3] = [
        Key::Block(Digest([9; 32])),
        Key::Finalized { height: Height::new(1_000) },
        Key::Notarized { round },
    ];
    keys.map(|key| key.encode().to_vec())
}

/// A change here is a new version of the protocol, not a new snapshot.
#[test]
fn requests_for_what_was_missed_and_their_envelopes_are_frozen() {
    let mut text = String::new();
    for key in keys() {
        assert_eq!(requested_block(&key), Some(key.clone()));
        writeln!(text, "block_request {}", hex::encode(key)).unwrap();
    }
    let view = 300_u64.to_be_bytes().to_vec();
    let channels = [(None, keys().to_vec()), (Some(300), vec![view])];
    for (epoch, asked) in channels {
        let contents = asked.into_iter().map(Content::Request);
        let contents = contents.chain([Content::Answer(vec![9; 300]), Content::Refusal]);
        for content in contents {
            let envelope = Envelope { epoch, id: 7, content };
            let bytes = envelope.encoded();
            let read =
                if epoch.is_some() { Envelope::of_certificates } else { Envelope::of_blocks };
            assert_eq!(read(&bytes).as_ref(), Some(&envelope));
            writeln!(text, "resolver_message {}", hex::encode(bytes)).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}
