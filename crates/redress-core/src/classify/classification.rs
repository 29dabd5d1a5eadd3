//! `Classification`, the result of a classifier: a class, a hint how long to wait, and labels.

use std::borrow::Cow;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::classify::evidence::Evidence;

/// A classifier's description of one failed attempt: its class, an optional hint how long to wait,
/// and details.
///
/// ```
/// use std::time::Duration;
/// use redress::{Classification, ErrorClass};
///
/// let limited = Classification::new(ErrorClass::RateLimit)
///     .with_retry_after(Duration::from_secs(7))
///     .with_detail("limit", "requests-per-minute");
/// assert_eq!(limited.retry_after(), Some(Duration::from_secs(7)));
/// assert_eq!(limited.detail("limit"), Some("requests-per-minute"));
/// ```
///
/// # Details that become labels
///
/// Observers export the first of these details that is present as the label `detail`: `status` (an
/// HTTP status such as `503`), `grpc` (a gRPC code such as `UNAVAILABLE`), `http2` (an HTTP/2 error
/// code), `mysql`, `mssql`, `sqlite` (a database's error number) and `sqlstate` (such as `40001`),
/// and `io` (the kind of an `std::io::Error`, such as `ConnectionReset`). Other details appear only
/// in logs.
#[derive(Clone, Debug)]
#[must_use = "a classification does nothing until the engine sees it"]
pub struct Classification {
    class: ErrorClass,
    wish: Wish,
    marks: Marks,
    evidence: Option<Evidence>,
    retry_after: Option<Duration>,
    /// Boxed: most classifications have none, and every failure moves this value a few times.
    details: Option<Box<[Detail]>>,
}

/// The detail that holds the reason for a forbidden retry.
const RETRY_FORBIDDEN: &str = "retry_forbidden";

/// A request of the classification that overrides the rules of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    None,
    Abort,
    /// No further attempt. The reason is a detail.
    NoRetry,
}

/// Boolean properties of a failure, in one byte: every failure moves its classification a few
/// times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks(u8);

impl Marks {
    const NONE: Self = Self(0);
    /// The failure certainly had no effect.
    const UNSENT: Self = Self(1);
    /// It is a timeout, reported by the operation's own error.
    const TIMEOUT: Self = Self(2);
    /// The hint is the exact wait instead of a floor.
    const ORDERED: Self = Self(4);

    const fn with(self, mark: Self) -> Self {
        Self(self.0 | mark.0)
    }

    const fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }
}

type Detail = (Cow<'static, str>, Cow<'static, str>);

impl Classification {
    /// Creates a classification of this class without a hint or details.
    #[inline]
    pub const fn new(class: ErrorClass) -> Self {
        Self { class, wish: Wish::None, marks: Marks::NONE, evidence: None, retry_after: None, details: None }
    }

    /// Ends the whole call now, as [`Aborted`](crate::StopReason::Aborted). The attempt does not
    /// count as a failure: caps, breaker and budget ignore it.
    ///
    /// The default classifier returns this for an
    /// [`AbortRetryError`](crate::error::AbortRetryError) anywhere in the source chain.
    #[inline]
    pub const fn abort() -> Self {
        let mut asked = Self::new(ErrorClass::Permanent);
        asked.wish = Wish::Abort;
        asked
    }

    /// Sets how long the dependency asked to wait before the next attempt. Takes a `Duration` or an
    /// `Option<Duration>`. Default: `None`.
    ///
    /// By default the hint is a floor for the strategy's delay.
    #[inline]
    pub fn with_retry_after(mut self, retry_after: impl Into<Option<Duration>>) -> Self {
        self.retry_after = retry_after.into();
        self
    }

    /// Sets the exact wait before the next attempt. It replaces the strategy's delay, unlike
    /// [`with_retry_after`](Self::with_retry_after), which is a floor for it. The backoff starts
    /// over after the wait. Caps on hints apply.
    ///
    /// What [gRFC A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback)
    /// calls pushback is such a wait.
    #[inline]
    pub const fn with_exact_delay(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self.marks = self.marks.with(Marks::ORDERED);
        self
    }

    /// Forbids a further attempt, even if the class allows one: the dependency refused further
    /// requests, or the request cannot be sent again.
    ///
    /// Everything else still follows the class. A call that would have been retried ends as
    /// [`RetryForbidden`](crate::StopReason::RetryForbidden), and `why` appears in its outcome and
    /// in the detail `retry_forbidden`. Has no effect on an [`abort`](Self::abort).
    ///
    /// ```
    /// use redress::{Classification, ErrorClass};
    ///
    /// let streamed = Classification::new(ErrorClass::Transient).forbid_retry("streaming_body");
    /// assert_eq!(streamed.class(), ErrorClass::Transient);
    /// assert_eq!(streamed.retry_forbidden(), Some("streaming_body"));
    /// ```
    #[inline]
    pub fn forbid_retry(mut self, why: &'static str) -> Self {
        self.set_retry_forbidden(why);
        self
    }

