//! redress events as counts, distributions and gauges for Datadog, over DogStatsD.
//!
//! Make a [`DatadogObserver`] from a [`cadence`] client, and pass it to a policy's `.observer(..)`.
//! [`Datagrams`] is a sink for that client which never blocks a call: it sends from another thread,
//! through a bounded queue, and counts what it drops.
//!
//! ```
//! use cadence::StatsdClient;
//! use redress::Policy;
//! use redress::observe::datadog::{DatadogObserver, Datagrams};
//!
//! let datagrams = Datagrams::udp("127.0.0.1:8125")?;
//! let client = StatsdClient::builder("", datagrams.clone()).with_tag("env", "prod").build();
//! let policy = Policy::builder().name("users").observer(DatadogObserver::new(client)).build()?;
//! policy.operation("load_user").call(|| Ok::<_, std::io::Error>("ada"))?;
//!
//! // Sends redress.attempts:1|c|#env:prod,policy:users,operation:load_user
//! println!("{} metrics were dropped", datagrams.dropped());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod dogstatsd;
mod socket;
mod text;

mod datagrams;
pub use datagrams::{Datagrams, DatagramsBuilder};

mod builder;
pub use builder::DatadogObserverBuilder;

mod observer;
pub use observer::DatadogObserver;

pub use text::metric_name;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
