//! Runs a case: every call in a task, with a check of the laws between any two events.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use proptest::prop_assert;
use proptest::test_runner::TestCaseError;
use redress_core::error::AbortRetryError;
use redress_core::{CircuitBreaker, Classification, Classifier, ErrorClass, Retry, fixed};
use redress_tokio::AsyncPolicy;
use redress_tower::{CloneRequest, PolicyFuture, PolicyLayer, PolicyService};
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tower::{BoxError, Layer as _, Service as _};

use crate::floor::Scripted;
use crate::laws::{Seen, check};
use crate::ledger::{Ledger, Phase};
use crate::stack::{Stack, build};
use crate::world::{CallSpec, PolicySpec, World, millis};

/// Longer than any call can take, in checks.
const HORIZON: u64 = 2_000;

type Layered = PolicyService<Stack, AsyncPolicy<Noting>, CloneRequest>;
type Call = Pin<Box<PolicyFuture<Stack, usize, Noting, redress_tokio::TokioTimer, CloneRequest>>>;

pub(crate) fn play(world: World) -> Result<(), TestCaseError> {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(run(Arc::new(world)))
}

async fn run(world: Arc<World>) -> Result<(), TestCaseError> {
    let (start, ledger) = (Instant::now(), Ledger::new(world.calls.len()));
    let (stack, places) = build(&world, &ledger);
    let service = PolicyLayer::new(policy(&world.policy, &ledger)).layer(stack.clone());
    let calls = world.calls.iter().cloned().enumerate();
    let tasks: Vec<_> =
        calls.map(|(call, spec)| tokio::spawn(make(service.clone(), call, spec, ledger.clone()))).collect();
    let seen = Seen { world: &world, ledger: &ledger, places: &places, stack: &stack, start };
    for look in 0.. {
        sleep_until(start + millis(10 * look + 5)).await;
        check(&seen)?;
        if tasks.iter().all(tokio::task::JoinHandle::is_finished) {
            break;
        }
        prop_assert!(look < HORIZON, "calls without an end: {:?}", ledger.phases());
    }
    let mut kept = Vec::new();
    for task in tasks {
        kept.push(task.await.unwrap());
    }
    check(&seen)?;
    drop((kept, service, stack));
    // The workers of buffers end once the floor is ready.
    sleep(millis(10 * HORIZON)).await;
    prop_assert!(places.available_permits() == world.places, "a place is lost: {:?}", places);
    Ok(())
}

fn policy(spec: &PolicySpec, ledger: &Ledger) -> AsyncPolicy<Noting> {
    let retry = Retry::builder().strategy(fixed(millis(spec.wait))).max_attempts(spec.attempts);
    let mut policy = AsyncPolicy::builder().classifier(Noting(ledger.clone())).retry(retry);
    policy = policy.attempt_timeout(millis(spec.attempt_timeout));
    policy = match spec.deadline {
        Some(deadline) => policy.deadline(millis(deadline)),
        None => policy.no_deadline(),
    };
    if spec.has_hook {
        policy = policy.before_sleep_async(|_, _| sleep(millis(10)));
    }
    if spec.has_breaker {
        policy = policy.circuit_breaker(CircuitBreaker::builder().failure_threshold(3).recovery_timeout(millis(300)));
    }
    policy.build().unwrap()
}

/// Records which attempts have failed. Not an observer, so that calls without hooks take the fast
/// path.
#[derive(Clone)]
pub(crate) struct Noting(Ledger);

impl Classifier<(), BoxError> for Noting {
    fn classify(&self, result: &Result<(), BoxError>) -> Option<Classification> {
        let error = result.as_ref().err()?;
        self.0.failed();
        let is_abort = error.is::<AbortRetryError>();
        Some(if is_abort { Classification::abort() } else { Classification::new(ErrorClass::Transient) })
    }

    fn classify_timeout(&self) -> Option<Classification> {
        self.0.failed();
        None
    }
}

/// Makes a call, and keeps its future when it is over unless the case drops it.
async fn make(mut service: Layered, call: usize, spec: CallSpec, ledger: Ledger) -> Option<Call> {
    sleep(millis(spec.arrives)).await;
    let mut future = Box::pin(service.call(call));
    drop(service);
    if !spec.is_polled {
        return Some(future);
    }
    let polled = poll_fn(|cx| {
        let polled = ledger.within(call, || catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).is_ready())));
        match polled {
            Ok(false) => return Poll::Pending,
            Ok(true) => {}
            Err(panic) if panic.is::<Scripted>() => {}
            Err(panic) => resume_unwind(panic),
        }
        ledger.set_phase(call, Phase::Over);
        Poll::Ready(())
    });
    let has_ended = match spec.dropped_after {
        Some(patience) => timeout(millis(patience), polled).await.is_ok(),
        None => {
            polled.await;
            true
        }
    };
    if has_ended {
        return Some(future);
    }
    drop(future);
    ledger.set_phase(call, Phase::Over);
    None
}
