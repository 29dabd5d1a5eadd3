//! The target `retry_after`: one value of the header, read at several instants.
//!
//! The input is the value. Compares with a naive reader of the header, and checks the laws that
//! hold for every value.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{AGE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};
use redress_http::parse_retry_after;

use crate::http_date::spellings;

/// The instants at which the value is read, in order: at the limits of dates, on the day of the
/// RFC's example, and between two seconds.
const INSTANTS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(784_111_777),
    Duration::from_nanos(1_930_453_567_250_000_001),
    Duration::from_secs(LAST),
    Duration::from_secs(1 << 40),
];

/// The last second of the year 9999, after which there is no HTTP date.
const LAST: u64 = 253_402_300_799;

const SEVEN: Duration = Duration::from_secs(7);

/// The meaning of one element of a value.
#[derive(Clone, Copy, Debug)]
enum Element {
    Wait(Duration),
    /// A date, as the time since 1970.
    Date(Duration),
}

impl Element {
    const fn seen_from(self, since_1970: Duration) -> Duration {
        match self {
            Self::Wait(wait) => wait,
            Self::Date(date) => date.saturating_sub(since_1970),
        }
    }
}

/// Reads any bytes as a `Retry-After` and compares with a naive reader, at each instant.
///
/// # Panics
///
/// If a law is broken.
pub fn retry_after(bytes: &[u8]) {
    let elements = elements(bytes);
    let mut before: Option<(Duration, Option<Duration>)> = None;
    for since_1970 in INSTANTS {
        let Some(now) = UNIX_EPOCH.checked_add(since_1970) else { continue };
        let wait = parse_retry_after(bytes, now);
        let longest = elements.iter().map(|element| element.seen_from(since_1970)).max();
        assert_eq!(wait, longest, "{elements:?}, seen {since_1970:?} after 1970");
        if let Some((earlier, asked)) = before {
            asks_for_less_by_as_much_at_most(asked, wait, since_1970 - earlier);
        }
        before = Some((since_1970, wait));
        a_header_says_what_its_value_says(bytes, now, wait);
    }
    a_date_is_the_same_in_every_spelling(bytes);
    lists_and_comments_take_nothing_away(bytes);
}

fn asks_for_less_by_as_much_at_most(asked: Option<Duration>, later: Option<Duration>, passed: Duration) {
    assert_eq!(asked.is_some(), later.is_some(), "what can be read can be read at any time");
    assert!(later <= asked, "{later:?} is no more than {asked:?}");
    assert!(asked.map(|asked| asked.saturating_sub(passed)) <= later, "{asked:?} and {later:?}, {passed:?} after it");
}

/// The `Date` of a response takes precedence over the client's clock.
fn a_header_says_what_its_value_says(bytes: &[u8], now: SystemTime, wait: Option<Duration>) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
    assert_eq!(redress_http::retry_after(&headers, now), wait, "a header says what its value says");
    let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    // A `Date` is in whole seconds.
    if since_1970.subsec_nanos() > 0 || since_1970.as_secs() > LAST {
        return;
    }
    for age in [0, 3600].map(|age: u64| age.min(since_1970.as_secs())) {
        let [date, ..] = spellings(since_1970.as_secs() - age);
        headers.insert(DATE, date.parse().expect("a date is a header value"));
        headers.insert(AGE, age.into());
        let there = redress_http::retry_after(&headers, UNIX_EPOCH + SEVEN);
        assert_eq!(there, wait, "made at {date}, {age} seconds old");
    }
}

/// Every spelling of a date means the same, by a separate calendar.
fn a_date_is_the_same_in_every_spelling(bytes: &[u8]) {
    let Some(Element::Date(date)) = ascii(bytes).and_then(element) else { return };
    assert!(date.subsec_nanos() == 0 && date.as_secs() <= LAST, "dates are whole seconds up to the year 9999");
    for spelling in &spellings(date.as_secs()) {
        let read = parse_retry_after(spelling, UNIX_EPOCH);
        // Two digits are a year from 1970 to 2069.
        let is_short = spelling.contains('-');
        assert!(read == Some(date) || (is_short && date.as_secs() >= 3_155_760_000), "{spelling} is the same date");
    }
}

