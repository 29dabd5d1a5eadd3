//! Time limits: the deadline of a call and the timeout of an attempt.

use std::future::{Future, pending, ready};
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use redress_core::classify::DefaultClassifier;
use redress_core::driver::{NoTimer, Timer};
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{AsyncPolicy, Budget, Cause, ErrorClass, EventName, Retry, StopReason, fixed};
use redress_testing::{Recorder, VirtualClock, VirtualTimer, assert_outcome};

use crate::lab::{
    Answer, Builder, Driver, Failed, GOOD, Lab, Steps, TICK, everywhere, failing, fails, ok_after, script, secs,
    stopped, wherever_time_is_virtual,
};

const DEADLINE: Duration = secs(10);

fn retry(delay: Duration) -> RetryBuilder {
    Retry::builder().strategy(fixed(delay)).max_attempts(100)
}

/// An attempt that takes so long and fails, then one that succeeds.
fn fails_after(lab: &Lab, takes: Duration) -> Steps {
    script([]).after(&lab.clock, takes).err(Failed::Of(ErrorClass::Transient)).ok(Answer::Good)
}

#[test]
fn a_failure_at_the_deadline_is_too_late() {
    everywhere(|lab| {
        let policy = lab.policy().retry(retry(Duration::ZERO)).deadline(DEADLINE).build();
        let rows = [
            (DEADLINE - TICK, ok_after(2)),
            (DEADLINE, stopped(StopReason::DeadlineExceeded, 1)),
            (DEADLINE + TICK, stopped(StopReason::DeadlineExceeded, 1)),
        ];
        for (takes, expected) in rows {
            assert_eq!(policy.run(&fails_after(&lab, takes)), expected, "{takes:?}");
        }
    });
}

#[test]
fn time_that_a_hook_takes_counts_towards_the_deadline() {
    wherever_time_is_virtual(|lab| {
        // With the hook's six seconds the wait ends too late. Without a wait the next attempt
        // starts too late.
        for (delay, takes) in [(secs(5), secs(6)), (Duration::ZERO, DEADLINE)] {
            let (slow, began) = (lab.clock.clone(), lab.clock.elapsed());
            let policy = lab
                .policy()
                .retry(retry(delay))
                .deadline(DEADLINE)
                .before_sleep(move |_, _| slow.advance(takes))
                .build();
            let steps = script([fails(ErrorClass::Transient), GOOD]);
            assert_eq!(policy.run(&steps), stopped(StopReason::DeadlineExceeded, 1), "{delay:?}");
            assert_eq!(lab.clock.elapsed() - began, takes, "nothing was waited for");
        }
    });
}

#[test]
fn an_attempt_receives_the_time_left_after_a_slow_hook() {
    wherever_time_is_virtual(|lab| {
        let slow = lab.clock.clone();
        let policy = lab
            .policy()
            .retry(retry(Duration::ZERO))
            .deadline(DEADLINE)
            .on_attempt_end(move |_| slow.advance(secs(4)))
            .build();
        let left = Mutex::new(Vec::new());
        policy.run_with(|attempt| {
            left.lock().expect("whole").push(attempt.time_left());
            if attempt.number() == 2 { GOOD } else { fails(ErrorClass::Transient) }
        });
        assert_eq!(left.into_inner().expect("whole"), [Some(DEADLINE), Some(secs(6))]);
    });
}

#[test]
fn an_attempt_that_may_finish_succeeds_after_the_deadline() {
    everywhere(|lab| {
        let steps = script([]).after(&lab.clock, DEADLINE * 2).ok(Answer::Good);
        assert_eq!(
            lab.policy().retry(retry(Duration::ZERO)).deadline(DEADLINE).finish_running_attempt().build().run(&steps),
            ok_after(1)
        );
    });
}

#[test]
fn a_delay_that_ends_at_the_deadline_stops_the_call_at_once() {
    wherever_time_is_virtual(|lab| {
        for delay in [DEADLINE, DEADLINE + TICK, Duration::from_nanos(u64::MAX)] {
            let (recorder, budget) = (Recorder::new(), Budget::new(1, secs(60)).expect("valid"));
            let retry = retry(delay).budget(budget.clone());
            let policy = lab.policy().retry(retry).deadline(DEADLINE).observer(recorder.clone()).build();
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::DeadlineExceeded, 1));
            assert_eq!(recorder.event_names(), [EventName::DeadlineExceeded], "no retry was announced");
            assert_eq!(budget.remaining_at(lab.clock.now()), 1, "no token was taken");
            assert_eq!((lab.clock.slept(), lab.clock.elapsed()), (vec![], Duration::ZERO), "nothing was waited for");
        }
    });
}

#[test]
fn a_delay_that_ends_before_the_deadline_is_waited_for() {
    wherever_time_is_virtual(|lab| {
        let policy = lab.policy().retry(retry(DEADLINE - TICK)).deadline(DEADLINE).build();
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        assert_eq!(lab.clock.slept(), [DEADLINE - TICK]);
    });
}

