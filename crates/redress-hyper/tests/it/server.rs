//! Servers to test against, and clients to test with.
//!
//! Owns an orderly server over hyper, which notes what it was sent, and one that plays scripts, byte by byte.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use redress_core::{Retry, fixed};
use redress_hyper::{HyperClassifier, RetryingClient, hyper_classifier};
use redress_tokio::{AsyncPolicy, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) type Pooled<B = Full<Bytes>> = Client<HttpConnector, B>;
pub(crate) type Policy = AsyncPolicy<HyperClassifier>;

/// A request as the server had it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) connection: usize,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

/// A server on a socket of its own.
pub(crate) struct Server<S> {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<S>>>,
}

impl<S: Clone> Server<S> {
    pub(crate) fn uri(&self, path: &str) -> Uri {
        format!("http://{}{path}", self.address).parse().expect("a URI")
    }

    pub(crate) fn seen(&self) -> Vec<S> {
        self.seen.lock().expect("no panic").clone()
    }
}

impl Server<Seen> {
    /// The connection each request came over, counted from 0.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.seen().iter().map(|seen| seen.connection).collect()
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// An orderly server: `answer` is given each request and its number, counted from 1.
pub(crate) async fn serve<A>(answer: A) -> Server<Seen>
where
    A: Fn(&Seen, usize) -> Response<Full<Bytes>> + Clone + Send + 'static,
{
    let (listener, address) = listen().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            let (answer, notes) = (answer.clone(), Arc::clone(&notes));
            let service = service_fn(move |request: Request<Incoming>| {
                let (answer, notes) = (answer.clone(), Arc::clone(&notes));
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                    let request = Seen { connection, head, body };
                    let number = {
                        let mut notes = notes.lock().expect("no panic");
                        notes.push(request.clone());
                        notes.len()
                    };
                    Ok::<_, Infallible>(answer(&request, number))
                }
            });
            let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving);
        }
    });
    Server { address, seen }
}

/// What a scripted connection does when it has been sent a request.
#[derive(Clone, Copy)]
pub(crate) enum Script {
    /// Says this and closes.
    Say(&'static str),
    /// Says this and resets the connection.
    Reset(&'static str),
    /// Says this and nothing more, and holds the connection open.
    Hold(&'static str),
    /// Says the first and then the second for ever.
    Repeat(&'static str, &'static str),
    /// Says this, and again for each request that follows.
    Keep(&'static str),
}

/// A server whose n-th connection plays the n-th script, and further ones the last. Notes the bytes of each request.
pub(crate) async fn play(scripts: &'static [Script]) -> Server<String> {
    let (listener, address) = listen().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            let script = scripts[connection.min(scripts.len() - 1)];
            tokio::spawn(run(stream, script, Arc::clone(&notes)));
        }
    });
    Server { address, seen }
}

async fn run(mut stream: TcpStream, script: Script, notes: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    loop {
        let Some(request) = read_request(&mut stream).await? else { return Ok(()) };
        notes.lock().expect("no panic").push(request);
        match script {
            Script::Keep(text) => stream.write_all(text.as_bytes()).await?,
            Script::Say(text) => return stream.write_all(text.as_bytes()).await,
            Script::Reset(text) => {
                stream.write_all(text.as_bytes()).await?;
                return stream.set_zero_linger();
            }
            Script::Hold(text) => {
                stream.write_all(text.as_bytes()).await?;
                // Ends when the other side closes.
                while stream.read(&mut [0; 64]).await? > 0 {}
                return Ok(());
            }
            Script::Repeat(first, then) => {
                stream.write_all(first.as_bytes()).await?;
                loop {
                    stream.write_all(then.as_bytes()).await?;
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// A head and as much body as its `content-length` says.
async fn read_request(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await?;
        if read == 0 {
            return Ok(None);
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lengths = head.lines().filter_map(|line| line.strip_prefix("content-length: "));
            let length = lengths.last().and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
            if body.len() >= length {
                return Ok(Some(text));
            }
        }
    }
}

pub(crate) fn retry(attempts: u32) -> redress_core::RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(attempts)
}

pub(crate) fn policy(attempts: u32) -> Policy {
    AsyncPolicy::builder().classifier(hyper_classifier()).retry(retry(attempts)).build().expect("a valid policy")
}

pub(crate) fn pooled<B>() -> Pooled<B>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

/// A client of a pool of its own, with this many attempts and no delays.
pub(crate) fn client(attempts: u32) -> RetryingClient<Pooled, HyperClassifier, TokioTimer> {
    RetryingClient::new(pooled(), policy(attempts))
}

pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(body.into())).expect("a valid response")
}

pub(crate) async fn text<B>(body: B) -> String
where
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}
