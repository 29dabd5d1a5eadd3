//! Plain connections: reused while they are open, replaced when they are closed.

use std::error::Error;
use std::future::Future as _;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};

use http::Uri;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use redress_core::ErrorClass;
use redress_hyper::{Connections, RetryingClient, Transport};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{
    BUSY, BoxError, Bytewise, HOUR, OK, Peer, Server, TestPolicy, open, policy, retry, summary, text,
};

/// A client over plain connections, and how many of them were made.
fn plain(
    server: &Server,
) -> (
    RetryingClient<impl Transport<RequestBody = Bytewise, ResponseBody = hyper::body::Incoming>, TestPolicy>,
    Arc<AtomicU32>,
) {
    let made = Arc::new(AtomicU32::new(0));
    let (address, count) = (server.address(), Arc::clone(&made));
    let transport = Connections::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
        open(address)
    });
    (RetryingClient::new(transport, policy(retry())).drain(65536, HOUR), made)
}

#[tokio::test]
async fn one_connection_serves_all_attempts_and_requests() {
    let server = Server::answers(&[BUSY, BUSY, OK]).await;
    let (client, made) = plain(&server);
    for _ in 0..2 {
        let response = client.put(server.uri("/a?b"), "body").send().await.unwrap();
        assert_eq!(response.into_parts().0.status, 200);
    }
    let _ = made;
    let arrived = server.arrived();
    assert_eq!(arrived[0].line, "PUT /a?b HTTP/1.1");
    assert_eq!(arrived[0].header("host"), Some(server.address().to_string().as_str()));
    assert_eq!(server.connections()[..3], [0, 0, 0]);
}

#[tokio::test]
async fn a_connection_comes_back_when_its_response_has_been_read() {
    let server = Server::answers(&[OK]).await;
    let (client, made) = plain(&server);
    for _ in 0..3 {
        text(client.get(server.uri("/")).send().await.unwrap()).await;
    }
    assert_eq!((made.load(Ordering::SeqCst), server.connections()), (1, vec![0, 0, 0]));
}

/// Half a response, whose rest never comes.
async fn stalls(mut peer: Peer) {
    while peer.next().await.is_some() {
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nhalf").await;
        peer.closed().await;
    }
}

#[tokio::test]
async fn a_connection_with_an_unread_response_is_not_shared() {
    let server = Server::start(stalls).await;
    let (client, made) = plain(&server);
    let first = client.get(server.uri("/")).send().await.unwrap();
    let second = client.get(server.uri("/")).send().await.unwrap();
    assert_eq!((made.load(Ordering::SeqCst), server.connections()), (2, vec![0, 1]));
    drop((first, second));
}

#[tokio::test]
async fn a_response_dropped_half_read_takes_its_connection_along() {
    let gone = Arc::new(Notify::new());
    let closed = Arc::clone(&gone);
    let server = Server::start(move |peer| {
        let closed = Arc::clone(&closed);
        async move {
            stalls(peer).await;
            closed.notify_one();
        }
    })
    .await;
    let (client, made) = plain(&server);
    for connections in 1..=3 {
        drop(client.get(server.uri("/")).send().await.unwrap());
        // Waits forever if the connection stays open.
        gone.notified().await;
        assert_eq!(made.load(Ordering::SeqCst), connections);
    }
}

