//! A server that counts requests, with a thread and a runtime for itself, so that a client's paused
//! clock does not stop it.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

/// A status, and `Retry-After`.
pub(crate) type Answer = (u16, Option<&'static str>);

pub(crate) struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server with these answers, the last of which repeats.
    pub(crate) fn start(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/orders", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
            runtime.block_on(serve(listener, answers, counted));
        });
        Self { url, requests }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The number of requests that arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(listener: TcpListener, answers: &'static [Answer], requests: Arc<AtomicUsize>) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let requests = Arc::clone(&requests);
        let service = service_fn(move |request| answer(request, answers, requests.fetch_add(1, Ordering::SeqCst)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: &'static [Answer],
    number: usize,
) -> Result<Response<String>, Infallible> {
    // Read whole, so that the connection is used again.
    let _ = request.into_body().collect().await;
    let (status, retry_after) = answers[number.min(answers.len() - 1)];
    let response = Response::builder().status(status);
    let response = retry_after.into_iter().fold(response, |response, value| response.header("retry-after", value));
    Ok(response.body(String::from("...")).unwrap())
}
