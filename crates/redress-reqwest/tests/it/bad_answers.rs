//! Misbehaving servers, through the asynchronous client, the middleware and the blocking client: no
//! call panics, hangs or retries forever, and every failure has a class.

use std::time::Duration;

use redress_core::{Cause, ErrorClass};
use redress_fixtures::script_server::{Peer, Server};
use redress_reqwest::outcome;

use crate::support::{OK, builder, client, client_with};

/// What a server does with each request, and then with the connection.
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

async fn act(peer: &mut Peer, bad: Bad) {
    let (Bad::Closes(first) | Bad::Resets(first) | Bad::Endless(first, _) | Bad::Stalls(first)) = bad;
    peer.send(first).await;
    match bad {
        Bad::Endless(_, again) => while peer.send(again.repeat(100)).await {},
        Bad::Stalls(_) => peer.closed().await,
        Bad::Closes(_) | Bad::Resets(_) => {}
    }
}

/// Answers the first `times` requests badly, and further ones well.
async fn bad_server(bad: Bad, times: usize) -> Server {
    Server::start(move |mut peer| async move {
        while let Some(number) = peer.next().await {
            if number >= times {
                peer.send(OK).await;
                continue;
            }
            act(&mut peer, bad).await;
            return if matches!(bad, Bad::Resets(_)) { peer.reset() } else { drop(peer) };
        }
    })
    .await
}

