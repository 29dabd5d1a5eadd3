//! The fake breaker in real policies.

use std::io;
use std::sync::Arc;

use redress_core::breaker::{CircuitState, Transition};
use redress_core::error::CircuitOpenError;
use redress_core::{ErrorClass, EventName, Policy, Retry, StopReason};
use redress_testing::{BreakerDecision, FakeCircuitBreaker, Recorder, assert_outcome, instant_retries};

use crate::{reset, secs};

fn policy(breaker: &Arc<FakeCircuitBreaker>) -> Policy {
    let retry = Retry::builder().strategy(instant_retries()).max_attempts(2);
    Policy::builder().retry(retry).circuit_breaker(Arc::clone(breaker)).build().expect("a valid configuration")
}

#[test]
fn it_admits_everything_unless_told_otherwise() {
    let breaker = Arc::new(FakeCircuitBreaker::new());
    let policy = policy(&breaker);
    assert!(policy.call(|| Ok::<_, io::Error>(1)).is_ok());
    assert!(policy.call(|| Err::<(), _>(reset())).is_err());
    assert_eq!(breaker.admit_calls(), 2, "once a call, not once an attempt");
    assert_eq!(breaker.successes(), 1);
    assert_eq!(breaker.failures(), [ErrorClass::Transient]);
    assert_eq!((breaker.releases(), breaker.pending()), (0, 0));
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
}

#[test]
fn pushed_decisions_come_first_and_in_order() {
    let breaker = Arc::new(FakeCircuitBreaker::new().otherwise(BreakerDecision::reject_for(secs(9))));
    let under_way = CircuitOpenError::new(CircuitState::HalfOpen, None);
    breaker.push_decision(BreakerDecision::Admit);
    breaker.push_decision(BreakerDecision::Reject(under_way.clone()));
    let policy = policy(&breaker);

    assert!(policy.execute(|| Ok::<_, io::Error>(1)).is_ok());
    let rejected = policy.execute(|| -> Result<(), io::Error> { panic!("the operation is not run") });
    assert_outcome(&rejected).stopped_for(StopReason::CircuitOpen).after_attempts(0);
    assert_eq!(rejected.rejection(), Some(under_way));
    assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen));

    let rejected = policy.execute(|| Ok::<_, io::Error>(1));
    assert_eq!(rejected.rejection().expect("it was rejected").retry_in(), Some(secs(9)));
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    assert_eq!((breaker.admit_calls(), breaker.pending()), (3, 0));
}

#[test]
fn its_transitions_reach_observers() {
    let breaker = FakeCircuitBreaker::new()
        .starting(CircuitState::Open)
        .on_success(Transition::Closed)
        .on_failure(Transition::Opened);
    let breaker = Arc::new(breaker);
    let recorder = Recorder::new();
    let policy = Policy::builder()
        .circuit_breaker(Arc::clone(&breaker))
        .observer(recorder.clone())
        .build()
        .expect("a valid configuration");
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));

    breaker.push_decision(BreakerDecision::Probe);
    assert!(policy.call(|| Ok::<_, io::Error>(1)).is_ok());
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
    assert!(policy.call(|| Err::<(), _>(reset())).is_err());
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    let of_breaker: Vec<_> = recorder.event_names().into_iter().filter(|name| !name.is_terminal()).collect();
    assert_eq!(of_breaker, [EventName::CircuitHalfOpen, EventName::CircuitClosed, EventName::CircuitOpened]);
}

#[test]
fn a_superseded_probe_changes_nothing() {
    let breaker = FakeCircuitBreaker::new().starting(CircuitState::Open).on_success(Transition::Closed);
    let breaker = Arc::new(breaker.on_failure(Transition::Opened));
    let recorder = Recorder::new();
    let builder = Policy::builder().circuit_breaker(Arc::clone(&breaker)).observer(recorder.clone());
    let policy = builder.build().expect("a valid configuration");
    for decision in [BreakerDecision::Probe, BreakerDecision::reject_beside_probe(secs(4)), BreakerDecision::Supersede]
    {
        breaker.push_decision(decision);
    }
    let late = policy.call(|| {
        let rejected = policy.execute(|| Ok::<_, io::Error>(()));
        assert_eq!(rejected.rejection().expect("it was rejected").retry_in(), Some(secs(4)));
        assert!(policy.call(|| Ok::<_, io::Error>(())).is_ok());
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
        Err::<(), _>(reset())
    });
    assert!(late.is_err());
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
    assert_eq!((breaker.successes(), breaker.failures().len(), breaker.pending()), (1, 1, 0));
    let transitions = recorder.event_names().into_iter().filter(|name| {
        matches!(name, EventName::CircuitHalfOpen | EventName::CircuitClosed | EventName::CircuitOpened)
    });
    assert_eq!(transitions.collect::<Vec<_>>(), [EventName::CircuitHalfOpen, EventName::CircuitClosed]);
}
