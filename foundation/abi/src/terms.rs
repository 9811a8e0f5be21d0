//! Terms of licences: the four templates in one table, and the names that programs are told.

use crate::{
    ILicenses::{Pricing, Terms},
    purpose::{ALL, COMMERCIAL, DERIVATIVE, INFERENCE, TRAINING},
};
use alloy_primitives::B256;

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

/// The template that terms are made from, whatever their price and royalty to the asset; `custom` without
/// one.
pub fn template_name(terms: &Terms) -> &'static str {
    let known = [
        ("open_use", OPEN_USE),
        ("non_commercial", NON_COMMERCIAL),
        ("commercial", COMMERCIAL_USE),
        ("commercial_remix", COMMERCIAL_REMIX),
    ];
    let (price, derivative_royalty) = (terms.price, terms.derivativeRoyalty);
    let fits = |template: Terms| {
        Terms { price, derivativeRoyalty: derivative_royalty, ..template } == *terms
    };
    known
        .into_iter()
        .find_map(|(name, template)| fits(template).then_some(name))
        .unwrap_or("custom")
}

/// The name of what a price is for.
pub const fn pricing_name(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Free => "free",
        Pricing::Fixed => "fixed",
        Pricing::PerUse => "per_use",
        Pricing::PerMillionTokens => "per_million_tokens",
        Pricing::PerSeat => "per_seat",
        Pricing::Subscription => "subscription",
        Pricing::__Invalid => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::{COMMERCIAL_REMIX, COMMERCIAL_USE, NON_COMMERCIAL, OPEN_USE, template_name};
    use crate::ILicenses::Terms;

    #[test]
    fn a_template_is_known_at_any_price_and_no_other_terms_are() {
        for (name, template) in [
            ("open_use", OPEN_USE),
            ("non_commercial", NON_COMMERCIAL),
            ("commercial", COMMERCIAL_USE),
            ("commercial_remix", COMMERCIAL_REMIX),
        ] {
            let filled = Terms { price: 7, derivativeRoyalty: 300, ..template };
            assert_eq!(template_name(&filled), name);
            assert_eq!(template_name(&Terms { useCap: 1, ..filled }), "custom");
        }
    }
}
