//! UTC calendar months, resolved to seconds.

use sahara_primitives::Timestamp;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Days of 400 years, after which the calendar repeats.
const ERA: u64 = 146_097;

/// A date of the proleptic Gregorian calendar; March is month 0, so that the leap day ends a year.
struct Date {
    year: u64,
    month: u64,
    /// From 0.
    day: u64,
}

const fn div(dividend: u64, divisor: u64) -> u64 {
    match dividend.checked_div(divisor) {
        Some(quotient) => quotient,
        None => 0,
    }
}

/// Days from the first of March of year 0 to the first of a month.
const fn days_before(year: u64, month: u64) -> u64 {
    let leaps = div(year, 4).saturating_sub(div(year, 100)).saturating_add(div(year, 400));
    let years = year.saturating_mul(365).saturating_add(leaps);
    // 153 days in five months from March on: 31, 30, 31, 30, 31.
    years.saturating_add(div(month.saturating_mul(153).saturating_add(2), 5))
}

/// Days from the first of March of year 0 to the first of January 1970.
const EPOCH: u64 = 719_468;

const fn date(days: u64) -> Date {
    // The estimate is never too late and at most one year early.
    let mut year = div(days.saturating_mul(400), ERA).saturating_sub(1);
    while days_before(year.saturating_add(1), 0) <= days {
        year = year.saturating_add(1);
    }
    let mut month = 0_u64;
    while month < 11 && days_before(year, month.saturating_add(1)) <= days {
        month = month.saturating_add(1);
    }
    Date { year, month, day: days.saturating_sub(days_before(year, month)) }
}

/// The same day and second `months` later; in a month that is too short, its last day.
///
/// Counted from one start, so that the 31st comes back after a short month.
pub fn add_months(from: Timestamp, months: u64) -> Timestamp {
    let second = from.0.checked_rem(DAY).unwrap_or_default();
    let Date { year, month, day } = date(from.day().saturating_add(EPOCH));
    let all = year.saturating_mul(12).saturating_add(month).saturating_add(months);
    let (year, month) = (div(all, 12), all.checked_rem(12).unwrap_or_default());
    let first = days_before(year, month);
    let next = match month {
        11 => days_before(year.saturating_add(1), 0),
        _ => days_before(year, month.saturating_add(1)),
    };
    let day = first.saturating_add(day).min(next.saturating_sub(1));
    Timestamp(day.saturating_sub(EPOCH).saturating_mul(DAY).saturating_add(second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // `date -u -d @SECONDS` of GNU coreutils.
    const CASES: [(u64, u64, u64); 9] = [
        (0, 1, 2_678_400),                  // 1970-01-01 -> 1970-02-01
        (1_769_817_600, 1, 1_772_236_800),  // 2026-01-31 -> 2026-02-28
        (1_769_817_600, 2, 1_774_915_200),  // 2026-01-31 -> 2026-03-31
        (1_832_889_599, 1, 1_835_481_599),  // 2028-01-30 23:59:59 -> 2028-02-29 23:59:59
        (1_835_395_200, 12, 1_866_931_200), // 2028-02-29 -> 2029-02-28
        (1_767_225_600, 12, 1_798_761_600), // 2026-01-01 -> 2027-01-01
        (1_767_225_600, 48, 1_893_456_000), // 2026-01-01 -> 2030-01-01
        (1_767_225_600, 15, 1_806_537_600), // 2026-01-01 -> 2027-04-01
        (4_102_444_800, 2, 4_107_542_400),  // 2100-01-01 -> 2100-03-01, no leap day
    ];

    #[test]
    fn months_end_where_the_calendar_says() {
        for (from, months, expected) in CASES {
            assert_eq!(add_months(Timestamp(from), months).0, expected, "{from} + {months}");
        }
    }

    proptest! {
        #[test]
        fn months_are_28_to_31_days_and_add_up_to_years(
            from in 0u64..10_000_000_000, months in 0u64..600,
        ) {
            let at = |months| add_months(Timestamp(from), months).0;
            prop_assert_eq!(at(0), from);
            let days = (at(months + 1) - at(months)) / DAY;
            prop_assert!((28..=31).contains(&days), "{days}");
            prop_assert_eq!((at(months) - from) % DAY, 0);
            let era = at(4_800) - from;
            prop_assert_eq!(era, ERA * DAY, "400 years");
        }
    }
}
