//! The types can be named in a field, and futures are `Send` if their parts are.

use http::Request;
use redress_core::Retry;
use redress_grpc_fixture::EchoClient;
use redress_testing::instant_retries;
use redress_tokio::AsyncPolicy;
use redress_tonic::{CallFailure, GrpcClassifier, GrpcLayer, GrpcService, ResponseBody, grpc_classifier};
use tonic::Status;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::echo::{ping, serve};
use crate::lab::told;

const fn is_shared<T: Send + Sync + 'static>() {}
const fn is_sent<T: Send + 'static>() {}
const fn is_cloned<T: Clone>() {}

#[test]
fn channels_are_shared_and_calls_are_sent() {
    is_shared::<GrpcLayer>();
    is_shared::<GrpcService>();
    is_shared::<CallFailure>();
    is_shared::<GrpcClassifier>();
    is_cloned::<GrpcLayer>();
    is_cloned::<GrpcService>();
    is_sent::<ResponseBody>();
    is_sent::<<GrpcService as Service<Request<Body>>>::Future>();
}

/// A client as a service keeps one.
struct Shop {
    echo: EchoClient<GrpcService>,
}

#[tokio::test]
async fn a_client_fits_a_field_with_tokio_s_timer() {
    let server = serve().await;
    server.script.then_fail(Status::unavailable("1"));
    let retry = Retry::builder().strategy(instant_retries()).max_attempts(2);
    let policy = AsyncPolicy::builder().classifier(grpc_classifier()).retry(retry).build().expect("a valid policy");
    let mut shop = Shop { echo: EchoClient::new(GrpcLayer::new(policy).layer(server.channel())) };
    assert_eq!(told(&shop.echo.once(ping("x")).await), (2, None));
}

#[tokio::test]
async fn what_is_printed_says_what_it_is() {
    let policy = AsyncPolicy::builder().classifier(grpc_classifier()).build().expect("a valid policy");
    let layer = GrpcLayer::new(policy);
    assert_eq!(format!("{layer:?}"), "GrpcLayer { max_replay_bytes: 65536, .. }");
    let mut service = layer.layer(serve().await.channel());
    assert_eq!(format!("{service:?}"), "GrpcService { channel: Channel, .. }");
    assert_eq!(format!("{:?}", service.call(Request::new(Body::empty()))), "GrpcFuture { .. }");
}
