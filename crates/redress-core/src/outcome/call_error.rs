//! The errors of a call: what `call` returns, and the marker by which an operation aborts.
//!
//! Owns their shape and text. Each prints its own level only; the operation's error is the `source()`.

use std::any::type_name;
use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::breaker::CircuitState;
use crate::classify::class::ErrorClass;
use crate::drive::clock::nanos;
use crate::outcome::retry_outcome::Failure;
use crate::outcome::stop_reason::StopReason;

/// Why `call` returned no value.
///
/// The operation's own error stays reachable by reference ([`error`](Self::error)), by value
/// ([`into_error`](Self::into_error)) and by [`source`](Error::source). It implements [`Error`] whenever `E` does, so `?`
/// turns it into an `anyhow::Error` or a `thiserror` variant; for an `E` that does not, such as `anyhow::Error` itself, see
/// [`boxed`](Self::boxed).
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use redress_core::{CallError, Policy, Retry, fixed};
///
/// let policy = Policy::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2)).build()?;
/// let failed = policy.call(|| Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut))).unwrap_err();
/// match failed {
///     CallError::Failed(failed) => assert_eq!((failed.error.kind(), failed.attempts), (io::ErrorKind::TimedOut, 2)),
///     CallError::CircuitOpen(rejection) => println!("come back in {:?}", rejection.retry_in()),
///     other => println!("{other}"),
/// }
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[non_exhaustive]
pub enum CallError<T, E> {
    /// The call ended with an error of the operation.
    Failed(FailedError<E>),
    /// The call ended without an error to hand back: with a value the classifier calls a failure, with an attempt that
    /// timed out, or by deferring the retry.
    Exhausted(RetryExhaustedError<T, E>),
    /// The call was aborted by its caller, its operation or its sleep handler.
    Aborted(AbortedError<T, E>),
    /// The circuit breaker rejected the call; the operation was not run.
    CircuitOpen(CircuitOpenError),
}

/// What `call` returns.
pub type CallResult<T, E> = Result<T, CallError<T, E>>;

/// A call that ended with an error of the operation. Its error is the source.
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedError<E> {
    /// The last attempt's error.
    pub error: E,
    /// Why there was no further attempt.
    pub stop_reason: StopReason,
    /// How many attempts were started.
    pub attempts: u32,
    /// The error's class.
    pub last_class: Option<ErrorClass>,
    /// Why it must not be tried again, if that is the reason; see
    /// [`Classification::forbid_retry`](crate::Classification::forbid_retry).
    pub retry_forbidden: Option<&'static str>,
}

/// A call that ended without an error to hand back.
#[non_exhaustive]
pub struct RetryExhaustedError<T, E> {
    /// Why there was no further attempt.
    pub stop_reason: StopReason,
    /// How many attempts were started.
    pub attempts: u32,
    /// The class of the last failure.
    pub last_class: Option<ErrorClass>,
    /// The last failure. It is an error only if the retry was deferred.
    pub last_failure: Option<Failure<T, E>>,
    /// How long to wait before calling again, if the retry was deferred.
    pub next_sleep: Option<Duration>,
    /// Why it must not be tried again, if that is the reason; see
    /// [`Classification::forbid_retry`](crate::Classification::forbid_retry).
    pub retry_forbidden: Option<&'static str>,
}

impl<T, E> RetryExhaustedError<T, E> {
    /// The same with another last failure.
    fn with_failure<U, F>(self, last_failure: Option<Failure<U, F>>) -> RetryExhaustedError<U, F> {
        let Self { stop_reason, attempts, last_class, next_sleep, retry_forbidden, last_failure: _ } = self;
        RetryExhaustedError { stop_reason, attempts, last_class, last_failure, next_sleep, retry_forbidden }
    }
}

/// A call that was aborted.
#[non_exhaustive]
pub struct AbortedError<T, E> {
    /// How many attempts were started.
    pub attempts: u32,
    /// The class of the last failure, if an attempt failed.
    pub last_class: Option<ErrorClass>,
    /// The last failure, if an attempt failed.
    pub last_failure: Option<Failure<T, E>>,
    /// The error by which the operation itself asked to abort, if it did.
    pub abort_error: Option<E>,
}

