//! Settings of each request's call through a layer: deadlines, aborts, names and hooks.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use redress_core::policy::{Deadline, RetryNotice};
use redress_core::{AbortHandle, CallContext, CircuitBreaker, StopReason};
use redress_http::{Head, PolicySelector, Repetition, http_classifier, outcome};
use redress_testing::Recorder;
use redress_tokio::AsyncPolicy;
use redress_tower::http::HttpProtocol;
use redress_tower::{CloneRequest, ContextFor, PolicyLayer, Protocol};
use tokio::sync::Notify;
use tower::{Layer as _, Service as _, service_fn};

use crate::service::at_once;

/// A request with its caller's settings.
#[derive(Clone, Default)]
struct Wish {
    time_left: Option<Duration>,
    gave_up: AbortHandle,
    name: Option<&'static str>,
    heard: Option<Recorder>,
}

/// The deadline in so much of the runtime's time, which stands still.
fn deadline_in(time: Duration) -> Deadline {
    Deadline::from_left(time, tokio::time::Instant::now().into_std())
}

fn context(wish: &Wish) -> CallContext<'static, ()> {
    let mut context = CallContext::new().abort_on(&wish.gave_up);
    if let Some(time) = wish.time_left {
        context = context.deadline(time);
    }
    if let Some(name) = wish.name {
        context = context.operation(name);
    }
    if let Some(heard) = &wish.heard {
        context = context.observer(heard.clone());
    }
    context
}

type Wishing = PolicyLayer<AsyncPolicy, ContextFor<CloneRequest, fn(&Wish) -> CallContext<'static, ()>>>;

fn layer() -> Wishing {
    PolicyLayer::new(AsyncPolicy::builder().build().unwrap()).context_for(context as fn(&Wish) -> _)
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_own_deadline_and_abort_handle() {
    let came = Arc::new(Notify::new());
    let comes = Arc::clone(&came);
    let mut service = layer().layer(service_fn(move |_: Wish| {
        comes.notify_one();
        pending::<io::Result<()>>()
    }));
    for seconds in [2, 5] {
        let start = tokio::time::Instant::now();
        let time = Duration::from_secs(seconds);
        let error = service.call(Wish { time_left: Some(time), ..Wish::default() }).await.unwrap_err();
        assert_eq!((error.stop_reason(), start.elapsed()), (StopReason::DeadlineExceeded, time));
        came.notified().await;
    }
    let wish = Wish::default();
    let (ended, ()) = tokio::join!(service.call(wish.clone()), async {
        came.notified().await;
        wish.gave_up.abort();
    });
    let error = ended.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::Aborted, 1));
}

#[tokio::test(start_paused = true)]
async fn a_policys_handle_ends_the_calls_of_its_services() {
    let (came, shutdown) = (Arc::new(Notify::new()), AbortHandle::new());
    let comes = Arc::clone(&came);
    let policy = AsyncPolicy::builder().abort_on(&shutdown).build().unwrap();
    let mut service = PolicyLayer::new(policy).layer(service_fn(move |()| {
        comes.notify_one();
        pending::<io::Result<()>>()
    }));
    let (first, second, ()) = tokio::join!(service.call(()), service.clone().call(()), async {
        came.notified().await;
        shutdown.abort();
    });
    assert_eq!([first, second].map(|ended| ended.unwrap_err().stop_reason()), [StopReason::Aborted; 2]);
    assert_eq!(service.call(()).await.unwrap_err().attempts(), 0);
}

#[tokio::test]
async fn a_name_in_the_context_comes_before_the_protocols() {
    let heard = Recorder::new();
    let layer = PolicyLayer::new(AsyncPolicy::builder().build().unwrap()).protocol(HttpProtocol::new());
    let layer = layer.context_for({
        let heard = heard.clone();
        move |request: &Request<String>| {
            let context = CallContext::new().observer(heard.clone());
            if request.uri().path() == "/named" { context.operation("of the context") } else { context }
        }
    });
    let mut service = layer.layer(service_fn(|_: Request<String>| ready(Ok::<_, Infallible>(Response::new(())))));
    for path in ["/named", "/other"] {
        service.call(Request::get(path).body(String::new()).unwrap()).await.unwrap();
    }
    let names: Vec<_> = heard.events().into_iter().filter_map(|event| event.operation).collect();
    assert_eq!(names, ["of the context", "GET /other"]);
}

