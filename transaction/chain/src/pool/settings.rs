//! What the pool is told: its limits and the chain's head; and how it shows itself.

use super::entry::PooledTransaction;
use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;
use alloy_primitives::{Address, U256};
use sahara_evm::StateError;
use std::sync::Arc;

/// The pool's limits. With the defaults it holds at most 64 MiB of transactions, about 200 MiB of
/// memory when all are simple transfers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// The EIP-155 chain id.
    pub chain_id: u64,
    /// The most transactions.
    pub max_transactions: usize,
    /// The most bytes of all encodings.
    pub max_bytes: usize,
    /// The most transactions of one sender.
    pub max_sender_transactions: usize,
    /// The most bytes of one sender's encodings.
    pub max_sender_bytes: usize,
    /// EIP-7825: the most gas one transaction may ask for.
    pub max_transaction_gas: u64,
    /// How long a transaction may wait, in seconds of block time.
    pub lifetime_seconds: u64,
}

/// Three hours, as go-ethereum and reth.
const LIFETIME_SECONDS: u64 = 3 * 3_600;

impl PoolSettings {
    /// The defaults: 131,072 transactions, that is 12 s of the fastest peer's rate (11,000/s), and
    /// 2,048 of each sender, so that 64 busy senders can fill it.
    #[must_use]
    pub const fn new(chain_id: u64) -> Self {
        Self {
            chain_id,
            lifetime_seconds: LIFETIME_SECONDS,
            max_transactions: 131_072,
            max_bytes: 64 << 20,
            max_sender_transactions: 2_048,
            max_sender_bytes: 4 << 20,
            max_transaction_gas: MAX_TX_GAS_LIMIT_OSAKA,
        }
    }
}

/// The finalised head as the next block's transactions will meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its time, in seconds: the pool has no other clock.
    pub timestamp: u64,
    /// The base fee of the next block.
    pub base_fee: u64,
    /// What it never falls below, until governance sets something else: what pays less enters no block.
    pub base_fee_floor: u64,
    /// The gas limit of the next block.
    pub gas_limit: u64,
}

/// An account as far as the pool needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spendable {
    /// The next nonce.
    pub nonce: u64,
    /// Base units it can spend: its balance and what would be settled before its transaction runs.
    pub balance: U256,
    /// Whether it has code other than an EIP-7702 delegation (EIP-3607: such accounts send nothing).
    pub has_code: bool,
    /// Whether it delegates to code (EIP-7702): then others may move its coin.
    pub is_delegated: bool,
}

/// How the pool reads accounts at the finalised head. It is asked while no lock is held.
pub trait Accounts: Send + Sync {
    /// The account; a default one when the state has none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn spendable(&self, address: Address) -> Result<Spendable, StateError>;
}

impl<F> Accounts for F
where
    F: Fn(Address) -> Result<Spendable, StateError> + Send + Sync,
{
    fn spendable(&self, address: Address) -> Result<Spendable, StateError> {
        self(address)
    }
}

/// How full the pool is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Transactions that continue their account's nonce.
    pub pending: usize,
    /// Transactions behind a gap.
    pub queued: usize,
    /// Bytes of all encodings.
    pub bytes: usize,
}

/// One sender's transactions, by nonce.
#[derive(Clone, Debug)]
pub struct SenderContent {
    /// The sender.
    pub sender: Address,
    /// Those that continue the account's nonce.
    pub pending: Vec<Arc<PooledTransaction>>,
    /// Those behind a gap.
    pub queued: Vec<Arc<PooledTransaction>>,
}
