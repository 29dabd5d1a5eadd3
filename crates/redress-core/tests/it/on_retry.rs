//! The typed retry hook: when it runs, what it receives, and which calls can have one.

use std::cell::Cell;
use std::future::{Future, ready};
use std::io;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use redress_core::classify::result_classifier;
use redress_core::driver::{InstantTimer, NoTimer};
use redress_core::policy::{RetryBuilder, RetryNotice};
use redress_core::{
    AsyncPolicy, CallContext, Cause, Classification, ErrorClass, Policy, Retry, SleepDecision, StopReason, fixed,
};
use redress_testing::{Script, VirtualClock};

use crate::lab::{Answer, Attempted, ByClass, Failed, GOOD, Steps, millis, script, secs};
use crate::polled::operation_fn;

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(millis(300))).max_attempts(3)
}

fn steps() -> Steps {
    let hinted = Failed::Hinted(ErrorClass::RateLimit, secs(2));
    script([Ok(Answer::Bad(ErrorClass::ServerError)), Err(hinted), GOOD])
}

/// A notice as a test looks at it.
type Seen = (Option<Failed>, Cause, Classification, u32, Duration);

fn seen(retry: &RetryNotice<'_, Failed>) -> Seen {
    (retry.error.cloned(), retry.cause, retry.classification.clone(), retry.attempt, retry.wait)
}

fn expected() -> [Seen; 2] {
    let rejected = Classification::new(ErrorClass::ServerError);
    let limited = Classification::new(ErrorClass::RateLimit).with_retry_after(secs(2));
    let error = Failed::Hinted(ErrorClass::RateLimit, secs(2));
    [(None, Cause::Result, rejected, 1, millis(300)), (Some(error), Cause::Error, limited, 2, secs(2))]
}

#[test]
fn it_sees_each_failure_before_the_wait_after_it_on_every_driver() {
    let clock = VirtualClock::new();
    let blocking =
        Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).retry(retry()).classifier(ByClass);
    let blocking = blocking.build().expect("valid");
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry());
    let policy = policy.build().expect("valid");
    let notices = Mutex::new(Vec::new());
    let note = |retry: &RetryNotice<'_, Failed>| notices.lock().expect("whole").push((seen(retry), clock.elapsed()));
    let check = |start: Duration| {
        let [first, second] = expected();
        let seen = std::mem::take(&mut *notices.lock().expect("whole"));
        assert_eq!(seen, [(first, start), (second, start + millis(300))]);
    };

    let start = clock.elapsed();
    assert!(blocking.context().on_retry(note).call(steps().run()).is_ok());
    check(start);
    let start = clock.elapsed();
    assert!(blocking.context().on_retry(note).execute(steps().run()).is_ok());
    check(start);
    let start = clock.elapsed();
    assert!(clock.block_on(policy.context().on_retry(note).call(steps().run_async())).is_ok());
    check(start);
    let start = clock.elapsed();
    assert!(clock.block_on(policy.context().on_retry(note).execute(steps().run_async())).is_ok());
    check(start);
    let start = clock.elapsed();
    let run = steps().run_async();
    assert!(clock.block_on(policy.context().on_retry(note).poll_call().run(operation_fn(|_| run()))).is_ok());
    check(start);
    let start = clock.elapsed();
    let run = steps().run_async();
    let context = CallContext::new().on_retry(note);
    assert!(clock.block_on(policy.clone().into_poll_call(Some(context.into())).run(operation_fn(|_| run()))).is_ok());
    check(start);
}

#[test]
fn it_sees_failures_of_detached_attempts() {
    let policy = Policy::builder().retry(retry().strategy(fixed(secs(0)))).classifier(ByClass).build().expect("valid");
    let notices = Mutex::new(Vec::new());
    let context = policy.context().on_retry(|retry| notices.lock().expect("whole").push(seen(retry)));
    let outcome = context.execute_detached(|attempt| match attempt.number() {
        1 => Err(Failed::Of(ErrorClass::Transient)),
        _ => GOOD,
    });
    assert!(outcome.is_ok());
    let error = Failed::Of(ErrorClass::Transient);
    let transient = Classification::new(ErrorClass::Transient);
    assert_eq!(*notices.lock().expect("whole"), [(Some(error), Cause::Error, transient, 1, secs(0))]);
}

