//! Days and months of block times, UTC.

const DAY_MILLISECONDS: u64 = 86_400_000;

/// All time.
pub(crate) const ALL: &str = "all";

/// The periods that a moment lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Periods {
    /// As `2026-11-22`.
    pub(crate) day: String,
    /// As `2026-11`.
    pub(crate) month: String,
}

impl Periods {
    /// Of a Unix time in milliseconds.
    pub(crate) fn of(milliseconds: u64) -> Self {
        let (year, month, day) = civil(milliseconds / DAY_MILLISECONDS);
        Self {
            day: format!("{year:04}-{month:02}-{day:02}"),
            month: format!("{year:04}-{month:02}"),
        }
    }

    pub(crate) fn each(&self) -> [&str; 3] {
        [ALL, &self.month, &self.day]
    }
}

/// Year, month and day of a number of days since 1970-01-01 (Hinnant's `civil_from_days`).
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::Periods;

    #[test]
    fn days_and_months_are_those_of_utc() {
        let day = |milliseconds| Periods::of(milliseconds).day;
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400_000), "2000-02-29");
        assert_eq!(day(1_760_000_000_000), "2025-10-09");
        assert_eq!(day(1_767_225_599_999), "2025-12-31");
        assert_eq!(Periods::of(1_767_225_600_000).month, "2026-01");
    }
}
