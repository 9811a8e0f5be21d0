//! Why a transaction cannot stand in a block, in the words Ethereum's tools look for.

use alloy_primitives::U256;
use revm::context::result::InvalidTransaction;

/// A transaction that is not executed: no fee is taken and no nonce used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Signed for another chain.
    #[error("invalid chain id for signer: expected {expected}, got {got:?}")]
    ChainId {
        /// This chain.
        expected: u64,
        /// The transaction's, if it has one.
        got: Option<u64>,
    },
    /// Type 3.
    #[error("blob transactions (type 3) are not supported, expected type 0, 1, 2 or 4")]
    Blob,
    /// Already used.
    #[error("nonce too low: next nonce {state}, tx nonce {tx}")]
    NonceTooLow {
        /// The transaction's.
        tx: u64,
        /// The account's next.
        state: u64,
    },
    /// An earlier one is missing.
    #[error("nonce too high: next nonce {state}, tx nonce {tx}")]
    NonceTooHigh {
        /// The transaction's.
        tx: u64,
        /// The account's next.
        state: u64,
    },
    /// The nonce has no successor.
    #[error("nonce has max value: {}", u64::MAX)]
    NonceMax,
    /// Not enough coin, settled earnings included.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    InsufficientFunds {
        /// The sender's.
        balance: U256,
        /// Gas limit times highest price, plus value.
        cost: U256,
    },
    /// The gas limit does not pay for the transaction as such.
    #[error("intrinsic gas too low: gas {gas_limit}, minimum needed {needed}")]
    IntrinsicGas {
        /// The transaction's limit.
        gas_limit: u64,
        /// What it needs at least.
        needed: u64,
    },
    /// The base fee is higher than the sender would pay.
    #[error("max fee per gas less than block base fee: maxFeePerGas {max_fee}, baseFee {base_fee}")]
    FeeTooLow {
        /// The sender's bound.
        max_fee: u128,
        /// The block's.
        base_fee: u64,
    },
    /// The tip is above the bound it is part of.
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveMaxFee,
    /// More gas than any block has, or than this one has left.
    #[error("exceeds block gas limit: tx gas {gas_limit}, available {available}")]
    BlockGasLimit {
        /// The transaction's limit.
        gas_limit: u64,
        /// What is left.
        available: u64,
    },
    /// EIP-7825.
    #[error("transaction gas limit too high: gas {gas_limit}, cap {cap}")]
    GasLimitCap {
        /// The transaction's limit.
        gas_limit: u64,
        /// The most any transaction may ask for.
        cap: u64,
    },
    /// EIP-3607.
    #[error("sender not an eoa: it has code")]
    SenderHasCode,
    /// EIP-3860.
    #[error("max initcode size exceeded")]
    InitCodeTooLarge,
    /// EIP-7702.
    #[error("EIP-7702 transaction with empty auth list")]
    NoAuthorizations,
    /// Anything else that cannot happen with a decoded transaction of types 0, 1, 2 and 4.
    #[error("invalid transaction: {0}")]
    Other(String),
}

/// What [`Refusal`] needs to know of the transaction and its block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) chain_id: u64,
    pub(crate) tx_chain_id: Option<u64>,
    pub(crate) max_fee: u128,
    pub(crate) base_fee: u64,
    pub(crate) gas_limit: u64,
    pub(crate) block_gas_limit: u64,
}

impl Refusal {
    pub(crate) fn from_revm(error: &InvalidTransaction, about: &Circumstances) -> Self {
        use InvalidTransaction as Invalid;
        match error {
            Invalid::InvalidChainId | Invalid::MissingChainId => {
                Self::ChainId { expected: about.chain_id, got: about.tx_chain_id }
            }
            Invalid::NonceTooLow { tx, state } => Self::NonceTooLow { tx: *tx, state: *state },
            Invalid::NonceTooHigh { tx, state } => Self::NonceTooHigh { tx: *tx, state: *state },
            Invalid::NonceOverflowInTransaction => Self::NonceMax,
            Invalid::LackOfFundForMaxFee { fee, balance } => {
                Self::InsufficientFunds { balance: **balance, cost: **fee }
            }
            Invalid::CallGasCostMoreThanGasLimit { initial_gas: needed, gas_limit }
            | Invalid::GasFloorMoreThanGasLimit { gas_floor: needed, gas_limit } => {
                Self::IntrinsicGas { gas_limit: *gas_limit, needed: *needed }
            }
            Invalid::GasPriceLessThanBasefee => {
                Self::FeeTooLow { max_fee: about.max_fee, base_fee: about.base_fee }
            }
            Invalid::PriorityFeeGreaterThanMaxFee => Self::TipAboveMaxFee,
            Invalid::CallerGasLimitMoreThanBlock => {
                Self::BlockGasLimit { gas_limit: about.gas_limit, available: about.block_gas_limit }
            }
            Invalid::TxGasLimitGreaterThanCap { gas_limit, cap } => {
                Self::GasLimitCap { gas_limit: *gas_limit, cap: *cap }
            }
            Invalid::RejectCallerWithCode => Self::SenderHasCode,
            Invalid::CreateInitCodeSizeLimit => Self::InitCodeTooLarge,
            Invalid::EmptyAuthorizationList => Self::NoAuthorizations,
            other => Self::Other(other.to_string()),
        }
    }
}
