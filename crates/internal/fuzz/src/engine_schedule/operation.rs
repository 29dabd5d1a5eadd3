//! The operation: it ends when and as the schedule says.
//!
//! Also holds its values, its errors and their classifier. It notes the beginning and end of each
//! attempt.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::{Attempt, Classification, Classifier, ErrorClass};

use super::log::Log;
use crate::reader::Reader;

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good,
    /// A value that is a failure.
    Bad(ErrorClass),
    Fails(ErrorClass, Option<Duration>),
    Abort,
    Panic,
}

impl Answer {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        match reader.below(8) {
            0 => Self::Good,
            1 => Self::Bad(reader.class()),
            2 => Self::Fails(reader.class(), Some(reader.ticks())),
            3 => Self::Abort,
            4 => Self::Panic,
            // The classes that are retried by default, and counted by breakers.
            5 => Self::Fails(ErrorClass::Transient, None),
            6 => Self::Fails(ErrorClass::ServerError, None),
            _ => Self::Fails(reader.class(), None),
        }
    }

    /// The class and hint of a failure.
    pub(super) const fn failure(self) -> Option<(ErrorClass, Option<Duration>)> {
        match self {
            Self::Bad(class) => Some((class, None)),
            Self::Fails(class, hint) => Some((class, hint)),
            Self::Good | Self::Abort | Self::Panic => None,
        }
    }

    /// Returned by the operation.
    pub(super) fn give(self) -> Result<Value, Failed> {
        match self {
            Self::Good | Self::Bad(_) => Ok(Value(self)),
            Self::Fails(..) | Self::Abort => Err(Failed(self)),
            Self::Panic => panic_on_purpose(),
        }
    }
}

/// The value that an operation returns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value(Answer);

/// The error of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed(Answer);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Error for Failed {}

/// Reads the class and hint that the values above hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByAnswer;

impl Classifier<Value, Failed> for ByAnswer {
    fn classify(&self, result: &Result<Value, Failed>) -> Option<Classification> {
        let (Ok(Value(answer)) | Err(Failed(answer))) = *result;
        if answer == Answer::Abort {
            return Some(Classification::abort());
        }
        answer.failure().map(|(class, hint)| Classification::new(class).with_retry_after(hint))
    }
}

/// The payload of a panic that belongs to a schedule.
struct Scripted;

/// Panics without calling the panic hook: a fuzzer's hook ends the process.
pub(super) fn panic_on_purpose() -> ! {
    resume_unwind(Box::new(Scripted))
}

/// Resumes every panic except those that belong to the schedule.
pub(super) fn expect_scripted(payload: Box<dyn Any + Send>) {
    if !payload.is::<Scripted>() {
        resume_unwind(payload);
    }
}

/// An attempt under way, of an asynchronous call.
pub(super) struct Running {
    log: Log,
    has_returned: bool,
}

impl Running {
    pub(super) fn start(log: Log, attempt: Attempt) -> Self {
        log.attempt_starts(attempt);
        Self { log, has_returned: false }
    }
}

impl Future for Running {
    type Output = Result<Value, Failed>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = self.log.next_answer() else { return Poll::Pending };
        self.has_returned = true;
        self.log.attempt_ends(answer);
        Poll::Ready(answer.give())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_returned {
            self.log.attempt_is_dropped();
        }
    }
}
