//! An agent: a socket that a thread reads all the time, because a Unix socket holds few datagrams.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use cadence::{MetricSink as _, StatsdClient};
use redress_datadog::{DatadogObserver, DatadogObserverBuilder, Datagrams};
use tempfile::TempDir;

use crate::grammar::{self, Metric};

/// Sent by the test itself after everything else.
const MARK: &[u8] = b"# the end";

enum Address {
    Udp(SocketAddr),
    Unix(PathBuf, #[expect(dead_code, reason = "holds the folder of the socket")] TempDir),
}

/// An agent, and the datagrams to it.
pub(crate) struct Agent {
    address: Address,
    received: Receiver<Vec<u8>>,
    pub(crate) datagrams: Datagrams,
}

impl Agent {
    pub(crate) fn udp() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let datagrams = Datagrams::udp(address).unwrap();
        Self { address: Address::Udp(address), received: read(move |buffer| socket.recv(buffer)), datagrams }
    }

    pub(crate) fn unix() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dsd.socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        let datagrams = Datagrams::unix(&path).unwrap();
        Self { address: Address::Unix(path, folder), received: read(move |buffer| socket.recv(buffer)), datagrams }
    }

    /// An observer that sends to the agent.
    pub(crate) fn observer(&self) -> DatadogObserver {
        self.builder().build()
    }

    pub(crate) fn builder(&self) -> DatadogObserverBuilder {
        DatadogObserver::builder(StatsdClient::from_sink("", self.datagrams.clone()))
    }

    /// Everything sent since the last time, datagram by datagram.
    pub(crate) fn received(&self) -> Vec<Vec<u8>> {
        self.datagrams.flush().unwrap();
        let marked = match &self.address {
            Address::Udp(address) => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().send_to(MARK, address),
            Address::Unix(path, _) => UnixDatagram::unbound().unwrap().send_to(MARK, path),
        };
        assert_eq!(marked.unwrap(), MARK.len());
        self.received.iter().take_while(|datagram| datagram != MARK).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        self.received().iter().flat_map(|datagram| grammar::parse(datagram)).collect()
    }

    /// The metrics of this name.
    pub(crate) fn metrics_of(&self, name: &str) -> Vec<Metric> {
        self.metrics().into_iter().filter(|metric| metric.name == name).collect()
    }
}

/// Reads until the test ends.
fn read(mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize> + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        while let Ok(length) = receive(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    received
}
