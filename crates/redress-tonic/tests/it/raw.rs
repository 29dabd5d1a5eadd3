//! A plain HTTP/2 server that sends responses that no gRPC server would.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body, Frame};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// One step of a body.
pub(crate) enum Step {
    Data(Bytes),
    Trailers(Vec<(&'static str, &'static str)>),
    /// The stream is reset.
    Reset,
    /// The stream is reset on a message: an immediate reset would discard frames that are not sent
    /// yet.
    ResetWhen(oneshot::Receiver<()>),
    /// Nothing more comes, and no end.
    Hang,
}

/// A response to send.
pub(crate) struct Raw {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    steps: VecDeque<Step>,
}

/// A response of these headers, which says that it is gRPC.
pub(crate) fn grpc(headers: &[(&'static str, &'static str)], steps: impl IntoIterator<Item = Step>) -> Raw {
    let headers = [&[("content-type", "application/grpc")], headers].concat();
    Raw { status: 200, headers, steps: steps.into_iter().collect() }
}

/// A response of something else.
pub(crate) fn http(status: u16, kind: &'static str, text: &'static str) -> Raw {
    let steps = [Step::Data(Bytes::from_static(text.as_bytes()))].into();
    Raw { status, headers: vec![("content-type", kind)], steps }
}

/// A `Pong` with this text as a gRPC message.
pub(crate) fn message(text: &str) -> Step {
    let length = u8::try_from(text.len()).expect("a short text");
    let bytes = [&[0, 0, 0, 0, length + 2, 0x0a, length], text.as_bytes()].concat();
    Step::Data(bytes.into())
}

struct Steps(VecDeque<Step>);

fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let named = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    named.collect()
}

impl Body for Steps {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(Step::ResetWhen(told)) = self.0.front_mut() {
            let _ = ready!(Pin::new(told).poll(cx));
        }
        Poll::Ready(match self.0.pop_front() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::Trailers(pairs)) => Some(Ok(Frame::trailers(map(&pairs)))),
            Some(Step::Reset | Step::ResetWhen(_)) => Some(Err(io::Error::other("reset"))),
            Some(Step::Hang) => return Poll::Pending,
            None => None,
        })
    }
}

/// A server that sends these responses in turn, and its count of requests.
pub(crate) struct RawServer {
    pub(crate) address: SocketAddr,
    count: Arc<Mutex<usize>>,
}

impl RawServer {
    pub(crate) fn requests(&self) -> usize {
        *self.count.lock().expect("no panic")
    }
}

/// Starts a server on a free port. When the responses are used up it answers with the last status
/// again.
pub(crate) async fn serve_raw(responses: impl IntoIterator<Item = Raw>) -> RawServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(Mutex::new(0));
    let responses = Arc::new(Mutex::new(responses.into_iter().collect::<VecDeque<_>>()));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (responses, count) = (Arc::clone(&responses), Arc::clone(&counted));
            let service = service_fn(move |_| {
                *count.lock().expect("no panic") += 1;
                let raw = responses.lock().expect("no panic").pop_front();
                let raw = raw.unwrap_or_else(|| grpc(&[("grpc-status", "12")], []));
                async move { Ok::<_, Infallible>(respond(raw)) }
            });
            tokio::spawn(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service));
        }
    });
    RawServer { address, count }
}

fn respond(raw: Raw) -> Response<Steps> {
    let mut response = Response::new(Steps(raw.steps));
    *response.status_mut() = raw.status.try_into().expect("a status");
    *response.headers_mut() = map(&raw.headers);
    response
}
