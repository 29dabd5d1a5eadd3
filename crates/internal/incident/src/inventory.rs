//! The inventory: a backend over HTTP. During its outage it answers 503, with a `Retry-After` of
//! two seconds.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use opentelemetry::trace::{SpanKind, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use redress::observe::opentelemetry::extract_context;
use tokio::net::TcpListener;

use crate::health::Health;

/// Serves on a free port until the runtime ends.
pub(crate) async fn serve(tracer: SdkTracer, health: Health) -> anyhow::Result<SocketAddr> {
    let stock = move |headers: HeaderMap| {
        // The span of the attempt that sent the request is the parent of this one.
        let parent = extract_context(&headers);
        drop(tracer.build_with_context(tracer.span_builder("GET /stock/{item}").with_kind(SpanKind::Server), &parent));
        let answer = match health.is_ill() {
            true => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "2")], "overloaded"),
            false => (StatusCode::OK, [(RETRY_AFTER, "0")], "in stock"),
        };
        async move { answer }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/stock/{item}", get(stock));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
