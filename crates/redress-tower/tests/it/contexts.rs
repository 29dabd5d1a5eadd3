//! What the call of each request sets for itself: deadlines, aborts, names and hooks, through a layer.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response};
use redress_core::policy::{Deadline, RetryNotice};
use redress_core::{AbortHandle, CallContext, OutcomeSummary, StopReason};
use redress_http::{Repetition, http_classifier};
use redress_testing::Recorder;
use redress_tokio::AsyncPolicy;
use redress_tower::http::HttpProtocol;
use redress_tower::{CloneRequest, ContextFor, PolicyLayer};
use tokio::sync::Notify;
use tower::{Layer as _, Service as _, service_fn};

use crate::service::at_once;

/// A request with what its caller wants of its call.
#[derive(Clone, Default)]
struct Wish {
    time_left: Option<Duration>,
    gave_up: AbortHandle,
    name: Option<&'static str>,
    heard: Option<Recorder>,
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
    slow.extensions_mut().insert(Deadline::from(Duration::from_secs(3)));
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
async fn a_request_that_must_not_run_twice_does_not_because_its_call_has_settings() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let policy = AsyncPolicy::builder().classifier(http_classifier()).retry(at_once().max_attempts(3)).build().unwrap();
    let mut service = PolicyLayer::new(policy)
        .protocol(HttpProtocol::new())
        .context_for(|_: &Request<()>| CallContext::new())
        .layer(service_fn(move |request: Request<()>| {
            let attempt = request.extensions().get::<Repetition>().map_or(1, Repetition::attempt);
            sees.lock().unwrap().push((request.method().clone(), attempt));
            ready(Ok::<_, Infallible>(Response::builder().status(503).body(()).unwrap()))
        }));
    let failed = service.call(Request::post("/charge").body(()).unwrap()).await.unwrap();
    assert_eq!(failed.extensions().get::<OutcomeSummary>().unwrap().retry_forbidden(), Some("not_idempotent"));
    service.call(Request::get("/stock").body(()).unwrap()).await.unwrap();
    let gets = [1, 2, 3].map(|attempt| (Method::GET, attempt));
    assert_eq!(seen.lock().unwrap()[..], [&[(Method::POST, 1)][..], &gets].concat());
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
