//! A scripted server on 127.0.0.1 and clients of the SDK for it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aws_sdk_sqs::config::{Builder, Credentials, Region, SharedCredentialsProvider};
use aws_sdk_sqs::{Client, Config};
use redress::integration::aws::{AwsClassifier, aws_classifier, retry_config};
use redress::runtime::tokio::AsyncPolicy;
use redress::{Retry, fixed};

/// A server that answers each request on a connection of its own.
pub(crate) struct Stub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Answers requests with these bytes, in order, and further ones with the last. Nothing closes
    /// the connection without an answer.
    pub(crate) fn answers<A: Into<String>>(answers: impl IntoIterator<Item = A>) -> Self {
        let answers: Vec<String> = answers.into_iter().map(Into::into).collect();
        Self::start(move |number, stream| {
            let answer = answers.get(number).or_else(|| answers.last()).expect("an answer");
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    /// Reads requests, and never answers.
    pub(crate) fn silent() -> Self {
        Self::start(|_, stream| {
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    fn start(answer: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let stub = Self { address: listener.local_addr().expect("a socket"), requests: Arc::default() };
        let (requests, answer) = (Arc::clone(&stub.requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, requests, answer) =
                    (stream.expect("a socket"), Arc::clone(&requests), Arc::clone(&answer));
                thread::spawn(move || {
                    let Some(request) = read(&mut stream) else { return };
                    let number = {
                        let mut all = requests.lock().expect("no panic");
                        all.push(request);
                        all.len() - 1
                    };
                    answer(number, &mut stream);
                });
            }
        });
        stub
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have arrived.
    pub(crate) fn count(&self) -> usize {
        self.requests.lock().expect("no panic").len()
    }

    /// A client for this server that retries nothing.
    pub(crate) fn client(&self) -> Client {
        client(&self.uri(), |settings| settings)
    }
}

/// Reads a request with its body.
fn read(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0_usize) {
                return Some(text);
            }
        }
        match stream.read(&mut chunk) {
            Ok(count @ 1..) => read.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

/// A client that retries nothing, with further settings.
pub(crate) fn client(uri: &str, more: impl FnOnce(Builder) -> Builder) -> Client {
    Client::from_conf(more(settings(uri).retry_config(retry_config())).build())
}

/// The settings of a client that was told nothing of retries.
pub(crate) fn settings(uri: &str) -> Builder {
    let credentials = Credentials::new("AKIDEXAMPLE", "a secret", None, None, "tests");
    Config::builder()
        .region(Region::new("eu-north-1"))
        .endpoint_url(uri)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

/// A URI at which no server listens.
pub(crate) fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    format!("http://{}/", listener.local_addr().expect("a socket"))
}

/// A whole answer with this status, headers and JSON body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// An answer of the JSON protocols with this code.
pub(crate) fn refusal(status: u16, code: &str) -> String {
    answer(status, &format!("x-amzn-errortype: {code}\r\n"), r#"{"message":"no"}"#)
}

pub(crate) fn queues() -> String {
    answer(200, "", r#"{"QueueUrls":["http://localhost/queue"]}"#)
}

/// A policy that makes up to `attempts` attempts, without waits.
pub(crate) fn policy(attempts: u32) -> AsyncPolicy<AwsClassifier> {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(attempts);
    AsyncPolicy::builder().classifier(aws_classifier()).retry(retry).build().expect("a policy")
}
