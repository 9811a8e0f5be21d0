//! What a block holds: signed Ethereum transactions, and keyless system transactions.

use alloy_consensus::{EthereumTxEnvelope, TxEip4844, Typed2718};
use alloy_eips::eip2718::{
    Decodable2718, EIP1559_TX_TYPE_ID, EIP2930_TX_TYPE_ID, EIP4844_TX_TYPE_ID, EIP7702_TX_TYPE_ID,
    Encodable2718,
};
use alloy_primitives::{Address, B256, Bytes, address, keccak256};
use alloy_rlp::{BufMut, Decodable, Encodable, RlpDecodable, RlpEncodable};

/// A transaction signed by a key of secp256k1. Blob transactions exist in the type, never in a
/// block: [`Transaction::decode`] refuses them.
pub type EthereumTransaction = EthereumTxEnvelope<TxEip4844>;

/// The type byte of a [`SystemTransaction`]: `S`, outside what Ethereum and its rollups use.
pub const SYSTEM_TYPE: u8 = 0x53;

/// The sender of every system transaction. Nobody has its key: it is Ethereum's own system
/// address (EIP-4788, EIP-2935), so tools already know it.
pub const SYSTEM_ADDRESS: Address = address!("fffffffffffffffffffffffffffffffffffffffe");

/// The longest encoding of one transaction: 128 KiB, as Ethereum's pools accept. A claim batch of
/// 500 lines with signatures fits.
pub const MAX_TRANSACTION_BYTES: usize = 128 * 1024;

/// One transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are of the large variant")]
pub enum Transaction {
    /// Signed by an account, taken from the pool.
    Ethereum(EthereumTransaction),
    /// Written by the protocol itself; a proposer has no choice in it.
    System(SystemTransaction),
}

/// A call the protocol makes: no key, no nonce, no fee; sender [`SYSTEM_ADDRESS`].
///
/// Block number and index make every hash unique. The encoding is `0x53 || rlp(list)`, in field
/// order. It never enters through RPC or from peers' pools, only inside a block, where every node
/// computes for itself what must stand there.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SystemTransaction {
    /// The chain it belongs to.
    pub chain_id: u64,
    /// The block it stands in.
    pub block_number: u64,
    /// Its position among the block's system transactions.
    pub index: u32,
    /// The contract or native protocol called.
    pub to: Address,
    /// The call data.
    pub input: Bytes,
    /// The gas it may use, counted in the block's gas.
    pub gas_limit: u64,
}

/// Why bytes are not a transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Longer than [`MAX_TRANSACTION_BYTES`].
    #[error("a transaction has at most {MAX_TRANSACTION_BYTES} bytes, got {0}")]
    TooLong(usize),
    /// A type byte this chain does not know.
    #[error("transaction type {0:#04x} is not supported, expected 0, 1, 2 or 4")]
    UnsupportedType(u8),
    /// EIP-4844: there is no blob space here.
    #[error("blob transactions (type 3) are not supported, expected type 0, 1, 2 or 4")]
    Blob,
    /// Not valid RLP for its type.
    #[error("malformed transaction: {0}")]
    Malformed(String),
    /// Bytes after the end.
    #[error("{0} bytes after the end of the transaction")]
    Trailing(usize),
    /// Another encoding of the same values exists and is the right one.
    #[error("the transaction is not encoded canonically")]
    NotCanonical,
}

impl Transaction {
    /// Decodes an EIP-2718 encoding; the whole input is one transaction.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        let Some(first) = bytes.first().copied() else {
            return Err(TransactionError::Malformed("no bytes".into()));
        };
        if bytes.len() > MAX_TRANSACTION_BYTES {
            return Err(TransactionError::TooLong(bytes.len()));
        }
        let mut rest = bytes;
        let transaction = match first {
            SYSTEM_TYPE => {
                rest = rest.get(1..).unwrap_or_default();
                Self::System(SystemTransaction::decode(&mut rest).map_err(malformed)?)
            }
            EIP4844_TX_TYPE_ID => return Err(TransactionError::Blob),
            // Legacy transactions are a bare RLP list, whose first byte is 0xc0 or above.
            0xc0.. | EIP2930_TX_TYPE_ID | EIP1559_TX_TYPE_ID | EIP7702_TX_TYPE_ID => {
                Self::Ethereum(EthereumTransaction::decode_2718(&mut rest).map_err(malformed)?)
            }
            other => return Err(TransactionError::UnsupportedType(other)),
        };
        if !rest.is_empty() {
            return Err(TransactionError::Trailing(rest.len()));
        }
        // The decoders are lenient in places (booleans as 27/28, for one). A block's encoding
        // must be unique, so what does not encode to itself is refused.
        if transaction.encoded() != bytes {
            return Err(TransactionError::NotCanonical);
        }
        Ok(transaction)
    }

    /// The EIP-2718 encoding.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        self.encoded_2718()
    }

    /// The keccak of the encoding.
    #[must_use]
    pub fn hash(&self) -> B256 {
        match self {
            Self::Ethereum(transaction) => *transaction.tx_hash(),
            Self::System(transaction) => transaction.hash(),
        }
    }

    /// The EIP-2718 type; 0 for legacy.
    #[must_use]
    pub fn type_byte(&self) -> u8 {
        self.ty()
    }

    /// The signed transaction, if it is one.
    #[must_use]
    pub const fn as_ethereum(&self) -> Option<&EthereumTransaction> {
        match self {
            Self::Ethereum(transaction) => Some(transaction),
            Self::System(_) => None,
        }
    }

    /// The system transaction, if it is one.
    #[must_use]
    pub const fn as_system(&self) -> Option<&SystemTransaction> {
        match self {
            Self::Ethereum(_) => None,
            Self::System(transaction) => Some(transaction),
        }
    }
}

impl SystemTransaction {
    /// The keccak of `0x53 || rlp(list)`.
    #[must_use]
    pub fn hash(&self) -> B256 {
        let mut bytes = Vec::new();
        self.encode_typed(&mut bytes);
        keccak256(bytes)
    }

    fn encode_typed(&self, out: &mut dyn BufMut) {
        out.put_u8(SYSTEM_TYPE);
        self.encode(out);
    }
}

impl From<EthereumTransaction> for Transaction {
    fn from(transaction: EthereumTransaction) -> Self {
        Self::Ethereum(transaction)
    }
}

impl From<SystemTransaction> for Transaction {
    fn from(transaction: SystemTransaction) -> Self {
        Self::System(transaction)
    }
}

impl Typed2718 for Transaction {
    fn ty(&self) -> u8 {
        match self {
            Self::Ethereum(transaction) => transaction.ty(),
            Self::System(_) => SYSTEM_TYPE,
        }
    }
}

impl Encodable2718 for Transaction {
    fn encode_2718_len(&self) -> usize {
        match self {
            Self::Ethereum(transaction) => transaction.encode_2718_len(),
            Self::System(transaction) => transaction.length().saturating_add(1),
        }
    }

    fn encode_2718(&self, out: &mut dyn BufMut) {
        match self {
            Self::Ethereum(transaction) => transaction.encode_2718(out),
            Self::System(transaction) => transaction.encode_typed(out),
        }
    }
}

fn malformed(error: impl std::fmt::Display) -> TransactionError {
    TransactionError::Malformed(error.to_string())
}
