//! A transport over plain connections of [`hyper::client::conn`], which keeps idle connections and
//! opens new ones when needed.

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

/// A [`Transport`] over connections that a function opens. All of them must lead to the same
/// server: the request's host is only used, over HTTP/1, for the `Host` header of a request that
/// has none.
///
/// An HTTP/1 connection carries one request at a time, and is reused when the response was read to
/// the end; concurrent requests use one connection each. An HTTP/2 connection (feature `http2`)
/// carries all requests, and while it is being opened the requests wait for it. A closed connection
/// is dropped, and the next attempt opens another. If an idle connection closes and returns a
/// request unsent, the request is sent over another connection at once, within the same attempt.
/// Other failures are left to the policy.
///
/// Clones share the connections. Their number is not limited, and idle connections do not time out.
/// For that, and for many hosts, use hyper-util's client.
///
/// A connection is retired when a response or an error blames it: a 421, a 408, a GOAWAY, a reset.
/// The connections that existed when the request was sent are retired too, because they lead to the
/// same place. A retry uses a younger connection, or opens one.
///
/// **Invariant N3**: a connection that broke, or that a response blamed, carries no request of a
/// later attempt.
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
    /// The number of connections whose opening was started.
    begun: u64,
    /// Connections with a lower number are retired.
    retired: u64,
    /// The opening of a shared connection, while it is under way.
    opening: Option<Opening>,
}

/// A connection and its number, in the order in which openings were started.
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

    /// Retires the connections with lower numbers.
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
        // Code under the lock never leaves a half-changed list, so poisoning is ignored.
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the opening that is under way, or starts one, so that there is one at a time.
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
    /// Creates a transport that opens connections with `open`. The function must also drive each
    /// connection, such as by spawning it.
    pub fn new<Fut, E>(open: F) -> Self
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let idle = Idle { connections: Vec::new(), begun: 0, retired: 0, opening: None };
        Self(Arc::new(Shared { open, idle: Mutex::new(idle), waiting: Waiting::new() }))
    }

    /// Returns a connection that is ready for a request, or registers the waiter to be woken when
    /// one may be.
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

    /// Returns a connection that is ready now. Drops closed connections.
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

    /// Returns a connection, and whether it was used before.
    async fn acquire<Fut, E>(&self) -> Result<(Kept<S>, bool), HyperError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<S, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let waiter = self.0.waiting.join();
        // A connection whose response was just read becomes ready once its task has run, so yield
        // once before opening another.
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
        // RFC 9113, section 9.1: a client should not open more than one connection to the same host
        // and port.
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

    /// Opens a connection, unless another becomes idle first.
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

    /// Opens a shared connection, for which all other requests wait.
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

/// A request's role in the opening of a shared connection.
enum Joined<'c, F, S> {
    Waiting(Opening),
    Opening(Held<'c, F, S>),
}

/// An opening that other requests wait for. It ends when the request that opens ends or is dropped.
struct Held<'c, F, S> {
    connections: &'c Connections<F, S>,
    opening: Opening,
    ended: Ended,
}

impl<F, S> Drop for Held<'_, F, S> {
    fn drop(&mut self) {
        // This is still the current opening: a new one starts only if there is none.
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
            // The existing connections lead to the same place as this one; those opened during the
            // exchange may not.
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
