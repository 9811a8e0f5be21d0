//! How much a trace may hold.
//!
//! A tracer keeps every step with its whole stack, every call with its input: gas bounds the work, not the
//! memory. 160,000 gas of pushes onto a deep stack would keep gigabytes. So what is kept is counted beside
//! the tracer, and when it is too much every frame ends at its next step.

use alloy_primitives::{Address, Log, U256};
use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType, GethDebugTracerType, GethDebugTracingOptions,
    GethDefaultTracingOptions,
};
use revm::{
    bytecode::opcode::{SLOAD, SSTORE},
    inspector::Inspector,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter,
        interpreter_types::{InputsTr as _, Jumps as _, MemoryTr as _, ReturnData as _},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The most that the traces of one request may hold, in bytes.
pub const TRACE_BYTES: u64 = 64 << 20;
/// A step, call or log without what it points to.
const ENTRY: u64 = 320;
const WORD: u64 = 32;
/// A slot in the copy of an account's changed slots that an opcode which touches them is shown with.
const SLOT: u64 = 128;

/// Counts what a tracer keeps.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
    is_spent: bool,
    of_steps: Option<GethDefaultTracingOptions>,
    slots: BTreeMap<Address, BTreeSet<U256>>,
}

/// What a tracer keeps of every step; `None` if it keeps no steps.
fn of_steps(options: &GethDebugTracingOptions) -> Option<GethDefaultTracingOptions> {
    match &options.tracer {
        Some(GethDebugTracerType::BuiltInTracer(GethDebugBuiltInTracerType::Erc7562Tracer)) => {
            Some(GethDefaultTracingOptions::default())
        }
        Some(GethDebugTracerType::BuiltInTracer(_)) => None,
        // An empty name means the tracer of steps too.
        Some(GethDebugTracerType::JsTracer(_)) | None => Some(options.config),
    }
}

impl Budget {
    pub(super) fn new(options: &GethDebugTracingOptions) -> Self {
        let of_steps = of_steps(options);
        Self { left: TRACE_BYTES, is_spent: false, of_steps, slots: BTreeMap::new() }
    }

    /// Whether more would have been kept than may be: the trace says nothing then.
    pub(super) const fn is_spent(&self) -> bool {
        self.is_spent
    }

    const fn spend(&mut self, bytes: u64) {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.is_spent = true,
        }
    }

    fn entry(&mut self, bytes: usize) {
        self.spend(ENTRY.saturating_add(count(bytes)));
    }

    fn slots(&mut self, interpreter: &Interpreter) -> u64 {
        let Ok(slot) = interpreter.stack.peek(0) else { return 0 };
        let slots = self.slots.entry(interpreter.input.target_address()).or_default();
        slots.insert(slot);
        count(slots.len()).saturating_mul(SLOT)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl<C> Inspector<C> for Budget {
    fn step(&mut self, interpreter: &mut Interpreter, _: &mut C) {
        if let Some(keeps) = self.of_steps.filter(|_| !self.is_spent) {
            let mut bytes = ENTRY;
            let mut add = |more: u64| bytes = bytes.saturating_add(more);
            if !keeps.disable_stack.unwrap_or_default() {
                add(count(interpreter.stack.len()).saturating_mul(WORD));
            }
            if keeps.is_memory_enabled() {
                add(count(interpreter.memory.size()));
            }
            if keeps.is_return_data_enabled() {
                add(count(interpreter.return_data.buffer().len()));
            }
            let touches = matches!(interpreter.bytecode.opcode(), SLOAD | SSTORE);
            if touches && !keeps.disable_storage.unwrap_or_default() {
                add(self.slots(interpreter));
            }
            self.spend(bytes);
        }
        if self.is_spent {
            interpreter.halt_oog();
        }
    }

    fn log(&mut self, _: &mut C, log: Log) {
        self.entry(log.data.data.len());
    }

    fn call(&mut self, _: &mut C, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.entry(inputs.input.len());
        None
    }

    fn call_end(&mut self, _: &mut C, _: &CallInputs, outcome: &mut CallOutcome) {
        self.entry(outcome.result.output.len());
    }

    fn create(&mut self, _: &mut C, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.entry(inputs.init_code().len());
        None
    }

    fn create_end(&mut self, _: &mut C, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.entry(outcome.result.output.len());
    }
}