#[tokio::test(start_paused = true)]
async fn the_http_protocol_says_it_by_the_head_and_what_bypasses_is_left_alone() {
    let protocol = HttpProtocol::new()
        .context_for(|head| match head.extensions.get::<Deadline>() {
            Some(deadline) => CallContext::new().deadline(*deadline).abort_if(|| false),
            None => CallContext::new().abort_if(|| true),
        })
        .bypass_if(|head| head.uri.path() == "/skipped");
    let layer = PolicyLayer::new(AsyncPolicy::builder().build().unwrap()).protocol(protocol);
    let mut service = layer.layer(service_fn(|request: Request<String>| async move {
        if request.uri().path() == "/slow" {
            pending::<()>().await;
        }
        Ok::<_, Infallible>(Response::new(()))
    }));
    let get = |path| Request::get(path).body(String::new()).unwrap();
    let mut slow = get("/slow");
    slow.extensions_mut().insert(deadline_in(Duration::from_secs(3)));
    let start = tokio::time::Instant::now();
    let error = service.call(slow).await.unwrap_err();
    assert_eq!((error.stop_reason(), start.elapsed()), (StopReason::DeadlineExceeded, Duration::from_secs(3)));
    assert_eq!(service.call(get("/")).await.unwrap_err().stop_reason(), StopReason::Aborted);
    assert!(service.call(get("/skipped")).await.is_ok());
}

#[tokio::test]
async fn a_single_call_tells_of_errors_with_their_type() {
    let policy = AsyncPolicy::builder().retry(at_once().max_attempts(2)).build().unwrap();
    let service =
        PolicyLayer::new(policy).layer(service_fn(|()| ready(Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)))));
    let kinds = Mutex::new(Vec::new());
    let context = service.policy().context().on_retry(|retry: &RetryNotice<'_, io::Error>| {
        kinds.lock().unwrap().push(retry.error.map(io::Error::kind));
    });
    assert_eq!(service.execute_in(context, ()).await.attempts(), 2);
    assert_eq!(*kinds.lock().unwrap(), [Some(io::ErrorKind::TimedOut)]);
}

#[tokio::test]
async fn headers_of_an_attempt_are_not_in_the_next() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let policy = AsyncPolicy::builder().classifier(http_classifier()).retry(at_once().max_attempts(3)).build().unwrap();
    let protocol = HttpProtocol::new().attempt_headers(|headers, attempt| {
        headers.append("x-attempt", attempt.number().into());
    });
    let mut service = PolicyLayer::new(policy).protocol(protocol).layer(service_fn(move |request: Request<()>| {
        let numbers = request.headers().get_all("x-attempt").iter().map(|number| number.to_str().unwrap().to_owned());
        sees.lock().unwrap().push(numbers.collect::<Vec<_>>());
        ready(Ok::<_, Infallible>(Response::builder().status(503).body(()).unwrap()))
    }));
    service.call(Request::get("/stock").body(()).unwrap()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [["1"], ["2"], ["3"]]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_gives_every_call_a_name_a_deadline_and_an_abort_handle() {
    let (heard, shutdown) = (Recorder::new(), AbortHandle::new());
    let policy = AsyncPolicy::builder().observer(heard.clone()).build().unwrap();
    let layer = PolicyLayer::new(policy).operation("rules").deadline(Duration::from_secs(3)).abort_on(&shutdown);
    let mut service = layer.layer(service_fn(|seconds: u64| async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok::<_, io::Error>(seconds)
    }));
    assert_eq!(service.call(2).await.unwrap(), 2);
    assert_eq!(service.call(4).await.unwrap_err().stop_reason(), StopReason::DeadlineExceeded);
    let (ended, ()) = tokio::join!(service.call(2), async { shutdown.abort() });
    assert_eq!(ended.unwrap_err().stop_reason(), StopReason::Aborted);
    assert_eq!(service.clone().call(0).await.unwrap_err().attempts(), 0, "clones have the same handle");
    let names: Vec<_> = heard.events().into_iter().map(|event| event.operation.unwrap().into_owned()).collect();
    assert_eq!(names, ["rules"; 4]);

    let context = service.policy().context().deadline(Duration::from_secs(1));
    assert_eq!(service.execute_in(context, 0).await.stop_reason(), Some(StopReason::Aborted));
}

