//! Plain connections of [`hyper::client::conn`], kept while they can be used and opened anew when
//! they cannot.
//!
//! Owns the connections that are idle. How one is opened, and what drives it, is the caller's.
//! Knows no policy.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use hyper::body::Incoming;
use redress_http::blames_connection;

use crate::connection::Connection;
use crate::error::HyperError;
use crate::opening::{Ended, Opening};
use crate::progress::Progress;
use crate::transport::Transport;
use crate::waiting::{Waiter, Waiting};
use crate::wire::check_length;

type BoxError = Box<dyn Error + Send + Sync>;

/// Sends over connections that a function of yours opens. All of them have to lead to the same
/// place: the request's host is not looked at, except, over HTTP/1, for the `Host` header of a
/// request that has none.
///
/// An HTTP/1 connection is used for one request at a time, and again when its response was read to
/// the end; requests at the same time have one each. An HTTP/2 connection (feature `http2`) is used
/// for all, and while one is being opened the others wait for it. One that was closed is given up:
/// a connection cannot be revived, so the next attempt opens another. A request that an idle
/// connection hands back unsent, because it was just being closed, goes over another one at once;
/// this is no attempt of its own. The rest waits for the policy.
///
/// Clones share the connections. There is no limit to them, and no timeout of idle ones: for that,
/// and for many hosts, take hyper-util's client.
///
/// A connection is retired when an answer or an error says that it is the connection's fault: a
/// 421, a 408, a GOAWAY, a reset. Those that there were when the request was sent are retired with
/// it, since they lead where it led. A retry takes one that is younger, or opens another.
///
/// **Invariant N3**: a connection that broke, or that an answer blamed, gets no request of a later
/// attempt.
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
    idle: Mutex<Idle<S>>,
    waiting: Waiting,
}

struct Idle<S> {
    connections: Vec<Kept<S>>,
    /// How many were begun to be opened.
    begun: u64,
    /// Those with a lower number are retired.
    retired: u64,
    /// Of a connection that will be shared.
    opening: Option<Opening>,
}

/// A connection and its number, in the order in which they were begun to be opened.
struct Kept<S> {
    sender: S,
    number: u64,
}

impl<S> Idle<S> {
    fn keep(&mut self, connection: Kept<S>) {
        if connection.number >= self.retired {
            self.connections.push(connection);
        }
    }

    /// Gives up the connections with numbers below this one.
    fn retire(&mut self, number: u64) {
        self.retired = self.retired.max(number);
        let retired = self.retired;
        self.connections.retain(|connection| connection.number >= retired);
    }

    const fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun - 1
    }
}

