//! redress on [smol](https://docs.rs/smol): the timer, and the asynchronous policies that use it.
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
//! It depends on `async-io`, the part of smol that has the timer, and not on `smol`.

#![forbid(unsafe_code)]

mod timer;

pub use crate::timer::{SmolSleep, SmolTimer};

/// [`redress_core::AsyncPolicy`] on smol's timer. Its calls run on any of smol's executors, and in
/// `smol::block_on`; those whose operation is not `Send`, on a `LocalExecutor`.
pub type AsyncPolicy<C = redress_core::classify::DefaultClassifier> = redress_core::AsyncPolicy<C, SmolTimer>;

/// Another name for [`AsyncPolicy`], for fields and signatures where nothing but the retry is of
/// interest.
pub type AsyncRetryPolicy<C = redress_core::classify::DefaultClassifier> = AsyncPolicy<C>;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
