//! Abort handles and predicates: before the start of a call, during waits and during attempts, on
//! every driver, and the outcomes.

use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::thread;

use redress_core::driver::NoTimer;
use redress_core::observe::{AttemptDecision, CallOutcome};
use redress_core::policy::RetryBuilder;
use redress_core::strategy::BackoffContext;
use redress_core::{
    AbortHandle, AsyncPolicy, Attempt, Cause, CircuitBreaker, ErrorClass, EventName, Policy, Retry, RetryOutcome,
    RetryTimeline, StopReason, fixed,
};
use redress_testing::{Recorder, VirtualClock, VirtualTimer};

use crate::lab::{
    Answer, Attempted, ByClass, Failed, GOOD, Wakes, everywhere, failing, fails, ok_after, on_every_driver, script,
    secs, stopped, succeeding,
};
use crate::polled::operation_fn;

const HOUR: u64 = 3_600;

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(0))).max_attempts(3)
}

fn slow_retry() -> RetryBuilder {
    retry().strategy(fixed(secs(HOUR)))
}

#[test]
fn a_call_begun_after_the_abort_makes_no_attempt_and_leaves_the_breaker_alone() {
    everywhere(|lab| {
        for place in 0..4 {
            let handles = [(); 4].map(|()| AbortHandle::new());
            let breaker =
                CircuitBreaker::builder().failure_threshold(1).clock(lab.clock.clone()).build().expect("valid");
            breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
            let builder = lab.policy().retry(retry()).no_deadline().circuit_breaker(&breaker);
            let policy = builder.abort_on(&handles[0]).abort_on(&handles[1]).build();
            let context = policy.context().abort_on(&handles[2]).abort_on(&handles[3]);
            assert_eq!(context.run(&succeeding()), stopped(StopReason::CircuitOpen, 0));
            handles[place].abort();
            assert_eq!(context.run(&succeeding()), stopped(StopReason::Aborted, 0), "by handle {place}");
            assert!(breaker.try_acquire().is_err(), "it was not asked");
            let without = policy.run(&succeeding());
            let expected = if place < 2 { StopReason::Aborted } else { StopReason::CircuitOpen };
            assert_eq!(without, stopped(expected, 0), "a context's handle is that context's alone");
        }
    });
}

#[test]
fn a_handle_that_is_not_aborted_changes_nothing() {
    everywhere(|lab| {
        let (policys, calls) = (AbortHandle::new(), AbortHandle::new());
        let policy = lab.policy().retry(retry()).no_deadline().abort_on(&policys).build();
        let context = policy.context().abort_on(&calls);
        assert_eq!(context.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        assert_eq!(context.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
    });
}

#[test]
fn an_attempt_that_aborts_its_call_and_fails_is_the_last_and_one_that_succeeds_a_success() {
    everywhere(|lab| {
        let handle = AbortHandle::new();
        let policy = lab.policy().retry(retry()).no_deadline().abort_on(&handle).build();
        let reason = policy.run_with(|attempt| {
            assert!(attempt.number() < 3);
            if attempt.number() == 2 {
                handle.abort();
            }
            fails(ErrorClass::Transient)
        });
        assert_eq!(reason, Some(StopReason::Aborted));

        let handle = AbortHandle::new();
        let policy = lab.policy().retry(retry()).no_deadline().abort_on(&handle).build();
        let reason = policy.run_with(|_| {
            handle.abort();
            GOOD
        });
        assert_eq!(reason, None);
    });
}

#[test]
fn a_wait_of_a_blocking_call_ends_at_an_abort() {
    for by_policy in [true, false] {
        let handle = AbortHandle::new();
        let builder = Policy::builder().retry(slow_retry()).no_deadline().classifier(ByClass);
        let builder = if by_policy { builder.abort_on(&handle) } else { builder };
        let policy = builder.build().expect("valid");
        // From another thread, when the wait is about to begin or has begun.
        let (begun, begins) = channel();
        let other = handle.clone();
        let aborting = thread::spawn(move || {
            begins.recv().expect("the wait begins");
            other.abort();
        });
        let before = |_: &BackoffContext<'_>, _| begun.send(()).expect("the thread listens");
        let context = policy.context().before_sleep(before);
        let context = if by_policy { context } else { context.abort_on(&handle) };
        let outcome = context.execute(failing(ErrorClass::Transient).run());
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1));
        assert_eq!(outcome.last_error(), Some(&Failed::Of(ErrorClass::Transient)));
        aborting.join().expect("no panic");
    }
    // Before the wait, on the thread that will wait.
    let handle = AbortHandle::new();
    let policy = Policy::builder()
        .retry(slow_retry())
        .no_deadline()
        .classifier(ByClass)
        .abort_on(&handle)
        .build()
        .expect("valid");
    let context = policy.context().before_sleep(|_, _| handle.abort());
    assert_eq!(context.execute(failing(ErrorClass::Transient).run()).stop_reason(), Some(StopReason::Aborted));
}

