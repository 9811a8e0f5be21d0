//! The block: an Ethereum header, the seal it commits to, and the transactions.

use alloy_consensus::{Header, proofs::calculate_transaction_root};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::B256;
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader};
use bytes::Bytes;
use commonware_codec::{Buf, EncodeSize, Error as CodecError, RangeCfg, Read, Write};
use commonware_consensus::{
    Block as ConsensusBlock, BoundedBlock, CertifiableBlock, Heightable, types::Height,
};
use commonware_cryptography::{Digestible, keccak256::Digest};

use crate::{
    seal::{MAX_SEAL_BYTES, RoundContext, Seal},
    transaction::{Transaction, TransactionError},
};

/// The most bytes the encoded transactions of one block may take: 2 MiB. At about 110 bytes for a
/// transfer that is 19,000 transactions; at 31 MB/s between four validators it is 70 ms.
pub const MAX_TRANSACTIONS_BYTES: usize = 2 << 20;

/// The longest header, 640 bytes or so, with room for wider numbers.
pub const MAX_HEADER_BYTES: usize = 1024;

/// The longest encoded block: every transaction's own RLP prefix is counted in
/// [`MAX_TRANSACTIONS_BYTES`], what is left are three list prefixes.
pub const MAX_BLOCK_BYTES: usize = MAX_TRANSACTIONS_BYTES + MAX_HEADER_BYTES + MAX_SEAL_BYTES + 16;

/// A block. Its hash, `keccak(rlp(header))`, is also the digest consensus votes on; since the
/// header commits to seal and transactions, one hash means one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The Ethereum header.
    pub header: Header,
    /// What consensus adds.
    pub seal: Seal,
    /// The transactions, system transactions included, in order of execution.
    pub transactions: Vec<Transaction>,
}

/// Why bytes are not a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Longer than its limit.
    #[error("{part} has at most {limit} bytes, got {got}")]
    TooLong {
        /// Which part.
        part: &'static str,
        /// The limit.
        limit: usize,
        /// The length found.
        got: usize,
    },
    /// Not valid RLP.
    #[error("malformed block: {0}")]
    Malformed(String),
    /// One transaction is wrong.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Its position.
        index: usize,
        /// What is wrong.
        error: TransactionError,
    },
    /// The header's `extra_data` is not the commitment to this seal.
    #[error("the header's extra data does not commit to the seal, expected {0}")]
    SealMismatch(B256),
    /// The header's transactions root is not that of these transactions.
    #[error("the header's transactions root does not match, expected {0}")]
    TransactionsMismatch(B256),
}

impl Block {
    /// The block hash. Costs one keccak of the header: keep it where it is used often.
    #[must_use]
    pub fn hash(&self) -> B256 {
        self.header.hash_slow()
    }

    /// Unix time in milliseconds, from the header's nonce.
    #[must_use]
    pub const fn milliseconds(&self) -> u64 {
        header_milliseconds(&self.header)
    }

    /// Checks that the header commits to exactly this seal and these transactions. Every decoded
    /// block has passed.
    ///
    /// # Errors
    /// [`BlockError::SealMismatch`] and [`BlockError::TransactionsMismatch`].
    pub fn check_commitments(&self) -> Result<(), BlockError> {
        let seal = self.seal.commitment();
        if self.header.extra_data.as_ref() != seal.as_slice() {
            return Err(BlockError::SealMismatch(seal));
        }
        let root = transactions_root(&self.transactions);
        if self.header.transactions_root != root {
            return Err(BlockError::TransactionsMismatch(root));
        }
        Ok(())
    }

    /// The encoding: `rlp([header, seal, [transaction bytes, ...]])`.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_length());
        RlpHeader { list: true, payload_length: self.payload_length() }.encode(&mut out);
        self.header.encode(&mut out);
        self.seal.encode(&mut out);
        RlpHeader { list: true, payload_length: transactions_length(&self.transactions) }
            .encode(&mut out);
        for transaction in &self.transactions {
            let payload_length = transaction.encode_2718_len();
            RlpHeader { list: false, payload_length }.encode(&mut out);
            transaction.encode_2718(&mut out);
        }
        out
    }

    /// Decodes an encoding and checks its commitments; the whole input is one block.
    ///
    /// # Errors
    /// See [`BlockError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        limit("a block", MAX_BLOCK_BYTES, bytes.len())?;
        let mut rest = bytes;
        let mut fields = list(&mut rest)?;
        if !rest.is_empty() {
            return Err(BlockError::Malformed(format!("{} bytes after the end", rest.len())));
        }
        let header = decode_header_part(&mut fields)?;
        let seal = Seal::decode(&mut fields).map_err(malformed)?;
        let mut items = list(&mut fields)?;
        if !fields.is_empty() {
            return Err(BlockError::Malformed("more than three fields".into()));
        }
        limit("the transaction list", MAX_TRANSACTIONS_BYTES, items.len())?;
        let transactions = decode_transactions(&mut items)?;
        let block = Self { header, seal, transactions };
        block.check_commitments()?;
        if block.encoded() != bytes {
            return Err(BlockError::Malformed("not encoded canonically".into()));
        }
        Ok(block)
    }

    fn payload_length(&self) -> usize {
        let transactions = transactions_length(&self.transactions);
        self.header.length()
            + self.seal.length()
            + transactions
            + alloy_rlp::length_of_length(transactions)
    }

    fn encoded_length(&self) -> usize {
        let payload = self.payload_length();
        payload + alloy_rlp::length_of_length(payload)
    }
}

