//! redress on tokio: the timer, and asynchronous policies that use it.
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//! use redress::Retry;
//! use redress::runtime::tokio::AsyncPolicy;
//!
//! struct Orders { policy: AsyncPolicy }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let orders = Orders {
//!     policy: AsyncPolicy::builder().retry(Retry::default()).attempt_timeout(Duration::from_secs(2)).build()?,
//! };
//! let order = orders.policy.call(|| async { Ok::<_, io::Error>("order 7") }).await?;
//! assert_eq!(order, "order 7");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod timer;

pub use crate::timer::TokioTimer;

/// [`redress_core::AsyncPolicy`] on tokio's timer. Calls must run in a tokio runtime with time
/// enabled.
///
/// Waits, timeouts, deadlines and the breaker's windows all follow tokio's
/// [paused clock](https://docs.rs/tokio/latest/tokio/time/fn.pause.html).
pub type AsyncPolicy<C = redress_core::classify::DefaultClassifier> = redress_core::AsyncPolicy<C, TokioTimer>;

/// Alias of [`AsyncPolicy`], for fields and signatures of code that only retries.
pub type AsyncRetryPolicy<C = redress_core::classify::DefaultClassifier> = AsyncPolicy<C>;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
