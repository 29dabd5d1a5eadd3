//! An HTTP/2 server that answers the head of each request with frames of the test's making.
//!
//! Owns the frames. No gRPC server would send these.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Starts a server that answers each request, counted from 0, with what `answer` makes for its stream; its address, and how many requests
/// it has had.
pub(crate) async fn serve_frames(
    answer: impl Fn(usize, u32) -> Vec<u8> + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (requests, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (counted, answer) = (Arc::clone(&counted), Arc::clone(&answer));
            tokio::spawn(async move {
                // A client that goes away ends the connection.
                let _ = serve(stream, &counted, &*answer).await;
            });
        }
    });
    (address, requests)
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
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
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
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
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

/// The head of a response: `:status: 200`, by its place in the static table.
pub(crate) fn head(stream: u32) -> Vec<u8> {
    frame(1, 0x4, stream, &[0x88])
}

/// A whole response of `grpc-status: 0` in its head, by names that are spelled out.
pub(crate) fn ok(stream: u32) -> Vec<u8> {
    let literal = |name: &[u8], value: &[u8]| {
        let length = |text: &[u8]| u8::try_from(text.len()).expect("a short text");
        [&[0, length(name)], name, &[length(value)], value].concat()
    };
    let block = [vec![0x88], literal(b"content-type", b"application/grpc"), literal(b"grpc-status", b"0")].concat();
    frame(1, 0x5, stream, &block)
}
