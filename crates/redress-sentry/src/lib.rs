//! redress calls in Sentry: a breadcrumb for each retry, and an event for each call that fails and
//! each circuit that opens.
//!
//! Pass a [`SentryObserver`] to a policy's `.observer(..)`. It writes to the hub that is current
//! where the event happens, through the client that the program has bound to it.
//!
//! ```
//! use redress::Policy;
//! use redress::observe::sentry::SentryObserver;
//!
//! let policy = Policy::builder().name("orders").observer(SentryObserver::new()).build()?;
//! policy.operation("load_order").call(|| Ok::<_, std::io::Error>(7))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Events are grouped by operation or breaker, class and stop reason. Error texts and values are
//! never sent.

#![forbid(unsafe_code)]

mod builder;
pub use builder::SentryObserverBuilder;

mod reports;
mod names;
mod facts;
mod breadcrumb;
mod issue;
mod reentry;

mod observer;
pub use observer::SentryObserver;

/// The category of breadcrumbs, the logger of events, the key of their context, and the first part
/// of their fingerprint: `redress`.
pub const CATEGORY: &str = "redress";

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
