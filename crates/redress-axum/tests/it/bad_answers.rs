//! A gateway whose dependency misbehaves on a real socket: each caller gets one response, which
//! tells nothing of the dependency, and the breaker opens.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get as on_get;
use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redress::integration::hyper::{HyperClassifier, RetryingClient, hyper_classifier};
use redress_axum::Unserved;
use redress_core::{CircuitBreaker, ErrorClass};
use redress_fixtures::script_server;
use redress_tokio::AsyncPolicy;

use crate::server::{Received, Server, at_once, serve};

/// What a dependency does with each request, and then with the connection.
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

async fn dependency(bad: Bad) -> script_server::Server {
    script_server::Server::start(move |mut peer| async move {
        peer.next().await;
        let (Bad::Closes(first) | Bad::Resets(first) | Bad::Endless(first, _) | Bad::Stalls(first)) = bad;
        peer.send(first).await;
        match bad {
            Bad::Endless(_, again) => while peer.send(again.repeat(100)).await {},
            Bad::Stalls(_) => peer.closed().await,
            Bad::Resets(_) => peer.reset(),
            Bad::Closes(_) => {}
        }
    })
    .await
}

type Orders = RetryingClient<Client<HttpConnector, Full<Bytes>>, AsyncPolicy<HyperClassifier>>;

/// Reads an order from the dependency, of at most 1000 bytes.
async fn order(State((orders, uri)): State<(Orders, Uri)>) -> Result<Bytes, Unserved> {
    let response = orders.get(uri).send().await?;
    if !response.status().is_success() {
        return Err(ErrorClass::ServerError.into());
    }
    let body = Limited::new(response.into_body(), 1000).collect().await.map_err(|_| ErrorClass::ServerError)?;
    Ok(body.to_bytes())
}

/// A gateway to this dependency. Its breaker opens after three calls, and stays open.
async fn gateway(bad: Bad) -> (Server, script_server::Server) {
    let dependency = dependency(bad).await;
    let breaker = CircuitBreaker::builder().failure_threshold(3).recovery_timeout(Duration::from_secs(30));
    let policy = AsyncPolicy::builder().classifier(hyper_classifier()).retry(at_once(2)).circuit_breaker(breaker);
    // As short as it can be for those that answer nothing; the others have all the time they need.
    let time = if matches!(bad, Bad::Stalls(_)) { Duration::from_millis(20) } else { Duration::from_secs(60) };
    let orders =
        Orders::new(Client::builder(TokioExecutor::new()).build_http(), policy.attempt_timeout(time).build().unwrap());
    let router = Router::new().route("/", on_get(order)).with_state((orders, dependency.uri("/orders/7?key=hunter2")));
    (serve(router).await, dependency)
}

async fn asked(server: &Server) -> Received {
    let received = server.get("/").await;
    assert!(!format!("{received:?}").contains("hunter2"), "{received:?}");
    assert_eq!(received.header("content-type"), Some("application/problem+json"));
    received
}

#[tokio::test]
async fn without_a_head_callers_are_told_of_a_bad_gateway_until_the_breaker_opens() {
    let rows = [
        (Bad::Closes("220 smtp.example.com ready\r\n\r\n"), 502),
        (Bad::Closes("\0\u{1}\u{2}garbage\r\n\r\n"), 502),
        (Bad::Endless("HTTP/1.1 200 OK\r\n", "x: y\r\n"), 502),
        (Bad::Endless("HTTP/1.1 200 OK\r\nx: ", "yyyyyyyyyy"), 502),
        (Bad::Closes(""), 502),
        (Bad::Closes("HTTP/1.1 200 OK\r\ncontent-le"), 502),
        (Bad::Resets("HTTP/1.1 200 OK\r\ncontent-le"), 502),
        (Bad::Stalls(""), 504),
        (Bad::Stalls("HTTP/1.1 200 OK\r\ncontent-le"), 504),
    ];
    for (bad, status) in rows {
        let (server, dependency) = gateway(bad).await;
        for _ in 0..3 {
            assert_eq!(asked(&server).await.status, status, "{bad:?}");
        }
        let rejected = asked(&server).await;
        assert_eq!((rejected.status, rejected.header("retry-after")), (503, Some("30")), "{bad:?}");
        assert_eq!(dependency.arrived().len(), 6, "{bad:?}: two attempts for each call");
    }
}

#[tokio::test]
async fn a_bad_response_with_a_bad_body_counts_as_a_bad_response() {
    let rows = [
        Bad::Closes("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf"),
        Bad::Resets("HTTP/1.1 503 x\r\ncontent-length: 10\r\n\r\nhalf"),
        Bad::Closes("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n"),
        Bad::Endless("HTTP/1.1 503 x\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nbusy\r\n"),
    ];
    for bad in rows {
        let (server, dependency) = gateway(bad).await;
        for _ in 0..3 {
            assert_eq!(asked(&server).await.status, 502, "{bad:?}");
        }
        assert_eq!((asked(&server).await.status, dependency.arrived().len()), (503, 6), "{bad:?}");
    }
}

#[tokio::test]
async fn a_good_response_whose_body_is_bad_is_a_bad_gateway() {
    let rows = [
        Bad::Closes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
        Bad::Resets("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
        Bad::Closes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"),
        Bad::Endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\nmore\r\n"),
    ];
    for bad in rows {
        let (server, dependency) = gateway(bad).await;
        assert_eq!((asked(&server).await.status, dependency.arrived().len()), (502, 1), "{bad:?}");
    }
}
