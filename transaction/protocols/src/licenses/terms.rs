//! Terms: what they may say, their id, and their words.

use super::{
    MAX_PRICE, MAX_SEAT_WINDOW, MAX_SEATS, MIN_PERIOD,
    purpose::{ALL, DERIVATIVE},
};
use crate::{
    assets::Title,
    state::{Failure, Read},
    storage::{Pack, Unpack, Value},
    system::Parameters,
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    IAssets::Derivatives,
    ILicenses::{self, Clause, Pricing, Terms},
    IProtocol,
};
use sahara_primitives::AssetId;

/// The id of terms: the EIP-712 hash of the struct.
pub fn id(terms: &Terms) -> B256 {
    terms.eip712_hash_struct()
}

/// Gas of the id: the hash of the type, 17 fields long, and of 18 words.
const ID_GAS: u64 = 1_000;

/// As [`id`], paid for.
pub(super) fn charged_id(state: &mut impl Read, terms: &Terms) -> Result<B256, Failure> {
    state.charge(ID_GAS)?;
    Ok(id(terms))
}

/// Whether a derivative may be linked under these terms.
pub const fn grants_derivatives(terms: &Terms) -> bool {
    terms.purposes & DERIVATIVE != 0
}

/// A clause, what it says, and the nearest value that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    clause: Clause,
    value: U256,
    expected: U256,
}

impl Contradiction {
    fn new(clause: Clause, value: u128, expected: u128) -> Self {
        Self { clause, value: U256::from(value), expected: U256::from(expected) }
    }
}

/// Refuses terms that contradict themselves.
///
/// # Errors
/// `InvalidTerms`, `InvalidCall` for a pricing that does not exist.
pub fn check(terms: &Terms, caps: &Parameters) -> Result<(), Failure> {
    let found = match terms.pricing {
        Pricing::__Invalid => return Err(IProtocol::InvalidCall {}.into()),
        Pricing::Free => check_free(terms),
        _ => check_sold(terms),
    };
    found.and_then(|()| check_rights(terms, caps)).map_err(
        |Contradiction { clause, value, expected }| {
            ILicenses::InvalidTerms { clause, value, expected }.into()
        },
    )
}

/// `value` must be `expected`.
fn equal(
    clause: Clause,
    value: impl Into<u128>,
    expected: impl Into<u128>,
) -> Result<(), Contradiction> {
    let (value, expected) = (value.into(), expected.into());
    if value == expected { Ok(()) } else { Err(Contradiction::new(clause, value, expected)) }
}

/// `value` must lie between the bounds.
fn within(clause: Clause, value: u128, (least, most): (u128, u128)) -> Result<(), Contradiction> {
    if value < least {
        return Err(Contradiction::new(clause, value, least));
    }
    if value > most { Err(Contradiction::new(clause, value, most)) } else { Ok(()) }
}

/// Free terms bind whoever uses the asset, so they have nothing that only a licence can count.
fn check_free(terms: &Terms) -> Result<(), Contradiction> {
    equal(Clause::Price, terms.price, 0_u8)?;
    equal(Clause::Period, terms.period, 0_u8)?;
    equal(Clause::Duration, terms.duration, 0_u8)?;
    equal(Clause::Uses, terms.useCap, 0_u8)?;
    equal(Clause::Seats, terms.seatCap, 0_u8)?;
    equal(Clause::SeatWindow, terms.seatWindow, 0_u8)?;
    equal(Clause::Revocation, terms.isRevocable, false)
}

fn check_sold(terms: &Terms) -> Result<(), Contradiction> {
    within(Clause::Price, terms.price, (0, MAX_PRICE))?;
    if terms.pricing == Pricing::Subscription {
        within(Clause::Period, terms.period.into(), (MIN_PERIOD.into(), u32::MAX.into()))?;
        equal(Clause::Duration, terms.duration, 0_u8)?;
    } else {
        equal(Clause::Period, terms.period, 0_u8)?;
    }
    within(Clause::Seats, terms.seatCap.into(), (0, MAX_SEATS.into()))?;
    within(Clause::SeatWindow, terms.seatWindow.into(), (0, MAX_SEAT_WINDOW.into()))
}

