//! redress calls as OpenTelemetry spans and metrics.

#![forbid(unsafe_code)]
