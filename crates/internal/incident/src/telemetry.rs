//! The exporters: logs to the terminal, metrics to a page for Prometheus, spans over OTLP to a
//! collector.
//!
//! They are installed before the observers and the policies are built.

use std::net::SocketAddr;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::global;
use opentelemetry::trace::{SpanKind, TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use redress::observe::metrics::{MetricsObserver, names};
use redress::observe::opentelemetry::OtelObserver;
use redress::observe::tracing::TracingObserver;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::clock::StoryClock;
use crate::policies::Observers;

/// The process's telemetry.
pub(crate) struct Telemetry {
    collector: SocketAddr,
    /// One tracer provider for each service. The backends would be separate processes.
    providers: Vec<SdkTracerProvider>,
    pub(crate) page: PrometheusHandle,
    pub(crate) observers: Observers,
}

impl Telemetry {
    /// Installs the process-wide exporters, and the checkout's tracer.
    pub(crate) fn install(clock: &StoryClock, collector: SocketAddr, log: LevelFilter) -> anyhow::Result<Self> {
        let page = PrometheusBuilder::new()
            .set_buckets_for_metric(
                Matcher::Full(names::CALL_DURATION_SECONDS.to_owned()),
                names::CALL_DURATION_BUCKETS,
            )?
            .install_recorder()?;
        global::set_text_map_propagator(TraceContextPropagator::new());
        let checkout = provider(collector, "checkout")?;

        // Lines at the levels set by the observer, and a span for each request, the parent of its
        // calls' spans.
        let ours = |level| Targets::new().with_target("redress", level);
        let lines = fmt::layer().compact().with_ansi(false).with_target(false).with_timer(clock.clone());
        let requests = tracing_opentelemetry::layer().with_tracer(checkout.tracer("checkout"));
        tracing_subscriber::registry()
            .with(lines.with_filter(ours(log)))
            .with(requests.with_filter(Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO)))
            .try_init()?;

        let observers = Observers {
            metrics: MetricsObserver::new(),
            // A span for each attempt, which becomes the parent of the backend's span.
            spans: OtelObserver::builder()
                .tracer(checkout.tracer("redress"))
                .attempt_spans(true)
                .attempt_span_kind(SpanKind::Client)
                .metrics(false)
                .build(),
            // OpenTelemetry makes the spans of calls; `tracing` only adds the lines, in the
            // request's span.
            log: TracingObserver::builder().span_level(None).build(),
        };
        Ok(Self { collector, providers: vec![checkout], page, observers })
    }

    /// A tracer for this service, used by the backends.
    pub(crate) fn tracer(&mut self, service: &'static str) -> anyhow::Result<SdkTracer> {
        let provider = provider(self.collector, service)?;
        let tracer = provider.tracer(service);
        self.providers.push(provider);
        Ok(tracer)
    }

    /// Sends the remaining spans, which would be lost when the process exits.
    pub(crate) async fn flush(self) -> anyhow::Result<()> {
        let shut_down = move || self.providers.iter().try_for_each(SdkTracerProvider::shutdown);
        Ok(tokio::task::spawn_blocking(shut_down).await??)
    }
}

fn provider(collector: SocketAddr, service: &'static str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(format!("http://{collector}")).build()?;
    // A minute of the story takes a second, so a queue fills sixty times as fast as in a real
    // service.
    let config = BatchConfigBuilder::default().with_max_queue_size(32_768).build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    let resource = Resource::builder_empty().with_service_name(service).build();
    Ok(SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource).build())
}
