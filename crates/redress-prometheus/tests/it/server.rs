//! A page on a socket, and a client that scrapes it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;
use redress_fixtures::exposition::{Format, Page};
use redress_prometheus::{PrometheusObserver, PrometheusObserverBuilder};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An observer, and its page on a port of loopback.
pub(crate) struct Served {
    pub(crate) observer: PrometheusObserver,
    address: SocketAddr,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::with(PrometheusObserver::builder())
    }

    pub(crate) fn with(builder: PrometheusObserverBuilder) -> Self {
        let mut registry = Registry::default();
        let observer = builder.register(&mut registry);
        Self::serving(registry, observer)
    }

    pub(crate) fn serving(registry: Registry, observer: PrometheusObserver) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let registry = Arc::new(registry);
        thread::spawn(move || listener.incoming().for_each(|scraper| answer(scraper.unwrap(), &registry)));
        Self { observer, address }
    }

    pub(crate) fn text(&self, format: Format) -> String {
        let mut server = TcpStream::connect(self.address).unwrap();
        let accepted = if format == Format::OpenMetrics { OPEN_METRICS } else { "text/plain" };
        write!(server, "GET /metrics HTTP/1.0\r\naccept: {accepted}\r\n\r\n").unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let expected = if format == Format::OpenMetrics { OPEN_METRICS } else { prometheus_text::CONTENT_TYPE };
        assert_eq!(head, format!("HTTP/1.0 200 OK\r\ncontent-type: {expected}"));
        body.to_owned()
    }

    pub(crate) fn scrape(&self, format: Format) -> Page {
        let page = Page::parse(&self.text(format), format);
        assert!(page.families.values().all(|family| family.help.is_some()), "{:?}", page.names());
        page
    }
}

fn answer(mut scraper: TcpStream, registry: &Registry) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        scraper.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let mut page = String::new();
    let kind = if String::from_utf8(request).unwrap().contains("application/openmetrics-text") {
        text::encode(&mut page, registry).unwrap();
        OPEN_METRICS
    } else {
        prometheus_text::encode(&mut page, registry).unwrap();
        prometheus_text::CONTENT_TYPE
    };
    write!(scraper, "HTTP/1.0 200 OK\r\ncontent-type: {kind}\r\n\r\n{page}").unwrap();
}
