//! Days by their dates, as the names of their tables have them.

/// The date of a day counted from 1970-01-01: `20261122`.
#[must_use]
pub fn date(day: i64) -> String {
    let (year, month, date) = date_of(day);
    format!("{year:04}{month:02}{date:02}")
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian calendar; the
/// reckoning starts its years in March, so that the leap day comes last).
fn date_of(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let of = |text: &str| date(text.parse::<model::Timestamp>().expect("a time").day());
        assert_eq!(of("2026-11-22T23:59:59.999Z"), "20261122");
        assert_eq!(of("2028-02-29T00:00:00Z"), "20280229");
        assert_eq!(of("1970-01-01T00:00:00Z"), "19700101");
        assert_eq!(of("9999-12-30T12:00:00Z"), "99991230");
    }
}
