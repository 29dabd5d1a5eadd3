//! What a call tells: its events, its observers, its outcome and its errors.

pub(crate) mod stop_reason;
pub(crate) mod call_outcome;
pub(crate) mod event;
pub(crate) mod observer;
pub(crate) mod observers;
pub(crate) mod timeline;
pub(crate) mod retry_outcome;
pub(crate) mod call_error;
