//! How long a response asks to wait: `retry-after-ms`, `Retry-After`, and the resets of rate
//! limits.

use std::str;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue};
use redress_http::retry_after;

use crate::decimal;

/// A wait, and the header that it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hint {
    pub(crate) wait: Duration,
    pub(crate) source: &'static str,
}

/// The headers of a rate limit.
pub(crate) struct Limit {
    pub(crate) remaining: &'static str,
    pub(crate) reset: &'static str,
}

/// A vendor's rate limits, and how it writes their resets.
pub(crate) struct Limits {
    pub(crate) headers: &'static [Limit],
    pub(crate) parse: fn(&str, SystemTime) -> Option<Duration>,
}

impl Limits {
    /// Returns the hint of a response. `is_limited` says whether the response reports a rate limit.
    pub(crate) fn hint(&self, headers: &HeaderMap, now: SystemTime, is_limited: bool) -> Option<Hint> {
        let of = |wait: Option<Duration>, source| wait.map(|wait| Hint { wait, source });
        of(milliseconds(headers), "retry-after-ms")
            .or_else(|| of(retry_after(headers, now), "retry-after"))
            .or_else(|| self.reset(headers, server_time(headers).unwrap_or(now), is_limited))
    }

    /// The reset of the limit that stands in the way. Vendors send all limits with every response,
    /// so a limit with something left does not count unless the response says that one was hit.
    fn reset(&self, headers: &HeaderMap, now: SystemTime, is_limited: bool) -> Option<Hint> {
        let (mut exhausted, mut unknown, mut left) = (None, None, None);
        for limit in self.headers {
            let Some(wait) = text(headers, limit.reset).and_then(|value| (self.parse)(value, now)) else { continue };
            let hint = Some(Hint { wait, source: limit.reset });
            match remaining(headers, limit.remaining) {
                // A retry before all of them are back is refused.
                Some(0) => exhausted = exhausted.max(hint),
                // Any of the others may be the one, and the hint is a floor.
                None => unknown = shortest(unknown, hint),
                Some(_) => left = shortest(left, hint),
            }
        }
        exhausted.or(unknown).or_else(|| left.filter(|_| is_limited))
    }
}

fn shortest(one: Option<Hint>, other: Option<Hint>) -> Option<Hint> {
    // The first of two equal ones.
    one.into_iter().chain(other).min_by_key(|hint| hint.wait)
}

fn milliseconds(headers: &HeaderMap) -> Option<Duration> {
    const MILLISECOND: u64 = 1_000_000;
    let value = text(headers, "retry-after-ms")?;
    let (number, rest) = decimal::split(value.strip_prefix(['+', '-']).unwrap_or(value))?;
    let nanos = if value.starts_with('-') { 0 } else { number.nanos(MILLISECOND) };
    rest.is_empty().then(|| decimal::duration(nanos))
}

fn remaining(headers: &HeaderMap, name: &str) -> Option<u64> {
    let value = text(headers, name)?;
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // Only the difference to zero counts.
    is_number.then(|| value.parse().unwrap_or(u64::MAX))
}

/// The current time by the server's clock.
fn server_time(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, "date")?).ok()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get(name).map(HeaderValue::as_bytes)?;
    str::from_utf8(value.trim_ascii()).ok()
}
