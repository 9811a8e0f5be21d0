//! Decoded call → rule.

use super::{
    closing, escrow, filing, jury, list, parameters,
    storage::{COMPLAINTS, PLACES, STANDINGS},
    views,
};
use crate::{
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::Bytes;
use sahara_abi::IDisputes::{self, IDisputesCalls as Function};
use sahara_primitives::AssetId;

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode::<Function>()? {
        Function::file(f) => call.payable(f, |f| {
            let plan = filing::Plan {
                asset: AssetId(f.asset),
                ground: f.ground,
                evidence: f.evidence,
                is_delisting: f.isDelisting,
                shares: f.shares,
            };
            filing::file(state, caller, value, &plan)
        }),
        Function::answer(f) => call.payable(f, |f| {
            filing::answer(state, caller, value, f.complaint, f.evidence).map(Into::into)
        }),
        Function::appeal(f) => call.payable(f, |f| {
            filing::appeal(state, caller, value, f.complaint, f.reason).map(Into::into)
        }),
        Function::decide(f) => call
            .change(f, |f| filing::decide(state, caller, f.complaint, f.isUpheld).map(Into::into)),
        Function::commit(f) => call
            .change(f, |f| jury::commit(state, caller, f.complaint, f.commitment).map(Into::into)),
        Function::reveal(f) => call.change(f, |f| {
            jury::reveal(state, caller, f.complaint, (f.isUpheld, f.salt)).map(Into::into)
        }),
        Function::close(f) => {
            call.change(f, |f| closing::close(state, f.complaint).map(Into::into))
        }
        Function::restore(f) => {
            call.change(f, |f| closing::restore(state, caller, AssetId(f.asset)).map(Into::into))
        }
        Function::enlist(f) => {
            call.change(f, |f| list::enlist(state, caller, f.places).map(Into::into))
        }
        Function::discharge(f) => {
            call.change(f, |_| list::discharge(state, caller).map(Into::into))
        }
        Function::setParameters(f) => call.change(f, |f| {
            parameters::set_parameters(state, caller, &f.parameters).map(Into::into)
        }),
        other => view(state, call, other),
    }
}

fn view(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::complaint(f) => call.view(f, |f| views::complaint(state, f.complaint)),
        Function::sharesOf(f) => call.view(f, |f| views::shares_of(state, f.complaint)),
        Function::jury(f) => call.view(f, |f| views::jury(state, f.complaint)),
        Function::commitmentOf(f) => {
            call.view(f, |f| Ok(jury::commitment(state, f.complaint, f.juror, f.isUpheld, f.salt)))
        }
        Function::standing(f) => call.view(f, |f| {
            let standing = STANDINGS.get(state, AssetId(f.asset))?;
            Ok(IDisputes::standingReturn {
                open: standing.open.into(),
                corrected: standing.corrected,
                isDelisted: standing.is_delisted,
            })
        }),
        Function::escrowsOf(f) => call.view(f, |f| escrow::escrows(state, AssetId(f.asset))),
        Function::parameters(f) => call.view(f, |_| Ok(parameters::parameters(state)?.into())),
        Function::placesOf(f) => call.view(f, |f| list::places_of(state, f.juror)),
        Function::counts(f) => call.view(f, |_| {
            Ok(IDisputes::countsReturn {
                complaints: COMPLAINTS.len(state, ())?,
                places: PLACES.len(state, ())?,
            })
        }),
        _ => Err(sahara_abi::IProtocol::InvalidCall {}.into()),
    }
}
