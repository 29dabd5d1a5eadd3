//! The envelope as a server reads it, sent by Sentry's own transport over a socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use redress_sentry::SentryObserver;
use sentry::protocol::Value;
use sentry::{Client, ClientOptions, Envelope, Hub};
use serde_json::json;

use crate::policies::{fail, policy};

struct Received {
    line: String,
    headers: String,
    body: Vec<u8>,
}

/// Reads one request and answers it.
fn serve(stream: TcpStream) -> Received {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut headers).unwrap() > 0, "the head ends early: {headers}");
    }
    let headers = headers.to_ascii_lowercase();
    let length = headers.lines().find_map(|header| header.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    Received { line, headers, body }
}

#[test]
fn a_server_receives_the_event_in_an_envelope() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));

    let options = ClientOptions::new()
        .dsn(&format!("http://public@127.0.0.1:{port}/42"))
        .transport(sentry::transports::DefaultTransportFactory);
    let client = Arc::new(Client::from(options));
    let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::default()));
    Hub::run(hub, || fail(&policy(SentryObserver::new()), "load"));
    assert!(client.flush(Some(Duration::from_secs(20))));

    let received = server.join().unwrap();
    assert!(received.line.starts_with("POST /api/42/envelope/ HTTP/1.1"), "{}", received.line);
    assert!(received.headers.contains("sentry_key=public"), "{}", received.headers);
    let envelope = Envelope::from_slice(&received.body).unwrap();
    assert_eq!(envelope.items().count(), 1);
    // As any server reads it, without the types of the client.
    let text = String::from_utf8(received.body).unwrap();
    let event: Value = serde_json::from_str(text.lines().nth(2).unwrap()).unwrap();
    assert_eq!(event["message"], json!("load failed: the attempts allowed were used up"));
    assert_eq!(event["fingerprint"], json!(["redress", "load", "TRANSIENT", "MAX_ATTEMPTS_GLOBAL"]));
    assert_eq!(event["tags"]["redress.stop_reason"], json!("MAX_ATTEMPTS_GLOBAL"));
    assert_eq!(event["contexts"]["redress"]["attempt"], json!(3));
    let waits: Vec<&Value> = event["breadcrumbs"]["values"].as_array().unwrap().iter().collect();
    assert_eq!(waits.len(), 2);
    assert_eq!(waits[0]["data"]["wait_seconds"], json!(0.25));
    assert_eq!((&waits[0]["category"], &waits[0]["level"]), (&json!("redress"), &json!("warning")));
}
