//! The target `retry_after`: one value of the header, read at several instants.
//!
//! Owns a naive reading of the header to compare with. The input is the value itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue};
use redress_http::parse_retry_after;

use crate::http_date::spellings;

/// When the value is read: at the edges of what dates can say, on the day that the RFC gives as its example, and between
/// two seconds.
const INSTANTS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_secs(784_111_777),
    Duration::from_nanos(1_930_453_567_250_000_001),
    Duration::from_secs(253_402_300_799),
    Duration::from_secs(1 << 40),
];

/// The last second of the year 9999, after which there is no HTTP date.
const LAST: u64 = 253_402_300_799;

/// Any bytes as a `Retry-After`: read as a naive reader reads them, whenever they are read.
///
/// # Panics
///
/// If a law is broken.
pub fn retry_after(bytes: &[u8]) {
    let from_1970 = parse_retry_after(bytes, UNIX_EPOCH);
    match number(bytes) {
        Some(seconds) => assert_eq!(from_1970, Some(Duration::from_secs(seconds)), "a number is read as written"),
        None => is_a_date_or_nothing(bytes, from_1970),
    }
    for since_1970 in INSTANTS {
        is_seen_from(bytes, from_1970, since_1970);
    }
}

/// A value that is no number is the date that the parser of dates makes of it, or nothing; and every spelling of that date
/// is the same one.
fn is_a_date_or_nothing(bytes: &[u8], from_1970: Option<Duration>) {
    let text = std::str::from_utf8(bytes.trim_ascii()).unwrap_or_default();
    let known = httpdate::parse_http_date(text).ok().and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    assert_eq!(from_1970, known, "{text:?} is a date, or is none");
    let Some(wait) = from_1970 else { return };
    assert!(wait.subsec_nanos() == 0 && wait.as_secs() <= LAST, "dates are whole seconds up to the year 9999");
    for spelling in &spellings(wait.as_secs()) {
        let read = parse_retry_after(spelling, UNIX_EPOCH);
        // Two digits are a year from 1970 to 2069.
        let is_short = spelling.contains('-');
        assert!(read == Some(wait) || (is_short && wait.as_secs() >= 3_155_760_000), "{spelling} is the same date");
    }
}

/// Later it asks for less by just as much, down to nothing; a number asks for the same.
fn is_seen_from(bytes: &[u8], from_1970: Option<Duration>, since_1970: Duration) {
    let Some(now) = UNIX_EPOCH.checked_add(since_1970) else { return };
    let wait = parse_retry_after(bytes, now);
    let passes = if number(bytes).is_some() { Duration::ZERO } else { since_1970 };
    assert_eq!(wait, from_1970.map(|wait| wait.saturating_sub(passes)), "seen {since_1970:?} after 1970");
    assert_eq!(wait, of_header(bytes, now), "a header says what its value says");
}

fn of_header(bytes: &[u8], now: SystemTime) -> Option<Duration> {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return parse_retry_after(bytes, now) };
    redress_http::retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
}

/// The value as a number, by its documentation: digit by digit, without the standard library's parser.
fn number(bytes: &[u8]) -> Option<u64> {
    let (is_negative, digits) = match bytes.trim_ascii() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let significant = digits.iter().skip_while(|digit| **digit == b'0').count();
    if !is_number || significant > 308 {
        return None;
    }
    let value = digits.iter().fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(if is_negative { 0 } else { value })
}
