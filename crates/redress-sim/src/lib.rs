//! Simulates clients, their policies and a server that fails, in virtual time.
//!
//! Every call is a [`PollCall`](redress_core::driver::PollCall) of the real engine, with real
//! budgets, breakers and strategies. The callers, the server, the faults and the clock are
//! simulated. A [`Scenario`] says what happens, [`Clients`] hold the policies, and a [`Report`]
//! counts calls and attempts by the second.
//!
//! ```
//! use std::time::Duration;
//! use redress::{AsyncPolicy, Retry, exponential};
//! use redress_sim::{Clients, Fault, Load, Scenario, Server};
//!
//! let secs = Duration::from_secs;
//! let server = Server::new(1, Duration::from_millis(10)); // 100 calls a second
//! let scenario = Scenario::new(Load::steady(70), server)
//!     .fault(Fault::stands_still(secs(10), secs(20)))
//!     .horizon(secs(60));
//!
//! let impatient = || AsyncPolicy::builder().attempt_timeout(secs(1)).deadline(secs(60));
//! let once = scenario.run(Clients::each(10, |_| impatient()))?;
//! assert!(once.recovery().is_some());
//!
//! let retry = || Retry::builder().strategy(exponential()).max_attempts(4);
//! let unbounded = scenario.run(Clients::each(10, |_| impatient().retry(retry())))?;
//! assert_eq!(unbounded.recovery(), None, "the retries keep the server busy for good");
//! # Ok::<(), redress_sim::SimulationError>(())
//! ```
//!
//! # The same seed gives the same bytes
//!
//! On every machine, for the same versions of redress and fastrand:
//!
//! - Time is a whole number of nanoseconds since the start. Events at the same instant are taken in
//!   the order in which they were scheduled.
//! - Random numbers are whole numbers of seeded generators: one for the arrivals, one for the
//!   server, one for the policies. Gaps with an exponential distribution are drawn by comparing
//!   whole numbers, without a logarithm. So no result depends on a platform's mathematical
//!   functions.
//! - A run replaces the thread's generator of fastrand by a seeded one and puts it back at its end.
//!   Strategies, budgets and breakers that draw from it need no seed.
//! - Nothing is kept in a map with a random order, and one run uses one thread.
//!
//! A strategy with a fractional factor computes with floating-point powers, which may differ by a
//! nanosecond between platforms. The arrivals do not depend on the policies, so that two policies
//! can be compared call by call under one seed.

#![forbid(unsafe_code)]

mod clock;
mod random;

mod load;
mod service;
mod server;
mod fault;
mod pace;
mod scenario;
mod error;

mod clients;
mod fleet;
mod exchange;
mod shard;
mod events;
mod calls;
mod world;
mod progress;

mod outline;
mod second;
mod latency;
mod report;
mod csv;
mod measure;
mod require;
mod sentence;
mod summary;
#[cfg(feature = "html")]
mod html;

mod span;
mod file;
mod shipped;

mod replay;

pub use crate::clients::{ClientBuilder, Clients};
pub use crate::csv::Csv;
pub use crate::error::SimulationError;
pub use crate::fault::Fault;
#[cfg(feature = "html")]
pub use crate::html::Page;
pub use crate::load::Load;
pub use crate::measure::Measured;
pub use crate::outline::Phase;
pub use crate::progress::Progress;
pub use crate::replay::{
    Certainty, Counts, Period, Recording, Replay, ReplayComparison, ReplayError, ReplayProgress, ReplayRequirement,
    ReplayVerdict, Replayed, Unread,
};
pub use crate::report::Report;
pub use crate::require::{Requirement, RequirementError, Verdict};
pub use crate::scenario::Scenario;
pub use crate::second::Second;
pub use crate::server::Server;
pub use crate::service::ServiceTime;
pub use crate::shipped::ScenarioError;
pub use crate::summary::Comparison;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
