//! Three servers on sockets, A -> B -> C, of which the last stands still for a while. If the time
//! left travels with the calls, C works only for callers that still wait, and recovers. If not, it
//! works through a queue of calls whose callers have gone, and their retries keep it full.
//!
//! The clock is virtual and moves only when the test moves it. The test waits for counts, not for
//! time.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any_service, get as on_get};
use axum::{Extension, Router};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redress::integration::hyper::{HyperClassifier, RetryingClient, hyper_classifier};
use redress_axum::{DeadlineLayer, Unserved};
use redress_core::driver::NoTimer;
use redress_core::policy::Deadline;
use redress_core::{AsyncPolicy, CallContext, Retry, fixed};
use redress_testing::{VirtualClock, VirtualTimer};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tower::util::BoxCloneService;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::server::{Server, serve};

/// The time of an attempt, and of a round.
const ROUND: Duration = Duration::from_secs(1);

/// Of each call.
const ATTEMPTS: u32 = 4;

/// The calls that begin in a round, and the calls that C can work for in one.
const CALLS: usize = 7;
const WORK: usize = 10;

/// Rounds in which C stands still, and rounds after that.
const STILL: usize = 6;
const AFTER: usize = 8;

const CALL: &str = "x-call";
const SENT: &str = "x-sent";

/// What C has seen and done.
#[derive(Default)]
struct Seen {
    arrived: usize,
    /// The calls that C has worked for, and whether the caller still waited.
    worked: Vec<(u64, bool)>,
}

#[derive(Clone, Default)]
struct Book {
    clock: VirtualClock,
    seen: Arc<Mutex<Seen>>,
    changed: Arc<Notify>,
}

impl Book {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_waiters();
    }

    async fn until(&self, is_so: impl Fn(&Seen) -> bool) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if is_so(&self.seen.lock().unwrap()) {
                return;
            }
            changed.await;
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap()
    }
}

fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers[name].to_str().unwrap().parse().unwrap()
}

type Http = Client<HttpConnector, Empty<Bytes>>;
type Policy = AsyncPolicy<HyperClassifier, VirtualTimer>;

/// A client of the next server.
#[derive(Clone)]
struct Next {
    client: RetryingClient<Http, Policy>,
    uri: String,
}

impl Next {
    fn new(policy: Policy, server: &Server, travels: bool) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        let client = RetryingClient::new(http, policy).send_deadline(travels).send_attempt(travels);
        Self { client, uri: format!("http://{}/", server.address) }
    }

    async fn pass(&self, headers: &HeaderMap, deadline: Option<Deadline>) -> Result<&'static str, Unserved> {
        let context = deadline.map_or_else(CallContext::new, |deadline| CallContext::new().deadline(deadline));
        let mut request = self.client.get(&*self.uri).context(context);
        for name in [CALL, SENT] {
            if let Some(value) = headers.get(name) {
                request = request.header(HeaderName::from_static(name), value.clone());
            }
        }
        let outcome = request.execute().await;
        Unserved::unless_ok(outcome.summary())?;
        Ok("done")
    }
}

/// A retries, and each attempt has a round.
async fn serve_a(book: &Book, b: &Server, travels: bool) -> Server {
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(book.clock.timer())
        .classifier(hyper_classifier())
        .retry(Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(ATTEMPTS))
        .attempt_timeout(ROUND)
        .deadline(ROUND * ATTEMPTS);
    let mut next = Next::new(policy.build().unwrap(), b, travels);
    let sends = book.clone();
    next.client = next.client.attempt_headers(move |headers, _| _ = headers.insert(SENT, sends.millis().into()));
    serve(Router::new().route("/", on_get(async move |headers: HeaderMap| next.pass(&headers, None).await))).await
}

/// B passes calls on, for as long as its caller waits, if it is told.
async fn serve_b(book: &Book, c: &Server, travels: bool) -> Server {
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(book.clock.timer()).classifier(hyper_classifier());
    let next = Next::new(policy.no_deadline().build().unwrap(), c, travels);
    let handler = async move |headers: HeaderMap, left: Option<Extension<Deadline>>| {
        next.pass(&headers, left.map(|Extension(deadline)| deadline)).await
    };
    serve(Router::new().route("/", on_get(handler)).layer(DeadlineLayer::new(book.clock.timer()))).await
}

/// C has a queue and one worker, which does not notice that a caller hangs up. Each unit of work
/// takes a permit.
async fn serve_c(book: &Book) -> (Server, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(0));
    let deadlines = DeadlineLayer::new(book.clock.timer());
    let (worker, works) = (Arc::clone(&permits), book.clone());
    let work = service_fn(move |request: Request| {
        let (permits, book) = (Arc::clone(&worker), works.clone());
        async move {
            permits.acquire().await.unwrap().forget();
            let waits = book.clock.elapsed() < Duration::from_millis(number(request.headers(), SENT)) + ROUND;
            book.note(|seen| seen.worked.push((number(request.headers(), CALL), waits)));
            Ok::<_, Infallible>(Response::new(Body::from("done")))
        }
    });
    // Inside of the queue: the deadline is checked again when the work begins.
    let work = BoxCloneService::new(deadlines.clone().layer(work));
    let (queue, mut jobs) = mpsc::unbounded_channel::<(Request, oneshot::Sender<Response>)>();
    tokio::spawn(async move {
        while let Some((request, reply)) = jobs.recv().await {
            let Ok(response) = work.clone().oneshot(request).await;
            let _gone = reply.send(response);
        }
    });
    let arrives = book.clone();
    let handler = service_fn(move |request: Request| {
        let (reply, answered) = oneshot::channel();
        queue.send((request, reply)).unwrap();
        arrives.note(|seen| seen.arrived += 1);
        async move { Ok::<_, Infallible>(answered.await.unwrap()) }
    });
    (serve(Router::new().route("/", any_service(handler)).layer(deadlines)).await, permits)
}

