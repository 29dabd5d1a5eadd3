//! A server that sends scripted bytes over the loopback interface, and a client.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn http_client() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Request<Full<Bytes>> {
    Request::get(uri(address, path)).body(Full::default()).unwrap()
}

pub(crate) fn uri(address: SocketAddr, path: &str) -> Uri {
    format!("http://{address}{path}").parse().unwrap()
}

/// What the server does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// Reads a request's head and sends these bytes.
    Sends(&'static str),
    /// Waits for a request and resets the connection.
    Resets,
}

pub(crate) const OK: Does = Does::Sends("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");

/// A server that handles each connection by the script, and records the heads it read.
pub(crate) async fn play(script: &'static [Does]) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&heads);
    tokio::spawn(async move {
        for does in script {
            let (mut stream, _) = listener.accept().await.unwrap();
            match does {
                Does::Sends(bytes) => {
                    let head = read_head(&mut stream).await;
                    notes.lock().unwrap().push(head);
                    stream.write_all(bytes.as_bytes()).await.unwrap();
                }
                Does::Resets => {
                    // What has come and is not read when the socket closes makes the system reset
                    // the connection.
                    stream.peek(&mut [0]).await.unwrap();
                    notes.lock().unwrap().push(String::new());
                }
            }
        }
    });
    (address, heads)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
