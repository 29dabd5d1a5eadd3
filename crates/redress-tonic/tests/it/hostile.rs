//! Servers that do not speak gRPC, or speak it badly: a call fails, and never panics.

use redress_core::ErrorClass;
use redress_tonic::outcome;
use tokio::sync::oneshot;
use tonic::Code;
use tonic::metadata::MetadataValue;

use crate::echo::{channel, ping};
use crate::lab::{Lab, ended, told};
use crate::raw::{Raw, RawServer, Step, grpc, http, message, serve_raw};

/// A good response.
fn good() -> Raw {
    grpc(&[], [message("hi"), Step::Trailers(vec![("grpc-status", "0")])])
}

/// The result of a unary call to a server whose first response is this, and whose others are good.
async fn first(raw: Raw) -> (RawServer, Lab, Result<String, tonic::Status>) {
    let (server, lab) = (serve_raw([raw, good()]).await, Lab::default());
    let answer = lab.client(channel(server.address), 2).once(ping("x")).await;
    (server, lab, answer.map(|pong| pong.into_inner().text))
}

/// Asserts that the first response is a failure of this class, and is replaced.
async fn is_replaced(raw: Raw, class: ErrorClass) {
    let (server, lab, answer) = first(raw).await;
    assert_eq!(answer.expect("the second attempt"), "hi");
    assert_eq!(server.requests(), 2);
    assert_eq!(lab.recorder.events()[0].class, Some(class));
}

/// The status a caller sees when the server answers so.
async fn status_of(raw: Raw) -> tonic::Status {
    let (server, lab) = (serve_raw([raw]).await, Lab::default());
    let answer = lab.client(channel(server.address), 1).once(ping("x")).await;
    assert!(outcome(&answer).is_some());
    answer.expect_err("a failure")
}

#[tokio::test]
async fn a_failure_in_headers_or_in_trailers_before_a_message_is_replaced() {
    is_replaced(grpc(&[("grpc-status", "14")], []), ErrorClass::Transient).await;
    is_replaced(grpc(&[], [Step::Trailers(vec![("grpc-status", "14")])]), ErrorClass::Transient).await;
    // Frames without data are no message.
    let empty = [Step::Data("".into()), Step::Data("".into()), Step::Trailers(vec![("grpc-status", "13")])];
    is_replaced(grpc(&[("x-early", "1")], empty), ErrorClass::ServerError).await;
}

#[tokio::test]
async fn pushback_counts_in_headers_and_in_trailers() {
    let pushed = [("grpc-status", "14"), ("grpc-retry-pushback-ms", "-1")];
    for raw in [
        grpc(&pushed, []),
        grpc(&[], [Step::Trailers(pushed.to_vec())]),
        grpc(&pushed[1..], [Step::Trailers(pushed[..1].to_vec())]),
    ] {
        let (server, _, answer) = first(raw).await;
        assert_eq!(answer.expect_err("not replaced").code(), Code::Unavailable);
        assert_eq!(server.requests(), 1);
    }
    let asked = [("grpc-status", "14"), ("grpc-retry-pushback-ms", "700")];
    let (_, lab, answer) = first(grpc(&[], [Step::Trailers(asked.to_vec())])).await;
    assert!(answer.is_ok());
    assert_eq!(lab.waits()[0].as_millis(), 700);
}

