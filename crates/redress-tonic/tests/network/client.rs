//! The client under test: the layer around a channel.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body as _;
use redress_core::{CallContext, OutcomeSummary};
use redress_fixtures::{Answer, Caller, Flavour, Fused, IsIdempotent, Order, Point, Stage};
use redress_tonic::{CallFailure, GrpcClassifier, GrpcLayer, GrpcService, ResponseBody, grpc_classifier};
use tonic::body::Body;
use tonic::transport::{self, Endpoint};
use tower::util::BoxCloneSyncService;
use tower::{Service as _, ServiceExt as _};
use tower_layer::Layer as _;

type Below = BoxCloneSyncService<Request<Body>, Response<Fused<Body>>, transport::Error>;

/// The layer around a channel.
pub(crate) struct Grpc(GrpcService<Below, Fused<GrpcClassifier>>);

impl Caller for Grpc {
    const HOLDS_OPENING: bool = true;

    fn new(stage: &Stage, _: Flavour) -> Self {
        // A channel takes no calls while it connects, so its maker bounds the time of the
        // connector.
        let endpoint = Endpoint::from_static("http://peer.test").connect_timeout(Duration::from_millis(100));
        let channel = endpoint.connect_with_connector_lazy(stage.net.connector());
        let fuse = stage.fuse.clone();
        let below = Fused::new(channel, stage.fuse.clone())
            .map_response(move |response| response.map(|body| Fused::new(body, fuse.clone())));
        let policy = stage.policy(grpc_classifier());
        let (named, chosen) = (stage.clone(), policy.clone());
        let [bypass, context, provider, told, early] = [(); 5].map(|()| stage.fuse.clone());
        let layer = GrpcLayer::new(policy)
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
            .not_idempotent(move |head| {
                told.burn(Point::Told);
                head.extensions.get() == Some(&IsIdempotent(false))
            })
            .return_on_headers(move |_| {
                early.burn(Point::Told);
                false
            });
        Self(layer.layer(Below::new(below)))
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        let called = self.0.clone().call(order.request.map(|upload| Body::new(upload.into_message())));
        Box::pin(async move {
            match called.await {
                Ok(response) => {
                    let attempts = response.extensions().get::<OutcomeSummary>().map(OutcomeSummary::attempts);
                    Answer { is_good: true, attempts, reading: Some(Box::pin(read(response))) }
                }
                Err(status) => {
                    let attempts = CallFailure::from_status(&status).map(|failure| failure.summary().attempts());
                    Answer { is_good: false, attempts, reading: None }
                }
            }
        })
    }
}

async fn read(response: Response<ResponseBody>) {
    let mut body = response.into_body();
    while let Some(Ok(_)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
}
