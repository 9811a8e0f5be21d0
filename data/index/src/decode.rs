//! Calls and events in words, by the one table of protocols.

use alloy_dyn_abi::{DynSolValue, EventExt, JsonAbiExt};
use alloy_json_abi::{Event, Function, Param};
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
    /// Of a struct, or of a list of structs: its fields.
    #[serde(skip)]
    fields: Vec<Param>,
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
        Some(Argument::new((&input.name, &input.ty), &input.components, raw))
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
    let arguments = arguments
        .map(|(input, raw)| Argument::new((&input.name, &input.ty), &input.components, raw));
    Some(Decoded { protocol, name: function.name.clone(), arguments: arguments.collect() })
}

impl Argument {
    fn new((name, kind): (&str, &str), fields: &[Param], raw: DynSolValue) -> Self {
        let value = json(&raw);
        Self { name: name.to_owned(), r#type: kind.to_owned(), value, raw, fields: fields.to_vec() }
    }
}

impl Decoded {
    /// Every account that an argument names, those inside of structs included.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = Address> {
        let accounts = self.values().into_iter().filter_map(|(_, value)| value.as_address());
        accounts.filter(|account| !account.is_zero())
    }

    /// Every asset that an argument names, those inside of structs included.
    pub(crate) fn assets(&self) -> impl Iterator<Item = u64> {
        let is_asset = |name: &str| {
            matches!(name, "asset" | "parent" | "source")
                || (self.protocol == "assets" && name == "tokenId")
        };
        let values = self.values().into_iter().filter(move |(name, _)| is_asset(name));
        values.filter_map(|(_, value)| u64::try_from(value.as_uint()?.0).ok())
    }

    /// Plain values by name.
    fn values(&self) -> Vec<(&str, &DynSolValue)> {
        let mut values = Vec::new();
        for argument in &self.arguments {
            open((&argument.name, &argument.raw), &argument.fields, &mut values);
        }
        values
    }
}

fn open<'a>(
    (name, value): (&'a str, &'a DynSolValue),
    fields: &'a [Param],
    values: &mut Vec<(&'a str, &'a DynSolValue)>,
) {
    match value {
        DynSolValue::Array(list) | DynSolValue::FixedArray(list) => {
            list.iter().for_each(|value| open((name, value), fields, values));
        }
        DynSolValue::Tuple(list) => {
            for (field, value) in fields.iter().zip(list) {
                open((&field.name, value), &field.components, values);
            }
        }
        plain => values.push((name, plain)),
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
        let (owner, amount) = (Address::repeat_byte(4), U256::from(5));
        let parts = vec![
            IRoyalties::Part { asset: 2, account: owner, amount },
            IRoyalties::Part { asset: 7, account: Address::ZERO, amount: U256::from(7) },
        ];
        let paid = IRoyalties::Paid { asset: 7, payer, amount: U256::from(12), parts };
        let log = paid.encode_log_data();
        let decoded = event(ROYALTIES, log.topics(), &log.data).unwrap();
        assert_eq!((decoded.protocol, decoded.name.as_str()), ("royalties", "Paid"));
        assert_eq!(decoded.arguments[2].value, "12");
        assert_eq!(decoded.accounts().collect::<Vec<_>>(), [payer, owner]);
        assert_eq!(decoded.assets().collect::<Vec<_>>(), [7, 2, 7]);

        let input = IChannels::fundCall { payer }.abi_encode();
        assert_eq!(method(CHANNELS, &input), Some("fund"));
        assert_eq!(call(CHANNELS, &input).unwrap().arguments[0].value, payer.to_string());
        assert_eq!(call(CHANNELS, &input[..9]), None, "cut off");
        assert_eq!(event(CHANNELS, log.topics(), &log.data), None, "another emitter");
    }
}