    pub(crate) fn set_retry_forbidden(&mut self, why: &'static str) {
        if !self.is_abort() {
            self.wish = Wish::NoRetry;
            self.push_detail((RETRY_FORBIDDEN.into(), why.into()));
        }
    }

    /// Marks a failure that certainly had no effect: no part of the request was sent, or the
    /// dependency reports that it did not act on it. Even an operation that must not run twice may
    /// then run again. Do not use it for a request that merely failed early.
    ///
    /// Policies retry by class and ignore the mark. Integrations read it before they forbid the
    /// retry of a request that is not idempotent.
    ///
    /// ```
    /// use redress::{Classification, ErrorClass};
    ///
    /// let refused = Classification::new(ErrorClass::Transient).unsent();
    /// assert!(refused.is_unsent());
    /// ```
    #[inline]
    pub const fn unsent(mut self) -> Self {
        self.marks = self.marks.with(Marks::UNSENT);
        self
    }

    /// Marks an error that reports a timeout: a timer of the client or server ended the attempt
    /// before the policy's attempt timeout did. The failure's [cause](crate::Cause) becomes
    /// [`Timeout`](crate::Cause::Timeout).
    #[inline]
    pub const fn timed_out(mut self) -> Self {
        self.marks = self.marks.with(Marks::TIMEOUT);
        self
    }

    /// Adds a detail. Keep keys and values low-cardinality, because they appear in metrics and
    /// logs: a vendor's error code is fine, a request id is not. A detail that is already present
    /// with the same value is not added twice.
    pub fn with_detail(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        let (key, value) = (key.into(), value.into());
        if self.own_detail(&key).is_none_or(|known| *known != value) {
            self.push_detail((key, value));
        }
        self
    }

    fn push_detail(&mut self, detail: Detail) {
        let mut details = self.details.take().map(<[Detail]>::into_vec).unwrap_or_default();
        details.push(detail);
        self.details = Some(details.into_boxed_slice());
    }

    /// The class.
    #[inline]
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        self.class
    }

    /// Whether this ends the whole call; see [`abort`](Self::abort).
    #[inline]
    #[must_use]
    pub const fn is_abort(&self) -> bool {
        matches!(self.wish, Wish::Abort)
    }

    /// Whether the failure certainly had no effect; see [`unsent`](Self::unsent).
    #[inline]
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        self.marks.has(Marks::UNSENT)
    }

    /// Whether the error reports a timeout; see [`timed_out`](Self::timed_out).
    #[inline]
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        self.marks.has(Marks::TIMEOUT)
    }

    /// The reason for which a further attempt is forbidden, if it is; see
    /// [`forbid_retry`](Self::forbid_retry).
    #[inline]
    #[must_use]
    pub fn retry_forbidden(&self) -> Option<&'static str> {
        if self.wish == Wish::NoRetry { self.why_forbidden() } else { None }
    }

    #[cold]
    fn why_forbidden(&self) -> Option<&'static str> {
        let mut details = self.details.iter().flatten().rev();
        details.find_map(|(key, value)| match value {
            Cow::Borrowed(why) if key == RETRY_FORBIDDEN => Some(*why),
            _ => None,
        })
    }

    /// Whether the hint is an exact wait instead of a floor; see
    /// [`with_exact_delay`](Self::with_exact_delay).
    #[inline]
    #[must_use]
    pub const fn has_exact_delay(&self) -> bool {
        self.marks.has(Marks::ORDERED)
    }

    /// How long the dependency asked to wait, if it did.
    #[inline]
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The value of the detail `key`. If it was added more than once, the last value.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        let of_evidence = || self.evidence?.detail().filter(|(name, _)| *name == key).map(|(_, value)| value);
        self.own_detail(key).map(AsRef::as_ref).or_else(of_evidence)
    }

    /// Iterates over the details, in the order in which they were added.
    pub fn details(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_evidence = self.evidence.and_then(Evidence::detail).filter(|(key, _)| self.own_detail(key).is_none());
        let own = self.details.iter().flatten().map(|(key, value)| (key.as_ref(), value.as_ref()));
        of_evidence.into_iter().chain(own)
    }

    fn own_detail(&self, key: &str) -> Option<&Cow<'static, str>> {
        self.details.iter().flatten().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The type of the error that decided, if it is one that the default classifier finds in a
    /// source chain.
    pub(crate) fn error_type(&self) -> Option<&'static str> {
        self.evidence.map(Evidence::type_name)
    }

    /// Records the error that decided.
    pub(crate) fn decided_by(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }
}

/// Compares all that a classification says, but not which type of error decided it.
impl PartialEq for Classification {
    fn eq(&self, other: &Self) -> bool {
        let plain = |of: &Self| (of.class, of.wish, of.marks, of.retry_after);
        plain(self) == plain(other) && self.details().eq(other.details())
    }
}

impl Eq for Classification {}

impl From<ErrorClass> for Classification {
    #[inline]
    fn from(class: ErrorClass) -> Self {
        Self::new(class)
    }
}
