//! The records of calls made through a fake or recording policy.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redress_core::policy::{CallDeadline, CallSettings};
use redress_core::{Cause, ErrorClass, RetryOutcome, StopReason};

use crate::lock::lock;

/// A finished `call`, including facts that a `Result` does not contain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// The name of the operation.
    pub operation: Option<String>,
    /// The deadline set for this call.
    pub deadline: Option<CallDeadline>,
    /// Why the call ended; `None` on success.
    pub stop_reason: Option<StopReason>,
    /// The number of attempts started.
    pub attempts: u32,
    /// The time from the start of the call to its end.
    pub elapsed: Duration,
    /// The class of the last failure.
    pub last_class: Option<ErrorClass>,
}

/// A finished `execute`, with the fields of its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecuteRecord {
    /// The name of the operation.
    pub operation: Option<String>,
    /// The deadline set for this call.
    pub deadline: Option<CallDeadline>,
    /// Why the call ended; `None` on success.
    pub stop_reason: Option<StopReason>,
    /// The number of attempts started.
    pub attempts: u32,
    /// The time from the start of the call to its end.
    pub elapsed: Duration,
    /// The class of the last failure.
    pub last_class: Option<ErrorClass>,
    /// The cause of the last failure.
    pub cause: Option<Cause>,
    /// The delay before calling again, if the retry was deferred.
    pub next_delay: Option<Duration>,
}

impl CallRecord {
    /// Returns whether the call succeeded.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.stop_reason.is_none()
    }
}

impl ExecuteRecord {
    /// Returns whether the call succeeded.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.stop_reason.is_none()
    }
}

/// The records so far. A handle: clones share one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records(Arc<Mutex<Lists>>);

#[derive(Debug, Default)]
struct Lists {
    calls: Vec<CallRecord>,
    executions: Vec<ExecuteRecord>,
}

impl Records {
    pub(crate) fn add_call<T, E>(&self, settings: &CallSettings<'_>, outcome: &RetryOutcome<T, E>) {
        lock(&self.0).calls.push(CallRecord {
            operation: settings.operation().map(str::to_owned),
            deadline: settings.deadline(),
            stop_reason: outcome.stop_reason(),
            attempts: outcome.attempts(),
            elapsed: outcome.elapsed(),
            last_class: outcome.last_class(),
        });
    }

    pub(crate) fn add_execution<T, E>(&self, settings: &CallSettings<'_>, outcome: &RetryOutcome<T, E>) {
        lock(&self.0).executions.push(ExecuteRecord {
            operation: settings.operation().map(str::to_owned),
            deadline: settings.deadline(),
            stop_reason: outcome.stop_reason(),
            attempts: outcome.attempts(),
            elapsed: outcome.elapsed(),
            last_class: outcome.last_class(),
            cause: outcome.cause(),
            next_delay: outcome.next_delay(),
        });
    }

    pub(crate) fn calls(&self) -> Vec<CallRecord> {
        lock(&self.0).calls.clone()
    }

    pub(crate) fn executions(&self) -> Vec<ExecuteRecord> {
        lock(&self.0).executions.clone()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.0) = Lists::default();
    }
}
