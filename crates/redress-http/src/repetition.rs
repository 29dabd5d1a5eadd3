//! The extension of a repeated request, which tells a transport why it is repeated.

use http::{Extensions, StatusCode};
use redress_core::{Cause, Classification};

use crate::evidence::{blames_connection, is_of_connection};

/// Marks a request as a repetition: which attempt it is, why the previous one failed, and whether
/// to use another connection.
///
/// It is in the [extensions](http::Request::extensions) of every request of a call except the
/// first, so that it passes through the layers in between and reaches the transport or the inner
/// service.
///
/// ```
/// use http::{Request, StatusCode};
/// use redress::integration::http::{LastFailure, Repetition};
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(Repetition::new(2, LastFailure::Answer(StatusCode::MISDIRECTED_REQUEST)));
///
/// let repetition = Repetition::of(request.extensions()).unwrap();
/// assert_eq!(repetition.attempt(), 2);
/// assert!(repetition.wants_fresh_connection());
/// assert!(Repetition::of(Request::new(()).extensions()).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repetition {
    attempt: u32,
    last_failure: LastFailure,
    wants_fresh_connection: bool,
}

/// Why the previous attempt of a [`Repetition`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastFailure {
    /// With a response of this status.
    Answer(StatusCode),
    /// The connection failed: it was not made, or it broke.
    Connection,
    /// With an error that was not about the connection.
    Error,
    /// The attempt timed out.
    Timeout,
}

impl LastFailure {
    /// Derives the reason from the failure's cause, the status of its response and its
    /// classification.
    #[must_use]
    pub fn of(cause: Cause, answer: Option<StatusCode>, failure: &Classification) -> Self {
        match (answer, cause) {
            (Some(status), _) => Self::Answer(status),
            (None, Cause::Timeout) => Self::Timeout,
            (None, _) if is_of_connection(failure) => Self::Connection,
            (None, _) => Self::Error,
        }
    }
}

impl Repetition {
    /// Creates the repetition for this attempt, counted from 1, after this failure. It asks for
    /// another connection if the connection failed, or if the response [blames the
    /// connection](crate::blames_connection).
    #[must_use]
    pub fn new(attempt: u32, last_failure: LastFailure) -> Self {
        let wants_fresh_connection = match last_failure {
            LastFailure::Answer(status) => blames_connection(status),
            LastFailure::Connection => true,
            LastFailure::Error | LastFailure::Timeout => false,
        };
        Self { attempt, last_failure, wants_fresh_connection }
    }

    /// Returns the repetition in these extensions. `None` for the first attempt of a call, and
    /// outside of calls.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Returns the number of the attempt, counted from 1; at least 2.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns why the previous attempt failed.
    #[must_use]
    pub const fn last_failure(&self) -> LastFailure {
        self.last_failure
    }

    /// Returns whether to avoid the previous attempt's connection, and those that are as old,
    /// because the failure blames it.
    #[must_use]
    pub const fn wants_fresh_connection(&self) -> bool {
        self.wants_fresh_connection
    }
}

#[cfg(test)]
mod tests {
    use redress_core::ErrorClass;

    use super::*;

    #[test]
    fn an_answer_says_more_than_a_cause() {
        let busy = StatusCode::SERVICE_UNAVAILABLE;
        let failure = Classification::new(ErrorClass::Transient);
        assert_eq!(LastFailure::of(Cause::Timeout, Some(busy), &failure), LastFailure::Answer(busy));
        assert_eq!(LastFailure::of(Cause::Timeout, None, &failure), LastFailure::Timeout);
        assert_eq!(LastFailure::of(Cause::Error, None, &failure), LastFailure::Error);
        assert_eq!(LastFailure::of(Cause::Error, None, &failure.unsent()), LastFailure::Connection);
    }

    #[test]
    fn another_connection_is_wanted_where_the_failure_was_about_it() {
        let rows = [
            (LastFailure::Answer(StatusCode::MISDIRECTED_REQUEST), true),
            (LastFailure::Answer(StatusCode::REQUEST_TIMEOUT), true),
            (LastFailure::Answer(StatusCode::TOO_EARLY), false),
            (LastFailure::Answer(StatusCode::SERVICE_UNAVAILABLE), false),
            (LastFailure::Connection, true),
            (LastFailure::Error, false),
            (LastFailure::Timeout, false),
        ];
        for (failure, fresh) in rows {
            let repetition = Repetition::new(3, failure);
            assert_eq!((repetition.attempt(), repetition.last_failure()), (3, failure));
            assert_eq!(repetition.wants_fresh_connection(), fresh, "{failure:?}");
        }
    }
}