#[test]
fn what_sleeps_instead_of_the_thread_is_slept_out() {
    let (handle, clock) = (AbortHandle::new(), VirtualClock::new());
    let policy =
        Policy::builder().clock(clock.clone()).retry(slow_retry()).no_deadline().classifier(ByClass).abort_on(&handle);
    let policy = policy.sleep_with(clock.sleeper()).build().expect("valid");
    let context = policy.context().before_sleep(|_, _| handle.abort());
    let outcome = context.execute(failing(ErrorClass::Transient).run());
    assert_eq!((outcome.stop_reason(), outcome.elapsed()), (Some(StopReason::Aborted), secs(HOUR)));
}

#[test]
fn a_detached_attempt_is_no_longer_waited_for() {
    let (handle, recorder) = (AbortHandle::new(), Recorder::new());
    let policy = Policy::builder().retry(retry()).no_deadline().classifier(ByClass).observer(recorder.clone());
    let policy = policy.build().expect("valid");
    let (release, held) = channel::<()>();
    let (held, aborted) = (Mutex::new(held), handle.clone());
    let outcome = policy.context().abort_on(&handle).execute_detached(move |attempt: Attempt| {
        if attempt.number() == 1 {
            return fails(ErrorClass::RateLimit);
        }
        aborted.abort();
        let _ = held.lock().expect("whole").recv();
        GOOD
    });
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 2));
    check_last_failure_is_kept(&outcome);
    assert_eq!(recorder.decisions(), [AttemptDecision::Retry, AttemptDecision::Aborted]);
    drop(release);

    let handle = AbortHandle::new();
    let policy = Policy::builder().classifier(ByClass).abort_on(&handle).build().expect("valid");
    let (release, held) = channel::<()>();
    let (held, aborted) = (Mutex::new(held), handle.clone());
    let error = policy.call_detached(move |_| -> Attempted {
        aborted.abort();
        let _ = held.lock().expect("whole").recv();
        GOOD
    });
    assert_eq!(error.expect_err("it was aborted").stop_reason(), StopReason::Aborted);
    drop(release);
}

/// After a failure of class `RateLimit` and an attempt that was cut.
fn check_last_failure_is_kept(outcome: &RetryOutcome<Answer, Failed>) {
    assert_eq!(outcome.last_error(), Some(&Failed::Of(ErrorClass::RateLimit)));
    assert_eq!((outcome.last_class(), outcome.cause()), (Some(ErrorClass::RateLimit), Some(Cause::Error)));
}

type Outcome = RetryOutcome<Answer, Failed>;
type Polled<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;
type Tested = AsyncPolicy<ByClass, VirtualTimer>;

/// The asynchronous calls, as a future and polled manually, whose operation fails and then pends.
fn fails_then_pends<'a>(policy: &'a Tested, calls: Option<&AbortHandle>) -> [Polled<'a>; 2] {
    let operation = |attempt: Attempt| async move {
        match attempt.number() {
            1 => fails(ErrorClass::RateLimit),
            _ => pending().await,
        }
    };
    let context = || calls.map_or_else(|| policy.context(), |handle| policy.context().abort_on(handle));
    let (future, by_hand) = (context(), context().poll_call());
    [
        Box::pin(async move { future.execute_with(operation).await }),
        Box::pin(async move { by_hand.run(operation_fn(operation)).await }),
    ]
}

