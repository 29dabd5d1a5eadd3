//! Parses the `Retry-After` header: a number of seconds, or a date, which `httpdate` parses.

use std::str;
use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

/// The most digits of a number, without leading zeros. The Python original has the same limit,
/// because a larger number exceeds its floats.
const MOST_DIGITS: usize = 308;

/// Parses a `Retry-After` value and returns how long to wait from `now`, or `None` if it cannot be
/// parsed.
///
/// - **Seconds**: ASCII digits. Numbers beyond `u64` saturate at `u64::MAX` seconds; more than 308
///   digits cannot be parsed. A sign is accepted; a negative number is zero.
/// - **A date** from 1970 on in one of HTTP's three forms, as [`httpdate`] parses them: in GMT,
///   case-sensitive, with the correct weekday. A date in the past is zero. Two-digit years are
///   those from 1970 to 2069.
///
/// That is the RFC's grammar. Servers send other forms as well, and a client that ignores them
/// retries too early, so these are also accepted:
///
/// - **A unit** after the number: `ms`, `s`, `m`, `h`, `d`, and their full names.
/// - **A fraction** is rounded up to a whole unit: `1.5` is two seconds.
/// - **A list**, which proxies make of several headers, counts as its longest element. Elements
///   that cannot be parsed are skipped.
/// - Text after a semicolon and quotes around a value are ignored.
///
/// Whitespace around the value is ignored. A value with a byte outside ASCII, an exponent, another
/// spelling of a date or anything else is `None`: a malformed header is data, not an error.
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
/// assert_eq!(parse_retry_after("6.5", now), seven);
/// assert_eq!(parse_retry_after("2, 7", now), seven);
/// assert_eq!(parse_retry_after("Sat, 05 Nov 1994 08:49:37 GMT", now), Some(Duration::ZERO));
/// assert_eq!(parse_retry_after("soon", now), None);
/// ```
#[must_use]
pub fn parse_retry_after(value: impl AsRef<[u8]>, now: SystemTime) -> Option<Duration> {
    let text = str::from_utf8(value.as_ref().trim_ascii()).ok().filter(|text| text.is_ascii())?;
    element(text, now).or_else(|| longest(text, now))
}

/// Returns how long these headers ask to wait from `now`: the longest `Retry-After` that [can be
/// parsed](parse_retry_after).
///
/// A response should have at most one ([RFC 9110, section
/// 5.3](https://www.rfc-editor.org/rfc/rfc9110#section-5.3)). If there are several, the longest
/// wait satisfies all of them.
///
/// A date is by the server's clock. If the response has a `Date`, and an `Age` for the time it
/// spent in a cache, the wait is the difference to those, independent of the client's clock ([RFC
/// 9110, section 6.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1)). `now` is used for a
/// response without a `Date`.
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
    let mut values = headers.get_all(RETRY_AFTER).iter().peekable();
    values.peek()?;
    let now = time_there(headers).unwrap_or(now);
    values.filter_map(|value| parse_retry_after(value, now)).max()
}

/// Returns how long these headers ask to wait, measured with the system clock. Like
/// [`retry_after`], for callers without a custom clock.
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

/// The current time by the server's clock.
fn time_there(headers: &HeaderMap) -> Option<SystemTime> {
    let text =
        |name: HeaderName| headers.get(name).and_then(|value| str::from_utf8(value.as_bytes().trim_ascii()).ok());
    let date = httpdate::parse_http_date(text(DATE)?).ok()?;
    let age = text(AGE).and_then(|age| age.parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
    Some(date.checked_add(age).unwrap_or(date))
}

/// Parses one value: a date, or a number in one of the accepted forms.
fn element(text: &str, now: SystemTime) -> Option<Duration> {
    let text = unquoted(text);
    number(text).or_else(|| {
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(now).unwrap_or(Duration::ZERO))
    })
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).map_or(text, str::trim_ascii)
}

/// Returns the longest element of a list. A date contains a comma after its weekday, so it spans
/// two parts.
fn longest(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.split(';').next().unwrap_or(text);
    let mut longest = None;
    let mut before: Option<&str> = None;
    let mut start = 0;
    for part in text.split(',') {
        let whole = before.map(|weekday| text[start - weekday.len() - 1..start + part.len()].trim_ascii());
        longest = longest.max(element(part.trim_ascii(), now)).max(whole.and_then(|whole| element(whole, now)));
        before = Some(part);
        start += part.len() + 1;
    }
    longest
}

