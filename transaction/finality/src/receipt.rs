//! What a transaction did, as the receipts root commits to it.

use alloy_consensus::Typed2718;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bloom, Log, logs_bloom};
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
    pub logs: Vec<Log>,
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
    pub fn bloom(&self) -> Bloom {
        logs_bloom(&self.logs)
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
            logs: fields.logs,
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
            + self.logs.length();
        RlpHeader { list: true, payload_length }
    }
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
        self.logs.encode(out);
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
