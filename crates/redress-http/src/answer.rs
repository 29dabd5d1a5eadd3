//! [`Answer`], the response of a server whose call ended without success: its status and its
//! `Retry-After`.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use redress_core::{CallError, Cause, ErrorClass, OutcomeSummary, StopReason};

/// The response of a server to its caller, for a call to a dependency that ended without success.
///
/// | the call ended | status | [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110), section |
/// |---|---|---|
/// | rejected by an open circuit | 503 | 15.6.4: unable to handle the request, temporarily |
/// | with a spent budget, or deferred | 503 | 15.6.4 |
/// | aborted | 503 | 15.6.4 |
/// | at its deadline, because the dependency asked for a longer wait | 503 | 15.6.4 |
/// | at its deadline otherwise, or with an attempt that timed out | 504 | 15.6.5: no timely response |
/// | after a failure of class `RateLimit` or `Concurrency` | 503 | 15.6.4 |
/// | after any other failure: `ServerError`, `Transient`, `Unknown`, `Auth`, `Permission`, `Permanent` | 502 | 15.6.3: the dependency's response is of no use |
///
/// - So 502 means that the dependency failed, 504 that it was late, and 503 that the service did
///   not call it or was turned away.
/// - `Auth` and `Permission` are about the service's own credentials. They are not 401 or 403,
///   which would ask the caller for others (sections 15.5.2 and 15.5.4).
/// - `RateLimit` is not 429, which says that this caller sent too many requests ([RFC 6585, section
///   4](https://www.rfc-editor.org/rfc/rfc6585#section-4)). A service that passes its callers'
///   limits on sets it by [`with_status`](Self::with_status).
/// - An aborted call is 503 and not nginx's 499, which is not registered and means that the caller
///   closed the connection. A caller that did so gets no response; one that gets this response met
///   a service that is shutting down.
///
/// A 503 or 429 has a `Retry-After` if the call knows [when to call again](CallError::retry_in):
/// whole seconds, rounded up, at least 1 (section 10.2.3). The answer keeps no error of the
/// dependency.
///
/// ```
/// use std::time::Duration;
/// use redress::CallError;
/// use redress::breaker::CircuitState;
/// use redress::error::CircuitOpenError;
/// use redress::integration::http::{Answer, AnswerForm};
///
/// let rejection = CircuitOpenError::new(CircuitState::Open, Some(Duration::from_millis(1_500)));
/// let answer = Answer::from(CallError::<std::io::Error>::CircuitOpen(rejection));
/// let response = answer.to_response(AnswerForm::Problem);
/// assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"2".parse()?));
/// assert_eq!(response.body(), r#"{"type":"about:blank","title":"Service Unavailable","status":503}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    retry_in: Option<Duration>,
    stop_reason: Option<StopReason>,
    last_class: Option<ErrorClass>,
    operation: Option<Arc<str>>,
}

impl Answer {
    /// Returns the answer for a call that ended without success, as the error of `?`. For outcomes
    /// of `execute`, and of integrations that return the dependency's bad response.
    ///
    /// ```
    /// use redress::Policy;
    /// use redress::integration::http::Answer;
    ///
    /// fn load(policy: &Policy) -> Result<Option<String>, Answer> {
    ///     let outcome = policy.execute(|| std::fs::read_to_string("settings"));
    ///     Answer::unless_ok(outcome.summary())?;
    ///     Ok(outcome.into_value())
    /// }
    /// # let _ = load(&Policy::default());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the answer if the call did not succeed.
    pub fn unless_ok(summary: &OutcomeSummary) -> Result<(), Self> {
        if summary.is_ok() {
            return Ok(());
        }
        let (stop_reason, last_class, retry_in) = (summary.stop_reason(), summary.last_class(), summary.retry_in());
        let status = status(stop_reason, summary.cause(), last_class, retry_in);
        Err(Self { status, retry_in, stop_reason, last_class, operation: summary.operation().map(Arc::from) })
    }

