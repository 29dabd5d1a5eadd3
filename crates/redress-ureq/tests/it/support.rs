//! Scripted servers on real sockets, one thread for each connection, and policies that never wait.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use redress::integration::ureq::{RetryingAgent, UreqClassifier, ureq_classifier};
use redress::policy::{Blocking, PolicyBuilder};
use redress::{Policy, Retry, fixed};

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
pub(crate) const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";

/// A policy that makes up to `attempts` attempts, without waits.
pub(crate) fn builder(attempts: u32) -> PolicyBuilder<UreqClassifier, Blocking> {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(attempts);
    Policy::builder().classifier(ureq_classifier()).retry(retry)
}

pub(crate) fn policy(attempts: u32) -> Policy<UreqClassifier> {
    builder(attempts).build().expect("a policy")
}

pub(crate) fn agent(attempts: u32) -> RetryingAgent<Policy<UreqClassifier>> {
    RetryingAgent::new(ureq::agent(), policy(attempts))
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// Counted from 0.
    pub(crate) connection: usize,
    /// The first line and the headers, with lower-case names.
    pub(crate) head: Vec<String>,
    /// The body, without the framing of chunks.
    pub(crate) body: String,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// A server on 127.0.0.1 that records requests.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Server {
    /// Plays `part` on every connection.
    pub(crate) fn start(part: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let server = Self { address: listener.local_addr().expect("a socket"), arrived: Arc::default() };
        let (arrived, part) = (Arc::clone(&server.arrived), Arc::new(part));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let stream = stream.expect("a socket");
                let (part, arrived) = (Arc::clone(&part), Arc::clone(&arrived));
                thread::spawn(move || part(Peer { number, stream, read: Vec::new(), arrived }));
            }
        });
        server
    }

    /// Answers the requests of all connections with these, in order, and further ones with the
    /// last.
    pub(crate) fn answers<A: Into<String>>(answers: impl IntoIterator<Item = A>) -> Self {
        let answers: Vec<String> = answers.into_iter().map(Into::into).collect();
        Self::start(move |mut peer| {
            while let Some(count) = peer.next() {
                peer.send(answers.get(count).or_else(|| answers.last()).expect("an answer"));
            }
        })
    }

    /// Reads requests, and never answers.
    pub(crate) fn silent() -> Self {
        Self::start(|mut peer| while peer.next().is_some() {})
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("no panic").clone()
    }

    /// On which connection each request came.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.arrived().iter().map(|arrived| arrived.connection).collect()
    }
}

/// A URI at which no server listens.
pub(crate) fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    format!("http://{}/", listener.local_addr().expect("a socket"))
}

/// One connection, seen from the server.
pub(crate) struct Peer {
    pub(crate) number: usize,
    pub(crate) stream: TcpStream,
    read: Vec<u8>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Peer {
    /// The next request, whole; its number among those of all connections, from 0. `None` when the
    /// client has closed.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let head = self.up_to(b"\r\n\r\n")?;
        let mut head: Vec<String> = head.trim_end().split("\r\n").map(str::to_owned).collect();
        for header in &mut head[1..] {
            let (name, value) = header.split_once(": ").expect("a header");
            *header = format!("{}: {value}", name.to_lowercase());
        }
        let mut arrived = Arrived { connection: self.number, head, body: String::new() };
        arrived.body = match arrived.header("content-length") {
            Some(length) => self.exactly(length.parse().expect("a number"))?,
            None if arrived.header("transfer-encoding").is_some() => self.chunks()?,
            None => String::new(),
        };
        let mut all = self.arrived.lock().expect("no panic");
        all.push(arrived);
        Some(all.len() - 1)
    }

    /// Sends this. Returns whether the client was still there.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Closes with a reset instead of an end.
    pub(crate) fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("a socket");
    }

    /// Waits until the client closes.
    pub(crate) fn closed(&mut self) {
        while self.fill().is_some() {}
    }

    fn chunks(&mut self) -> Option<String> {
        let mut body = String::new();
        loop {
            let size = self.up_to(b"\r\n")?;
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            let chunk = self.exactly(size + 2)?;
            if size == 0 {
                return Some(body);
            }
            body.push_str(&chunk[..size]);
        }
    }

    fn up_to(&mut self, end: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|bytes| bytes == end) {
                return self.exactly(at + end.len());
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, length: usize) -> Option<String> {
        while self.read.len() < length {
            self.fill()?;
        }
        Some(String::from_utf8(self.read.drain(..length).collect()).expect("text"))
    }

    fn fill(&mut self) -> Option<()> {
        let mut bytes = [0; 4096];
        let count = self.stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
        self.read.extend_from_slice(&bytes[..count]);
        Some(())
    }
}
