//! A retry uses another connection if the response blames the connection, and the transport
//! receives a `Repetition`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::TokioIo;
use redress_core::{CircuitBreaker, Classifier, ErrorClass};
use redress_hyper::{
    ClientService, Connections, HyperError, LastFailure, Repetition, RetryingClient, Transport, hyper_classifier,
};
use tokio::net::TcpStream;
use tower_service::Service as _;

use crate::support::{Bell, Bytewise, HOUR, OK, Server, builder_on, client, open, policy, retry, text};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A server whose first connections return this status, and whose others work.
async fn misdirecting(status: u16, bad_connections: usize) -> Server {
    Server::start(move |mut peer| async move {
        while peer.next().await.is_some() {
            match peer.number < bad_connections {
                true => peer.send(format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")).await,
                false => peer.send(OK).await,
            };
        }
    })
    .await
}

fn plain(server: &Server) -> impl Transport<RequestBody = Bytewise> + use<> {
    let address = server.address();
    Connections::new(move || open(address))
}

async fn is_answered_over_the_second<T: Transport<RequestBody = Bytewise>>(server: &Server, transport: T) {
    let client = RetryingClient::new(transport, policy(retry())).drain(65_536, HOUR);
    let outcome = client.get(server.uri("/")).execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts(), server.connections()), (true, 2, vec![0, 1]));
    // Nor does the next call take it, though its response was read.
    drop(text(outcome.into_result().unwrap()).await);
    assert!(client.get(server.uri("/")).send().await.is_ok());
    assert!(!server.connections()[2..].contains(&0), "{:?}", server.connections());
}

#[tokio::test]
async fn a_misdirected_request_goes_over_another_connection() {
    for status in [421, 408] {
        let server = misdirecting(status, 1).await;
        is_answered_over_the_second(&server, crate::support::pooled::<Bytewise>()).await;
        let server = misdirecting(status, 1).await;
        is_answered_over_the_second(&server, plain(&server)).await;
    }
}

#[tokio::test]
async fn connections_as_old_as_a_misdirected_one_are_given_up_with_it() {
    // The first two connections are good for one request each.
    let server = Server::start(|mut peer| async move {
        for count in 0.. {
            if peer.next().await.is_none() {
                return;
            }
            match peer.number < 2 && count > 0 {
                true => peer.send("HTTP/1.1 421 x\r\ncontent-length: 0\r\n\r\n").await,
                false => peer.send(OK).await,
            };
        }
    })
    .await;
    let client = RetryingClient::new(plain(&server), policy(retry())).drain(65_536, HOUR);
    let (first, second) = tokio::join!(client.get(server.uri("/")).send(), client.get(server.uri("/")).send());
    assert_eq!((text(first.unwrap()).await, text(second.unwrap()).await), ("fine".to_owned(), "fine".to_owned()));
    // One of the two is taken, and the retry takes neither.
    let outcome = client.get(server.uri("/")).execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 2));
    assert_eq!(server.connections()[3..], [2]);
}

/// The caller's extensions and the capture of the connection do not interfere.
#[tokio::test]
async fn a_request_with_extensions_goes_over_another_connection_too() {
    let server = misdirecting(421, 1).await;
    let client = RetryingClient::new(crate::support::pooled::<Bytewise>(), policy(retry())).drain(65_536, HOUR);
    let request = Request::get(server.uri("/")).extension(7_u32).body("").unwrap();
    let outcome = client.request(request).execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts(), server.connections()), (true, 2, vec![0, 1]));
}

#[tokio::test]
async fn a_callers_capture_of_the_connection_works() {
    let server = Server::answers(&[OK]).await;
    let mut request = Request::get(server.uri("/")).body(Bytewise::default()).unwrap();
    let captured = capture_connection(&mut request);
    assert!(client().send(request).await.is_ok());
    assert!(captured.connection_metadata().is_some());
}

