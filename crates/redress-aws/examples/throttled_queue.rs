//! A queue of SQS that is throttled. It shows how long the policy waits and why, and what is not
//! sent again.
//!
//! `cargo run -p redress-aws --example throttled_queue` talks to a server of its own on loopback,
//! which answers as SQS does; it needs neither an account nor credentials.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::ensure;
use aws_sdk_sqs::config::{Credentials, Region};
use aws_sdk_sqs::{Client, Config};
use redress::integration::aws::{aws_classifier, retries_by_itself, retry_config};
use redress::runtime::tokio::AsyncPolicy;
use redress::{Retry, decorrelated_jitter};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = start_server()?;
    let settings = Config::builder()
        .region(Region::new("eu-north-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"))
        .endpoint_url(format!("http://{server}"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retry_config())
        .build();
    let client = Client::from_conf(settings);
    ensure!(!retries_by_itself(client.config().retry_config()), "the SDK would retry below the policy");

    let policy = AsyncPolicy::builder()
        .classifier(aws_classifier())
        .retry(Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(20))).max_attempts(4))
        .deadline(Duration::from_secs(10))
        .build()?;

    for order in ["a lamp", "", "a piano"] {
        println!("{order:?}:");
        let policy = policy.operation("send_order");
        let noting = policy.on_retry(|retry| {
            // The SDK's error prints no more than "service error".
            let code = retry.classification.detail("aws").unwrap_or("no answer");
            println!("  {code}, {}; again in {} ms", retry.classification.class(), retry.wait.as_millis());
        });
        let outcome = noting
            .execute(async || client.send_message().queue_url("http://orders").message_body(order).send().await)
            .await;
        match outcome.value() {
            Some(sent) => println!("  sent as {} by attempt {}", sent.message_id().unwrap_or("?"), outcome.attempts()),
            None => {
                let code =
                    outcome.last_classification().and_then(|failure| failure.detail("aws")).unwrap_or("no answer");
                println!("  {code} after {} attempts", outcome.attempts());
            }
        }
    }
    Ok(())
}

/// Throttles every other request, and refuses empty messages.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            if let Err(error) = stream.and_then(|mut stream| answer(number, &mut stream)) {
                eprintln!("the server lost a connection: {error}");
            }
        }
    });
    Ok(address)
}

fn answer(number: usize, stream: &mut TcpStream) -> io::Result<()> {
    let body = read_body(stream)?;
    let (status, header, body) = if number.is_multiple_of(2) {
        ("400 Bad Request", "x-amzn-errortype: ThrottlingException\r\nx-amz-retry-after: 250\r\n", "{}")
    } else if body.contains(r#""MessageBody":"""#) {
        ("400 Bad Request", "x-amzn-errortype: InvalidMessageContents\r\n", r#"{"message":"empty"}"#)
    } else {
        ("200 OK", "", r#"{"MessageId":"8e03978e"}"#)
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n{body}")
}

fn read_body(stream: &mut TcpStream) -> io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    String::from_utf8(body).map_err(io::Error::other)
}
