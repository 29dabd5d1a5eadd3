//! redress on tokio: the timer, and the asynchronous policies that use it.
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

/// [`redress_core::AsyncPolicy`] on tokio's timer. Calls have to run within a tokio runtime whose
/// time is enabled.
///
/// With [`paused`](tokio::time::pause) time, waits, timeouts, deadlines and the breaker's windows
/// all run by the paused clock.
pub type AsyncPolicy<C = redress_core::classify::DefaultClassifier> = redress_core::AsyncPolicy<C, TokioTimer>;

/// Another name for [`AsyncPolicy`], for fields and signatures where nothing but the retry is of
/// interest.
pub type AsyncRetryPolicy<C = redress_core::classify::DefaultClassifier> = AsyncPolicy<C>;
