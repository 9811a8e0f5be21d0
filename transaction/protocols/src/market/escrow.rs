//! Coin that comes, waits and goes.

use super::{MAX_PRICE, storage::COUNT, words::Escrow};
use crate::{
    state::{Failure, Read, Write, overflow},
    system::parameters,
};
use alloy_primitives::Address;
use sahara_abi::{IMarket, INCENTIVE_POOL, IProtocol, MARKET as ADDRESS};
use sahara_primitives::Amount;

impl Escrow {
    /// A price and the fee on top of it.
    pub(super) fn of(state: &mut impl Read, price: Amount) -> Result<Self, Failure> {
        let fee = parameters(state)?.market_fee.of(price).map_err(overflow)?.to_u128();
        match (price.to_u128(), fee) {
            (Some(price), Some(fee)) if price <= MAX_PRICE => Ok(Self { price, fee }),
            _ => Err(IProtocol::Overflow {}.into()),
        }
    }

    /// Price and fee: at most 2^96 and a tenth of it.
    pub(super) fn total(self) -> Amount {
        Amount::from_u128(self.price.saturating_add(self.fee))
    }

    /// Refuses coin that is not exactly price and fee.
    pub(super) fn check_sent(self, sent: Amount) -> Result<(), Failure> {
        if sent == self.total() {
            return Ok(());
        }
        let (sent, expected) = (sent.base_units(), self.total().base_units());
        Err(IMarket::WrongPayment { sent, expected }.into())
    }

    /// Gives everything back; a native credit runs no code, so nobody can refuse it.
    pub(super) fn give_back(self, state: &mut impl Write, to: Address) -> Result<(), Failure> {
        state.move_coin(ADDRESS, to, self.total())
    }

    /// Pays the fee; the price is still to be divided.
    pub(super) fn pay_fee(self, state: &mut impl Write, payer: Address) -> Result<Amount, Failure> {
        let fee = Amount::from_u128(self.fee);
        state.move_coin(ADDRESS, INCENTIVE_POOL, fee)?;
        state.emit(ADDRESS, IMarket::FeePaid { payer, fee: fee.base_units() })?;
        Ok(Amount::from_u128(self.price))
    }
}

/// The number of a new offer, auction or sale.
pub(super) fn next_number(state: &mut impl Write) -> Result<u64, Failure> {
    COUNT.update(state, |count| {
        *count = count.checked_add(1).ok_or(IProtocol::Overflow {})?;
        Ok(*count)
    })
}
