//! Between two attempts: the sleep handler, the hooks before the wait, and the sleeper.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use redress_core::driver::{InstantTimer, NoTimer, Timer};
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::strategy::BackoffContext;
use redress_core::{
    AsyncPolicy, Budget, CallError, Cause, ErrorClass, EventName, Policy, Retry, SleepDecision, StopReason, fixed,
};
use redress_testing::{Recorder, VirtualClock, VirtualTimer};

use crate::lab::{
    Answer, Builder, ByClass, Context, Counter, Driver, Failed, GOOD, Steps, TICK, everywhere, failing, fails,
    ok_after, on_every_driver, script, secs, stopped, succeeding, wherever_time_is_virtual,
};

/// At most three attempts, each a second after the one before; a minute in all.
fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(1))).max_attempts(3)
}

fn transient_then_good() -> Steps {
    script([fails(ErrorClass::Transient), GOOD])
}

#[test]
fn a_sleep_handler_decides_what_becomes_of_the_retry() {
    let rows = [
        (SleepDecision::Sleep, ok_after(2), vec![EventName::Retry, EventName::Success], 1),
        (SleepDecision::Defer, stopped(StopReason::Scheduled, 1), vec![EventName::Retry, EventName::Scheduled], 0),
        (SleepDecision::Abort, stopped(StopReason::Aborted, 1), vec![EventName::Retry, EventName::Aborted], 0),
    ];
    for (decision, expected, events, waits) in rows {
        wherever_time_is_virtual(|lab| {
            let recorder = Recorder::new();
            let policy = lab.policy().retry(retry()).observer(recorder.clone()).build();
            let context = policy.context().sleep_handler(|_, _| decision);
            assert_eq!(context.run(&transient_then_good()), expected, "{decision}");
            assert_eq!(recorder.event_names(), events, "{decision}");
            assert_eq!(lab.clock.slept().len(), waits, "{decision}");

            recorder.clear();
            let policy =
                lab.policy().retry(retry()).observer(recorder.clone()).sleep_handler(move |_, _| decision).build();
            assert_eq!(policy.run(&transient_then_good()), expected, "{decision}, set for the policy");
        });
    }
}

#[test]
fn a_deferred_retry_carries_the_whole_delay_and_the_failure() {
    on_every_driver(|lab| {
        for (delay, deadline) in [(secs(7), secs(60)), (secs(7), secs(2)), (secs(0), secs(2))] {
            let policy = lab.policy().retry(retry().strategy(fixed(delay))).deadline(deadline).build();
            let context = policy.context().sleep_handler(|_, _| SleepDecision::Defer);
            let outcome = context.execute(&failing(ErrorClass::RateLimit));
            assert_eq!(outcome.stop_reason(), Some(StopReason::Scheduled));
            assert_eq!(
                (outcome.next_delay(), outcome.retry_in()),
                (Some(delay), Some(delay)),
                "even if it does not fit the deadline"
            );
            assert_eq!(outcome.last_error(), Some(&Failed::Of(ErrorClass::RateLimit)));

            let error = context.call(&failing(ErrorClass::RateLimit)).expect_err("deferred");
            assert_eq!((error.retry_in(), error.attempts()), (Some(delay), 1));
            let CallError::Exhausted(exhausted) = error else { panic!("{error:?}") };
            assert_eq!(exhausted.retry_in, Some(delay));
            assert_eq!(exhausted.last_error, Some(Failed::Of(ErrorClass::RateLimit)));
        }
    });
}

#[test]
fn only_a_deferral_says_how_long_to_wait() {
    on_every_driver(|lab| {
        let policy = lab.retrying(retry());
        assert_eq!(policy.execute(&failing(ErrorClass::Transient)).next_delay(), None);
        assert_eq!(policy.execute(&transient_then_good()).next_delay(), None);
        let aborted =
            policy.context().sleep_handler(|_, _| SleepDecision::Abort).execute(&failing(ErrorClass::Transient));
        assert_eq!(aborted.next_delay(), None);
    });
}