#[tokio::test(start_paused = true)]
async fn what_a_request_says_goes_within_what_the_layer_and_its_protocol_say() {
    let heard = Recorder::new();
    let policy = AsyncPolicy::builder().observer(heard.clone()).build().unwrap();
    let protocol = HttpProtocol::new().operation("of the protocol").deadline(Duration::from_secs(3));
    let layer = PolicyLayer::new(policy).deadline(Duration::from_secs(5)).protocol(protocol).context_for(
        |request: &Request<String>| match request.extensions().get::<Deadline>() {
            Some(deadline) => CallContext::new().operation("of the request").deadline(*deadline),
            None => CallContext::new(),
        },
    );
    let mut service = layer.layer(service_fn(|_: Request<String>| pending::<Result<Response<()>, Infallible>>()));
    for (own, seconds) in [(None, 3), (Some(2), 2), (Some(4), 3)] {
        let mut request = Request::get("/").body(String::new()).unwrap();
        if let Some(seconds) = own {
            request.extensions_mut().insert(deadline_in(Duration::from_secs(seconds)));
        }
        let start = tokio::time::Instant::now();
        assert_eq!(service.call(request).await.unwrap_err().stop_reason(), StopReason::DeadlineExceeded);
        assert_eq!(start.elapsed(), Duration::from_secs(seconds), "{own:?}");
    }
    let names: Vec<_> = heard.events().into_iter().map(|event| event.operation.unwrap().into_owned()).collect();
    assert_eq!(names, ["of the protocol", "of the request", "of the request"]);

    // The layer's name overrides the protocol's.
    let protocol = HttpProtocol::new().operation_for(|head| head.uri.path().to_owned().into());
    let named = AsyncPolicy::builder().observer(heard.clone()).build().unwrap();
    let layer = PolicyLayer::new(named).operation("of the layer").protocol(protocol);
    let mut service = layer.layer(service_fn(|_: Request<String>| ready(Ok::<_, Infallible>(Response::new(())))));
    service.call(Request::get("/").body(String::new()).unwrap()).await.unwrap();
    assert_eq!(heard.events().pop().unwrap().operation.as_deref(), Some("of the layer"));
}

#[tokio::test(start_paused = true)]
async fn the_http_protocol_has_an_abort_handle_for_all() {
    let shutdown = AbortHandle::new();
    let protocol = HttpProtocol::new().abort_on(&shutdown);
    let mut service = PolicyLayer::new(AsyncPolicy::builder().build().unwrap()).protocol(protocol).layer(service_fn(
        |_: Request<String>| async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok::<_, Infallible>(Response::new(()))
        },
    ));
    let (ended, ()) = tokio::join!(service.call(Request::get("/").body(String::new()).unwrap()), async {
        shutdown.abort();
    });
    assert_eq!(ended.unwrap_err().stop_reason(), StopReason::Aborted);
}

#[tokio::test]
async fn a_protocol_keeps_its_say_beside_a_context() {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&attempts);
    let policy = AsyncPolicy::builder().classifier(http_classifier()).retry(at_once().max_attempts(3)).build().unwrap();
    let protocol = HttpProtocol::new();
    let layer = PolicyLayer::new(policy).protocol(protocol).context_for(|_: &Request<String>| CallContext::new());
    let mut service = layer.layer(service_fn(move |request: Request<String>| {
        noted.lock().unwrap().push(Repetition::of(request.extensions()).map(Repetition::attempt));
        ready(Ok::<_, Infallible>(Response::builder().status(503).body(()).unwrap()))
    }));
    let response = service.call(Request::post("/").body(String::new()).unwrap()).await.unwrap();
    assert_eq!(outcome(&response).unwrap().retry_forbidden(), Some("not_idempotent"));
    let response = service.call(Request::get("/").body(String::new()).unwrap()).await.unwrap();
    assert_eq!(outcome(&response).unwrap().attempts(), 3);
    assert_eq!(*attempts.lock().unwrap(), [None, None, Some(2), Some(3)]);
}

#[tokio::test]
async fn a_protocol_bypasses_and_prepares_beside_a_context() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let policy = AsyncPolicy::builder().classifier(http_classifier()).retry(at_once().max_attempts(2)).build().unwrap();
    let protocol = HttpProtocol::new()
        .bypass_if(|head| head.uri.path() == "/health")
        .attempt_headers(|headers, attempt| _ = headers.insert("x-attempt", attempt.number().into()));
    let layer = PolicyLayer::new(policy).protocol(protocol).context_for(|_: &Request<()>| CallContext::new());
    let mut service = layer.layer(service_fn(move |request: Request<()>| {
        sees.lock().unwrap().push(request.headers().get("x-attempt").cloned());
        ready(Ok::<_, Infallible>(Response::builder().status(503).body(()).unwrap()))
    }));
    for path in ["/stock", "/health"] {
        service.call(Request::get(path).body(()).unwrap()).await.unwrap();
    }
    let number = |number: u32| Some(number.into());
    assert_eq!(*seen.lock().unwrap(), [number(1), number(2), number(1)]);
}