#[test]
fn it_runs_after_the_sleep_handler_and_only_if_that_sleeps() {
    let policy = Policy::builder().retry(retry().strategy(fixed(secs(0)))).classifier(ByClass).build().expect("valid");
    let order = Mutex::new(Vec::new());
    let note = |what: &'static str| order.lock().expect("whole").push(what);
    let context = policy
        .context()
        .sleep_handler(|context, _| {
            note("handler");
            if context.attempt == 1 { SleepDecision::Sleep } else { SleepDecision::Defer }
        })
        .before_sleep(|_, _| note("before"))
        .on_retry(|_: &RetryNotice<'_, Failed>| note("typed"))
        .on_attempt_start(|_| note("start"));
    let outcome = context.execute(|| -> Attempted { Err(Failed::Of(ErrorClass::Transient)) });
    assert_eq!(outcome.stop_reason(), Some(StopReason::Scheduled));
    assert_eq!(*order.lock().expect("whole"), ["start", "handler", "before", "typed", "start", "handler"]);
}

#[test]
fn a_later_hook_replaces_an_earlier_one_and_a_panic_in_it_changes_nothing() {
    let policy = Policy::builder().retry(retry().strategy(fixed(secs(0)))).classifier(ByClass).build().expect("valid");
    let told = Cell::new(0);
    let context = policy.context().on_retry(|_: &RetryNotice<'_, Failed>| panic!("replaced")).on_retry(|_| {
        told.set(told.get() + 1);
        panic!("on purpose");
    });
    assert!(context.call(steps().run()).is_ok());
    assert_eq!(told.get(), 2);
}

#[test]
fn time_that_it_takes_counts_towards_the_deadline() {
    let clock = VirtualClock::new();
    let policy = Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).retry(retry()).classifier(ByClass);
    let policy = policy.build().expect("valid");
    let context = policy.context().deadline(secs(5)).on_retry(|_| clock.advance(secs(5)));
    let outcome = context.execute(steps().run());
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::DeadlineExceeded), 1));
    assert_eq!(outcome.elapsed(), secs(5), "the wait is not begun");
}

#[test]
fn a_notice_reads_as_a_line() {
    let clock = VirtualClock::new();
    let lines = Mutex::new(Vec::new());
    let policy = Policy::builder()
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .retry(retry())
        .classifier(result_classifier(|value: &u32| (*value == 0).then_some(ErrorClass::RateLimit)))
        .build()
        .expect("valid");
    // No type is named: the error's is the operation's.
    let context = policy.operation("fetch").on_retry(|retry| lines.lock().expect("whole").push(format!("{retry}")));
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    assert!(context.call(Script::new().err(refused()).ok(0).ok(7).run()).is_ok());

    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).retry(retry()).attempt_timeout(secs(1));
    let policy = policy.build().expect("valid");
    let context = policy.context().on_retry(|retry| lines.lock().expect("whole").push(format!("{retry}")));
    let _ = clock.block_on(context.call(std::future::pending::<io::Result<()>>));
    let zero = Policy::builder().retry(retry().strategy(fixed(secs(0)))).build().expect("valid");
    let context = zero.context().on_retry(|retry| lines.lock().expect("whole").push(format!("{retry}")));
    assert!(context.call(Script::new().err(refused()).ok(7).run()).is_ok());
    let expected = [
        "connection refused; again in 300 ms",
        "returned a value that counts as RATE_LIMIT; again in 300 ms",
        "timed out; again in 300 ms",
        "timed out; again in 300 ms",
        "connection refused; again at once",
    ];
    assert_eq!(*lines.lock().expect("whole"), expected);
}

#[test]
fn errors_and_hooks_of_blocking_calls_need_not_be_send() {
    let policy = Policy::builder()
        .retry(retry().strategy(fixed(secs(0))))
        .classifier(|result: &Result<u32, Rc<str>>| result.as_ref().err().map(|_| ErrorClass::Transient))
        .build()
        .expect("valid");
    let told = Rc::new(Cell::new(0));
    let context = policy.operation("fetch").on_retry(|retry: &RetryNotice<'_, Rc<str>>| {
        told.set(told.get() + retry.error.map_or(0, |error| error.len()));
    });
    assert!(context.call(|| Err::<u32, _>(Rc::from("four"))).is_err());
    assert_eq!(told.get(), 8);
}

#[test]
fn an_asynchronous_call_with_a_hook_is_send() {
    fn send<F: Future + Send>(future: F) -> F {
        future
    }
    let policy =
        AsyncPolicy::<_, InstantTimer>::builder().retry(retry().strategy(fixed(secs(0)))).build().expect("valid");
    let told = Mutex::new(0);
    let context = policy.context().on_retry(|retry| {
        let _: &RetryNotice<'_, io::Error> = retry;
        *told.lock().expect("whole") += 1;
    });
    let clock = VirtualClock::new();
    let fail = || ready(Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)));
    let _ = clock.block_on(send(context.call(fail)));
    let _ = clock.block_on(send(context.execute(fail)));
    assert_eq!(*told.lock().expect("whole"), 4);
}
