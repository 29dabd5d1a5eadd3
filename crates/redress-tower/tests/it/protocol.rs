//! The defaults of a protocol that only implements `replay`, and the `Debug` output of the crate's
//! types.

use std::future::{Ready, ready};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::{Request, Response};
use redress_core::classify::DefaultClassifier;
use redress_core::driver::{NoTimer, Timer};
use redress_core::{CallContext, ErrorClass, Event};
use redress_http::http_classifier;
use redress_tokio::AsyncPolicy;
use redress_tower::http::HttpProtocol;
use redress_tower::{CloneRequest, Once, PolicyLayer, Protocol, policy_provider, replay_with};
use tower::{Layer as _, Service as _, service_fn};

use crate::service::{Scripted, at_once, policy, poll_once};

#[tokio::test]
async fn a_protocol_that_only_replays_names_nothing_and_bypasses_nothing() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&heard);
    let observer = move |event: &Event<'_>| {
        events.lock().unwrap().push((event.name.as_str(), event.operation.as_deref().map(str::to_owned)));
    };
    let policy = AsyncPolicy::builder().retry(at_once()).observer(observer).build().unwrap();
    let mut service = PolicyLayer::new(policy).layer(Scripted::<u32, u32>::new([Ok(7)]));
    assert_eq!(service.call(1).await.unwrap(), 7);
    assert_eq!(*heard.lock().unwrap(), [("success", None)]);
}

/// Counts its readings of the clock.
#[derive(Clone, Default)]
struct Asked(Arc<AtomicU32>);

impl Timer for Asked {
    type Sleep = Ready<()>;

    fn sleep(&self, _: Duration) -> Ready<()> {
        ready(())
    }

    fn now(&self) -> Instant {
        self.0.fetch_add(1, Ordering::Relaxed);
        Instant::now()
    }
}

/// A layer whose policy counts its readings of the clock.
type Watched<X> = PolicyLayer<redress_core::AsyncPolicy<DefaultClassifier, Asked>, X>;

/// How often the clock is read for a call through this layer, which succeeds at once.
fn readings<X: Protocol<u32, u32> + Clone>(layer: impl FnOnce(Watched<CloneRequest>) -> Watched<X>) -> u32 {
    let asked = Asked::default();
    let policy = redress_core::AsyncPolicy::<_, NoTimer>::builder().timer(asked.clone());
    let policy = policy.retry(at_once()).no_deadline().build().unwrap();
    let inner = service_fn(|request: u32| ready(io::Result::Ok(request)));
    let mut call = Box::pin(layer(PolicyLayer::new(policy)).layer(inner).call(7));
    assert!(matches!(poll_once(&mut call), Poll::Ready(Ok(7))));
    asked.0.load(Ordering::Relaxed)
}

/// A protocol with the default `observes_outcome`.
#[derive(Clone)]
struct Hearing;

impl Protocol<u32, u32> for Hearing {
    fn replay(&self, request: &u32) -> Result<u32, &'static str> {
        Ok(*request)
    }
}

#[test]
fn a_protocol_that_only_replays_sets_nothing() {
    assert_eq!(Hearing.operation(&7), None);
    assert!(Hearing.context(&7).is_none());
    assert_eq!(Hearing.retry_forbidden(&7, None, &ErrorClass::Transient.into()), None);
    assert!(!Hearing.bypasses(&7) && Hearing.observes_outcome());
}

#[test]
fn a_call_whose_end_is_not_heard_of_reads_no_clock() {
    assert_eq!(readings(|layer| layer.protocol(Hearing)), 2);
    assert_eq!(readings(|layer| layer.protocol(CloneRequest::default())), 0);
    assert_eq!(readings(|layer| layer.protocol(Once::default())), 0);
    assert_eq!(readings(|layer| layer.protocol(replay_with(|request: &u32| Ok(*request)))), 0);
    // A context does not change that.
    let context = |_: &u32| CallContext::new();
    assert_eq!(readings(|layer| layer.protocol(Hearing).context_for(context)), 2);
    assert_eq!(readings(|layer| layer.context_for(context)), 0);
}

#[tokio::test]
async fn a_closure_replays_bodies_or_says_that_it_cannot() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&sent);
    let busy = service_fn(move |request: Request<String>| {
        notes.lock().unwrap().push(request.into_body());
        async { io::Result::Ok(Response::builder().status(503).body(()).unwrap()) }
    });
    let short = |body: &String| (body.len() < 6).then(|| body.clone());
    let retry = at_once().max_attempts(2);
    let policy = AsyncPolicy::builder().classifier(http_classifier()).retry(retry).build().unwrap();
    let mut service = PolicyLayer::new(policy).protocol(HttpProtocol::new().bodies(short)).layer(busy);
    for body in ["short", "too long"] {
        service.call(Request::put("/").body(body.to_owned()).unwrap()).await.unwrap();
    }
    assert_eq!(*sent.lock().unwrap(), ["short", "short", "too long"]);
}

#[test]
fn types_without_settings_to_show_print_their_names() {
    let provider = policy_provider(|_: &u32| policy(1));
    assert_eq!(format!("{provider:?}"), "PolicyProviderFn");
    assert_eq!(format!("{:?}", replay_with(|request: &u32| Ok(*request))), "ReplayWith");
    assert!(format!("{:?}", HttpProtocol::new()).starts_with("HttpProtocol"));
    let layer = PolicyLayer::new(policy(1)).context_for(|_: &u32| CallContext::new());
    assert!(format!("{layer:?}").contains("ContextFor { protocol: CloneRequest, .. }"));
    let mut service = PolicyLayer::new(policy(1)).layer(Scripted::<u32, u32>::new([]));
    assert_eq!(format!("{:?}", service.call(7)), "PolicyFuture { .. }");
}
