//! Plays Datadog's agent on a free port, makes calls, and prints the metrics that arrive.
//!
//!     cargo run -p redress-datadog --example agent

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use cadence::{MetricSink as _, StatsdClient};
use redress::observe::datadog::{DatadogObserver, Datagrams};
use redress::{CircuitBreaker, Policy, Retry, fixed};

fn main() -> Result<(), Box<dyn Error>> {
    let agent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let datagrams = Datagrams::udp(agent.local_addr()?)?;
    let client = StatsdClient::builder("", datagrams.clone()).with_tag("service", "shop").build();
    let metrics = DatadogObserver::new(client);

    let breaker = CircuitBreaker::builder().name("inventory").failure_threshold(4).build()?;
    metrics.watch(&breaker);
    let policy = Policy::builder()
        .name("inventory")
        .retry(Retry::builder().strategy(fixed(Duration::from_millis(10))).max_attempts(3))
        .circuit_breaker(&breaker)
        .observer(metrics)
        .build()?;

    for call in 1..=3 {
        let stock = policy.operation("get_stock").call(|| match call {
            1 => Ok(7),
            _ => Err(io::Error::from(ErrorKind::ConnectionReset)),
        });
        match stock {
            Ok(pieces) => println!("call {call}: {pieces} pieces"),
            Err(error) => println!("call {call}: {error}"),
        }
    }

    datagrams.flush()?;
    println!();
    agent.set_nonblocking(true)?;
    let mut buffer = [0; 65_535];
    // Everything has been sent, and loopback delivers at once.
    while let Ok(length) = agent.recv(&mut buffer) {
        println!("{}", String::from_utf8_lossy(&buffer[..length]));
    }
    println!("\n{} dropped", datagrams.dropped());
    Ok(())
}
