//! Decoded call → rule.

use super::{MINIMUM_BOND, NOTICE_SECONDS, rules};
use crate::dispatch::Call;
use crate::state::{Failure, Write};
use alloy_primitives::{Bytes, U256};
use sahara_abi::IWorkers::{self, IWorkersCalls as Function};
use sahara_primitives::{AssetId, Price, Prices};

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode::<Function>()? {
        Function::registerWorker(f) => call.payable(f, |f| {
            rules::register_worker(state, caller, value, f.endpoint).map(Into::into)
        }),
        Function::registerGateway(f) => call.payable(f, |f| {
            rules::register_gateway(state, caller, value, f.endpoint, f.fee).map(Into::into)
        }),
        Function::serve(f) => call.change(f, |f| {
            let prices = Prices { input: Price(f.inputPrice), output: Price(f.outputPrice) };
            rules::serve(state, caller, AssetId(f.asset), prices).map(Into::into)
        }),
        Function::unserve(f) => {
            call.change(f, |f| rules::unserve(state, caller, AssetId(f.asset)).map(Into::into))
        }
        Function::leave(f) => call.change(f, |_| rules::leave(state, caller).map(Into::into)),
        Function::withdrawBond(f) => {
            call.change(f, |_| rules::withdraw_bond(state, caller).map(Into::into))
        }
        Function::worker(f) => call.view(f, |f| rules::worker(state, f.account)),
        Function::gateway(f) => call.view(f, |f| rules::gateway(state, f.account)),
        Function::offer(f) => call.view(f, |f| rules::offer(state, f.worker, AssetId(f.asset))),
        Function::workersOf(f) => call.view(f, |f| {
            let (workers, total) = rules::workers_of(state, AssetId(f.asset), f.start, f.count)?;
            Ok(IWorkers::workersOfReturn { workers, total: U256::from(total) })
        }),
        Function::minimumBond(f) => call.view(f, |_| Ok(MINIMUM_BOND.base_units())),
        Function::noticePeriod(f) => call.view(f, |_| Ok(NOTICE_SECONDS)),
    }
}
