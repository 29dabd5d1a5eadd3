//! Unary calls through the layer to a real server: retries, and the caller's result.

use std::error::Error;
use std::io;

use redress_core::breaker::CircuitState;
use redress_core::classify::source_chain;
use redress_core::error::CircuitOpenError;
use redress_core::{ErrorClass, StopReason};
use redress_grpc_fixture::EchoClient;
use redress_tonic::{CallFailure, GrpcLayer, classify_code, outcome};
use tokio::net::TcpListener;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tower_layer::Layer;

use crate::echo::{Answer, channel, ping, serve};
use crate::lab::{Lab, SECOND, ended, retry, told, touchy_breaker};

#[tokio::test]
async fn a_call_is_tried_again_and_says_so_to_the_server_and_the_caller() {
    let (server, lab) = (serve().await, Lab::default());
    server.script.then_fail(Status::unavailable("1")).then_fail(Status::internal("2"));

    let answer = lab.client(server.channel(), 5).once(ping("hello")).await;

    assert_eq!(told(&answer), (3, None));
    assert_eq!(answer.expect("the third attempt").into_inner().text, "hello");
    let seen = server.script.seen();
    let previous: Vec<_> = seen.iter().map(|seen| seen.header("grpc-previous-rpc-attempts")).collect();
    assert_eq!(previous, [None, Some("1"), Some("2")]);
    assert!(seen.iter().all(|seen| seen.text == "hello" && seen.header("content-length").is_none()));
}

#[tokio::test]
async fn each_code_is_retried_by_its_class_and_arrives_as_it_was() {
    let (server, lab) = (serve().await, Lab::default());
    let mut client = lab.client(server.channel(), 2);
    for number in 1..=16 {
        let code = Code::from_i32(number);
        let retried = classify_code(code).expect("a class").is_retryable();
        let mut status = Status::with_details(code, "what happened", b"why".as_slice().into());
        status.metadata_mut().insert("x-request", MetadataValue::from(number));
        server.script.then_fail(status.clone()).then_fail(status);

        let answer = client.once(ping("x")).await;

        let reason = if retried { StopReason::MaxAttempts } else { StopReason::NonRetryableClass };
        assert_eq!(told(&answer), (if retried { 2 } else { 1 }, Some(reason)), "{code:?}");
        if !retried {
            // What the script had for a second attempt.
            let _ = client.once(ping("x")).await;
        }
        let status = answer.expect_err("the server failed");
        assert_eq!((status.code(), status.message(), status.details()), (code, "what happened", b"why".as_slice()));
        assert_eq!(
            status.metadata().get("x-request").map(MetadataValue::as_bytes),
            Some(number.to_string().as_bytes())
        );
        let failure = CallFailure::from_status(&status).expect("the layer's failure");
        assert_eq!(failure.summary().last_class(), classify_code(code));
        assert!(failure.source().is_some_and(<dyn Error>::is::<Status>));
        let text = failure.to_string();
        assert!(
            text.starts_with("redress.fixture.Echo/Once failed (") && text.ends_with(reason.description()),
            "{text}"
        );
        assert_eq!(format!("{failure:?}"), format!("CallFailure({text})"));
        let printed = status.to_string();
        assert!(printed.contains(&format!("source: CallFailure({text})")), "{printed}");
    }
}

#[tokio::test]
async fn pushback_is_waited_or_obeyed() {
    let (server, lab) = (serve().await, Lab::default());
    let mut client = lab.client(server.channel(), 5);
    let pushed = |value: &'static str| {
        let mut status = Status::unavailable("busy");
        status.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static(value));
        status
    };
    server.script.then_fail(pushed("1500")).then_fail(pushed("0"));
    let answer = client.once(ping("x")).await;
    assert_eq!(told(&answer), (3, None));
    assert_eq!(lab.waits().iter().map(std::time::Duration::as_millis).collect::<Vec<_>>(), [1500, 0]);

    for never in ["-1", "later"] {
        server.script.then_fail(pushed(never));
        let answer = client.once(ping("x")).await;
        assert_eq!(told(&answer), (1, Some(StopReason::RetryForbidden)));
        assert_eq!(ended(&answer).retry_forbidden(), Some("server_pushback"));
    }
}

