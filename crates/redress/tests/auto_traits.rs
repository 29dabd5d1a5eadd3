//! The auto traits and bounds that users of the types rely on: in threads, tasks, struct fields and
//! borrowing closures.
//!
//! Most of it is checked by compiling. The assertions ensure that the code is also run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redress::classify::{ArcClassifier, DefaultClassifier};
use redress::driver::InstantTimer;
use redress::policy::CallSettings;
use redress::runtime::tokio::{AsyncPolicy, TokioTimer};
use redress::{
    AbortHandle, Budget, CallContext, CallError, CircuitBreaker, Classification, Classifier, ConfigError, ErrorClass,
    Policy, Retry, RetryOutcome, RetryTimeline, fixed,
};
use tokio::task::{JoinHandle, yield_now};

const fn sharable<T: Send + Sync + 'static>() {}
const fn cloneable<T: Clone>() {}
const fn sendable<T: Send>() {}

/// A minimal custom classifier.
#[derive(Clone, Copy)]
struct EveryErrorTwice;

impl<T, E> Classifier<T, E> for EveryErrorTwice {
    fn classify(&self, result: &Result<T, E>) -> Option<Classification> {
        result.as_ref().err().map(|_| ErrorClass::Transient.into())
    }
}

const _: () = {
    sharable::<Policy>();
    sharable::<Policy<EveryErrorTwice>>();
    sharable::<Policy<ArcClassifier<u32, io::Error>>>();
    sharable::<AsyncPolicy>();
    sharable::<AsyncPolicy<EveryErrorTwice>>();
    sharable::<redress::policy::AsyncPolicy<DefaultClassifier, InstantTimer>>();
    sharable::<Retry>();
    sharable::<Budget>();
    sharable::<CircuitBreaker>();
    sharable::<RetryTimeline>();
    sharable::<RetryOutcome<u32, io::Error>>();
    sharable::<CallError<io::Error>>();
    sharable::<ConfigError>();
    sharable::<AbortHandle>();
    sharable::<CallSettings<'static>>();
    sharable::<CallContext<'static, ()>>();
    sendable::<CallContext<'static, Policy>>();
    sendable::<CallContext<'static, AsyncPolicy>>();

    cloneable::<Policy>();
    cloneable::<Policy<EveryErrorTwice>>();
    cloneable::<AsyncPolicy>();
    cloneable::<AsyncPolicy<EveryErrorTwice>>();
    cloneable::<AbortHandle>();
    cloneable::<CallSettings<'static>>();
    cloneable::<CallContext<'static, Policy>>();
    cloneable::<Budget>();
    cloneable::<CircuitBreaker>();
};

/// A function is a classifier with a nameable type.
type Function = fn(&io::Result<u32>) -> Option<ErrorClass>;

/// Every way to store a policy, with the shortest type that names it.
struct Fields {
    blocking: Policy,
    asynchronous: AsyncPolicy,
    own: Policy<EveryErrorTwice>,
    own_asynchronous: AsyncPolicy<EveryErrorTwice>,
    closure: AsyncPolicy<ArcClassifier<u32, io::Error>>,
    function: Policy<Function>,
    timer: redress::policy::AsyncPolicy<DefaultClassifier, TokioTimer>,
}

impl Fields {
    fn new() -> Result<Self, ConfigError> {
        let retry = || Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
        let closure = |result: &io::Result<u32>| result.is_err().then_some(ErrorClass::Transient);
        Ok(Self {
            blocking: Policy::builder()
                .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
                .build()?,
            asynchronous: AsyncPolicy::builder()
                .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3))
                .build()?,
            own: Policy::builder().retry(retry()).classifier(EveryErrorTwice).build()?,
            own_asynchronous: AsyncPolicy::builder().retry(retry()).classifier(EveryErrorTwice).build()?,
            closure: AsyncPolicy::builder().retry(retry()).classifier(ArcClassifier::new(closure)).build()?,
            function: Policy::builder().retry(retry()).classifier(closure as Function).build()?,
            timer: redress::AsyncPolicy::builder().retry(retry()).timer(TokioTimer).build()?,
        })
    }
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

#[tokio::test]
async fn policies_in_fields_make_calls() -> anyhow::Result<()> {
    let fields = Fields::new()?;
    let attempts = AtomicU32::new(0);
    let third_time_lucky = || match attempts.fetch_add(1, Ordering::Relaxed) % 3 {
        2 => Ok(7),
        _ => Err(reset()),
    };
    assert_eq!(fields.blocking.call(third_time_lucky)?, 7);
    assert_eq!(fields.own.call(third_time_lucky)?, 7);
    assert_eq!(fields.function.call(third_time_lucky)?, 7);
    assert_eq!(fields.asynchronous.call(|| async { third_time_lucky() }).await?, 7);
    assert_eq!(fields.own_asynchronous.call(|| async { third_time_lucky() }).await?, 7);
    assert_eq!(fields.closure.call(|| async { third_time_lucky() }).await?, 7);
    assert_eq!(fields.timer.call(|| async { third_time_lucky() }).await?, 7);
    assert_eq!(attempts.into_inner(), 21);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_borrow_from_their_task_can_be_spawned() -> anyhow::Result<()> {
    let policy = Fields::new()?.asynchronous;
    let task: JoinHandle<Result<u32, CallError<io::Error>>> = tokio::spawn(async move {
        let (name, attempts) = (String::from("seven77"), AtomicU32::new(0));
        let name = &name;
        let call =
            policy.operation(name.as_str()).on_log(|event| assert_eq!(event.operation.as_deref(), Some(name.as_str())));
        call.call(|| async {
            yield_now().await;
            match attempts.fetch_add(1, Ordering::Relaxed) {
                0 => Err(reset()),
                _ => Ok(u32::try_from(name.len()).unwrap_or(0)),
            }
        })
        .await
    });
    assert_eq!(task.await??, 7);
    Ok(())
}

#[test]
fn clones_share_breaker_and_budget() -> anyhow::Result<()> {
    let budget = Budget::new(1, Duration::from_secs(60))?;
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)).budget(budget))
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(1))
        .build()?;
    let clone = Arc::new(policy.clone());
    let failed = std::thread::spawn(move || clone.call(|| Err::<(), _>(reset())).is_err());
    assert!(failed.join().is_ok_and(|failed| failed));
    assert_eq!(policy.circuit_state(), Some(redress::breaker::CircuitState::Open));
    assert_eq!(policy.budget().map(Budget::remaining), Some(0));
    Ok(())
}
