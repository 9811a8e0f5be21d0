//! The one table of protocols, and the door: from call data to a rule and back.
//!
//! # Failure
//! Data that names no function or does not decode reverts `InvalidCall`, and so does empty data:
//! coin sent plainly to a protocol would belong to nobody. Decoding is Solidity's: bytes after the
//! arguments are ignored, dirty words are refused. Its memory is bounded by the length of the data,
//! so that offsets that point to one place many times buy nothing.

use crate::{
    assets, channels, coin, contributions, disputes, governance, incentives, intents,
    liabilities::RawSlot,
    licenses, market, royalties, staking,
    state::{Failure, Write},
    storage::Region,
    system, validators, vesting, workers,
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolInterface, abi::AbiDecoderConfig};
use sahara_abi::IProtocol;
use sahara_primitives::Amount;

/// Decoded calls take at most this many bytes for each byte of call data. The widest honest ratio is
/// an array of empty strings: 64 bytes of data become a `String` of 24 and a token of 16 bytes.
const MEMORY_PER_BYTE: usize = 8;

/// A call to a protocol.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who calls.
    pub caller: Address,
    /// Coin sent, already credited to the protocol.
    pub value: Amount,
    /// Selector and arguments.
    pub data: &'a [u8],
    /// Whether nothing may change.
    pub is_static: bool,
}

macro_rules! protocols {
    ($($module:ident: $address:ident),* $(,)?) => {
        /// Every protocol's address, in address order.
        pub const fn protocols() -> &'static [Address] {
            &[$(sahara_abi::$address),*]
        }

        /// The storage regions of a protocol, for the layout test.
        pub const fn layout(protocol: Address) -> Option<&'static [Region]> {
            match protocol {
                $(sahara_abi::$address => Some($module::LAYOUT),)*
                _ => None,
            }
        }

        /// Runs a call to a protocol. After an error nothing of it may stay: the caller rolls back.
        ///
        /// # Errors
        /// What the rule raises; [`Failure::Fatal`] for an address that is no protocol.
        pub fn call(
            protocol: Address,
            state: &mut impl Write,
            call: Call<'_>,
        ) -> Result<Bytes, Failure> {
            governance::check_entry(state, protocol, call.data)?;
            match protocol {
                $(sahara_abi::$address => $module::call(state, &call),)*
                _ => Err(not_a_protocol(protocol)),
            }
        }

        /// What one storage word of a protocol says it owes.
        pub(crate) fn liability(
            protocol: Address,
            slot: RawSlot,
            word: U256,
        ) -> Result<U256, Failure> {
            match protocol {
                $(sahara_abi::$address => $module::liability(slot, word),)*
                _ => Err(not_a_protocol(protocol)),
            }
        }
    };
}

protocols! {
    coin: COIN,
    assets: ASSETS,
    royalties: ROYALTIES,
    channels: CHANNELS,
    workers: WORKERS,
    system: SYSTEM,
    licenses: LICENSES,
    contributions: CONTRIBUTIONS,
    market: MARKET,
    staking: STAKING,
    governance: GOVERNANCE,
    vesting: VESTING,
    incentives: INCENTIVES,
    disputes: DISPUTES,
    validators: VALIDATORS,
    intents: INTENTS,
}

/// Whether income must not go there: a protocol holds exactly what it owes, fees wait within a block
/// only (a credit at its end would be left over and no block could be closed), and nobody has the
/// system's key.
pub(crate) fn is_reserved(address: Address) -> bool {
    is_protocol(address) || address == sahara_abi::FEES || address == sahara_abi::SYSTEM_CALLER
}

/// Whether a native protocol answers at this address.
pub fn is_protocol(address: Address) -> bool {
    protocols().contains(&address)
}

/// Refuses everyone but governance, which alone sets parameters.
pub(crate) fn require_governance(caller: Address) -> Result<(), Failure> {
    if caller == sahara_abi::GOVERNANCE {
        return Ok(());
    }
    Err(IProtocol::OnlyGovernance { caller }.into())
}

pub(crate) fn not_a_protocol(address: Address) -> Failure {
    Failure::Fatal(format!("{address} is no protocol"))
}

impl Call<'_> {
    /// The call as one of an interface's functions.
    pub(crate) fn decode<I: SolInterface>(&self) -> Result<I, Failure> {
        let memory = self.data.len().saturating_mul(MEMORY_PER_BYTE);
        let config = AbiDecoderConfig::new().validate(true).memory_limit(memory);
        I::abi_decode_with_config(self.data, config).map_err(|_| IProtocol::InvalidCall {}.into())
    }

    /// Answers a function that only reads.
    pub(crate) fn view<C: SolCall>(
        &self,
        call: C,
        rule: impl FnOnce(C) -> Result<C::Return, Failure>,
    ) -> Result<Bytes, Failure> {
        self.refuse_coin()?;
        answer(call, rule)
    }

    /// Answers a function that changes state and takes no coin.
    pub(crate) fn change<C: SolCall>(
        &self,
        call: C,
        rule: impl FnOnce(C) -> Result<C::Return, Failure>,
    ) -> Result<Bytes, Failure> {
        self.refuse_static()?;
        self.refuse_coin()?;
        answer(call, rule)
    }

    /// Answers a function that takes the call's coin.
    pub(crate) fn payable<C: SolCall>(
        &self,
        call: C,
        rule: impl FnOnce(C) -> Result<C::Return, Failure>,
    ) -> Result<Bytes, Failure> {
        self.refuse_static()?;
        answer(call, rule)
    }

    fn refuse_coin(&self) -> Result<(), Failure> {
        if self.value.is_zero() { Ok(()) } else { Err(IProtocol::NotPayable {}.into()) }
    }

    fn refuse_static(&self) -> Result<(), Failure> {
        if self.is_static { Err(IProtocol::StaticCall {}.into()) } else { Ok(()) }
    }
}

fn answer<C: SolCall>(
    call: C,
    rule: impl FnOnce(C) -> Result<C::Return, Failure>,
) -> Result<Bytes, Failure> {
    Ok(C::abi_encode_returns(&rule(call)?).into())
}
