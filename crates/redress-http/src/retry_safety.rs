//! The answers to whether a request may be sent again.
//!
//! Owns the words for them. Who decides is `idempotency.rs`.

use std::fmt;

/// Whether a request may be sent again, and why: the answer of an
/// [`IdempotencyGuard`](crate::IdempotencyGuard), and what an integration knows besides.
///
/// Where it may not, its word is what outcomes give as
/// [`retry_forbidden`](redress_core::RetryOutcome::retry_forbidden).
///
/// ```
/// use redress::integration::http::RetrySafety;
///
/// assert!(RetrySafety::IdempotencyKey.may_retry());
/// assert!(!RetrySafety::NotIdempotent.may_retry());
/// assert_eq!(RetrySafety::NotIdempotent.to_string(), "not_idempotent");
///
/// // What was sent in a stream is gone, whatever the method.
/// assert_eq!(RetrySafety::IdempotentMethod.with_body(false), RetrySafety::StreamingBody);
/// // A request of which nothing has left cannot have been acted on.
/// assert!(RetrySafety::NotIdempotent.if_never_sent(true).may_retry());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetrySafety {
    /// It may: its method is idempotent.
    IdempotentMethod,
    /// It may: it carries an `Idempotency-Key`.
    IdempotencyKey,
    /// It may: the caller [said so](crate::IdempotencyGuard::retry_non_idempotent).
    OptIn,
    /// It may: the last attempt was certainly not acted on. Nothing of it had left, or the server
    /// says so.
    NeverSent,
    /// It may: the caller [named](crate::IdempotencyGuard::retry_non_idempotent_on) the status of
    /// the answer.
    TurnedAway,
    /// It may not: a repetition might act twice.
    NotIdempotent,
    /// It may not: its body was a stream, and is gone.
    StreamingBody,
}

impl RetrySafety {
    /// Whether the request may be sent again.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        !matches!(self, Self::NotIdempotent | Self::StreamingBody)
    }

    /// The same, where the last attempt was certainly not acted on: a request that is not
    /// idempotent may be sent again then ([RFC 9110, section
    /// 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2): "some means to detect that the
    /// original request was never applied"). There was no connection, say.
    #[must_use]
    pub const fn if_never_sent(self, never_sent: bool) -> Self {
        match self {
            Self::NotIdempotent if never_sent => Self::NeverSent,
            other => other,
        }
    }

    /// The same, for a body that can be sent again or not: a request that may be sent again may not
    /// without its body.
    #[must_use]
    pub const fn with_body(self, can_be_sent_again: bool) -> Self {
        if self.may_retry() && !can_be_sent_again { Self::StreamingBody } else { self }
    }

    /// Why the request may not be sent again, in a word: what an integration hands on as the
    /// outcome's [`retry_forbidden`](redress_core::RetryOutcome::retry_forbidden). `None` if it
    /// may.
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

    /// The reason in events, logs and metrics, such as `not_idempotent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdempotentMethod => "idempotent_method",
            Self::IdempotencyKey => "idempotency_key",
            Self::OptIn => "opt_in",
            Self::NeverSent => "never_sent",
            Self::TurnedAway => "turned_away",
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
        RetrySafety::TurnedAway,
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
    fn what_has_not_left_may_be_sent_whatever_the_method() {
        for safety in ALL {
            assert_eq!(safety.if_never_sent(false), safety);
        }
        let never_sent = ALL.map(|safety| safety.if_never_sent(true));
        let mut expected = ALL;
        expected[5] = RetrySafety::NeverSent;
        assert_eq!(never_sent, expected);
    }
}