#[tokio::test]
async fn a_refused_connection_is_transient_and_the_reason_stays_reachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let lab = Lab::default();

    let answer = lab.client(channel(address), 3).once(ping("x")).await;

    assert_eq!(told(&answer), (3, Some(StopReason::MaxAttempts)));
    assert_eq!(ended(&answer).last_class(), Some(ErrorClass::Transient));
    let status = answer.expect_err("no listener");
    assert_eq!(status.code(), Code::Unavailable);
    let refused = source_chain(&status).filter_map(|error| error.downcast_ref::<io::Error>()).next();
    assert_eq!(refused.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn an_open_circuit_is_unavailable_and_sends_nothing() {
    let (server, lab) = (serve().await, Lab::default());
    let breaker = touchy_breaker();
    let layer = GrpcLayer::new(lab.policy_of(retry(1), Some(breaker)));
    let client = || EchoClient::new(layer.layer(server.channel()));
    server.script.then_fail(Status::unavailable("down"));
    assert!(client().once(ping("x")).await.is_err());

    // Another channel of the same layer: the breaker is shared.
    let answer = client().once(ping("x")).await;

    assert_eq!(told(&answer), (0, Some(StopReason::CircuitOpen)));
    let status = answer.expect_err("the circuit is open");
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with("circuit breaker is open"), "{status}");
    let rejection = source_chain(&status).find_map(|error| error.downcast_ref::<CircuitOpenError>());
    assert_eq!(rejection.and_then(CircuitOpenError::retry_in), Some(SECOND));
    assert_eq!(server.script.seen().len(), 1);
}

#[tokio::test]
async fn a_dropped_call_gives_the_probe_back() {
    let (mut server, lab) = (serve().await, Lab::default());
    let layer = GrpcLayer::new(lab.policy_of(retry(1), Some(touchy_breaker())));
    let mut client = EchoClient::new(layer.layer(server.channel()));
    server.script.then_fail(Status::unavailable("down")).then(Answer::Silence);
    assert!(client.once(ping("x")).await.is_err());
    lab.clock.advance(SECOND);

    // The probe arrives, is not answered, and is dropped.
    server.drain_arrivals();
    tokio::select! {
        answer = client.once(ping("probe")) => panic!("{answer:?}"),
        _ = server.arrived.recv() => {}
    }

    let answer = client.once(ping("next")).await;
    assert_eq!(told(&answer), (1, None));
    assert_eq!(layer_state(&lab), Some(CircuitState::Closed));
}

/// The state after the last event of a breaker.
fn layer_state(lab: &Lab) -> Option<CircuitState> {
    lab.recorder.events().into_iter().rev().find_map(|event| event.state)
}

#[tokio::test]
async fn compressed_messages_are_sent_again_as_they_were() {
    let (server, lab) = (serve().await, Lab::default());
    let gzip = CompressionEncoding::Gzip;
    let mut client = lab.client(server.channel(), 3).send_compressed(gzip).accept_compressed(gzip);
    server.script.then_fail(Status::unavailable("1")).then_fail(Status::unavailable("2"));
    let text = "again ".repeat(500);
    let answer = client.once(ping(&text)).await;
    assert_eq!(told(&answer), (3, None));
    assert_eq!(answer.expect("the third attempt").into_inner().text, text);
    assert!(server.script.seen().iter().all(|seen| seen.text == text && seen.header("grpc-encoding") == Some("gzip")));
}

#[tokio::test]
async fn a_message_that_cannot_be_encoded_is_not_sent_at_all() {
    let (server, lab) = (serve().await, Lab::default());
    let mut client = lab.client(server.channel(), 3).max_encoding_message_size(8);
    let answer = client.once(ping("more than eight bytes")).await;
    assert!(outcome(&answer).is_none());
    assert_eq!(answer.expect_err("too long").code(), Code::OutOfRange);
    assert!(server.script.seen().is_empty() && lab.recorder.events().is_empty());
}

#[tokio::test]
async fn calls_run_at_once_over_one_channel() {
    let (server, lab) = (serve().await, Lab::default());
    for _ in 0..16 {
        server.script.then_fail(Status::unavailable("busy"));
    }
    let client = lab.client(server.channel(), 17);
    let calls: Vec<_> = (0..32)
        .map(|number| {
            let mut client = client.clone();
            tokio::spawn(async move { client.once(ping(&number.to_string())).await })
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        let answer = call.await.expect("no panic").expect("an answer");
        assert_eq!(answer.into_inner().text, number.to_string());
    }
    assert_eq!(server.script.seen().len(), 48);
}
