//! An HTTP/1.1 server on the loopback interface, with a thread and a runtime for itself, so that
//! neither its allocations nor its waits are those of the calls that are measured.

use std::convert::Infallible;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What the server answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answers {
    Ok,
    /// A 503 to every first request, and 200 to every second one.
    BusyThenOk,
}

/// The body of a 200.
pub(crate) const BODY: &[u8] = b"fine";

/// Starts a server that runs as long as the process, and returns the URL that it answers.
pub(crate) fn start(answers: Answers) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(serve(listener, answers));
    });
    format!("http://{address}/orders/7")
}

async fn serve(listener: TcpListener, answers: Answers) {
    listener.set_nonblocking(true).expect("a socket");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let requests = Arc::new(AtomicU64::new(0));
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, answers, Arc::clone(&requests)));
    }
}

async fn answer(stream: TcpStream, answers: Answers, requests: Arc<AtomicU64>) {
    // A small answer must not wait for the client's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|_: Request<_>| {
        let is_first = requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let (status, body) = match answers {
            Answers::BusyThenOk if is_first => (StatusCode::SERVICE_UNAVAILABLE, b"busy".as_slice()),
            Answers::BusyThenOk | Answers::Ok => (StatusCode::OK, BODY),
        };
        let mut response = Response::new(Full::new(Bytes::from_static(body)));
        *response.status_mut() = status;
        async { Ok::<_, Infallible>(response) }
    });
    // A client that goes away is the end of a case.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
