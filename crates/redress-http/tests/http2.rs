//! How the errors of real HTTP/2 streams and connections are classified. A peer in memory sends
//! frames byte by byte, without a runtime.

#![cfg(feature = "http2")]

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::Reason;
use h2::client::{self, Connection, SendRequest};
use http::Request;
use redress_core::{Classification, ErrorClass};
use redress_http::classify_http2;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// A frame of RFC 9113, section 4.1.
fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short frame");
    [&[0, 0, length, kind, 0, 0, 0, 0, stream], payload].concat()
}

/// Accepts everything that is sent to it. What it does itself, read by read; then it is silent.
struct Peer(VecDeque<Poll<io::Result<Vec<u8>>>>);

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let sent = ready!(self.0.pop_front().unwrap_or(Poll::Pending))?;
        buffer.put_slice(&sent);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

type Client = (SendRequest<Bytes>, Connection<Peer, Bytes>);

/// A client of a peer that does this after its settings, once a request has been sent.
fn connected(does: io::Result<Vec<u8>>) -> Client {
    let settings = frame(SETTINGS, 0, &[]);
    let peer = Peer([Poll::Ready(Ok(settings)), Poll::Pending, Poll::Ready(does)].into());
    let Poll::Ready(client) = poll_once(client::handshake(peer)) else { panic!("a handshake waits for no peer") };
    client.expect("a handshake")
}

/// How the failure of a request is classified whose peer does this. With a reason, its client has
/// reset it before.
fn classified(does: io::Result<Vec<u8>>, reset: Option<Reason>) -> Classification {
    let (mut requests, mut connection) = connected(does);
    let request = Request::get("http://h/").body(()).expect("a request");
    let (mut response, mut stream) = requests.send_request(request, false).expect("a stream");
    assert!(poll_once(&mut connection).is_pending(), "the request is sent");
    if let Some(reason) = reset {
        stream.send_reset(reason);
    }
    _ = poll_once(&mut connection);
    match poll_once(&mut response) {
        Poll::Ready(Err(error)) => classify_http2(&error),
        other => panic!("not a failure: {other:?}"),
    }
}

fn labelled(class: ErrorClass, reason: Reason) -> Classification {
    Classification::new(class).with_detail("http2", format!("{reason:?}"))
}

fn code(reason: Reason) -> [u8; 4] {
    u32::from(reason).to_be_bytes()
}

#[test]
fn a_reset_of_the_server_has_the_class_of_its_code_and_a_refused_stream_was_not_acted_on() {
    let rows = [
        (Reason::REFUSED_STREAM, ErrorClass::Transient),
        (Reason::CANCEL, ErrorClass::Transient),
        (Reason::ENHANCE_YOUR_CALM, ErrorClass::RateLimit),
        (Reason::INADEQUATE_SECURITY, ErrorClass::Permission),
        (Reason::HTTP_1_1_REQUIRED, ErrorClass::Permanent),
    ];
    for (reason, class) in rows {
        let expected = labelled(class, reason);
        let expected = if reason == Reason::REFUSED_STREAM { expected.unsent() } else { expected };
        assert_eq!(classified(Ok(frame(RST_STREAM, 1, &code(reason))), None), expected);
    }
}

#[test]
fn a_stream_above_the_last_one_of_a_goaway_was_not_acted_on() {
    for (reason, class) in
        [(Reason::NO_ERROR, ErrorClass::Transient), (Reason::ENHANCE_YOUR_CALM, ErrorClass::RateLimit)]
    {
        let goaway = frame(GOAWAY, 0, &[[0; 4], code(reason)].concat());
        let expected = labelled(class, reason).unsent();
        assert_eq!(classified(Ok(goaway), None), expected);
    }
}

#[test]
fn a_reset_of_the_client_says_nothing_about_the_server_unless_the_server_broke_the_protocol() {
    for reason in [Reason::CANCEL, Reason::REFUSED_STREAM] {
        let expected = labelled(ErrorClass::Unknown, reason);
        assert_eq!(classified(Ok(frame(SETTINGS, 0, &[])), Some(reason)), expected);
    }
    // A window of more than 2^31-1 bytes (RFC 9113, section 6.9.1).
    let overflow = frame(WINDOW_UPDATE, 1, &0x7fff_ffff_u32.to_be_bytes());
    let expected = labelled(ErrorClass::Transient, Reason::FLOW_CONTROL_ERROR);
    assert_eq!(classified(Ok(overflow), None), expected);
}

#[test]
fn a_connection_that_broke_has_the_class_of_its_io_error_or_is_transient() {
    let rows = [
        (io::ErrorKind::PermissionDenied.into(), ErrorClass::Permission),
        (io::ErrorKind::ConnectionReset.into(), ErrorClass::Transient),
        (io::Error::other("?"), ErrorClass::Transient),
        (io::Error::other("received fatal alert: CertificateRequired"), ErrorClass::Permanent),
    ];
    for (broke, class) in rows {
        let printed = format!("{broke:?}");
        let failure = classified(Err(broke), None);
        assert_eq!((failure.class(), failure.is_unsent()), (class, false), "{printed}");
    }
}

#[test]
fn a_misuse_of_h2_is_unknown() {
    let refused = Request::get("/without-an-authority").version(http::Version::HTTP_2).body(()).expect("a request");
    let (mut requests, _connection) = connected(Ok(Vec::new()));
    let error = requests.send_request(refused, true).expect_err("no authority");
    assert_eq!(classify_http2(&error), ErrorClass::Unknown.into());
}
