//! Settings of a client and of single requests: URIs, policies, contexts, outcomes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response, StatusCode, Uri};
use redress_core::breaker::CircuitState;
use redress_core::policy::{Deadline, RetryNotice};
use redress_core::{AbortHandle, CallContext, CircuitBreaker, ErrorClass, Event, StopReason};
use redress_hyper::testing::{FakeTransport, Fault};
use redress_hyper::{HyperError, ReplayBody, RetryingClient, hyper_classifier};
use redress_tokio::{AsyncPolicy, TokioTimer};

use crate::support::{TestPolicy, builder_on, policy, retry};

type Client = RetryingClient<FakeTransport, TestPolicy>;

fn client(transport: &FakeTransport) -> Client {
    RetryingClient::new(transport.clone(), policy(retry()))
}

fn answering() -> FakeTransport {
    FakeTransport::new().always_respond(Response::new("fine"))
}

#[tokio::test]
async fn anything_that_converts_into_a_uri_is_taken() {
    let transport = answering();
    let client = client(&transport);
    let uri = Uri::from_static("http://host/a");
    client.get("http://host/a").send().await.unwrap();
    client.head(format!("http://host/{}", 'a')).send().await.unwrap();
    let text = String::from("http://host/a");
    client.delete(&text).send().await.unwrap();
    client.options(&uri).send().await.unwrap();
    client.put(uri.into_parts(), "body").send().await.unwrap();
    client.post(b"http://host/a".as_slice(), "body").send().await.unwrap();
    client.patch(Uri::from_static("http://host/a"), "body").send().await.unwrap();
    assert!(transport.requests().iter().all(|request| request.uri() == "http://host/a"));
    assert_eq!(transport.requests().len(), 7);
}

#[tokio::test]
async fn an_invalid_uri_fails_when_it_is_sent_without_events() {
    let transport = answering();
    let heard = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heard);
    let policy = builder_on(TokioTimer, retry())
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(1).trip_on([ErrorClass::Permanent]))
        .observer(move |_: &Event<'_>| *count.lock().unwrap() += 1)
        .build()
        .unwrap();
    let client = RetryingClient::new(transport.clone(), policy);
    for request in [client.get("http://[no host/secret"), client.post("http://[no host/secret", "body").bypass(true)] {
        let printed = format!("{request:?}");
        assert!(printed.contains("uri: None") && !printed.contains("secret"), "{printed}");
        let outcome = request.execute().await;
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::NonRetryableClass), 0));
        assert_eq!(outcome.last_class(), Some(ErrorClass::Permanent));
        assert!(outcome.last_error().is_some_and(HyperError::is_request));
    }
    let error = client.get("http://[no host/secret").send().await.unwrap_err();
    assert!(std::error::Error::source(error.error().unwrap()).is_some_and(<dyn std::error::Error>::is::<http::Error>));
    assert_eq!((transport.requests().len(), *heard.lock().unwrap()), (0, 0));
    assert_eq!(client.policy().circuit_state(), Some(CircuitState::Closed));
}

#[tokio::test]
async fn a_policy_is_chosen_by_the_head() {
    let transport = FakeTransport::new().always_fail(Fault::Reset);
    let own = policy(retry());
    let breaker = |host: &'static str| CircuitBreaker::builder().name(host).failure_threshold(1);
    let by_host = [
        ("a", own.with_circuit_breaker(breaker("a")).unwrap()),
        ("b", own.with_circuit_breaker(breaker("b")).unwrap()),
    ];
    let hosts = by_host.clone();
    let client = RetryingClient::new(transport.clone(), own).policy_provider(move |head| {
        let host = head.uri.host()?;
        hosts.iter().find(|(name, _)| *name == host).map(|(_, policy)| policy.clone())
    });
    assert_eq!(client.get("http://a/").execute().await.attempts(), 3);
    assert!(
        client.get("http://a/").execute().await.rejection().is_some_and(|rejection| rejection.breaker() == Some("a"))
    );
    let states = by_host.map(|(_, policy)| policy.circuit_state());
    assert_eq!(states, [Some(CircuitState::Open), Some(CircuitState::Closed)]);
    // Others go through the client's own, as do those for which a policy is named.
    assert_eq!(client.get("http://c/").execute().await.attempts(), 3);
    assert_eq!(client.get("http://a/").policy(client.policy()).execute().await.attempts(), 3);
}

