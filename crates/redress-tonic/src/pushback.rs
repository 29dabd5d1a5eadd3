//! Parses `grpc-retry-pushback-ms`, with which a server sets the wait before a retry or forbids it.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

/// The metadata key, in headers or trailers.
pub const RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// A server's request by `grpc-retry-pushback-ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushback {
    /// Wait this long before the next attempt.
    Wait(Duration),
    /// Do not retry: the value is negative or invalid.
    Never,
}

impl Pushback {
    /// Parses one value: an ASCII number of milliseconds that fits in a signed 32-bit integer,
    /// without leading zeros. Everything else, including negative numbers, is
    /// [`Never`](Self::Never).
    ///
    /// Source: [gRFC A6,
    /// Pushback](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback), which
    /// treats an invalid value as a request not to retry.
    ///
    /// ```
    /// use std::time::Duration;
    /// use redress::integration::tonic::Pushback;
    ///
    /// assert_eq!(Pushback::parse("250"), Pushback::Wait(Duration::from_millis(250)));
    /// assert_eq!(Pushback::parse("-1"), Pushback::Never);
    /// assert_eq!(Pushback::parse("soon"), Pushback::Never);
    /// ```
    #[must_use]
    pub fn parse(value: impl AsRef<[u8]>) -> Self {
        match milliseconds(value.as_ref()) {
            Some(wait) => Self::Wait(Duration::from_millis(wait)),
            None => Self::Never,
        }
    }

    /// Parses the metadata of a response or a status, or returns `None` if the key is missing.
    /// Several values are ambiguous and count as invalid.
    #[must_use]
    pub fn from_headers(metadata: &HeaderMap) -> Option<Self> {
        let mut values = metadata.get_all(RETRY_PUSHBACK).iter();
        let first = values.next()?;
        Some(if values.next().is_some() { Self::Never } else { Self::parse(first) })
    }
}

fn milliseconds(value: &[u8]) -> Option<u64> {
    let zeros_lead = value.len() > 1 && value.first() == Some(&b'0');
    if zeros_lead || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: i32 = std::str::from_utf8(value).ok()?.parse().ok()?;
    u64::try_from(number).ok()
}
