//! The words for licences, as they are typed and shown.

use crate::{cli::Span, output::utc};
use sahara_abi::ILicenses::{Clause, Missing, Pricing, Template, Terms};
use sahara_primitives::{Amount, B256, BasisPoints, Timestamp, U256};

/// Every template.
pub(crate) const TEMPLATES: &[(&str, Template)] = &[
    ("open-use", Template::OpenUse),
    ("non-commercial", Template::NonCommercial),
    ("commercial", Template::Commercial),
    ("commercial-remix", Template::CommercialRemix),
];

/// What a price is for.
pub(crate) const PRICINGS: &[(&str, Pricing)] = &[
    ("free", Pricing::Free),
    ("fixed", Pricing::Fixed),
    ("per-use", Pricing::PerUse),
    ("per-million-tokens", Pricing::PerMillionTokens),
    ("per-seat", Pricing::PerSeat),
    ("subscription", Pricing::Subscription),
];

/// What terms grant, one bit each.
pub(crate) const PURPOSES: &[(&str, u8)] =
    &[("inference", 1), ("training", 2), ("derivative", 4), ("commercial", 8)];

/// The sum of purposes that these words name.
pub(crate) fn purpose(words: &[String]) -> u8 {
    let bit = |word: &String| crate::commands::asset_words::value(PURPOSES, word);
    words.iter().filter_map(bit).fold(0, |sum, bit| sum | bit)
}

/// The words of a sum of purposes.
pub(crate) fn purposes(sum: u8) -> String {
    let words = PURPOSES.iter().filter(|(_, bit)| sum & bit != 0).map(|(word, _)| *word);
    words.collect::<Vec<_>>().join(", ")
}

/// What a price buys.
pub(crate) const fn unit(pricing: Pricing) -> &'static str {
    match pricing {
        Pricing::Free => "nothing to pay",
        Pricing::Fixed => "a licence",
        Pricing::PerUse => "a use",
        Pricing::PerMillionTokens => "1,000,000 tokens",
        Pricing::PerSeat => "a seat",
        Pricing::Subscription => "a period",
        _ => "something this program does not know",
    }
}

/// A price and what it is for.
pub(crate) fn price(terms: &Terms) -> String {
    match terms.pricing {
        Pricing::Free => String::from("free"),
        Pricing::Subscription => {
            let period = Span(u64::from(terms.period));
            format!("{} SAHARA for each {period}", Amount::from_u128(terms.price))
        }
        pricing => format!("{} SAHARA for {}", Amount::from_u128(terms.price), unit(pricing)),
    }
}

/// Whether, as people say it.
pub(crate) const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// Basis points as percent.
pub(crate) fn percent(points: u16) -> String {
    BasisPoints::new(points).map_or_else(|_| format!("{points} bps"), |ratio| ratio.to_string())
}

/// When a licence ends.
pub(crate) fn end(expires_at: u64) -> String {
    if expires_at == 0 { String::from("never") } else { utc(Timestamp(expires_at)) }
}

/// What terms say, line by line.
pub(crate) fn lines(terms: &Terms) -> Vec<(&'static str, String)> {
    let span = |seconds: u32, none: &str| {
        if seconds == 0 { none.to_owned() } else { Span(u64::from(seconds)).to_string() }
    };
    let cap = |count: u64, none: &str| if count == 0 { none.to_owned() } else { count.to_string() };
    let text = |hash: B256, none: &str| {
        if hash.is_zero() { none.to_owned() } else { format!("text with hash {hash}") }
    };
    let derivative = if terms.purposes & 4 == 0 {
        String::from("not granted")
    } else {
        let approval = if terms.needsApproval { ", with the owner's approval" } else { "" };
        let reciprocal = if terms.isReciprocal { ", under these same terms" } else { "" };
        format!("pay {}{approval}{reciprocal}", percent(terms.derivativeRoyalty))
    };
    let resale = if terms.isTransferable {
        format!("yes; {} of a resale go to the asset", percent(terms.resaleRoyalty))
    } else {
        String::from("no")
    };
    vec![
        ("price", price(terms)),
        ("grants", purposes(terms.purposes)),
        ("derivatives", derivative),
        ("attribution needed", yes(terms.needsAttribution).into()),
        ("ends after", span(terms.duration, "never, or with its paid periods")),
        ("can be passed on", resale),
        ("can be revoked", yes(terms.isRevocable).into()),
        ("uses", cap(terms.useCap, "no cap")),
        ("seats", cap(u64::from(terms.seatCap), "one, or as many as are bought")),
        ("a seat stays for", span(terms.seatWindow, "no fixed time")),
        ("where", text(terms.territory, "everywhere")),
        ("forbidden", text(terms.restrictions, "nothing beyond this")),
    ]
}

