//! Decoded call → rule.

use super::{
    Claim, Grant, airdrop, grants, moves, rules,
    storage::{AUTHORITY, MOVES, OFFERED_AUTHORITY, SCHEDULES, SCHEDULES_OF, SETTINGS},
    views,
};
use crate::{
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::{Bytes, U256};
use sahara_abi::IVesting::{self, IVestingCalls as Function};
use sahara_primitives::{Amount, Timestamp};

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let caller = call.caller;
    let coin = Amount::from_base_units;
    match call.decode::<Function>()? {
        Function::release(f) => {
            call.change(f, |f| Ok(rules::release(state, f.schedule)?.base_units()))
        }
        Function::offerBeneficiary(f) => call.change(f, |f| {
            rules::offer_beneficiary(state, caller, f.schedule, f.to).map(Into::into)
        }),
        Function::acceptBeneficiary(f) => {
            call.change(f, |f| rules::accept_beneficiary(state, caller, f.schedule).map(Into::into))
        }
        Function::announce(f) => {
            call.change(f, |f| moves::announce(state, caller, f.schedule, f.to, coin(f.amount)))
        }
        Function::announceFromPool(f) => call
            .change(f, |f| moves::announce_from_pool(state, caller, f.pool, f.to, coin(f.amount))),
        Function::execute(f) => call.change(f, |f| moves::execute(state, f.id).map(Into::into)),
        Function::cancel(f) => {
            call.change(f, |f| moves::cancel(state, caller, f.id).map(Into::into))
        }
        Function::grant(f) => call.change(f, |f| {
            let IVesting::grantCall { pool, beneficiary, amount, delay, isRevocable } = f;
            let amount = coin(amount);
            let given = Grant { pool, beneficiary, amount, delay, is_revocable: isRevocable };
            grants::grant(state, caller, &given)
        }),
        Function::revoke(f) => {
            call.change(f, |f| grants::revoke(state, caller, f.schedule).map(Into::into))
        }
        Function::offerAuthority(f) => {
            call.change(f, |f| rules::offer_authority(state, caller, f.to).map(Into::into))
        }
        Function::acceptAuthority(f) => {
            call.change(f, |_| rules::accept_authority(state, caller).map(Into::into))
        }
        Function::publishAirdrop(f) => {
            call.change(f, |f| airdrop::publish_airdrop(state, caller, f.root).map(Into::into))
        }
        Function::claim(f) => call.change(f, |f| {
            let IVesting::claimCall { index, account, amount, proof } = f;
            airdrop::claim(state, &Claim { index, account, amount: coin(amount), proof })
        }),
        Function::closeAirdrop(f) => {
            call.change(f, |_| airdrop::close_airdrop(state).map(Into::into))
        }
        other => view(state, call, other),
    }
}

fn view(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::schedule(f) => call.view(f, |f| views::show_schedule(state, f.schedule)),
        Function::scheduleCount(f) => call.view(f, |_| SCHEDULES.len(state, ())),
        Function::schedulesOf(f) => call.view(f, |f| {
            let (schedules, total) = SCHEDULES_OF.page(state, f.account, f.start, f.count)?;
            Ok(IVesting::schedulesOfReturn { schedules, total: U256::from(total) })
        }),
        Function::vestedAt(f) => call
            .view(f, |f| Ok(views::vested_at(state, f.schedule, Timestamp(f.time))?.base_units())),
        Function::releasable(f) => {
            call.view(f, |f| Ok(views::releasable(state, f.schedule)?.base_units()))
        }
        Function::unlocks(f) => {
            call.view(f, |f| views::unlocks(state, f.schedule, Timestamp(f.afterTime)))
        }
        Function::lockedIn(f) => {
            call.view(f, |f| Ok(views::locked_in(state, f.pool)?.base_units()))
        }
        Function::unlockedIn(f) => {
            call.view(f, |f| Ok(views::unlocked_in(state, f.pool)?.base_units()))
        }
        Function::announcedMove(f) => call.view(f, |f| moves::shown(state, f.id)),
        Function::moveCount(f) => call.view(f, |_| MOVES.len(state, ())),
        Function::moves(f) => call.view(f, |f| views::show_moves(state, f.first, f.count)),
        Function::airdrop(f) => call.view(f, |_| views::show_airdrop(state)),
        Function::isClaimed(f) => call.view(f, |f| views::is_claimed(state, f.index)),
        Function::airdropLeaf(f) => call.view(f, |f| {
            let chain_id = state.block().chain_id;
            Ok(airdrop::leaf(chain_id, f.index, f.account, Amount::from_base_units(f.amount)))
        }),
        Function::authority(f) => call.view(f, |_| AUTHORITY.get(state)),
        Function::offeredAuthority(f) => call.view(f, |_| OFFERED_AUTHORITY.get(state)),
        Function::noticePeriod(f) => call.view(f, |_| Ok(SETTINGS.get(state)?.notice)),
        Function::executionWindow(f) => call.view(f, |_| Ok(SETTINGS.get(state)?.window)),
        _ => Err(sahara_abi::IProtocol::InvalidCall {}.into()),
    }
}
