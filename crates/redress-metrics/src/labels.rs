//! Label keys, and conversions from event fields to labels.

use metrics::{Label, SharedString};
use redress_core::breaker::CircuitState;
use redress_core::observe::CallOutcome;
use redress_core::{Cause, ErrorClass, EventName, StopReason};

/// The value of a label that does not apply.
pub(crate) const NONE: &str = "none";
/// The shared value of all names over the limit.
pub(crate) const OTHER: &str = "other";

pub(crate) const BREAKER: &str = "breaker";
pub(crate) const BUDGET: &str = "budget";
const CAUSE: &str = "cause";
const CLASS: &str = "class";
pub(crate) const DETAIL: &str = "detail";
const ERROR_TYPE: &str = "error_type";
const EVENT: &str = "event";
pub(crate) const OPERATION: &str = "operation";
const OUTCOME: &str = "outcome";
pub(crate) const POLICY: &str = "policy";
const STOP_REASON: &str = "stop_reason";

pub(crate) fn event(name: EventName) -> Label {
    Label::from_static_parts(EVENT, name.as_str())
}

pub(crate) fn class(class: Option<ErrorClass>) -> Label {
    Label::from_static_parts(CLASS, class.map_or(NONE, ErrorClass::as_str))
}

pub(crate) fn cause(cause: Option<Cause>) -> Label {
    Label::from_static_parts(CAUSE, cause.map_or(NONE, Cause::as_str))
}

pub(crate) fn stop_reason(reason: Option<StopReason>) -> Label {
    Label::from_static_parts(STOP_REASON, reason.map_or(NONE, StopReason::as_str))
}

pub(crate) fn error_type(name: Option<&'static str>) -> Label {
    Label::from_static_parts(ERROR_TYPE, name.unwrap_or(NONE))
}

pub(crate) fn outcome(outcome: CallOutcome) -> Label {
    Label::from_static_parts(OUTCOME, outcome.as_str())
}

/// A label with a value supplied by the program.
pub(crate) fn named(key: &'static str, value: SharedString) -> Label {
    Label::new(key, value)
}

/// The gauge's value for a state, ordered by severity so that `max` over instances is meaningful.
/// `None` for a state that this version does not know.
pub(crate) fn state_value(state: CircuitState) -> Option<f64> {
    match state {
        CircuitState::Closed => Some(0.0),
        CircuitState::HalfOpen => Some(1.0),
        CircuitState::Open => Some(2.0),
        _ => None,
    }
}
