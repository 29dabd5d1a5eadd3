//! The header that carries the time left of a request: its name and format, writing it, reading it.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::amz_sdk_request::time_to_live;
use crate::grpc_timeout::{encode_grpc_timeout, parse_grpc_timeout};

const ENVOY: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");
const GRPC: HeaderName = HeaderName::from_static("grpc-timeout");

/// The largest number that is written: many servers read signed 64-bit numbers.
const MOST: u128 = i64::MAX as u128;

/// How a [`DeadlineHeader`] writes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeFormat {
    /// A whole number of nanoseconds.
    Nanoseconds,
    /// A whole number of microseconds.
    Microseconds,
    /// A whole number of milliseconds.
    Milliseconds,
    /// A whole number of seconds.
    Seconds,
    /// The format of gRPC's header, see [`encode_grpc_timeout`].
    Grpc,
}

impl TimeFormat {
    /// The nanoseconds of the unit; `None` for gRPC's, which writes its unit.
    const fn nanos(self) -> Option<u128> {
        match self {
            Self::Nanoseconds => Some(1),
            Self::Microseconds => Some(1_000),
            Self::Milliseconds => Some(1_000_000),
            Self::Seconds => Some(1_000_000_000),
            Self::Grpc => None,
        }
    }

    fn encode(self, left: Duration) -> HeaderValue {
        let Some(unit) = self.nanos() else { return encode_grpc_timeout(left) };
        let count = (left.as_nanos() / unit).clamp(1, MOST);
        // Digits are always a valid header value.
        HeaderValue::try_from(count.to_string()).unwrap_or_else(|_| HeaderValue::from_static("1"))
    }

    fn parse(self, value: &[u8]) -> Option<Duration> {
        let Some(unit) = self.nanos() else { return parse_grpc_timeout(value) };
        if let Some(below_zero) = value.strip_prefix(b"-") {
            return number(below_zero).map(|_| Duration::ZERO);
        }
        let nanos = u128::from(number(value)?) * unit;
        let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
        // The remainder is below a second, so it fits.
        Some(Duration::new(seconds, u32::try_from(nanos % 1_000_000_000).ok()?))
    }
}

/// Parses ASCII digits. Saturates at the largest number.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let shifted = |count: u64, digit: &u8| count.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(digits.iter().fold(0, shifted))
}

/// The header that carries the time left of a request: a name and a [`TimeFormat`].
///
/// The default is `x-envoy-expected-rq-timeout-ms`, in milliseconds, because [Envoy
/// writes](https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-expected-rq-timeout-ms)
/// and can read it. There is no standard header: [draft-thomson-hybi-http-timeout
/// ](https://datatracker.ietf.org/doc/html/draft-thomson-hybi-http-timeout) expired in 2013.
///
/// A header carries the time that is left, and never a point in time, because clocks differ.
///
/// ```
/// use std::time::Duration;
/// use http::{HeaderMap, HeaderName};
/// use redress::integration::http::{DeadlineHeader, TimeFormat};
///
/// let mut headers = HeaderMap::new();
/// let left = Duration::from_micros(1_500_900);
/// DeadlineHeader::default().write(&mut headers, left);
/// DeadlineHeader::grpc().write(&mut headers, left);
/// let own = DeadlineHeader::new(HeaderName::from_static("x-time-left"), TimeFormat::Seconds);
/// own.write(&mut headers, left);
///
/// assert_eq!(headers["x-envoy-expected-rq-timeout-ms"], "1500");
/// assert_eq!(headers["grpc-timeout"], "1500900u");
/// assert_eq!(headers["x-time-left"], "1");
/// assert_eq!(own.read(&headers), Some(Duration::from_secs(1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeadlineHeader {
    name: HeaderName,
    format: TimeFormat,
}

impl DeadlineHeader {
    /// Creates a header of this name and format.
    #[must_use]
    pub const fn new(name: HeaderName, format: TimeFormat) -> Self {
        Self { name, format }
    }

    /// Returns gRPC's `grpc-timeout`.
    #[must_use]
    pub const fn grpc() -> Self {
        Self::new(GRPC, TimeFormat::Grpc)
    }

