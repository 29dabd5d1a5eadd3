//! What a call, a breaker and a budget take up.
//!
//! Owns the table of sizes. A future that is boxed is small itself, so what it holds on the heap is told beside it.

use std::future::{Future, pending, ready};
use std::hint::black_box;
use std::mem::size_of_val;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use backon::{BlockingRetryable as _, ExponentialBuilder, Retryable as _};
use failsafe::{Config, backoff, failure_policy};
use recloser::Recloser;
use redress_core::{Budget, CircuitBreaker, ErrorClass, Retry, decorrelated_jitter};
use redress_tokio::AsyncPolicy;
use tokio::time::{Sleep, sleep, timeout};
use tokio_retry2::RetryError;
use tokio_retry2::strategy::ExponentialBackoff;
use tower::retry::budget::TpsBudget;
use tower::{Layer as _, Service as _, service_fn};
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, SlidingWindowType};
use tower_resilience::retry::{RetryBudgetBuilder, RetryLayer};
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::allocations::bytes_held;
use crate::operation::{OperationError, OperationResult, fail, finish, succeed};

/// One figure in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// The value itself.
    pub(crate) own: usize,
    /// What it holds on the heap.
    pub(crate) heap: usize,
    /// The same after use.
    pub(crate) used: Option<usize>,
    pub(crate) reach: Option<usize>,
}

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);
