//! The keys of the labels, and the values that events give them.

use redress_core::breaker::CircuitState;
use redress_core::observe::CallOutcome;
use redress_core::{Cause, ErrorClass, Event, StopReason};

use crate::value::LabelValue;

/// The [name](redress_core::breaker::CircuitBreakerBuilder::name) of the breaker.
pub const BREAKER: &str = "breaker";
/// The name under which a budget is watched.
pub const BUDGET: &str = "budget";
/// The [kind](redress_core::Cause) of the failure.
pub const CAUSE: &str = "cause";
/// The [class](redress_core::ErrorClass) of the failure.
pub const CLASS: &str = "class";
/// The failure in [one word](redress_core::Event::detail).
pub const DETAIL: &str = "detail";
/// The type name of the error, if the observer has this label.
pub const ERROR_TYPE: &str = "error_type";
/// The [name](redress_core::EventName) of the event.
pub const EVENT: &str = "event";
/// The name of the operation, unless the observer omits it.
pub const OPERATION: &str = "operation";
/// How the call [ended](redress_core::observe::CallOutcome).
pub const OUTCOME: &str = "outcome";
/// The [name](redress_core::policy::PolicyBuilder::name) of the policy.
pub const POLICY: &str = "policy";
/// Why the call [stopped](redress_core::StopReason).
pub const STOP_REASON: &str = "stop_reason";

/// The value of a closed label of an event; [`LabelValue::NONE`] if it does not apply, and for the
/// labels with names of the program.
pub(crate) fn of_event(key: &str, event: &Event<'_>) -> LabelValue {
    let value = match key {
        EVENT => Some(event.name.as_str()),
        CLASS => event.class.map(ErrorClass::as_str),
        CAUSE => event.cause.map(Cause::as_str),
        STOP_REASON => event.stop_reason.map(StopReason::as_str),
        OUTCOME => event.outcome().map(CallOutcome::as_str),
        ERROR_TYPE => event.error_type,
        _ => None,
    };
    value.map_or(LabelValue::NONE, LabelValue::Fixed)
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
