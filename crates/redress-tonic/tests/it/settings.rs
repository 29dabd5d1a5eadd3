//! The settings of a layer: names, bypasses, policies for single calls, deadlines.

use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::driver::NoTimer;
use redress_core::{AbortHandle, AsyncPolicy, CircuitBreaker, ErrorClass, OutcomeSummary, Retry, StopReason, fixed};
use redress_grpc_fixture::EchoClient;
use redress_tonic::{CallFailure, GrpcLayer, grpc_classifier, outcome, parse_grpc_timeout, rpc_service_name};
use tonic::{Code, Request, Response, Status};
use tower_layer::Layer;

use crate::echo::{Answer, Running, ping, serve};
use crate::lab::{Lab, SECOND, ended, retry, told};

#[tokio::test]
async fn a_call_is_named_by_its_path_or_as_told() {
    let (server, lab) = (serve().await, Lab::default());
    let named = lab.layer(1).operation_for(|head| format!("custom {}", head.uri.path().len()).into());
    lab.client(server.channel(), 1).once(ping("x")).await.expect("an answer");
    EchoClient::new(named.layer(server.channel())).once(ping("x")).await.expect("an answer");
    EchoClient::new(lab.layer(1).operation("echo").layer(server.channel())).once(ping("x")).await.expect("an answer");
    let names: Vec<_> = lab.recorder.events().into_iter().filter_map(|event| event.operation).collect();
    assert_eq!(names, ["redress.fixture.Echo/Once", "custom 26", "echo"]);
}

#[tokio::test]
async fn headers_of_an_attempt_are_not_in_the_next() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then_fail(Status::unavailable("1")).then_fail(Status::unavailable("2"));
    let layer = lab.layer(3).attempt_headers(|headers, attempt| {
        headers.append("x-try", attempt.number().into());
        // The layer's own comes after.
        headers.insert("grpc-previous-rpc-attempts", 70.into());
    });
    EchoClient::new(layer.layer(server.channel())).once(ping("x")).await.expect("an answer");
    let seen = server.script.seen();
    let tries = seen.iter().map(|seen| (seen.header("x-try"), seen.metadata.get_all("x-try").iter().count()));
    assert_eq!(tries.collect::<Vec<_>>(), [(Some("1"), 1), (Some("2"), 1), (Some("3"), 1)]);
    assert_eq!(seen[1].header("grpc-previous-rpc-attempts"), Some("1"));
}

#[tokio::test]
async fn a_call_that_is_skipped_passes_by_the_policy() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then_fail(Status::unavailable("1"));
    let layer = lab.layer(5).bypass_if(|head| head.headers.contains_key("x-once"));
    let mut client = EchoClient::new(layer.layer(server.channel()));
    let mut request = Request::new(ping("x"));
    request.metadata_mut().insert("x-once", "1".parse().expect("a value"));

    let answer = client.once(request).await;

    assert_eq!(told(&answer), (1, Some(StopReason::MaxAttempts)));
    assert_eq!(answer.expect_err("the failure").code(), Code::Unavailable);
    assert_eq!(server.script.seen().len(), 1);
    assert!(lab.recorder.events().is_empty());

    server.script.then_fail(Status::unavailable("1"));
    assert_eq!(told(&client.once(ping("x")).await), (2, None));
}

#[tokio::test]
async fn a_call_may_have_its_own_policy() {
    /// The extension that a caller sets on a request.
    #[derive(Clone)]
    struct Once;

    let (server, lab) = (serve().await, Lab::default());
    let once = lab.policy(1);
    let layer = lab.layer(5).policy_provider(move |head| head.extensions.get::<Once>().map(|_| once.clone()));
    let mut client = EchoClient::new(layer.layer(server.channel()));
    server.script.then_fail(Status::unavailable("1"));
    let mut request = Request::new(ping("x"));
    request.extensions_mut().insert(Once);
    assert_eq!(told(&client.once(request).await), (1, Some(StopReason::MaxAttempts)));

    server.script.then_fail(Status::unavailable("1"));
    assert_eq!(told(&client.once(ping("x")).await), (2, None));
}

