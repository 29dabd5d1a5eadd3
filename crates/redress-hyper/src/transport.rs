//! What sends a request once: the seam between the policy and hyper.
//!
//! Owns the trait, and its implementation for hyper-util's pooled client. Knows no policy. Plain connections are `connections.rs`.

use std::error::Error;
use std::future::Future;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;

use crate::error::HyperError;

/// Sends a request once. A clone sends over the same connections.
///
/// Implemented for hyper-util's [`Client`] and for [`Connections`](crate::Connections); implement it to put something between the
/// policy and hyper, such as a signature that is made anew for each attempt.
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
        self.request(request).await.map_err(HyperError::from)
    }
}