/// What came of a round.
#[derive(Debug, Default, PartialEq, Eq)]
struct Round {
    /// The attempts that C received.
    arrived: usize,
    /// The units of work that C has done for callers that still waited, and for others.
    useful: usize,
    wasted: usize,
}

/// The test's own account of the chain.
struct World {
    book: Book,
    permits: Arc<Semaphore>,
    a: Arc<Server>,
    calls: JoinSet<(u64, u16)>,
    /// The attempts of each call without an answer.
    open: HashMap<u64, u32>,
    /// When each attempt in C's queue was sent.
    queue: VecDeque<Duration>,
    expected: Seen,
    travels: bool,
}

impl World {
    async fn new(travels: bool) -> Self {
        let book = Book::default();
        let (c, permits) = serve_c(&book).await;
        let b = serve_b(&book, &c, travels).await;
        let a = Arc::new(serve_a(&book, &b, travels).await);
        let (calls, open, queue) = (JoinSet::new(), HashMap::new(), VecDeque::new());
        Self { book, permits, a, calls, open, queue, expected: Seen::default(), travels }
    }

    /// New calls begin, attempts arrive, C does this much work, and the round ends.
    async fn round(&mut self, first: u64, work: usize) -> Round {
        for call in (first..).take(CALLS) {
            let a = Arc::clone(&self.a);
            self.open.insert(call, 1);
            self.calls.spawn(async move {
                let request = a.request(http::Method::GET, "/").header(CALL, call).body(Default::default()).unwrap();
                (call, a.send(request).await.status)
            });
        }
        let now = self.book.clock.elapsed();
        let arrived = self.open.len();
        self.queue.extend(std::iter::repeat_n(now, arrived));
        self.expected.arrived += arrived;
        self.book.until(|seen| seen.arrived == self.expected.arrived).await;

        if self.travels {
            self.queue.retain(|sent| now < *sent + ROUND);
        }
        let work = work.min(self.queue.len());
        self.queue.drain(..work);
        let before = self.book.seen.lock().unwrap().worked.len();
        self.permits.add_permits(work);
        self.book.until(|seen| seen.worked.len() == before + work).await;
        let worked = self.book.seen.lock().unwrap().worked.split_off(before);
        for (call, _) in worked.iter().filter(|(_, waits)| *waits) {
            let (answered, status) = self.calls.join_next().await.unwrap().unwrap();
            assert_eq!(status, 200);
            assert!(self.open.remove(&answered).is_some(), "{answered} of {call}");
        }
        self.end_round().await;
        let useful = worked.iter().filter(|(_, waits)| *waits).count();
        Round { arrived, useful, wasted: work - useful }
    }

    /// The attempts without an answer end: the last of a call with the call, others with a retry.
    async fn end_round(&mut self) {
        self.book.clock.advance(ROUND);
        let over = self.open.values().filter(|attempts| **attempts == ATTEMPTS).count();
        for _ in 0..over {
            let (call, status) = self.calls.join_next().await.unwrap().unwrap();
            assert_eq!((self.open.remove(&call), status), (Some(ATTEMPTS), 504));
        }
        self.open.values_mut().for_each(|attempts| *attempts += 1);
    }
}

/// The rounds after C stood still.
async fn rounds(travels: bool) -> Vec<Round> {
    let mut world = World::new(travels).await;
    let mut rounds = Vec::new();
    for round in 0..STILL + AFTER {
        let first = u64::try_from(round * CALLS).unwrap();
        rounds.push(world.round(first, if round < STILL { 0 } else { WORK }).await);
    }
    rounds.split_off(STILL)
}

#[tokio::test]
async fn a_chain_whose_time_left_travels_recovers() {
    let rounds = rounds(true).await;
    assert!(rounds.iter().all(|round| round.wasted == 0), "{rounds:?}");
    assert_eq!(rounds[0].useful, WORK, "at once: {rounds:?}");
    let healthy = Round { arrived: CALLS, useful: CALLS, wasted: 0 };
    assert_eq!(rounds.last(), Some(&healthy), "{rounds:?}");
}

#[tokio::test]
async fn a_chain_whose_time_left_does_not_travel_stays_overloaded() {
    let rounds = rounds(false).await;
    let lost = Round { arrived: CALLS * 4, useful: 0, wasted: WORK };
    assert!(rounds.iter().all(|round| *round == lost), "{rounds:?}");
}
