//! The four templates, in one table.

use super::{
    purpose::{ALL, COMMERCIAL, DERIVATIVE, INFERENCE, TRAINING},
    terms,
};
use crate::{state::Failure, system::Parameters};
use alloy_primitives::B256;
use sahara_abi::{
    ILicenses::{Pricing, Template, Terms},
    IProtocol,
};

/// Nothing granted, nothing asked: what the table's lines differ from.
const BLANK: Terms = Terms {
    pricing: Pricing::Free,
    price: 0,
    period: 0,
    duration: 0,
    purposes: 0,
    needsApproval: false,
    isReciprocal: false,
    needsAttribution: false,
    isTransferable: false,
    isRevocable: false,
    derivativeRoyalty: 0,
    resaleRoyalty: 0,
    useCap: 0,
    seatCap: 0,
    seatWindow: 0,
    territory: B256::ZERO,
    restrictions: B256::ZERO,
};

/// Anyone may do anything, naming the source.
pub const OPEN_USE: Terms = Terms { purposes: ALL, needsAttribution: true, ..BLANK };

/// Anyone may do anything but earn with it, naming the source; derivatives under the same terms.
pub const NON_COMMERCIAL: Terms = Terms {
    purposes: INFERENCE | TRAINING | DERIVATIVE,
    isReciprocal: true,
    needsAttribution: true,
    ..BLANK
};

/// For a price one may use it and earn with it, but not derive from it. A resale pays 10 %.
pub const COMMERCIAL_USE: Terms = Terms {
    pricing: Pricing::Fixed,
    purposes: INFERENCE | COMMERCIAL,
    isTransferable: true,
    resaleRoyalty: 1_000,
    ..BLANK
};

/// As [`COMMERCIAL_USE`], and one may train on it and derive from it, naming the source.
pub const COMMERCIAL_REMIX: Terms =
    Terms { purposes: ALL, needsAttribution: true, ..COMMERCIAL_USE };

/// A template's terms at a price, as the asset's derivative royalty asks.
///
/// # Errors
/// `InvalidTerms` when they contradict themselves: a price of free terms, a royalty too high.
pub fn template(
    template: Template,
    price: u128,
    derivative_royalty: u16,
    caps: &Parameters,
) -> Result<Terms, Failure> {
    let base = match template {
        Template::OpenUse => OPEN_USE,
        Template::NonCommercial => NON_COMMERCIAL,
        Template::Commercial => COMMERCIAL_USE,
        Template::CommercialRemix => COMMERCIAL_REMIX,
        Template::__Invalid => return Err(IProtocol::InvalidCall {}.into()),
    };
    let derivative_royalty = if terms::grants_derivatives(&base) { derivative_royalty } else { 0 };
    let filled = Terms { price, derivativeRoyalty: derivative_royalty, ..base };
    terms::check(&filled, caps)?;
    Ok(filled)
}