#[tokio::test]
async fn each_host_or_key_has_a_breaker() {
    let (server, lab) = (serve().await, Lab::default());
    let keyed = || lab.policy(1).keyed(CircuitBreaker::builder().failure_threshold(1)).expect("valid breakers");
    let (hosts, services) = (keyed(), keyed());
    let per_host = lab.layer(1).per_host(&hosts).layer(server.channel());
    let client = |origin| EchoClient::with_origin(per_host.clone(), origin);
    server.script.then_fail(Status::unavailable("1"));
    let (a, b) = (http::Uri::from_static("http://A"), http::Uri::from_static("http://b"));
    assert_eq!(told(&client(a.clone()).once(ping("x")).await), (1, Some(StopReason::MaxAttempts)));
    assert_eq!(told(&client(a).once(ping("x")).await), (0, Some(StopReason::CircuitOpen)));
    assert_eq!(told(&client(b).once(ping("x")).await), (1, None));
    assert_eq!(hosts.breakers().state("a:80"), Some(CircuitState::Open));
    // Without an origin there is no host.
    assert_eq!(told(&EchoClient::new(per_host).once(ping("x")).await), (1, None));
    assert_eq!(hosts.breakers().len(), 2);

    let layer = lab.layer(1).per_key(&services, |head| Some(rpc_service_name(head.uri.path())?.to_owned().into()));
    let mut client = EchoClient::new(layer.layer(server.channel()));
    server.script.then_fail(Status::unavailable("1"));
    assert_eq!(told(&client.once(ping("x")).await), (1, Some(StopReason::MaxAttempts)));
    assert_eq!(told(&client.once(ping("x")).await), (0, Some(StopReason::CircuitOpen)));
    assert_eq!(services.breakers().state("redress.fixture.Echo"), Some(CircuitState::Open));
}

fn timeouts(server: &Running) -> Vec<Option<Duration>> {
    let seen = server.script.seen();
    seen.iter().map(|seen| seen.header("grpc-timeout").and_then(parse_grpc_timeout)).collect()
}

#[tokio::test]
async fn the_server_is_told_what_is_left_of_the_deadline() {
    let (server, lab) = (serve().await, Lab::default());
    let strategy = retry(3).strategy(fixed(10 * SECOND));
    let layer = GrpcLayer::new(lab.builder(strategy).deadline(60 * SECOND).build().expect("a valid policy"));
    let mut client = EchoClient::new(layer.layer(server.channel()));
    server.script.then_fail(Status::unavailable("1")).then_fail(Status::unavailable("2"));

    assert_eq!(told(&client.once(ping("x")).await), (3, None));
    assert_eq!(timeouts(&server), [60, 50, 40].map(|left| Some(left * SECOND)));

    // The attempt's own limit is shorter; the caller's is shorter still, or longer and not taken.
    let bounded = lab.builder(retry(1)).deadline(60 * SECOND).attempt_timeout(5 * SECOND);
    let layer = GrpcLayer::new(bounded.build().expect("a valid policy"));
    let mut client = EchoClient::new(layer.layer(server.channel()));
    for set in [None, Some(3), Some(100)] {
        let mut request = Request::new(ping("x"));
        if let Some(seconds) = set {
            request.set_timeout(seconds * SECOND);
        }
        client.once(request).await.expect("an answer");
    }
    assert_eq!(timeouts(&server)[3..], [5, 3, 5].map(|left| Some(left * SECOND)));

    // Without a deadline there is no `grpc-timeout`.
    lab.client(server.channel(), 1).once(ping("x")).await.expect("an answer");
    assert_eq!(timeouts(&server)[6], None);

    // The caller's value is kept if it is not longer.
    let mut request = Request::new(ping("x"));
    request.metadata_mut().insert("grpc-timeout", "5S".parse().expect("a value"));
    client.once(request).await.expect("an answer");
    assert_eq!(server.script.seen()[7].header("grpc-timeout"), Some("5S"));
}

