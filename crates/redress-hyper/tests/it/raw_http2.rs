//! An HTTP/2 server that says what no library would, frame by frame.
//!
//! Owns the frames. Each request is answered by a function of its number and its stream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What was heard of the clients.
#[derive(Clone)]
pub(crate) struct Http2 {
    pub(crate) address: SocketAddr,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Http2 {
    /// Answers each request, counted from 0, with the bytes that `answer` makes for its stream.
    pub(crate) async fn answers(answer: impl Fn(usize, u32) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, requests: Arc::default(), connections: Arc::default() };
        let (accepting, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let (requests, answer) = (Arc::clone(&accepting.requests), Arc::clone(&answer));
                tokio::spawn(async move {
                    // A client that goes away ends the connection.
                    let _ = serve(stream, &requests, &*answer).await;
                });
            }
        });
        server
    }

    pub(crate) fn uri(&self) -> http::Uri {
        format!("http://{}/", self.address).parse().unwrap()
    }

    /// Requests, and connections.
    pub(crate) fn heard(&self) -> (usize, usize) {
        (self.requests.load(Ordering::SeqCst), self.connections.load(Ordering::SeqCst))
    }
}

async fn serve(
    mut stream: TcpStream,
    requests: &AtomicUsize,
    answer: &(impl Fn(usize, u32) -> Vec<u8> + Sync),
) -> std::io::Result<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    stream.write_all(&frame(4, 0, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        let number = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match (head[3], head[4] & 1) {
            (4, 0) => stream.write_all(&frame(4, 1, 0, &[])).await?,
            (6, 0) => stream.write_all(&frame(6, 1, 0, &payload)).await?,
            (1, _) => stream.write_all(&answer(requests.fetch_add(1, Ordering::SeqCst), number)).await?,
            _ => {}
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// RST_STREAM with this code.
pub(crate) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(3, 0, stream, &code.to_be_bytes())
}

/// GOAWAY with this last stream and code.
pub(crate) fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(7, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}

/// A whole response: `:status: 200`, by its place in the static table.
pub(crate) fn ok(stream: u32) -> Vec<u8> {
    frame(1, 0x5, stream, &[0x88])
}
