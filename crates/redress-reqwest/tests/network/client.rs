//! The client over real sockets, whose calls are dropped after each number of polls, and panic at
//! each seam.
//!
//! reqwest takes no connection of a test, so the peers are those of `script_server`, and the times
//! are real. The laws: the breaker lets the next call through, and opens when the peer is gone; the
//! budget has lost a token for each retry that was announced; a call has at most one end.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use redress_core::breaker::{Breaker as _, CircuitState, Report};
use redress_core::driver::NoTimer;
use redress_core::observe::AttemptContext;
use redress_core::{
    AsyncPolicy, Budget, CallContext, CallError, CircuitBreaker, ErrorClass, Event, EventName, Observer, Retry, fixed,
};
use redress_fixtures::script_server::{Peer, Server};
use redress_fixtures::{Fuse, Fused, Point};
use redress_reqwest::{ReqwestClassifier, RetryingClient, reqwest_classifier};
use redress_tokio::TokioTimer;
use reqwest::redirect;

use crate::plain;

type Policy = AsyncPolicy<Fused<ReqwestClassifier>, TokioTimer>;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

/// Longer than any exchange with a peer that answers, on a busy machine.
const ATTEMPT: Duration = Duration::from_secs(5);

/// What a peer does with a request.
#[derive(Clone, Copy, Debug)]
enum Says {
    This(&'static str),
    /// A head, and a body that ends with a reset.
    Torn(&'static str),
    Reset,
    Close,
}

/// One world for each behaviour of a peer: what it says to the first requests. It answers further
/// ones well.
const WORLDS: &[&[Says]] = &[
    &[],
    &[Says::This("HTTP/1.1 503 x\r\ncontent-length: 4\r\n\r\nbusy")],
    &[Says::This("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"), Says::Reset],
    &[Says::Torn("HTTP/1.1 503 x\r\ncontent-length: 8\r\n\r\nhalf")],
    &[Says::Torn("HTTP/1.1 200 x\r\ncontent-length: 8\r\n\r\nhalf")],
    &[Says::This("HTTP/1.1 421 x\r\ncontent-length: 0\r\n\r\n")],
    &[Says::This("HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n")],
    &[Says::This("HTTP/1.1 307 x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"), Says::Close],
    &[Says::Reset, Says::Reset],
    &[Says::Close, Says::Torn("HTTP/1.1 200 x\r\ncontent-le")],
    &[Says::Torn("\0garbage\r\n\r\n")],
    &[Says::Reset, Says::Reset, Says::Reset],
];

async fn serve(says: &'static [Says]) -> Server {
    Server::start(move |mut peer: Peer| async move {
        while let Some(number) = peer.next().await {
            match says.get(number).copied().unwrap_or(Says::This(OK)) {
                Says::This(text) => drop(peer.send(text).await),
                Says::Torn(text) => {
                    peer.send(text).await;
                    return peer.reset();
                }
                Says::Reset => return peer.reset(),
                Says::Close => return,
            }
        }
    })
    .await
}

/// Counts the ends of calls, and the retries.
#[derive(Clone, Default)]
struct Watch {
    fuse: Fuse,
    told: Arc<Mutex<Vec<EventName>>>,
}

impl Watch {
    fn count(&self, is: impl Fn(EventName) -> bool) -> usize {
        self.told.lock().unwrap().iter().filter(|name| is(**name)).count()
    }
}

impl Observer for Watch {
    fn on_event(&self, event: &Event<'_>) {
        self.told.lock().unwrap().push(event.name);
        // After the entry, so that a panic does not lose it.
        self.fuse.burn(Point::Observer);
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        self.fuse.burn(Point::Observer);
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        self.fuse.burn(Point::Observer);
    }
}

/// A client whose breaker lets one probe through and does not supersede it.
struct Lab {
    client: RetryingClient<Policy>,
    breaker: CircuitBreaker,
    budget: Budget,
    watch: Watch,
}

impl Lab {
    /// The circuit is open, and ready for a probe.
    async fn new(blows_at: Option<usize>) -> Self {
        let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_nanos(1));
        let breaker = breaker.no_probe_lease().build().unwrap();
        let budget = Budget::new(10, Duration::from_secs(36_000)).unwrap();
        let lab = Self::build(&Fuse::new(blows_at), breaker, budget);
        lab.breaker.report(lab.breaker.admit(now()).unwrap(), Report::Failure(ErrorClass::Transient), now());
        assert_eq!(lab.breaker.state(), CircuitState::Open);
        lab
    }

    fn build(fuse: &Fuse, breaker: CircuitBreaker, budget: Budget) -> Self {
        let watch = Watch { fuse: fuse.clone(), told: Arc::default() };
        let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3).unlimited_unknown_retries();
        let hook = fuse.clone();
        let policy = AsyncPolicy::<_, NoTimer>::builder()
            .timer(TokioTimer)
            .classifier(Fused::new(reqwest_classifier(), fuse.clone()))
            .retry(retry.budget(budget.clone()))
            .attempt_timeout(ATTEMPT)
            .circuit_breaker(breaker.clone())
            .observer(watch.clone())
            .before_sleep_async(move |_, _| {
                hook.burn(Point::Hook);
                tokio::task::yield_now()
            })
            .build()
            .unwrap();
        let redirects = fuse.clone();
        let below = plain().redirect(redirect::Policy::custom(move |attempt| {
            redirects.burn(Point::Told);
            attempt.follow()
        }));
        let chosen = policy.clone();
        let [named, bypass, context, provider, headers] = [(); 5].map(|()| fuse.clone());
        let client = RetryingClient::new(below.build().unwrap(), policy)
            .drain(64, ATTEMPT)
            .operation_for(move |_| {
                named.burn(Point::Namer);
                "call".into()
            })
            .bypass_if(move |_| {
                bypass.burn(Point::Bypass);
                false
            })
            .context_for(move |_| {
                context.burn(Point::Context);
                CallContext::new()
            })
            .policy_provider(move |_| {
                provider.burn(Point::Provider);
                Some(chosen.clone())
            })
            .attempt_headers(move |_, _| headers.burn(Point::Headers));
        Self { client, breaker, budget, watch }
    }

