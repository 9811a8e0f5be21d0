//! A length of time as people type it.

use std::{fmt, str::FromStr};

/// Seconds in each unit, longest first.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Seconds, typed as `30d`, `12h`, `90m` or `45s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) u64);

/// A text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseSpanError(String);

impl fmt::Display for ParseSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no length of time: expected a number and s, m, h or d, as 12h or 30d",
            self.0
        )
    }
}

impl std::error::Error for ParseSpanError {}

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, ParseSpanError> {
        let error = || ParseSpanError(text.chars().take(40).collect());
        let unit = UNITS
            .iter()
            .find_map(|(unit, seconds)| text.strip_suffix(unit).map(|number| (number, *seconds)));
        let (number, seconds) = unit.ok_or_else(error)?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        let number: u64 = number.parse().map_err(|_| error())?;
        number.checked_mul(seconds).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for Span {
    /// In the longest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole =
            UNITS.iter().find(|(_, seconds)| self.0 != 0 && self.0.is_multiple_of(*seconds));
        match whole {
            Some((unit, seconds)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_span_reads_what_it_wrote() {
        for (text, seconds) in
            [("30d", 2_592_000), ("12h", 43_200), ("90m", 5_400), ("45s", 45), ("0s", 0)]
        {
            assert_eq!(text.parse(), Ok(Span(seconds)));
            assert_eq!(Span(seconds).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "d", "30", "-1d", "1.5h", "1w", "+3s", "99999999999999999999d", "１d"] {
            assert!(text.parse::<Span>().is_err(), "{text:?} was read as a span");
        }
    }
}
