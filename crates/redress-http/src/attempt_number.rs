//! [`AttemptNumber`], the number of an attempt on the wire.

use std::fmt;
use std::num::NonZeroU32;

use http::{HeaderMap, HeaderName, HeaderValue};
use redress_core::Attempt;

use crate::amz_sdk_request;
use crate::deadline_header::number;

const ENVOY: HeaderName = HeaderName::from_static("x-envoy-attempt-count");
const GRPC: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

/// Which attempt of its call a request is, from 1, as the sender says. A server that is overloaded
/// can shed retries first.
///
/// | header | carries |
/// |---|---|
/// | `x-envoy-attempt-count` | the number, 1 for the first attempt |
/// | `grpc-previous-rpc-attempts` | the attempts before this one |
/// | `amz-sdk-request` | `attempt=`, the number |
///
/// ```
/// use http::Request;
/// use redress::integration::http::AttemptNumber;
///
/// let request = Request::get("/orders").header("grpc-previous-rpc-attempts", "2").body(())?;
/// let number = AttemptNumber::of(request.headers()).unwrap();
/// assert_eq!((number.get(), number.is_retry()), (3, true));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptNumber(NonZeroU32);

impl AttemptNumber {
    /// The first attempt.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Creates a number, counted from 1. Zero is 1.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        match NonZeroU32::new(number) {
            Some(number) => Self(number),
            None => Self::FIRST,
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Returns whether the request was sent before.
    #[must_use]
    pub const fn is_retry(self) -> bool {
        self.get() > 1
    }

    /// Returns the number in these headers; the largest if there are several. `None` if they do not
    /// say. The values are untrusted: those that cannot be parsed are skipped, and large ones
    /// saturate.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let numbers = |name: HeaderName| headers.get_all(name).iter().filter_map(|value| number(value.as_bytes()));
        let counted = numbers(ENVOY).chain(amz_sdk_request::attempt(headers)).filter(|number| *number > 0);
        let largest = counted.chain(numbers(GRPC).map(|before| before.saturating_add(1))).max()?;
        Some(Self::new(u32::try_from(largest).unwrap_or(u32::MAX)))
    }

    /// Sets `x-envoy-attempt-count` to this number.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(ENVOY, HeaderValue::from(self.get()));
    }

    /// Sets `grpc-previous-rpc-attempts` to the attempts before this one, as [gRFC
    /// A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#exposed-retry-metadata)
    /// defines. Removes it for the first attempt.
    pub fn write_grpc(self, headers: &mut HeaderMap) {
        if self.is_retry() {
            headers.insert(GRPC, HeaderValue::from(self.get() - 1));
        } else {
            headers.remove(GRPC);
        }
    }
}

impl From<Attempt> for AttemptNumber {
    fn from(attempt: Attempt) -> Self {
        Self::new(attempt.number())
    }
}

impl fmt::Display for AttemptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
