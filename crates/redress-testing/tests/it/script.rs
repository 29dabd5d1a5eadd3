//! Scripted operations, blocking and asynchronous.

use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redress_core::{Policy, Retry};
use redress_testing::{Script, VirtualClock, instant_retries};

use crate::{panic_message, reset, secs};

#[test]
fn each_run_takes_a_step() {
    let script = Script::new().err("one").ok(2).err("three");
    let run = script.run();
    assert_eq!((script.calls(), script.steps_left()), (0, 3));
    assert_eq!([run(), run()], [Err("one"), Ok(2)]);
    assert_eq!((script.calls(), script.steps_left()), (2, 1));
}

#[test]
fn clones_and_operations_follow_the_same_script() {
    let script = Script::<_, ()>::new().ok(1).ok(2).ok(3);
    let copy = script.clone();
    assert_eq!([script.run()(), copy.run()(), script.run()()], [Ok(1), Ok(2), Ok(3)]);
    assert_eq!(copy.calls(), 3);
}

#[test]
fn an_exhausted_script_says_so() {
    let script = Script::<_, ()>::new().ok(1);
    let run = script.run();
    assert_eq!(run(), Ok(1));
    let message = panic_message(AssertUnwindSafe(|| {
        let _ = run();
    }));
    assert_eq!(message, "the script is exhausted: run 2 has no step; add one, or end the script with `forever`");
}

#[test]
fn forever_answers_every_run_after_the_steps() {
    let clock = VirtualClock::new();
    let script = Script::new().after(&clock, secs(5)).forever(|| Err("gone")).ok(1);
    let run = script.run();
    assert_eq!(run(), Ok(1));
    assert_eq!(clock.elapsed(), secs(0), "the pause belongs to what was added after it");
    assert_eq!([run(), run()], [Err("gone"), Err("gone")]);
    assert_eq!(clock.elapsed(), secs(10));
}

#[test]
fn a_scripted_panic_goes_through_the_policy() {
    let policy =
        Policy::builder().retry(Retry::builder().strategy(instant_retries())).build().expect("a valid configuration");
    let script = Script::<(), _>::new().err(reset()).panics("on purpose");
    let message = panic_message(AssertUnwindSafe(|| {
        let _ = policy.call(script.run());
    }));
    assert_eq!(message, "on purpose");
    assert_eq!(script.calls(), 2);
}

#[test]
fn a_blocking_run_refuses_to_hang() {
    let script = Script::<(), ()>::new().pending();
    let message = panic_message(AssertUnwindSafe(|| {
        let _ = script.run()();
    }));
    assert!(message.contains("a step of the script is pending"), "{message}");
}

#[test]
fn a_blocking_run_moves_the_clock() {
    let clock = VirtualClock::new();
    let script = Script::<_, ()>::new().after(&clock, secs(3)).ok(1).ok(2);
    let run = script.run();
    assert_eq!([run(), run()], [Ok(1), Ok(2)]);
    assert_eq!(clock.elapsed(), secs(3));
    assert!(clock.slept().is_empty());
}

#[test]
fn an_asynchronous_run_waits_on_the_clock() {
    let clock = VirtualClock::new();
    let script = Script::<_, ()>::new().after(&clock, secs(3)).ok(1);
    let mut run = pin!(script.run_async()());
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(script.calls(), 1, "the step is taken when the run is made");
    assert_eq!(run.as_mut().poll(&mut cx), Poll::Pending);
    clock.advance(secs(3));
    assert_eq!(run.as_mut().poll(&mut cx), Poll::Ready(Ok(1)));
}

#[test]
fn an_asynchronous_run_panics_when_polled() {
    let clock = VirtualClock::new();
    let script = Script::<(), ()>::new().after(&clock, secs(3)).panics("on purpose");
    let run = script.run_async()();
    let message = panic_message(AssertUnwindSafe(|| {
        let _ = clock.block_on(run);
    }));
    assert_eq!((message.as_str(), clock.elapsed()), ("on purpose", secs(3)));
}

#[test]
fn a_script_runs_on_the_threads_of_detached_calls() {
    let policy =
        Policy::builder().retry(Retry::builder().strategy(instant_retries())).build().expect("a valid configuration");
    let script = Script::<_, io::Error>::new().err(reset()).ok(5);
    let run = script.run();
    assert_eq!(policy.call_detached(move |_| run()).ok(), Some(5));
}
