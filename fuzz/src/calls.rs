//! Calls of the native protocols: whatever a transaction's data may be.

use alloy_primitives::Address;
use sahara_primitives::Amount;
use sahara_protocols::{Call, Failure, MemoryState, Read as _, liabilities_total, protocols};

const CALLERS: u8 = 3;

/// A row of calls: protocol, caller, coin sent, length of the data, data. No call breaks a protocol,
/// and what each holds afterwards is what it owes.
pub(crate) fn protocol_call(mut data: &[u8]) {
    let mut state = MemoryState::default();
    for caller in 1..=CALLERS {
        state.fund(Address::repeat_byte(caller), Amount::from_u128(1 << 60));
    }
    while let Some((&[protocol, caller, coin, long, short], rest)) = data.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([long, short]));
        let (input, rest) = rest.split_at(length.min(rest.len()));
        data = rest;
        let Some(at) = protocols().get(usize::from(protocol) % protocols().len()) else { return };
        let request = Call {
            caller: Address::repeat_byte(1 + caller % CALLERS),
            value: Amount::from_u128(u128::from(coin)),
            data: input,
            is_static: false,
        };
        if let Err(Failure::Fatal(why)) = state.call(*at, request) {
            panic!("{at}: {why}");
        }
    }
    for at in protocols() {
        let owed = liabilities_total(*at, state.slots_of(*at));
        let held = state.balance(*at).map(Amount::base_units);
        assert!(owed.is_ok() && owed == held, "{at} owes {owed:?} and holds {held:?}");
    }
}
