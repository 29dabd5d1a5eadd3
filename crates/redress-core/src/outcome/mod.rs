//! What a call reports: events, observers, outcomes and errors.

pub(crate) mod stop_reason;
pub(crate) mod decision;
mod decision_text;
pub(crate) mod change;
pub(crate) mod explanation;
pub(crate) mod call_outcome;
pub(crate) mod detail;
pub(crate) mod event;
pub(crate) mod observer;
pub(crate) mod observers;
pub(crate) mod timeline;
pub(crate) mod failure;
pub(crate) mod summary;
pub(crate) mod ending;
pub(crate) mod retry_outcome;
pub(crate) mod error_text;
pub(crate) mod call_error;
pub(crate) mod readable_duration;
pub(crate) mod call_error_kinds;
pub(crate) mod circuit_open_error;
pub(crate) mod abort_error;
pub(crate) mod boxed_error;
