//! Dates as HTTP spells them, and as mail does.
//!
//! Owns the spellings, the calendar and the century of a two-digit year. Does not know what a date is for.
//!
//! Written here rather than taken from a crate for two rules of
//! [RFC 9110, section 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7): the century of a two-digit year
//! depends on the time of reading (`httpdate` fixes it at 1970 to 2069, and then refuses the date for its weekday),
//! and recipients are encouraged to read the dates of mail too. `httpdate` is what the tests measure it by.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 24 * 60 * 60;

/// The mean Gregorian year: close enough to place a window of fifty of them.
const MEAN_YEAR: i64 = 31_556_952;

/// Where four digits of a year end, or nearly so. A clock beyond it is treated as if it showed this.
const LATEST: i64 = 8_000 * MEAN_YEAR;

/// The spellings allowed are shorter; longer text is refused before it is taken apart.
const LONGEST: usize = 64;

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The zones with names and their hours from UTC, where that is not zero: [RFC 5322, section
/// 4.3](https://www.rfc-editor.org/rfc/rfc5322#section-4.3).
const ZONES: [(&str, i64); 8] = [
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// The moment `text` names, if it is a date; `now` decides the century of a two-digit year.
///
/// Dates before 1970 are all one to those who ask how long to wait, and come out as 1970.
pub(crate) fn parse(text: &str, now: SystemTime) -> Option<SystemTime> {
    if text.len() > LONGEST {
        return None;
    }
    let fields: Vec<&str> = fields(text).collect();
    let fields = match &*fields {
        [first, rest @ ..] if is_weekday(first) => rest,
        all => all,
    };
    match *fields {
        // asctime: the one form that puts the month first and the year last, and has no zone.
        [month, day, time, year] if month_number(month).is_some() => {
            moment([year, month, day], time, "GMT", now)
        }
        [day, month, year, time] => moment([year, month, day], time, "GMT", now),
        [day, month, year, time, zone] => moment([year, month, day], time, zone, now),
        _ => None,
    }
}

/// The parts between spaces and commas; a part that begins with a digit is taken apart at hyphens as well, for
/// `06-Nov-94`. The hyphen of a zone stays, because it comes first.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', ','])
        .filter(|part| !part.is_empty())
        .flat_map(|part| {
            let begins_with_digit = part.starts_with(|first: char| first.is_ascii_digit());
            let separators: &[char] = if begins_with_digit { &['-'] } else { &[] };
            part.split(separators)
        })
}

fn moment(date: [&str; 3], time: &str, zone: &str, now: SystemTime) -> Option<SystemTime> {
    let [year, month, day] = date;
    let (month, day) = (month_number(month)?, number(day, 1..=2)?);
    let offset = time_of_day(time)? - zone_offset(zone)?;
    let seconds_in = |year| Some(days_since_1970(year, month, day)? * DAY + offset);
    let seconds = match number(year, 4..=4) {
        Some(year) => seconds_in(year)?,
        None => in_nearest_century(number(year, 2..=2)?, seconds_in, now)?,
    };
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The latest moment that is at most fifty years after `now`, among the years that end with these two digits.
fn in_nearest_century(
    digits: i64,
    seconds_in: impl Fn(i64) -> Option<i64>,
    now: SystemTime,
) -> Option<i64> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let latest = i64::try_from(now)
        .unwrap_or(i64::MAX)
        .saturating_add(50 * MEAN_YEAR)
        .min(LATEST);
    // One year more than the mean gives, because it may be off by a few hours at the turn of a year.
    let latest_year = 1970 + latest / MEAN_YEAR + 1;
    let year = latest_year - (latest_year - digits).rem_euclid(100);
    [year, year - 100]
        .into_iter()
        .filter_map(seconds_in)
        .find(|seconds| *seconds <= latest)
}

fn is_weekday(text: &str) -> bool {
    WEEKDAYS
        .iter()
        .any(|day| text.eq_ignore_ascii_case(day) || text.eq_ignore_ascii_case(&day[..3]))
}

fn month_number(text: &str) -> Option<i64> {
    (1..)
        .zip(MONTHS)
        .find(|(_, month)| text.eq_ignore_ascii_case(month))
        .map(|(number, _)| number)
}

/// `hh:mm:ss`, or without the seconds as mail allows. There is no second 60: no clock that could be waited on shows it.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hours = number(parts.next()?, 2..=2).filter(|hours| *hours < 24)?;
    let minutes = number(parts.next()?, 2..=2).filter(|minutes| *minutes < 60)?;
    let seconds = parts
        .next()
        .map_or(Some(0), |part| number(part, 2..=2))
        .filter(|seconds| *seconds < 60)?;
    parts
        .next()
        .is_none()
        .then_some((hours * 60 + minutes) * 60 + seconds)
}

