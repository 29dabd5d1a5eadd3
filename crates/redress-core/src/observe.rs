//! What a call tells, while it runs and at its end: events, attempts, timelines and outcomes, and
//! who hears them.
//!
//! An [`Observer`] hears every [`Event`] and attempt of a policy's calls; `execute` returns a
//! [`RetryOutcome`]; a [`RetryTimeline`] records one call.

pub use crate::outcome::call_outcome::CallOutcome;
pub use crate::outcome::event::{Event, EventName};
pub use crate::outcome::observer::{AttemptContext, AttemptDecision, CallObserver, CallStart, Observer};
pub use crate::outcome::retry_outcome::RetryOutcome;
pub use crate::outcome::stop_reason::StopReason;
pub use crate::outcome::summary::OutcomeSummary;
pub use crate::outcome::timeline::{RetryTimeline, TimelineEvent};
