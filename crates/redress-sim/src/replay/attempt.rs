//! What a log knows of one attempt: when it started, how long it ran, and how it ended.

use std::time::Duration;

use redress_core::observe::CallOutcome;
use redress_core::{Cause, ErrorClass};
use redress_journal::{AttemptRecord, CallRecord};

use crate::clock::{Nanos, nanos};
use crate::exchange::Failure;

/// An attempt of a log, from the start of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) start: Nanos,
    pub(crate) ran: Ran,
}

/// How long an attempt ran, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) time: Nanos,
    pub(crate) end: End,
    /// Whether a failure of it must not be retried.
    pub(crate) forbids_retry: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Succeeds,
    Fails(Failure),
    /// It was cut or dropped while it ran. Its own end is not known.
    Cut(Failure),
    /// A panic unwinds through the call.
    Panics,
}

impl Recorded {
    /// What the record knows of its attempt at this index.
    pub(crate) fn of(call: &CallRecord, index: usize, attempt: &AttemptRecord) -> Self {
        let is_last = index + 1 == call.attempts.len();
        let failure = Failure { class: attempt.class.unwrap_or(ErrorClass::Transient), retry_after: attempt.hint };
        let (time, end) = match (attempt.took, attempt.class, attempt.cause) {
            (Some(took), _, Some(Cause::Timeout)) => (took, End::Cut(failure)),
            (Some(took), None, _) => (took, End::Succeeds),
            (Some(took), Some(_), _) => (took, End::Fails(failure)),
            (None, ..) => {
                // It ran until the end of the call, if that is known.
                let ran = call.elapsed.map(|elapsed| elapsed.saturating_sub(attempt.start));
                let panicked = is_last && call.outcome == CallOutcome::Panicked && ran.is_some();
                (ran.unwrap_or(Duration::ZERO), if panicked { End::Panics } else { End::Cut(failure) })
            }
        };
        let forbids_retry = attempt.retry_forbidden.is_some();
        Self { start: nanos(attempt.start), ran: Ran { time: nanos(time), end, forbids_retry } }
    }

    /// When it started, from the start of the log.
    pub(crate) const fn started(&self, call: Nanos) -> Nanos {
        call.saturating_add(self.start)
    }
}
