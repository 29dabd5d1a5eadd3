//! The service: a checkout queries the inventory, charges the order, stores it, and reports a
//! failure to its caller.
//!
//! Holds the three calls. `policies.rs` holds the policies.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use metrics_exporter_prometheus::PrometheusHandle;
use redress::ErrorClass;
use redress::classify::DefaultClassifier;
use redress::integration::axum::Unserved;
use redress::integration::hyper::{HyperClassifier, RetryingClient};
use redress::integration::tonic::{GrpcClassifier, GrpcLayer, GrpcService, outcome};
use redress::observe::opentelemetry::{extract_context, inject_context};
use redress::policy::AsyncPolicy;
use tonic::transport::{Channel, Endpoint};
use tower_layer::Layer as _;
use tracing::{Instrument as _, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::clock::StoryClock;
use crate::database;
use crate::payments::{Order, PaymentsClient};
use crate::policies::Policies;

type Inventory = RetryingClient<Client<HttpConnector, Empty<Bytes>>, AsyncPolicy<HyperClassifier, StoryClock>>;
type Payments = PaymentsClient<GrpcService<Channel, GrpcClassifier, StoryClock>>;

/// The addresses of the backends.
pub(crate) struct Backends {
    pub(crate) inventory: SocketAddr,
    pub(crate) payments: SocketAddr,
    pub(crate) database: SocketAddr,
}

struct Checkout {
    backends: Backends,
    inventory: Inventory,
    payments: Payments,
    orders: AsyncPolicy<DefaultClassifier, StoryClock>,
    page: PrometheusHandle,
}

/// The routes of the service.
pub(crate) fn router(policies: Policies, backends: Backends, page: PrometheusHandle) -> anyhow::Result<Router> {
    // The backend receives the attempt's span as its parent.
    let http = Client::builder(TokioExecutor::new()).build_http();
    let inventory =
        RetryingClient::new(http, policies.inventory).operation("GET /stock/{item}").attempt_headers(inject_context);
    let channel = Endpoint::try_from(format!("http://{}", backends.payments))?.connect_lazy();
    let payments = GrpcLayer::new(policies.payments).attempt_headers(inject_context).layer(channel);
    let checkout =
        Checkout { backends, inventory, payments: PaymentsClient::new(payments), orders: policies.orders, page };
    let routes = Router::new().route("/checkout/{order}", post(check_out)).route("/metrics", get(metrics));
    Ok(routes.with_state(Arc::new(checkout)))
}

async fn metrics(State(checkout): State<Arc<Checkout>>) -> String {
    checkout.page.render()
}

async fn check_out(
    State(checkout): State<Arc<Checkout>>,
    Path(order): Path<u32>,
    headers: HeaderMap,
) -> Result<StatusCode, Unserved> {
    let span = info_span!("POST /checkout", order);
    // Uses the caller's context, if it sent one; otherwise the span starts a trace.
    let _ = span.set_parent(extract_context(&headers));
    let done = async move {
        checkout.ask_inventory(order).await?;
        checkout.charge(order).await?;
        checkout.store(order).await
    };
    done.instrument(span).await?;
    Ok(StatusCode::CREATED)
}

impl Checkout {
    async fn ask_inventory(&self, order: u32) -> Result<(), Unserved> {
        let uri = format!("http://{}/stock/{order}", self.backends.inventory);
        let outcome = self.inventory.get(uri).execute().await;
        Unserved::unless_ok(outcome.summary())
    }

    async fn charge(&self, order: u32) -> Result<(), Unserved> {
        let answer = self.payments.clone().charge(Order { number: order }).await;
        // Without an outcome, the response failed after it had begun.
        Unserved::unless_ok(outcome(&answer).ok_or(ErrorClass::Unknown)?)
    }

    async fn store(&self, order: u32) -> Result<(), Unserved> {
        let insert = || database::insert(self.backends.database, order);
        let outcome = self.orders.operation("insert_order").execute(insert).await;
        Unserved::unless_ok(outcome.summary())
    }
}
