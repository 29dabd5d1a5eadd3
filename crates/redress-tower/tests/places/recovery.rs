//! A half-loaded service whose limit was full for five seconds recovers through the layer as well
//! as without it.

use std::future::Future;
use std::io;
use std::time::Duration;

use redress_core::{Retry, fixed};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::limit::ConcurrencyLimit;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};

const SECOND: Duration = Duration::from_secs(1);

/// The work of a call: fifty calls a second need five of the ten places.
const WORK: Duration = Duration::from_millis(100);

/// The request is the time that it works.
type Limited = BoxCloneSyncService<Duration, (), io::Error>;

fn limited() -> Limited {
    let work = |time| async move {
        sleep(time).await;
        io::Result::Ok(())
    };
    Limited::new(ConcurrencyLimit::new(service_fn(work), 10))
}

fn policy() -> AsyncPolicy {
    let retry = Retry::builder().strategy(fixed(10 * SECOND)).max_attempts(3);
    AsyncPolicy::builder().retry(retry).attempt_timeout(SECOND).no_deadline().build().unwrap()
}

/// The results of calls.
#[derive(Debug, PartialEq, Eq)]
struct Fared {
    /// Calls that took longer than 0.9 s.
    slow: usize,
    failed: usize,
}

/// Fifty calls a second for a minute. After ten seconds a batch takes every place for five.
async fn minute<F: Future<Output = bool> + Send + 'static>(limited: &Limited, call: impl Fn() -> F) -> Fared {
    let mut calls = JoinSet::new();
    for number in 0..60 * 50 {
        if number == 10 * 50 {
            for _ in 0..10 {
                tokio::spawn(limited.clone().oneshot(5 * SECOND));
            }
        }
        let call = call();
        calls.spawn(async {
            let began = Instant::now();
            let is_ok = call.await;
            (began.elapsed() > 9 * SECOND / 10, is_ok)
        });
        sleep(SECOND / 50).await;
    }
    let calls = calls.join_all().await;
    let count = |is_counted: fn(&&(bool, bool)) -> bool| calls.iter().filter(is_counted).count();
    Fared { slow: count(|(is_slow, _)| *is_slow), failed: count(|(_, is_ok)| !is_ok) }
}

/// Attacks W1.
#[tokio::test(start_paused = true)]
async fn a_layer_slows_no_more_calls_than_a_policy_that_holds_nothing() {
    let (inner, policy_alone) = (limited(), policy());
    let without = minute(&inner, || {
        let (inner, policy) = (inner.clone(), policy_alone.clone());
        async move { policy.call(|| inner.clone().oneshot(WORK)).await.is_ok() }
    });
    let without = without.await;

    let inner = limited();
    let layered = PolicyLayer::new(policy()).layer(inner.clone());
    let with = minute(&inner, || {
        let call = layered.clone().call(WORK);
        async { call.await.is_ok() }
    });
    assert_eq!((with.await, &without), (Fared { slow: 214, failed: 0 }, &Fared { slow: 214, failed: 0 }));
}