/// With a second element, the longer wait counts; a comment changes nothing.
fn lists_and_comments_take_nothing_away(bytes: &[u8]) {
    let Some(value) = ascii(bytes).filter(|value| !value.contains(';')) else { return };
    let read = |value: &str| parse_retry_after(value, UNIX_EPOCH);
    let (alone, longer) = (read(value), read(value).max(Some(SEVEN)));
    let listed = [format!("{value}, 7"), format!("7,{value}"), format!(" {value} ,soon, 7")].map(|list| read(&list));
    let commented = read(&format!("{value}; 9"));
    // A date may have one comma, and another that the date parser reads as a space: such a date is
    // read alone, but not in a list.
    if value.matches(',').count() < 2 {
        assert_eq!((listed, commented), ([longer; 3], alone), "{value:?}");
    }
    assert!(listed.iter().all(|listed| (Some(SEVEN)..=longer).contains(listed)), "{listed:?} of {value:?}");
    assert!(commented <= alone, "{value:?}");
    for part in value.split(',') {
        assert!(read(part) <= alone, "{value:?} asks for as much as {part:?}");
    }
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.trim_ascii()).ok().filter(|text| text.is_ascii())
}

/// The elements of a value: one, or those of a list before its semicolon. A comma separates two
/// elements or is part of a date, so every part is tried, and every two in a row.
fn elements(bytes: &[u8]) -> Vec<Element> {
    let Some(value) = ascii(bytes) else { return Vec::new() };
    if let Some(element) = element(value) {
        return vec![element];
    }
    let list = value.split(';').next().unwrap_or_default();
    let parts: Vec<&str> = list.split(',').collect();
    let twos = parts.windows(2).map(|two| two.join(","));
    let ones = parts.iter().map(|part| (*part).to_owned());
    ones.chain(twos).filter_map(|part| element(part.trim_ascii())).collect()
}

fn element(text: &str) -> Option<Element> {
    let is_quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
    let text = if is_quoted { text[1..text.len() - 1].trim_ascii() } else { text };
    let date = || httpdate::parse_http_date(text).ok().and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    number(text.as_bytes()).map(Element::Wait).or_else(|| date().map(Element::Date))
}

/// The words for units, with their length in milliseconds.
const UNITS: [(&[&str], u64); 5] = [
    (&["ms", "msec", "millis", "milliseconds"], 1),
    (&["", "s", "sec", "secs", "second", "seconds"], 1_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000),
    (&["h", "hour", "hours"], 3_600_000),
    (&["d", "day", "days"], 86_400_000),
];

/// Reads the element as a number by the documented rules, letter by letter, without the standard
/// library's parser.
fn number(text: &[u8]) -> Option<Duration> {
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let (mut count, mut significant, mut digits) = (0_u64, 0, 0);
    let (mut is_in_fraction, mut is_begun) = (false, false);
    while let [letter @ (b'0'..=b'9' | b'.'), after @ ..] = rest {
        rest = after;
        match (letter, is_in_fraction) {
            (b'.', true) => return None,
            (b'.', false) => is_in_fraction = true,
            (digit, true) => (digits, is_begun) = (digits + 1, is_begun || *digit != b'0'),
            (digit, false) => {
                digits += 1;
                significant += usize::from(significant > 0 || *digit != b'0');
                count = count.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            }
        }
    }
    let word = rest.trim_ascii().to_ascii_lowercase();
    let (_, millis) = UNITS.iter().find(|(words, _)| words.iter().any(|known| known.as_bytes() == word))?;
    let is_number = digits > 0 && significant <= 308;
    let count = count.saturating_add(u64::from(is_begun));
    is_number.then(|| if is_negative { Duration::ZERO } else { times(count, *millis) })
}

/// A number of units of this length, up to `u64::MAX` seconds.
fn times(count: u64, millis: u64) -> Duration {
    let whole = u128::from(count) * u128::from(millis);
    let longest = u128::from(u64::MAX) * 1000;
    let whole = whole.min(longest);
    Duration::new((whole / 1000) as u64, (whole % 1000) as u32 * 1_000_000)
}
