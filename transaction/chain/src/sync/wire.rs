//! What nodes say to each other when one of them fetches a state.
//!
//! ```text
//! message = rlp([tag, id, fields...])
//!   tag   0 handovers  [above]                       128 [[[header, seal, certificate, validators], ...], whether there are more]
//!         1 pivots     []                            129 [[[header, certificate], ...]]
//!         2 runs       [block hash, [place, ...]]    130 [[[[node, ...], [address, ...]], ...]]
//!         3 codes      [[hash, ...]]                 131 [[code, ...]]
//!         4 headers    [last, count]                 132 [[header, ...]]
//!         5 block      [number]                      133 [block, certificate]
//!                                                    134 []        what was asked for is not here
//!         6 past       [number, skipped]             135 [[past block, ...], bytes of the last still to come]
//! place      = [hashed address or nothing, a byte for each nibble, whether all below is wanted]
//! past block = rlp([block, certificate or nothing, [receipt, ...]])
//! ```
//! An answer has the id of its request. It may be shorter than what was asked for: runs, codes and
//! handovers are the first of those asked for, and a run may end anywhere. Past blocks are the one asked
//! for and those before it; one that is too long for a message is alone in its answer and comes in pieces,
//! of which the next is asked for by how many bytes of it are here.
//!
//! A message that changes takes another tag. Who gets a tag that it does not know gets it from a newer
//! program, and passes the message over: it is no lie.

use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Decodable, Encodable, Header, RlpDecodable, RlpEncodable};
use alloy_trie::Nibbles;
use sahara_finality::MAX_BLOCK_BYTES;

use crate::store::{Pivot, Place, Run};

/// The most subtries in a request.
pub const MAX_PLACES: usize = 64;
/// The most pieces of code in a request.
pub const MAX_CODES: usize = 32;
/// The most headers in a request: as far back as contracts may ask for hashes.
pub const MAX_HEADERS: usize = 256;
/// The most states in an answer.
pub const MAX_PIVOTS: usize = 16;
/// The most handovers in an answer.
pub const MAX_HANDOVERS: usize = 64;
/// The most past blocks in an answer: checking as many certificates takes a tenth of a second.
pub const MAX_PAST_BLOCKS: usize = 64;
/// The most nodes, and the most accounts, in an answer.
pub const MAX_NODES: usize = 16_384;
/// An answer of many parts ends with the part that reaches this: at 10 MB/s it takes 26 ms.
pub const ANSWER_BYTES: usize = 256 << 10;
/// The longest request: [`MAX_PLACES`] of at most 103 bytes.
pub const MAX_REQUEST_BYTES: usize = 8 << 10;
/// The longest message: a block.
pub const MAX_MESSAGE_BYTES: usize = MAX_BLOCK_BYTES + 4096;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The ends of epochs after which others validate, above a block.
    Handovers {
        /// The last one known; 0 for none.
        above: u64,
    },
    /// Which states can be had.
    Pivots,
    /// Nodes.
    Runs {
        /// After which block.
        pivot: B256,
        /// Which, and whether with all below.
        places: Vec<(Place, bool)>,
    },
    /// Code by hash.
    Codes(Vec<B256>),
    /// Headers.
    Headers {
        /// The last one.
        last: u64,
        /// How many.
        count: u64,
    },
    /// A block.
    Block(u64),
    /// A block with all it brought, and those before it.
    Past {
        /// The newest of them.
        number: u64,
        /// How many of its bytes are here already.
        skipped: u64,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Handovers, the oldest first.
    Handovers {
        /// Some.
        some: Vec<HandoverParts>,
        /// Whether there are more.
        has_more: bool,
    },
    /// States, the newest first.
    Pivots(Vec<Pivot>),
    /// Nodes.
    Runs(Vec<Run>),
    /// Code.
    Codes(Vec<Bytes>),
    /// Headers, the oldest first.
    Headers(Vec<Bytes>),
    /// A block.
    Block {
        /// Its encoding.
        block: Bytes,
        /// Its own certificate.
        certificate: Bytes,
    },
    /// It is not here.
    Gone,
    /// Blocks with all they brought.
    Past {
        /// Encodings of [`PastBlock`](crate::store::PastBlock), the newest first.
        blocks: Vec<Bytes>,
        /// How many bytes of the last are still to come.
        rest: u64,
    },
}

/// The end of an epoch, as it is sent and kept: [`Handover`](sahara_finality::Handover) unchecked.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct HandoverParts {
    /// RLP of the header.
    pub header: Bytes,
    /// The seal.
    pub seal: Bytes,
    /// The certificate.
    pub certificate: Bytes,
    /// The next validators.
    pub validators: Bytes,
}

