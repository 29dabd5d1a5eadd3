//! Calls an operation that fails for a while, serves the metrics page, and scrapes it as Prometheus
//! does, with exemplars.
//!
//!     cargo run -p redress-prometheus --example scrape

use std::cell::Cell;
use std::error::Error;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use redress::observe::prometheus::PrometheusObserver;
use redress::{CircuitBreaker, Policy, Retry, fixed};

thread_local! {
    /// Stands for the current span of a tracing library.
    static TRACE: Cell<Option<u32>> = const { Cell::new(None) };
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::default();
    let metrics = PrometheusObserver::builder()
        .exemplar(|| TRACE.get().map(|id| ("trace_id", format!("{id:032x}"))))
        .register(&mut registry);
    let breaker = CircuitBreaker::builder().name("inventory").failure_threshold(4).build()?;
    metrics.watch(&breaker);
    let policy = Policy::builder()
        .name("inventory")
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(10))).max_attempts(3))
        .circuit_breaker(&breaker)
        .observer(metrics)
        .build()?;

    for call in 1..=4 {
        TRACE.set(Some(call));
        let stock = policy.operation("get_stock").call(|| match call {
            1 => Ok(7),
            _ => Err(io::Error::from(ErrorKind::ConnectionReset)),
        });
        match stock {
            Ok(pieces) => println!("call {call}: {pieces} pieces"),
            Err(error) => println!("call {call}: {error}"),
        }
    }

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve_once(&listener, &registry));
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    server.join().expect("the server does not panic")?;
    println!("\nGET http://{address}/metrics\n");
    // Most buckets have no exemplar and are hard to read.
    answer.lines().filter(|line| !line.contains("_bucket") || line.contains(" # ")).for_each(|line| println!("{line}"));
    Ok(())
}

/// Answers one request with the page.
fn serve_once(listener: &TcpListener, registry: &Registry) -> io::Result<()> {
    let (mut connection, _) = listener.accept()?;
    let mut request = BufReader::new(connection.try_clone()?).lines();
    while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let mut page = String::new();
    text::encode(&mut page, registry).map_err(io::Error::other)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    write!(connection, "HTTP/1.0 200 OK\r\ncontent-type: {kind}\r\n\r\n{page}")
}