/// Unix time in milliseconds, from the header's nonce.
#[must_use]
pub const fn header_milliseconds(header: &Header) -> u64 {
    u64::from_be_bytes(header.nonce.0)
}

/// Decodes a header; the whole input is one header in its only encoding.
///
/// # Errors
/// When it is too long, malformed or not canonical.
pub fn decode_header(bytes: &[u8]) -> Result<Header, BlockError> {
    let mut rest = bytes;
    let header = decode_header_part(&mut rest)?;
    if rest.is_empty() {
        Ok(header)
    } else {
        Err(BlockError::Malformed(format!("{} bytes after the header", rest.len())))
    }
}

/// The root of the transactions trie.
#[must_use]
pub fn transactions_root(transactions: &[Transaction]) -> B256 {
    calculate_transaction_root(transactions)
}

/// The bytes `transactions` take in a block, to be held against [`MAX_TRANSACTIONS_BYTES`].
#[must_use]
pub fn transactions_length(transactions: &[Transaction]) -> usize {
    transactions.iter().map(transaction_length).sum()
}

/// The bytes one transaction takes in a block.
#[must_use]
pub fn transaction_length(transaction: &Transaction) -> usize {
    let length = transaction.encode_2718_len();
    length + alloy_rlp::length_of_length(length)
}

fn decode_header_part(buffer: &mut &[u8]) -> Result<Header, BlockError> {
    let start = *buffer;
    let header = Header::decode(buffer).map_err(malformed)?;
    let used = start.len() - buffer.len();
    limit("a header", MAX_HEADER_BYTES, used)?;
    // A lenient decoding would give two encodings, and so two hashes, to one header.
    if start.get(..used) == Some(alloy_rlp::encode(&header).as_slice()) {
        Ok(header)
    } else {
        Err(BlockError::Malformed("the header is not encoded canonically".into()))
    }
}

fn decode_transactions(items: &mut &[u8]) -> Result<Vec<Transaction>, BlockError> {
    let mut transactions = Vec::new();
    while !items.is_empty() {
        let bytes = RlpHeader::decode_bytes(items, false).map_err(malformed)?;
        let transaction = Transaction::decode(bytes)
            .map_err(|error| BlockError::Transaction { index: transactions.len(), error })?;
        transactions.push(transaction);
    }
    Ok(transactions)
}

fn list<'a>(buffer: &mut &'a [u8]) -> Result<&'a [u8], BlockError> {
    RlpHeader::decode_bytes(buffer, true).map_err(malformed)
}

const fn limit(part: &'static str, limit: usize, got: usize) -> Result<(), BlockError> {
    if got > limit { Err(BlockError::TooLong { part, limit, got }) } else { Ok(()) }
}

fn malformed(error: alloy_rlp::Error) -> BlockError {
    BlockError::Malformed(error.to_string())
}

// What follows lets consensus carry the block: the same bytes, after a length.

impl Write for Block {
    fn write(&self, buffer: &mut impl BufMut) {
        Bytes::from(self.encoded()).write(buffer);
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        let length = self.encoded_length();
        length.encode_size() + length
    }
}

impl Read for Block {
    type Cfg = ();

    fn read_cfg(buffer: &mut impl Buf, _: &()) -> Result<Self, CodecError> {
        let bytes = Bytes::read_cfg(buffer, &RangeCfg::from(0..=MAX_BLOCK_BYTES))?;
        Self::decode(&bytes).map_err(|error| CodecError::Wrapped("block", Box::new(error)))
    }
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        Digest(self.hash().0)
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.header.number)
    }
}

impl ConsensusBlock for Block {
    fn parent(&self) -> Digest {
        Digest(self.header.parent_hash.0)
    }
}

impl CertifiableBlock for Block {
    type Context = RoundContext;

    fn context(&self) -> RoundContext {
        self.seal.context(self.header.parent_hash)
    }
}

impl BoundedBlock for Block {
    fn max_encode_size((): &()) -> usize {
        MAX_BLOCK_BYTES + MAX_BLOCK_BYTES.encode_size()
    }
}
