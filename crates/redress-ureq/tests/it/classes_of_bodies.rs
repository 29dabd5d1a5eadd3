//! The classes of failures while a body is read, each by a real one.

use redress::integration::ureq::ureq_classifier;
use redress::{Classifier as _, ErrorClass};
use ureq::{Body, Error};

use crate::support::Server;

/// The body of a response of these bytes, after which the connection closes.
fn body_of(bytes: &'static [u8]) -> Body {
    let server = Server::start(move |mut peer| {
        peer.next();
        peer.send(bytes);
    });
    ureq::agent().get(server.uri("/")).call().expect("a head").into_body()
}

#[track_caller]
fn assert_class<T: 'static>(result: Result<T, Error>, class: ErrorClass) {
    let failure = ureq_classifier().classify(&result).expect("a failure");
    let error = result.err().expect("an error");
    assert_eq!((failure.class(), failure.is_unsent()), (class, false), "{error:?}");
}

#[test]
fn a_body_that_is_cut_off_is_transient() {
    let cut_off: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf and more",
    ];
    for bytes in cut_off {
        assert_class(body_of(bytes).read_to_string(), ErrorClass::Transient);
    }
}

#[test]
fn a_body_that_is_copied_has_the_class_too() {
    let mut body = body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    let copied = std::io::copy(&mut body.as_reader(), &mut std::io::sink()).map_err(Error::from);
    assert_class(copied, ErrorClass::Transient);
}

#[test]
fn a_body_that_is_not_framed_as_http_blames_the_server() {
    let garbage: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf and more\r\n0\r\n\r\n",
    ];
    for bytes in garbage {
        assert_class(body_of(bytes).read_to_string(), ErrorClass::ServerError);
    }
}

#[test]
fn a_body_over_the_limit_is_permanent() {
    let mut body = body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole");
    let result = body.with_config().limit(3).read_to_string();
    assert!(matches!(result, Err(Error::BodyExceedsLimit(3))), "{result:?}");
    assert_class(result, ErrorClass::Permanent);
}

#[test]
fn json_that_arrived_whole_and_does_not_parse_is_permanent() {
    let whole: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{\"a\":",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{a}\r\n0\r\n\r\n",
    ];
    for bytes in whole {
        let result = body_of(bytes).read_json::<serde_json::Value>();
        assert!(matches!(result, Err(Error::Json(_))), "{result:?}");
        assert_class(result, ErrorClass::Permanent);
    }
}

#[test]
fn json_that_was_cut_off_is_transient() {
    let cut_off: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":",
    ];
    for bytes in cut_off {
        assert_class(body_of(bytes).read_json::<serde_json::Value>(), ErrorClass::Transient);
    }
}

#[test]
fn a_body_that_does_not_decompress_blames_the_server_unless_it_was_cut_off() {
    let garbage = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nno gzip here";
    assert_class(body_of(garbage).read_to_string(), ErrorClass::ServerError);
    // The head of a gzip stream, and a length that says that this is all.
    let half = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\x02\x03";
    assert_class(body_of(half).read_to_string(), ErrorClass::Transient);
}
