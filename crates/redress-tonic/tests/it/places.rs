//! The layer around a channel with a limit, in virtual time: no call that waits or is over blocks
//! others.

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use redress_core::{Retry, fixed};
use redress_tokio::{AsyncPolicy, TokioTimer};
use redress_tonic::{GrpcClassifier, GrpcLayer, GrpcService, grpc_classifier};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceExt as _};
use tower_layer::Layer as _;

const TICK: Duration = Duration::from_millis(10);

const PLACES: usize = 3;

/// How attempts end, by the number of the call.
const ENDS: [End; 5] = [End::Succeeds, End::Fails, End::Hangs, End::Succeeds, End::Panics];

#[derive(Clone, Copy)]
enum End {
    Succeeds,
    Fails,
    Hangs,
    Panics,
}

/// The panic payload of a call.
struct Scripted;

/// The calls that run an attempt, and how many places each holds.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    polled: usize,
    attempting: Vec<bool>,
    held: Vec<usize>,
}

impl Ledger {
    fn new(calls: usize) -> Self {
        Self(Arc::new(Mutex::new(Books { polled: 0, attempting: vec![false; calls], held: vec![0; calls] })))
    }

    fn with<R>(&self, look: impl FnOnce(&mut Books) -> R) -> R {
        look(&mut self.0.lock().expect("no panic"))
    }

    fn set_attempting(&self, is_attempting: bool) {
        self.with(|books| books.attempting[books.polled] = is_attempting);
    }

    /// Records that the call that is polled now takes a place of the limit.
    fn hold(&self) -> Held {
        let call = self.with(|books| {
            books.held[books.polled] += 1;
            books.polled
        });
        Held(self.clone(), call)
    }
}

/// A place that is held until this is dropped.
struct Held(Ledger, usize);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.with(|books| books.held[self.1] -= 1);
    }
}

/// The channel below the limit: not ready for a third of the time.
struct Below {
    ledger: Ledger,
    start: Instant,
    held: Option<Held>,
    opening: Option<Pin<Box<Sleep>>>,
}

impl Below {
    const fn new(ledger: Ledger, start: Instant) -> Self {
        Self { ledger, start, held: None, opening: None }
    }
}

impl Clone for Below {
    fn clone(&self) -> Self {
        Self::new(self.ledger.clone(), self.start)
    }
}

impl Service<Request<Body>> for Below {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        if self.held.is_none() {
            self.held = Some(self.ledger.hold());
        }
        loop {
            let ticks = self.start.elapsed().as_millis() / TICK.as_millis();
            if ticks % 90 >= 30 {
                return Poll::Ready(Ok(()));
            }
            let opens = self.start + TICK * u32::try_from(ticks / 90 * 90 + 30).expect("a short run");
            ready!(self.opening.insert(Box::pin(sleep_until(opens))).as_mut().poll(cx));
        }
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let held = self.held.take().expect("called without having been ready");
        let end = ENDS[held.1 % ENDS.len()];
        Box::pin(async move {
            let _held = held;
            match end {
                End::Succeeds => sleep(5 * TICK).await,
                End::Fails => return Err(Status::unavailable("busy")),
                End::Hangs => pending().await,
                End::Panics => resume_unwind(Box::new(Scripted)),
            }
            Ok(Status::new(Code::Ok, "").into_http())
        })
    }
}

type Channel = BoxCloneService<Request<Body>, Response<Body>, Status>;
type Layered = GrpcService<Channel, GrpcClassifier, TokioTimer>;

fn layer(ledger: &Ledger) -> GrpcLayer {
    let (starts, ends) = (ledger.clone(), ledger.clone());
    let retry = Retry::builder().strategy(fixed(40 * TICK)).max_attempts(3);
    let policy = AsyncPolicy::builder()
        .classifier(grpc_classifier())
        .retry(retry)
        .attempt_timeout(10 * TICK)
        .no_deadline()
        .on_attempt_start(move |_| starts.set_attempting(true))
        .on_attempt_end(move |_| ends.set_attempting(false));
    GrpcLayer::new(policy.build().expect("a valid policy"))
}

/// Makes a call, and returns its future when it is over. Every seventh call is dropped midway
/// instead.
async fn make(mut service: Layered, ledger: Ledger, call: usize) -> Option<impl Future + Send> {
    sleep(TICK * u32::try_from(2 * call).expect("few calls")).await;
    let mut future = Box::pin(service.call(Request::new(Body::empty())));
    drop(service);
    let polled = poll_fn(|cx| {
        ledger.with(|books| books.polled = call);
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).is_ready())) {
            Ok(false) => Poll::Pending,
            Ok(true) => Poll::Ready(()),
            Err(panic) if panic.is::<Scripted>() => Poll::Ready(()),
            Err(panic) => resume_unwind(panic),
        }
    });
    let patience = if call % 7 == 0 { 15 * TICK } else { 10_000 * TICK };
    let has_ended = timeout(patience, polled).await.is_ok();
    let kept = has_ended.then_some(future);
    ledger.with(|books| books.attempting[call] = false);
    kept
}

/// The laws, checked whenever all tasks are blocked until time advances.
fn check(ledger: &Ledger, places: &Semaphore) {
    let taken = PLACES - places.available_permits();
    ledger.with(|books| {
        let idle = (0..books.held.len()).find(|call| !books.attempting[*call] && books.held[*call] > 0);
        assert_eq!(idle, None, "it waits or is over, and holds a place");
        assert_eq!(taken, books.held.iter().sum::<usize>(), "a place lies unused");
        let outside = (0..books.held.len()).find(|call| books.attempting[*call] && books.held[*call] == 0);
        assert!(taken == PLACES || outside.is_none(), "{outside:?} waits beside a free place");
    });
}

async fn plays(channel: impl Fn(ConcurrencyLimit<Below>) -> Channel) {
    let (start, ledger, places) = (Instant::now(), Ledger::new(120), Arc::new(Semaphore::new(PLACES)));
    let limited = ConcurrencyLimit::with_semaphore(Below::new(ledger.clone(), start), Arc::clone(&places));
    let service = layer(&ledger).layer(channel(limited));
    let calls: Vec<_> = (0..120).map(|call| tokio::spawn(make(service.clone(), ledger.clone(), call))).collect();
    for look in 0.. {
        sleep_until(start + TICK * look + TICK / 2).await;
        check(&ledger, &places);
        if calls.iter().all(JoinHandle::is_finished) {
            break;
        }
        assert!(look < 5_000, "calls without an end");
    }
    assert_eq!(places.available_permits(), PLACES, "although the futures are kept");
    for call in calls {
        drop(call.await.expect("no assertion failed"));
    }
}

/// Attacks W1, W2.
#[tokio::test(start_paused = true)]
async fn calls_around_a_limit_hold_a_place_only_while_they_attempt() {
    plays(Channel::new).await;
}

/// Attacks W1, W2.
#[tokio::test(start_paused = true)]
async fn calls_that_are_shed_leave_the_queue_of_the_limit() {
    let full = |_: BoxError| Status::unavailable("full");
    plays(|limited| Channel::new(LoadShed::new(limited).map_err(full))).await;
}
