//! The payments: a backend over gRPC. During its outage it takes half a minute for work of no time.

use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use redress::driver::Timer as _;
use redress::observe::opentelemetry::extract_context;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::clock::StoryClock;
use crate::health::Health;

#[expect(
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
mod stubs {
    tonic::include_proto!("shop");
}

pub(crate) use stubs::payments_client::PaymentsClient;
pub(crate) use stubs::{Order, Receipt};

struct Payments {
    tracer: SdkTracer,
    clock: StoryClock,
    health: Health,
}

#[tonic::async_trait]
impl stubs::payments_server::Payments for Payments {
    async fn charge(&self, request: Request<Order>) -> Result<Response<Receipt>, Status> {
        let parent = extract_context(&request.metadata().clone().into_headers());
        // Ends with the request, also if the caller gives up and tonic drops this future.
        let _span = self
            .tracer
            .build_with_context(self.tracer.span_builder("shop.Payments/Charge").with_kind(SpanKind::Server), &parent);
        if self.health.is_ill() {
            self.clock.sleep(Duration::from_secs(30)).await;
        }
        Ok(Response::new(Receipt { number: request.get_ref().number }))
    }
}

/// Serves on a free port until the runtime ends.
pub(crate) async fn serve(tracer: SdkTracer, clock: StoryClock, health: Health) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let payments = stubs::payments_server::PaymentsServer::new(Payments { tracer, clock, health });
    tokio::spawn(Server::builder().add_service(payments).serve_with_incoming(TcpIncoming::from(listener)));
    Ok(address)
}