/// Releases responses before the wait.
#[derive(Clone)]
struct Discarding;

impl Protocol<u32, Arc<Mutex<bool>>> for Discarding {
    fn replay(&self, request: &u32) -> Result<u32, &'static str> {
        Ok(*request)
    }

    fn discard(&self, response: &mut Arc<Mutex<bool>>) {
        *response.lock().unwrap() = true;
    }
}

#[tokio::test]
async fn a_protocol_discards_beside_a_context() {
    let discarded = Arc::new(Mutex::new(false));
    let response = Arc::clone(&discarded);
    let bad =
        redress_core::classify::result_classifier(|_: &Arc<Mutex<bool>>| Some(redress_core::ErrorClass::Transient));
    let policy = AsyncPolicy::builder().classifier(bad).retry(at_once().max_attempts(2)).build().unwrap();
    let layer = PolicyLayer::new(policy).protocol(Discarding).context_for(|_: &u32| CallContext::new());
    let mut service = layer.layer(service_fn(move |_: u32| ready(Ok::<_, Infallible>(Arc::clone(&response)))));
    service.call(7).await.unwrap();
    assert!(*discarded.lock().unwrap());
}

#[tokio::test]
async fn a_policy_is_chosen_by_the_head() {
    let with = |attempts| {
        let retry = at_once().max_attempts(attempts);
        AsyncPolicy::builder().classifier(http_classifier()).retry(retry).build().unwrap()
    };
    let once = with(1);
    let policies =
        PolicySelector::new(with(3)).policy_provider(move |head| (head.uri.path() == "/once").then(|| once.clone()));
    let busy = || ready(Ok::<_, Infallible>(Response::builder().status(503).body(()).unwrap()));
    let mut service =
        PolicyLayer::new(policies).protocol(HttpProtocol::new()).layer(service_fn(move |_: Request<String>| busy()));
    for (path, attempts) in [("/once", 1), ("/", 3), ("/once", 1), ("/", 3)] {
        let response = service.call(Request::get(path).body(String::new()).unwrap()).await.unwrap();
        assert_eq!(outcome(&response).unwrap().attempts(), attempts, "{path}");
    }
}

#[tokio::test]
async fn each_host_or_key_has_a_breaker() {
    let retry = at_once().max_attempts(2);
    let policy = AsyncPolicy::builder().classifier(http_classifier()).retry(retry).build().unwrap();
    let busy =
        service_fn(|_: Request<String>| ready(Ok::<_, Infallible>(Response::builder().status(503).body(()).unwrap())));
    let hosts = policy.keyed(CircuitBreaker::builder().failure_threshold(1)).unwrap();
    let layer = PolicyLayer::new(policy.clone()).operation("busy").protocol(HttpProtocol::new());
    let mut service = layer.clone().per_host(&hosts).layer(busy);
    let get = |uri: &str| Request::get(uri).header("x-tenant", uri).body(String::new()).unwrap();
    for (uri, admitted) in [("http://a/", true), ("http://A:80/", false), ("http://b/", true), ("/", true), ("/", true)]
    {
        let answer = service.call(get(uri)).await;
        assert_eq!(answer.is_ok(), admitted, "{uri}");
        if let Ok(response) = answer {
            let outcome = outcome(&response).unwrap();
            assert_eq!((outcome.attempts(), outcome.operation()), (2, Some("busy")));
        }
    }
    assert_eq!(hosts.breakers().len(), 2);

    let tenants = policy.keyed(CircuitBreaker::builder().failure_threshold(1)).unwrap();
    let tenant = |head: &Head<'_>| head.headers.get("x-tenant").cloned();
    let by_tenant = layer.per_key(&tenants, move |head| Some(tenant(head)?.to_str().ok()?.to_owned().into()));
    let mut service = by_tenant.layer(busy);
    for (uri, admitted) in [("/a", true), ("/a", false), ("/b", true)] {
        assert_eq!(service.call(get(uri)).await.is_ok(), admitted, "{uri}");
    }
    assert_eq!(tenants.breakers().len(), 2);
}
