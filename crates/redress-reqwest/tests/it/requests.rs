//! How requests are made: reqwest's builder, bodies, and what each attempt sends.

use redress_core::StopReason;
use redress_fixtures::script_server::Server;
use redress_reqwest::request_with_retry;

use crate::support::{BUSY, OK, client, policy};

#[tokio::test]
async fn requests_read_as_reqwests_do() {
    let server = Server::answers(&[BUSY, OK]).await;
    let response = client()
        .post(server.uri("/orders").to_string())
        .bearer_auth("secret")
        .header("idempotency-key", "7")
        .with(|request| request.json(&["a", "b"]))
        .send()
        .await
        .unwrap();
    assert_eq!(response.error_for_status().unwrap().text().await.unwrap(), "fine");
    let arrived = server.arrived();
    assert_eq!(arrived.len(), 2);
    for request in arrived {
        assert_eq!(request.line, "POST /orders HTTP/1.1");
        assert_eq!(request.header("authorization"), Some("Bearer secret"));
        assert_eq!((request.header("content-type"), &*request.body), (Some("application/json"), &br#"["a","b"]"#[..]));
    }
}

#[tokio::test]
async fn every_method_is_sent() {
    let server = Server::answers(&[OK]).await;
    let (client, url) = (client(), server.uri("/").to_string());
    for request in [client.get(&url), client.delete(&url), client.put(&url), client.post(&url), client.patch(&url)] {
        request.send().await.unwrap().text().await.unwrap();
    }
    client.head(&url).send().await.unwrap();
    client
        .request(reqwest::Method::OPTIONS, &url)
        .basic_auth("me", Some("x"))
        .headers(http::HeaderMap::new())
        .send()
        .await
        .unwrap();
    let methods: Vec<_> = server.arrived().iter().map(|it| it.line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(methods, ["GET", "DELETE", "PUT", "POST", "PATCH", "HEAD", "OPTIONS"]);
}

#[tokio::test]
async fn a_builder_of_reqwest_is_sent_as_it_is() {
    let server = Server::answers(&[BUSY, OK, BUSY, OK]).await;
    let client = client();
    let request = || client.client().put(server.uri("/").to_string()).body("order");
    let response = client.send(request()).await.unwrap();
    assert_eq!(redress_reqwest::outcome(&response).unwrap().attempts(), 2);
    let outcome = client.execute(request()).await;
    assert_eq!((outcome.is_ok(), outcome.attempts()), (true, 2));
    assert!(server.arrived().iter().all(|arrived| arrived.body == b"order"));
}

#[tokio::test]
async fn a_request_may_be_sent_without_a_retrying_client() {
    let server = Server::answers(&[BUSY, OK]).await;
    let request = client().client().get(server.uri("/").to_string());
    let response = request_with_retry(&policy(), request).await.unwrap();
    assert_eq!((response.status().as_u16(), server.arrived().len()), (200, 2));
}

#[tokio::test]
async fn a_stream_is_sent_once() {
    let server = Server::answers(&[BUSY, OK]).await;
    let stream = || reqwest::Body::wrap(http_body_util::Full::new(bytes::Bytes::from("order")));
    let form = reqwest::multipart::Form::new().text("name", "value");
    let client = client();
    let put = client.put(server.uri("/").to_string()).body(stream()).execute().await;
    assert_eq!((put.attempts(), put.retry_forbidden()), (1, Some("streaming_body")));
    assert_eq!(put.stop_reason(), Some(StopReason::RetryForbidden));
    assert_eq!(put.last_value().unwrap().status(), 503);
    let again = client.put(server.uri("/").to_string()).with(|request| request.multipart(form));
    assert!(again.execute().await.is_ok());
    assert!(server.arrived()[1].header("content-type").unwrap().starts_with("multipart/form-data"));
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_no_attempt() {
    let outcome = client().get("no scheme").execute().await;
    assert_eq!((outcome.attempts(), outcome.stop_reason()), (0, Some(StopReason::NonRetryableClass)));
    assert!(outcome.last_error().unwrap().is_builder());
    let header = client().get("http://localhost/").header("bad name", "x").send().await.unwrap_err();
    assert!(header.error().unwrap().is_builder());
}

#[tokio::test]
async fn a_url_that_reqwest_refuses_ends_the_call() {
    let outcome = client().get("ftp://localhost/").execute().await;
    assert_eq!((outcome.stop_reason(), outcome.attempts() <= 1), (Some(StopReason::NonRetryableClass), true));
}
