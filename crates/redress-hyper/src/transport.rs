//! What sends a request once: the seam between the policy and hyper.
//!
//! Owns the trait, and its implementation for hyper-util's pooled client. Knows no policy. Plain
//! connections are `connections.rs`.

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

/// Sends a request once. A clone sends over the same connections.
///
/// Implemented for hyper-util's [`Client`] and for [`Connections`](crate::Connections); implement
/// it to put something between the policy and hyper, such as a signature that is made anew for each
/// attempt.
///
/// From the second attempt of a call on, a [`Repetition`](crate::Repetition) among the request's
/// extensions says which attempt this is, why the one before failed, and whether another connection
/// is wanted. How far the two transports here obey:
///
/// | | [`Connections`](crate::Connections) | hyper-util's [`Client`] |
/// |---|---|---|
/// | the connection of an answer or an error that is about it (a 421, a 408, a GOAWAY) | is not used again | is not used again ([`Connected::poison`](hyper_util::client::legacy::connect::Connected::poison)) |
/// | the connections that there were beside it when the request was sent | are not used again | may be: the pool shows none of them, so cap their number with `pool_max_idle_per_host` where that matters |
///
/// Both send user and password of a URI to nobody, and `Content-Length: 0` with a POST, PUT or
/// PATCH that has no content.
///
/// ```
/// use std::future::Future;
/// use http::{HeaderValue, Request, Response};
/// use redress::integration::hyper::{HyperError, Transport};
///
/// /// Says in each attempt which version of the client it is.
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
    /// The body of what it sends.
    type RequestBody;

    /// The body of what comes back.
    type ResponseBody: Body<Data: Unpin, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin;

    /// Sends the request, and ends when the head of the response is there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the request up; nobody knows whether the other side acted on it.
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

/// Says when it is dropped, before there is a response, whether a connection has the request: the
/// client tells the connection just before.
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

/// Asks for the connection that the request goes over, unless the caller has done so, who could not
/// be told then.
fn capture<B>(request: &mut Request<B>) -> Option<CaptureConnection> {
    let before = request.extensions().clone();
    let captured = capture_connection(request);
    if before.is_empty() || request.extensions().len() > before.len() {
        return Some(captured);
    }
    *request.extensions_mut() = before;
    None
}