#[test]
fn a_sleep_handler_sees_the_whole_delay_and_the_time_left() {
    wherever_time_is_virtual(|lab| {
        let policy = lab.policy().retry(retry().strategy(fixed(secs(8)))).deadline(secs(10)).build();
        let seen = Mutex::new(Vec::new());
        let context = policy.context().sleep_handler(|context, delay| {
            let mut seen = seen.lock().expect("whole");
            seen.push((context.attempt, context.class(), context.cause, delay, context.remaining, context.prev_delay));
            SleepDecision::Sleep
        });
        let steps = script([fails(ErrorClass::RateLimit), Ok(Answer::Bad(ErrorClass::ServerError))]);
        assert_eq!(context.run(&steps), stopped(StopReason::DeadlineExceeded, 2));
        let expected = [
            (1, ErrorClass::RateLimit, Cause::Error, secs(8), Some(secs(10)), None),
            (2, ErrorClass::ServerError, Cause::Result, secs(8), Some(secs(2)), Some(secs(8))),
        ];
        assert_eq!(*seen.lock().expect("whole"), expected);
        assert_eq!(lab.clock.slept(), [secs(8)], "the second delay does not fit, so there is no wait");
    });
}

#[test]
fn sleep_for_a_delay_that_does_not_fit_ends_without_waiting() {
    let fits = (secs(10) - TICK, ok_after(2), vec![EventName::Retry, EventName::Success], 8);
    let late = (secs(10), stopped(StopReason::DeadlineExceeded, 1), vec![EventName::DeadlineExceeded], 9);
    let rows = [fits, late];
    wherever_time_is_virtual(|lab| {
        for (delay, expected, events, tokens) in rows.clone() {
            let (recorder, budget) = (Recorder::new(), Budget::new(9, secs(60)).expect("valid"));
            let retry = retry().strategy(fixed(delay)).budget(budget.clone());
            let policy = lab.policy().retry(retry).deadline(secs(10)).observer(recorder.clone()).build();
            let context = policy.context().sleep_handler(|_, _| SleepDecision::Sleep);
            assert_eq!(context.run(&transient_then_good()), expected, "{delay:?}");
            assert_eq!(recorder.event_names(), events, "the handler runs before the retry is announced");
            assert_eq!(budget.remaining_at(lab.clock.now()), tokens, "and before anything is spent");
        }
    });
}

#[test]
fn a_sleep_handler_is_called_only_for_granted_retries() {
    everywhere(|lab| {
        let rows = [
            (retry().max_attempts(1), ErrorClass::Transient),
            (retry().max_retries_for(ErrorClass::Transient, 0), ErrorClass::Transient),
            (retry().budget(Budget::new(0, secs(1)).expect("valid")), ErrorClass::Transient),
            (retry(), ErrorClass::Permanent),
            (retry().max_unknown_retries(0), ErrorClass::Unknown),
        ];
        for (retry, class) in rows {
            let policy = lab.retrying(retry);
            let context = policy.context().sleep_handler(|_, _| panic!("nothing was granted"));
            assert_eq!(context.run(&failing(class)).attempts, 1);
        }
    });
}

/// Checks which hook runs: one set on the policy, then one set on the call in its place.
#[track_caller]
fn check_replaced(
    of_policy: impl Fn(Builder, Counter) -> Builder,
    of_call: impl for<'a> Fn(Context<'a>, Counter) -> Context<'a>,
) {
    wherever_time_is_virtual(|lab| {
        let (policys, calls) = (Counter::default(), Counter::default());
        let policy = of_policy(lab.policy().retry(retry()), policys.clone()).build();

        assert_eq!(policy.run(&transient_then_good()), ok_after(2));
        let once = policys.get();
        assert!(once > 0, "the policy's runs");
        assert_eq!(policy.context().run(&transient_then_good()), ok_after(2));
        assert_eq!((policys.get(), calls.get()), (once * 2, 0), "a context without one changes nothing");
        assert_eq!(of_call(policy.context(), calls.clone()).run(&transient_then_good()), ok_after(2));
        assert_eq!((policys.get(), calls.get()), (once * 2, once), "the call's runs instead");
    });
}

/// The same hook as a policy's and as a call's.
macro_rules! check_replaced {
    ($method:ident: |$counter:ident| $hook:expr) => {
        check_replaced(|builder, $counter| builder.$method($hook), |context, $counter| context.$method($hook))
    };
}