#[tokio::test]
async fn an_answer_that_is_not_about_the_connection_leaves_it_in_use() {
    for status in [425, 429, 503] {
        let server = Server::answers(&[&format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n"), OK]).await;
        let client = RetryingClient::new(plain(&server), policy(retry())).drain(65_536, HOUR);
        assert!(client.get(server.uri("/")).send().await.is_ok());
        assert_eq!(server.connections(), [0, 0], "{status}");
    }
}

/// Records each request's repetition, and fails by the script.
#[derive(Clone)]
struct Told {
    told: Arc<Mutex<Vec<Option<Repetition>>>>,
    fail: fn(usize) -> Option<Result<u16, HyperError>>,
}

impl Transport for Told {
    type RequestBody = String;
    type ResponseBody = String;

    async fn send(self, request: Request<String>) -> Result<Response<String>, HyperError> {
        let count = {
            let mut told = self.told.lock().unwrap();
            told.push(Repetition::of(request.extensions()).copied());
            told.len()
        };
        let Some(answer) = (self.fail)(count) else { return std::future::pending().await };
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::from_u16(answer?).unwrap();
        Ok(response)
    }
}

#[tokio::test]
async fn a_transport_receives_the_attempt_and_its_reason() {
    let fail: fn(usize) -> _ = |count| match count {
        1 => Some(Ok(421)),
        2 => Some(Ok(503)),
        3 => Some(Err(HyperError::connect("no listener"))),
        4 => Some(Err(HyperError::exchange("it broke"))),
        5 => None,
        _ => Some(Ok(200)),
    };
    let transport = Told { told: Arc::default(), fail };
    let bell = Bell::default();
    let policy = builder_on(bell.clone(), retry().max_attempts(9)).attempt_timeout(HOUR).build().unwrap();
    let client = RetryingClient::new(transport, policy).drain(0, Duration::ZERO);
    bell.ring();
    assert!(client.put(Uri::from_static("/"), String::new()).send().await.is_ok());
    let told = client.transport().told.lock().unwrap().clone();
    let why = [
        LastFailure::Answer(StatusCode::MISDIRECTED_REQUEST),
        LastFailure::Answer(StatusCode::SERVICE_UNAVAILABLE),
        LastFailure::Connection,
        LastFailure::Connection,
        LastFailure::Timeout,
    ];
    let expected = why.into_iter().zip(2..).map(|(why, attempt)| Some(Repetition::new(attempt, why)));
    assert_eq!(told, [None].into_iter().chain(expected).collect::<Vec<_>>());
    let fresh: Vec<_> = told.iter().flatten().map(Repetition::wants_fresh_connection).collect();
    assert_eq!(fresh, [true, false, true, true, false]);
}

/// Records each request's repetition, and sends it.
#[cfg(feature = "http2")]
#[derive(Clone)]
struct Noted<T>(T, Arc<Mutex<Vec<Option<Repetition>>>>);

#[cfg(feature = "http2")]
impl<T: Transport> Transport for Noted<T> {
    type RequestBody = T::RequestBody;
    type ResponseBody = T::ResponseBody;

    async fn send(self, request: Request<T::RequestBody>) -> Result<Response<T::ResponseBody>, HyperError> {
        self.1.lock().unwrap().push(Repetition::of(request.extensions()).copied());
        self.0.send(request).await
    }
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_stream_that_is_reset_says_nothing_about_its_connection() {
    use hyper_util::rt::TokioExecutor;
    use redress_fixtures::FrameServer;
    use redress_fixtures::frames::{ok, reset};

    let server = FrameServer::answers(|number, stream| if number == 0 { reset(stream, 2) } else { ok(stream) }).await;
    let address = server.address();
    let transport = Connections::new(move || async move {
        let stream = TokioIo::new(TcpStream::connect(address).await?);
        let (sender, connection) =
            hyper::client::conn::http2::handshake::<_, _, Bytewise>(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        Ok::<_, BoxError>(sender)
    });
    let client = RetryingClient::new(Noted(transport, Arc::default()), policy(retry()));
    let outcome = client.get(server.uri()).execute().await;
    assert_eq!((outcome.is_ok(), outcome.attempts(), server.heard()), (true, 2, (2, 1)));
    let told = client.transport().1.lock().unwrap().clone();
    assert_eq!(told, [None, Some(Repetition::new(2, LastFailure::Error))]);
}

#[tokio::test]
async fn what_is_secret_in_a_uri_stays_here() {
    let server = Server::answers(&[OK]).await;
    let uri: Uri = server.uri("/a?token=secret").to_string().replace("//", "//user:secret@").parse().unwrap();
    let pooled = client();
    let request = pooled.get(uri.clone());
    let printed = format!("{request:?}");
    assert!(!printed.contains("secret"), "{printed}");
    assert!(printed.starts_with("RetryingRequest { method: GET, uri: "), "{printed}");
    assert!(printed.ends_with("body: ReplayBody { is_replayable: true, .. }, .. }"), "{printed}");
    assert!(request.send().await.is_ok());
    let plain = RetryingClient::new(plain(&server), policy(retry()));
    assert!(plain.get(uri).send().await.is_ok());
    for arrived in server.arrived() {
        assert_eq!(arrived.line, "GET /a?token=secret HTTP/1.1");
        assert_eq!(arrived.header("host"), Some(server.address().to_string().as_str()));
        assert!(!format!("{:?}", arrived.headers).contains("secret"));
    }
}

#[tokio::test]
async fn nothing_is_said_to_be_nothing() {
    let server = Server::answers(&[OK]).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::GET, Method::DELETE] {
        let request = || Request::builder().method(&method).uri(server.uri("/")).body("").unwrap();
        assert!(client().send(request()).await.is_ok());
        assert!(RetryingClient::new(plain(&server), policy(retry())).send(request()).await.is_ok());
    }
    let lengths: Vec<_> =
        server.arrived().iter().map(|arrived| arrived.header("content-length").map(str::to_owned)).collect();
    let zero = || Some("0".to_owned());
    assert_eq!(lengths, [zero(), zero(), zero(), zero(), zero(), zero(), None, None, None, None]);
}

#[tokio::test]
async fn statuses_and_kinds_are_labels() {
    let failed = |status: u16| {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok::<_, HyperError>(response)
    };
    assert_eq!(hyper_classifier().classify(&failed(503)).unwrap().detail("status"), Some("503"));
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let failure = hyper_classifier().classify(&Err::<Response<()>, _>(HyperError::exchange(reset))).unwrap();
    assert_eq!((failure.class(), failure.detail("io")), (ErrorClass::Transient, Some("ConnectionReset")));
    assert!(!failure.is_unsent());
}

#[tokio::test]
async fn a_server_that_lacks_a_method_is_well() {
    for status in [501, 505] {
        let server = Server::answers(&[&format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")]).await;
        let breaker = CircuitBreaker::builder().failure_threshold(1).build().unwrap();
        let policy = redress_tokio::AsyncPolicy::builder().classifier(hyper_classifier()).retry(retry());
        let policy = policy.circuit_breaker(&breaker).build().unwrap();
        let outcome =
            RetryingClient::new(crate::support::pooled::<Bytewise>(), policy).get(server.uri("/")).execute().await;
        assert_eq!((outcome.attempts(), breaker.state().as_str()), (1, "closed"), "{status}");
    }
}

#[tokio::test]
async fn a_client_below_a_layer_avoids_the_connection_too() {
    for status in [421, 408] {
        let server = misdirecting(status, 1).await;
        let mut service = ClientService::new(crate::support::pooled::<String>());
        let uri: Uri = server.uri("/").to_string().replace("http://", "http://user:secret@").parse().unwrap();
        let post = || Request::post(uri.clone()).body(String::new()).unwrap();
        assert_eq!(service.call(post()).await.unwrap().status(), status);
        assert_eq!(service.clone().call(post()).await.unwrap().status(), 200);
        assert_eq!(server.connections(), [0, 1]);
        for arrived in server.arrived() {
            assert_eq!(arrived.header("content-length"), Some("0"));
            assert!(!format!("{} {:?}", arrived.line, arrived.headers).contains("secret"), "{}", arrived.line);
        }
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut service = ClientService::new(crate::support::pooled::<String>());
    let refused = service.call(Request::post(format!("http://{closed}/")).body(String::new()).unwrap()).await;
    assert!(refused.is_err_and(|error| error.is_unsent()));
}