    /// Makes a call, and drops it after this many polls. Returns whether it ended before.
    async fn call(&self, url: &str, polls: usize) -> Ended {
        let mut left = polls;
        let made = catch_unwind(AssertUnwindSafe(|| self.client.get(url)));
        let Ok(request) = made else { return Ended::Panicked };
        let mut call = pin!(request.send());
        poll_fn(move |cx| {
            if left == 0 {
                return Poll::Ready(Ended::Dropped);
            }
            left -= 1;
            match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                Ok(polled) => polled.map(|_| Ended::Returned),
                Err(_) => Poll::Ready(Ended::Panicked),
            }
        })
        .await
    }

    /// Checks the laws after a call.
    async fn holds(self, server: &Server, when: &str) {
        let _ = self.watch.fuse.disarm();
        let (ends, retries) =
            (self.watch.count(EventName::is_terminal), self.watch.count(|name| name == EventName::Retry));
        assert!(ends <= 1, "{when}: {ends} ends");
        let taken = (self.budget.capacity() - self.budget.balance()) as usize;
        assert_eq!(taken, retries, "{when}: tokens taken, and retries");
        for _ in 0..4 {
            // Until the script is over.
            let next = self.client.get(server.uri("/").to_string()).send().await;
            assert!(!matches!(next, Err(CallError::CircuitOpen(_))), "{when}: a permit is held");
        }
        assert_eq!(self.breaker.state(), CircuitState::Closed, "{when}");
        let gone = self.client.get(closed_port().await).send().await;
        assert!(gone.is_err() && self.breaker.state() == CircuitState::Open, "{when}: an outage is not seen");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Returned,
    Dropped,
    Panicked,
}

fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A URL of a port on which no server listens.
async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_drop_at_every_poll_of_the_client() {
    let mut plays = 0;
    for world in WORLDS {
        for polls in 0.. {
            let (server, lab) = (serve(world).await, Lab::new(None).await);
            let ended = lab.call(&server.uri("/").to_string(), polls).await;
            lab.holds(&server, &format!("{world:?}, dropped after {polls} polls")).await;
            plays += 1;
            if ended == Ended::Returned {
                break;
            }
        }
    }
    println!("{plays} plays");
    assert!(plays > 3 * WORLDS.len(), "{plays}");
}

#[tokio::test]
async fn a_panic_at_every_seam_of_the_client() {
    let mut plays = BTreeMap::new();
    for world in WORLDS {
        let (server, lab) = (serve(world).await, Lab::new(None).await);
        lab.call(&server.uri("/").to_string(), usize::MAX).await;
        for (index, point) in lab.watch.fuse.disarm().into_iter().enumerate() {
            let (server, lab) = (serve(world).await, Lab::new(Some(index + 1)).await);
            let ended = lab.call(&server.uri("/").to_string(), usize::MAX).await;
            let when = format!("{world:?}, a panic at seam {}, {point:?}", index + 1);
            // A call survives its observers and hooks.
            let is_survived = matches!(point, Point::Observer | Point::Hook);
            assert!(ended == Ended::Panicked || is_survived, "{when}: {ended:?}");
            lab.holds(&server, &when).await;
            *plays.entry(point).or_insert(0) += 1;
        }
    }
    println!("{} plays: {plays:?}", plays.values().sum::<usize>());
    for point in [
        Point::Namer,
        Point::Bypass,
        Point::Context,
        Point::Provider,
        Point::Told,
        Point::Headers,
        Point::Classifier,
        Point::Observer,
        Point::Hook,
    ] {
        assert!(plays.contains_key(&point), "{point:?} is not among {plays:?}");
    }
}
