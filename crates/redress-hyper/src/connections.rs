//! Plain connections of [`hyper::client::conn`], kept while they can be used and opened anew when they cannot.
//!
//! Owns the connections that are idle. How one is opened, and what drives it, is the caller's. Knows no policy.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;

use crate::connection::Connection;
use crate::error::HyperError;
use crate::transport::Transport;

/// Sends over connections that a function of yours opens. All of them have to lead to the same place: the request's host is
/// not looked at, except, over HTTP/1, for the `Host` header of a request that has none.
///
/// An HTTP/1 connection is used for one request at a time, and again when its response was read to the end; requests at the same time have
/// one each. An HTTP/2 connection (feature `http2`) is used for all. One that was closed is given up: a connection cannot be revived, so the
/// next attempt opens another. A request that an idle connection hands back unsent, because it was just being closed, goes
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
/// use redress::integration::hyper::Connections;
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
pub struct Connections<F, S>(Arc<Shared<F, S>>);

struct Shared<F, S> {
    open: F,
    idle: Mutex<Vec<S>>,
}

impl<F, S> Connections<F, S> {
    fn idle(&self) -> MutexGuard<'_, Vec<S>> {
        // Nothing is done under the lock that could leave a half-changed list.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F, S: Connection> Connections<F, S> {
    /// Opens connections with `open`, which sees to it that each of them is driven.
    pub fn new<Fut, E>(open: F) -> Self
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self(Arc::new(Shared { open, idle: Mutex::new(Vec::new()) }))
    }

    /// A connection that is ready for a request. Those that are closed are dropped on the way.
    fn poll_idle(&self, cx: &mut Context<'_>) -> Option<S> {
        let mut idle = self.idle();
        let mut ready = None;
        let mut index = 0;
        while let Some(sender) = idle.get_mut(index) {
            match sender.poll_ready(cx) {
                Poll::Ready(Ok(())) if ready.is_none() => {
                    ready = sender.share();
                    match ready {
                        Some(_) => index += 1,
                        None => ready = Some(idle.swap_remove(index)),
                    }
                }
                Poll::Ready(Err(_)) => drop(idle.swap_remove(index)),
                Poll::Ready(Ok(())) | Poll::Pending => index += 1,
            }
        }
        ready
    }

    /// A connection, and whether it has been used before.
    async fn acquire<Fut, E>(&self) -> Result<(S, bool), HyperError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
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

impl<F, Fut, E, S> Transport for Connections<F, S>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<S, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
    S: Connection,
{
    type RequestBody = S::Body;
    type ResponseBody = Incoming;

    async fn send(self, request: Request<S::Body>) -> Result<Response<Incoming>, HyperError> {
        let mut request = S::on_the_wire(request);
        loop {
            let (mut sender, is_used) = self.acquire().await?;
            let shared = sender.share();
            let is_shared = shared.is_some();
            if !is_used {
                self.idle().extend(shared);
            }
            let mut error = match sender.try_send(request).await {
                Ok(response) => {
                    if !is_shared {
                        self.idle().push(sender);
                    }
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

impl<F, S> Clone for Connections<F, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F, S> fmt::Debug for Connections<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("idle", &self.idle().len()).finish_non_exhaustive()
    }
}
