//! Decoded call → rule.

use super::rules;
use crate::dispatch::Call;
use crate::state::{Failure, Write};
use alloy_primitives::{Bytes, U256};
use sahara_abi::IValidators::{self, IValidatorsCalls as Function};

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    match call.decode::<Function>()? {
        Function::change(f) => {
            call.change(f, |f| rules::change(state, &f.signedChange).map(Into::into))
        }
        Function::epoch(f) => call.view(f, |_| rules::epoch(state)),
        Function::epochLength(f) => call.view(f, |_| rules::epoch_length(state)),
        Function::origin(f) => call.view(f, |_| rules::origin(state)),
        Function::validatorsOf(f) => call.view(f, |f| {
            let (bytes, since) = rules::validators_of(state, f.epoch)?.unwrap_or_default();
            Ok(IValidators::validatorsOfReturn { validators: bytes.into(), since })
        }),
        Function::changes(f) => call.view(f, |f| {
            let (epochs, total) = rules::changes(state, f.start, f.count)?;
            Ok(IValidators::changesReturn { epochs, total: U256::from(total) })
        }),
    }
}
