//! Decoded call → rule.

use super::{
    KeyBytes, Place, delegation, epoch, evidence, presence, rewards, slashing,
    storage::{BACKED, LIST, PARAMETERS, ROSTERS},
    unbonding, validators, views, votes,
};
use crate::{
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::{Bytes, FixedBytes, U256, aliases::U48};
use sahara_abi::IStaking::{self, IStakingCalls as Function};
use sahara_primitives::Amount;

fn key(shown: IStaking::SeatKey) -> KeyBytes {
    let IStaking::SeatKey { consensusKey, possession, networkKey, ip, port } = shown;
    KeyBytes { consensus: consensusKey, possession, network: networkKey, place: place(ip, port) }
}

const fn place(ip: FixedBytes<16>, port: u16) -> Place {
    Place { ip: u128::from_be_bytes(ip.0), port }
}

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode::<Function>()? {
        Function::createValidator(f) => call.payable(f, |f| {
            let keys: Vec<_> = f.keys.into_iter().map(key).collect();
            let terms = (f.commission, f.feeAddress);
            validators::create(state, caller, value, terms, &keys).map(Into::into)
        }),
        Function::editValidator(f) => call.change(f, |f| {
            validators::edit(state, caller, f.commission, f.feeAddress).map(Into::into)
        }),
        Function::addSeatKey(f) => {
            call.change(f, |f| validators::add_seat_key(state, caller, &key(f.key)).map(Into::into))
        }
        Function::moveSeat(f) => call.change(f, |f| {
            validators::move_seat(state, caller, f.key, place(f.ip, f.port)).map(Into::into)
        }),
        Function::leaveValidator(f) => {
            call.change(f, |_| validators::leave(state, caller).map(Into::into))
        }
        Function::unjail(f) => call.change(f, |_| slashing::unjail(state, caller).map(Into::into)),
        Function::reportDoubleSign(f) => call.change(f, |f| {
            evidence::report(state, caller, f.validator, f.key, &f.evidence).map(Into::into)
        }),
        Function::participation(f) => call.change(f, |f| {
            presence::participation(state, caller, &f.present, &f.missed).map(Into::into)
        }),
        Function::setParameters(f) => call.change(f, |f| {
            validators::set_parameters(state, caller, &f.parameters).map(Into::into)
        }),
        other => delegators(state, call, other),
    }
}

fn delegators(
    state: &mut impl Write,
    call: &Call<'_>,
    function: Function,
) -> Result<Bytes, Failure> {
    let (caller, value, coin) = (call.caller, call.value, Amount::from_base_units);
    match function {
        Function::delegate(f) => call.payable(f, |f| {
            delegation::delegate(state, caller, f.validator, value).map(Into::into)
        }),
        Function::undelegate(f) => {
            call.change(f, |f| delegation::undelegate(state, caller, f.validator, coin(f.amount)))
        }
        Function::redelegate(f) => call.change(f, |f| {
            let amount = coin(f.amount);
            delegation::redelegate(state, caller, f.source, f.destination, amount).map(Into::into)
        }),
        Function::withdraw(f) => call
            .change(f, |f| Ok(unbonding::withdraw(state, f.delegator, f.validator)?.base_units())),
        Function::settle(f) => {
            call.change(f, |f| Ok(rewards::settle(state, f.delegator, f.validator)?.base_units()))
        }
        Function::compound(f) => {
            call.change(f, |f| Ok(rewards::compound(state, caller, f.validator)?.base_units()))
        }
        Function::applySlashes(f) => {
            call.change(f, |f| unbonding::apply_slashes(state, f.delegator, f.validator))
        }
        other => view(state, call, other),
    }
}

fn view(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::validator(f) => call.view(f, |f| views::validator(state, f.validator)),
        Function::validators(f) => call.view(f, |f| {
            let (validators, total) = LIST.page(state, (), f.start, f.count)?;
            Ok(IStaking::validatorsReturn { validators, total: U256::from(total) })
        }),
        Function::seatKeys(f) => call.view(f, |f| {
            let (keys, total) = views::seat_keys(state, f.validator, f.start, f.count)?;
            Ok(IStaking::seatKeysReturn { keys, total: U256::from(total) })
        }),
        Function::delegation(f) => {
            call.view(f, |f| views::delegation(state, f.delegator, f.validator))
        }
        Function::delegationsOf(f) => call.view(f, |f| {
            let (validators, total) = BACKED.page(state, f.delegator, f.start, f.count)?;
            Ok(IStaking::delegationsOfReturn { validators, total: U256::from(total) })
        }),
        Function::delegators(f) => call.view(f, |f| {
            let (delegators, total) = ROSTERS.page(state, f.validator, f.start, f.count)?;
            Ok(IStaking::delegatorsReturn { delegators, total: U256::from(total) })
        }),
        Function::unbondings(f) => {
            call.view(f, |f| views::unbondings(state, f.delegator, f.validator))
        }
        Function::redelegations(f) => {
            call.view(f, |f| views::redelegations(state, f.delegator, f.validator))
        }
        Function::parameters(f) => call.view(f, |_| Ok(PARAMETERS.get(state)?.into())),
        Function::currentEpoch(f) => call.view(f, |_| {
            let (epoch, started) = epoch::current(state)?;
            Ok(IStaking::currentEpochReturn { epoch, startedAt: started })
        }),
        Function::seatsOf(f) => call.view(f, |f| {
            let (validators, keys) = views::seats_of(state, f.epoch)?;
            Ok(IStaking::seatsOfReturn { validators, keys })
        }),
        Function::nextSeats(f) => call.view(f, |_| {
            let (validators, seats) = views::next_seats(state)?;
            Ok(IStaking::nextSeatsReturn { validators, seats })
        }),
        other => power(state, call, other),
    }
}

/// ERC-5805 and ERC-6372.
fn power(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::clock(f) => call.view(f, |_| Ok(U48::saturating_from(state.block().timestamp.0))),
        Function::CLOCK_MODE(f) => call.view(f, |_| Ok("mode=timestamp".into())),
        Function::getVotes(f) => call.view(f, |f| Ok(votes::votes(state, f.account)?.base_units())),
        Function::getPastVotes(f) => {
            call.view(f, |f| Ok(votes::past_votes(state, f.account, f.timepoint)?.base_units()))
        }
        Function::getPastTotalSupply(f) => {
            call.view(f, |f| Ok(votes::past_total(state, f.timepoint)?.base_units()))
        }
        Function::delegates(f) => call.view(f, |f| Ok(f.account)),
        Function::getPastStake(f) => {
            call.view(f, |f| Ok(votes::past_stake(state, f.validator, f.timepoint)?.base_units()))
        }
        Function::getPastDelegation(f) => call.view(f, |f| {
            let held = votes::past_delegation(state, f.delegator, f.validator, f.timepoint)?;
            Ok(U256::from(held))
        }),
        _ => Err(sahara_abi::IProtocol::InvalidCall {}.into()),
    }
}
