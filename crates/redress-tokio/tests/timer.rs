//! tokio's timer: the tests of every timer in real time, and tokio's paused clock.
//!
//! The core tests the decisions of calls.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::{CircuitBreaker, Retry, StopReason, fixed};
use redress_fixtures::timer_suite::Runtime;
use redress_tokio::{AsyncPolicy, TokioTimer};
use tokio::runtime;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, advance};

static RUNTIME: LazyLock<runtime::Runtime> = LazyLock::new(|| {
    let mut builder = runtime::Builder::new_multi_thread();
    builder.worker_threads(3).enable_time().build().expect("a runtime without I/O needs nothing of the system")
});

struct Tokio;

impl Runtime for Tokio {
    type Timer = TokioTimer;
    type Task<T: Send + 'static> = JoinHandle<T>;

    fn block_on<F: Future>(future: F) -> F::Output {
        RUNTIME.block_on(future)
    }

    fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> JoinHandle<F::Output> {
        RUNTIME.spawn(future)
    }

    async fn join<T: Send + 'static>(task: JoinHandle<T>) -> T {
        task.await.expect("it does not panic")
    }

    async fn cancel<T: Send + 'static>(task: JoinHandle<T>) {
        task.abort();
        assert!(task.await.is_err_and(|ended| ended.is_cancelled()));
    }

    fn run_local<T: 'static>(tasks: Vec<Pin<Box<dyn Future<Output = T>>>>) -> Vec<T> {
        RUNTIME.block_on(LocalSet::new().run_until(async {
            let tasks: Vec<_> = tasks.into_iter().map(spawn_local).collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.expect("it does not panic"));
            }
            answers
        }))
    }
}

redress_fixtures::timer_suite!(Tokio);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn fails() -> Result<(), Error> {
    Err(ErrorKind::ConnectionReset.into())
}

async fn succeeds() -> Result<(), Error> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn waits_and_timeouts_follow_the_paused_clock() {
    let retry = Retry::builder().strategy(fixed(secs(7))).max_attempts(3);
    let policy = AsyncPolicy::builder().retry(retry).attempt_timeout(secs(3)).build().expect("valid");
    let began = Instant::now();
    let outcome = policy
        .execute_with(|attempt| async move {
            if attempt.number() == 2 {
                std::future::pending::<()>().await;
            }
            fails().await
        })
        .await;
    assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
    assert_eq!((outcome.elapsed(), began.elapsed()), (secs(7 + 3 + 7), secs(7 + 3 + 7)));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_recovers_by_the_paused_clock() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(30));
    let policy = AsyncPolicy::builder().circuit_breaker(breaker).build().expect("valid");
    assert!(policy.call(fails).await.is_err());
    advance(secs(29)).await;
    let rejected = policy.call(succeeds).await.expect_err("open");
    assert_eq!(rejected.retry_in(), Some(secs(1)));
    advance(secs(1)).await;
    assert!(policy.call(succeeds).await.is_ok());
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
}