/// A call that a circuit breaker rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitOpenError {
    state: CircuitState,
    /// Nanoseconds; a rejection is made far more often than it is looked at.
    retry_in: Option<u64>,
}

impl CircuitOpenError {
    /// A rejection in this state, with the time until the next probe if it is known.
    #[must_use]
    pub const fn new(state: CircuitState, retry_in: Option<Duration>) -> Self {
        let retry_in = match retry_in {
            Some(wait) => Some(nanos(wait)),
            None => None,
        };
        Self { state, retry_in }
    }

    pub(crate) const fn after_nanos(state: CircuitState, retry_in: Option<u64>) -> Self {
        Self { state, retry_in }
    }

    /// The breaker's state: open, or half-open with a probe under way.
    #[must_use]
    pub const fn state(&self) -> CircuitState {
        self.state
    }

    /// How long until the breaker admits a probe; `None` while a probe is under way, since its result decides.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        self.retry_in.map(Duration::from_nanos)
    }
}

impl fmt::Display for CircuitOpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "circuit breaker is {}", self.state)?;
        match self.retry_in() {
            Some(wait) => write!(f, ", next probe in {:?}", to_millis(wait)),
            None => Ok(()),
        }
    }
}

impl Error for CircuitOpenError {}

/// The error an operation returns to end the whole call at once, as [`Aborted`](StopReason::Aborted).
///
/// The default classifier finds it anywhere in a source chain; a classifier of your own answers
/// [`Classification::abort`](crate::Classification::abort).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortRetryError {
    reason: Cow<'static, str>,
}

/// The original's short name for [`AbortRetryError`].
pub type AbortRetry = AbortRetryError;

impl AbortRetryError {
    /// An abort for this reason.
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into() }
    }
}

impl fmt::Display for AbortRetryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for AbortRetryError {}

impl<T, E> CallError<T, E> {
    /// Why the call ended.
    #[must_use]
    pub const fn stop_reason(&self) -> StopReason {
        match self {
            Self::Failed(failed) => failed.stop_reason,
            Self::Exhausted(exhausted) => exhausted.stop_reason,
            Self::Aborted(_) => StopReason::Aborted,
            Self::CircuitOpen(_) => StopReason::CircuitOpen,
        }
    }