fn check_rights(terms: &Terms, caps: &Parameters) -> Result<(), Contradiction> {
    let known = terms.purposes & ALL;
    if known != terms.purposes || known == 0 {
        let expected = if known == 0 { ALL } else { known };
        return Err(Contradiction::new(Clause::Purposes, terms.purposes.into(), expected.into()));
    }
    let resale = if terms.isTransferable { caps.max_resale_royalty.points() } else { 0 };
    within(Clause::ResaleRoyalty, terms.resaleRoyalty.into(), (0, resale.into()))?;
    if grants_derivatives(terms) {
        let most = caps.max_derivative_royalty.points().into();
        return within(Clause::DerivativeRoyalty, terms.derivativeRoyalty.into(), (0, most));
    }
    equal(Clause::Approval, terms.needsApproval, false)?;
    equal(Clause::Reciprocity, terms.isReciprocal, false)?;
    equal(Clause::DerivativeRoyalty, terms.derivativeRoyalty, 0_u8)
}

/// Refuses terms that promise of an asset what it does not keep.
///
/// # Errors
/// `TermsDoNotFit`.
pub(super) fn check_fits(asset: AssetId, title: &Title, terms: &Terms) -> Result<(), Failure> {
    if !grants_derivatives(terms) {
        return Ok(());
    }
    let royalty = title.derivative_royalty.points();
    let found = if title.derivatives == Derivatives::None {
        let without = terms.purposes & !DERIVATIVE;
        equal(Clause::Purposes, terms.purposes, without)
    } else {
        equal(Clause::DerivativeRoyalty, terms.derivativeRoyalty, royalty)
    };
    found.map_err(|Contradiction { clause, value, expected }| {
        ILicenses::TermsDoNotFit { asset: asset.0, clause, value, expected }.into()
    })
}

/// Terms as four words; the zero word is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored(pub(crate) Option<Terms>);

impl Value for Stored {
    type Words = [U256; 4];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let Some(terms) = &self.0 else { return Ok(Self::Words::default()) };
        let first = Pack::new()
            .flag(true)
            .number(8, u8::from(terms.pricing).into())
            .number(128, terms.price)
            .number(32, terms.period.into())
            .number(32, terms.duration.into())
            .number(8, terms.purposes.into())
            .flag(terms.needsApproval)
            .flag(terms.isReciprocal)
            .flag(terms.needsAttribution)
            .flag(terms.isTransferable)
            .flag(terms.isRevocable)
            .number(16, terms.derivativeRoyalty.into())
            .number(16, terms.resaleRoyalty.into())
            .finish()?;
        let second = Pack::new()
            .number(64, terms.useCap.into())
            .number(16, terms.seatCap.into())
            .number(32, terms.seatWindow.into())
            .finish()?;
        let hash = |hash: B256| U256::from_be_bytes(hash.0);
        Ok([first, second, hash(terms.territory), hash(terms.restrictions)])
    }

    fn unpack([first, second, territory, restrictions]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        if !first.flag() {
            return Ok(Self(None));
        }
        let pricing = Pricing::try_from(first.number::<u8>(8)?)
            .map_err(|_| Failure::Fatal("stored terms have no such pricing".into()))?;
        Ok(Self(Some(Terms {
            pricing,
            price: first.number(128)?,
            period: first.number(32)?,
            duration: first.number(32)?,
            purposes: first.number(8)?,
            needsApproval: first.flag(),
            isReciprocal: first.flag(),
            needsAttribution: first.flag(),
            isTransferable: first.flag(),
            isRevocable: first.flag(),
            derivativeRoyalty: first.number(16)?,
            resaleRoyalty: first.number(16)?,
            useCap: second.number(64)?,
            seatCap: second.number(16)?,
            seatWindow: second.number(32)?,
            territory: B256::from(*territory),
            restrictions: B256::from(*restrictions),
        })))
    }
}
