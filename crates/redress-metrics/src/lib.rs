//! redress events as counters, histograms and gauges, through the [`metrics`] facade.
//!
//! Pass a [`MetricsObserver`] to a policy's `.observer(..)`, or to a single call's. [`names`] lists
//! the metrics. Most labels have a closed set of values; names supplied by the program are
//! [bounded](MetricsObserverBuilder::operation_limit). The observer is independent of exporters: it
//! writes to the installed recorder.
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

mod facade;

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
