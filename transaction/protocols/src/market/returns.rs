//! Licences that can be returned unused: their price waits.

use super::{
    item::{Deal, divide},
    storage::HELD,
    words::{Collection, HeldRecord, Thing},
};
use crate::{
    licenses,
    state::{Failure, Read, Write},
};
use alloy_primitives::Address;
use sahara_abi::{IMarket, MARKET as ADDRESS};
use sahara_primitives::BasisPoints;

/// A sale that waits.
///
/// # Errors
/// `UnknownSale`.
pub(super) fn held(state: &mut impl Read, sale: u64) -> Result<HeldRecord, Failure> {
    let record = HELD.get(state, sale)?;
    if record.buyer.is_zero() { Err(IMarket::UnknownSale { sale }.into()) } else { Ok(record) }
}

const fn thing(record: &HeldRecord) -> Thing {
    Thing { collection: Collection::Licenses, token: record.license, state: record.state }
}

/// Returns the licence to its seller and everything that was paid to its buyer. A licence that was revoked
/// meanwhile moves no more and stays where it is: the price goes back all the same, or a seller whose asset
/// it is would end the right to return it by ending the licence.
///
/// # Errors
/// `UnknownSale`, `NotBidder` for anyone but the buyer, `ReturnOver`, `NotMovable` or `StateChanged` if it
/// was passed on, `StateChanged` if it was used, and those of the transfer.
pub(super) fn return_license(
    state: &mut impl Write,
    caller: Address,
    sale: u64,
) -> Result<(), Failure> {
    let record = held(state, sale)?;
    let (buyer, until) = (record.buyer, record.until);
    if caller != buyer {
        return Err(IMarket::NotBidder { caller, bidder: buyer }.into());
    }
    if state.block().timestamp.0 >= until {
        return Err(IMarket::ReturnOver { sale, until }.into());
    }
    let path = (buyer, record.seller);
    let license = thing(&record);
    let is_revoked = licenses::license(state, license.token_id())?.isRevoked;
    if !is_revoked {
        license.check_movable(state, buyer, path)?;
    }
    // Not the state that a listing commits to: a renewal, which anybody may pay, must not undo the right.
    license.expect_state(licenses::use_word(state, license.token_id())?)?;
    HELD.set(state, sale, &HeldRecord::default())?;
    if !is_revoked {
        license.transfer(state, buyer, path)?;
    }
    record.escrow.give_back(state, buyer)?;
    state.emit(ADDRESS, IMarket::Returned { sale })
}

/// Pays a sale out whose licence cannot be returned any more.
///
/// # Errors
/// `UnknownSale`, `ReturnOpen`.
pub(super) fn release(state: &mut impl Write, sale: u64) -> Result<(), Failure> {
    let record = held(state, sale)?;
    let until = record.until;
    if state.block().timestamp.0 < until {
        return Err(IMarket::ReturnOpen { sale, until }.into());
    }
    HELD.set(state, sale, &HeldRecord::default())?;
    let price = record.escrow.pay_fee(state, record.buyer)?;
    let referral = BasisPoints::new(record.referral).unwrap_or(BasisPoints::ZERO);
    let (seller, buyer, referrer) = (record.seller, record.buyer, record.referrer);
    divide(state, Deal { seller, buyer, referrer, referral }, thing(&record), price)?;
    state.emit(ADDRESS, IMarket::Released { sale })
}
