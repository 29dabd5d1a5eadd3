//! Policies with a registry whose page is served on a socket, scraped in both formats, and parsed
//! strictly.
//!
//! The tests check what the page shows. redress-metrics tests the mapping of events to metrics, and
//! the core what the events mean.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod server;

mod exemplars;
mod formats;
mod gauges;
mod hostile;
mod limits;
