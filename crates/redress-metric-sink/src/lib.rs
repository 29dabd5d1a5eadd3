//! What the metrics observers of redress share: the metrics with their labels, the limits on names,
//! and the observer that maps events to them.
//!
//! Programs use an observer over their metrics library, such as `redress::observe::metrics`. Use
//! this crate to write one for another library: implement [`MetricSink`].

#![forbid(unsafe_code)]

pub mod label;
mod value;
mod metric;
mod settings;
mod sink;

mod limited_names;
mod limited_operations;
mod series;
mod circuit;
mod budgets;
mod observer;
mod methods;

pub use limited_names::LimitedNames;
pub use limited_operations::LimitedOperations;
pub use metric::{CALL_DURATION_BUCKETS, Metric, MetricKind, RETRY_SLEEP_BUCKETS};
pub use observer::MetricObserver;
pub use settings::Settings;
pub use sink::MetricSink;
pub use value::LabelValue;

/// What the macros name, for crates without redress-core among their dependencies.
#[doc(hidden)]
pub use redress_core as core;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
