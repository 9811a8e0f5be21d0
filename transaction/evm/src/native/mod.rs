//! The native protocols inside the machine: called like contracts, priced like contracts.
//!
//! A protocol stands at its address with the one byte of code `0xef`, which no contract can have
//! (EIP-3541): callers that check for code find some, and its storage belongs to a living account.
//! A call to that address never reaches the byte: [`Precompiles`] answers it. A protocol with
//! functions that must call other contracts has real code instead ([`protocol_code`]), which runs
//! for these functions only.

mod faces;
mod ledger;
mod prices;

pub use faces::protocol_code;
pub(crate) use ledger::Ledger;

use crate::machine::MachineContext;
use crate::state::ParentState;
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolError as _;
use revm::{
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, CallScheme, Gas, InstructionResult, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};
use sahara_abi::IProtocol;
use sahara_primitives::Amount;
use sahara_protocols::{Call, Failure};

/// Ethereum's precompiles and, under Sahara's rules, the native protocols.
#[derive(Clone, Debug)]
pub(crate) struct Precompiles {
    ethereum: EthPrecompiles,
    is_native: bool,
}

impl Precompiles {
    pub(crate) fn new(fork: SpecId, is_native: bool) -> Self {
        Self { ethereum: EthPrecompiles::new(fork), is_native }
    }
}

impl<S: ParentState> PrecompileProvider<MachineContext<S>> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        <EthPrecompiles as PrecompileProvider<MachineContext<S>>>::set_spec(
            &mut self.ethereum,
            spec,
        )
    }

    fn run(
        &mut self,
        context: &mut MachineContext<S>,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        if self.is_native && sahara_protocols::is_protocol(inputs.bytecode_address) {
            return run_protocol(context, inputs);
        }
        self.ethereum.run(context, inputs)
    }

    /// Only Ethereum's: a protocol is priced as the contract it looks like, cold at first.
    fn warm_addresses(&self) -> &AddressSet {
        self.ethereum.warm_addresses()
    }
}

/// `None` leaves the call to the protocol's own code: nothing was done and nothing charged.
///
/// # Errors
/// Only [`Failure::Fatal`] and [`Failure::Store`], which end the block.
fn run_protocol<S: ParentState>(
    context: &mut MachineContext<S>,
    inputs: &CallInputs,
) -> Result<Option<InterpreterResult>, String> {
    let mut gas = Gas::new(inputs.gas_limit);
    let is_borrowed = matches!(inputs.scheme, CallScheme::CallCode | CallScheme::DelegateCall)
        || inputs.target_address != inputs.bytecode_address;
    if is_borrowed {
        let output = IProtocol::DelegateCall {}.abi_encode().into();
        return Ok(Some(InterpreterResult::new(InstructionResult::Revert, output, gas)));
    }
    if !gas.record_regular_cost(prices::data(inputs.input.len())) {
        gas.spend_all();
        return Ok(Some(InterpreterResult::new(
            InstructionResult::PrecompileOOG,
            Bytes::new(),
            gas,
        )));
    }
    let data = inputs.input.bytes(context);
    let call = Call {
        caller: inputs.caller,
        value: Amount::from_base_units(inputs.value.get()),
        data: &data,
        is_static: inputs.is_static,
    };
    let ledger = Ledger::new(context, gas.remaining(), inputs.is_static);
    let mut ledger = ledger.called_at(inputs.bytecode_address, inputs.gas_limit);
    let outcome = sahara_protocols::call(inputs.bytecode_address, &mut ledger, call);
    let (gas_left, refund) = (ledger.gas_left(), ledger.refund());
    gas.set_remaining(gas_left);
    let (result, output) = match outcome {
        Ok(output) => {
            gas.record_refund(refund);
            (InstructionResult::Return, output)
        }
        Err(Failure::CallsOut) if data.len() <= prices::MOST_OUT => return Ok(None),
        Err(Failure::CallsOut) => {
            (InstructionResult::Revert, IProtocol::InvalidCall {}.abi_encode().into())
        }
        Err(Failure::Revert(output)) => (InstructionResult::Revert, output),
        Err(Failure::OutOfGas) => {
            gas.spend_all();
            (InstructionResult::PrecompileOOG, Bytes::new())
        }
        Err(Failure::Fatal(reason) | Failure::Store(reason)) => {
            return Err(fatal(inputs.bytecode_address, &reason));
        }
    };
    Ok(Some(InterpreterResult::new(result, output, gas)))
}

fn fatal(protocol: Address, reason: &str) -> String {
    let name = sahara_abi::protocol_at(protocol).map_or("unknown", |found| found.name);
    format!("protocol {name}: {reason}")
}
