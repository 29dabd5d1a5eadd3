//! The exchange of an attempt, with a middleware in place of the connection: it ends before the
//! wait, and before the call returns its permit.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redress_core::{CircuitBreaker, ErrorClass, fixed};
use redress_reqwest::middleware::PolicyMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::middleware::middleware_of;
use crate::support::{HOUR, TestPolicy, builder, plain, retry};

/// Calls this when it ends.
struct Exchange(Arc<dyn Fn() + Send + Sync>);

impl Drop for Exchange {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A client whose exchanges have no answer.
fn stack(policy: TestPolicy, at_end: impl Fn() + Send + Sync + 'static) -> ClientWithMiddleware {
    let at_end: Arc<dyn Fn() + Send + Sync> = Arc::new(at_end);
    let silent = middleware_of(move |_, _, _| {
        let exchange = Exchange(Arc::clone(&at_end));
        Box::pin(async move {
            let _open = exchange;
            pending().await
        })
    });
    ClientBuilder::new(plain().build().unwrap()).with(PolicyMiddleware::new(policy)).with(silent).build()
}

/// Attacks N2.
#[tokio::test(start_paused = true)]
async fn one_that_is_cut_ends_before_the_wait() {
    let ended = Arc::new(AtomicU32::new(0));
    let policy = builder().attempt_timeout(Duration::from_secs(1)).retry(retry().strategy(fixed(HOUR))).no_deadline();
    let count = Arc::clone(&ended);
    let client = stack(policy.build().unwrap(), move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let mut call = pin!(client.get("http://localhost/").send());
    for attempt in 1..=2 {
        let half_of_the_wait = if attempt == 1 { HOUR / 2 } else { HOUR };
        assert!(tokio::time::timeout(half_of_the_wait, call.as_mut()).await.is_err(), "a wait is over");
        assert_eq!(ended.load(Ordering::SeqCst), attempt);
    }
}

/// Attacks N2.
#[tokio::test]
async fn one_that_is_dropped_ends_before_the_permit_is_returned() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_nanos(1));
    let breaker = breaker.no_probe_lease().build().unwrap();
    breaker.try_acquire().unwrap().failure(ErrorClass::ServerError);

    let admits_another = Arc::new(Mutex::new(Vec::new()));
    let (asked, answers) = (breaker.clone(), Arc::clone(&admits_another));
    let policy = builder().circuit_breaker(breaker.clone()).build().unwrap();
    let client = stack(policy, move || answers.lock().unwrap().push(asked.try_acquire().is_ok()));
    let mut probe = Box::pin(client.get("http://localhost/").send());
    assert!(matches!(probe.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    drop(probe);
    assert_eq!(*admits_another.lock().unwrap(), [false]);
    assert!(breaker.try_acquire().is_ok());
}