/// What a right is short of, and what to do about it.
pub(crate) fn missing(missing: Missing, asset: u64) -> String {
    match missing {
        Missing::Nothing => String::from("nothing"),
        Missing::License => format!(
            "a seat in a licence: `sahara license offers {asset}` shows what is sold, `sahara license buy {asset}` buys"
        ),
        Missing::Derivatives => {
            String::from("the asset never allows derivatives, not even with a licence")
        }
        Missing::Purpose => format!(
            "a licence that grants it: those held grant less; `sahara license offers {asset}` shows what is sold"
        ),
        Missing::Revoked => String::from("a licence that was not revoked"),
        Missing::Expired => {
            String::from("a licence that has not expired: `sahara license renew LICENSE`")
        }
        Missing::Uses => {
            String::from("uses: all that were paid are counted; `sahara license renew LICENSE`")
        }
        Missing::Approval => {
            String::from("the approval of the asset's owner for derivatives by this account")
        }
        Missing::Listing => String::from(
            "a licence bought before the asset lost a dispute: it is no longer sold or given away",
        ),
        _ => String::from("something this program does not know"),
    }
}

/// One word for what is missing, for programs.
pub(crate) const fn missing_word(missing: Missing) -> &'static str {
    match missing {
        Missing::Nothing => "nothing",
        Missing::License => "license",
        Missing::Derivatives => "derivatives",
        Missing::Purpose => "purpose",
        Missing::Revoked => "revoked",
        Missing::Expired => "expired",
        Missing::Uses => "uses",
        Missing::Approval => "approval",
        Missing::Listing => "listing",
        _ => "unknown",
    }
}

/// A clause's flag and its value, as a refusal names them.
pub(crate) fn clause(clause: Clause, value: U256) -> (&'static str, String) {
    let seconds = |value: U256| Span(u64::try_from(value).unwrap_or(u64::MAX)).to_string();
    let yes = |value: U256| yes(!value.is_zero()).to_owned();
    match clause {
        Clause::Pricing => ("pricing", value.to_string()),
        Clause::Price => ("price", format!("{} SAHARA", Amount::from_base_units(value))),
        Clause::Period => ("period", seconds(value)),
        Clause::Duration => ("duration", seconds(value)),
        Clause::Purposes => ("purpose", purposes(u8::try_from(value).unwrap_or(u8::MAX))),
        Clause::Approval => ("needs-approval", yes(value)),
        Clause::Reciprocity => ("reciprocal", yes(value)),
        Clause::DerivativeRoyalty => ("derivative-royalty", value.to_string()),
        Clause::ResaleRoyalty => ("resale-royalty", value.to_string()),
        Clause::Uses => ("use-cap", value.to_string()),
        Clause::Seats => ("seat-cap", value.to_string()),
        Clause::SeatWindow => ("seat-window", seconds(value)),
        Clause::Revocation => ("revocable", yes(value)),
        _ => ("clause", value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{PRICINGS, PURPOSES, TEMPLATES, missing_word, purpose, purposes};
    use sahara_abi::ILicenses::{Missing, Pricing, Template};

    /// Values the interface knows, in order; the macro adds one for those it does not.
    fn known<T: TryFrom<u8> + std::fmt::Debug>() -> Vec<T> {
        let values = (0..=u8::MAX).map_while(|number| T::try_from(number).ok());
        values.filter(|value| format!("{value:?}") != "__Invalid").collect()
    }

    #[test]
    fn every_template_and_pricing_has_a_word() {
        let of = |table: &[(&str, Template)]| table.iter().map(|(_, t)| *t).collect::<Vec<_>>();
        assert_eq!(of(TEMPLATES), known::<Template>());
        let of = |table: &[(&str, Pricing)]| table.iter().map(|(_, p)| *p).collect::<Vec<_>>();
        assert_eq!(of(PRICINGS), known::<Pricing>());
    }

    #[test]
    fn everything_that_can_be_missing_has_a_word_of_its_own() {
        let mut words: Vec<_> = known::<Missing>().into_iter().map(missing_word).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), known::<Missing>().len());
        assert!(!words.contains(&"unknown"));
    }

    #[test]
    fn purposes_are_bits_with_words() {
        let all: Vec<String> = PURPOSES.iter().map(|(word, _)| (*word).to_owned()).collect();
        assert_eq!(purpose(&all), 15);
        assert_eq!(purposes(purpose(&all)), "inference, training, derivative, commercial");
        assert_eq!(purposes(10), "training, commercial");
    }
}