/// A message with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(u64, Request),
    /// An answer to the request of that id.
    Answer(u64, Answer),
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Longer than its kind may be.
    #[error("a message of {got} bytes, expected at most {most}")]
    TooLong {
        /// The limit.
        most: usize,
        /// The length.
        got: usize,
    },
    /// More parts than there may be.
    #[error("a list of more than {0} parts")]
    TooMany(usize),
    /// Not the encoding of a message.
    #[error("malformed message: {0}")]
    Malformed(&'static str),
    /// A message of a kind that this program does not know.
    #[error("an unknown kind of message: tag {tag}")]
    Unknown {
        /// Its kind; an answer from 128 on.
        tag: u8,
        /// Its id.
        id: u64,
    },
}

impl From<alloy_rlp::Error> for WireError {
    fn from(_: alloy_rlp::Error) -> Self {
        Self::Malformed("not the RLP expected")
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct PlaceParts {
    owner: Bytes,
    path: Bytes,
    is_deep: bool,
}

#[derive(RlpEncodable, RlpDecodable)]
struct PivotParts {
    header: Bytes,
    certificate: Bytes,
}

#[derive(RlpEncodable)]
struct RunParts {
    nodes: Vec<Bytes>,
    addresses: Vec<Address>,
}

/// The tags of answers begin here.
const ANSWER: u8 = 128;

impl WireError {
    /// The id of an answer of an unknown kind.
    #[must_use]
    pub const fn unknown_answer(&self) -> Option<u64> {
        match self {
            Self::Unknown { tag, id } if *tag >= ANSWER => Some(*id),
            _ => None,
        }
    }
}

impl Message {
    /// The encoding.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Request(id, request) => request.encoded(*id),
            Self::Answer(id, answer) => answer.encoded(*id),
        }
    }

    /// Decodes an encoding; the whole input is one message in its only encoding.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        at_most(MAX_MESSAGE_BYTES, bytes.len())?;
        let mut rest = bytes;
        let mut fields = Header::decode_bytes(&mut rest, true)?;
        if !rest.is_empty() {
            return Err(WireError::Malformed("bytes after the end"));
        }
        let (tag, id) = (u8::decode(&mut fields)?, u64::decode(&mut fields)?);
        let message = if tag < ANSWER {
            at_most(MAX_REQUEST_BYTES, bytes.len())?;
            let request = Request::decode(tag, &mut fields)?;
            Self::Request(id, request.ok_or(WireError::Unknown { tag, id })?)
        } else {
            let answer = Answer::decode(tag, &mut fields)?;
            Self::Answer(id, answer.ok_or(WireError::Unknown { tag, id })?)
        };
        if !fields.is_empty() {
            return Err(WireError::Malformed("more fields than expected"));
        }
        if message.encoded() == bytes {
            Ok(message)
        } else {
            Err(WireError::Malformed("not encoded canonically"))
        }
    }
}

impl Request {
    fn encoded(&self, id: u64) -> Vec<u8> {
        match self {
            Self::Handovers { above } => list(0, id, &[above]),
            Self::Pivots => list(1, id, &[]),
            Self::Runs { pivot, places } => {
                let parts = |(place, is_deep): &(Place, bool)| PlaceParts {
                    owner: place.owner.map(|owner| owner.0.into()).unwrap_or_default(),
                    path: place.path.to_vec().into(),
                    is_deep: *is_deep,
                };
                list(2, id, &[pivot, &places.iter().map(parts).collect::<Vec<_>>()])
            }
            Self::Codes(hashes) => list(3, id, &[hashes]),
            Self::Headers { last, count } => list(4, id, &[last, count]),
            Self::Block(number) => list(5, id, &[number]),
            Self::Past { number, skipped } => list(6, id, &[number, skipped]),
        }
    }

    /// None of an unknown kind.
    fn decode(tag: u8, fields: &mut &[u8]) -> Result<Option<Self>, WireError> {
        Ok(Some(match tag {
            0 => Self::Handovers { above: u64::decode(fields)? },
            1 => Self::Pivots,
            2 => {
                let pivot = B256::decode(fields)?;
                let places = items::<PlaceParts>(fields, MAX_PLACES)?;
                Self::Runs { pivot, places: places.iter().map(place).collect::<Result<_, _>>()? }
            }
            3 => Self::Codes(items(fields, MAX_CODES)?),
            4 => Self::Headers { last: u64::decode(fields)?, count: u64::decode(fields)? },
            5 => Self::Block(u64::decode(fields)?),
            6 => Self::Past { number: u64::decode(fields)?, skipped: u64::decode(fields)? },
            _ => return Ok(None),
        }))
    }
}