#[test]
fn the_deadline_is_the_whole_calls_waits_included() {
    wherever_time_is_virtual(|lab| {
        let policy = lab.policy().retry(retry(secs(4))).deadline(DEADLINE).build();
        for call in 1..=2 {
            // At 0, 4 and 8 s; the next would be at 12 s.
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::DeadlineExceeded, 3));
            assert_eq!(lab.clock.elapsed(), secs(8) * call, "each call has a separate deadline");
        }
    });
}

/// Stands for redress-py's R9, deadline admission. ihrwein/backoff 39, google-cloud-rust 2307:
/// calls overshoot their deadline.
///
/// Attacks R2.
#[test]
fn no_attempt_starts_at_the_deadline_however_long_the_wait_took() {
    wherever_time_is_virtual(|lab| {
        let rows = [
            (secs(9) - TICK, ok_after(2)),
            (secs(9), stopped(StopReason::DeadlineExceeded, 1)),
            (secs(20), stopped(StopReason::DeadlineExceeded, 1)),
        ];
        for (oversleep, expected) in rows {
            let (recorder, clock) = (Recorder::new(), lab.clock.clone());
            let policy = lab
                .policy()
                .retry(retry(secs(1)))
                .deadline(DEADLINE)
                .observer(recorder.clone())
                .sleep_with(move |delay| clock.advance(delay + oversleep))
                .build();
            assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), expected, "{oversleep:?}");
            let end = if expected.reason.is_some() { EventName::DeadlineExceeded } else { EventName::Success };
            assert_eq!(recorder.event_names(), [EventName::Retry, end]);
        }
    });
}

#[test]
fn an_attempt_knows_the_time_it_has() {
    let (five, seven) = (Some(secs(5)), Some(secs(7)));
    // The timeout, the deadline, and what the attempts at 0 s and at 4 s have.
    let rows = [
        (None, None, [None, None]),
        (five, None, [five, five]),
        (None, seven, [seven, Some(secs(3))]),
        (five, seven, [five, Some(secs(3))]),
        (seven, five, [five, Some(secs(1))]),
        (Some(secs(2)), seven, [Some(secs(2)), Some(secs(2))]),
    ];
    wherever_time_is_virtual(|lab| {
        for (timeout, deadline, expected) in rows {
            let mut builder = lab.policy().retry(Retry::builder().strategy(fixed(secs(4)))).no_deadline();
            builder = timeout.into_iter().fold(builder, Builder::attempt_timeout);
            builder = deadline.into_iter().fold(builder, Builder::deadline);
            let mut seen = Vec::new();
            let reason = builder.build().run_with(|attempt| {
                seen.push(attempt.time_left());
                if attempt.number() == 1 { fails(ErrorClass::Transient) } else { GOOD }
            });
            assert_eq!((reason, seen), (None, expected.to_vec()), "timeout {timeout:?}, deadline {deadline:?}");
        }
    });
}

#[test]
fn a_blocking_attempt_is_not_cut() {
    wherever_time_is_virtual(|lab| {
        if lab.driver == Driver::Blocking {
            let steps = script([]).after(&lab.clock, secs(60)).ok(Answer::Good);
            assert_eq!(
                lab.policy()
                    .retry(retry(Duration::ZERO))
                    .deadline(DEADLINE)
                    .attempt_timeout(secs(1))
                    .build()
                    .run(&steps),
                ok_after(1)
            );
        }
    });
}

type AsyncBuilder = PolicyBuilder<DefaultClassifier, redress_core::policy::Async<VirtualTimer>>;

fn asynchronous(clock: &VirtualClock, retry: RetryBuilder) -> AsyncBuilder {
    AsyncPolicy::<_, NoTimer>::builder().retry(retry).timer(clock.timer()).deadline(DEADLINE)
}

/// An attempt that takes so long.
fn takes(clock: &VirtualClock, time: Duration) -> impl Future<Output = io::Result<()>> {
    let sleep = clock.timer().sleep(time);
    async {
        sleep.await;
        Ok(())
    }
}

#[test]
fn an_asynchronous_attempt_is_cut_at_its_timeout() {
    let clock = VirtualClock::new();
    let policy =
        asynchronous(&clock, retry(Duration::ZERO).max_attempts(2)).attempt_timeout(secs(3)).build().expect("valid");
    let outcome = clock.block_on(policy.execute(pending::<io::Result<()>>));
    assert_outcome(&outcome)
        .stopped_for(StopReason::MaxAttempts)
        .after_attempts(2)
        .with_cause(Cause::Timeout)
        .with_class(ErrorClass::Transient)
        .in_time(secs(6));
}

#[test]
fn a_cut_attempt_is_dropped_before_the_next_one_starts() {
    struct Running<'a>(&'a Mutex<u32>);
    impl Drop for Running<'_> {
        fn drop(&mut self) {
            *self.0.lock().expect("not poisoned") -= 1;
        }
    }
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1)).max_attempts(3)).attempt_timeout(secs(1)).build().expect("valid");
    let running = Mutex::new(0);
    let outcome = clock.block_on(policy.execute(|| {
        let mut now_running = running.lock().expect("not poisoned");
        *now_running += 1;
        assert_eq!(*now_running, 1);
        let guard = Running(&running);
        async move {
            let _guard = guard;
            pending::<io::Result<()>>().await
        }
    }));
    assert_eq!(outcome.attempts(), 3);
    assert_eq!(*running.lock().expect("not poisoned"), 0);
}