fn policy(
    clock: &VirtualClock,
    retry: RetryBuilder,
) -> redress_core::policy::PolicyBuilder<ByClass, redress_core::policy::Async<VirtualTimer>> {
    AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry).no_deadline()
}

#[test]
fn a_running_asynchronous_attempt_is_dropped() {
    for by_policy in [true, false] {
        for driver in 0..2 {
            let (clock, handle, recorder) = (VirtualClock::new(), AbortHandle::new(), Recorder::new());
            let breaker =
                CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(30)).clock(clock.clone());
            let breaker = breaker.build().expect("valid");
            breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
            clock.advance(secs(30));
            let builder = policy(&clock, retry()).circuit_breaker(&breaker).observer(recorder.clone());
            let policy = if by_policy { builder.abort_on(&handle) } else { builder }.build().expect("valid");
            let [future, by_hand] = fails_then_pends(&policy, (!by_policy).then_some(&handle));
            let mut call = if driver == 0 { future } else { by_hand };

            let [first, second] = [(); 2].map(|()| Arc::new(Wakes::default()));
            for woken in [&first, &second] {
                let waker = Waker::from(Arc::clone(woken));
                assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
            assert!(breaker.try_acquire().is_err(), "the call is the probe");
            handle.abort();
            assert_eq!([first.get(), second.get()], [0, 1], "the task that polled last is woken");
            let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("an aborted call ends");
            };
            assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 2));
            check_last_failure_is_kept(&outcome);
            assert_eq!(recorder.decisions(), [AttemptDecision::Retry, AttemptDecision::Aborted]);
            let event = recorder.events().pop().expect("told");
            assert_eq!((event.name, event.outcome()), (EventName::Aborted, Some(CallOutcome::Aborted)));
            assert_eq!((event.class, event.cause), (None, None), "an abort is no failure");
            let probe = breaker.try_acquire().expect("the probe's place is free");
            drop(probe);
        }
    }
}

#[test]
fn a_call_that_ends_or_is_dropped_leaves_its_handles() {
    let (clock, handle) = (VirtualClock::new(), AbortHandle::new());
    let policy = policy(&clock, retry()).abort_on(&handle).build().expect("valid");
    for mut call in fails_then_pends(&policy, None) {
        let woken = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop((call, waker));
        assert_eq!(Arc::strong_count(&woken), 1, "no waker of a dropped call is kept");
    }
    let mut ended = fails_then_pends(&policy, None);
    let woken = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    for call in &mut ended {
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    handle.abort();
    for call in &mut ended {
        assert!(call.as_mut().poll(&mut cx).is_ready());
    }
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 1, "no waker of an ended call is kept");
}

#[test]
fn a_call_that_is_kept_after_its_end_has_left_its_handles() {
    let (clock, handle, own) = (VirtualClock::new(), AbortHandle::new(), AbortHandle::new());
    let policy = policy(&clock, retry()).abort_on(&handle).build().expect("valid");
    let (mut call, mut sleep) = (policy.context().abort_on(&own).poll_call(), pin!(None));
    let mut operation = operation_fn(|_| pending::<Attempted>());
    let woken = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    assert!(call.poll(&mut operation, sleep.as_mut(), &mut cx).is_pending());
    handle.abort();
    assert!(call.poll(&mut operation, sleep.as_mut(), &mut cx).is_ready());
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 1, "the handle that was not aborted keeps no waker");
}

#[test]
fn a_result_that_is_there_at_the_abort_counts() {
    let (clock, handle) = (VirtualClock::new(), AbortHandle::new());
    let policy = policy(&clock, retry()).abort_on(&handle).build().expect("valid");
    let good = AtomicBool::new(false);
    let mut call = pin!(policy.execute(|| std::future::poll_fn(|_| {
        if good.load(Ordering::Relaxed) { Poll::Ready(GOOD) } else { Poll::Pending }
    })));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    good.store(true, Ordering::Relaxed);
    handle.abort();
    assert!(matches!(call.as_mut().poll(&mut cx), Poll::Ready(outcome) if outcome.is_ok()));
}

