//! Calls and events in words, by the one table of protocols.

use alloy_dyn_abi::{DynSolValue, EventExt, JsonAbiExt};
use alloy_json_abi::{Event, Function};
use alloy_primitives::{Address, B256, Selector, hex};
use sahara_abi::PROTOCOLS;
use serde::Serialize;
use std::{collections::BTreeMap, sync::LazyLock};
use utoipa::ToSchema;

/// A call or an event of a protocol, decoded.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Decoded {
    /// The protocol, as in `sahara abi`.
    pub(crate) protocol: &'static str,
    /// The function or event.
    pub(crate) name: String,
    /// Its arguments in order.
    pub(crate) arguments: Vec<Argument>,
}

/// An argument of a call or event.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Argument {
    /// As the interface calls it.
    pub(crate) name: String,
    /// Solidity type.
    pub(crate) r#type: String,
    /// Numbers are decimal text; addresses and bytes are hexadecimal; structs are arrays.
    #[schema(value_type = Object)]
    pub(crate) value: serde_json::Value,
    #[serde(skip)]
    raw: DynSolValue,
}

struct Interface {
    events: BTreeMap<(Address, B256), (&'static str, Event)>,
    functions: BTreeMap<(Address, Selector), (&'static str, Function)>,
}

static INTERFACE: LazyLock<Interface> = LazyLock::new(|| {
    let mut interface = Interface { events: BTreeMap::new(), functions: BTreeMap::new() };
    for protocol in PROTOCOLS {
        let abi = protocol.interface();
        for event in abi.events() {
            let key = (protocol.address, event.selector());
            interface.events.insert(key, (protocol.name, event.clone()));
        }
        for function in abi.functions() {
            let key = (protocol.address, function.selector());
            interface.functions.insert(key, (protocol.name, function.clone()));
        }
    }
    interface
});

/// The event that a log is, if a protocol wrote it.
pub(crate) fn event(emitter: Address, topics: &[B256], data: &[u8]) -> Option<Decoded> {
    let (protocol, event) = INTERFACE.events.get(&(emitter, *topics.first()?))?;
    let decoded = event.decode_log_parts(topics.iter().copied(), data).ok()?;
    let (mut indexed, mut body) = (decoded.indexed.into_iter(), decoded.body.into_iter());
    let arguments = event.inputs.iter().map(|input| {
        let raw = if input.indexed { indexed.next() } else { body.next() }?;
        Some(Argument::new(&input.name, &input.ty, raw))
    });
    Some(Decoded {
        protocol,
        name: event.name.clone(),
        arguments: arguments.collect::<Option<_>>()?,
    })
}

/// The name of a call to a protocol.
pub(crate) fn method(to: Address, input: &[u8]) -> Option<&'static str> {
    let selector = Selector::try_from(input.get(..4)?).ok()?;
    INTERFACE.functions.get(&(to, selector)).map(|(_, function)| function.name.as_str())
}

/// A call to a protocol.
pub(crate) fn call(to: Address, input: &[u8]) -> Option<Decoded> {
    let selector = Selector::try_from(input.get(..4)?).ok()?;
    let (protocol, function) = INTERFACE.functions.get(&(to, selector))?;
    let values = function.abi_decode_input(input.get(4..)?).ok()?;
    let arguments = function.inputs.iter().zip(values);
    let arguments = arguments.map(|(input, raw)| Argument::new(&input.name, &input.ty, raw));
    Some(Decoded { protocol, name: function.name.clone(), arguments: arguments.collect() })
}

impl Argument {
    fn new(name: &str, kind: &str, raw: DynSolValue) -> Self {
        Self { name: name.to_owned(), r#type: kind.to_owned(), value: json(&raw), raw }
    }
}

impl Decoded {
    /// Every account that an argument names.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = Address> {
        let values = self.arguments.iter().map(|argument| &argument.raw);
        values.filter_map(DynSolValue::as_address).filter(|account| !account.is_zero())
    }

    /// Every asset that an argument names.
    pub(crate) fn assets(&self) -> impl Iterator<Item = u64> {
        let is_asset = |argument: &&Argument| {
            matches!(argument.name.as_str(), "asset" | "parent" | "source")
                || (self.protocol == "assets" && argument.name == "tokenId")
        };
        let arguments = self.arguments.iter().filter(is_asset);
        arguments.filter_map(|argument| u64::try_from(argument.raw.as_uint()?.0).ok())
    }
}

fn json(value: &DynSolValue) -> serde_json::Value {
    let list = |values: &[DynSolValue]| values.iter().map(json).collect::<Vec<_>>().into();
    match value {
        DynSolValue::Bool(value) => (*value).into(),
        DynSolValue::Int(value, _) => value.to_string().into(),
        DynSolValue::Uint(value, _) => value.to_string().into(),
        DynSolValue::FixedBytes(word, size) => {
            hex::encode_prefixed(word.get(..*size).unwrap_or_default()).into()
        }
        DynSolValue::Address(address) => address.to_string().into(),
        DynSolValue::Function(function) => hex::encode_prefixed(function).into(),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes).into(),
        DynSolValue::String(text) => text.clone().into(),
        DynSolValue::Array(values)
        | DynSolValue::FixedArray(values)
        | DynSolValue::Tuple(values) => list(values),
    }
}

#[cfg(test)]
mod tests {
    use super::{call, event, method};
    use alloy_primitives::{Address, U256};
    use alloy_sol_types::{SolCall, SolEvent};
    use sahara_abi::{CHANNELS, IChannels, IRoyalties, ROYALTIES};

    #[test]
    fn events_and_calls_are_named_with_their_arguments() {
        let payer = Address::repeat_byte(3);
        let paid = IRoyalties::Paid { asset: 7, payer, amount: U256::from(12) };
        let log = paid.encode_log_data();
        let decoded = event(ROYALTIES, log.topics(), &log.data).unwrap();
        assert_eq!((decoded.protocol, decoded.name.as_str()), ("royalties", "Paid"));
        assert_eq!(decoded.arguments[2].value, "12");
        assert_eq!(decoded.accounts().collect::<Vec<_>>(), [payer]);
        assert_eq!(decoded.assets().collect::<Vec<_>>(), [7]);

        let input = IChannels::fundCall { payer }.abi_encode();
        assert_eq!(method(CHANNELS, &input), Some("fund"));
        assert_eq!(call(CHANNELS, &input).unwrap().arguments[0].value, payer.to_string());
        assert_eq!(call(CHANNELS, &input[..9]), None, "cut off");
        assert_eq!(event(CHANNELS, log.topics(), &log.data), None, "another emitter");
    }
}
