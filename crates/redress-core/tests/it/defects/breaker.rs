//! Defects of circuit breakers: probes that wedge or mislead them, stampedes, and results that come
//! late.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState, Transition};
use redress_core::driver::NoTimer;
use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass, StopReason};
use redress_testing::{VirtualClock, VirtualTimer};

use crate::lab::{
    Answer, Attempted, ByClass, Failed, GOOD, Lab, Subject, everywhere, failing, fails, ok_after, script, secs,
    stopped, succeeding,
};

/// Opens at the first failure.
fn touchy() -> CircuitBreakerBuilder {
    CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(30))
}

/// A policy whose next call is the probe, and its breaker.
fn recovered(lab: &Lab) -> (Subject, CircuitBreaker) {
    let breaker = touchy().clock(lab.clock.clone()).build().expect("valid");
    let policy = lab.policy().circuit_breaker(&breaker).build();
    policy.run(&failing(ErrorClass::Transient));
    lab.clock.advance(secs(30));
    (policy, breaker)
}

/// The same for calls that are dropped.
fn recovered_async() -> (AsyncPolicy<ByClass, VirtualTimer>, VirtualClock) {
    let clock = VirtualClock::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass);
    let policy = builder.circuit_breaker(touchy()).build().expect("valid");
    let failed = clock.block_on(policy.call(failing(ErrorClass::Transient).run_async()));
    assert!(failed.is_err());
    clock.advance(secs(30));
    (policy, clock)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// redress-py: cancel the half-open probe inside `AsyncPolicy.execute`, and every later call is
/// rejected, still so after the clock moves 10⁹ s. Polly: a cancelled probe counts as unhandled,
/// which closes the circuit.
///
/// Attacks C1, C3, C4.
#[test]
fn a_cancelled_probe_does_not_reject_every_later_call() {
    let (policy, clock) = recovered_async();
    let mut probe = Box::pin(policy.execute(pending::<Attempted>));
    assert!(poll(probe.as_mut()).is_pending());
    drop(probe);
    assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen), "it is no success");
    assert!(clock.block_on(policy.call(succeeding().run_async())).is_ok(), "at once");

    let (policy, clock) = recovered_async();
    let mut probe = Box::pin(policy.execute(pending::<Attempted>));
    assert!(poll(probe.as_mut()).is_pending());
    drop(probe);
    clock.advance(secs(1_000_000_000));
    assert!(clock.block_on(policy.call(succeeding().run_async())).is_ok(), "later");
    assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
}

/// resilience4j 935 and 1389, OmniRoute 13836 (six days, 49,607 rejections): a probe that never
/// settles wedges the circuit. Here it does not settle because it panics.
///
/// Attacks C3, C4.
#[test]
fn a_panicked_probe_does_not_reject_every_later_call() {
    everywhere(|lab| {
        let (policy, _) = recovered(&lab);
        let panicked = catch_unwind(AssertUnwindSafe(|| policy.run(&script([]).panics("in the probe"))));
        assert!(panicked.is_err());
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
    });
}

/// getnora-io/nora 607: the probe's place is lost when it ends in a 4xx or an error in the body.
/// monix 1080, rezilience 521.
///
/// Attacks C3.
#[test]
fn no_end_of_a_probe_forgets_its_place() {
    everywhere(|lab| {
        let of_classes = ErrorClass::ALL.iter().copied().flat_map(|class| [fails(class), Ok(Answer::Bad(class))]);
        for end in of_classes.chain([GOOD, Err(Failed::Abort)]) {
            let (policy, _) = recovered(&lab);
            assert_eq!(policy.run(&script([end.clone()])).attempts, 1);
            lab.clock.advance(secs(30));
            assert_eq!(policy.run(&succeeding()), ok_after(1), "after a probe that ended in {end:?}");
            assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));
        }
    });
}

/// redress-py: a PERMANENT failure on the probe re-opens the circuit although PERMANENT is not in
/// `trip_on`.
///
/// Attacks C1.
#[test]
fn a_permanent_failure_of_the_probe_does_not_reopen_the_circuit() {
    everywhere(|lab| {
        let (policy, _) = recovered(&lab);
        assert_eq!(policy.run(&failing(ErrorClass::Permanent)).attempts, 1);
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed), "the dependency answered");
        assert_eq!(policy.run(&succeeding()), ok_after(1));
    });
}

/// Stands for redress-py's R4, breaker admission: a call that is not going to be made asks for no
/// admission.
///
/// Attacks C3, C4.
#[test]
fn a_call_aborted_before_it_begins_does_not_take_the_probes_place() {
    everywhere(|lab| {
        let (policy, breaker) = recovered(&lab);
        let shutting_down = policy.context().abort_if(|| true);
        assert_eq!(shutting_down.run(&succeeding()), stopped(StopReason::Aborted, 0));
        assert_eq!(breaker.state(), CircuitState::Open, "it was not asked");
        assert_eq!(breaker.try_acquire().expect("free").transition(), Some(Transition::HalfOpened));
    });
}

/// tower-resilience: a success admitted before the trip closed a half-open breaker while the real
/// probe was still running, and about to fail. Polly 217 and 218, nv-redfish 211, mcp-server 222.
/// Here with both results and with a drop: the early call's operation runs while all this happens.
///
/// Attacks C2, C5.
#[test]
fn no_result_admitted_before_the_trip_decides_for_the_probe() {
    everywhere(|lab| {
        for late in [GOOD, fails(ErrorClass::Transient), fails(ErrorClass::Permanent), Err(Failed::Abort)] {
            let breaker = touchy().clock(lab.clock.clone()).build().expect("valid");
            let policy = lab.policy().circuit_breaker(&breaker).build();
            let mut probe = None;
            policy.run_with(|_| {
                breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
                lab.clock.advance(secs(30));
                probe = breaker.try_acquire().ok();
                late.clone()
            });
            assert_eq!(breaker.state(), CircuitState::HalfOpen, "after a late {late:?}");
            assert!(breaker.try_acquire().is_err(), "after a late {late:?} the probe has its place still");
            assert_eq!(probe.expect("admitted").success(), Some(Transition::Closed), "after a late {late:?}");
        }
    });
}

/// failsafe-rs and recloser: half-open admits everyone, 1000 of 1000 callers. recloser: 200 in
/// flight with a half-open length of 5. Polly 216, resilience4j 1432, opossum 819.
///
/// Attacks C2.
#[test]
fn half_open_admits_one_of_a_thousand_callers() {
    everywhere(|lab| {
        let (policy, _) = recovered(&lab);
        let others = succeeding();
        let reason = policy.run_with(|_| {
            for _ in 0..999 {
                assert_eq!(policy.run(&others), stopped(StopReason::CircuitOpen, 0));
            }
            GOOD
        });
        assert_eq!((reason, others.calls()), (None, 0));
    });
}
