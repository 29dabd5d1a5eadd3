//! hyper-util's client as a tower service, for a policy that is a layer.
//!
//! Owns the service. What it does with a request is the transport's, in `transport.rs`.

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
/// The client alone is a tower service, too. A layer over that knows no connections: the retry of a
/// 421 or a 408 goes over the connection that said so. Here that connection is not used again, user
/// and password of a URI are not sent, and a POST, PUT or PATCH without content says so. An error
/// is a [`HyperError`], of which [`hyper_classifier`](crate::hyper_classifier) knows whether the
/// request left.
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
    /// The service that sends over this client's connections.
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