/// Seconds by which a zone is ahead of UTC, from its name or from `+hhmm`. Names of up to five letters that nobody
/// knows count as UTC, as mail has it; `GMT` is one of them.
fn zone_offset(text: &str) -> Option<i64> {
    if let Some((_, hours)) = ZONES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
    {
        return Some(hours * 60 * 60);
    }
    if (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(0);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = number(digits, 4..=4)?;
    let (hours, minutes) = (digits / 100, digits % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if day < 1 || day > days_in(month, year) {
        return None;
    }
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let before_year = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let before_month: i64 = (1..month).map(|month| days_in(month, year)).sum();
    Some(before_year + before_month + day - 1)
}

const fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// ASCII digits and nothing else, as many as `lengths` allows.
fn number(text: &str, lengths: RangeInclusive<usize>) -> Option<i64> {
    let is_number = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    /// 9999-12-31T23:59:59Z, the last second with a four-digit year.
    const LAST_SECOND: u64 = 253_402_300_799;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn year(year: i64) -> SystemTime {
        let days = days_since_1970(year, 1, 1).expect("the first of January exists");
        at(u64::try_from(days * DAY).expect("a year from 1970 on"))
    }

    #[track_caller]
    fn expect(text: &str, seconds: Option<u64>) {
        assert_eq!(parse(text, at(784_111_777)), seconds.map(at), "{text:?}");
    }

    #[test]
    fn the_three_forms_of_http() {
        expect("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        expect("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777));
        expect("Sun Nov  6 08:49:37 1994", Some(784_111_777));
        expect("Wed Nov 16 08:49:37 1994", Some(784_975_777));
    }

    #[test]
    fn the_forms_of_mail() {
        expect("06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        expect("Sun,06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        expect("Sun, 6 Nov 1994 08:49:37 +0000", Some(784_111_777));
        expect("sun, 06 nov 1994 08:49:37 gmt", Some(784_111_777));
        expect("Sun, 06 Nov 94 08:49:37 UTC", Some(784_111_777));
        expect("Sun, 06 Nov 1994 08:49:37", Some(784_111_777));
        expect("Sun, 06 Nov 1994 08:49 GMT", Some(784_111_740));
        expect("Sun, 06 Nov 1994 08:49:37 Z", Some(784_111_777));
        expect("Sun, 06 Nov 1994 08:49:37 XYZ", Some(784_111_777));
        expect("Sun, 06 Nov 1994 03:49:37 EST", Some(784_111_777));
        expect("Sun, 06 Nov 1994 10:19:37 +0130", Some(784_111_777));
        expect("Sun, 06 Nov 1994 07:19:37 -0130", Some(784_111_777));
    }

    #[test]
    fn a_weekday_is_a_word_that_decides_nothing() {
        expect("Mon, 06 Nov 1994 08:49:37 GMT", Some(784_111_777));
        expect("Xyz, 06 Nov 1994 08:49:37 GMT", None);
        expect("Sun, Sun, 06 Nov 1994 08:49:37 GMT", None);
    }

    #[test]
    fn impossible_dates_are_none() {
        expect("Sun, 00 Nov 1994 08:49:37 GMT", None);
        expect("Sun, 31 Nov 1994 08:49:37 GMT", None);
        expect("Tue, 29 Feb 1994 08:49:37 GMT", None);
        expect("Thu, 29 Feb 2100 08:49:37 GMT", None);
        expect("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400));
        expect("Sun, 06 Nov 1994 24:00:00 GMT", None);
        expect("Sun, 06 Nov 1994 08:60:00 GMT", None);
        expect("Sun, 06 Nov 1994 08:49:60 GMT", None);
        expect("Sun, 06 Nov 1994 08:49:37 +2400", None);
        expect("Sun, 06 Nov 1994 08:49:37 +0060", None);
    }

    #[test]
    fn garbage_is_none() {
        for text in [
            "",
            ",",
            "-",
            "Sun,",
            "Sun, 06 Nov 1994",
            "Sun, Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT GMT",
            "Sun, 06 Nov 1994 08:49:37 seconds",
            "Sun, 06 Nov 1994 08:49:37 +100",
            "Sun, 06 Nov 1994 08:49:37 0100",
            "Sun, 06 Nov 1994 08:49:37GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 08 GMT",
            "Sun, 06 November 1994 08:49:37 GMT",
            "Sun, 06 Nov 4 08:49:37 GMT",
            "Sun, 06 Nov 994 08:49:37 GMT",
            "Sun, 06 Nov 19940 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            expect(text, None);
        }
        expect(
            &format!("Sun, 06 Nov 1994 08:49:37 {}GMT", " ".repeat(LONGEST)),
            None,
        );
    }

    #[test]
    fn dates_before_1970_are_as_good_as_1970() {
        expect("Thu, 01 Jan 1970 00:00:00 +0100", Some(0));
        expect("Sun, 06 Nov 1904 08:49:37 GMT", Some(0));
        expect("Sat, 01 Jan 0000 00:00:00 GMT", Some(0));
    }

    #[test]
    fn a_two_digit_year_is_at_most_fifty_years_ahead() {
        let nov_94 = |now| parse("Sunday, 06-Nov-94 08:49:37 GMT", now);
        let (in_1994, in_2094) = (at(784_111_777), at(3_939_871_777));
        assert_eq!(nov_94(year(1990)), Some(in_1994));
        assert_eq!(
            nov_94(year(2044)),
            Some(in_1994),
            "fifty years and ten months ahead is too far"
        );
        assert_eq!(nov_94(year(2045)), Some(in_2094));
        assert_eq!(nov_94(year(2095)), Some(in_2094));
        assert_eq!(
            parse("Sunday, 06-Nov-05 08:49:37 GMT", year(2095)),
            Some(at(4_286_940_577)),
            "2105, not 2005"
        );
    }

    #[test]
    fn the_window_ends_to_the_second_at_the_turn_of_a_year() {
        let turn = year(2102);
        let fifty_years = Duration::from_secs(50 * MEAN_YEAR.unsigned_abs());
        let new_year = |now| parse("01 Jan 02 00:00:00 GMT", now);
        assert_eq!(new_year(turn - fifty_years), Some(turn));
        assert_eq!(
            new_year(turn - fifty_years - Duration::from_secs(1)),
            Some(year(2002))
        );
    }

    #[test]
    fn the_29th_of_february_goes_to_a_century_that_has_one() {
        assert_eq!(
            parse("Tuesday, 29-Feb-00 00:00:00 GMT", year(2080)),
            Some(at(951_782_400)),
            "2100 is no leap year"
        );
    }

    #[test]
    fn a_clock_before_1970_or_beyond_reason_is_no_reason_to_fail() {
        let text = "Sunday, 06-Nov-94 08:49:37 GMT";
        let early = UNIX_EPOCH
            .checked_sub(Duration::from_secs(1))
            .expect("a moment before 1970");
        assert_eq!(parse(text, early), Some(at(784_111_777)));
        for seconds in [i64::MAX, i64::MAX - 50 * MEAN_YEAR, LATEST] {
            let Some(late) = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.unsigned_abs()))
            else {
                continue;
            };
            for digits in 0..100 {
                let read = parse(&format!("01-Jan-{digits:02} 00:00:00 GMT"), late);
                assert!(
                    read > Some(year(9800)),
                    "{digits:02} at {seconds}: {read:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text, year(2026));
        }

        #[test]
        fn text_made_of_the_pieces_of_dates_is_read_or_refused(
            text in "((Sun|Monday|Feb|Nov|29|31|00|1994|9999|0000|94|-|\\+|,| |:|08:49:37|GMT|\\+0130){0,12})",
            now in any::<u32>(),
        ) {
            let _ = parse(&text, at(now.into()));
        }

        #[test]
        fn what_is_written_is_read_back(seconds in 0..=LAST_SECOND, now in any::<u32>()) {
            assert_eq!(parse(&httpdate::fmt_http_date(at(seconds)), at(now.into())), Some(at(seconds)));
        }

        #[test]
        fn every_date_that_httpdate_reads_is_read_alike(
            text in "(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Feb|Jun|Dec) ( [1-9]|[12][0-9]|3[01]) [0-2][0-9]:[0-6][0-9]:00 20[0-9]{2}",
        ) {
            if let Ok(expected) = httpdate::parse_http_date(&text) {
                assert_eq!(parse(&text, year(2026)), Some(expected));
            }
        }

        /// Within forty years of now, both agree about the century, and httpdate knows the weekday.
        #[test]
        fn two_digit_years_within_forty_years_agree_with_httpdate(days in 0_u64..80 * 365) {
            let expected = year(1986) + Duration::from_secs(days * 86_400);
            let imf = httpdate::fmt_http_date(expected);
            let weekday = WEEKDAYS.iter().find(|day| imf.starts_with(&day[..3])).expect("a weekday");
            let (day, month, year_of) = (&imf[5..7], &imf[8..11], &imf[14..16]);
            let rfc850 = format!("{weekday}, {day}-{month}-{year_of} {}", &imf[17..]);
            assert_eq!(httpdate::parse_http_date(&rfc850).ok(), Some(expected), "{rfc850}");
            assert_eq!(parse(&rfc850, year(2026)), Some(expected), "{rfc850}");
        }
    }
}
