//! A scripted tonic server on a real socket that records its calls, and a channel to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use redress_grpc_fixture::{Echo, EchoServer, Ping, Pong};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

/// One answer of the script.
pub(crate) enum Answer {
    /// A pong for a ping, and for `many` one for each letter.
    Pong,
    /// A failure before anything else: tonic sends it as trailers only.
    Fail(Status),
    /// Of `many`: so many pongs, then a failure.
    FailAfter(usize, Status),
    /// Of `many`: pongs without an end.
    Endless,
    /// Nothing at all, until the call is dropped.
    Silence,
}

/// What the server saw of one call.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) metadata: MetadataMap,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// The script and the memory, shared with the server.
#[derive(Clone)]
pub(crate) struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    arrived: mpsc::UnboundedSender<()>,
    dropped: mpsc::UnboundedSender<()>,
}

impl Script {
    pub(crate) fn then(&self, answer: Answer) -> &Self {
        self.answers.lock().expect("no panic").push_back(answer);
        self
    }

    pub(crate) fn then_fail(&self, status: Status) -> &Self {
        self.then(Answer::Fail(status))
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    fn next(&self, metadata: &MetadataMap, text: &str) -> Answer {
        let seen = Seen { metadata: metadata.clone(), text: text.to_owned() };
        self.seen.lock().expect("no panic").push(seen);
        // The receiver may be gone.
        let _ = self.arrived.send(());
        self.answers.lock().expect("no panic").pop_front().unwrap_or(Answer::Pong)
    }
}

/// A server, its script, and channels that report calls that arrived and endless streams that were
/// dropped.
pub(crate) struct Running {
    pub(crate) script: Script,
    pub(crate) address: SocketAddr,
    pub(crate) arrived: mpsc::UnboundedReceiver<()>,
    pub(crate) dropped: mpsc::UnboundedReceiver<()>,
}

impl Running {
    /// A channel to the server that connects when it is used.
    pub(crate) fn channel(&self) -> Channel {
        channel(self.address)
    }

    /// Forgets the calls that have arrived so far.
    pub(crate) fn drain_arrivals(&mut self) {
        while self.arrived.try_recv().is_ok() {}
    }
}

pub(crate) fn channel(address: SocketAddr) -> Channel {
    Endpoint::try_from(format!("http://{address}")).expect("a URI").connect_lazy()
}

/// A script, and its reports of calls that arrived and of streams that were dropped.
pub(crate) fn script() -> (Script, (mpsc::UnboundedReceiver<()>, mpsc::UnboundedReceiver<()>)) {
    let (tell_arrived, arrived) = mpsc::unbounded_channel();
    let (tell_dropped, dropped) = mpsc::unbounded_channel();
    let script = Script { answers: Arc::default(), seen: Arc::default(), arrived: tell_arrived, dropped: tell_dropped };
    (script, (arrived, dropped))
}

/// Starts a server on a free port.
pub(crate) async fn serve() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (script, (arrived, dropped)) = script();
    let gzip = tonic::codec::CompressionEncoding::Gzip;
    let service = EchoServer::new(script.clone()).accept_compressed(gzip).send_compressed(gzip);
    let server = Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Running { script, address, arrived, dropped }
}

pub(crate) fn ping(text: &str) -> Ping {
    Ping { text: text.to_owned() }
}

fn pong(text: impl Into<String>) -> Pong {
    Pong { text: text.into() }
}

type Pongs = Pin<Box<dyn Stream<Item = Result<Pong, Status>> + Send>>;

#[tonic::async_trait]
impl Echo for Script {
    type ManyStream = Pongs;
    type ChatStream = Pongs;

    async fn once(&self, request: Request<Ping>) -> Result<Response<Pong>, Status> {
        match self.next(request.metadata(), &request.get_ref().text) {
            Answer::Fail(status) => Err(status),
            Answer::Silence => std::future::pending().await,
            _ => Ok(Response::new(pong(&request.get_ref().text))),
        }
    }

    async fn many(&self, request: Request<Ping>) -> Result<Response<Pongs>, Status> {
        let letters = request.get_ref().text.chars().map(|letter| Ok(pong(letter)));
        match self.next(request.metadata(), &request.get_ref().text) {
            Answer::Fail(status) => Err(status),
            Answer::FailAfter(count, status) => {
                let items: Vec<_> = letters.take(count).chain([Err(status)]).collect();
                Ok(Response::new(Box::pin(tokio_stream::iter(items))))
            }
            Answer::Endless => {
                let (sender, receiver) = mpsc::channel(1);
                let dropped = self.dropped.clone();
                tokio::spawn(async move {
                    while sender.send(Ok(pong("again"))).await.is_ok() {}
                    dropped.send(())
                });
                Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
            }
            Answer::Silence => Ok(Response::new(Box::pin(tokio_stream::pending()))),
            Answer::Pong => Ok(Response::new(Box::pin(tokio_stream::iter(letters.collect::<Vec<_>>())))),
        }
    }

    async fn gather(&self, request: Request<Streaming<Ping>>) -> Result<Response<Pong>, Status> {
        let answer = self.next(request.metadata(), "");
        let mut pings = request.into_inner();
        if let Answer::Fail(status) = answer {
            return Err(status);
        }
        let mut text = String::new();
        while let Some(ping) = pings.message().await? {
            text.push_str(&ping.text);
        }
        Ok(Response::new(pong(text)))
    }

    async fn chat(&self, request: Request<Streaming<Ping>>) -> Result<Response<Pongs>, Status> {
        if let Answer::Fail(status) = self.next(request.metadata(), "") {
            return Err(status);
        }
        let pongs = request.into_inner().map(|ping| ping.map(|ping| pong(ping.text)));
        Ok(Response::new(Box::pin(pongs)))
    }
}
