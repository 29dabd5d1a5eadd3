//! redress on [async-std](https://docs.rs/async-std): the timer, and the asynchronous policies that
//! use it.
//!
//! async-std has been discontinued; its authors point to smol, for which there is `redress-smol`.
//! This crate is for services that still run on async-std, and depends on `async-io` alone, not on
//! `async-std`.
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//! use redress::runtime::async_std::AsyncPolicy;
//! use redress::Retry;
//!
//! struct Orders { policy: AsyncPolicy }
//!
//! let orders = Orders {
//!     policy: AsyncPolicy::builder().retry(Retry::default()).attempt_timeout(Duration::from_secs(2)).build()?,
//! };
//! let order = async_std::task::block_on(orders.policy.call(|| async { Ok::<_, io::Error>("order 7") }))?;
//! assert_eq!(order, "order 7");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod timer;

pub use crate::timer::{AsyncStdSleep, AsyncStdTimer};

/// [`redress_core::AsyncPolicy`] on async-std's timer. Its calls run in `async_std::task::spawn`
/// and `block_on`; those whose operation is not `Send`, in `spawn_local` and `block_on`.
pub type AsyncPolicy<C = redress_core::classify::DefaultClassifier> = redress_core::AsyncPolicy<C, AsyncStdTimer>;

/// Another name for [`AsyncPolicy`], for fields and signatures where nothing but the retry is of
/// interest.
pub type AsyncRetryPolicy<C = redress_core::classify::DefaultClassifier> = AsyncPolicy<C>;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