#[test]
fn an_attempt_with_a_handle_still_has_its_timeout() {
    let (clock, handle) = (VirtualClock::new(), AbortHandle::new());
    let policy = policy(&clock, retry().max_attempts(1)).attempt_timeout(secs(2)).abort_on(&handle);
    let policy = policy.build().expect("valid");
    let outcome = clock.block_on(policy.execute(pending::<Attempted>));
    assert_eq!((outcome.stop_reason(), outcome.cause()), (Some(StopReason::MaxAttempts), Some(Cause::Timeout)));
    assert_eq!(outcome.elapsed(), secs(2));
}

#[test]
fn every_part_of_an_asynchronous_wait_ends_at_an_abort() {
    type Wait = fn(redress_core::CallContext<'static, Tested>) -> redress_core::CallContext<'static, Tested>;
    let waits: [(&str, Wait); 3] = [
        ("timer", |context| context),
        ("hook", |context| context.before_sleep_async(|_, _| pending())),
        ("sleeper", |context| context.sleep_with(|_| pending())),
    ];
    for (name, wait) in waits {
        let (clock, handle) = (VirtualClock::new(), AbortHandle::new());
        let policy: &'static Tested = Box::leak(Box::new(policy(&clock, slow_retry()).build().expect("valid")));
        let context = || wait(policy.context().abort_on(&handle));
        let (future, by_hand) = (context(), context().poll_call());
        let operation = || ready(fails(ErrorClass::RateLimit));
        let calls: [Polled<'_>; 2] =
            [Box::pin(async { future.execute(operation).await }), Box::pin(by_hand.run(operation_fn(|_| operation())))];
        let woken = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&woken));
        let calls = calls.map(|mut call| {
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "{name}");
            call
        });
        handle.abort();
        assert_eq!(woken.get(), 2, "{name}");
        for mut call in calls {
            let Poll::Ready(outcome) = call.as_mut().poll(&mut Context::from_waker(&waker)) else {
                panic!("{name}: an aborted call ends");
            };
            assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::Aborted), 1), "{name}");
            check_last_failure_is_kept(&outcome);
        }
        assert_eq!(clock.elapsed(), secs(0));
    }
}

#[test]
fn the_policys_predicate_and_the_calls_both_hold() {
    everywhere(|lab| {
        let (policys, calls) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
        let asked = Arc::clone(&policys);
        let policy = lab.policy().retry(retry()).no_deadline().abort_if(move || asked.load(Ordering::Relaxed)).build();
        let context = policy.context().abort_if(|| calls.load(Ordering::Relaxed));
        assert_eq!(context.run(&succeeding()), ok_after(1));
        given(&policys, || {
            assert_eq!(context.run(&succeeding()), stopped(StopReason::Aborted, 0));
            assert_eq!(policy.run(&succeeding()), stopped(StopReason::Aborted, 0));
        });
        given(&calls, || {
            assert_eq!(context.run(&succeeding()), stopped(StopReason::Aborted, 0));
            assert_eq!(policy.run(&succeeding()), ok_after(1));
        });
    });
}

fn given(flag: &AtomicBool, test: impl FnOnce()) {
    flag.store(true, Ordering::Relaxed);
    test();
    flag.store(false, Ordering::Relaxed);
}

#[test]
fn a_policy_may_capture_timelines_and_a_context_captures_otherwise() {
    on_every_driver(|lab| {
        let steps = || script([fails(ErrorClass::Transient), GOOD]);
        let policy = lab.policy().retry(retry()).no_deadline().capture_timeline().build();
        let timelines = [(); 2].map(|()| policy.execute(&steps()).timeline().cloned().expect("captured"));
        assert_eq!(timelines.map(|timeline| timeline.events().len()), [2, 2], "one for each call");

        let (shared, own) = (RetryTimeline::new(), RetryTimeline::new());
        let policy = lab.policy().retry(retry()).no_deadline().capture_timeline_into(&shared).build();
        let _ = policy.execute(&steps());
        assert!(policy.call(&steps()).is_ok());
        assert_eq!(shared.events().len(), 4);
        let _ = policy.context().capture_timeline_into(&own).execute(&steps());
        assert_eq!((shared.events().len(), own.events().len()), (4, 2));
        let fresh = policy.context().capture_timeline().execute(&steps());
        assert_eq!((shared.events().len(), fresh.timeline().expect("captured").events().len()), (4, 2));
    });
}
