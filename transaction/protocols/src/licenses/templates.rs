//! The four templates, filled in.

use super::terms;
use crate::{state::Failure, system::Parameters};
use sahara_abi::{
    ILicenses::{Template, Terms},
    IProtocol,
};

pub use sahara_abi::terms::{COMMERCIAL_REMIX, COMMERCIAL_USE, NON_COMMERCIAL, OPEN_USE};

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
