//! The three forms of an HTTP date (RFC 9110, section 5.6.7), written from a separate calendar.
//!
//! It only writes dates and shares no code or logic with a parser, so that a parser's answers can
//! be compared with it.

const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The spellings of a second, given as the time since 1970: the preferred form, the form with a
/// two-digit year, and C's `asctime`, with the day padded with a space or with a zero.
pub(crate) fn spellings(seconds: u64) -> [String; 4] {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let weekday = DAYS[(days % 7) as usize];
    let short = &weekday[..3];
    let (year, month, day) = civil(days);
    let month = MONTHS[month];
    let time = format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60);
    [
        format!("{short}, {day:02} {month} {year:04} {time} GMT"),
        format!("{weekday}, {day:02}-{month}-{:02} {time} GMT", year % 100),
        format!("{short} {month} {day:2} {time} {year:04}"),
        format!("{short} {month} {day:02} {time} {year:04}"),
    ]
}

/// The year, month from 0 and day from 1 of a day since 1970, counted year by year and month by
/// month.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let mut year = 1970;
    while days >= days_of(year) {
        days -= days_of(year);
        year += 1;
    }
    let february = if days_of(year) == 366 { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= months[month] {
        days -= months[month];
        month += 1;
    }
    (year, month, days + 1)
}

const fn days_of(year: u64) -> u64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if is_leap { 366 } else { 365 }
}
