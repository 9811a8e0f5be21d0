//! What a transaction did, as the receipts root commits to it.

use alloy_consensus::Typed2718;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bloom, BloomInput, Log};
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader, RlpDecodable};

use crate::transaction::SYSTEM_TYPE;

/// The highest type byte Ethereum's envelopes know, EIP-7702.
const MAX_ETHEREUM_TYPE: u8 = 4;

/// A transaction receipt (*not* a usage receipt): EIP-2718, `type || rlp([status, cumulative gas,
/// bloom, logs])`, without the type byte for legacy transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxReceipt {
    /// The type byte of the transaction, [`SYSTEM_TYPE`] included.
    pub type_byte: u8,
    /// Whether it succeeded.
    pub status: bool,
    /// Gas used in the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// The logs, in order.
    pub logs: Logs,
}

/// A transaction's logs, with the bloom filter that follows from them. The filter takes up to five hashes
/// a log, and header, receipts trie and store all ask for it, so it is made once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    list: Vec<Log>,
    bloom: Bloom,
}

/// Why bytes are not a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A type byte no transaction here has.
    #[error("receipt type {0:#04x} is not supported")]
    UnsupportedType(u8),
    /// Not valid RLP.
    #[error("malformed receipt: {0}")]
    Malformed(String),
    /// Does not encode to itself, or its bloom is not that of its logs.
    #[error("the receipt is not encoded canonically")]
    NotCanonical,
}

#[derive(RlpDecodable)]
struct Fields {
    status: bool,
    cumulative_gas_used: u64,
    bloom: Bloom,
    logs: Vec<Log>,
}

impl TxReceipt {
    /// The bloom filter of its logs.
    #[must_use]
    pub const fn bloom(&self) -> Bloom {
        self.logs.bloom
    }

    /// The EIP-2718 encoding, the leaf of the receipts trie.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        self.encoded_2718()
    }

    /// Decodes a leaf of the receipts trie; the whole input is one receipt.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let (type_byte, mut rest) = match bytes.split_first() {
            Some((first, rest)) if *first < 0xc0 => (*first, rest),
            _ => (0, bytes),
        };
        if type_byte > MAX_ETHEREUM_TYPE && type_byte != SYSTEM_TYPE {
            return Err(ReceiptError::UnsupportedType(type_byte));
        }
        let fields = Fields::decode(&mut rest)
            .map_err(|error| ReceiptError::Malformed(error.to_string()))?;
        let receipt = Self {
            type_byte,
            status: fields.status,
            cumulative_gas_used: fields.cumulative_gas_used,
            logs: fields.logs.into(),
        };
        if fields.bloom != receipt.bloom() || receipt.encoded() != bytes {
            return Err(ReceiptError::NotCanonical);
        }
        Ok(receipt)
    }

    fn list_header(&self) -> RlpHeader {
        let payload_length = self.status.length()
            + self.cumulative_gas_used.length()
            + Bloom::ZERO.length()
            + self.logs.list.length();
        RlpHeader { list: true, payload_length }
    }
}

impl From<Vec<Log>> for Logs {
    fn from(list: Vec<Log>) -> Self {
        let bloom = bloom_of(&list);
        Self { list, bloom }
    }
}

impl From<Logs> for Vec<Log> {
    fn from(logs: Logs) -> Self {
        logs.list
    }
}

impl std::ops::Deref for Logs {
    type Target = [Log];

    fn deref(&self) -> &[Log] {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Logs {
    type Item = &'a Log;
    type IntoIter = std::slice::Iter<'a, Log>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl IntoIterator for Logs {
    type Item = Log;
    type IntoIter = std::vec::IntoIter<Log>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// What stands where it stood in the log before is in the filter already: mostly the emitter and the
/// event.
fn bloom_of(logs: &[Log]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    let mut before: Option<&Log> = None;
    for log in logs {
        if before.is_none_or(|before| before.address != log.address) {
            bloom.accrue(BloomInput::Raw(log.address.as_slice()));
        }
        for (place, topic) in log.topics().iter().enumerate() {
            if before.is_none_or(|before| before.topics().get(place) != Some(topic)) {
                bloom.accrue(BloomInput::Raw(topic.as_slice()));
            }
        }
        before = Some(log);
    }
    bloom
}

impl Typed2718 for TxReceipt {
    fn ty(&self) -> u8 {
        self.type_byte
    }
}

impl Encodable2718 for TxReceipt {
    fn encode_2718_len(&self) -> usize {
        self.list_header().length_with_payload() + usize::from(self.type_byte != 0)
    }

    fn encode_2718(&self, out: &mut dyn BufMut) {
        if self.type_byte != 0 {
            out.put_u8(self.type_byte);
        }
        self.list_header().encode(out);
        self.status.encode(out);
        self.cumulative_gas_used.encode(out);
        self.bloom().encode(out);
        self.logs.list.encode(out);
    }
}

/// The union of the receipts' blooms, the header's `logs_bloom`.
#[must_use]
pub fn block_bloom(receipts: &[TxReceipt]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for receipt in receipts {
        bloom |= receipt.bloom();
    }
    bloom
}

/// The root of the receipts trie.
#[must_use]
pub fn receipts_root(receipts: &[TxReceipt]) -> B256 {
    alloy_consensus::proofs::calculate_receipt_root(receipts)
}
