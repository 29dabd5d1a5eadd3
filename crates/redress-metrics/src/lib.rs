//! redress events as counters, histograms and gauges of breakers and budgets, through the
//! [`metrics`] facade.
//!
//! [`MetricsObserver`] is an observer like any other: give it to a policy's `.observer(..)`, or to
//! a call's. Which metrics there are is listed in [`names`]; what each label may hold is closed,
//! and the few names that programs choose themselves are
//! [bounded](MetricsObserverBuilder::operation_limit). It knows no exporter: it writes to whatever
//! recorder the program installed.
//!
//! ```
//! use std::io;
//! use metrics_exporter_prometheus::PrometheusBuilder;
//! use redress::Policy;
//! use redress::observe::metrics::MetricsObserver;
//!
//! let exporter = PrometheusBuilder::new().install_recorder()?;
//! let policy = Policy::builder().name("users").observer(MetricsObserver::new()).build()?;
//! policy.operation("load_user").call(|| Ok::<_, io::Error>("ada"))?;
//! assert!(exporter.render().contains(r#"redress_attempts_total{policy="users",operation="load_user"} 1"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod names;

mod labels;
mod bounded;
mod series;
mod circuit;
mod budgets;
mod operations;

mod builder;
pub use builder::MetricsObserverBuilder;

mod observer;
pub use observer::MetricsObserver;

mod prometheus;
pub use prometheus::{prometheus_hooks, prometheus_metric_hook};

pub use names::describe;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
