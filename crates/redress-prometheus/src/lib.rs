//! redress events as counters, histograms and gauges in a [`Registry`] of [`prometheus_client`].
//!
//! Register a [`PrometheusObserver`], and pass it to a policy's `.observer(..)`. The metrics, their
//! labels and limits are those of every metrics observer of redress. The page is yours: encode the
//! registry as [OpenMetrics](prometheus_client::encoding::text) or in Prometheus' own
//! [text format](prometheus_client::encoding::prometheus_text).
//!
//! ```
//! use prometheus_client::encoding::text::encode;
//! use prometheus_client::registry::Registry;
//! use redress::Policy;
//! use redress::observe::prometheus::PrometheusObserver;
//!
//! let mut registry = Registry::default();
//! let metrics = PrometheusObserver::register(&mut registry);
//! let policy = Policy::builder().name("users").observer(metrics).build()?;
//! policy.operation("load_user").call(|| Ok::<_, std::io::Error>("ada"))?;
//!
//! let mut page = String::new();
//! encode(&mut page, &registry)?;
//! assert!(page.contains(r#"redress_attempts_total{policy="users",operation="load_user"} 1"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Registry`]: prometheus_client::registry::Registry

#![forbid(unsafe_code)]

mod exemplar;
mod families;
mod labels;

mod buckets;
pub use buckets::Buckets;

mod builder;
pub use builder::PrometheusObserverBuilder;

mod observer;
pub use observer::PrometheusObserver;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
