//! redress on [smol](https://docs.rs/smol): the timer, and asynchronous policies that use it.
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//! use redress::Retry;
//! use redress::runtime::smol::AsyncPolicy;
//!
//! struct Orders { policy: AsyncPolicy }
//!
//! let orders = Orders {
//!     policy: AsyncPolicy::builder().retry(Retry::default()).attempt_timeout(Duration::from_secs(2)).build()?,
//! };
//! let order = smol::block_on(orders.policy.call(|| async { Ok::<_, io::Error>("order 7") }))?;
//! assert_eq!(order, "order 7");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate depends on `async-io`, which provides smol's timer, and not on `smol`.

#![forbid(unsafe_code)]

mod timer;

pub use crate::timer::{SmolSleep, SmolTimer};

/// [`redress_core::AsyncPolicy`] on smol's timer. Calls run on any of smol's executors and in
/// `smol::block_on`; calls whose operation is not `Send` need a `LocalExecutor` or `block_on`.
pub type AsyncPolicy<C = redress_core::classify::DefaultClassifier> = redress_core::AsyncPolicy<C, SmolTimer>;

/// Alias of [`AsyncPolicy`], for fields and signatures of code that only retries.
pub type AsyncRetryPolicy<C = redress_core::classify::DefaultClassifier> = AsyncPolicy<C>;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
