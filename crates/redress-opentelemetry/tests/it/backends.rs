//! Backends on real sockets that fail twice before they succeed, and record the headers of each
//! attempt.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use futures_util::stream::Empty;
use http::HeaderMap;
use redress_grpc_fixture::{Echo, EchoServer, Ping, Pong};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// The number of attempts that fail before one succeeds.
pub(crate) const FAILURES: usize = 2;

/// A backend, and the headers of each attempt.
#[derive(Clone, Default)]
pub(crate) struct Backend {
    came: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Backend {
    /// Serves HTTP on a free port until the runtime ends.
    pub(crate) async fn http(&self) -> SocketAddr {
        let (backend, listener) = (self.clone(), listen().await);
        let answer = move |headers: HeaderMap| {
            let is_well = backend.note(headers);
            async move { if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE } }
        };
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        address
    }

    /// Serves gRPC on a free port until the runtime ends.
    pub(crate) async fn grpc(&self) -> SocketAddr {
        let listener = listen().await;
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(EchoServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        address
    }

    /// Returns the value of this header in each attempt.
    pub(crate) fn came(&self, name: &str) -> Vec<Option<String>> {
        let text = |headers: &HeaderMap| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        self.came.lock().unwrap().iter().map(text).collect()
    }

    fn note(&self, headers: HeaderMap) -> bool {
        let mut came = self.came.lock().unwrap();
        came.push(headers);
        came.len() > FAILURES
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

type Pongs = Empty<Result<Pong, Status>>;

#[tonic::async_trait]
impl Echo for Backend {
    type ManyStream = Pongs;
    type ChatStream = Pongs;

    async fn once(&self, request: Request<Ping>) -> Result<Response<Pong>, Status> {
        let is_well = self.note(request.metadata().clone().into_headers());
        if is_well { Ok(Response::new(Pong::default())) } else { Err(Status::unavailable("not yet")) }
    }

    async fn many(&self, _: Request<Ping>) -> Result<Response<Pongs>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn gather(&self, _: Request<Streaming<Ping>>) -> Result<Response<Pong>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn chat(&self, _: Request<Streaming<Ping>>) -> Result<Response<Pongs>, Status> {
        Err(Status::unimplemented(""))
    }
}
