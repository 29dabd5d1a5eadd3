//! `grpc-retry-pushback-ms`: the server says when to come back, or not to.
//!
//! Owns how the value is read. Does not act on it: `classifier.rs` does.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

/// The key of the metadata, in headers or trailers.
pub const RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// What a server asked for by `grpc-retry-pushback-ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushback {
    /// To wait so long before the next attempt.
    Wait(Duration),
    /// Not to try again: the value is negative, or not a value.
    Never,
}

impl Pushback {
    /// Reads one value: an ASCII number of milliseconds that fits in 32 bits with a sign, without
    /// leading zeros. Everything else, negative numbers included, is [`Never`](Self::Never).
    ///
    /// Source: [gRFC A6,
    /// Pushback](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback), which
    /// lets a server that is misread err on the quiet side.
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

    /// Reads the metadata of a response or a status; `None` if it has no such key. Several values
    /// are no value: which of them counts is anybody's guess.
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