    /// Returns Envoy's `x-envoy-expected-rq-timeout-ms`, the default.
    #[must_use]
    pub const fn envoy() -> Self {
        Self::new(ENVOY, TimeFormat::Milliseconds)
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns the format.
    #[must_use]
    pub const fn format(&self) -> TimeFormat {
        self.format
    }

    /// Sets the header to this time, unless it already holds a shorter one.
    ///
    /// **Invariant E2**: the time on the wire is never more than `left`. It is rounded down to a
    /// whole unit. The one exception is less than one unit, which is written as one: Envoy and
    /// others read zero as "no limit".
    pub fn write(&self, headers: &mut HeaderMap, left: Duration) {
        let held = self.read(headers).filter(|held| *held <= left);
        if held.is_none() || headers.get_all(&self.name).iter().nth(1).is_some() {
            headers.insert(&self.name, self.format.encode(held.unwrap_or(left)));
        }
    }

    /// Returns the time in the header. `None` if it is missing or if nothing in it can be parsed.
    ///
    /// The value is untrusted. A number beyond `u64` saturates. Zero and negative numbers are zero:
    /// no time is left. Of several values, in one header or in several, the shortest counts, and
    /// values that cannot be parsed are skipped.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http::HeaderMap;
    /// use redress::integration::http::DeadlineHeader;
    ///
    /// let (header, mut headers) = (DeadlineHeader::envoy(), HeaderMap::new());
    /// headers.append(header.name(), "250".parse()?);
    /// headers.append(header.name(), "soon, 900".parse()?);
    /// assert_eq!(header.read(&headers), Some(Duration::from_millis(250)));
    /// headers.append(header.name(), "-1".parse()?);
    /// assert_eq!(header.read(&headers), Some(Duration::ZERO));
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn read(&self, headers: &HeaderMap) -> Option<Duration> {
        let values = headers.get_all(&self.name).iter();
        let elements = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        elements.filter_map(|element| self.format.parse(element.trim_ascii())).min()
    }
}

impl Default for DeadlineHeader {
    fn default() -> Self {
        Self::envoy()
    }
}

/// Returns the time that the sender of this request still waits: the shortest in its headers.
/// `None` if they do not say.
///
/// | header | carries |
/// |---|---|
/// | `x-envoy-expected-rq-timeout-ms` | milliseconds left |
/// | `grpc-timeout` | the time left, with a unit |
/// | `amz-sdk-request` | `ttl=`, the end as a time of day in UTC, compared with `now` |
///
/// The values are untrusted: see [`DeadlineHeader::read`]. They can shorten the work that the
/// caller asks for, so a server takes the shorter of this time and its own limit.
///
/// `ttl=` compares two clocks. If they differ, requests may be refused too early. Headers with the
/// time left have no such error, but do not count the time that the request has travelled.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use http::Request;
/// use redress::integration::http::time_left;
///
/// let request = Request::get("/orders")
///     .header("x-envoy-expected-rq-timeout-ms", "7000")
///     .header("amz-sdk-request", "ttl=20200914T221505Z; attempt=1; max=3")
///     .body(())?;
/// let now = UNIX_EPOCH + Duration::from_secs(1_600_121_700);
/// assert_eq!(time_left(request.headers(), now), Some(Duration::from_secs(5)));
/// # Ok::<(), http::Error>(())
/// ```
#[must_use]
pub fn time_left(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let known = [DeadlineHeader::envoy(), DeadlineHeader::grpc()];
    known.iter().filter_map(|header| header.read(headers)).chain(time_to_live(headers, now)).min()
}

/// Returns [`time_left`] by the system's clock, which is read only if the headers name a time of
/// day.
#[must_use]
pub fn time_left_from_now(headers: &HeaderMap) -> Option<Duration> {
    if headers.contains_key(crate::amz_sdk_request::NAME) {
        return time_left(headers, SystemTime::now());
    }
    time_left(headers, SystemTime::UNIX_EPOCH)
}
