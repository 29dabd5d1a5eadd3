//! The time left that a client sends: of each attempt, never more than it has when it is sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use proptest::prelude::*;
use redress_core::driver::{NoTimer, Timer as _};
use redress_core::{AsyncPolicy, Retry, fixed};
use redress_http::{DeadlineHeader, RequestRules, http_classifier};
use redress_testing::{VirtualClock, VirtualSleep};
use redress_tower::PolicyLayer;
use redress_tower::http::HttpProtocol;
use tower::{Layer as _, Service, ServiceExt as _};

const ENVOY: &str = "x-envoy-expected-rq-timeout-ms";

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A service that takes its time to become ready and to answer 503, and notes the headers that it
/// receives, with the time.
struct Busy {
    clock: VirtualClock,
    readiness: Duration,
    work: Duration,
    wait: Option<Pin<Box<VirtualSleep>>>,
    seen: Arc<Mutex<Vec<(Duration, HeaderMap)>>>,
}

impl Clone for Busy {
    /// A clone has not begun to become ready.
    fn clone(&self) -> Self {
        let (clock, seen) = (self.clock.clone(), Arc::clone(&self.seen));
        Self { clock, readiness: self.readiness, work: self.work, wait: None, seen }
    }
}

impl Service<Request<()>> for Busy {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if !self.readiness.is_zero() {
            let (clock, readiness) = (&self.clock, self.readiness);
            ready!(self.wait.get_or_insert_with(|| Box::pin(clock.timer().sleep(readiness))).as_mut().poll(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        self.seen.lock().unwrap().push((self.clock.elapsed(), request.headers().clone()));
        let (timer, work) = (self.clock.timer(), self.work);
        Box::pin(async move {
            if !work.is_zero() {
                timer.sleep(work).await;
            }
            Ok(Response::builder().status(503).body(()).unwrap())
        })
    }
}

/// The milliseconds that each attempt of a GET has sent, with the time when it was sent.
fn sent(
    (deadline, timeout): (Option<u64>, Option<u64>),
    (readiness, work, pause): (u64, u64, u64),
    request: Request<()>,
) -> Vec<(u64, Option<u64>)> {
    let clock = VirtualClock::new();
    let mut policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .classifier(http_classifier())
        .retry(Retry::builder().strategy(fixed(millis(pause))).max_attempts(4));
    policy = match deadline {
        Some(deadline) => policy.deadline(millis(deadline)),
        None => policy.no_deadline(),
    };
    if let Some(timeout) = timeout {
        policy = policy.attempt_timeout(millis(timeout));
    }
    let protocol = HttpProtocol::new().send_deadline(true).send_attempt(true);
    let busy = Busy {
        clock: clock.clone(),
        readiness: millis(readiness),
        work: millis(work),
        wait: None,
        seen: Arc::default(),
    };
    let seen = Arc::clone(&busy.seen);
    let service = PolicyLayer::new(policy.build().unwrap()).protocol(protocol).layer(busy);
    drop(clock.block_on(service.oneshot(request)));
    let seen = seen.lock().unwrap();
    let numbers: Vec<_> = seen.iter().map(|(_, headers)| headers["x-envoy-attempt-count"].to_str().unwrap()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4"][..numbers.len()]);
    seen.iter().map(|(at, headers)| (at.as_millis() as u64, of(headers))).collect()
}

fn of(headers: &HeaderMap) -> Option<u64> {
    Some(headers.get(ENVOY)?.to_str().unwrap().parse().unwrap())
}

fn get() -> Request<()> {
    Request::get("http://localhost/").body(()).unwrap()
}

#[test]
fn each_attempt_sends_what_is_left_for_it() {
    let rows = [
        (
            (Some(1_000), None),
            (0, 100, 50),
            vec![(0, Some(1_000)), (150, Some(850)), (300, Some(700)), (450, Some(550))],
        ),
        (
            (Some(1_000), Some(600)),
            (0, 300, 0),
            vec![(0, Some(600)), (300, Some(600)), (600, Some(400)), (900, Some(100))],
        ),
        ((None, Some(600)), (0, 0, 0), vec![(0, Some(600)); 4]),
        ((None, None), (0, 0, 0), vec![(0, None); 4]),
        // The wait for the service is subtracted.
        ((Some(1_000), Some(600)), (200, 100, 0), vec![(200, Some(400)), (500, Some(400)), (800, Some(200))]),
    ];
    for (limits, times, expected) in rows {
        assert_eq!(sent(limits, times, get()), expected, "{limits:?} {times:?}");
    }
}

#[test]
fn a_request_may_ask_for_less() {
    let mut less = get();
    less.headers_mut().insert(ENVOY, 700.into());
    let expected = [(0, Some(700)), (200, Some(700)), (400, Some(600)), (600, Some(400))];
    assert_eq!(sent((Some(1_000), None), (0, 200, 0), less), expected);
}

#[test]
fn nothing_is_sent_by_default() {
    let mut headers = HeaderMap::new();
    RequestRules::new().prepare(&mut headers, redress_core::Attempt::new(2, Some(millis(5))));
    assert!(headers.is_empty() && DeadlineHeader::default().read(&headers).is_none());
}

proptest! {
    /// Attacks E2. By the sender's clock.
    #[test]
    fn no_attempt_sends_more_than_it_has(
        deadline in 1_u64..200,
        timeout in prop::option::of(1_u64..200),
        readiness in 0_u64..40,
        work in 0_u64..40,
        pause in 0_u64..40,
    ) {
        let attempts = sent((Some(deadline), timeout), (readiness, work, pause), get());
        for (at, told) in attempts {
            let told = told.unwrap();
            // An attempt whose service becomes ready at its very end sends the least that can be
            // sent.
            prop_assert!(at <= deadline && told <= (deadline - at).max(1), "{} at {}", told, at);
            prop_assert!(told <= timeout.unwrap_or(u64::MAX));
        }
    }
}
