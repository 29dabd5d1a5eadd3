//! Moments of the wall clock for people, in UTC.

use std::fmt;

/// A moment, in microseconds since the Unix epoch, as `2026-11-28 09:15:00`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) u64);

const DAY: u64 = 86_400;

impl Moment {
    fn seconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Writes the time of the day alone if the other moment is of the same day.
    pub(crate) fn after(self, other: Self) -> String {
        let text = self.to_string();
        let is_same_day = self.seconds() / DAY == other.seconds() / DAY;
        match text.split_once(' ') {
            Some((_, time)) if is_same_day => time.to_owned(),
            _ => text,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.seconds() / DAY, self.seconds() % DAY);
        let (year, month, day) = date(days);
        let (hours, minutes, seconds) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02}")
    }
}

/// The date of a day after 1970-01-01. The year is found by whole periods of 400, 100, 4 and 1
/// years that begin in March, so that a leap day is the last of its period.
fn date(days: u64) -> (u64, u64, u64) {
    const YEAR: u64 = 365;
    const FOUR: u64 = 4 * YEAR + 1;
    const HUNDRED: u64 = 25 * FOUR - 1;
    const FOUR_HUNDRED: u64 = 4 * HUNDRED + 1;
    /// From 0000-03-01 to 1970-01-01.
    const EPOCH: u64 = 4 * FOUR_HUNDRED + 3 * HUNDRED + 17 * FOUR + YEAR + 306;
    /// Of the months from March on.
    const MONTHS: [u64; 12] = [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29];

    let days = days + EPOCH;
    let (four_hundreds, days) = (days / FOUR_HUNDRED, days % FOUR_HUNDRED);
    let hundreds = (days / HUNDRED).min(3);
    let days = days - hundreds * HUNDRED;
    let (fours, days) = (days / FOUR, days % FOUR);
    let ones = (days / YEAR).min(3);
    let mut day = days - ones * YEAR;
    let year = 400 * four_hundreds + 100 * hundreds + 4 * fours + ones;
    let mut month = 0;
    while day >= MONTHS[month] {
        day -= MONTHS[month];
        month += 1;
    }
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (year + u64::from(is_next_year), month as u64, day + 1)
}

#[cfg(test)]
mod tests {
    use super::Moment;

    /// The days as `date -u -d @SECONDS` prints them.
    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (1_709_164_800, "2024-02-29 00:00:00"),
            (1_735_689_599, "2024-12-31 23:59:59"),
            (1_795_000_000, "2026-11-18 11:06:40"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ];
        for (seconds, text) in cases {
            assert_eq!(Moment(seconds * 1_000_000).to_string(), text);
        }
        assert!(Moment(u64::MAX).to_string().starts_with("586524-"), "{}", Moment(u64::MAX));
    }

    #[test]
    fn a_second_moment_of_a_day_is_a_time() {
        assert_eq!(Moment(61_000_000).after(Moment(0)), "00:01:01");
        assert_eq!(Moment(86_400_000_000).after(Moment(0)), "1970-01-02 00:00:00");
    }
}