    /// Returns the answer to a request whose time is up before its work is done: 504.
    ///
    /// ```
    /// use redress::integration::http::Answer;
    ///
    /// assert_eq!(Answer::deadline_exceeded().status(), 504);
    /// ```
    #[must_use]
    pub const fn deadline_exceeded() -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            retry_in: None,
            stop_reason: Some(StopReason::DeadlineExceeded),
            last_class: None,
            operation: None,
        }
    }

    /// Replaces the status.
    ///
    /// ```
    /// use http::StatusCode;
    /// use redress::{CallError, ErrorClass};
    /// use redress::integration::http::Answer;
    ///
    /// /// Each caller has its own quota at the dependency.
    /// fn answer(error: CallError<std::io::Error>) -> Answer {
    ///     match Answer::from(error) {
    ///         limited if limited.last_class() == Some(ErrorClass::RateLimit) => limited.with_status(StatusCode::TOO_MANY_REQUESTS),
    ///         other => other,
    ///     }
    /// }
    /// # let _ = answer;
    /// ```
    #[must_use]
    pub const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Returns the status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the seconds of the `Retry-After`: the time until the caller should call again,
    /// rounded up, at least 1. `None` if it is not known, or if the status is neither 503 nor 429.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        if !matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            return None;
        }
        let wait = self.retry_in?;
        // A zero would ask for a repetition at once.
        Some(wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1))
    }

    /// Returns why the call ended; `None` if the answer was made of a class.
    #[must_use]
    pub const fn stop_reason(&self) -> Option<StopReason> {
        self.stop_reason
    }

    /// Returns the class of the last failure, if an attempt failed.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        self.last_class
    }

    /// Returns the operation's name, if it was set. A rejection by a breaker has none.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }
}

impl<E> From<CallError<E>> for Answer {
    fn from(error: CallError<E>) -> Self {
        Self::from(&error)
    }
}

impl<E> From<&CallError<E>> for Answer {
    fn from(error: &CallError<E>) -> Self {
        let (stop_reason, last_class, retry_in) = (Some(error.stop_reason()), error.last_class(), error.retry_in());
        let status = status(stop_reason, error.cause(), last_class, retry_in);
        Self { status, retry_in, stop_reason, last_class, operation: error.operation().map(Arc::from) }
    }
}

impl From<ErrorClass> for Answer {
    /// The answer for a failure outside of a call, such as a response whose body cannot be read: by
    /// the class alone.
    ///
    /// ```
    /// use redress::ErrorClass;
    /// use redress::integration::http::Answer;
    ///
    /// fn quantity(body: &str) -> Result<u32, Answer> {
    ///     Ok(body.parse().map_err(|_| ErrorClass::Permanent)?)
    /// }
    /// assert_eq!(quantity("many").unwrap_err().status(), 502);
    /// ```
    fn from(class: ErrorClass) -> Self {
        let (stop_reason, last_class) = (None, Some(class));
        let status = status(stop_reason, None, last_class, None);
        Self { status, retry_in: None, stop_reason, last_class, operation: None }
    }
}

/// The table in the documentation of [`Answer`].
fn status(
    stop_reason: Option<StopReason>,
    cause: Option<Cause>,
    class: Option<ErrorClass>,
    retry_in: Option<Duration>,
) -> StatusCode {
    match stop_reason {
        Some(StopReason::CircuitOpen | StopReason::BudgetExhausted | StopReason::Scheduled | StopReason::Aborted) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Some(StopReason::DeadlineExceeded) if retry_in.is_some() => StatusCode::SERVICE_UNAVAILABLE,
        Some(StopReason::DeadlineExceeded) => StatusCode::GATEWAY_TIMEOUT,
        _ if cause == Some(Cause::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        _ if matches!(class, Some(ErrorClass::RateLimit | ErrorClass::Concurrency)) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

#[cfg(test)]
mod tests;