impl Answer {
    fn encoded(&self, id: u64) -> Vec<u8> {
        match self {
            Self::Handovers { some, has_more } => list(128, id, &[some, has_more]),
            Self::Pivots(pivots) => {
                let parts = |Pivot { header, certificate }: &Pivot| PivotParts {
                    header: header.clone(),
                    certificate: certificate.clone(),
                };
                list(129, id, &[&pivots.iter().map(parts).collect::<Vec<_>>()])
            }
            Self::Runs(runs) => {
                let parts = |run: &Run| RunParts {
                    nodes: run.nodes.clone(),
                    addresses: run.addresses.clone(),
                };
                list(130, id, &[&runs.iter().map(parts).collect::<Vec<_>>()])
            }
            Self::Codes(codes) => list(131, id, &[codes]),
            Self::Headers(headers) => list(132, id, &[headers]),
            Self::Block { block, certificate } => list(133, id, &[block, certificate]),
            Self::Gone => list(134, id, &[]),
            Self::Past { blocks, rest } => list(135, id, &[blocks, rest]),
        }
    }

    /// None of an unknown kind.
    fn decode(tag: u8, fields: &mut &[u8]) -> Result<Option<Self>, WireError> {
        Ok(Some(match tag {
            128 => {
                let some = items(fields, MAX_HANDOVERS)?;
                Self::Handovers { some, has_more: bool::decode(fields)? }
            }
            129 => {
                let pivots = items::<PivotParts>(fields, MAX_PIVOTS)?.into_iter();
                let pivot = |PivotParts { header, certificate }| Pivot { header, certificate };
                Self::Pivots(pivots.map(pivot).collect())
            }
            130 => Self::Runs(runs(fields)?),
            131 => Self::Codes(items(fields, MAX_CODES)?),
            132 => Self::Headers(items(fields, MAX_HEADERS)?),
            133 => {
                Self::Block { block: Bytes::decode(fields)?, certificate: Bytes::decode(fields)? }
            }
            134 => Self::Gone,
            135 => {
                let blocks = items(fields, MAX_PAST_BLOCKS)?;
                Self::Past { blocks, rest: u64::decode(fields)? }
            }
            _ => return Ok(None),
        }))
    }
}

fn list(tag: u8, id: u64, fields: &[&dyn Encodable]) -> Vec<u8> {
    let length = |sum: usize, field: &&dyn Encodable| sum.saturating_add(field.length());
    let payload_length = fields.iter().fold(tag.length().saturating_add(id.length()), length);
    let mut out = Vec::with_capacity(payload_length.saturating_add(9));
    Header { list: true, payload_length }.encode(&mut out);
    tag.encode(&mut out);
    id.encode(&mut out);
    for field in fields {
        field.encode(&mut out);
    }
    out
}

/// A list of at most `most`: nothing is reserved for what a length only claims.
fn items<T: Decodable>(fields: &mut &[u8], most: usize) -> Result<Vec<T>, WireError> {
    let mut rest = Header::decode_bytes(fields, true)?;
    let mut items = Vec::new();
    while !rest.is_empty() {
        if items.len() == most {
            return Err(WireError::TooMany(most));
        }
        items.push(T::decode(&mut rest)?);
    }
    Ok(items)
}

fn runs(fields: &mut &[u8]) -> Result<Vec<Run>, WireError> {
    let mut rest = Header::decode_bytes(fields, true)?;
    let (mut runs, mut room) = (Vec::new(), (MAX_NODES, MAX_NODES));
    while !rest.is_empty() {
        if runs.len() == MAX_PLACES {
            return Err(WireError::TooMany(MAX_PLACES));
        }
        let mut parts = Header::decode_bytes(&mut rest, true)?;
        let run = Run { nodes: items(&mut parts, room.0)?, addresses: items(&mut parts, room.1)? };
        if !parts.is_empty() {
            return Err(WireError::Malformed("a run has nodes and addresses"));
        }
        room.0 = room.0.saturating_sub(run.nodes.len());
        room.1 = room.1.saturating_sub(run.addresses.len());
        runs.push(run);
    }
    Ok(runs)
}

fn place(parts: &PlaceParts) -> Result<(Place, bool), WireError> {
    let owner = match parts.owner.len() {
        0 => None,
        32 => Some(B256::from_slice(&parts.owner)),
        _ => return Err(WireError::Malformed("an owner is nothing or 32 bytes")),
    };
    if parts.path.len() > 64 || parts.path.iter().any(|nibble| *nibble > 15) {
        return Err(WireError::Malformed("a path has at most 64 nibbles"));
    }
    Ok((Place { owner, path: Nibbles::from_nibbles(&parts.path) }, parts.is_deep))
}

const fn at_most(most: usize, got: usize) -> Result<(), WireError> {
    if got > most { Err(WireError::TooLong { most, got }) } else { Ok(()) }
}
