//! The trait that sends one attempt, and its implementation for hyper-util's pooled client. Plain
//! connections are in `connections.rs`.

use std::error::Error;
use std::future::Future;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, Connect, capture_connection};
use redress_http::blames_connection;

use crate::error::HyperError;
use crate::progress::Progress;
use crate::wire::{check_length, prepared};

/// Sends a request once. Clones share their connections.
///
/// Implemented for hyper-util's [`Client`] and for [`Connections`](crate::Connections). Implement
/// it to add a step between the policy and hyper, such as signing each attempt.
///
/// From the second attempt of a call on, the request's extensions contain a
/// [`Repetition`](crate::Repetition): the number of the attempt, why the previous one failed, and
/// whether to use another connection. The two transports here follow it as far as they can:
///
/// | | [`Connections`](crate::Connections) | hyper-util's [`Client`] |
/// |---|---|---|
/// | the connection that a response or an error blames (a 421, a 408, a GOAWAY) | is not reused | is not reused ([`Connected::poison`](hyper_util::client::legacy::connect::Connected::poison)) |
/// | the other connections that existed when the request was sent | are not reused | may be reused, because the pool gives no access to them; cap their number with `pool_max_idle_per_host` if that matters |
///
/// Neither sends the user and password of a URI. Both send `Content-Length: 0` with a POST, PUT or
/// PATCH that has no content.
///
/// ```
/// use std::future::Future;
/// use http::{HeaderValue, Request, Response};
/// use redress::integration::hyper::{HyperError, Transport};
///
/// /// Sends the version of the client in each attempt.
/// #[derive(Clone)]
/// struct Versioned<T>(T);
///
/// impl<T: Transport> Transport for Versioned<T> {
///     type RequestBody = T::RequestBody;
///     type ResponseBody = T::ResponseBody;
///
///     fn send(
///         self,
///         mut request: Request<T::RequestBody>,
///     ) -> impl Future<Output = Result<Response<T::ResponseBody>, HyperError>> {
///         request.headers_mut().insert("x-version", HeaderValue::from_static("7"));
///         self.0.send(request)
///     }
/// }
/// ```
pub trait Transport: Clone {
    /// The body of requests.
    type RequestBody;

    /// The body of responses.
    type ResponseBody: Body<Data: Unpin, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin;

    /// Sends the request and returns the response once its head has arrived.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the request; the server may have acted on it.
    fn send(
        self,
        request: Request<Self::RequestBody>,
    ) -> impl Future<Output = Result<Response<Self::ResponseBody>, HyperError>>;
}

impl<C, B> Transport for Client<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type RequestBody = B;
    type ResponseBody = Incoming;

    async fn send(self, request: Request<B>) -> Result<Response<Incoming>, HyperError> {
        check_length(&request)?;
        let mut request = prepared(request);
        let progress = Progress::take(request.extensions_mut());
        let captured = capture(&mut request);
        let connecting = Connecting { progress: &progress, captured: captured.as_ref() };
        progress.connects();
        let result = self.request(request).await.map_err(HyperError::from);
        drop(connecting);
        let is_to_blame = match &result {
            Ok(response) => blames_connection(response.status()),
            Err(error) => error.is_connection(),
        };
        if let (true, Some(captured)) = (is_to_blame, captured) {
            if let Some(connection) = captured.connection_metadata().as_ref() {
                connection.poison();
            }
        }
        result
    }
}

/// Records on drop, if there is no response yet, whether a connection has the request: the client
/// captures the connection just before it sends.
struct Connecting<'a> {
    progress: &'a Progress,
    captured: Option<&'a CaptureConnection>,
}

impl Drop for Connecting<'_> {
    fn drop(&mut self) {
        if self.captured.is_none_or(|captured| captured.connection_metadata().is_some()) {
            self.progress.sends();
        }
    }
}

/// Captures the connection that the request uses, unless the caller already captures it: a second
/// capture would replace the caller's.
fn capture<B>(request: &mut Request<B>) -> Option<CaptureConnection> {
    let before = request.extensions().clone();
    let captured = capture_connection(request);
    if before.is_empty() || request.extensions().len() > before.len() {
        return Some(captured);
    }
    *request.extensions_mut() = before;
    None
}
