//! Observation of calls: events, attempts, timelines and outcomes.
//!
//! An [`Observer`] receives every [`Event`] and attempt of a policy's calls. `execute` returns a
//! [`RetryOutcome`] with the value or error, and a [`RetryTimeline`] records the events of one
//! call.

pub use crate::nesting::Nesting;
pub use crate::outcome::call_outcome::CallOutcome;
pub use crate::outcome::change::{Change, NewValue};
pub use crate::outcome::decision::{DeadlineOf, Decision, Gate, Quantity};
pub use crate::outcome::event::{Event, EventName};
pub use crate::outcome::explanation::Explanation;
pub use crate::outcome::observer::{AttemptContext, AttemptDecision, CallObserver, CallStart, Observer};
pub use crate::outcome::readable_duration::Readable;
pub use crate::outcome::retry_outcome::RetryOutcome;
pub use crate::outcome::stop_reason::StopReason;
pub use crate::outcome::summary::OutcomeSummary;
pub use crate::outcome::timeline::{RetryTimeline, TimelineEvent};
