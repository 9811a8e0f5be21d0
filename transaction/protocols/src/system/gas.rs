//! [`GasParameters`]: what a unit of gas costs at least.
//!
//! The base fee follows demand (`specs/0009-transition.md`) and never falls below a floor. What validators
//! earn while blocks are not full is the floor, so governance may move it; where, and how far at once, is
//! bounded here.

use super::parameters::GAS;
use crate::{
    dispatch::require_governance,
    state::{Failure, Read, Write},
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{IProtocol, ISystem, SYSTEM};

const GWEI: u64 = 1_000_000_000;

/// By how much one vote may multiply or divide the floor: whoever holds signed transactions and prices
/// sees a larger change come.
const STEP: u64 = 10;

/// What gas costs at least; see `ISystem.GasParameters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasParameters {
    /// Base units for a unit of gas, below which the base fee never falls.
    pub base_fee_floor: u64,
}

impl GasParameters {
    /// 1 gwei: a transfer of 21,000 gas costs at least 0.000021 SAHARA.
    pub const DEFAULT: Self = Self { base_fee_floor: GWEI };

    /// The least that governance may set: 0.1 gwei, so that no vote makes the chain free to fill. A block of
    /// 400 million gas costs at least 0.04 SAHARA.
    pub const LEAST: Self = Self { base_fee_floor: GWEI.div_euclid(10) };

    /// The most that governance may set: 10,000 gwei, so that no vote makes the chain too dear to use, or to
    /// vote on. A transfer costs at least 0.21 SAHARA, a vote of 200,000 gas 2.
    pub const MOST: Self = Self { base_fee_floor: GWEI.saturating_mul(10_000) };

    /// Whether a chain could live with them.
    pub const fn is_valid(&self) -> bool {
        Self::LEAST.base_fee_floor <= self.base_fee_floor
            && self.base_fee_floor <= Self::MOST.base_fee_floor
    }

    /// Whether a vote may change `before` to them.
    pub const fn may_follow(&self, before: &Self) -> bool {
        self.is_valid()
            && self.base_fee_floor <= before.base_fee_floor.saturating_mul(STEP)
            && before.base_fee_floor <= self.base_fee_floor.saturating_mul(STEP)
    }

    /// Those of the word in [`gas_parameters_slot`].
    ///
    /// # Errors
    /// [`Failure::Fatal`] for a word that no rule writes.
    pub fn of_word(word: U256) -> Result<Self, Failure> {
        Self::unpack(&[word])
    }
}

impl Default for GasParameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// `base fee floor u64`. A word of zeros stands for the defaults; valid ones are never zeros.
impl Value for GasParameters {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new().number(64, self.base_fee_floor.into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        if word.is_zero() {
            return Ok(Self::DEFAULT);
        }
        Ok(Self { base_fee_floor: Unpack::new(*word).number(64)? })
    }
}

impl From<GasParameters> for ISystem::GasParameters {
    fn from(stored: GasParameters) -> Self {
        Self { baseFeeFloor: stored.base_fee_floor }
    }
}

impl From<&ISystem::GasParameters> for GasParameters {
    fn from(shown: &ISystem::GasParameters) -> Self {
        Self { base_fee_floor: shown.baseFeeFloor }
    }
}

/// The slot of the system's account that says what gas costs at least: every block's maker reads it in the
/// state after the block before.
pub fn gas_parameters_slot() -> U256 {
    GAS.slot()
}

/// What gas costs at least, from the next block on.
pub(super) fn gas_parameters(state: &mut impl Read) -> Result<GasParameters, Failure> {
    GAS.get(state)
}

/// Writes what genesis names; nothing for the defaults.
///
/// # Errors
/// `InvalidParameters`.
pub fn found_gas_parameters(
    state: &mut impl Write,
    parameters: GasParameters,
) -> Result<(), Failure> {
    if !parameters.is_valid() {
        return Err(IProtocol::InvalidParameters {}.into());
    }
    if parameters == GasParameters::DEFAULT { Ok(()) } else { keep(state, parameters) }
}

fn keep(state: &mut impl Write, parameters: GasParameters) -> Result<(), Failure> {
    GAS.update(state, |stored| {
        *stored = parameters;
        Ok(())
    })
}

/// Sets what governance may set.
///
/// # Errors
/// `OnlyGovernance`, `InvalidParameters`.
pub(super) fn set_gas_parameters(
    state: &mut impl Write,
    caller: Address,
    shown: &ISystem::GasParameters,
) -> Result<(), Failure> {
    require_governance(caller)?;
    let parameters = GasParameters::from(shown);
    if !parameters.may_follow(&GAS.get(state)?) {
        return Err(IProtocol::InvalidParameters {}.into());
    }
    keep(state, parameters)?;
    state.emit(SYSTEM, ISystem::GasParametersChanged { parameters: shown.clone() })
}