#[test]
fn a_calls_hook_replaces_the_policys() {
    check_replaced!(sleep_handler: |counter| move |_, _| {
        counter.note();
        SleepDecision::Sleep
    });
    check_replaced!(before_sleep: |counter| move |_, _| counter.note());
    check_replaced!(sleep_with: |counter| move |_| counter.note());
    check_replaced!(on_attempt_start: |counter| move |_| counter.note());
    check_replaced!(on_attempt_end: |counter| move |_| counter.note());
}

#[test]
fn the_hook_before_a_wait_runs_once_before_each_actual_wait() {
    wherever_time_is_virtual(|lab| {
        for delay in [secs(2), secs(0)] {
            let policy = lab.retrying(retry().strategy(fixed(delay)));
            let start = lab.clock.elapsed();
            let seen = Mutex::new(Vec::new());
            let context = policy.context().before_sleep(|context, delay| {
                let mut seen = seen.lock().expect("whole");
                seen.push((context.attempt, delay, context.prev_delay, lab.clock.elapsed() - start));
            });
            assert_eq!(context.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
            let expected = [(1, delay, None, secs(0)), (2, delay, Some(delay), delay)];
            assert_eq!(*seen.lock().expect("whole"), expected, "a wait of zero included");
        }
    });
}

#[test]
fn the_hook_before_a_wait_does_not_run_without_a_wait() {
    everywhere(|lab| {
        let policy = lab.retrying(retry());
        let hook = |_: &BackoffContext<'_>, _| panic!("there is no wait");
        for decision in [SleepDecision::Defer, SleepDecision::Abort] {
            let context = policy.context().before_sleep(hook).sleep_handler(move |_, _| decision);
            assert_eq!(context.run(&failing(ErrorClass::Transient)).attempts, 1);
        }
        let context = policy.context().before_sleep(hook);
        assert_eq!(context.run(&failing(ErrorClass::Permanent)), stopped(StopReason::NonRetryableClass, 1));
        assert_eq!(context.run(&succeeding()), ok_after(1));
    });
}

#[test]
fn a_sleeper_is_called_for_zero_delays_too() {
    on_every_driver(|lab| {
        for delay in [secs(3), secs(0)] {
            let policy = lab.retrying(retry().strategy(fixed(delay)));
            let asked = Mutex::new(Vec::new());
            let context = policy.context().sleep_with(|delay| asked.lock().expect("whole").push(delay));
            let outcome = context.execute(&failing(ErrorClass::Transient));
            assert_eq!(*asked.lock().expect("whole"), [delay, delay]);
            assert_eq!(outcome.elapsed(), secs(0), "it waits instead of the timer, and waited no time");
        }
        assert!(lab.clock.slept().is_empty(), "the policy's own sleeper and timer were not asked");
    });
}

#[test]
fn time_that_a_sleeper_takes_counts_for_any_delay() {
    on_every_driver(|lab| {
        let policy = lab.policy().retry(retry().strategy(fixed(secs(0)))).deadline(secs(10)).build();
        let context = policy.context().sleep_with(|_| lab.clock.advance(secs(4)));
        let outcome = context.execute(&failing(ErrorClass::Transient));
        assert_eq!((outcome.attempts(), outcome.elapsed()), (3, secs(8)));
        let context = policy.context().sleep_with(|_| lab.clock.advance(secs(10)));
        let outcome = context.execute(&failing(ErrorClass::Transient));
        assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::DeadlineExceeded), 1));
    });
}

type AsyncBuilder = PolicyBuilder<ByClass, redress_core::policy::Async<VirtualTimer>>;

fn asynchronous(clock: &VirtualClock, delay: Duration) -> AsyncBuilder {
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass);
    builder.retry(retry().strategy(fixed(delay)))
}

fn delays_with_and_without_a_deadline() -> impl Iterator<Item = (Duration, fn(AsyncBuilder) -> AsyncBuilder)> {
    [secs(3), secs(0)].into_iter().flat_map(|delay| {
        let ways: [fn(AsyncBuilder) -> AsyncBuilder; 2] = [|bounded| bounded, AsyncBuilder::no_deadline];
        ways.map(|way| (delay, way))
    })
}

