//! A breaker's changes of state, and calls that it rejects.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use redress_core::{CircuitBreaker, Policy};
use redress_testing::VirtualClock;
use redress_tracing::{BREAKER_TARGET, CALL_TARGET, SPAN_NAME, TracingObserver};

use crate::capture::Capture;

#[test]
fn the_circuit_opens_rejects_probes_and_closes() {
    let (capture, _guard) = Capture::install();
    let clock = VirtualClock::new();
    let recovery = Duration::from_secs(30);
    let breaker = CircuitBreaker::builder().name("billing").failure_threshold(1).recovery_timeout(recovery);
    let policy = Policy::builder()
        .circuit_breaker(breaker.clock(clock.clone()))
        .clock(clock.clone())
        .observer(TracingObserver::new())
        .build()
        .unwrap();
    let calls = policy.operation("charge");
    let _ = calls.call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    let _ = calls.call(|| Ok::<_, Error>(()));
    clock.advance(recovery);
    calls.call(|| Ok::<_, Error>(())).unwrap();

    let reported = |target: &str| -> Vec<_> {
        let events = capture.events().into_iter().filter(|event| event.target == target);
        events.map(|event| event.line()).filter(|line| line.contains("circuit")).collect()
    };
    assert_eq!(
        reported(BREAKER_TARGET),
        [
            "WARN redress::breaker breaker=billing class=TRANSIENT event=circuit_opened open_for_seconds=30.0 operation=charge state=open",
            "INFO redress::breaker breaker=billing event=circuit_half_open operation=charge state=half_open",
            "INFO redress::breaker breaker=billing event=circuit_closed operation=charge state=closed",
        ]
    );
    assert_eq!(
        reported(CALL_TARGET),
        [
            "DEBUG redress::call attempt=0 breaker=billing event=circuit_rejected operation=charge retry_in_seconds=30.0 state=open stop_reason=CIRCUIT_OPEN"
        ]
    );
    let rejected = &capture.spans(SPAN_NAME)[1];
    assert_eq!(
        rejected.line(),
        "INFO redress::call attempts=0 breaker=billing operation=charge outcome=rejected retry_in_seconds=30.0 stop_reason=CIRCUIT_OPEN"
    );
    for event in capture.events() {
        assert_eq!(capture.ancestors(&event)[0].what, SPAN_NAME, "{event:?}");
    }
}

#[test]
fn a_rejection_beside_a_probe_says_what_is_left_of_its_lease() {
    let (capture, _guard) = Capture::install();
    let clock = VirtualClock::new();
    let recovery = Duration::from_secs(30);
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(recovery);
    let builder = Policy::builder().circuit_breaker(breaker.probe_lease(Duration::from_secs(7)).clock(clock.clone()));
    let policy = builder.clock(clock.clone()).observer(TracingObserver::new()).build().unwrap();
    let _ = policy.call(|| Err::<(), _>(Error::from(ErrorKind::ConnectionReset)));
    clock.advance(recovery);
    let probe = || {
        clock.advance(Duration::from_secs(2));
        let _ = policy.operation("beside").call(|| Ok::<_, Error>(()));
        Ok::<_, Error>(())
    };
    policy.call(probe).unwrap();
    let beside = |seen: &&crate::capture::Seen| seen.field("operation") == Some("beside");
    let rejected = capture.events().iter().find(beside).unwrap().clone();
    assert_eq!(rejected.what, "the circuit waits for its probe and rejected the call");
    assert_eq!((rejected.field("state"), rejected.field("retry_in_seconds")), (Some("half_open"), Some("5.0")));
}