#[test]
fn an_attempt_timeout_shrinks_to_the_time_left() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).attempt_timeout(secs(6)).build().expect("valid");
    let outcome = clock.block_on(policy.execute(pending::<io::Result<()>>));
    // From 0 to 6 s, and from 7 s to the deadline.
    assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded).after_attempts(2).in_time(DEADLINE);
}

#[test]
fn the_deadline_cuts_a_running_attempt() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).build().expect("valid");
    let outcome = clock.block_on(policy.execute(|| takes(&clock, DEADLINE * 3)));
    assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded).after_attempts(1).in_time(DEADLINE);
    assert_eq!((outcome.cause(), outcome.last_class()), (Some(Cause::Timeout), Some(ErrorClass::Transient)));
}

#[test]
fn the_deadline_cuts_a_later_attempt_at_what_is_left() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).build().expect("valid");
    let outcome = clock.block_on(policy.execute_with(|attempt| {
        let number = attempt.number();
        let clock = clock.clone();
        async move {
            clock.timer().sleep(if number == 1 { secs(6) } else { secs(4) }).await;
            if number == 2 { Ok(()) } else { Err(io::Error::from(io::ErrorKind::ConnectionReset)) }
        }
    }));
    assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded).after_attempts(2).in_time(DEADLINE);
}

#[test]
fn an_attempt_that_may_finish_outlives_the_deadline() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).finish_running_attempt().build().expect("valid");
    assert!(clock.block_on(policy.call(|| takes(&clock, DEADLINE * 3))).is_ok());
    assert_eq!(clock.elapsed(), DEADLINE * 3);
}

#[test]
fn a_call_may_have_less_time_than_its_policy() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).build().expect("valid");
    let at = clock.now() + secs(4);
    for context in [policy.context().deadline(secs(4)), policy.context().deadline(at)] {
        let began = clock.elapsed();
        let outcome = clock.block_on(context.execute(|| takes(&clock, DEADLINE * 3)));
        assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded);
        assert!(clock.elapsed() - began <= secs(4), "{:?}", clock.elapsed() - began);
    }
    let outcome = clock.block_on(policy.context().deadline(DEADLINE * 9).execute(|| takes(&clock, DEADLINE * 3)));
    assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded).in_time(DEADLINE);
}

#[test]
fn a_call_whose_deadline_has_passed_makes_no_attempt() {
    everywhere(|lab| {
        let policy = lab.policy().retry(retry(Duration::ZERO)).deadline(DEADLINE).build();
        let context = policy.context().deadline(Duration::ZERO);
        assert_eq!(context.run(&script([])), stopped(StopReason::DeadlineExceeded, 0));
    });
}

#[test]
fn an_attempt_that_ends_with_its_timeout_counts() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).attempt_timeout(secs(4)).build().expect("valid");
    let outcome = clock.block_on(policy.execute(|| takes(&clock, secs(4))));
    assert_outcome(&outcome).is_ok().after_attempts(1).in_time(secs(4));
    let outcome = clock.block_on(
        policy.execute_with(|attempt| takes(&clock, if attempt.number() == 1 { secs(4) + TICK } else { secs(4) })),
    );
    assert_outcome(&outcome).is_ok().after_attempts(2).in_time(secs(4 + 1 + 4));
}

#[test]
fn an_attempt_that_is_ready_at_once_needs_no_time() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, retry(secs(1))).attempt_timeout(TICK).build().expect("valid");
    assert_eq!(clock.block_on(policy.call(|| ready(Ok::<_, io::Error>(7)))).ok(), Some(7));
}

#[test]
fn a_policy_without_retry_has_time_limits_too() {
    let clock = VirtualClock::new();
    let builder = || AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer());
    let late = builder().deadline(secs(2)).build().expect("valid");
    let outcome = clock.block_on(late.execute(pending::<io::Result<()>>));
    assert_outcome(&outcome).stopped_for(StopReason::DeadlineExceeded).after_attempts(1).in_time(secs(2));
    let cut = builder().attempt_timeout(secs(3)).build().expect("valid");
    let outcome = clock.block_on(cut.execute(pending::<io::Result<()>>));
    assert_outcome(&outcome).stopped_for(StopReason::MaxAttempts).after_attempts(1).in_time(secs(3));
    assert_eq!(outcome.cause(), Some(Cause::Timeout));
}

#[test]
fn a_hint_that_does_not_fit_the_deadline_is_reported() {
    everywhere(|lab| {
        let steps = script([Err(Failed::Hinted(ErrorClass::RateLimit, DEADLINE * 6))]);
        let outcome = lab.policy().retry(retry(Duration::ZERO)).deadline(DEADLINE).build().execute(&steps);
        assert_eq!(outcome.stop_reason(), Some(StopReason::DeadlineExceeded));
        assert_eq!(outcome.retry_in(), Some(DEADLINE * 6));
    });
}
