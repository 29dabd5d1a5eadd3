//! The result of the decision whether a request may be sent again, with a label for each result.

use std::fmt;

/// Whether a request may be sent again, and why: the result of an
/// [`IdempotencyGuard`](crate::IdempotencyGuard), refined by an integration.
///
/// If it may not, outcomes return the label as
/// [`retry_forbidden`](redress_core::RetryOutcome::retry_forbidden).
///
/// ```
/// use redress::integration::http::RetrySafety;
///
/// assert!(RetrySafety::IdempotencyKey.may_retry());
/// assert!(!RetrySafety::NotIdempotent.may_retry());
/// assert_eq!(RetrySafety::NotIdempotent.to_string(), "not_idempotent");
///
/// // A streaming body is used up, with any method.
/// assert_eq!(RetrySafety::IdempotentMethod.with_body(false), RetrySafety::StreamingBody);
/// // A request that was not sent was not acted on.
/// assert!(RetrySafety::NotIdempotent.if_never_sent(true).may_retry());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetrySafety {
    /// Yes: its method is idempotent.
    IdempotentMethod,
    /// Yes: it carries an `Idempotency-Key`.
    IdempotencyKey,
    /// Yes: the caller [allowed it](crate::IdempotencyGuard::retry_non_idempotent).
    OptIn,
    /// Yes: the last attempt was certainly not acted on, because none of it was sent or because the
    /// server said so.
    NeverSent,
    /// Yes: the caller [allowed it for the
    /// status](crate::IdempotencyGuard::retry_non_idempotent_on) of the response.
    AllowedStatus,
    /// No: a repetition may act twice.
    NotIdempotent,
    /// No: its body was a stream and is used up.
    StreamingBody,
}

impl RetrySafety {
    /// Returns whether the request may be sent again.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        !matches!(self, Self::NotIdempotent | Self::StreamingBody)
    }

    /// Allows the retry of a request that is not idempotent if the last attempt was certainly not
    /// acted on ([RFC 9110, section 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2):
    /// "some means to detect that the original request was never applied"). For example, there was
    /// no connection.
    ///
    /// Integrations say so of the errors of their client before they ask the
    /// [guard](crate::IdempotencyGuard::after), because a custom classifier may not
    /// [mark](redress_core::Classification::unsent) them.
    #[must_use]
    pub const fn if_never_sent(self, never_sent: bool) -> Self {
        match self {
            Self::NotIdempotent if never_sent => Self::NeverSent,
            other => other,
        }
    }

    /// Forbids the retry of a request whose body cannot be sent again.
    #[must_use]
    pub const fn with_body(self, can_be_sent_again: bool) -> Self {
        if self.may_retry() && !can_be_sent_again { Self::StreamingBody } else { self }
    }

    /// Returns the label of why the request may not be sent again, or `None` if it may.
    /// Integrations report it as the outcome's
    /// [`retry_forbidden`](redress_core::RetryOutcome::retry_forbidden).
    ///
    /// ```
    /// use redress::integration::http::RetrySafety;
    ///
    /// assert_eq!(RetrySafety::NotIdempotent.retry_forbidden(), Some("not_idempotent"));
    /// assert_eq!(RetrySafety::NeverSent.retry_forbidden(), None);
    /// ```
    #[must_use]
    pub const fn retry_forbidden(self) -> Option<&'static str> {
        if self.may_retry() { None } else { Some(self.as_str()) }
    }

    /// Returns the label for events, logs and metrics, such as `not_idempotent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdempotentMethod => "idempotent_method",
            Self::IdempotencyKey => "idempotency_key",
            Self::OptIn => "opt_in",
            Self::NeverSent => "never_sent",
            Self::AllowedStatus => "allowed_status",
            Self::NotIdempotent => "not_idempotent",
            Self::StreamingBody => "streaming_body",
        }
    }
}

impl fmt::Display for RetrySafety {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [RetrySafety; 7] = [
        RetrySafety::IdempotentMethod,
        RetrySafety::IdempotencyKey,
        RetrySafety::OptIn,
        RetrySafety::NeverSent,
        RetrySafety::AllowedStatus,
        RetrySafety::NotIdempotent,
        RetrySafety::StreamingBody,
    ];

    #[test]
    fn two_answers_forbid_a_retry() {
        assert_eq!(ALL.map(RetrySafety::may_retry), [true, true, true, true, true, false, false]);
    }

    #[test]
    fn a_body_that_is_gone_forbids_what_was_allowed() {
        for safety in ALL {
            assert_eq!(safety.with_body(true), safety);
            let gone = if safety.may_retry() { RetrySafety::StreamingBody } else { safety };
            assert_eq!(safety.with_body(false), gone, "{safety}");
        }
    }

    #[test]
    fn a_request_that_was_not_sent_may_be_sent_with_any_method() {
        for safety in ALL {
            assert_eq!(safety.if_never_sent(false), safety);
        }
        let never_sent = ALL.map(|safety| safety.if_never_sent(true));
        let mut expected = ALL;
        expected[5] = RetrySafety::NeverSent;
        assert_eq!(never_sent, expected);
    }
}
