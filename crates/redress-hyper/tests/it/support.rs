//! Scripted servers and clients for them. A server's script is a function of each connection.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::driver::{NoTimer, Timer};
use redress_core::policy::{Async, PolicyBuilder, RetryBuilder};
use redress_core::{AsyncPolicy, OutcomeSummary, Retry, fixed};
use redress_hyper::{HyperClassifier, HyperError, RetryingClient, hyper_classifier};
use redress_tokio::TokioTimer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

pub(crate) type Bytewise = Full<Bytes>;
pub(crate) type Pooled<B = Bytewise> = Client<HttpConnector, B>;
pub(crate) type TestPolicy<Tm = TokioTimer> = AsyncPolicy<HyperClassifier, Tm>;

/// A request as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Counted from 0.
    pub(crate) connection: usize,
    /// The first line.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A server on 127.0.0.1 that records requests.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Server {
    /// Plays `part` on every connection.
    pub(crate) async fn start<F, Fut>(part: F) -> Self
    where
        F: Fn(Peer) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), arrived: Arc::default() };
        let arrived = Arc::clone(&server.arrived);
        tokio::spawn(async move {
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(part(Peer { number, stream, read: Vec::new(), arrived: Arc::clone(&arrived) }));
            }
        });
        server
    }

    /// Answers the requests of all connections with these, in order, and further ones with the
    /// last.
    pub(crate) async fn answers(answers: &[&str]) -> Self {
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        Self::start(move |mut peer| {
            let answers = answers.clone();
            async move {
                while let Some(count) = peer.next().await {
                    let answer = answers.get(count).or_else(|| answers.last()).unwrap();
                    peer.send(answer).await;
                }
            }
        })
        .await
    }

    pub(crate) fn uri(&self, path: &str) -> Uri {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// On which connection each request came.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.arrived().iter().map(|arrived| arrived.connection).collect()
    }
}

/// One connection, seen from the server.
pub(crate) struct Peer {
    pub(crate) number: usize,
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Peer {
    /// The next request, whole; its number among those of all connections, from 0. `None` when the
    /// client has closed.
    pub(crate) async fn next(&mut self) -> Option<usize> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers: HeaderMap = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let body = match headers.get("content-length") {
            Some(length) => self.exactly(length.to_str().unwrap().parse().unwrap()).await?,
            None if headers.contains_key("transfer-encoding") => self.chunks().await?,
            None => Vec::new(),
        };
        let mut arrived = self.arrived.lock().unwrap();
        arrived.push(Arrived { connection: self.number, line, headers, body });
        Some(arrived.len() - 1)
    }

    /// Sends this. A client that has gone away is no error here.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Waits until the client closes.
    pub(crate) async fn closed(&mut self) {
        while self.fill().await.is_some() {}
    }

    /// Waits until the client closes or writes something.
    pub(crate) async fn closed_or_written(&mut self) {
        let _ = self.fill().await;
    }

    /// Closes with a reset instead of an end.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            self.fill().await?;
        }
        Some(self.read.drain(..length).collect())
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = self.read.windows(2).position(|bytes| bytes == b"\r\n") {
                    break end;
                }
                self.fill().await?;
            };
            let size: Vec<u8> = self.read.drain(..end + 2).collect();
            let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
            let chunk = self.exactly(size + 2).await?;
            if size == 0 {
                return Some(body);
            }
            body.extend(&chunk[..size]);
        }
    }

    async fn fill(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.read).await;
        read.is_ok_and(|read| read > 0).then_some(())
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
pub(crate) const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy";

pub(crate) fn pooled<B>() -> Pooled<B>
where
    B: Body + Send,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens a plain connection, and drives it.
pub(crate) async fn open(address: SocketAddr) -> Result<SendRequest<Bytewise>, BoxError> {
    let (sender, connection) = handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Three attempts without a wait between them.
pub(crate) fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3)
}

pub(crate) fn policy(retry: RetryBuilder) -> TestPolicy {
    policy_on(TokioTimer, retry)
}

pub(crate) fn policy_on<Tm>(timer: Tm, retry: RetryBuilder) -> TestPolicy<Tm> {
    builder_on(timer, retry).build().unwrap()
}

pub(crate) fn builder_on<Tm>(timer: Tm, retry: RetryBuilder) -> PolicyBuilder<HyperClassifier, Async<Tm>> {
    AsyncPolicy::<_, NoTimer>::builder().timer(timer).classifier(hyper_classifier()).retry(retry)
}

/// A client that waits for nothing and drains for as long as it takes.
pub(crate) fn client() -> RetryingClient<Pooled, TestPolicy> {
    RetryingClient::new(pooled(), policy(retry())).drain(65536, HOUR)
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn summary<B>(response: &Response<B>) -> &OutcomeSummary {
    response.extensions().get().unwrap()
}

pub(crate) async fn text<B>(response: Response<B>) -> String
where
    B: Body<Error: std::fmt::Debug>,
{
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

pub(crate) fn put<B>(uri: Uri, body: B) -> Request<B> {
    Request::put(uri).body(body).unwrap()
}

/// A timer whose waits end when the bell rings: each ring ends one wait, even one that has not
/// begun.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

impl Timer for Bell {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        let bell = Arc::clone(&self.0);
        Box::pin(async move { bell.notified().await })
    }
}

/// The predicates that are true for an error.
pub(crate) fn answers(error: &HyperError) -> Vec<&'static str> {
    let questions = [
        ("connect", error.is_connect()),
        ("unsent", error.is_unsent()),
        ("own", error.is_own()),
        ("connection", error.is_connection()),
        ("request", error.is_request()),
        ("body", error.is_body()),
        ("discarded", error.is_discarded()),
        ("timeout", error.is_timeout()),
        ("incomplete", error.is_incomplete()),
        ("parse", error.is_parse()),
    ];
    questions.into_iter().filter(|(_, is_so)| *is_so).map(|(question, _)| question).collect()
}
