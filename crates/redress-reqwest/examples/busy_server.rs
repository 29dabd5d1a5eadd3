//! A client over reqwest against a busy server: which requests are retried, which are not, and what
//! the caller receives.
//!
//! `cargo run -p redress-reqwest --example busy_server`

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redress::integration::reqwest::{
    ReqwestClassifier, RetryingClient, RetryingRequest, client_builder, outcome, reqwest_classifier,
};
use redress::runtime::tokio::{AsyncPolicy, TokioTimer};
use redress::strategy::equal_jitter;
use redress::{OutcomeSummary, Retry};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

type BoxError = Box<dyn Error + Send + Sync>;
type Request<'c> = RetryingRequest<'c, ReqwestClassifier, TokioTimer>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // Here reqwest has the feature `rustls-no-provider`. With `rustls` it chooses a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (server, requests) = start().await?;
    let url = |path: &str| format!("http://{server}{path}");
    let client = client()?;

    println!("the server answers every third request, and is busy for the others\n");
    tell("GET", client.get(url("/report"))).await;
    tell("PUT with a body", client.put(url("/orders/7")).with(|request| request.json(&["two", "of", "each"]))).await;
    tell("POST", client.post(url("/orders")).body("one of everything")).await;
    tell("POST with a key", client.post(url("/payments")).header("idempotency-key", "\"8e03978e\"").body("42")).await;
    tell("GET, in a hurry", client.get(url("/slow"))).await;
    tell("GET, no listener", client.get("http://127.0.0.1:1/?token=not-shown")).await;
    println!("\nthe server has had {} requests", requests.load(Ordering::Relaxed));
    Ok(())
}

fn client() -> Result<RetryingClient<AsyncPolicy<ReqwestClassifier>>, BoxError> {
    let policy = AsyncPolicy::builder()
        .classifier(reqwest_classifier())
        .retry(Retry::builder().strategy(equal_jitter().base(Duration::from_millis(50))).max_attempts(4))
        .attempt_timeout(Duration::from_secs(2))
        .deadline(Duration::from_secs(10))
        .build()?;
    Ok(RetryingClient::new(client_builder().no_proxy().build()?, policy))
}

async fn tell(what: &str, request: Request<'_>) {
    match request.send().await {
        Err(error) => println!("{what:18} {error}"),
        Ok(response) => {
            let summary = outcome(&response);
            let attempts = summary.map_or(0, OutcomeSummary::attempts);
            let stopped = summary.and_then(OutcomeSummary::stop_reason).map_or("done", |why| why.description());
            println!("{what:18} {}, attempts: {attempts}, {stopped}", response.status());
        }
    }
}

/// Starts the server. Returns its address and its count of requests.
async fn start() -> Result<(SocketAddr, Arc<AtomicUsize>), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, requests) = (listener.local_addr()?, Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&count)));
        }
    });
    Ok((address, requests))
}

async fn serve(stream: TcpStream, count: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut line, mut length, mut path) = (String::new(), 0, String::new());
        while stream.read_line(&mut line).await? > 2 {
            let lower = line.to_lowercase();
            if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            } else if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or_default();
            }
            line.clear();
        }
        if path.is_empty() {
            return Ok(());
        }
        stream.read_exact(&mut vec![0; length]).await?;
        let is_good = count.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let hint = if path == "/slow" { "retry-after: 3600\r\n" } else { "" };
        let status = if is_good { "200 OK" } else { "503 Service Unavailable" };
        stream.write_all(format!("HTTP/1.1 {status}\r\n{hint}content-length: 0\r\n\r\n").as_bytes()).await?;
    }
}
