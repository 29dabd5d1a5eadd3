//! Misbehaving servers, through the retrying agent: no call panics, hangs or retries forever.

use std::time::Duration;

use redress::integration::ureq::{RetryingAgent, UreqClassifier};
use redress::{Cause, ErrorClass, Policy};

use crate::support::{OK, Peer, Server, agent, builder};

/// What a server does with a request, and then with the connection.
#[derive(Clone, Copy, Debug)]
enum Bad {
    /// Sends this and closes.
    Closes(&'static str),
    /// Sends this and resets.
    Resets(&'static str),
    /// Sends the first, and the second again and again until the client has gone.
    Endless(&'static str, &'static str),
    /// Sends this and nothing more.
    Stalls(&'static str),
}

fn act(mut peer: Peer, bad: Bad) {
    let (Bad::Closes(first) | Bad::Resets(first) | Bad::Endless(first, _) | Bad::Stalls(first)) = bad;
    peer.send(first);
    match bad {
        Bad::Endless(_, again) => while peer.send(again.repeat(100)) {},
        Bad::Stalls(_) => peer.closed(),
        Bad::Resets(_) => peer.reset(),
        Bad::Closes(_) => {}
    }
}

/// Answers the first `times` requests badly, and further ones well.
fn bad_server(bad: Bad, times: usize) -> Server {
    Server::start(move |mut peer| {
        while let Some(number) = peer.next() {
            if number < times {
                return act(peer, bad);
            }
            peer.send(OK);
        }
    })
}

/// Answers without a whole head, and their class.
const HEADS: &[(Bad, ErrorClass)] = &[
    (Bad::Closes("220 smtp.example.com ready\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Closes("\0\u{1}\u{2}garbage\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Closes("HTTP/1.1 xyz OK\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Endless("HTTP/1.1 200 OK\r\n", "X: y\r\n"), ErrorClass::ServerError),
    (Bad::Endless("HTTP/1.1 200 OK\r\nX: ", "yyyyyyyyyy"), ErrorClass::ServerError),
    (Bad::Closes(""), ErrorClass::Transient),
    (Bad::Closes("HTTP/1.1 200 OK\r\nContent-Le"), ErrorClass::Transient),
    (Bad::Resets(""), ErrorClass::Transient),
    (Bad::Resets("HTTP/1.1 200 OK\r\nContent-Le"), ErrorClass::Transient),
];

#[test]
fn without_a_head_every_attempt_fails() {
    for (bad, class) in HEADS {
        let server = bad_server(*bad, usize::MAX);
        let outcome = agent(3).get(server.uri("/")).execute();
        assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(*class)), "{bad:?}");
        assert_eq!(server.arrived().len(), 3, "{bad:?}: an attempt is one request");
        let post = agent(3).post(server.uri("/")).body("order").execute();
        assert_eq!((post.attempts(), post.retry_forbidden()), (1, Some("not_idempotent")), "{bad:?}");
    }
}

#[test]
fn a_server_that_recovers_is_asked_again() {
    for (bad, _) in HEADS {
        let server = bad_server(*bad, 2);
        let mut response = agent(3).get(server.uri("/")).run().expect("a response");
        assert_eq!(response.body_mut().read_to_string().expect("a body"), "ok", "{bad:?}");
        assert_eq!(server.arrived().len(), 3, "{bad:?}");
    }
}

fn impatient() -> RetryingAgent<Policy<UreqClassifier>> {
    let policy = builder(3).attempt_timeout(Duration::from_millis(30)).build().expect("a policy");
    RetryingAgent::new(ureq::agent(), policy)
}

#[test]
fn a_slow_head_ends_with_the_attempts_time() {
    for bad in [Bad::Stalls(""), Bad::Stalls("HTTP/1.1 200 OK\r\nContent-Le")] {
        let outcome = impatient().get(bad_server(bad, usize::MAX).uri("/")).execute();
        assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(Cause::Timeout)), "{bad:?}");
    }
}

/// Bad responses whose body is bad as well. None is read.
const BODIES: &[Bad] = &[
    Bad::Closes("HTTP/1.1 503 x\r\nContent-Length: 10\r\n\r\nhalf"),
    Bad::Resets("HTTP/1.1 503 x\r\nContent-Length: 10\r\n\r\nhalf"),
    Bad::Closes("HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"),
    Bad::Endless("HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nbusy\r\n"),
    Bad::Stalls("HTTP/1.1 503 x\r\nContent-Length: 10\r\n\r\nslow"),
];

#[test]
fn a_bad_response_whose_body_is_bad_is_retried_all_the_same() {
    for bad in BODIES {
        let server = bad_server(*bad, 1);
        let mut response = agent(3).get(server.uri("/")).run().expect("a response");
        assert_eq!(response.body_mut().read_to_string().expect("a body"), "ok", "{bad:?}");
        assert_eq!(server.arrived().len(), 2, "{bad:?}");
    }
}

#[test]
fn a_good_response_whose_body_breaks_off_fails_where_it_is_read() {
    let broken = [
        Bad::Closes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        Bad::Resets("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        Bad::Closes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        Bad::Closes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"),
    ];
    for bad in broken {
        let server = bad_server(bad, usize::MAX);
        let mut response = agent(3).get(server.uri("/")).run().expect("a response");
        assert!(response.body_mut().read_to_string().is_err(), "{bad:?}");
        assert_eq!(server.arrived().len(), 1, "{bad:?}");
    }
}

#[test]
fn a_good_response_without_end_is_cut_at_the_limit() {
    let endless = Bad::Endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nmore\r\n");
    let mut response = agent(3).get(bad_server(endless, usize::MAX).uri("/")).run().expect("a response");
    let read = response.body_mut().with_config().limit(1000).read_to_string();
    assert!(matches!(read, Err(ureq::Error::BodyExceedsLimit(1000))), "{read:?}");
}
