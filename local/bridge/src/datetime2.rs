//! SQL Server's `DATETIME2(7)` in UTC: ticks of 100 ns, written as `CONVERT(NVARCHAR(40), …, 126)` does,
//! `2026-01-02T03:04:05.1234567`. (The fraction always has its seven digits here.)

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const TICKS_A_SECOND: u64 = 10_000_000;
const SECONDS_A_DAY: u64 = 86_400;

/// An instant since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DateTime2 {
    /// Units of 100 ns since 1970-01-01T00:00:00.
    ticks: u64,
}

impl DateTime2 {
    /// The time of the system's clock.
    pub fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let ticks = since_1970.as_secs() * TICKS_A_SECOND + u64::from(since_1970.subsec_nanos()) / 100;
        Self { ticks }
    }

    /// The version of a row that replaces version `previous`: now, but always later, however fast the changes follow
    /// one another and whatever happens to the clock.
    pub fn following(previous: &str) -> Self {
        match previous.parse::<Self>() {
            Ok(previous) => Self::now().max(Self {
                ticks: previous.ticks + 1,
            }),
            Err(_) => Self::now(),
        }
    }
}

impl fmt::Display for DateTime2 {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let seconds = self.ticks / TICKS_A_SECOND;
        let (year, month, day) = civil_from_days(seconds / SECONDS_A_DAY);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        let fraction = self.ticks % TICKS_A_SECOND;
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}"
        )
    }
}

/// The text is not one that `Display` writes.
#[derive(Debug, PartialEq)]
pub(crate) struct NotADateTime2;

impl FromStr for DateTime2 {
    type Err = NotADateTime2;

    fn from_str(text: &str) -> Result<Self, NotADateTime2> {
        let number = |range| -> Result<u64, NotADateTime2> {
            text.get(range)
                .and_then(|digits: &str| digits.parse().ok())
                .ok_or(NotADateTime2)
        };
        let days = days_from_civil(number(0..4)?, number(5..7)?, number(8..10)?).ok_or(NotADateTime2)?;
        let seconds = days * SECONDS_A_DAY + number(11..13)? * 3600 + number(14..16)? * 60 + number(17..19)?;
        let instant = Self {
            ticks: seconds * TICKS_A_SECOND + number(20..27)?,
        };
        // Whatever was accepted in the wrong place or out of range is not written back the same.
        if instant.to_string() == text {
            Ok(instant)
        } else {
            Err(NotADateTime2)
        }
    }
}

/// Days since 1970-01-01 to (year, month, day) of the Gregorian calendar: `civil_from_days` of Howard Hinnant's
/// "chrono-Compatible Low-Level Date Algorithms", for dates since 1970.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let from_march_0000 = days + 719_468;
    let (era, day_of_era) = (from_march_0000 / 146_097, from_march_0000 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The inverse of `civil_from_days`; `None` before 1970.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_sql_server() {
        for (ticks, text) in [
            (0, "1970-01-01T00:00:00.0000000"),
            (1, "1970-01-01T00:00:00.0000001"),
            (951_782_400 * TICKS_A_SECOND, "2000-02-29T00:00:00.0000000"),
            (
                1_767_323_045 * TICKS_A_SECOND + 1_234_567,
                "2026-01-02T03:04:05.1234567",
            ),
            (
                4_107_542_399 * TICKS_A_SECOND + 9_999_999,
                "2100-02-28T23:59:59.9999999",
            ),
        ] {
            assert_eq!(DateTime2 { ticks }.to_string(), text);
            assert_eq!(text.parse(), Ok(DateTime2 { ticks }));
        }
    }

    #[test]
    fn every_day_until_2100_is_read_as_it_is_written() {
        for day in 0..47_482 {
            let instant = DateTime2 {
                ticks: day * SECONDS_A_DAY * TICKS_A_SECOND,
            };
            assert_eq!(instant.to_string().parse(), Ok(instant));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05.1234567",
            "2026-13-02T03:04:05.1234567",
            "2026-02-30T03:04:05.1234567",
            "2026-01-02T24:04:05.1234567",
            "1969-12-31T23:59:59.9999999",
            "2026-01-02T03:04:05.12345678",
            "2026-01-02T03:04:05.é234567",
        ] {
            assert_eq!(text.parse::<DateTime2>(), Err(NotADateTime2), "{text}");
        }
    }

    #[test]
    fn a_version_follows_its_predecessor_even_when_the_clock_stands_behind() {
        let future = "2999-12-31T23:59:59.9999999";
        assert_eq!(DateTime2::following(future).to_string(), "3000-01-01T00:00:00.0000000");
        let now = DateTime2::now();
        assert!(DateTime2::following(&now.to_string()) > now);
        assert!(DateTime2::following("2026-01-01T00:00:00.0000000") >= now);
    }
}
