//! redress on [async-std](https://docs.rs/async-std): the timer, and asynchronous policies that use
//! it.
//!
//! async-std is discontinued; its authors recommend smol, which `redress-smol` supports. This crate
//! is for services that still run on async-std. Both runtimes wait on `async-io`, so the timer and
//! the policies are those of `redress-smol` under async-std's names. It does not depend on
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

/// async-std's timer, which is also smol's: `async_std::task::sleep` waits on `async-io` too.
#[doc(no_inline)]
pub use redress_smol::SmolTimer as AsyncStdTimer;

/// A wait on async-std's timer. Returned by [`AsyncStdTimer`].
#[doc(no_inline)]
pub use redress_smol::SmolSleep as AsyncStdSleep;

/// [`redress_core::AsyncPolicy`] on async-std's timer. Calls run in `async_std::task::spawn` and
/// `block_on`; calls whose operation is not `Send` need `spawn_local` or `block_on`.
pub type AsyncPolicy<C = redress_core::classify::DefaultClassifier> = redress_core::AsyncPolicy<C, AsyncStdTimer>;

/// Alias of [`AsyncPolicy`], for fields and signatures of code that only retries.
pub type AsyncRetryPolicy<C = redress_core::classify::DefaultClassifier> = AsyncPolicy<C>;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