#[tokio::test]
async fn each_host_has_a_breaker() {
    let transport = FakeTransport::new().always_fail(Fault::Reset);
    let own = policy(retry());
    let hosts = own.keyed(CircuitBreaker::builder().failure_threshold(1)).unwrap();
    let client = RetryingClient::new(transport.clone(), own).per_host(&hosts);
    assert_eq!(client.get("http://a/").execute().await.attempts(), 3);
    let rejected = client.get("http://A:80/other").execute().await;
    assert!(rejected.rejection().is_some_and(|rejection| rejection.breaker() == Some("a:80")));
    assert_eq!(client.get("http://a:81/").execute().await.attempts(), 3);
    assert_eq!((hosts.breakers().len(), transport.requests().len()), (2, 6));
    // A request that names its policy goes through that one.
    assert_eq!(client.get("http://a/").policy(client.policy()).execute().await.attempts(), 3);
}

#[tokio::test]
async fn each_key_has_a_breaker() {
    let transport = FakeTransport::new().always_fail(Fault::Reset);
    let own = policy(retry());
    let paths = own.keyed(CircuitBreaker::builder().failure_threshold(1)).unwrap();
    let key = |path: &str| path.get(..2).map(|shard| shard.to_owned().into());
    let client = RetryingClient::new(transport, own).per_key(&paths, move |head| key(head.uri.path()));
    assert_eq!(client.get("http://h/1/a").execute().await.attempts(), 3);
    assert!(client.get("http://h/1/b").execute().await.rejection().is_some());
    for uri in ["http://h/2/a", "http://h/"] {
        assert_eq!(client.get(uri).execute().await.attempts(), 3, "{uri}");
    }
    assert_eq!(paths.breakers().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_context_stays_when_the_policy_is_changed() {
    let transport = FakeTransport::new().hang().always_fail(Fault::Reset);
    let client = client(&transport);
    let timed = || CallContext::new().deadline(Duration::from_secs(3)).operation("kept");
    // The policy need not outlive the statement.
    let request = client.get("http://host/").context(timed()).policy(&policy(retry().max_attempts(2)));
    let outcome = request.execute().await;
    assert_eq!(
        (outcome.stop_reason(), outcome.elapsed()),
        (Some(StopReason::DeadlineExceeded), Duration::from_secs(3))
    );
    assert_eq!(outcome.summary().operation(), Some("kept"));

    // A typed hook too, and a policy of another type.
    let told = Mutex::new(0);
    let context = timed().on_retry(|_: &RetryNotice<'_, HyperError>| *told.lock().unwrap() += 1);
    let other = redress_core::AsyncPolicy::<_, redress_core::driver::NoTimer>::builder()
        .timer(TokioTimer)
        .classifier(hyper_classifier().or_else(hyper_classifier()))
        .retry(retry().max_attempts(2))
        .build()
        .unwrap();
    assert_eq!(client.get("http://host/").context(context).policy(&other).execute().await.attempts(), 2);
    assert_eq!(*told.lock().unwrap(), 1);

    // And what the client says, and the request says of itself.
    let names = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&names);
    let watched = AsyncPolicy::builder()
        .classifier(hyper_classifier())
        .observer(move |event: &Event<'_>| heard.lock().unwrap().extend(event.operation.as_deref().map(str::to_owned)))
        .build()
        .unwrap();
    let named = client.clone().operation("of the client");
    let _ = named.get("http://host/").policy(&watched).execute().await;
    let _ = named.get("http://host/").operation("of the request").policy(&watched).execute().await;
    assert_eq!(*names.lock().unwrap(), ["of the client", "of the request"]);
}

#[tokio::test(start_paused = true)]
async fn every_call_has_the_clients_deadline_and_abort_handle() {
    let shutdown = AbortHandle::new();
    let transport = FakeTransport::new().hang().hang().hang().hang().hang();
    let client = client(&transport).deadline(Duration::from_secs(2)).abort_on(&shutdown);
    let seconds =
        |outcome: redress_hyper::RequestOutcome<FakeTransport>| (outcome.stop_reason(), outcome.elapsed().as_secs());
    let late = Some(StopReason::DeadlineExceeded);

    assert_eq!(seconds(client.get("http://host/").execute().await), (late, 2));
    // The request's own holds beside it: the earlier one ends the call.
    let longer = CallContext::new().deadline(Duration::from_secs(9));
    assert_eq!(seconds(client.get("http://host/").context(longer).execute().await), (late, 2));
    let shorter = || CallContext::new().deadline(Duration::from_secs(1));
    assert_eq!(seconds(client.get("http://host/").context(shorter()).execute().await), (late, 1));

    let by_head = client.clone().context_for(|head| {
        let context = CallContext::new().operation(head.uri.path().to_owned());
        head.extensions
            .get::<Deadline>()
            .map_or_else(|| context.clone(), |deadline| context.clone().deadline(*deadline))
    });
    let mut request = Request::get("http://host/").body(ReplayBody::empty()).unwrap();
    let now = tokio::time::Instant::now().into_std();
    request.extensions_mut().insert(Deadline::from_left(Duration::from_secs(1), now));
    assert_eq!(seconds(by_head.request(request).execute().await), (late, 1));
    let request = by_head.get("http://host/orders").context(shorter().abort_on(&AbortHandle::new()));
    let (outcome, ()) = tokio::join!(request.execute(), async { shutdown.abort() });
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
    assert_eq!(outcome.summary().operation(), Some("/orders"));
}

#[tokio::test]
async fn a_response_that_was_given_up_on_is_there_by_reference_with_its_meaning() {
    let busy = Response::builder().status(503).header("retry-after", "0.5").body("busy").unwrap();
    let transport = FakeTransport::new().always_respond(busy);
    let no_hints = policy(retry().ignore_retry_after());
    let client = RetryingClient::new(transport, no_hints);
    let outcome = client.get("http://host/").execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts()), (false, 3));
    assert_eq!(outcome.last_value().map(Response::status), Some(StatusCode::SERVICE_UNAVAILABLE));
    let failure = outcome.last_classification().unwrap();
    assert_eq!((failure.class(), failure.detail("status")), (ErrorClass::ServerError, Some("503")));
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(1)), "rounded up");

    let response = client.get("http://host/").send().await.unwrap();
    let ended = redress_hyper::outcome(&response).unwrap();
    assert_eq!((ended.stop_reason(), ended.attempts()), (Some(StopReason::MaxAttempts), 3));

    let good = RetryingClient::new(answering(), policy(retry())).get("http://host/").execute().await;
    assert_eq!(good.last_value().map(Response::status), Some(StatusCode::OK));
    assert!(good.last_classification().is_none());

    let failed = RetryingClient::new(FakeTransport::new().fail(Fault::NotHttp), policy(retry().max_attempts(1)));
    let failed = failed.get("http://host/").execute().await;
    assert!(failed.last_value().is_none());
    assert_eq!(failed.last_classification().map(redress_core::Classification::class), Some(ErrorClass::ServerError));
    assert!(redress_hyper::outcome(&Response::new(())).is_none(), "it came through no policy");
}

#[tokio::test]
async fn a_request_made_by_hand_has_what_the_client_says() {
    let transport = FakeTransport::new().always_fail(Fault::Reset);
    let client = client(&transport).bypass_if(|head| head.uri.path() == "/health");
    let request = |path: &str| Request::get(format!("http://host{path}")).body("").unwrap();
    assert_eq!(client.request(request("/health")).execute().await.attempts(), 1);
    assert_eq!(client.request(request("/orders")).execute().await.attempts(), 3);
}
