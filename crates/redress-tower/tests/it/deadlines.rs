//! A server that refuses and ends work whose caller has stopped waiting: when, with what answer,
//! and that no header makes it work longer.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, Response};
use proptest::prelude::*;
use redress_core::driver::Frame;
use redress_core::policy::{Deadline, Nested};
use redress_http::{Answer, AnswerForm, Answers, AttemptNumber, DeadlineHeader, TimeFormat};
use redress_testing::VirtualClock;
use redress_tokio::{AsyncPolicy, TokioTimer};
use redress_tower::http::{DeadlineLayer, Late, Stage};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};

const ENVOY: &str = "x-envoy-expected-rq-timeout-ms";

const HOUR: Duration = Duration::from_secs(3_600);

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

type Headers<'h> = &'h [(&'static str, &'h str)];

fn request(headers: Headers<'_>) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

fn layer() -> DeadlineLayer<TokioTimer> {
    DeadlineLayer::new(TokioTimer)
}

/// Counts how often handlers begin, and how often one is dropped before its end.
#[derive(Clone, Default)]
struct Count {
    begun: Arc<AtomicU32>,
    dropped: Arc<AtomicU32>,
}

impl Count {
    fn get(&self) -> (u32, u32) {
        (self.begun.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }

    /// A handler that takes this long.
    async fn work(self, time: Duration) -> Result<Response<String>, Infallible> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let unfinished = Unfinished(&self.dropped);
        tokio::time::sleep(time).await;
        std::mem::forget(unfinished);
        Ok(Response::new("done".to_owned()))
    }
}

struct Unfinished<'c>(&'c AtomicU32);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A handler that takes this long, and its count.
fn handler(
    time: Duration,
) -> (impl Service<Request<()>, Response = Response<String>, Error = Infallible, Future: Send> + Clone, Count) {
    let count = Count::default();
    let counted = count.clone();
    (service_fn(move |_: Request<()>| counted.clone().work(time)), count)
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_time_is_up_does_not_reach_its_handler() {
    let own = DeadlineHeader::new(HeaderName::from_static("x-seconds"), TimeFormat::Seconds);
    let (inner, count) = handler(Duration::ZERO);
    let service = layer().header(own).layer(inner);
    for (name, value) in [
        (ENVOY, "0"),
        (ENVOY, "-5"),
        ("grpc-timeout", "0n"),
        ("amz-sdk-request", "ttl=19990914T221507Z; attempt=1; max=3"),
        ("x-seconds", "0"),
    ] {
        let response = service.clone().oneshot(request(&[(name, value)])).await.unwrap();
        assert_eq!(response.status(), 504, "{name}: {value}");
        assert_eq!(response.body(), r#"{"type":"about:blank","title":"Gateway Timeout","status":504}"#);
        assert_eq!(Answer::of(&response), Some(&Answer::deadline_exceeded()));
    }
    assert_eq!(count.get(), (0, 0));
    for headers in [&[][..], &[(ENVOY, "soon")], &[(ENVOY, "1")], &[("x-unknown", "0")]] {
        assert_eq!(service.clone().oneshot(request(headers)).await.unwrap().body(), "done", "{headers:?}");
    }
    assert_eq!(count.get(), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_dropped_at_the_deadline() {
    let (inner, count) = handler(HOUR);
    let service = layer().layer(inner);
    let began = Instant::now();
    let response = service.clone().oneshot(request(&[(ENVOY, "250")])).await.unwrap();
    assert_eq!((response.status().as_u16(), began.elapsed()), (504, millis(250)));
    assert_eq!(count.get(), (1, 1));
    // Without a deadline it takes its time.
    assert_eq!(service.oneshot(request(&[])).await.unwrap().body(), "done");
    assert_eq!((count.get(), began.elapsed()), ((2, 1), millis(250) + HOUR));
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_the_handler_s() {
    let (inner, count) = handler(millis(249));
    let response = layer().longest(HOUR).layer(inner).oneshot(request(&[(ENVOY, "250")])).await.unwrap();
    assert_eq!((response.body().as_str(), count.get()), ("done", (1, 0)));
    let failing = layer().layer(service_fn(|_: Request<()>| ready(Err::<Response<String>, _>("failed"))));
    assert_eq!(failing.oneshot(request(&[(ENVOY, "250")])).await.unwrap_err(), "failed");
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_the_service_counts_and_late_work_does_not_begin() {
    let gate: &Semaphore = Box::leak(Box::new(Semaphore::new(1)));
    let (inner, count) = handler(Duration::ZERO);
    let inner = service_fn(move |request: Request<()>| {
        let inner = inner.clone();
        async move {
            let _one_at_a_time = gate.acquire().await;
            inner.oneshot(request).await
        }
    });
    let stack = ServiceBuilder::new().layer(layer()).layer(ConcurrencyLimitLayer::new(1)).service(inner);
    let place = gate.acquire().await.unwrap();
    let (first, second) = (stack.clone(), stack.clone());
    let first = tokio::spawn(first.oneshot(request(&[])));
    tokio::task::yield_now().await;
    // It waits for a place in the limit until its deadline.
    let refused = second.oneshot(request(&[(ENVOY, "250")])).await.unwrap();
    assert_eq!((refused.status().as_u16(), count.get()), (504, (0, 0)));
    drop(place);
    assert_eq!(first.await.unwrap().unwrap().body(), "done");
    assert_eq!(stack.oneshot(request(&[(ENVOY, "250")])).await.unwrap().body(), "done");
    assert_eq!(count.get(), (2, 0));
}

/// A service that is ready at once, after it has moved the clock on.
#[derive(Clone)]
struct Slow {
    clock: VirtualClock,
    by: Duration,
    called: Arc<AtomicU32>,
}

impl Service<Request<()>> for Slow {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.clock.advance(self.by);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.called.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Response::new("done".to_owned())))
    }
}

#[test]
fn the_deadline_is_checked_when_the_work_begins() {
    let clock = VirtualClock::new();
    let rows = [(99, 0, true), (100, 0, false), (101, 0, false), (90, 10, true), (91, 10, false), (0, 100, true)];
    for (wait, least, begins) in rows {
        let slow = Slow { clock: clock.clone(), by: millis(wait), called: Arc::default() };
        let service = DeadlineLayer::new(clock.timer()).refuse_below(millis(least)).layer(slow.clone());
        let response = clock.block_on(service.oneshot(request(&[(ENVOY, "100")]))).unwrap();
        let called = slow.called.load(Ordering::Relaxed);
        assert_eq!((response.status() == 200, called), (begins, begins.into()), "{wait} ms of 100, at least {least}");
    }
    // The same for the server's own limit.
    for (wait, begins) in [(9, true), (10, false), (11, false)] {
        let slow = Slow { clock: clock.clone(), by: millis(wait), called: Arc::default() };
        let service = DeadlineLayer::new(clock.timer()).longest(millis(10)).layer(slow.clone());
        let response = clock.block_on(service.oneshot(request(&[]))).unwrap();
        let called = slow.called.load(Ordering::Relaxed);
        assert_eq!((response.status() == 200, called), (begins, begins.into()), "{wait} ms of 10");
    }
    // It ends work, but does not refuse it for being short.
    let slow = Slow { clock: clock.clone(), by: millis(5), called: Arc::default() };
    let service = DeadlineLayer::new(clock.timer()).refuse_below(HOUR).longest(millis(10)).layer(slow);
    assert_eq!(clock.block_on(service.clone().oneshot(request(&[]))).unwrap().status(), 200);
    assert_eq!(clock.block_on(service.oneshot(request(&[(ENVOY, "100")]))).unwrap().status(), 504);
}

#[tokio::test(start_paused = true)]
async fn a_layer_inside_a_queue_goes_on_with_the_deadline_of_the_layer_outside() {
    let (inner, count) = handler(Duration::ZERO);
    let inner = layer().layer(inner);
    // A queue that hides its wait in `call`.
    let queue = service_fn(move |request: Request<()>| {
        let inner = inner.clone();
        async move {
            tokio::time::sleep(millis(200)).await;
            inner.oneshot(request).await
        }
    });
    let outside = DeadlineLayer::new(Uncut).layer(queue);
    for (left, status, begun) in [("201", 200, 1), ("200", 504, 1), ("100", 504, 1), ("300", 200, 2)] {
        let response = outside.clone().oneshot(request(&[(ENVOY, left)])).await.unwrap();
        assert_eq!((response.status().as_u16(), count.get()), (status, (begun, 0)), "{left}");
    }
}

/// tokio's clock, without alarms: only checks end work.
#[derive(Clone, Copy)]
struct Uncut;

impl redress_core::driver::Timer for Uncut {
    type Sleep = std::future::Ready<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        ready(())
    }

    fn timeout(&self, _: Duration) -> Option<Self::Sleep> {
        None
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}

/// A service that answers with what it finds in the extensions: the milliseconds until the
/// deadline, and the attempt.
fn told() -> impl Service<Request<()>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    service_fn(|request: Request<()>| {
        let deadline = request.extensions().get().filter(|deadline: &&Deadline| deadline.instant().is_some());
        let left = deadline.map(|deadline| deadline.left(Instant::now().into_std()).as_millis());
        let number = request.extensions().get().map(|number: &AttemptNumber| number.get());
        ready(Ok(Response::new(format!("{left:?} {number:?}"))))
    })
}

#[tokio::test(start_paused = true)]
async fn a_handler_finds_the_deadline_and_the_attempt() {
    let rows: &[(Headers<'_>, &str, &str)] = &[
        (&[], "None None", "Some(5000) None"),
        (&[(ENVOY, "2000"), ("x-envoy-attempt-count", "3")], "Some(2000) Some(3)", "Some(2000) Some(3)"),
        (&[("grpc-timeout", "9S"), ("grpc-previous-rpc-attempts", "1")], "Some(9000) Some(2)", "Some(5000) Some(2)"),
        (&[(ENVOY, "99999999999999999999999999999")], "Some(18446744073709551615) None", "Some(5000) None"),
        (
            &[(ENVOY, "2000"), (ENVOY, "99999999999999999999"), ("grpc-timeout", "1S")],
            "Some(1000) None",
            "Some(1000) None",
        ),
        (&[("x-envoy-attempt-count", "0")], "None None", "Some(5000) None"),
    ];
    for (headers, of_caller, limited) in rows {
        let response = layer().layer(told()).oneshot(request(headers)).await.unwrap();
        assert_eq!(response.body(), of_caller, "{headers:?}");
        let response = layer().longest(millis(5_000)).layer(told()).oneshot(request(headers)).await.unwrap();
        assert_eq!(response.body(), limited, "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_from_outside_counts_instead_of_the_headers() {
    let rows = [
        (Deadline::from_left(millis(700), Instant::now().into_std()), "Some(700) None"),
        (Deadline::at((Instant::now() + millis(800)).into_std()), "Some(800) None"),
        (Deadline::after(Duration::MAX), "None None"),
    ];
    for (deadline, expected) in rows {
        let mut request = request(&[(ENVOY, "0")]);
        request.extensions_mut().insert(deadline);
        let response = layer().layer(told()).oneshot(request).await.unwrap();
        assert_eq!(response.body(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_inside_a_handler_inherit_the_deadline() {
    let policy: AsyncPolicy = AsyncPolicy::builder().no_deadline().nested(Nested::Warn).build().unwrap();
    let inner = service_fn(move |_: Request<()>| {
        let policy = policy.clone();
        // The service's `call` and its future are both within the frame.
        let in_call = Frame::current().deadline();
        async move {
            assert_eq!(Frame::current().deadline(), in_call);
            let outcome = policy.execute(pending::<Result<(), std::io::Error>>).await;
            Ok::<_, Infallible>(Response::new(format!("{:?}", outcome.stop_reason())))
        }
    });
    let began = Instant::now();
    // Only the call's own alarm can end it: the layer has none.
    let service = DeadlineLayer::new(Uncut).layer(inner);
    let response = service.oneshot(request(&[(ENVOY, "250")])).await.unwrap();
    assert_eq!((response.body().as_str(), began.elapsed()), ("Some(DeadlineExceeded)", millis(250)));
    assert_eq!(Frame::current().deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn refusals_speak_the_caller_s_protocol() {
    let (inner, _) = handler(HOUR);
    let service = layer().layer(inner.clone());
    for (content, left) in [("application/grpc", "0"), ("application/grpc+proto", "10"), ("application/grpc-web", "10")]
    {
        let request = request(&[("content-type", content), (ENVOY, left)]);
        let response = service.clone().oneshot(request).await.unwrap();
        let header = |name| response.headers()[name].to_str().unwrap();
        assert_eq!((response.status().as_u16(), header("grpc-status"), header("content-type")), (200, "4", content));
        assert_eq!((header("grpc-message"), response.body().as_str()), ("deadline exceeded", ""));
    }
    let text = request(&[("accept", "text/plain"), (ENVOY, "0")]);
    let response = service.oneshot(text.clone()).await.unwrap();
    assert_eq!(
        (response.body().as_str(), &response.headers()["vary"]),
        ("Gateway Timeout", &"accept".parse().unwrap())
    );
    let always = layer().respond_with(Answers::new().always(AnswerForm::Problem)).layer(inner);
    let response = always.oneshot(text).await.unwrap();
    assert_eq!(
        (&response.headers()["content-type"], response.headers().get("vary")),
        (&"application/problem+json".parse().unwrap(), None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_function_makes_other_refusals() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let (inner, _) = handler(HOUR);
    let layer = layer().respond_with(move |late: &Late| {
        sees.lock().unwrap().push((late.stage(), late.is_grpc(), late.form()));
        Response::builder().status(418).body("late".to_owned()).unwrap()
    });
    let stack = ServiceBuilder::new().layer(layer).layer(ConcurrencyLimitLayer::new(1)).service(inner);
    let late = stack.clone().oneshot(request(&[(ENVOY, "0"), ("accept", "text/plain")])).await.unwrap();
    assert_eq!((late.status().as_u16(), late.body().as_str()), (418, "late"));
    let first = stack.clone().oneshot(request(&[(ENVOY, "100"), ("content-type", "application/grpc")]));
    let second = stack.oneshot(request(&[(ENVOY, "50")]));
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.unwrap().status().as_u16(), second.unwrap().status().as_u16()), (418, 418));
    let expected = [
        (Stage::Arrival, false, AnswerForm::Text),
        (Stage::Wait, false, AnswerForm::Problem),
        (Stage::Work, true, AnswerForm::Problem),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_handler_is_dropped_before_it_is_answered_for() {
    let gone = Arc::new(AtomicU32::new(0));
    let (drops, reads) = (Arc::clone(&gone), Arc::clone(&gone));
    let inner = service_fn(move |_: Request<()>| {
        let drops = Arc::clone(&drops);
        async move {
            let _unfinished = Unfinished(&drops);
            pending::<Result<Response<u32>, Infallible>>().await
        }
    });
    let layer = layer().respond_with(move |_: &Late| Response::new(reads.load(Ordering::Relaxed)));
    assert_eq!(*layer.layer(inner).oneshot(request(&[(ENVOY, "1")])).await.unwrap().body(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Attacks E3. The peer sends anything.
    #[test]
    fn no_header_makes_work_begin_late_or_last_longer(
        values in prop::collection::vec((0_usize..4, "[0-9TZ=;, .attlSmun-]{0,24}"), 0..5),
        wait in 0_u64..20,
        work in 0_u64..20,
        longest in 1_u64..20,
    ) {
        let names = [ENVOY, "grpc-timeout", "amz-sdk-request", "x-envoy-attempt-count"];
        let headers: Vec<_> = values.iter().map(|(name, value)| (names[*name], value.as_str())).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (inner, count) = handler(millis(work));
            let begun = Arc::new(Mutex::new(HashMap::new()));
            let notes = Arc::clone(&begun);
            let start = Instant::now();
            let inner = service_fn(move |request: Request<()>| {
                notes.lock().unwrap().insert("begun", (start.elapsed(), request.extensions().get::<Deadline>().copied()));
                inner.clone().oneshot(request)
            });
            let inner = layer().layer(inner);
            let queue = service_fn(move |request: Request<()>| {
                let inner = inner.clone();
                async move {
                    tokio::time::sleep(millis(wait)).await;
                    inner.oneshot(request).await
                }
            });
            let outside = layer().longest(millis(longest)).layer(queue);
            let response = outside.oneshot(request(&headers)).await.unwrap();
            assert!(start.elapsed() <= millis(longest), "{headers:?} took {:?}", start.elapsed());
            let notes = begun.lock().unwrap();
            match notes.get("begun") {
                Some((at, Some(end))) => {
                    assert!(!end.is_expired(start.into_std() + *at), "{headers:?} began late");
                    assert!(end.left(start.into_std()) <= millis(longest), "{headers:?} lengthened");
                }
                Some(other) => panic!("without a deadline: {other:?}"),
                None => assert_eq!((response.status().as_u16(), count.get()), (504, (0, 0))),
            }
        });
    }
}
