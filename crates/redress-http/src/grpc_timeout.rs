//! Writes and parses values of the `grpc-timeout` header, the time limit of a gRPC call.

use std::time::Duration;

use http::HeaderValue;

/// The largest number of eight digits.
const MOST: u128 = 99_999_999;

/// Units with their nanoseconds, finest first.
const UNITS: [(u8, u128); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// Returns the `grpc-timeout` value for this time, in the finest unit that needs at most eight
/// digits. It is rounded down, so that the server never has more time than the client. Zero is
/// written as one nanosecond, and more than 99,999,999 hours (11,000 years) as that many.
///
/// Source: [gRPC over HTTP/2,
/// Timeout](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests).
///
/// ```
/// use std::time::Duration;
/// use redress::integration::http::encode_grpc_timeout;
///
/// assert_eq!(encode_grpc_timeout(Duration::from_millis(50)), "50000000n");
/// assert_eq!(encode_grpc_timeout(Duration::from_millis(1_500)), "1500000u");
/// assert_eq!(encode_grpc_timeout(Duration::from_secs(86_400)), "86400000m");
/// ```
#[must_use]
pub fn encode_grpc_timeout(timeout: Duration) -> HeaderValue {
    let nanos = timeout.as_nanos().max(1);
    let fitting = UNITS.iter().find(|(_, unit)| nanos / unit <= MOST);
    let (letter, count) = fitting.map_or((b'H', MOST), |(letter, unit)| (*letter, nanos / unit));
    // Digits and a letter are always a valid header value.
    HeaderValue::try_from(format!("{count}{}", char::from(letter))).unwrap_or_else(|_| HeaderValue::from_static("1n"))
}

/// Parses a `grpc-timeout` value: one to eight digits and a unit. `None` for anything else.
///
/// ```
/// use std::time::Duration;
/// use redress::integration::http::parse_grpc_timeout;
///
/// assert_eq!(parse_grpc_timeout("250m"), Some(Duration::from_millis(250)));
/// assert_eq!(parse_grpc_timeout("250"), None);
/// ```
#[must_use]
pub fn parse_grpc_timeout(value: impl AsRef<[u8]>) -> Option<Duration> {
    let (letter, digits) = value.as_ref().split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (_, unit) = UNITS.iter().find(|(known, _)| known == letter)?;
    let count = digits.iter().fold(0, |count, digit| count * 10 + u128::from(digit - b'0'));
    let nanos = count * unit;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    // The remainder is below a second, so it fits.
    Some(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).ok()?))
}
