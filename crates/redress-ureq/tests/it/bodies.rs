//! Bodies of requests: which are sent again, and what arrives.

use std::fs::{self, File};
use std::io::{self, Cursor};
use std::net::TcpStream;
use std::path::PathBuf;

use redress::integration::ureq::ReplayBody;
use redress::{ErrorClass, StopReason};
use ureq::SendBody;

use crate::support::{BUSY, OK, Server, agent};

#[test]
fn bytes_and_text_are_sent_in_each_attempt() {
    let (text, bytes) = (String::from("order"), b"order".to_vec());
    let bodies: [ReplayBody<'_>; 7] = [
        "order".into(),
        (&text).into(),
        text.clone().into(),
        (&bytes[..]).into(),
        (&bytes).into(),
        bytes.clone().into(),
        b"order".into(),
    ];
    for body in bodies {
        assert!(body.is_replayable());
        let server = Server::answers([BUSY, OK]);
        let response = agent(2).put(server.uri("/")).body(body).run().expect("a response");
        assert_eq!(response.status().as_u16(), 200);
        for arrived in server.arrived() {
            assert_eq!((arrived.body.as_str(), arrived.header("content-length")), ("order", Some("5")));
        }
    }
}

#[test]
fn a_request_without_a_body_has_none() {
    let server = Server::answers([BUSY, OK]);
    let response = agent(2).get(server.uri("/")).body(()).run().expect("a response");
    assert_eq!(response.status().as_u16(), 200);
    for arrived in server.arrived() {
        assert_eq!((arrived.header("content-length"), arrived.header("transfer-encoding")), (None, None));
    }
}

#[test]
fn a_reader_is_sent_once_and_the_outcome_says_why() {
    let server = Server::answers([BUSY]);
    let agent = agent(3);
    let mut reader = Cursor::new("order");
    let readers = [
        ReplayBody::from(SendBody::from_reader(&mut reader)),
        ReplayBody::once(SendBody::from_owned_reader(Cursor::new("order"))),
        ReplayBody::from(ureq::Body::builder().data("order")),
    ];
    for (count, body) in readers.into_iter().enumerate() {
        assert!(!body.is_replayable());
        let outcome = agent.put(server.uri("/")).body(body).execute();
        assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("streaming_body")));
        assert_eq!(outcome.stop_reason(), Some(StopReason::RetryForbidden));
        assert_eq!(outcome.last_value().map(|response| response.status().as_u16()), Some(503));
        assert_eq!(server.arrived()[count].body, "order");
    }
}

#[test]
fn a_reader_is_no_obstacle_to_a_success() {
    let server = Server::answers([OK]);
    let outcome = agent(3).put(server.uri("/")).body(SendBody::from_owned_reader(Cursor::new("order"))).execute();
    assert!(outcome.is_ok());
}

fn file_of(content: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{content}.txt"));
    fs::write(&path, content).expect("a file");
    path
}

#[test]
fn a_file_is_sent_once_and_a_factory_opens_it_for_each_attempt() {
    let path = file_of("report");
    let server = Server::answers([BUSY, BUSY, OK]);
    let once = agent(2).put(server.uri("/")).body(File::open(&path).expect("a file")).execute();
    assert_eq!((once.attempts(), once.retry_forbidden()), (1, Some("streaming_body")));
    let again = agent(2).put(server.uri("/")).body(ReplayBody::factory(|| File::open(&path))).execute();
    assert_eq!((again.is_ok(), again.attempts()), (true, 2));
    for arrived in server.arrived() {
        assert_eq!((arrived.body.as_str(), arrived.header("content-length")), ("report", Some("6")));
    }
}

#[test]
fn a_factory_that_fails_says_nothing_about_the_server() {
    let server = Server::answers([OK]);
    let rows = [
        (io::ErrorKind::ConnectionReset, ErrorClass::Unknown, 2),
        (io::ErrorKind::PermissionDenied, ErrorClass::Permission, 1),
    ];
    for (kind, class, attempts) in rows {
        let body = ReplayBody::factory(|| Err::<TcpStream, _>(io::Error::from(kind)));
        let outcome = agent(2).put(server.uri("/")).body(body).execute();
        assert_eq!((outcome.last_class(), outcome.attempts()), (Some(class), attempts));
        let text = outcome.last_error().expect("an error").to_string();
        assert!(text.starts_with("other: the request's body could not be made: "), "{text}");
    }
    assert!(server.arrived().is_empty());
}

#[test]
fn a_body_prints_nothing_of_its_content() {
    assert_eq!(format!("{:?}", ReplayBody::from("secret")), "ReplayBody { is_replayable: true, .. }");
}
