//! The messages of state sync, byte for byte, and what is not one.

use std::fmt::Write as _;

use alloy_primitives::{Address, B256, Bytes, hex};
use alloy_trie::Nibbles;
use proptest::{collection::vec, prelude::*};
use sahara_chain::{
    store::{PastBlock, Pivot, Place, Run},
    sync::wire::{
        Answer, HandoverParts, MAX_CODES, MAX_HEADERS, MAX_MESSAGE_BYTES, MAX_PAST_BLOCKS,
        MAX_PLACES, MAX_REQUEST_BYTES, Message, Request, WireError,
    },
};

use crate::world::{Change, World, transfer};

const fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn messages() -> Vec<Message> {
    let place = |owner, path: &[u8]| Place { owner, path: Nibbles::from_nibbles(path) };
    let places =
        vec![(place(None, &[]), true), (place(Some(B256::repeat_byte(3)), &[1, 15]), false)];
    let handover = HandoverParts {
        header: text("header"),
        seal: text("seal"),
        certificate: text("certificate"),
        validators: text("validators"),
    };
    let pivot = Pivot { header: text("header"), certificate: text("certificate") };
    let run =
        Run { nodes: vec![text("node"), text("n")], addresses: vec![Address::repeat_byte(4)] };
    let requests = [
        Request::Handovers { above: 9_999 },
        Request::Pivots,
        Request::Runs { pivot: B256::repeat_byte(2), places },
        Request::Codes(vec![B256::repeat_byte(5)]),
        Request::Headers { last: 1_000, count: 256 },
        Request::Block(1_000),
        Request::Past { number: 1_000, skipped: 7 },
    ];
    let answers = [
        Answer::Handovers { some: vec![handover], has_more: true },
        Answer::Pivots(vec![pivot]),
        Answer::Runs(vec![run, Run::default()]),
        Answer::Codes(vec![text("code")]),
        Answer::Headers(vec![text("one"), text("two")]),
        Answer::Block { block: text("block"), certificate: Bytes::new() },
        Answer::Gone,
        Answer::Past { blocks: vec![text("one"), text("two")], rest: 9 },
    ];
    let requests = requests.into_iter().map(|request| Message::Request(7, request));
    let answers = answers.into_iter().map(|answer| Message::Answer(300, answer));
    requests.chain(answers).collect()
}

/// A change here is a new version of the protocol, not a new snapshot.
#[test]
fn i7_messages_are_frozen() {
    let mut text = String::new();
    for message in messages() {
        writeln!(text, "{}", hex::encode(message.encoded())).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// What an answer about the past holds: a block with its certificate and receipts, and one that was final
/// through a descendant.
#[test]
fn i7_past_blocks_are_frozen() {
    let mut world = World::new(5);
    let (transaction, receipt) = transfer(7, 10);
    world.commit_with(&[Change::Balance(1, 3)], (vec![transaction], vec![receipt]));
    let past = world.store.past_block(1).unwrap().unwrap();
    let mut text = String::new();
    for past in [PastBlock { certificate: Bytes::new(), ..past.clone() }, past] {
        let bytes = alloy_rlp::encode(&past);
        writeln!(text, "{}", hex::encode(&bytes)).unwrap();
        let read = PastBlock::decode_exact(&bytes).unwrap();
        assert_eq!(read, past);
        let proven = read.prove(world.store.head().hash).unwrap();
        assert_eq!((proven.number(), proven.certificate), (1, past.certificate));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn i7_a_message_decodes_to_itself_and_no_other_bytes_to_it() {
    for message in messages() {
        let bytes = message.encoded();
        assert_eq!(Message::decode(&bytes).unwrap(), message);
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err());
        }
        assert!(Message::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }
}

/// A newer program may say more: that is told from what nobody may say.
#[test]
fn i3_a_message_of_an_unknown_kind_is_known_as_such() {
    // A list of a tag, an id and a field.
    let unknown = |tag: u8| Message::decode(&[0xc4, 0x81, tag, 7, 9]).unwrap_err();
    assert_eq!(unknown(136), WireError::Unknown { tag: 136, id: 7 });
    assert_eq!(unknown(255).unknown_answer(), Some(7));
    let request = Message::decode(&[0xc3, 7, 8, 9]).unwrap_err();
    assert_eq!(request, WireError::Unknown { tag: 7, id: 8 });
    assert_eq!(request.unknown_answer(), None, "another's request has no id of ours");
    assert!(matches!(unknown(135), WireError::Malformed(_)), "a known one must be whole");
}

#[test]
fn i7_every_list_has_a_limit() {
    let place = (Place::root(None), true);
    let too_many = [
        Message::Request(
            1,
            Request::Runs { pivot: B256::ZERO, places: vec![place; MAX_PLACES + 1] },
        ),
        Message::Request(1, Request::Codes(vec![B256::ZERO; MAX_CODES + 1])),
        Message::Answer(1, Answer::Codes(vec![Bytes::new(); MAX_CODES + 1])),
        Message::Answer(1, Answer::Headers(vec![Bytes::new(); MAX_HEADERS + 1])),
        Message::Answer(1, Answer::Runs(vec![Run::default(); MAX_PLACES + 1])),
        Message::Answer(
            1,
            Answer::Past { blocks: vec![Bytes::new(); MAX_PAST_BLOCKS + 1], rest: 0 },
        ),
    ];
    for message in too_many {
        let refused = Message::decode(&message.encoded()).unwrap_err();
        assert!(matches!(refused, WireError::TooMany(_)), "{refused}");
    }
    // The longest request there may be is one.
    let deep = Place { owner: Some(B256::ZERO), path: Nibbles::from_nibbles([15; 64]) };
    let longest = Request::Runs { pivot: B256::ZERO, places: vec![(deep, true); MAX_PLACES] };
    let longest = Message::Request(u64::MAX, longest).encoded();
    assert!(longest.len() <= MAX_REQUEST_BYTES, "{}", longest.len());
    assert!(Message::decode(&longest).is_ok());
    let long = Bytes::from(vec![0; MAX_MESSAGE_BYTES]);
    let long = Message::Answer(1, Answer::Codes(vec![long])).encoded();
    assert!(matches!(Message::decode(&long), Err(WireError::TooLong { .. })));
}

proptest! {
    #[test]
    fn i7_bytes_are_refused_or_canonical(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
        garbage in vec(any::<u8>(), 0..200),
    ) {
        let all = messages();
        let mut bytes = all[which.index(all.len())].encoded();
        *place.get_mut(&mut bytes) ^= flip;
        for bytes in [bytes, garbage] {
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(message.encoded(), bytes);
            }
        }
    }
}
