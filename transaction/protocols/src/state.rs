//! What a rule may do: read, and — when it is given [`Write`] — change words, move coin and log.
//!
//! State is an argument, never ambient: a view receives [`Read`] and cannot write.

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::IProtocol;
use sahara_primitives::{Amount, Overflow, Timestamp};

/// How a rule ends when it does not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The caller is refused; the bytes are an ABI-encoded custom error.
    Revert(Bytes),
    /// The rule must call other contracts, which the protocol's own code does; nothing was changed.
    CallsOut,
    /// The call's gas does not pay for the work.
    OutOfGas,
    /// A rule found its own state broken: never a user's fault, and the same for every node.
    Fatal(String),
    /// This node cannot read its store: its own fault alone, so that nothing may be decided by it.
    Store(String),
}

impl<E: alloy_sol_types::SolError> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Revert(error.abi_encode().into())
    }
}

/// Money that does not fit its type refuses the caller; it never wraps.
pub(crate) fn overflow(_: Overflow) -> Failure {
    IProtocol::Overflow {}.into()
}

/// The block in which a rule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Height.
    pub number: u64,
    /// Seconds of the block header.
    pub timestamp: Timestamp,
    /// The block's `prevrandao`: nobody knew it before the block, its leader may withhold it.
    pub randomness: B256,
}

/// What a call has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Base units that the block takes for a unit of gas.
    pub base_fee: u64,
    /// Gas that the call has used.
    pub gas: u64,
    /// Gas that will be given back for it; of a transaction at most a fifth is.
    pub refund: u64,
    /// Whether the call is all that its transaction does.
    pub is_transaction: bool,
    /// Gas of further access to what exists for which the transaction has paid already.
    pub included: u64,
}

/// State that can be read.
pub trait Read {
    /// The word in `slot` of the protocol at `address`; zero when never written.
    ///
    /// # Errors
    /// [`Failure::OutOfGas`] or [`Failure::Store`].
    fn load(&mut self, address: Address, slot: U256) -> Result<U256, Failure>;

    /// Coin held by `account`.
    ///
    /// # Errors
    /// [`Failure::OutOfGas`] or [`Failure::Store`].
    fn balance(&mut self, account: Address) -> Result<Amount, Failure>;

    /// Charges gas for work that is not a state access (hashing, signature recovery).
    ///
    /// # Errors
    /// [`Failure::OutOfGas`].
    fn charge(&mut self, gas: u64) -> Result<(), Failure>;

    /// The block.
    fn block(&self) -> BlockContext;

    /// What the running call has cost so far; nothing outside transactions.
    fn cost(&self) -> Cost {
        Cost::default()
    }
}

/// State that can be changed.
pub trait Write: Read {
    /// Writes `value` into `slot` of the protocol at `address`.
    ///
    /// # Errors
    /// [`Failure::OutOfGas`] or [`Failure::Store`].
    fn store(&mut self, address: Address, slot: U256, value: U256) -> Result<(), Failure>;

    /// Moves coin between native balances.
    ///
    /// # Errors
    /// `ICoin::InsufficientBalance` as [`Failure::Revert`]; otherwise as [`Write::store`].
    fn move_coin(&mut self, from: Address, to: Address, amount: Amount) -> Result<(), Failure>;

    /// Appends a log.
    ///
    /// # Errors
    /// As [`Write::store`].
    fn log(&mut self, log: Log) -> Result<(), Failure>;

    /// Runs `work` with at most `gas` and takes back everything but the gas when it fails, broken rules
    /// included: then the inner result says why. A call that has less gas left than `gas`, and for which
    /// that is too little, is out of gas itself.
    ///
    /// # Errors
    /// [`Failure::Store`] and [`Failure::OutOfGas`].
    fn attempt<R>(
        &mut self,
        gas: u64,
        work: impl FnOnce(&mut Self) -> Result<R, Failure>,
    ) -> Result<Result<R, Failure>, Failure>
    where
        Self: Sized;

    /// Whether every protocol holds at least what it owes, by what the running transaction changed so far,
    /// and no coin was made. Charges for every account and word that it may look at. States that are not a
    /// chain's do not look.
    ///
    /// # Errors
    /// [`Failure::OutOfGas`] and [`Failure::Store`].
    fn keeps_books(&mut self) -> Result<bool, Failure> {
        Ok(true)
    }

    /// Appends an event of the protocol at `address`.
    ///
    /// # Errors
    /// As [`Write::store`].
    fn emit<E: SolEvent>(&mut self, address: Address, event: E) -> Result<(), Failure>
    where
        Self: Sized,
    {
        self.log(Log { address, data: event.encode_log_data() })
    }
}
