//! The forms in which a call is handed back: a `Result` by `call`, an outcome by `execute`, and for
//! integrations the last value, accepted or not.

use std::time::Instant;

use crate::engine::{Flags, Run};
use crate::outcome::call_error::CallError;
use crate::outcome::circuit_open_error::CircuitOpenError;
use crate::outcome::ending::Ending;
use crate::outcome::retry_outcome::RetryOutcome;

/// A form of handing back a call.
pub(crate) trait Finish<T, E>: Copy {
    type Output;

    /// What the engine records for it.
    const WANTS: Flags;

    fn finish(self, result: Result<T, Ending<T, E>>, run: &Run<'_>, ended: Option<Instant>) -> Self::Output;

    /// A success that concerns the caller alone: handed back at once, or as `told` does where more
    /// than the value is asked for.
    fn value<R>(self, value: T, wrap: impl FnOnce(Self::Output) -> R, told: impl FnOnce(T) -> R) -> R;

    /// A rejection of which no observer hears.
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output;
}

/// As `call` hands it back.
#[derive(Clone, Copy)]
pub(crate) struct ToResult;

impl<T, E> Finish<T, E> for ToResult {
    type Output = Result<T, CallError<E>>;

    const WANTS: Flags = Flags::NONE;

    #[inline]
    fn finish(self, result: Result<T, Ending<T, E>>, _: &Run<'_>, _: Option<Instant>) -> Self::Output {
        result.map_err(Ending::into_error)
    }

    #[inline]
    fn value<R>(self, value: T, wrap: impl FnOnce(Self::Output) -> R, _: impl FnOnce(T) -> R) -> R {
        wrap(Ok(value))
    }

    #[inline]
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output {
        Err(CallError::CircuitOpen(rejection))
    }
}

/// The last value, accepted or not, else the error of `call`.
#[derive(Clone, Copy)]
pub(crate) struct ToLastValue;

impl<T, E> Finish<T, E> for ToLastValue {
    type Output = Result<T, CallError<E>>;

    const WANTS: Flags = Flags::NONE;

    #[inline]
    fn finish(self, result: Result<T, Ending<T, E>>, _: &Run<'_>, _: Option<Instant>) -> Self::Output {
        result.or_else(Ending::into_last_value)
    }

    #[inline]
    fn value<R>(self, value: T, wrap: impl FnOnce(Self::Output) -> R, _: impl FnOnce(T) -> R) -> R {
        wrap(Ok(value))
    }

    #[inline]
    fn rejected(self, rejection: CircuitOpenError) -> Self::Output {
        Finish::<T, E>::rejected(ToResult, rejection)
    }
}

/// As `execute` hands it back.
#[derive(Clone, Copy)]
pub(crate) struct ToOutcome;

impl<T, E> Finish<T, E> for ToOutcome {
    type Output = RetryOutcome<T, E>;

    const WANTS: Flags = Flags::OUTCOME;

    fn finish(self, result: Result<T, Ending<T, E>>, run: &Run<'_>, ended: Option<Instant>) -> Self::Output {
        match result {
            Ok(value) => RetryOutcome::succeeded(value, run.summary(ended), run.timeline()),
            Err(stopped) => RetryOutcome::stopped(stopped, run.timeline()),
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
