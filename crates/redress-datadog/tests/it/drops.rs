//! What is dropped, counted, and never waited for.

use std::io::{Error, ErrorKind};
use std::os::unix::net::UnixDatagram;

use cadence::{MetricSink as _, StatsdClient};
use redress_core::Policy;
use redress_datadog::{DatadogObserver, Datagrams};

use crate::agent::Agent;

fn call(datagrams: &Datagrams) {
    let observer = DatadogObserver::new(StatsdClient::from_sink("", datagrams.clone()));
    let policy = Policy::builder().observer(observer).build().unwrap();
    policy.call(|| Ok::<_, Error>(())).unwrap();
}

#[test]
fn datagrams_without_an_agent_are_counted_and_no_call_notices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsd.socket");
    let datagrams = Datagrams::unix(&*path).unwrap();
    call(&datagrams);
    datagrams.flush().unwrap();
    assert_eq!(datagrams.dropped(), 3, "an attempt, an event, a duration");
    assert!(datagrams.stats().packets_dropped >= 1);

    let agent = UnixDatagram::bind(&path).unwrap();
    call(&datagrams);
    datagrams.flush().unwrap();
    assert_eq!(datagrams.dropped(), 3, "an agent that comes later gets the rest");
    assert!(agent.recv(&mut [0; 8192]).unwrap() > 0);
}

/// The agent does not read, so its socket fills, the thread waits, and the queue fills.
#[test]
fn a_full_queue_drops_and_counts_instead_of_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsd.socket");
    let _agent = UnixDatagram::bind(&path).unwrap();
    let datagrams = Datagrams::builder().queue(4).unix(path).unwrap();
    let mut refused = 0;
    // Far more than the socket's buffer holds.
    for _ in 0..200_000 {
        refused += u64::from(datagrams.emit(&"x".repeat(1000)).is_err());
        if refused > 10 {
            break;
        }
    }
    assert!(refused > 10);
    assert!(datagrams.dropped() >= refused);
}

#[test]
fn a_metric_that_does_not_fit_the_queue_is_an_error_that_says_so() {
    let error = Datagrams::builder().queue(0).udp("127.0.0.1:8125").unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::InvalidInput, "queue is 0, but must be at least 1")
    );
    assert!(Datagrams::udp(&[][..]).is_err(), "a name without an address");
}

#[test]
fn metrics_share_datagrams_that_are_not_too_large() {
    for (agent, limit) in [(Agent::udp(), 1432), (Agent::unix(), 8192)] {
        for each in 0..1000 {
            agent.datagrams.emit(&format!("redress.test:{each}|c")).unwrap();
            if each % 50 == 49 {
                agent.datagrams.flush().unwrap();
            }
        }
        let received = agent.received();
        assert!(received.iter().all(|datagram| datagram.len() <= limit));
        let values = received.iter().flat_map(|datagram| crate::grammar::parse(datagram)).map(|metric| metric.value);
        assert!(values.eq((0..1000).map(f64::from)), "in order, each once");
        assert!(received.len() < 1000, "none has a datagram to itself");
        let stats = agent.datagrams.stats();
        assert_eq!(stats.packets_sent, u64::try_from(received.len()).unwrap());
        assert_eq!((agent.datagrams.dropped(), stats.bytes_dropped), (0, 0));
    }
}

#[test]
fn what_is_queued_is_sent_after_the_last_clone_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsd.socket");
    let agent = UnixDatagram::bind(&path).unwrap();
    let datagrams = Datagrams::unix(path).unwrap();
    datagrams.emit("redress.test:1|c").unwrap();
    drop(datagrams);
    let mut buffer = [0; 100];
    let length = agent.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"redress.test:1|c");
}
