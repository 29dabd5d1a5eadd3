//! Requests that break rules reach no policy, or change nothing for others.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path};
use axum::routing::{get as on_get, put};
use redress_axum::HandlerLayer;
use redress_testing::Recorder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::server::{Server, at_once, of_handlers, operations, serve};

async fn lab() -> (Recorder, Server) {
    let recorder = Recorder::new();
    let policy = of_handlers().retry(at_once(3)).observer(recorder.clone()).build().unwrap();
    let order = async |Path(number): Path<u32>| number.to_string();
    (recorder, serve(Router::new().route("/orders/{id}", on_get(order)).layer(HandlerLayer::new(policy))).await)
}

/// Sends these bytes and returns the status line of the response.
async fn line(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    String::from_utf8_lossy(&received).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn requests_that_are_not_http_reach_no_policy() {
    let (recorder, server) = lab().await;
    let requests: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET /orders/7\r\n\r\n",
        b"GET /orders/7 HTTP/1.1\r\nbad header: 1\r\n\r\n",
        b"GET /orders/7 HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ];
    for request in requests {
        assert_eq!(line(&server, request).await, "HTTP/1.1 400 Bad Request", "{}", request.escape_ascii());
    }
    assert_eq!(operations(&recorder), Vec::<String>::new());
    assert_eq!(server.get("/orders/7").await.body, "7");
}

#[tokio::test]
async fn a_head_without_end_reaches_no_policy() {
    let (recorder, server) = lab().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /orders/7 HTTP/1.1\r\n").await.unwrap();
    let (mut reads, mut writes) = stream.split();
    let filler = "x: y\r\n".repeat(100);
    let sending = async { while writes.write_all(filler.as_bytes()).await.is_ok() {} };
    let mut received = [0; 64];
    let reading = async { reads.read(&mut received).await.unwrap_or(0) };
    let count = tokio::select! { count = reading => count, () = sending => 0 };
    assert!(!received[..count].starts_with(b"HTTP/1.1 2"), "{}", received.escape_ascii());
    assert_eq!(operations(&recorder), Vec::<String>::new());
    assert_eq!(server.get("/orders/7").await.body, "7");
}

#[tokio::test]
async fn a_body_that_breaks_off_runs_its_handler_once() {
    let recorder = Recorder::new();
    let policy = of_handlers().retry(at_once(3)).observer(recorder.clone()).build().unwrap();
    let keep = async |body: String| body;
    let limit = DefaultBodyLimit::max(8);
    let router = Router::new().route("/orders", put(keep)).layer(HandlerLayer::new(policy)).layer(limit);
    let server = serve(router).await;
    let head = "PUT /orders HTTP/1.1\r\nhost: h\r\nconnection: close\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let endless = format!("{chunked}10\r\nsixteen or more.\r\n");
    for (request, status) in [(format!("{chunked}zz\r\n"), "400"), (endless, "413")] {
        let answered = line(&server, request.as_bytes()).await;
        assert!(answered.starts_with(&format!("HTTP/1.1 {status}")), "{answered}");
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("{head}content-length: 10\r\n\r\nhalf").as_bytes()).await.unwrap();
    drop(stream);
    let request = server.request(http::Method::PUT, "/orders").body("whole".into()).unwrap();
    assert_eq!(server.send(request).await.body, "whole");
    assert!(recorder.event_names().iter().all(|name| *name != redress_core::EventName::Retry));
}

#[tokio::test]
async fn a_request_that_an_extractor_rejects_is_answered_by_it_once() {
    let (recorder, server) = lab().await;
    let received = server.get_accepting("/orders/seven", "application/json").await;
    assert_eq!((received.status, received.header("content-type")), (400, Some("text/plain; charset=utf-8")));
    assert!(recorder.decisions().len() <= 1);
}

#[tokio::test]
async fn headers_that_cannot_be_read_are_ignored() {
    let (_, server) = lab().await;
    let headers: [&[u8]; 3] = [b"accept: \xff\xfe", b"accept: ,;,/;q=", b"accept: text/plain;q=9, \"\""];
    for header in headers {
        let head = [b"GET /orders/7 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n", header, b"\r\n\r\n"].concat();
        assert_eq!(line(&server, &head).await, "HTTP/1.1 200 OK", "{}", header.escape_ascii());
    }
}
