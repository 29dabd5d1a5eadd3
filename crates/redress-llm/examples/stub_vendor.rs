//! A chat client over reqwest against a stub of a vendor: what is retried, when, and what ends the
//! call.
//!
//! `cargo run -p redress-llm --example stub_vendor`

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use redress::Retry;
use redress::integration::llm::anthropic::{AnthropicClassifier, anthropic_classifier};
use redress::integration::llm::reqwest::{RequestError, error_for_status};
use redress::integration::llm::{Output, StreamError, anthropic};
use redress::runtime::tokio::AsyncPolicy;
use redress::strategy::equal_jitter;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = start().await?;
    let policy = policy()?;
    // Needed only if something else in the build turns reqwest's TLS on without a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The policy retries, and reqwest does not.
    let client = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build()?;

    for path in ["busy", "limited", "spent", "refused", "stream"] {
        let url = format!("http://{server}/{path}");
        let outcome = policy.operation("complete").execute(|| complete(&client, &url)).await;
        let said = match (outcome.value(), outcome.last_classification()) {
            (Some(text), _) => format!("{text:?}"),
            (None, Some(failure)) => {
                let details: Vec<String> = failure.details().map(|(key, value)| format!("{key} {value}")).collect();
                format!("{}: {}", failure.class(), details.join(", "))
            }
            (None, None) => "no attempt".to_owned(),
        };
        println!("{path:8} attempts: {}, {said}", outcome.attempts());
    }
    Ok(())
}

fn policy() -> Result<AsyncPolicy<AnthropicClassifier>, BoxError> {
    Ok(AsyncPolicy::builder()
        .classifier(anthropic_classifier())
        .retry(
            Retry::builder()
                .strategy(equal_jitter().base(Duration::from_millis(20)))
                .max_attempts(4)
                // Longer waits than this are left to the caller.
                .max_retry_after(Duration::from_secs(30)),
        )
        .attempt_timeout(Duration::from_secs(20))
        .deadline(Duration::from_secs(60))
        .build()?)
}

/// Sends a request and collects the text of the stream. Nothing leaves the function before the
/// stream has ended, so an attempt that fails in the middle may begin again.
async fn complete(client: &reqwest::Client, url: &str) -> Result<String, RequestError> {
    let request = client.post(url).body(r#"{"model": "m", "stream": true, "messages": []}"#);
    let mut response = error_for_status(request.send().await?).await?;
    let (mut unread, mut text) = (Vec::new(), String::new());
    loop {
        let chunk = response.chunk().await.map_err(|error| StreamError::interrupted(error, Output::Undelivered))?;
        let Some(chunk) = chunk else { return Ok(text) };
        unread.extend_from_slice(&chunk);
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            if let Some(data) = line.strip_prefix(b"data: ") {
                anthropic::check_event(data, Output::Undelivered)?;
                text.push_str(String::from_utf8_lossy(data).trim());
            }
        }
    }
}

/// Starts the stub and returns its address.
async fn start() -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        // The number of requests before, for each path.
        let mut seen = std::collections::HashMap::<String, usize>::new();
        while let Ok((stream, _)) = listener.accept().await {
            // An error is a client that left.
            let _ = serve(stream, &mut seen).await;
        }
    });
    Ok(address)
}

async fn serve(stream: TcpStream, seen: &mut std::collections::HashMap<String, usize>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if let Some(rest) = line.strip_prefix("POST /") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    let count = seen.entry(path.clone()).or_default();
    let (status, headers, body) = answer(&path, *count);
    *count += 1;
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

fn answer(path: &str, count: usize) -> (u16, &'static str, &'static str) {
    const SPENT: &str =
        r#"{"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}"#;
    match (path, count) {
        ("busy", 0) => (529, "retry-after-ms: 100\r\n", r#"{"error": {"type": "overloaded_error"}}"#),
        ("limited", 0) => (429, "retry-after: 1\r\n", r#"{"error": {"type": "rate_limit_error"}}"#),
        ("spent", _) => (429, "", SPENT),
        ("refused", _) => (401, "", r#"{"error": {"type": "authentication_error"}}"#),
        ("stream", 0) => (200, "", "data: {}\n\ndata: {\"type\": \"error\", \"error\": {\"type\": \"api_error\"}}\n\n"),
        _ => (200, "", "data: \"hello\"\n\n"),
    }
}
