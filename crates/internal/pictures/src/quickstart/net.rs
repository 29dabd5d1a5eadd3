//! The example's network without sockets, which would wait in real time: hyper's client and server
//! speak HTTP over pipes in memory.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use tower_service::Service;

use super::client::{FetchError, Page};

/// A network in one building: a request takes this long to reach its server and return.
const ROUND_TRIP: Duration = Duration::from_millis(2);

const PIPE_BYTES: usize = 16 * 1024;

/// The port of the first listener; each next one has the next port.
const FIRST_PORT: u16 = 8080;

thread_local! {
    static LISTENERS: RefCell<Vec<UnboundedSender<DuplexStream>>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone)]
pub(crate) struct HttpClient(Client<Connector, Empty<Bytes>>);

impl HttpClient {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(Connector))
    }

    pub(crate) async fn get(&self, uri: &Uri) -> Result<Page, FetchError> {
        sleep(ROUND_TRIP).await;
        let (head, body) = self.0.get(uri.clone()).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }
}

pub(crate) struct Listener {
    address: SocketAddr,
    arrivals: Mutex<UnboundedReceiver<DuplexStream>>,
}

impl Listener {
    /// Listens on the next free port.
    pub(crate) async fn bind((_, _): (&str, u16)) -> io::Result<Self> {
        let (sender, arrivals) = unbounded_channel();
        let index = LISTENERS.with_borrow_mut(|listeners| {
            listeners.push(sender);
            listeners.len() - 1
        });
        let port = FIRST_PORT + u16::try_from(index).map_err(io::Error::other)?;
        Ok(Self { address: (Ipv4Addr::LOCALHOST, port).into(), arrivals: Mutex::new(arrivals) })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    pub(crate) async fn accept(&self) -> io::Result<(DuplexStream, SocketAddr)> {
        let stream = self.arrivals.lock().await.recv().await.ok_or(io::ErrorKind::NotConnected)?;
        Ok((stream, self.address))
    }
}

/// Connects to the listener on the port of a URI.
#[derive(Clone, Copy)]
struct Connector;

impl Service<Uri> for Connector {
    type Response = Pipe;
    type Error = io::Error;
    type Future = Ready<io::Result<Pipe>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let index = uri.port_u16().and_then(|port| port.checked_sub(FIRST_PORT)).map(usize::from);
        let (near, far) = duplex(PIPE_BYTES);
        let is_sent = LISTENERS.with_borrow(|listeners| {
            let listener = index.and_then(|index| listeners.get(index));
            listener.is_some_and(|listener| listener.send(far).is_ok())
        });
        ready(if is_sent { Ok(Pipe(TokioIo::new(near))) } else { Err(io::ErrorKind::ConnectionRefused.into()) })
    }
}

/// The client's end of a connection.
struct Pipe(TokioIo<DuplexStream>);

impl Connection for Pipe {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
