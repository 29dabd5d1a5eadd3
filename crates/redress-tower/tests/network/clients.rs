//! The clients under test: the layer for HTTP and the layer for any service, over hyper-util's
//! client.

use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use redress_core::{CallContext, CallError, OutcomeSummary};
use redress_fixtures::{Answer, Caller, Connector, Flavour, Fused, Order, Point, Scripted, Stage, Upload};
use redress_http::{HttpRetryAfterClassifier, http_retry_after_classifier};
use redress_tower::http::HttpProtocol;
use redress_tower::{PolicyLayer, PolicyProviderFn, policy_provider};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service as _};

type Incoming = <Client<Connector, Upload> as tower::Service<Request<Upload>>>::Response;
type Below = Fused<Client<Connector, Upload>>;
type Layered = BoxCloneSyncService<Request<Upload>, Incoming, CallError<Error>>;

fn below(stage: &Stage, flavour: Flavour) -> Below {
    let mut client = Client::builder(TokioExecutor::new());
    client.http2_only(flavour == Flavour::Http2);
    Fused::new(client.build(stage.net.connector()), stage.fuse.clone())
}

fn provider(
    stage: &Stage,
) -> PolicyProviderFn<impl Fn(&Request<Upload>) -> Scripted<HttpRetryAfterClassifier> + Clone + Send + Sync + 'static> {
    let (policy, fuse) = (stage.policy(http_retry_after_classifier()), stage.fuse.clone());
    policy_provider(move |_: &Request<Upload>| {
        fuse.burn(Point::Provider);
        policy.clone()
    })
}

/// The layer for HTTP.
pub(crate) struct ForHttp(Layered);

impl Caller for ForHttp {
    // The call returns this response if no retry follows.
    const HOLDS_ANSWERS: bool = true;

    fn new(stage: &Stage, flavour: Flavour) -> Self {
        let (named, bypass, context, bodies) =
            (stage.clone(), stage.fuse.clone(), stage.fuse.clone(), stage.fuse.clone());
        let protocol = HttpProtocol::new()
            .operation_for(move |head| named.name(head.headers))
            .bypass_if(move |_| {
                bypass.burn(Point::Bypass);
                false
            })
            .context_for(move |_| {
                context.burn(Point::Context);
                CallContext::new()
            })
            .bodies(move |upload: &Upload| {
                bodies.burn(Point::BodyMade);
                Some(upload.clone())
            });
        Self(Layered::new(PolicyLayer::new(provider(stage)).protocol(protocol).layer(below(stage, flavour))))
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        call(&self.0, order)
    }
}

/// The layer for any service, which only clones requests.
pub(crate) struct ForAny(Layered);

impl Caller for ForAny {
    const HOLDS_ANSWERS: bool = true;

    fn new(stage: &Stage, flavour: Flavour) -> Self {
        let (named, fuse) = (stage.clone(), stage.fuse.clone());
        let layer = PolicyLayer::new(provider(stage)).context_for(move |request: &Request<Upload>| {
            fuse.burn(Point::Context);
            CallContext::new().operation(named.name(request.headers()))
        });
        Self(Layered::new(layer.layer(below(stage, flavour))))
    }

    fn call(&self, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
        call(&self.0, order)
    }
}

fn call(service: &Layered, order: Order) -> Pin<Box<dyn Future<Output = Answer>>> {
    let called = service.clone().call(order.request);
    Box::pin(async move {
        match called.await {
            Ok(response) => answer(response),
            Err(error) => Answer { is_good: false, attempts: Some(error.attempts()), reading: None },
        }
    })
}

fn answer(response: Incoming) -> Answer {
    let attempts = response.extensions().get::<OutcomeSummary>().map(OutcomeSummary::attempts);
    let is_good = response.status() == 200;
    Answer { is_good, attempts, reading: Some(Box::pin(read(response))) }
}

async fn read<B: http_body::Body + Unpin>(response: Response<B>) {
    let mut body = response.into_body();
    while let Some(Ok(_)) = body.frame().await {}
}