/// Its waits and timeouts are over at once.
#[derive(Clone)]
struct Hasty;

impl redress_core::driver::Timer for Hasty {
    type Sleep = std::future::Ready<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        std::future::ready(())
    }
}

#[tokio::test]
async fn a_layer_gives_every_call_a_deadline_and_an_abort_handle() {
    let (server, lab, shutdown) = (serve().await, Lab::default(), AbortHandle::new());
    let layer = lab.layer(1).deadline(7 * SECOND).abort_on(&shutdown);
    let mut client = EchoClient::new(layer.layer(server.channel()));
    client.once(ping("x")).await.expect("an answer");
    assert_eq!(timeouts(&server), [Some(7 * SECOND)], "the server hears of it");

    server.script.then(Answer::Silence);
    let (answer, ()) = tokio::join!(client.once(ping("x")), async {
        while server.script.seen().len() < 2 {
            tokio::task::yield_now().await;
        }
        shutdown.abort();
    });
    assert_eq!(told(&answer), (1, Some(StopReason::Aborted)));
    assert_eq!(told(&client.once(ping("x")).await), (0, Some(StopReason::Aborted)));
}

#[tokio::test]
async fn a_status_and_a_response_say_how_the_call_ended() {
    let (server, lab) = (serve().await, Lab::default());
    let mut client = lab.client(server.channel(), 2);
    server.script.then_fail(Status::unavailable("1")).then_fail(Status::resource_exhausted("2"));
    let status = client.once(ping("x")).await.expect_err("two failures");
    let ended = outcome(&status).expect("a call through a layer");
    assert_eq!((ended.attempts(), ended.stop_reason()), (2, Some(StopReason::MaxAttempts)));
    assert_eq!(outcome(&Err::<Response<()>, _>(status.clone())), Some(ended));

    let failure = CallFailure::from_status(&status).expect("a call through a layer");
    let meaning = failure.last_classification().expect("a failed attempt");
    assert_eq!((meaning.class(), meaning.detail("grpc")), (ErrorClass::RateLimit, Some("RESOURCE_EXHAUSTED")));
    assert_eq!(failure.last_status().map(Status::message), Some("2"));
    assert!(CallFailure::from_status(failure.last_status().expect("a status")).is_none(), "as it came");

    server.script.then_fail(Status::unavailable("1"));
    let response = client.once(ping("x")).await.expect("an answer");
    assert_eq!(outcome(&response).map(OutcomeSummary::attempts), Some(2));
    let (metadata, _, extensions) = response.into_parts();
    let response = Response::from_parts(metadata, (), extensions).map(drop);
    assert_eq!(outcome(&response).map(OutcomeSummary::attempts), Some(2));
    assert!(outcome(&http::Response::new(())).is_none() && outcome(&Status::unavailable("elsewhere")).is_none());
}

#[tokio::test]
async fn an_attempt_that_times_out_is_deadline_exceeded() {
    let server = serve().await;
    server.script.then(Answer::Silence);
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(2);
    // An attempt that does not respond at once times out.
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(Hasty)
        .classifier(grpc_classifier())
        .retry(retry)
        .attempt_timeout(SECOND)
        .build();
    let layer = GrpcLayer::new(policy.expect("a valid policy"));

    let answer = EchoClient::new(layer.layer(server.channel())).once(ping("x")).await;

    assert_eq!(told(&answer), (2, Some(StopReason::MaxAttempts)));
    assert_eq!(ended(&answer).last_class(), Some(ErrorClass::Transient));
    assert_eq!(answer.expect_err("no time").code(), Code::DeadlineExceeded);
}
