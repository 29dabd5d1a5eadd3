//! The return types of calls: a `Result` from `call`, an outcome from `execute`, and for
//! integrations the last value, whether it counts as a success or a failure.

use std::time::Instant;

use crate::engine::{Flags, Run};
use crate::outcome::call_error::CallError;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::ending::Ending;
use crate::outcome::retry_outcome::RetryOutcome;

/// Builds the return value of a call.
pub(crate) trait Finish<T, E>: Copy {
    type Output;

    /// The data that the engine must record for it.
    const WANTS: Flags;

    fn finish(self, result: Result<T, Ending<T, E>>, run: &Run<'_>, ended: Option<Instant>) -> Self::Output;

    /// Returns a success that nothing observes: wraps the value directly, or calls `told` if the
    /// return type contains more than the value.
    fn value<R>(self, value: T, wrap: impl FnOnce(Self::Output) -> R, told: impl FnOnce(T) -> R) -> R;

    /// Returns a rejection that no observer is notified of.
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output;
}

/// The return type of `call`.
#[derive(Clone, Copy)]
pub(crate) struct ToResult;

impl<T, E> Finish<T, E> for ToResult {
    type Output = Result<T, CallError<E>>;

    const WANTS: Flags = Flags::NONE;

    #[inline]
    fn finish(self, result: Result<T, Ending<T, E>>, _: &Run<'_>, _: Option<Instant>) -> Self::Output {
        result.map_err(Ending::into_error)
    }

    #[inline(always)]
    fn value<R>(self, value: T, wrap: impl FnOnce(Self::Output) -> R, _: impl FnOnce(T) -> R) -> R {
        wrap(Ok(value))
    }

    #[inline]
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output {
        Err(CallError::CircuitOpen(rejection))
    }
}

/// The last value, whether it counts as a success or a failure, or else the error of `call`.
#[derive(Clone, Copy)]
pub(crate) struct ToLastValue;

impl<T, E> Finish<T, E> for ToLastValue {
    type Output = Result<T, CallError<E>>;

    const WANTS: Flags = Flags::NONE;

    #[inline]
    fn finish(self, result: Result<T, Ending<T, E>>, _: &Run<'_>, _: Option<Instant>) -> Self::Output {
        result.or_else(Ending::into_last_value)
    }

    #[inline(always)]
    fn value<R>(self, value: T, wrap: impl FnOnce(Self::Output) -> R, _: impl FnOnce(T) -> R) -> R {
        wrap(Ok(value))
    }

    #[inline]
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output {
        Finish::<T, E>::rejected(ToResult, rejection)
    }
}

/// The return type of `execute`.
#[derive(Clone, Copy)]
pub(crate) struct ToOutcome;

impl<T, E> Finish<T, E> for ToOutcome {
    type Output = RetryOutcome<T, E>;

    const WANTS: Flags = Flags::OUTCOME;

    fn finish(self, result: Result<T, Ending<T, E>>, run: &Run<'_>, ended: Option<Instant>) -> Self::Output {
        match result {
            Ok(value) => RetryOutcome::succeeded(value, run.summary(ended), run.timeline()),
            Err(stopped) => {
                let token = run.resume_token(stopped.summary.elapsed);
                RetryOutcome::stopped(stopped, run.timeline()).with_token(token)
            }
        }
    }

    #[inline]
    fn value<R>(self, value: T, _: impl FnOnce(Self::Output) -> R, told: impl FnOnce(T) -> R) -> R {
        told(value)
    }

    #[inline]
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output {
        RetryOutcome::from_rejection(rejection)
    }
}
