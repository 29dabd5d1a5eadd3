//! The `Retry-After` header: a number of seconds, or a date.
//!
//! Owns which value of the header counts and how a number is read; `httpdate` reads the dates. Does not know which
//! statuses the header matters for. The clock is an argument; one function reads it for the caller.

use std::str;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// More digits than this, leading zeros aside, are no number but noise. It is where the original stops, too: a
/// larger number is beyond its floats.
const MOST_DIGITS: usize = 308;

/// How long a `Retry-After` value asks to wait, seen from `now`; `None` when it cannot be read.
///
/// - **Seconds**: ASCII digits. Numbers beyond `u64` saturate at `u64::MAX` seconds; more than 308 digits are not
///   read. A sign is tolerated: what is negative is over, so it is zero.
/// - **A date** from 1970 on in one of HTTP's three forms, as [`httpdate`] reads them: in GMT, case and all, with
///   the weekday that the date has. A date that has passed is zero. Two-digit years are those from 1970 to 2069.
/// - Whitespace around the value is ignored. A value with a byte outside ASCII, a fraction, a list, another spelling of
///   a date or anything else is `None`: a malformed header is data, not an error.
///
/// Sources: [RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3) and
/// [section 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7).
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use redress::integration::http::parse_retry_after;
///
/// let now = UNIX_EPOCH + Duration::from_secs(784_111_770);
/// let seven = Some(Duration::from_secs(7));
/// assert_eq!(parse_retry_after("7", now), seven);
/// assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), seven);
/// assert_eq!(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", now), seven);
/// assert_eq!(parse_retry_after("Sun Nov  6 08:49:37 1994", now), seven);
///
/// assert_eq!(parse_retry_after("Sat, 05 Nov 1994 08:49:37 GMT", now), Some(Duration::ZERO));
/// assert_eq!(parse_retry_after("soon", now), None);
/// ```
#[must_use]
pub fn parse_retry_after(value: impl AsRef<[u8]>, now: SystemTime) -> Option<Duration> {
    let text = str::from_utf8(value.as_ref().trim_ascii()).ok()?;
    seconds(text).or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(now).unwrap_or(Duration::ZERO))
    })
}

/// How long these headers ask to wait, seen from `now`: the first `Retry-After` that [can be read](parse_retry_after).
///
/// A response should have one at most ([RFC 9110, section
/// 5.3](https://www.rfc-editor.org/rfc/rfc9110#section-5.3)). Where there are several, the first counts, because
/// that is the one that [`HeaderMap::get`] answers and so what other clients of the server act on.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
/// use redress::integration::http::retry_after;
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(retry_after(&headers, SystemTime::now()), None);
///
/// headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
/// assert_eq!(retry_after(&headers, SystemTime::now()), Some(Duration::from_secs(120)));
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    headers.get_all(RETRY_AFTER).iter().find_map(|value| parse_retry_after(value, now))
}

/// How long these headers ask to wait, seen from the system's clock now: [`retry_after`] for callers without a clock
/// of their own.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
/// use redress::integration::http::retry_after_from_now;
///
/// let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("120"))]);
/// assert_eq!(retry_after_from_now(&headers), Some(Duration::from_secs(120)));
/// ```
#[must_use]
pub fn retry_after_from_now(headers: &HeaderMap) -> Option<Duration> {
    retry_after(headers, SystemTime::now())
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || digits.trim_start_matches('0').len() > MOST_DIGITS {
        return None;
    }
    if text.starts_with('-') {
        return Some(Duration::ZERO);
    }
    // Digits alone fail to parse for one reason: they are too many.
    Some(Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn expect(value: &str, seconds: Option<u64>) {
        assert_eq!(parse_retry_after(value, UNIX_EPOCH), seconds.map(Duration::from_secs), "{value:?}");
    }

    #[test]
    fn seconds_are_digits_with_a_sign_at_most() {
        expect("0", Some(0));
        expect("120", Some(120));
        expect("007", Some(7));
        expect(" 5\t", Some(5));
        expect("+5", Some(5));
        expect("-5", Some(0));
        expect("", None);
        expect("-", None);
        expect("+-5", None);
        expect("- 5", None);
        expect("1.5", None);
        expect("1e3", None);
        expect("0x10", None);
        expect("1_000", None);
        expect("5, 6", None);
        expect("inf", None);
    }

    #[test]
    fn numbers_too_large_saturate_until_they_are_noise() {
        expect("18446744073709551615", Some(u64::MAX));
        expect("18446744073709551616", Some(u64::MAX));
        expect(&"9".repeat(308), Some(u64::MAX));
        expect(&"9".repeat(309), None);
        expect(&format!("{}7", "0".repeat(400)), Some(7));
        expect(&format!("-{}", "9".repeat(40)), Some(0));
    }

    #[test]
    fn digits_of_other_scripts_are_not_read() {
        expect("\u{663}", None);
        expect("5\u{a0}", None);
        expect("Sun, 06 Nov 1994 08:49:37 GMT\u{a0}", None);
        expect("Sun, 06 Nov 1994 08:49:37 \u{ff27}MT", None);
        assert_eq!(parse_retry_after(b"\xff5", UNIX_EPOCH), None);
    }

    #[test]
    fn a_date_counts_from_now_to_the_fraction() {
        let now = UNIX_EPOCH + Duration::from_millis(784_111_776_250);
        let wait = |value| parse_retry_after(value, now);
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_millis(750)));
        assert_eq!(wait(" Sun, 06 Nov 1994 08:49:37 GMT\t"), Some(Duration::from_millis(750)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:36 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn dates_have_three_forms_and_no_others() {
        expect("Thu, 01 Jan 1970 00:00:07 GMT", Some(7));
        expect("Thursday, 01-Jan-70 00:00:07 GMT", Some(7));
        expect("Thu Jan  1 00:00:07 1970", Some(7));
        expect("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799));

        expect("Fri, 01 Jan 1970 00:00:07 GMT", None);
        expect("01 Jan 1970 00:00:07 GMT", None);
        expect("Thu, 1 Jan 1970 00:00:07 GMT", None);
        expect("thu, 01 jan 1970 00:00:07 gmt", None);
        expect("Thu, 01 Jan 1970 00:00:07 UTC", None);
        expect("Thu, 01 Jan 1970 01:00:07 +0100", None);
        expect("Wed, 31 Dec 1969 23:59:59 GMT", None);
        expect("Sat, 29 Feb 2031 00:00:00 GMT", None);
        expect("1970-01-01T00:00:07Z", None);
    }

    #[test]
    fn the_first_header_that_can_be_read_counts() {
        let headers = |values: &[&'static str]| {
            let named = values.iter().map(|value| (RETRY_AFTER, HeaderValue::from_static(value)));
            named.collect::<HeaderMap>()
        };
        let wait = |values: &[&'static str]| retry_after(&headers(values), UNIX_EPOCH).map(|wait| wait.as_secs());
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&["1", "2"]), Some(1));
        assert_eq!(wait(&["2", "1"]), Some(2));
        assert_eq!(wait(&["soon", "9"]), Some(9));
        assert_eq!(wait(&["soon", "later"]), None);
    }

    #[test]
    fn the_system_clock_is_read_for_those_who_ask() {
        let past = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"))]);
        assert_eq!(retry_after_from_now(&past), Some(Duration::ZERO));

        let future = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("Fri, 31 Dec 9999 23:59:59 GMT"))]);
        let century = Duration::from_secs(100 * 365 * 86_400);
        assert!(retry_after_from_now(&future).is_some_and(|wait| wait > century));
    }
}