/// Parses digits with an optional sign, fraction and unit.
fn number(text: &str) -> Option<Duration> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let unit = unit(rest.trim_ascii())?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !(whole.is_empty() && fraction.is_empty()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || whole.trim_start_matches('0').len() > MOST_DIGITS {
        return None;
    }
    if text.starts_with('-') {
        return Some(Duration::ZERO);
    }
    let begun = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    // A string of digits only fails to parse if it overflows. An empty one is the zero before a
    // point.
    let whole = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(u64::MAX) };
    Some(unit.of(whole.saturating_add(begun)))
}

#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Seconds(u64),
}

impl Unit {
    const fn of(self, count: u64) -> Duration {
        match self {
            Self::Milliseconds => Duration::from_millis(count),
            Self::Seconds(length) => Duration::from_secs(count.saturating_mul(length)),
        }
    }
}

fn unit(text: &str) -> Option<Unit> {
    Some(match text.to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => Unit::Seconds(1),
        "ms" | "msec" | "millis" | "milliseconds" => Unit::Milliseconds,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Seconds(60),
        "h" | "hour" | "hours" => Unit::Seconds(3600),
        "d" | "day" | "days" => Unit::Seconds(86_400),
        _ => return None,
    })
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
        expect("1.5.", None);
        expect("1e3", None);
        expect("0x10", None);
        expect("1_000", None);
        expect("inf", None);
        expect("5 s s", None);
        expect("\"5\"", Some(5));
        expect("\" Thu, 01 Jan 1970 00:00:07 GMT\"", Some(7));
        expect("\"5", None);
        expect("\"", None);
        expect(".", None);
    }

    #[test]
    fn fractions_are_rounded_up() {
        expect("1.5", Some(2));
        expect("0.001", Some(1));
        expect(".5", Some(1));
        expect("5.", Some(5));
        expect("5.000", Some(5));
        expect("0.0", Some(0));
        expect("-0.5", Some(0));
        expect("18446744073709551615.5", Some(u64::MAX));
    }

    #[test]
    fn units_are_read() {
        expect("5s", Some(5));
        expect("5 Seconds", Some(5));
        expect("2 min", Some(120));
        expect("1h", Some(3600));
        expect("1d", Some(86_400));
        expect("18446744073709551615 days", Some(u64::MAX));
        expect("5 weeks", None);
        expect("s", None);
        assert_eq!(parse_retry_after("1500ms", UNIX_EPOCH), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn of_a_list_the_longest_counts() {
        expect("5, 6", Some(6));
        expect("6,5", Some(6));
        expect("1,5", Some(5));
        expect("2, 2", Some(2));
        expect("soon, 5", Some(5));
        expect("\"5\", \"6\"", Some(6));
        expect(", 5,", Some(5));
        expect("2;", Some(2));
        expect("2; comment, 9", Some(2));
        expect("5, Thu, 01 Jan 1970 00:00:07 GMT", Some(7));
        expect("Thu, 01 Jan 1970 00:00:07 GMT, 5", Some(7));
        expect("Thu, 01 Jan 1970 00:00:07 GMT, Thu, 01 Jan 1970 00:00:09 GMT", Some(9));
        expect("soon, later", None);
        expect(",", None);
    }

    #[test]
    fn a_date_is_seen_from_the_servers_clock_where_it_is_told() {
        let now = UNIX_EPOCH + Duration::from_secs(10_000);
        let wait = |pairs: &[(HeaderName, &'static str)]| {
            let mut headers =
                HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("Thu, 01 Jan 1970 00:01:00 GMT"))]);
            headers.extend(pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(&[]), Some(0));
        assert_eq!(wait(&[(DATE, "Thu, 01 Jan 1970 00:00:20 GMT")]), Some(40));
        assert_eq!(wait(&[(DATE, "Thu, 01 Jan 1970 00:00:20 GMT"), (AGE, "15")]), Some(25));
        assert_eq!(wait(&[(DATE, "Thu, 01 Jan 1970 00:02:00 GMT")]), Some(0));
        assert_eq!(wait(&[(DATE, "yesterday"), (AGE, "15")]), Some(0));
        assert_eq!(wait(&[(DATE, "Thu, 01 Jan 1970 00:00:20 GMT"), (AGE, "99999999999999999999")]), Some(40));
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
        expect("\u{e9}, 5", None);
        expect("5; \u{e9}", None);
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
    fn the_longest_header_that_can_be_read_counts() {
        let headers = |values: &[&'static str]| {
            let named = values.iter().map(|value| (RETRY_AFTER, HeaderValue::from_static(value)));
            named.collect::<HeaderMap>()
        };
        let wait = |values: &[&'static str]| retry_after(&headers(values), UNIX_EPOCH).map(|wait| wait.as_secs());
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&["1", "2"]), Some(2));
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
