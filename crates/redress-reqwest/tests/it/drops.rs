//! A call that is dropped, at each of its polls, leaves no permit held.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use redress_core::breaker::CircuitState;
use redress_core::{CallError, CircuitBreaker};
use redress_fixtures::script_server::Server;

use crate::support::{BUSY, OK, bad, builder, client_with, closed_port};

/// Polls this so often, and drops it. Returns whether it was ready by then.
async fn polled(times: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

/// A breaker that lets one probe through, and does not supersede it.
fn fragile() -> CircuitBreaker {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_nanos(1));
    breaker.no_probe_lease().build().unwrap()
}

#[tokio::test]
async fn at_every_poll() {
    let closed = format!("http://{}/", closed_port().await);
    let mut polls = 1;
    loop {
        // The probe is redirected, retried over the same connection, and answered.
        let server = Server::answers(&[BUSY, &bad(307, "location: /\r\n"), OK]).await;
        let breaker = fragile();
        let client = client_with(builder().circuit_breaker(breaker.clone()).build().unwrap());
        let _ = client.get(&closed).execute().await;
        assert_eq!(breaker.state(), CircuitState::Open);

        let url = server.uri("/").to_string();
        let is_over = polled(polls, client.get(&url).send()).await;
        let next = client.get(&url).send().await;
        assert!(!matches!(next, Err(CallError::CircuitOpen(_))), "a permit is held after {polls} polls");
        assert_eq!(breaker.state(), CircuitState::Closed, "{polls}");
        if is_over {
            break;
        }
        polls += 1;
    }
    assert!(polls > 2, "{polls}");
}

#[tokio::test]
async fn in_a_request_that_hangs() {
    let server = Server::start(|mut peer| async move {
        match peer.next().await {
            Some(0) => drop(peer.send(BUSY).await),
            Some(1) => peer.closed().await,
            _ => drop(peer.send(OK).await),
        }
    })
    .await;
    let breaker = fragile();
    let policy =
        builder().circuit_breaker(breaker.clone()).retry(crate::support::retry().max_attempts(1)).build().unwrap();
    let client = client_with(policy);
    let url = server.uri("/").to_string();
    client.get(&url).send().await.unwrap();
    let (probe, at) = (client.clone(), url.clone());
    let probe = tokio::spawn(async move { probe.get(at).send().await.is_ok() });
    while server.arrived().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(client.get(&url).send().await, Err(CallError::CircuitOpen(_))));
    probe.abort();
    probe.await.unwrap_err();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
}
