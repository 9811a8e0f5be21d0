//! Why a transaction is not accepted, in the words that tools look for.

use alloy_primitives::{Address, U256};
use sahara_evm::StateError;
use sahara_finality::TransactionError;

/// Why the pool refuses a transaction. The texts begin as those of go-ethereum: ethers, viem, cast
/// and wallets recognise errors by them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Not a transaction of this chain.
    #[error("{0}")]
    Transaction(#[from] TransactionError),
    /// System transactions have no key and never come from outside.
    #[error("system transactions are made by the chain and not accepted")]
    System,
    /// The signature recovers to nobody.
    #[error("invalid sender: the signature is not valid")]
    InvalidSignature,
    /// EIP-155: signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// In the transaction.
        have: u64,
        /// Of this chain.
        want: u64,
    },
    /// A legacy transaction without chain id could be replayed elsewhere.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Already in the pool.
    #[error("already known")]
    AlreadyKnown,
    /// The account has sent more transactions already.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The account's next nonce.
        next: u64,
        /// The transaction's.
        nonce: u64,
    },
    /// EIP-2681.
    #[error("nonce has max value: {0}")]
    NonceMax(u64),
    /// The same nonce is in the pool at a similar fee.
    #[error(
        "replacement transaction underpriced: expected max fee of at least {max_fee} and max priority fee of at least {max_tip}"
    )]
    ReplacementUnderpriced {
        /// The least max fee per gas that replaces it.
        max_fee: u128,
        /// The least max priority fee per gas that replaces it.
        max_tip: u128,
    },
    /// The sender cannot pay for it and for what is already waiting.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx cost {cost}"
    )]
    InsufficientFunds {
        /// What the sender can spend.
        balance: U256,
        /// The cost of the sender's other transactions in the pool.
        queued: U256,
        /// The cost of this one.
        cost: U256,
    },
    /// Its fixed cost alone is above its gas limit.
    #[error("intrinsic gas too low: gas {gas}, minimum needed {minimum}")]
    IntrinsicGas {
        /// The gas limit.
        gas: u64,
        /// The least that can do.
        minimum: u64,
    },
    /// EIP-7623.
    #[error("insufficient gas for floor data gas cost: gas {gas}, minimum needed {minimum}")]
    FloorGas {
        /// The gas limit.
        gas: u64,
        /// The least that can do.
        minimum: u64,
    },
    /// No block could hold it.
    #[error("exceeds block gas limit: gas {gas}, limit {limit}")]
    BlockGasLimit {
        /// The gas limit.
        gas: u64,
        /// The block's.
        limit: u64,
    },
    /// EIP-7825.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas})")]
    TransactionGasLimit {
        /// The gas limit.
        gas: u64,
        /// The most a transaction may ask for.
        cap: u64,
    },
    /// EIP-1559.
    #[error(
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {max_tip}, maxFeePerGas: {max_fee}"
    )]
    TipAboveFee {
        /// The max priority fee per gas.
        max_tip: u128,
        /// The max fee per gas.
        max_fee: u128,
    },
    /// The base fee never falls so low.
    #[error(
        "transaction underpriced: max fee per gas less than block base fee: maxFeePerGas: {max_fee}, the base fee is never below {floor}"
    )]
    BelowBaseFee {
        /// The max fee per gas.
        max_fee: u128,
        /// The lowest base fee there can be.
        floor: u64,
    },
    /// The pool is full, and makes room for what can pay the base fee of the next block.
    #[error(
        "transaction underpriced: max fee per gas less than block base fee: maxFeePerGas: {max_fee}, baseFee: {base_fee}, and the pool is full"
    )]
    BelowPresentBaseFee {
        /// The max fee per gas, or that of an earlier one of the sender for which it would wait.
        max_fee: u128,
        /// The base fee of the next block.
        base_fee: u64,
    },
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {size}, limit {limit}")]
    InitcodeSize {
        /// Its length.
        size: usize,
        /// The most.
        limit: usize,
    },
    /// EIP-7702.
    #[error("EIP-7702 transaction with empty auth list")]
    EmptyAuthorizations,
    /// EIP-3607.
    #[error("sender not an eoa: address {0} has code")]
    SenderHasCode(Address),
    /// The pool is full of better paying ones.
    #[error("transaction underpriced: the pool is full, expected a priority fee above {0}")]
    Underpriced(u128),
    /// The sender delegates to code (EIP-7702), or a waiting transaction lets it, and has one waiting. Others
    /// may move its coin, so that what waits would be void at once, and for nothing.
    #[error("in-flight transaction limit reached for delegated accounts: {0} has one waiting")]
    DelegatedLimit(Address),
    /// As above; the one it may have must be the next.
    #[error("gapped-nonce tx from delegated accounts: next nonce {next}, tx nonce {nonce}")]
    DelegatedGap {
        /// The account's next nonce.
        next: u64,
        /// The transaction's.
        nonce: u64,
    },
    /// It would let an account delegate that has more than one waiting.
    #[error("authority already reserved: {0} has more than one transaction waiting")]
    AuthorityReserved(Address),
    /// The sender has as many as one sender may have.
    #[error("too many transactions of one sender: at most {transactions} with {bytes} bytes")]
    SenderLimit {
        /// The most transactions.
        transactions: usize,
        /// The most bytes.
        bytes: usize,
    },
    /// Its execution broke this node's rules; see [`Pool::banish`](super::Pool::banish).
    #[error("the transaction could not be executed by this node and is not accepted again")]
    Banished,
    /// The store failed.
    #[error("internal error")]
    State(String),
}

impl From<StateError> for PoolError {
    fn from(error: StateError) -> Self {
        Self::State(error.to_string())
    }
}