    /// How many attempts were started.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        match self {
            Self::Failed(failed) => failed.attempts,
            Self::Exhausted(exhausted) => exhausted.attempts,
            Self::Aborted(aborted) => aborted.attempts,
            Self::CircuitOpen(_) => 0,
        }
    }

    /// The class of the last failure, if an attempt failed.
    #[must_use]
    pub const fn last_class(&self) -> Option<ErrorClass> {
        match self {
            Self::Failed(failed) => failed.last_class,
            Self::Exhausted(exhausted) => exhausted.last_class,
            Self::Aborted(aborted) => aborted.last_class,
            Self::CircuitOpen(_) => None,
        }
    }

    /// How long to wait before calling again: of a deferred retry, or until an open breaker's next probe.
    #[must_use]
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Exhausted(exhausted) => exhausted.next_sleep,
            Self::CircuitOpen(rejection) => rejection.retry_in(),
            _ => None,
        }
    }

    /// Why it must not be tried again, when the call ended as [`RetryForbidden`](StopReason::RetryForbidden), such as
    /// `streaming_body`.
    #[must_use]
    pub const fn retry_forbidden(&self) -> Option<&'static str> {
        match self {
            Self::Failed(failed) => failed.retry_forbidden,
            Self::Exhausted(exhausted) => exhausted.retry_forbidden,
            Self::Aborted(_) | Self::CircuitOpen(_) => None,
        }
    }

    /// The operation's error, if the call ended with one or had one when it was aborted or deferred.
    #[must_use]
    pub fn error(&self) -> Option<&E> {
        match self {
            Self::Failed(failed) => Some(&failed.error),
            Self::Exhausted(exhausted) => exhausted.last_failure.as_ref().and_then(Failure::error),
            Self::Aborted(aborted) => {
                aborted.abort_error.as_ref().or_else(|| aborted.last_failure.as_ref().and_then(Failure::error))
            }
            Self::CircuitOpen(_) => None,
        }
    }

    /// The operation's error by value; see [`error`](Self::error).
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed(failed) => Some(failed.error),
            Self::Exhausted(exhausted) => exhausted.last_failure.and_then(Failure::into_error),
            Self::Aborted(aborted) => {
                aborted.abort_error.or_else(|| aborted.last_failure.and_then(Failure::into_error))
            }
            Self::CircuitOpen(_) => None,
        }
    }

    /// The operation's last value, if the call ended with one that the classifier calls a failure.
    #[must_use]
    pub fn into_last_result(self) -> Option<T> {
        match self {
            Self::Exhausted(exhausted) => exhausted.last_failure.and_then(Failure::into_result),
            Self::Aborted(aborted) => aborted.last_failure.and_then(Failure::into_result),
            Self::Failed(_) | Self::CircuitOpen(_) => None,
        }
    }

    /// The last value by itself, if the call ended with one that the classifier calls a failure; else the error, which then holds none.
    /// For those who hand bad values on as they are, such as a response with a bad status.
    ///
    /// # Errors
    ///
    /// The call's error, if it did not end with a value.
    ///
    /// ```
    /// use redress_core::{ErrorClass, Policy, result_classifier};
    ///
    /// let policy = Policy::builder()
    ///     .classifier(result_classifier(|status: &u16| (*status >= 500).then_some(ErrorClass::ServerError)))
    ///     .build()?;
    /// let error = policy.call(|| Ok::<_, std::io::Error>(503)).unwrap_err();
    /// assert_eq!(error.try_into_last_result().unwrap(), 503);
    /// # Ok::<(), redress_core::ConfigError>(())
    /// ```
    pub fn try_into_last_result(self) -> Result<T, CallError<Infallible, E>> {
        match self {
            Self::Failed(failed) => Err(CallError::Failed(failed)),
            Self::CircuitOpen(rejection) => Err(CallError::CircuitOpen(rejection)),
            Self::Exhausted(mut exhausted) => {
                let last_failure = match without_result(exhausted.last_failure.take()) {
                    Ok(last_failure) => last_failure,
                    Err(value) => return Ok(value),
                };
                Err(CallError::Exhausted(exhausted.with_failure(last_failure)))
            }
            Self::Aborted(AbortedError { attempts, last_class, last_failure, abort_error }) => {
                let last_failure = match without_result(last_failure) {
                    Ok(last_failure) => last_failure,
                    Err(value) => return Ok(value),
                };
                Err(CallError::Aborted(AbortedError { attempts, last_class, last_failure, abort_error }))
            }
        }
    }

    /// The same with the operation's errors changed by `map`.
    #[must_use]
    pub fn map_error<F>(self, mut map: impl FnMut(E) -> F) -> CallError<T, F> {
        match self {
            Self::Failed(FailedError { error, stop_reason, attempts, last_class, retry_forbidden }) => {
                CallError::Failed(FailedError { error: map(error), stop_reason, attempts, last_class, retry_forbidden })
            }
            Self::Exhausted(mut exhausted) => {
                let last_failure = exhausted.last_failure.take().map(|failure| failure.map_error(&mut map));
                CallError::Exhausted(exhausted.with_failure(last_failure))
            }
            Self::Aborted(AbortedError { attempts, last_class, last_failure, abort_error }) => {
                let last_failure = last_failure.map(|failure| failure.map_error(&mut map));
                let abort_error = abort_error.map(map);
                CallError::Aborted(AbortedError { attempts, last_class, last_failure, abort_error })
            }
            Self::CircuitOpen(rejection) => CallError::CircuitOpen(rejection),
        }
    }

    /// The same with the operation's error in a [`BoxError`], which implements [`Error`]: for errors that do not
    /// themselves, such as `anyhow::Error`, `Box<dyn Error + Send + Sync>` and `String`.
    #[must_use]
    pub fn boxed(self) -> CallError<T, BoxError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.map_error(|error| BoxError(error.into()))
    }
}

/// A boxed error that implements [`Error`], transparently. Made by [`CallError::boxed`].
pub struct BoxError(Box<dyn Error + Send + Sync>);

impl BoxError {
    /// The error inside.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }

    /// The error inside, by reference.
    #[must_use]
    pub fn as_inner(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Debug for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for BoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for BoxError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl<E> fmt::Display for FailedError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        stopped(f, self.stop_reason, self.attempts, self.last_class)
    }
}

