//! The server under test: the layer around a router whose handler forwards requests.

use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use redress_axum::{HandlerLayer, HandlerService};
use redress_core::{CallContext, OutcomeSummary};
use redress_fixtures::{Answer, Caller, Connector, Flavour, Fuse, Fused, Order, Point, Stage};
use redress_http::{HttpRetryAfterClassifier, http_retry_after_classifier};
use redress_tokio::TokioTimer;
use tower::{Layer as _, Service as _};

/// What the handler forwards with.
#[derive(Clone)]
struct Upstream {
    client: Client<Connector, Body>,
    fuse: Fuse,
}

/// A gateway's handler: the peer's response, or 502.
async fn forward(State(upstream): State<Upstream>, request: Request) -> Response {
    upstream.fuse.burn(Point::Told);
    match upstream.client.request(request).await {
        Ok(response) => response.map(|body| Body::new(Fused::new(body, upstream.fuse))),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// The layer around the router.
pub(crate) struct Gateway(HandlerService<Fused<Router>, Fused<HttpRetryAfterClassifier>, TokioTimer>);

impl Caller for Gateway {
    // The call returns this response if no retry follows.
    const HOLDS_ANSWERS: bool = true;

    fn new(stage: &Stage, flavour: Flavour) -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        client.http2_only(flavour == Flavour::Http2);
        let upstream = Upstream { client: client.build(stage.net.connector()), fuse: stage.fuse.clone() };
        let router = Router::new().route("/orders", any(forward)).with_state(upstream);
        let policy = stage.policy(http_retry_after_classifier());
        let (named, chosen) = (stage.clone(), policy.clone());
        let [bypass, context, provider, headers] = [(); 4].map(|()| stage.fuse.clone());
        let layer = HandlerLayer::new(policy)
            .operation_for(move |head| named.name(head.headers))
            .bypass_if(move |_| {
                bypass.burn(Point::Bypass);
                false
            })
            .context_for(move |_| {
                context.burn(Point::Context);
                CallContext::new()
            })
            .policy_provider(move |_| {
                provider.burn(Point::Provider);
                Some(chosen.clone())
            })
            .attempt_headers(move |_, _| headers.burn(Point::Headers));
        Self(layer.layer(Fused::new(router, stage.fuse.clone())))
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        // A request with a body runs its handler once. The header names the call as well.
        let called = self.0.clone().call(order.request.map(|_| Body::empty()));
        Box::pin(async move {
            let Ok(response) = called.await;
            let attempts = response.extensions().get::<OutcomeSummary>().map(OutcomeSummary::attempts);
            let is_good = response.status() == StatusCode::OK;
            Answer { is_good, attempts, reading: Some(Box::pin(read(response))) }
        })
    }
}

async fn read(response: Response) {
    let _ = axum::body::to_bytes(response.into_body(), usize::MAX).await;
}