#[test]
fn an_asynchronous_sleeper_is_awaited() {
    for (delay, limit) in delays_with_and_without_a_deadline() {
        let clock = VirtualClock::new();
        let policy = limit(asynchronous(&clock, delay)).build().expect("valid");
        let timer = clock.timer();
        let context = policy.context().sleep_with(move |delay| Timer::sleep(&timer, delay + secs(10)));
        let outcome = clock.block_on(context.execute(failing(ErrorClass::Transient).run_async()));
        assert_eq!((outcome.attempts(), outcome.elapsed()), (3, (delay + secs(10)) * 2));
        assert_eq!(clock.slept(), [delay + secs(10); 2], "the policy's timer did not wait besides");
    }
}

#[test]
fn a_hook_before_a_wait_may_be_awaited() {
    for (delay, limit) in delays_with_and_without_a_deadline() {
        let clock = VirtualClock::new();
        let policy = limit(asynchronous(&clock, delay)).build().expect("valid");
        let timer = clock.timer();
        let seen = Mutex::new(Vec::new());
        let context = policy.context().before_sleep_async(|context, delay| {
            seen.lock().expect("whole").push((context.attempt, delay));
            Timer::sleep(&timer, secs(5))
        });
        let outcome = clock.block_on(context.execute(failing(ErrorClass::Transient).run_async()));
        assert_eq!((outcome.attempts(), outcome.elapsed()), (3, (secs(5) + delay) * 2), "its time comes on top");
        assert_eq!(*seen.lock().expect("whole"), [(1, delay), (2, delay)]);
    }
}

#[test]
fn the_time_of_an_awaited_hook_counts_against_the_deadline() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock, secs(1)).build().expect("valid");
    let timer = clock.timer();
    let context = policy.context().before_sleep_async(move |_, _| Timer::sleep(&timer, secs(59)));
    let outcome = clock.block_on(context.execute(failing(ErrorClass::Transient).run_async()));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::DeadlineExceeded), 1));
}

#[test]
fn an_asynchronous_policy_takes_both_kinds_of_hook_and_a_sleeper() {
    let clock = VirtualClock::new();
    let waited = Counter::default();
    let (hook, sleeper) = (waited.clone(), waited.clone());
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(InstantTimer).classifier(ByClass).retry(retry());
    let policy = builder
        .before_sleep(|_, _| panic!("replaced by the one below"))
        .before_sleep_async(move |_, _| {
            let hook = hook.clone();
            async move { hook.note() }
        })
        .sleep_with(move |_| {
            let sleeper = sleeper.clone();
            async move { sleeper.note() }
        })
        .build()
        .expect("valid");
    let outcome = clock.block_on(policy.execute(failing(ErrorClass::Transient).run_async()));
    assert_eq!((outcome.attempts(), waited.get()), (3, 4));
    let context = policy.context().before_sleep(|_, _| ()).sleep_with(|_| async {});
    let outcome = clock.block_on(context.execute(failing(ErrorClass::Transient).run_async()));
    assert_eq!((outcome.attempts(), waited.get()), (3, 4), "the call's replace both");
}

#[test]
fn the_blocking_lab_without_a_sleeper_is_the_one_that_waits_for_real() {
    everywhere(|lab| {
        let policy = lab.retrying(retry().strategy(fixed(secs(0))));
        assert_eq!(policy.run(&transient_then_good()), ok_after(2));
        let zero_waits = usize::from(lab.driver == Driver::Blocking);
        assert_eq!(lab.clock.slept().len(), zero_waits, "only a sleeper is called for zero delays");
    });
}

/// Without a sleeper the thread waits for real: a nanosecond, while this clock goes on by a second
/// at each look.
#[test]
fn time_that_passes_in_a_real_wait_counts() {
    let (start, looks) = (Instant::now(), Counter::default());
    let policy = Policy::builder()
        .classifier(ByClass)
        .clock(move || start + secs(u64::from(looks.count())))
        .retry(retry().strategy(fixed(TICK)))
        .deadline(secs(100))
        .build()
        .expect("valid");
    let mut left = Vec::new();
    let result = policy.call_with(|attempt| {
        left.push(attempt.time_left());
        fails(ErrorClass::Transient)
    });
    assert!(result.is_err());
    // It is looked at when the call begins, at each failure, and after each wait.
    assert_eq!(left, [100, 98, 96].map(|left| Some(secs(left))));
}
