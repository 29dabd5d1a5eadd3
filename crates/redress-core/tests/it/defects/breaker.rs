//! Defects of circuit breakers: probes that wedge or mislead them, stampedes, and results that come
//! late.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use redress_core::breaker::{CircuitBreakerBuilder, CircuitState, Transition};
use redress_core::driver::NoTimer;
use redress_core::{AsyncPolicy, CircuitBreaker, ErrorClass, StopReason};
use redress_testing::{VirtualClock, VirtualTimer};

use crate::lab::{
    Answer, Attempted, ByClass, Counter, Failed, GOOD, Lab, Subject, everywhere, failing, fails, ok_after, script,
    secs, stopped, succeeding,
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
/// rejected, still so after the clock moves 10⁹ s.
///
/// Attacks C3, C4.
#[test]
fn a_cancelled_probe_does_not_reject_every_later_call() {
    let (policy, clock) = recovered_async();
    let mut probe = Box::pin(policy.execute(pending::<Attempted>));
    assert!(poll(probe.as_mut()).is_pending());
    drop(probe);
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

/// Polly: a cancelled probe counts as unhandled, which closes the circuit.
///
/// Attacks C1.
#[test]
fn a_cancelled_probe_is_no_success() {
    let (policy, _) = recovered_async();
    let mut probe = Box::pin(policy.call(pending::<Attempted>));
    assert!(poll(probe.as_mut()).is_pending());
    drop(probe);
    assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen));
}

/// resilience4j 544, Polly 311, smallrye-fault-tolerance 320: an outcome that is neither success
/// nor failure is taken for one of them.
///
/// Attacks C1, C3.
#[test]
fn an_aborted_probe_is_neither_a_success_nor_a_failure() {
    everywhere(|lab| {
        let (policy, _) = recovered(&lab);
        assert_eq!(policy.run(&script([Err(Failed::Abort)])), stopped(StopReason::Aborted, 1));
        assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen));
        assert_eq!(policy.run(&succeeding()), ok_after(1), "no call waits for another recovery");
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

/// tower-resilience: with its default window it took 1000 failures to open after 1000 successes,
/// since the window is cumulative since the last transition. resilience4j 1731.
#[test]
fn a_thousand_successes_do_not_dilute_the_failures_after_them() {
    everywhere(|lab| {
        let policy = lab.policy().circuit_breaker(CircuitBreaker::builder()).build();
        for _ in 0..1000 {
            assert_eq!(policy.run(&succeeding()), ok_after(1));
        }
        for failures in 1..=5 {
            assert_eq!(policy.circuit_state(), Some(CircuitState::Closed), "before failure {failures}");
            policy.run(&failing(ErrorClass::ServerError));
        }
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    });
}

/// tower-resilience: a success admitted before the trip closed a half-open breaker while the real
/// probe was still running, and about to fail. Polly 217 and 218, nv-redfish 211, mcp-server 222.
///
/// Attacks C2, C5.
#[test]
fn a_success_admitted_before_the_trip_does_not_close_a_half_open_circuit() {
    let clock = VirtualClock::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass);
    let policy = builder.circuit_breaker(touchy()).build().expect("valid");
    let (early_may_end, probe_may_end) = (Cell::new(false), Cell::new(false));
    let until =
        |may_end: &Cell<bool>, result: Attempted| if may_end.get() { Poll::Ready(result) } else { Poll::Pending };

    let mut early = Box::pin(policy.call(|| poll_fn(|_| until(&early_may_end, GOOD))));
    assert!(poll(early.as_mut()).is_pending());
    assert!(clock.block_on(policy.call(failing(ErrorClass::Transient).run_async())).is_err());
    clock.advance(secs(30));
    let mut probe = Box::pin(policy.call(|| poll_fn(|_| until(&probe_may_end, fails(ErrorClass::Transient)))));
    assert!(poll(probe.as_mut()).is_pending());

    early_may_end.set(true);
    assert!(poll(early.as_mut()).is_ready());
    assert_eq!(policy.circuit_state(), Some(CircuitState::HalfOpen), "the probe decides");
    let beside = clock.block_on(policy.call(succeeding().run_async())).expect_err("the probe is running");
    assert_eq!(beside.stop_reason(), StopReason::CircuitOpen);
    probe_may_end.set(true);
    assert!(poll(probe.as_mut()).is_ready());
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
}

/// The same on every driver, with both results and with a drop: the early call's operation runs
/// while all this happens.
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

/// failsafe-rs and recloser: half-open admits everyone, 1000 of 1000 callers. Polly 216,
/// resilience4j 1432, opossum 819.
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

/// recloser: 200 in flight with a half-open length of 5.
///
/// Attacks C2.
#[test]
fn half_open_has_one_call_in_flight_of_a_thousand() {
    let (policy, _) = recovered_async();
    let running = Counter::default();
    let callers = (0..1000).map(|_| {
        Box::pin(policy.call(|| {
            running.note();
            pending::<Attempted>()
        }))
    });
    let mut callers: Vec<_> = callers.collect();
    let answered = callers.iter_mut().filter_map(|call| match poll(call.as_mut()) {
        Poll::Ready(result) => Some(result.expect_err("rejected").stop_reason()),
        Poll::Pending => None,
    });
    let answered: Vec<_> = answered.collect();
    assert_eq!((answered.len(), running.get()), (999, 1));
    assert!(answered.iter().all(|reason| *reason == StopReason::CircuitOpen));
}

/// coder 24701 took 429 out of its breaker, web-researcher-mcp 276 wants it to open at once: a rate
/// limit says that the dependency is healthy, unless the policy is configured otherwise.
#[test]
fn rate_limits_do_not_open_a_circuit_unless_asked_to() {
    everywhere(|lab| {
        let policy = lab.policy().circuit_breaker(touchy()).build();
        for _ in 0..100 {
            policy.run(&failing(ErrorClass::RateLimit));
        }
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed));

        let eager = CircuitBreaker::builder().class_threshold(ErrorClass::RateLimit, 1);
        let policy = lab.policy().circuit_breaker(eager).build();
        policy.run(&failing(ErrorClass::RateLimit));
        assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    });
}

/// acton-service 44: eight layers built for four requests, so the breaker never opened. axum 2634,
/// tower 764.
#[test]
fn a_breaker_does_not_begin_afresh_with_every_clone_of_its_policy() {
    let clock = VirtualClock::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass);
    let policy = builder.circuit_breaker(CircuitBreaker::builder().failure_threshold(4)).build().expect("valid");
    for request in 1..=4 {
        assert_eq!(policy.circuit_state(), Some(CircuitState::Closed), "before request {request}");
        let of_request = policy.clone().clone();
        let failed = clock.block_on(of_request.context().call(failing(ErrorClass::Transient).run_async()));
        assert!(failed.is_err());
    }
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
}

/// tower-resilience: its breaker's clock does not follow the clock of its sleeps, so that a test in
/// virtual time never recovers.
#[test]
fn a_breaker_recovers_in_the_time_its_policy_waits_in() {
    everywhere(|lab| {
        let policy = lab.policy().circuit_breaker(touchy()).build();
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(policy.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
        lab.clock.advance(secs(30));
        assert_eq!(policy.run(&succeeding()), ok_after(1));
    });
}
