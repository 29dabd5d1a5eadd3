//! An HTTP server on a loopback port that misbehaves according to a script, and counts the requests
//! it receives.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::RETRY_AFTER;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep};

use super::net::Listener;

/// How long the server is down before it is merely overloaded.
const OUTAGE: Duration = Duration::from_millis(500);

/// The requests for a path that it can serve in `LOAD_WINDOW`. The first attempts alone are four in
/// that time.
const BEARABLE: usize = 6;
const LOAD_WINDOW: Duration = Duration::from_millis(500);

/// What the server does to a request.
enum Act {
    Answer(StatusCode),
    AnswerRetryAfter(StatusCode, u32),
    HangUp,
    Dawdle(Duration),
}

/// The script: how the server treats a request for a path, given the requests before it.
fn act(path: &str, Visit { nth, since, load }: Visit) -> Act {
    match path {
        "/limited" if since < Duration::from_secs(1) => Act::AnswerRetryAfter(StatusCode::TOO_MANY_REQUESTS, 1),
        "/flaky" if nth == 1 => Act::Answer(StatusCode::SERVICE_UNAVAILABLE),
        "/flaky" if nth == 2 => Act::HangUp,
        "/slow" if nth == 1 => Act::Dawdle(Duration::from_secs(5)),
        "/closed" => Act::AnswerRetryAfter(StatusCode::SERVICE_UNAVAILABLE, 60),
        "/missing" => Act::Answer(StatusCode::NOT_FOUND),
        "/storm" if since < OUTAGE || load > BEARABLE => Act::Answer(StatusCode::SERVICE_UNAVAILABLE),
        _ => Act::Answer(StatusCode::OK),
    }
}

/// A running server. It stops with the program.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
}

/// The requests for one path so far.
struct Seen {
    first: Instant,
    count: u32,
    recent: VecDeque<Instant>,
}

/// One request among them.
struct Visit {
    nth: u32,
    /// Time since the first request.
    since: Duration,
    /// How many were received in the last `LOAD_WINDOW`, this one included.
    load: usize,
}

impl Server {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = Listener::bind(("127.0.0.1", 0)).await?;
        let server = Self { address: listener.local_addr()?, seen: Arc::default() };
        tokio::spawn(server.clone().serve(listener));
        Ok(server)
    }

    pub(crate) fn uri(&self, path: &str) -> Result<Uri, hyper::http::Error> {
        Uri::builder().scheme("http").authority(self.address.to_string()).path_and_query(path).build()
    }

    /// How many requests for `path` the server has received.
    pub(crate) fn requests(&self, path: &str) -> u32 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(path).map_or(0, |seen| seen.count)
    }

    async fn serve(self, listener: Listener) {
        // An accept fails if the process has no free file descriptor; a later one may succeed.
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let server = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| server.answer(request));
                // Broken connections are part of the script.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    /// An error makes hyper drop the connection without an answer.
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let path = request.uri().path();
        let mut response = Response::new(Full::from("a page"));
        match act(path, self.visit(path)) {
            Act::Answer(status) => *response.status_mut() = status,
            Act::AnswerRetryAfter(status, seconds) => {
                *response.status_mut() = status;
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
            Act::HangUp => return Err(io::ErrorKind::ConnectionReset.into()),
            Act::Dawdle(delay) => sleep(delay).await,
        }
        Ok(response)
    }

    fn visit(&self, path: &str) -> Visit {
        let now = Instant::now();
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = all.entry(path.to_owned()).or_insert_with(|| Seen { first: now, count: 0, recent: VecDeque::new() });
        seen.count += 1;
        seen.recent.push_back(now);
        seen.recent.retain(|at| now - *at < LOAD_WINDOW);
        Visit { nth: seen.count, since: now - seen.first, load: seen.recent.len() }
    }
}
