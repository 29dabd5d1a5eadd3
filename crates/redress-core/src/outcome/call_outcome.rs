//! [`CallOutcome`]: how a call ended, as a small set of values for metric labels. Why it ended is
//! [`StopReason`](crate::StopReason).

use std::fmt;

use crate::closed_set::closed_set;

/// How a call ended, as a small set of values for metric labels.
/// [`Event::outcome`](crate::Event::outcome) returns it.
///
/// ```
/// use redress::{Event, EventName};
/// use redress::observe::CallOutcome;
///
/// assert_eq!(Event::new(EventName::BudgetExhausted).outcome(), Some(CallOutcome::Failure));
/// assert_eq!(Event::new(EventName::Retry).outcome(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The call succeeded.
    Success,
    /// The operation failed and was not retried.
    Failure,
    /// The breaker rejected the call. There was no attempt.
    Rejected,
    /// The sleep handler deferred the retry.
    Scheduled,
    /// The caller, the operation or the sleep handler aborted the call.
    Aborted,
    /// The call was dropped before it ended.
    Cancelled,
    /// A panic unwound through the call. Its event is [`Cancelled`](crate::EventName::Cancelled),
    /// as for any call that ends without a result; see [`of_unfinished`](Self::of_unfinished).
    Panicked,
}

closed_set! {
    /// Every outcome, in declaration order.
    CallOutcome { Success, Failure, Rejected, Scheduled, Aborted, Cancelled, Panicked }
}

impl CallOutcome {
    /// The outcome's name in metrics, spans and logs, such as `success`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Rejected => "rejected",
            Self::Scheduled => "scheduled",
            Self::Aborted => "aborted",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
        }
    }

    /// The outcome of a call that ends now without a result: `Panicked` while the current thread
    /// unwinds, else `Cancelled`.
    #[must_use]
    pub fn of_unfinished() -> Self {
        if std::thread::panicking() { Self::Panicked } else { Self::Cancelled }
    }
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