/// Answers without a whole head, and their class.
const HEADS: &[(Bad, ErrorClass)] = &[
    (Bad::Closes("220 smtp.example.com ready\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Closes("\0\u{1}\u{2}garbage\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Closes("HTTP/1.1 xyz OK\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Closes("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Closes("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"), ErrorClass::ServerError),
    (Bad::Endless("HTTP/1.1 200 OK\r\n", "x: y\r\n"), ErrorClass::ServerError),
    (Bad::Endless("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyyyy"), ErrorClass::ServerError),
    (Bad::Closes(""), ErrorClass::Transient),
    (Bad::Closes("HTTP/1.1 200 OK\r\ncontent-le"), ErrorClass::Transient),
    (Bad::Resets(""), ErrorClass::Transient),
    (Bad::Resets("HTTP/1.1 200 OK\r\ncontent-le"), ErrorClass::Transient),
];

#[tokio::test]
async fn without_a_head_every_attempt_fails() {
    for (bad, class) in HEADS {
        let server = bad_server(*bad, usize::MAX).await;
        let outcome = client().get(server.uri("/").to_string()).execute().await;
        assert_eq!((outcome.attempts(), outcome.last_class()), (3, Some(*class)), "{bad:?}");
        assert_eq!(server.arrived().len(), 3, "{bad:?}: an attempt is one request");
        let post = client().post(server.uri("/").to_string()).execute().await;
        assert_eq!((post.attempts(), post.retry_forbidden()), (1, Some("not_idempotent")), "{bad:?}");
    }
}

#[tokio::test]
async fn a_server_that_recovers_is_asked_again() {
    for (bad, _) in HEADS {
        let server = bad_server(*bad, 2).await;
        let response = client().get(server.uri("/").to_string()).send().await.unwrap();
        assert_eq!(outcome(&response).unwrap().attempts(), 3, "{bad:?}");
        assert_eq!(response.text().await.unwrap(), "fine", "{bad:?}");
    }
}

/// Heads that are late.
const SLOW: &[Bad] = &[Bad::Stalls(""), Bad::Stalls("HTTP/1.1 200 OK\r\ncontent-le")];

#[tokio::test]
async fn a_slow_head_ends_with_the_attempts_time() {
    for bad in SLOW {
        let server = bad_server(*bad, usize::MAX).await;
        let client = client_with(builder().attempt_timeout(Duration::from_millis(20)).build().unwrap());
        let outcome = client.get(server.uri("/").to_string()).execute().await;
        assert_eq!((outcome.attempts(), outcome.cause()), (3, Some(Cause::Timeout)), "{bad:?}");
    }
}

/// Bad responses whose body is bad as well.
const BODIES: &[Bad] = &[
    Bad::Closes("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf"),
    Bad::Resets("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf"),
    Bad::Closes("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n"),
    Bad::Endless("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nbusy\r\n"),
    Bad::Stalls("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nslow"),
];

#[tokio::test]
async fn a_bad_response_whose_body_is_bad_is_retried_all_the_same() {
    for bad in BODIES {
        let server = bad_server(*bad, 1).await;
        let client = client().drain(65536, Duration::from_millis(20));
        let response = client.get(server.uri("/").to_string()).send().await.unwrap();
        assert_eq!(outcome(&response).unwrap().attempts(), 2, "{bad:?}");
        assert_eq!(response.text().await.unwrap(), "fine", "{bad:?}");
    }
}

/// Good responses whose body breaks off.
const BROKEN: &[Bad] = &[
    Bad::Closes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
    Bad::Resets("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
    Bad::Closes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    Bad::Closes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"),
];

#[tokio::test]
async fn a_good_response_whose_body_breaks_off_fails_where_it_is_read() {
    for bad in BROKEN {
        let server = bad_server(*bad, usize::MAX).await;
        let response = client().get(server.uri("/").to_string()).send().await.unwrap();
        assert_eq!(outcome(&response).unwrap().attempts(), 1, "{bad:?}");
        assert!(response.text().await.is_err(), "{bad:?}");
        assert_eq!(server.arrived().len(), 1, "{bad:?}");
    }
}

#[tokio::test]
async fn a_good_response_without_end_is_the_callers_to_bound() {
    let endless = Bad::Endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nmore\r\n");
    let server = bad_server(endless, usize::MAX).await;
    let mut response = client().get(server.uri("/").to_string()).send().await.unwrap();
    for _ in 0..10 {
        assert!(response.chunk().await.unwrap().is_some());
    }
}

#[cfg(feature = "middleware")]
#[tokio::test]
async fn the_middleware_has_the_same_classes() {
    use redress_core::OutcomeSummary;
    use redress_reqwest::middleware::PolicyMiddleware;

    let policy = PolicyMiddleware::new(crate::support::policy());
    let client = reqwest_middleware::ClientBuilder::new(crate::support::plain().build().unwrap()).with(policy).build();
    for (bad, class) in HEADS {
        let server = bad_server(*bad, usize::MAX).await;
        let request = client.get(server.uri("/").to_string()).build().unwrap();
        let mut extensions = http::Extensions::new();
        client.execute_with_extensions(request, &mut extensions).await.unwrap_err();
        let summary = extensions.get::<OutcomeSummary>().unwrap();
        assert_eq!((summary.attempts(), summary.last_class()), (3, Some(*class)), "{bad:?}");
    }
}

#[cfg(feature = "blocking")]
mod blocking {
    use redress_core::{Policy, Retry, fixed};
    use redress_reqwest::blocking::{RetryingClient, client_builder};
    use redress_reqwest::reqwest_classifier;

    use super::*;

    /// Runs this on a thread for blocking code.
    async fn aside<R: Send + 'static>(run: impl FnOnce() -> R + Send + 'static) -> R {
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    fn client(timeout: Option<Duration>) -> RetryingClient<Policy<redress_reqwest::ReqwestClassifier>> {
        // Once is enough; the others fail.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
        let mut policy = Policy::builder().classifier(reqwest_classifier()).retry(retry);
        if let Some(timeout) = timeout {
            policy = policy.attempt_timeout(timeout);
        }
        RetryingClient::new(client_builder().no_proxy().tls_certs_only([]).build().unwrap(), policy.build().unwrap())
    }

    #[tokio::test]
    async fn without_a_head_every_attempt_fails() {
        for (bad, class) in HEADS {
            let server = bad_server(*bad, usize::MAX).await;
            let url = server.uri("/").to_string();
            let (attempts, last) = aside(move || {
                let outcome = client(None).get(url).execute();
                (outcome.attempts(), outcome.last_class())
            })
            .await;
            assert_eq!((attempts, last), (3, Some(*class)), "{bad:?}");
            assert_eq!(server.arrived().len(), 3, "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_slow_head_ends_with_the_attempts_time() {
        for bad in SLOW {
            let url = bad_server(*bad, usize::MAX).await.uri("/").to_string();
            let ended = aside(move || {
                let outcome = client(Some(Duration::from_millis(20))).get(url).execute();
                (outcome.attempts(), outcome.cause())
            })
            .await;
            assert_eq!(ended, (3, Some(Cause::Timeout)), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_bad_response_whose_body_is_bad_is_retried_all_the_same() {
        for bad in BODIES {
            let url = bad_server(*bad, 1).await.uri("/").to_string();
            let (attempts, text) = aside(move || {
                let response = client(None).get(url).send().unwrap();
                (outcome_of(&response), response.text().unwrap())
            })
            .await;
            assert_eq!((attempts, text.as_str()), (2, "fine"), "{bad:?}");
        }
    }

    fn outcome_of(response: &reqwest::blocking::Response) -> u32 {
        redress_reqwest::blocking::outcome(response).unwrap().attempts()
    }

    #[tokio::test]
    async fn a_good_response_whose_body_breaks_off_fails_where_it_is_read() {
        for bad in BROKEN {
            let url = bad_server(*bad, usize::MAX).await.uri("/").to_string();
            let is_broken = aside(move || client(None).get(url).send().unwrap().text().is_err()).await;
            assert!(is_broken, "{bad:?}");
        }
    }
}
