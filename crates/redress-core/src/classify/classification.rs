//! The answer of a classifier: a class, a hint how long to wait, and a few labels.
//!
//! Owns the value that travels from a classifier through every gate. Does not know who makes it or
//! who reads it.

use std::borrow::Cow;
use std::time::Duration;

use crate::classify::class::ErrorClass;
use crate::classify::evidence::Evidence;

/// What a classifier made of one failed attempt.
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
/// Observers show the first of these details that a classification has as one label, `detail`:
/// `status` (an HTTP status such as `503`), `grpc` (a gRPC code such as `UNAVAILABLE`), `http2` (an
/// HTTP/2 error code) and `io` (the kind of an `std::io::Error`, such as `ConnectionReset`). Other
/// details are in logs alone.
#[derive(Clone, Debug)]
#[must_use = "a classification does nothing until the engine sees it"]
pub struct Classification {
    class: ErrorClass,
    wish: Wish,
    marks: Marks,
    evidence: Option<Evidence>,
    retry_after: Option<Duration>,
    /// Boxed, since most classifications have none and every failure moves this value a few times.
    details: Option<Box<[Detail]>>,
}

/// The label under which a classification says why it forbids a retry.
const RETRY_FORBIDDEN: &str = "retry_forbidden";

/// What a classification asks for besides what follows from its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    None,
    Abort,
    /// No further attempt, for the reason among the details.
    NoRetry,
}

/// What is known of a failure besides its class, in one byte: every failure moves its
/// classification a few times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks(u8);

impl Marks {
    const NONE: Self = Self(0);
    /// The failure certainly had no effect.
    const UNSENT: Self = Self(1);
    /// It is a timeout, although the operation returned.
    const TIMEOUT: Self = Self(2);
    /// The hint is the wait, and no floor.
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
    /// A classification of this class, with neither a hint nor details.
    #[inline]
    pub const fn new(class: ErrorClass) -> Self {
        Self { class, wish: Wish::None, marks: Marks::NONE, evidence: None, retry_after: None, details: None }
    }

    /// Not a failure but a wish: the operation asks that the whole call end now, as
    /// [`Aborted`](crate::StopReason::Aborted). Neither caps, breaker nor budget count the attempt.
    ///
    /// The default classifier answers this for an
    /// [`AbortRetryError`](crate::error::AbortRetryError) anywhere in the source chain.
    #[inline]
    pub const fn abort() -> Self {
        let mut asked = Self::new(ErrorClass::Permanent);
        asked.wish = Wish::Abort;
        asked
    }

    /// Sets how long the other side asked to wait before the next attempt: a `Duration`, or an
    /// `Option` of one where it may not have asked.
    #[inline]
    pub fn with_retry_after(mut self, retry_after: impl Into<Option<Duration>>) -> Self {
        self.retry_after = retry_after.into();
        self
    }

    /// Sets how long the other side ordered to wait: not a floor for the strategy's delay, as
    /// [`with_retry_after`](Self::with_retry_after) is, but the wait itself, after which the
    /// backoff starts over. Caps on hints hold for it. What [gRFC
    /// A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback) calls
    /// pushback is such an order.
    #[inline]
    pub const fn with_ordered_wait(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self.marks = self.marks.with(Marks::ORDERED);
        self
    }

    /// Forbids a further attempt, although the class may allow one: the other side said not to come
    /// back, or what was sent cannot be sent again. Everything else goes by the class as ever; a
    /// call that would have been retried ends as
    /// [`RetryForbidden`](crate::StopReason::RetryForbidden), and its outcome says `why`, as does
    /// the detail `retry_forbidden`. Changes nothing about an [`abort`](Self::abort).
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

    /// Marks a failure that certainly had no effect: nothing of the attempt left, or the other side
    /// says that it did not act on it. An operation that must not run twice may run again then. Not
    /// for what merely failed early.
    ///
    /// Policies retry by class and do not read the mark. Integrations do, before they forbid the
    /// retry of what is not idempotent.
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

    /// Marks an error that says that time ran out: a timer of the client or of the server ended the
    /// attempt just before the attempt's own would have. Its [cause](crate::Cause) is then
    /// [`Timeout`](crate::Cause::Timeout).
    #[inline]
    pub const fn timed_out(mut self) -> Self {
        self.marks = self.marks.with(Marks::TIMEOUT);
        self
    }

    /// Adds a label. Keep keys and values low-cardinality: they end up in metrics and logs, so a
    /// vendor's error code is fine and a request id is not. A label that is there with the same
    /// value is not added twice.
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

    /// Whether this asks the call to end, see [`abort`](Self::abort).
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

    /// Whether the error says that time ran out; see [`timed_out`](Self::timed_out).
    #[inline]
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        self.marks.has(Marks::TIMEOUT)
    }

    /// Why there must be no further attempt, if there must not; see
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

    /// Whether the wait was [ordered](Self::with_ordered_wait), and so is no floor.
    #[inline]
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        self.marks.has(Marks::ORDERED)
    }

    /// How long the other side asked to wait, if it did.
    #[inline]
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The value of the label `key`; the last one given wins.
    #[must_use]
    pub fn detail(&self, key: &str) -> Option<&str> {
        let of_evidence = || self.evidence?.detail().filter(|(name, _)| *name == key).map(|(_, value)| value);
        self.own_detail(key).map(AsRef::as_ref).or_else(of_evidence)
    }

    /// Every label in the order given.
    pub fn details(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_evidence = self.evidence.and_then(Evidence::detail).filter(|(key, _)| self.own_detail(key).is_none());
        let own = self.details.iter().flatten().map(|(key, value)| (key.as_ref(), value.as_ref()));
        of_evidence.into_iter().chain(own)
    }

    fn own_detail(&self, key: &str) -> Option<&Cow<'static, str>> {
        self.details.iter().flatten().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The type of the error that decided, if it is one that the default classifier finds behind
    /// others.
    pub(crate) fn error_type(&self) -> Option<&'static str> {
        self.evidence.map(Evidence::type_name)
    }

    /// Notes what decided.
    pub(crate) fn decided_by(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }
}

/// Equal are classifications that say the same. Which error was read for it is not compared.
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
