//! hyper-util's client as a tower service, for use below a policy layer.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use tower_service::Service;

use crate::error::HyperError;
use crate::transport::Transport;

/// hyper-util's [`Client`] below a [`PolicyLayer`](https://docs.rs/redress-tower): a tower service
/// that sends as the client's [`Transport`] does.
///
/// The client itself is a tower service as well, but with it the retry of a 421 or a 408 may go
/// over the connection that returned it. This service does not reuse that connection, does not send
/// the user and password of a URI, and sends `Content-Length: 0` with a POST, PUT or PATCH without
/// content. Its error is a [`HyperError`], from which [`hyper_classifier`](crate::hyper_classifier)
/// determines whether the request was sent.
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use redress::integration::hyper::{ClientService, hyper_classifier};
/// use redress::runtime::tokio::AsyncPolicy;
///
/// let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
/// let policy = AsyncPolicy::builder().classifier(hyper_classifier()).build()?;
/// // PolicyLayer::new(policy).protocol(HttpProtocol::new()).layer(service)
/// let service = ClientService::new(client);
/// # drop((policy, service));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct ClientService<C, B>(Client<C, B>);

impl<C, B> ClientService<C, B> {
    /// Creates a service that sends over this client's connections.
    #[must_use]
    pub const fn new(client: Client<C, B>) -> Self {
        Self(client)
    }
}

impl<C: Clone, B> Clone for ClientService<C, B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

type Sent = Pin<Box<dyn Future<Output = Result<Response<Incoming>, HyperError>> + Send>>;

impl<C, B> Service<Request<B>> for ClientService<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Incoming>;
    type Error = HyperError;
    type Future = Sent;

    /// Always ready: a connection is chosen for each request.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HyperError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Sent {
        Box::pin(self.0.clone().send(request))
    }
}