#[tokio::test]
async fn a_connection_that_has_died_is_replaced_within_the_attempt() {
    let server = Server::start(|mut peer| async move {
        if peer.next().await.is_some() {
            peer.send(OK).await;
        }
    })
    .await;
    let (client, made) = plain(&server);
    for connections in 1..=3 {
        let response = client.post(server.uri("/"), "order").send().await.unwrap();
        assert_eq!(summary(&response).attempts(), 1);
        text(response).await;
        assert_eq!(made.load(Ordering::SeqCst), connections);
        // The connection's end must arrive first, or the next request meets it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

/// Opens plain connections to this address.
fn connections(address: SocketAddr) -> Connections<impl Fn() -> PlainOpening + Clone + use<>, SendRequest<Bytewise>> {
    Connections::new(move || -> PlainOpening { Box::pin(open(address)) })
}

type PlainOpening = Pin<Box<dyn Future<Output = Result<SendRequest<Bytewise>, BoxError>> + Send>>;

#[tokio::test]
async fn idle_connections_that_were_closed_are_let_go() {
    let server = Server::start(|mut peer| async move {
        if peer.next().await.is_some() {
            peer.send(OK).await;
        }
    })
    .await;
    let transport = connections(server.address());
    let client = RetryingClient::new(transport.clone(), policy(retry()));
    let get = || async { text(client.get(server.uri("/")).send().await.unwrap()).await };
    tokio::join!(get(), get(), get());
    assert_eq!(format!("{transport:?}"), "Connections { idle: 3, .. }");
    // The connections' ends must arrive first.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    get().await;
    assert_eq!(format!("{transport:?}"), "Connections { idle: 1, .. }");
}

#[tokio::test]
async fn a_request_takes_one_idle_connection_and_leaves_the_others() {
    let server = Server::answers(&[OK]).await;
    let (client, made) = plain(&server);
    let get = || async { text(client.get(server.uri("/")).send().await.unwrap()).await };
    tokio::join!(get(), get());
    get().await;
    tokio::join!(get(), get());
    assert_eq!(made.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_that_is_still_read_from_is_passed_over_and_kept() {
    let rest = Arc::new(Notify::new());
    let sends = Arc::clone(&rest);
    let server = Server::start(move |mut peer| {
        let sends = Arc::clone(&sends);
        async move {
            while let Some(count) = peer.next().await {
                if count == 0 {
                    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf").await;
                    sends.notified().await;
                    peer.send("rest").await;
                } else {
                    peer.send(OK).await;
                }
            }
        }
    })
    .await;
    let (client, made) = plain(&server);
    let get = || async { client.get(server.uri("/")).send().await.unwrap() };
    let (first, second) = (get().await, get().await);
    rest.notify_one();
    assert_eq!((text(first).await, text(second).await), ("halfrest".to_owned(), "fine".to_owned()));
    tokio::join!(async { text(get().await).await }, async { text(get().await).await });
    assert_eq!(made.load(Ordering::SeqCst), 2);
}

/// Answers one request on each of two connections, closes the connection on a message, and reports
/// that it did.
fn closing_when_told(
    listener: std::net::TcpListener,
    (told, closed): (mpsc::Receiver<()>, mpsc::Sender<()>),
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"order") {
                let mut more = [0; 1024];
                let length = stream.read(&mut more).unwrap();
                read.extend(&more[..length]);
            }
            stream.write_all(OK.as_bytes()).unwrap();
            told.recv().unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    })
}

#[test]
fn a_request_that_an_idle_connection_hands_back_goes_over_another_at_once() {
    // Polls the sockets between a connection's two turns, so that it sees its end before it takes
    // the request.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().event_interval(1).build().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ((close, told), (closed, is_closed)) = (mpsc::channel(), mpsc::channel());
    let server = closing_when_told(listener, (told, closed));
    runtime.block_on(async {
        let transport = Connections::new(move || async move {
            let stream = TcpStream::connect(address).await?;
            let (sender, connection) = http1::handshake::<_, Bytewise>(TokioIo::new(stream)).await?;
            let (mut connection, mut is_waiting) = (Box::pin(connection), false);
            tokio::spawn(std::future::poll_fn(move |cx| {
                is_waiting = !is_waiting;
                if is_waiting {
                    cx.waker().wake_by_ref();
                    return std::task::Poll::Pending;
                }
                connection.as_mut().poll(cx)
            }));
            Ok::<_, BoxError>(sender)
        });
        let client = RetryingClient::new(transport, policy(retry()));
        let uri: Uri = format!("http://{address}/").parse().unwrap();
        for _ in 0..2 {
            let response = client.post(uri.clone(), "order").send().await.unwrap();
            assert_eq!(summary(&response).attempts(), 1);
            text(response).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            // Nothing runs here while this waits.
            close.send(()).unwrap();
            is_closed.recv().unwrap();
        }
    });
    server.join().unwrap();
}

#[tokio::test]
async fn a_connection_that_dies_under_a_request_is_a_failure() {
    let server = Server::start(|mut peer| async move {
        match peer.next().await {
            Some(0 | 2) | None => {}
            Some(_) => drop(peer.send(OK).await),
        }
    })
    .await;
    let (client, made) = plain(&server);
    assert_eq!(summary(&client.get(server.uri("/")).send().await.unwrap()).attempts(), 2);
    let outcome = client.post(server.uri("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), outcome.retry_forbidden()), (1, Some("not_idempotent")));
    assert_eq!(outcome.last_class(), Some(ErrorClass::Transient));
    assert!(outcome.last_error().unwrap().is_incomplete());
    assert_eq!(made.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_request_is_retried_if_no_connection_was_made() {
    let made = AtomicU32::new(0);
    let transport = Connections::new(|| {
        made.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err::<SendRequest<Bytewise>, _>("no listener"))
    });
    let policy = policy(retry());
    let client = RetryingClient::new(transport, policy);
    let outcome = client.post(Uri::from_static("/"), "order").execute().await;
    assert_eq!((outcome.attempts(), made.load(Ordering::SeqCst)), (3, 3));
    assert_eq!(outcome.last_class(), Some(ErrorClass::Transient));
    assert_eq!(outcome.last_error().unwrap().source().unwrap().to_string(), "no listener");
}

/// Counts how often it wakes.
#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Each polls the connection in use for readiness, and a hyper connection keeps one waker.
#[tokio::test]
async fn requests_that_wait_for_connections_do_not_wake_each_other() {
    let server = Server::start(stalls).await;
    let (address, made) = (server.address(), AtomicU32::new(0));
    let transport = Connections::new(|| {
        let is_first = made.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if !is_first {
                std::future::pending::<()>().await;
            }
            open(address).await
        }
    });
    let client = RetryingClient::new(transport, policy(retry()));
    let unread = client.get(server.uri("/")).send().await.unwrap();
    let wakes = [Arc::<Wakes>::default(), Arc::<Wakes>::default()];
    let mut calls = [(); 2].map(|()| Box::pin(client.get(server.uri("/")).send()));
    let mut poll = || {
        for (call, wakes) in calls.iter_mut().zip(&wakes) {
            let waker = Waker::from(Arc::clone(wakes));
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        wakes.iter().map(|wakes| wakes.0.load(Ordering::SeqCst)).sum::<u32>()
    };
    // The connections get one turn before others are opened.
    poll();
    let woken = poll();
    assert_eq!((poll(), poll()), (woken, woken));
    drop(unread);
}

/// The second connection never comes about, and the first comes back only after the request waits.
#[tokio::test]
async fn a_request_that_waits_for_an_opening_takes_a_connection_that_comes_back() {
    let (heard, answered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (hears, answers) = (Arc::clone(&heard), Arc::clone(&answered));
    let server = Server::start(move |mut peer| {
        let (hears, answers) = (Arc::clone(&hears), Arc::clone(&answers));
        async move {
            while peer.next().await.is_some() {
                hears.notify_one();
                answers.notified().await;
                peer.send(OK).await;
            }
        }
    })
    .await;
    let (address, made, waits) = (server.address(), AtomicU32::new(0), Arc::new(Notify::new()));
    let second_opens = Arc::clone(&waits);
    let transport = Connections::new(move || {
        let is_first = made.fetch_add(1, Ordering::SeqCst) == 0;
        let second_opens = Arc::clone(&second_opens);
        async move {
            if !is_first {
                second_opens.notify_one();
                std::future::pending::<()>().await;
            }
            open(address).await
        }
    });
    let client = RetryingClient::new(transport, policy(retry()));
    let call = async || text(client.get(server.uri("/")).send().await.unwrap()).await;
    let second = async {
        heard.notified().await;
        call().await
    };
    let order = async {
        waits.notified().await;
        answered.notify_one();
        heard.notified().await;
        answered.notify_one();
    };
    tokio::join!(call(), second, order);
    assert_eq!(server.connections(), [0, 0]);
}

#[tokio::test]
async fn a_connection_that_is_closed_when_it_comes_is_none() {
    let server = Server::start(|peer| async move { drop(peer) }).await;
    let address = server.address();
    let transport = Connections::new(move || async move {
        let stream = TcpStream::connect(address).await?;
        let (sender, connection) = http1::handshake::<_, Bytewise>(TokioIo::new(stream)).await?;
        drop(connection);
        Ok::<_, BoxError>(sender)
    });
    let outcome = RetryingClient::new(transport, policy(retry())).post(server.uri("/"), "order").execute().await;
    assert_eq!(outcome.attempts(), 3);
    assert!(outcome.last_error().unwrap().is_unsent(), "{outcome:?}");
}

/// All requests over one connection, also those under way at once.
#[cfg(feature = "http2")]
#[tokio::test]
async fn http2_requests_share_a_connection() {
    use hyper::client::conn::http2;
    use hyper_util::rt::TokioExecutor;
    use std::convert::Infallible;
    use tokio::net::TcpListener;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, asked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (connections, requests) = (Arc::clone(&accepted), Arc::clone(&asked));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            let requests = Arc::clone(&requests);
            let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let is_first = requests.fetch_add(1, Ordering::SeqCst) == 0;
                assert_eq!(request.uri().path(), "/a");
                let answer = http::Response::builder().status(if is_first { 503 } else { 200 });
                std::future::ready(Ok::<_, Infallible>(answer.body(Bytewise::from("answer")).unwrap()))
            });
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    let transport = Connections::new(move || async move {
        let stream = TcpStream::connect(address).await?;
        let (sender, connection) =
            http2::handshake::<_, _, Bytewise>(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok::<_, BoxError>(sender)
    });
    let client = RetryingClient::new(transport, policy(retry()));
    let uri: Uri = format!("http://{address}/a").parse().unwrap();
    let response = client.put(uri.clone(), "body").send().await.unwrap();
    assert_eq!(summary(&response).attempts(), 2);
    // The previous response is unread, and the next two arrive at once.
    let (first, second) = tokio::join!(client.get(uri.clone()).send(), client.get(uri).send());
    assert_eq!((text(first.unwrap()).await, text(second.unwrap()).await), ("answer".into(), "answer".into()));
    assert_eq!(text(response).await, "answer");
    assert_eq!((accepted.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (1, 4));
}

#[cfg(feature = "http2")]
mod opened_once {
    use std::future::{pending, poll_fn};
    use std::pin::pin;

    use hyper::client::conn::http2::{SendRequest, handshake};
    use hyper_util::rt::TokioExecutor;
    use redress_fixtures::FrameServer;
    use redress_fixtures::frames::{goaway, ok};
    use tokio::sync::Semaphore;

    use super::*;

    async fn open(address: SocketAddr) -> Result<SendRequest<Bytewise>, BoxError> {
        let stream = TokioIo::new(TcpStream::connect(address).await?);
        let (sender, connection) = handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    #[tokio::test]
    async fn requests_at_once_wait_for_one_connection() {
        let server = FrameServer::answers(|_, stream| ok(stream)).await;
        let (address, gate) = (server.address(), Arc::new(Semaphore::new(0)));
        let held = Arc::clone(&gate);
        let transport = Connections::new(move || {
            let gate = Arc::clone(&held);
            async move {
                gate.acquire().await?.forget();
                open(address).await
            }
        });
        let client = RetryingClient::new(transport, policy(retry()));
        let mut calls: Vec<_> = (0..50).map(|_| Box::pin(client.get(server.uri()).send())).collect();
        // All of them have begun before the connection may be opened.
        poll_fn(|cx| {
            assert!(calls.iter_mut().all(|call| call.as_mut().poll(cx).is_pending()));
            std::task::Poll::Ready(())
        })
        .await;
        gate.add_permits(50);
        for call in calls {
            assert_eq!(call.await.unwrap().status(), 200);
        }
        assert_eq!(server.heard(), (50, 1));
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_while_it_opens_leaves_that_to_another() {
        let server = FrameServer::answers(|_, stream| ok(stream)).await;
        let (address, made) = (server.address(), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&made);
        let transport = Connections::new(move || {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            async move { if is_first { pending().await } else { open(address).await } }
        });
        let client = RetryingClient::new(transport, policy(retry()));
        let mut second = pin!(client.get(server.uri()).send());
        {
            let mut first = Box::pin(client.get(server.uri()).send());
            poll_fn(|cx| {
                assert!(first.as_mut().poll(cx).is_pending() && second.as_mut().poll(cx).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            assert_eq!(made.load(Ordering::SeqCst), 1);
        }
        assert_eq!(second.await.unwrap().status(), 200);
        assert_eq!(server.heard(), (1, 1));
    }

    #[tokio::test]
    async fn a_connection_that_goes_away_is_replaced_within_the_attempt() {
        let server = FrameServer::answers(|_, stream| [ok(stream), goaway(stream, 0)].concat()).await;
        let address = server.address();
        let client = RetryingClient::new(Connections::new(move || open(address)), policy(retry()));
        for connections in 1..=3 {
            let response = client.post(server.uri(), "order").send().await.unwrap();
            assert_eq!((response.status().as_u16(), summary(&response).attempts()), (200, 1));
            assert_eq!(server.heard(), (connections, connections));
            // The connection's end must arrive first, or the next request meets it.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn a_failure_to_open_is_that_of_all_who_wait() {
        let made = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&made);
        let transport = Connections::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                Err::<SendRequest<Bytewise>, _>(refused)
            }
        });
        let client = RetryingClient::new(transport, policy(retry().max_attempts(1)));
        let uri = Uri::from_static("http://localhost/");
        let (first, second) = tokio::join!(client.get(uri.clone()).send(), client.get(uri).send());
        for failed in [first, second] {
            let error = failed.unwrap_err();
            assert_eq!(error.last_class(), Some(ErrorClass::Transient));
            let kind =
                redress_core::classify::source_chain(&error).find_map(|error| error.downcast_ref::<std::io::Error>());
            assert_eq!(kind.map(std::io::Error::kind), Some(std::io::ErrorKind::ConnectionRefused));
            let shared = error.error().and_then(Error::source).unwrap();
            assert_eq!(
                (shared.to_string().as_str(), format!("{shared:?}").as_str()),
                ("connection refused", "Kind(ConnectionRefused)")
            );
        }
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }
}
