//! redress events and calls as tracing spans and events.

#![forbid(unsafe_code)]
