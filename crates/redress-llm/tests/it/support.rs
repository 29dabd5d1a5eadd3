//! Responses to classify, and a scripted server on a real socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use redress::Classification;
use redress::integration::llm::{anthropic, openai};

/// 2031-03-04T05:06:07.25Z.
pub(crate) fn present() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_930_367_167_250)
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).expect("a name"), HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
    };
    fields.iter().map(field).collect()
}

pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status")
}

pub(crate) fn of_openai(code: u16, fields: &[(&str, &str)], body: &str) -> Classification {
    openai::classify(status(code), &headers(fields), body, present()).expect("a failure")
}

pub(crate) fn of_anthropic(code: u16, fields: &[(&str, &str)], body: &str) -> Classification {
    anthropic::classify(status(code), &headers(fields), body, present()).expect("a failure")
}

/// The error body of a type, as Anthropic writes it.
pub(crate) fn typed(kind: &str) -> String {
    format!(r#"{{"type": "error", "error": {{"type": "{kind}", "message": "..."}}, "request_id": "req_1"}}"#)
}

/// A response with these header lines and this body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}", body.len())
}

/// A server on 127.0.0.1 that answers one request on each connection.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Sends the answers in order, and the last one again for further requests.
    pub(crate) fn answers<A: Into<String>>(answers: impl IntoIterator<Item = A>) -> Self {
        let answers: Vec<String> = answers.into_iter().map(Into::into).collect();
        Self::start(move |mut stream, number| {
            let answer = answers.get(number).or_else(|| answers.last()).expect("an answer");
            // The client may have left.
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    /// Plays `part` on every connection, after its request has arrived.
    pub(crate) fn start(part: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let server = Self { address: listener.local_addr().expect("a socket"), requests: Arc::default() };
        let (requests, part) = (Arc::clone(&server.requests), Arc::new(part));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, part) = (stream.expect("a socket"), Arc::clone(&part));
                let requests = Arc::clone(&requests);
                thread::spawn(move || {
                    if read_request(&mut stream).is_some() {
                        part(stream, requests.fetch_add(1, Ordering::SeqCst));
                    }
                });
            }
        });
        server
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Reads a request with a body of a known length, or none.
fn read_request(stream: &mut TcpStream) -> Option<()> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
            if read.len() >= end + 4 + length.unwrap_or(0) {
                return Some(());
            }
        }
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&bytes[..count]);
    }
}
