//! A client with a policy against a flaky server: it fails briefly at first, then until the breaker
//! opens.
//!
//! Run it with `cargo run -p redress-tonic --example grpc_client`; server and client are in this
//! process.

use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redress::integration::tonic::{GrpcClassifier, GrpcLayer, GrpcService, grpc_classifier, outcome};
use redress::runtime::tokio::AsyncPolicy;
use redress::{CircuitBreaker, ErrorClass, Event, Retry, fixed};
use redress_grpc_fixture::{Echo, EchoClient, EchoServer, Ping, Pong};
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tower_layer::Layer;

/// Fails as often as the call's text requests.
#[derive(Default)]
struct Flaky {
    failures: AtomicUsize,
}

type Pongs = Pin<Box<dyn Stream<Item = Result<Pong, Status>> + Send>>;

#[tonic::async_trait]
impl Echo for Flaky {
    type ManyStream = Pongs;
    type ChatStream = Pongs;

    async fn once(&self, request: Request<Ping>) -> Result<Response<Pong>, Status> {
        let attempts = request.metadata().get("grpc-previous-rpc-attempts").and_then(|value| value.to_str().ok());
        println!("    server: attempts before this one: {}", attempts.unwrap_or("none"));
        let wanted = request.get_ref().text.parse().unwrap_or(0);
        if self.failures.fetch_add(1, Ordering::Relaxed) < wanted {
            let mut busy = Status::unavailable("try later");
            busy.metadata_mut().insert("grpc-retry-pushback-ms", 20.into());
            return Err(busy);
        }
        self.failures.store(0, Ordering::Relaxed);
        Ok(Response::new(Pong { text: "here you are".to_owned() }))
    }

    async fn many(&self, _: Request<Ping>) -> Result<Response<Pongs>, Status> {
        Err(Status::unimplemented("not in this example"))
    }

    async fn gather(&self, _: Request<Streaming<Ping>>) -> Result<Response<Pong>, Status> {
        Err(Status::unimplemented("not in this example"))
    }

    async fn chat(&self, _: Request<Streaming<Ping>>) -> Result<Response<Pongs>, Status> {
        Err(Status::unimplemented("not in this example"))
    }
}

fn policy() -> Result<AsyncPolicy<GrpcClassifier>, redress::ConfigError> {
    AsyncPolicy::builder()
        .classifier(grpc_classifier())
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(5))).max_attempts(4))
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(2).trip_on([ErrorClass::Transient]))
        .observer(|event: &Event<'_>| {
            println!("    {}: {}", event.operation.as_deref().unwrap_or("breaker"), event.name);
        })
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = Endpoint::try_from(format!("http://{}", listener.local_addr()?))?;
    let server = Server::builder().add_service(EchoServer::new(Flaky::default()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let mut client: EchoClient<GrpcService> = EchoClient::new(GrpcLayer::new(policy()?).layer(endpoint.connect_lazy()));
    for failures in ["0", "2", "9", "9", "9"] {
        println!("a call whose server fails {failures} times in a row");
        let answer = client.once(Ping { text: failures.to_owned() }).await;
        let attempts = outcome(&answer).map_or(0, redress::OutcomeSummary::attempts);
        match answer {
            Ok(pong) => println!("  after {attempts} attempts: {}", pong.into_inner().text),
            Err(status) => println!("  after {attempts} attempts: {:?}, {}", status.code(), status.message()),
        }
    }
    Ok(())
}