impl<F, S> Connections<F, S> {
    fn idle(&self) -> MutexGuard<'_, Idle<S>> {
        // Nothing is done under the lock that could leave a half-changed list.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the opening that is under way, or begins one, so that there is one at a time.
    fn join_opening(&self) -> Joined<'_, F, S> {
        let mut idle = self.idle();
        if let Some(opening) = &idle.opening {
            return Joined::Waiting(opening.clone());
        }
        let opening = idle.opening.insert(Opening::default()).clone();
        Joined::Opening(Held { connections: self, opening, ended: Ended::Over })
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
        let idle = Idle { connections: Vec::new(), begun: 0, retired: 0, opening: None };
        Self(Arc::new(Shared { open, idle: Mutex::new(idle), waiting: Waiting::new() }))
    }

    /// A connection that is ready for a request, or word when one may be.
    fn poll_idle(&self, waiter: &Waiter<'_>, cx: &mut Context<'_>) -> Option<Kept<S>> {
        let asked = waiter.poll(cx, |cx| self.ready(cx).map_or(Poll::Pending, Poll::Ready));
        match asked {
            Poll::Ready(connection) => Some(connection),
            Poll::Pending => None,
        }
    }

    /// Keeps a connection for later requests, and wakes those that wait for one.
    fn keep(&self, connection: Kept<S>) {
        self.idle().keep(connection);
        self.0.waiting.wake();
    }

    /// A connection that is ready now. Those that are closed are dropped on the way.
    fn ready(&self, cx: &mut Context<'_>) -> Option<Kept<S>> {
        let idle = &mut self.idle().connections;
        let mut ready = None;
        let mut index = 0;
        while let Some(Kept { sender, number }) = idle.get_mut(index) {
            match sender.poll_ready(cx) {
                Poll::Ready(Ok(())) if ready.is_none() => {
                    ready = sender.share().map(|sender| Kept { sender, number: *number });
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
    async fn acquire<Fut, E>(&self) -> Result<(Kept<S>, bool), HyperError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let waiter = self.0.waiting.join();
        // A connection whose response was read just now is ready when its task has run: it is given
        // a turn before another is opened.
        let mut has_waited = false;
        let idle = poll_fn(|cx| {
            let ready = self.poll_idle(&waiter, cx);
            if ready.is_some() || has_waited || self.idle().connections.is_empty() {
                return Poll::Ready(ready);
            }
            has_waited = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        if let Some(connection) = idle.await {
            return Ok((connection, true));
        }
        if !S::IS_SHARED {
            return self.open(&waiter).await.map_err(HyperError::connect);
        }
        // RFC 9113, section 9.1: a client should not open more than one connection to the same
        // place.
        loop {
            let opening = match self.join_opening() {
                Joined::Waiting(opening) => opening,
                Joined::Opening(held) => return self.open_for_all(held, &waiter).await,
            };
            let waited = poll_fn(|cx| match self.poll_idle(&waiter, cx) {
                Some(connection) => Poll::Ready(Ok(connection)),
                None => opening.poll_ended(cx).map(Err),
            });
            match waited.await {
                Ok(connection) => return Ok((connection, true)),
                Err(Ended::Failed(error)) => return Err(HyperError::connect(error)),
                Err(Ended::Over) => {}
            }
        }
    }

    /// A new connection, unless another has become idle by then.
    async fn open<Fut, E>(&self, waiter: &Waiter<'_>) -> Result<(Kept<S>, bool), BoxError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
        E: Into<BoxError>,
    {
        let number = self.idle().begin();
        let mut opening = pin!((self.0.open)());
        poll_fn(|cx| {
            if let Some(connection) = self.poll_idle(waiter, cx) {
                return Poll::Ready(Ok((connection, true)));
            }
            let opened = ready!(opening.as_mut().poll(cx));
            Poll::Ready(opened.map(|sender| (Kept { sender, number }, false)).map_err(Into::into))
        })
        .await
    }

    /// A new connection, for which all other requests wait.
    async fn open_for_all<Fut, E>(
        &self,
        mut held: Held<'_, F, S>,
        waiter: &Waiter<'_>,
    ) -> Result<(Kept<S>, bool), HyperError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
        E: Into<BoxError>,
    {
        match self.open(waiter).await {
            Ok((connection, is_used)) => {
                if let (Some(sender), false) = (connection.sender.share(), is_used) {
                    self.idle().keep(Kept { sender, number: connection.number });
                }
                Ok((connection, is_used))
            }
            Err(error) => {
                let error = crate::opening::Shared::from(error);
                held.ended = Ended::Failed(error.clone());
                Err(HyperError::connect(error))
            }
        }
    }
}

/// A request's part in the opening of a connection for all.
enum Joined<'c, F, S> {
    Waiting(Opening),
    Opening(Held<'c, F, S>),
}

/// An opening that others wait for: it ends with the request that opens, also where that is
/// dropped.
struct Held<'c, F, S> {
    connections: &'c Connections<F, S>,
    opening: Opening,
    ended: Ended,
}

impl<F, S> Drop for Held<'_, F, S> {
    fn drop(&mut self) {
        // Still this one: another begins only where there is none.
        self.connections.idle().opening = None;
        self.opening.end(self.ended.clone());
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
        check_length(&request)?;
        let mut request = S::on_the_wire(request);
        let progress = Progress::take(request.extensions_mut());
        loop {
            progress.connects();
            let (mut connection, is_used) = self.acquire().await?;
            progress.sends();
            // Those that there are now lead where this one does; what is opened while it is asked
            // may not.
            let younger = self.idle().begun;
            let mut error = match connection.sender.try_send(request).await {
                Ok(response) => {
                    if blames_connection(response.status()) {
                        self.idle().retire(younger);
                    } else if !S::IS_SHARED {
                        self.keep(connection);
                    }
                    return Ok(response);
                }
                Err(error) => error,
            };
            match error.take_message() {
                Some(unsent) if is_used => request = unsent,
                _ => {
                    let error = HyperError::from(error.into_error());
                    if error.is_connection() {
                        self.idle().retire(younger);
                    }
                    return Err(error);
                }
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
        f.debug_struct("Connections").field("idle", &self.idle().connections.len()).finish_non_exhaustive()
    }
}