#[tokio::test]
async fn a_failure_after_the_message_is_the_callers() {
    let raw = grpc(&[], [message("hi"), Step::Trailers(vec![("grpc-status", "14")])]);
    let (server, _, answer) = first(raw).await;
    assert_eq!(answer.expect_err("a failure").code(), Code::Unavailable);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_garbled_status_is_unknown() {
    for value in ["", "abc", "99", "-1", "1.5", "014"] {
        is_replaced(grpc(&[("grpc-status", value)], []), ErrorClass::Transient).await;
        is_replaced(grpc(&[], [Step::Trailers(vec![("grpc-status", value)])]), ErrorClass::Transient).await;
    }
}

#[tokio::test]
async fn garbled_details_are_left_out_wherever_they_are() {
    for garbled in ["!!!", "AAA=AAA=", "=", "A"] {
        let pairs = [("grpc-status", "14"), ("grpc-status-details-bin", garbled), ("x-kept", "1")];
        for raw in [
            grpc(&pairs, []),
            grpc(&[], [Step::Trailers(pairs.to_vec())]),
            grpc(&[], [message("hi"), Step::Trailers(pairs.to_vec())]),
        ] {
            let (server, lab) = (serve_raw([raw]).await, Lab::default());
            let answer = lab.client(channel(server.address), 1).once(ping("x")).await;
            let status = answer.expect_err("a failure");
            assert_eq!((status.code(), status.details()), (Code::Unavailable, b"".as_slice()), "{garbled}");
            assert!(status.metadata().contains_key("x-kept"));
        }
    }
    // No protobuf, but base64: the caller's to look at.
    let status = status_of(grpc(&[("grpc-status", "14"), ("grpc-status-details-bin", "AP//")], [])).await;
    assert_eq!(status.details(), [0, 255, 255]);
}

#[tokio::test]
async fn a_response_that_ends_without_a_status_or_a_message_is_unknown() {
    is_replaced(grpc(&[], []), ErrorClass::Transient).await;
    is_replaced(grpc(&[], [Step::Trailers(vec![("x-other", "1")])]), ErrorClass::Transient).await;
    // The trailers decide how it ended, not the headers.
    let trailers = Step::Trailers(vec![("grpc-status", "14")]);
    is_replaced(grpc(&[("grpc-status", "0")], [trailers]), ErrorClass::Transient).await;
    // Success without a message: the client's to complain about.
    let (server, _, answer) = first(grpc(&[("grpc-status", "0")], [])).await;
    assert_eq!(answer.expect_err("no message").code(), Code::Internal);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn what_a_proxy_says_is_read_by_its_status() {
    let html = "<html><body>try later</body></html>";
    for status in [429, 502, 503, 504] {
        is_replaced(http(status, "text/html", html), ErrorClass::Transient).await;
    }
    let rows = [
        (204, Code::Unknown),
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (418, Code::Unknown),
        (500, Code::Unknown),
        (503, Code::Unavailable),
    ];
    for (number, code) in rows {
        let status = status_of(http(number, "text/html", html)).await;
        assert_eq!(status.code(), code, "{number}");
        assert!(status.message().contains(&number.to_string()), "{status}");
        assert_eq!(status.metadata().get("content-type").map(MetadataValue::as_bytes), Some(b"text/html".as_slice()));
    }
    // A page that came instead, and a status that a gRPC server gave beside another of HTTP.
    let status = status_of(http(200, "text/html", html)).await;
    assert_eq!(status.code(), Code::Unknown);
    assert!(status.message().contains("text/html"), "{status}");
    assert_eq!(status_of(http(200, "application/json", "{}")).await.code(), Code::Unknown);
}

#[tokio::test]
async fn a_stream_that_is_reset_is_replaced_until_its_first_message() {
    is_replaced(grpc(&[], [Step::Reset]), ErrorClass::Transient).await;

    let (tell, when) = oneshot::channel();
    let raw = grpc(&[], [message("hi"), Step::ResetWhen(when)]);
    let (server, lab) = (serve_raw([raw, good()]).await, Lab::default());
    let answer = lab.client(channel(server.address), 2).many(ping("x")).await;
    assert_eq!(told(&answer), (1, None));
    let mut pongs = answer.expect("a stream").into_inner();
    assert!(pongs.message().await.expect("a message").is_some());
    tell.send(()).expect("the server waits");
    assert!(pongs.message().await.is_err());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_message_that_is_cut_off_is_handed_over_and_fails_at_the_caller() {
    let cut = || Step::Data(vec![0, 0, 0, 0, 9, 10].into());
    let (server, lab) =
        (serve_raw([grpc(&[], [cut(), Step::Trailers(vec![("grpc-status", "0")])])]).await, Lab::default());
    let answer = lab.client(channel(server.address), 2).once(ping("x")).await;
    assert!(answer.is_err());
    assert_eq!(server.requests(), 1);

    let (server, lab) = (serve_raw([grpc(&[], [cut(), Step::Hang])]).await, Lab::default());
    let answer = lab.client(channel(server.address), 2).many(ping("x")).await;
    assert_eq!(told(&answer), (1, None));
    assert!(ended(&answer).is_ok());
}
