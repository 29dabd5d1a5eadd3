//! What a sink is asked to do, by events of real policies, and the limits on names.
//!
//! The mapping of each event is tested through a real exporter in redress-metrics.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod book;

mod names;
mod series;
mod settings;
