//! Calls that are dropped, and services that panic, leave nothing behind.

use std::future::{Pending, pending};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::{CircuitBreaker, ErrorClass};
use redress_tokio::AsyncPolicy;
use redress_tower::PolicyLayer;
use tower::{Layer as _, Service, service_fn};

use crate::service::{at_once, poll_once};

/// A breaker that admits one probe, and a policy on it.
fn half_open() -> (CircuitBreaker, AsyncPolicy) {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_nanos(1));
    // Without a lease, no later call supersedes the probe.
    let breaker = breaker.no_probe_lease().build().unwrap();
    breaker.try_acquire().unwrap().failure(ErrorClass::Transient);
    let policy = AsyncPolicy::builder().retry(at_once()).circuit_breaker(breaker.clone()).build().unwrap();
    (breaker, policy)
}

/// Whether the place of the probe is free; it is free again afterwards.
fn has_place(breaker: &CircuitBreaker) -> bool {
    breaker.try_acquire().is_ok()
}

/// A service whose parts note, when they are dropped, whether the probe's place was free by then.
#[derive(Clone)]
struct Noting(Arc<Mutex<Vec<(&'static str, bool)>>>, CircuitBreaker);

struct OnDrop(&'static str, Noting);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let is_free = has_place(&self.1.1);
        self.1.0.lock().unwrap().push((self.0, is_free));
    }
}

struct Instance(Noting, #[expect(dead_code, reason = "it is there to be dropped")] Option<OnDrop>);

impl Clone for Instance {
    fn clone(&self) -> Self {
        Self(self.0.clone(), Some(OnDrop("service", self.0.clone())))
    }
}

struct Endless(Pending<Result<(), io::Error>>, #[expect(dead_code, reason = "it is there to be dropped")] OnDrop);

impl Future for Endless {
    type Output = Result<(), io::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Service<()> for Instance {
    type Response = ();
    type Error = io::Error;
    type Future = Endless;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Endless {
        Endless(pending(), OnDrop("attempt", self.0.clone()))
    }
}

#[tokio::test]
async fn a_dropped_probe_gives_its_place_back_after_the_attempt_is_gone() {
    let (breaker, policy) = half_open();
    let notes = Arc::default();
    let noting = Noting(Arc::clone(&notes), breaker.clone());
    let mut service = PolicyLayer::new(policy).layer(Instance(noting, None));

    let mut call = Box::pin(service.call(()));
    assert!(has_place(&breaker), "nothing happens before the first poll");
    assert!(poll_once(&mut call).is_pending());
    assert!(!has_place(&breaker));
    drop(call);
    assert_eq!(*notes.lock().unwrap(), [("attempt", false), ("service", false)]);
    assert!(has_place(&breaker));
    assert_eq!(breaker.state(), CircuitState::HalfOpen);

    notes.lock().unwrap().clear();
    let mut call = Box::pin(service.execute_in(service.policy().context(), ()));
    assert!(poll_once(&mut call).is_pending());
    assert!(!has_place(&breaker));
    drop(call);
    assert_eq!(*notes.lock().unwrap(), [("attempt", false), ("service", false)]);
    assert!(has_place(&breaker));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_times_out_is_dropped_before_the_next_one() {
    let alive = Arc::new(());
    let counts = Arc::new(Mutex::new(Vec::new()));
    let (held, seen) = (Arc::clone(&alive), Arc::clone(&counts));
    let inner = service_fn(move |()| {
        let held = Arc::clone(&held);
        seen.lock().unwrap().push(Arc::strong_count(&held));
        async move {
            let () = pending().await;
            drop(held);
            io::Result::Ok(())
        }
    });
    let limited = AsyncPolicy::builder().attempt_timeout(Duration::from_secs(1)).no_deadline();
    let policy = limited.retry(at_once().max_attempts(3)).build().unwrap();
    assert!(PolicyLayer::new(policy).layer(inner).call(()).await.is_err());
    // Ours, the service's, its clone's in the call, and the attempt's own.
    assert_eq!(*counts.lock().unwrap(), [4, 4, 4]);
}
