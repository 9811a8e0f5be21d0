//! System: what every block does by itself, called by its last transaction; and what governance may set for
//! the whole economy: fees and caps, and what gas costs at least.
//!
//! # Model
//! Gas fees of a block wait on [`FEES`]. At its end 2 % go to the incentive pool and the rest to the
//! validators, by seats (see [`staking`]). Then members of pools and delegators are credited, a new
//! epoch begins when it is time, a jury that is due is drawn, and what votes decided is done.
//!
//! # Rounding
//! The incentive pool's part and each seat's part are rounded down, the leader takes the remainder.

mod fees;
mod gas;
mod parameters;

pub use fees::FeeParts;
pub use gas::{GasParameters, found_gas_parameters, gas_parameters_slot};
pub(crate) use parameters::{LAYOUT, liability};
pub use parameters::{Parameters, found_parameters, parameters};

use crate::{
    GENESIS_SUPPLY,
    dispatch::Call,
    disputes, governance, royalties, staking,
    state::{Failure, Write, overflow},
};
use alloy_primitives::{Address, Bytes};
use sahara_abi::{
    FEES, INCENTIVE_POOL, IProtocol,
    ISystem::{FeesDistributed, ISystemCalls as Calls, OnlySystem},
    SYSTEM, SYSTEM_CALLER,
};

/// The most seats a validator set may have.
const MAX_SEATS: usize = 1_024;

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    match call.decode()? {
        Calls::setParameters(c) => call.change(c, |c| {
            parameters::set_parameters(state, call.caller, &c.parameters).map(Into::into)
        }),
        Calls::parameters(c) => call.view(c, |_| Ok(parameters(state)?.into())),
        Calls::setGasParameters(c) => call.change(c, |c| {
            gas::set_gas_parameters(state, call.caller, &c.parameters).map(Into::into)
        }),
        Calls::gasParameters(c) => call.view(c, |_| Ok(gas::gas_parameters(state)?.into())),
        Calls::supply(c) => call.view(c, |_| Ok(GENESIS_SUPPLY.base_units())),
        Calls::endBlock(c) => call.change(c, |c| {
            if call.caller != SYSTEM_CALLER {
                return Err(OnlySystem { caller: call.caller }.into());
            }
            staking::participation(state, call.caller, &[c.leader], &c.missed)?;
            end_block(state, c.leader, &c.recipients)?;
            Ok(().into())
        }),
    }
}

/// Divides the block's fees among `recipients`, one seat each, credits waiting members, and decides who
/// has seats in the next epoch.
///
/// # Errors
/// `InvalidCall` for more than 1,024 recipients; otherwise those of the state.
pub fn end_block(
    state: &mut impl Write,
    leader: Address,
    recipients: &[Address],
) -> Result<(), Failure> {
    if recipients.len() > MAX_SEATS {
        return Err(IProtocol::InvalidCall {}.into());
    }
    distribute_fees(state, leader, recipients)?;
    royalties::sweep(state)?;
    staking::sweep(state)?;
    staking::turn(state)?;
    disputes::turn(state)?;
    governance::turn(state)
}

fn distribute_fees(
    state: &mut impl Write,
    leader: Address,
    recipients: &[Address],
) -> Result<(), Failure> {
    let total = state.balance(FEES)?;
    if total.is_zero() {
        return Ok(());
    }
    let seats = u64::try_from(recipients.len()).unwrap_or(u64::MAX);
    let parts = FeeParts::of(total, seats).map_err(overflow)?;
    let validators = total.checked_sub(parts.incentive_pool).map_err(overflow)?;
    state.move_coin(FEES, INCENTIVE_POOL, parts.incentive_pool)?;
    for recipient in recipients {
        staking::reward(state, FEES, *recipient, parts.seat)?;
    }
    state.move_coin(FEES, leader, parts.remainder)?;
    state.emit(
        SYSTEM,
        FeesDistributed {
            total: total.base_units(),
            validators: validators.base_units(),
            incentivePool: parts.incentive_pool.base_units(),
        },
    )
}

#[cfg(test)]
mod tests;
