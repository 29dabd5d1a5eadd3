//! Plain connections of [`hyper::client::conn`], kept while they can be used and opened anew when they cannot.
//!
//! Owns the connections that are idle. How one is opened, and what drives it, is the caller's. Knows no policy.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::header::{Entry, HOST};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;

use crate::error::HyperError;
use crate::transport::Transport;

/// Sends over HTTP/1.1 connections that a function of yours opens. All of them have to lead to the same place: the request's host is
/// not looked at, except for the `Host` header of a request that has none.
///
/// A connection is used for one request at a time, and again when its response was read to the end; requests at the same time have one
/// each. One that was closed is given up. A request that an idle connection hands back unsent, because it was just being closed, goes
/// over another one at once; this is no attempt of its own. The rest waits for the policy.
///
/// Clones share the connections. There is no limit to them, and no timeout of idle ones: for that, and for many hosts, take
/// hyper-util's client.
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper::client::conn::http1::handshake;
/// use hyper_util::rt::TokioIo;
/// use redress_hyper::Connections;
/// use tokio::net::TcpStream;
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// let connections = Connections::new(|| async {
///     let stream = TcpStream::connect("127.0.0.1:8080").await?;
///     let (sender, connection) = handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await?;
///     tokio::spawn(connection);
///     Ok::<_, BoxError>(sender)
/// });
/// ```
pub struct Connections<F, B>(Arc<Shared<F, B>>);

struct Shared<F, B> {
    open: F,
    idle: Mutex<Vec<SendRequest<B>>>,
}

impl<F, B> Connections<F, B> {
    /// Opens connections with `open`, which sees to it that each of them is driven.
    pub fn new<Fut, E>(open: F) -> Self
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<SendRequest<B>, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self(Arc::new(Shared { open, idle: Mutex::new(Vec::new()) }))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<B>>> {
        // Nothing is done under the lock that could leave a half-changed list.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is ready for a request. Those that are closed are dropped on the way.
    fn poll_idle(&self, cx: &mut Context<'_>) -> Option<SendRequest<B>> {
        let mut idle = self.idle();
        let mut ready = None;
        let mut index = 0;
        while let Some(sender) = idle.get_mut(index) {
            match sender.poll_ready(cx) {
                Poll::Ready(Ok(())) if ready.is_none() => ready = Some(idle.swap_remove(index)),
                Poll::Ready(Err(_)) => drop(idle.swap_remove(index)),
                Poll::Ready(Ok(())) | Poll::Pending => index += 1,
            }
        }
        ready
    }

    /// A connection, and whether it has been used before.
    async fn acquire<Fut, E>(&self) -> Result<(SendRequest<B>, bool), HyperError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<SendRequest<B>, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        // A connection whose response was read just now is ready when its task has run: it is given a turn before another is opened.
        let mut has_waited = false;
        let idle = poll_fn(|cx| {
            let ready = self.poll_idle(cx);
            if ready.is_some() || has_waited || self.idle().is_empty() {
                return Poll::Ready(ready);
            }
            has_waited = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        if let Some(sender) = idle.await {
            return Ok((sender, true));
        }
        let mut opening = pin!((self.0.open)());
        poll_fn(|cx| {
            if let Some(sender) = self.poll_idle(cx) {
                return Poll::Ready(Ok((sender, true)));
            }
            opening.as_mut().poll(cx).map(|opened| opened.map(|sender| (sender, false)).map_err(HyperError::connect))
        })
        .await
    }
}

impl<F, Fut, E, B> Transport for Connections<F, B>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<SendRequest<B>, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
{
    type RequestBody = B;
    type ResponseBody = Incoming;

    async fn send(self, request: Request<B>) -> Result<Response<Incoming>, HyperError> {
        let mut request = to_origin_form(request);
        loop {
            let (mut sender, is_used) = self.acquire().await?;
            let mut error = match sender.try_send_request(request).await {
                Ok(response) => {
                    self.idle().push(sender);
                    return Ok(response);
                }
                Err(error) => error,
            };
            match error.take_message() {
                Some(unsent) if is_used => request = unsent,
                _ => return Err(error.into_error().into()),
            }
        }
    }
}

/// The request as an origin server expects it: a path, and the authority in `Host` ([RFC 9112, sections
/// 3.2.1](https://www.rfc-editor.org/rfc/rfc9112#section-3.2.1) and 3.3).
fn to_origin_form<B>(mut request: Request<B>) -> Request<B> {
    if request.method() == Method::CONNECT {
        return request;
    }
    let Some(authority) = request.uri().authority() else { return request };
    // User and password are not part of it.
    let host = authority.as_str().rsplit('@').next().and_then(|host| HeaderValue::from_str(host).ok());
    if let (Some(host), Entry::Vacant(header)) = (host, request.headers_mut().entry(HOST)) {
        header.insert(host);
    }
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    request
}

impl<F, B> Clone for Connections<F, B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F, B> fmt::Debug for Connections<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("idle", &self.idle().len()).finish_non_exhaustive()
    }
}