impl<E: Error + 'static> Error for FailedError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl<T, E> fmt::Display for RetryExhaustedError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        stopped(f, self.stop_reason, self.attempts, self.last_class)?;
        match self.next_sleep {
            Some(wait) => write!(f, ", to be called again in {:?}", to_millis(wait)),
            None => Ok(()),
        }
    }
}

impl<T, E: Error + 'static> Error for RetryExhaustedError<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last_failure.as_ref().and_then(Failure::error).map(|error| error as _)
    }
}

impl<T, E> fmt::Display for AbortedError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        stopped(f, StopReason::Aborted, self.attempts, self.last_class)
    }
}

impl<T, E: Error + 'static> Error for AbortedError<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let last = || self.last_failure.as_ref().and_then(Failure::error);
        self.abort_error.as_ref().or_else(last).map(|error| error as _)
    }
}

impl<T, E> fmt::Display for CallError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failed) => failed.fmt(f),
            Self::Exhausted(exhausted) => exhausted.fmt(f),
            Self::Aborted(aborted) => aborted.fmt(f),
            Self::CircuitOpen(rejection) => fmt::Display::fmt(rejection, f),
        }
    }
}

impl<T, E: Error + 'static> Error for CallError<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(failed) => failed.source(),
            Self::Exhausted(exhausted) => exhausted.source(),
            Self::Aborted(aborted) => aborted.source(),
            Self::CircuitOpen(_) => None,
        }
    }
}

/// The failure, if it is not a value; else the value.
fn without_result<T, E>(failure: Option<Failure<T, E>>) -> Result<Option<Failure<Infallible, E>>, T> {
    match failure {
        Some(Failure::Result(value)) => Err(value),
        Some(Failure::Error(error)) => Ok(Some(Failure::Error(error))),
        Some(Failure::Timeout) => Ok(Some(Failure::Timeout)),
        None => Ok(None),
    }
}

/// Rounded up, for people: at that time there is something to come back for.
fn to_millis(wait: Duration) -> Duration {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

fn stopped(f: &mut fmt::Formatter<'_>, reason: StopReason, attempts: u32, class: Option<ErrorClass>) -> fmt::Result {
    let plural = if attempts == 1 { "" } else { "s" };
    write!(f, "stopped after {attempts} attempt{plural}: {} ({reason}", reason.description_after(attempts))?;
    match class {
        Some(class) => write!(f, ", last failure {class})"),
        None => f.write_str(")"),
    }
}

// `Debug` asks nothing of `T`, so that `unwrap` and `?` work for values that cannot be printed: a failing value is
// shown by its type.
impl<T, E: fmt::Debug> fmt::Debug for CallError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failed) => f.debug_tuple("Failed").field(failed).finish(),
            Self::Exhausted(exhausted) => f.debug_tuple("Exhausted").field(exhausted).finish(),
            Self::Aborted(aborted) => f.debug_tuple("Aborted").field(aborted).finish(),
            Self::CircuitOpen(rejection) => f.debug_tuple("CircuitOpen").field(rejection).finish(),
        }
    }
}

impl<T, E: fmt::Debug> fmt::Debug for RetryExhaustedError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryExhaustedError")
            .field("stop_reason", &self.stop_reason)
            .field("attempts", &self.attempts)
            .field("last_class", &self.last_class)
            .field("last_failure", &self.last_failure.as_ref().map(ByType))
            .field("next_sleep", &self.next_sleep)
            .field("retry_forbidden", &self.retry_forbidden)
            .finish()
    }
}

impl<T, E: fmt::Debug> fmt::Debug for AbortedError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortedError")
            .field("attempts", &self.attempts)
            .field("last_class", &self.last_class)
            .field("last_failure", &self.last_failure.as_ref().map(ByType))
            .field("abort_error", &self.abort_error)
            .finish()
    }
}

/// Shows a failure whose value may not be printable.
struct ByType<'f, T, E>(&'f Failure<T, E>);

impl<T, E: fmt::Debug> fmt::Debug for ByType<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Failure::Error(error) => f.debug_tuple("Error").field(error).finish(),
            Failure::Result(_) => write!(f, "Result(<{}>)", type_name::<T>()),
            Failure::Timeout => f.write_str("Timeout"),
        }
    }
}
