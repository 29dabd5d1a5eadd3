//! Frames: what code inside an operation sees of its calls, wherever it runs, and that the thread
//! is as before when a piece of the operation ends.
//!
//! Attacks E4.

use std::future::{Future, pending, poll_fn, ready};
use std::io::{Error, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use redress_core::classify::DefaultClassifier;
use redress_core::driver::{Frame, NoTimer};
use redress_core::observe::{CallObserver, CallStart};
use redress_core::policy::{Deadline, Nested};
use redress_core::{AsyncPolicy, Event, Observer, Policy, Retry, StopReason, fixed};
use redress_testing::{VirtualClock, VirtualTimer};

use crate::lab::secs;

type Virtual = AsyncPolicy<DefaultClassifier, VirtualTimer>;

fn policy(clock: &VirtualClock, attempts: u32) -> Virtual {
    let retry = Retry::builder().strategy(fixed(secs(1))).max_attempts(attempts);
    AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .retry(retry)
        .deadline(secs(60))
        .nested(Nested::Warn)
        .build()
        .expect("valid")
}

fn blocking(attempts: u32) -> Policy {
    let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(attempts);
    Policy::builder().retry(retry).nested(Nested::Warn).build().expect("valid")
}

/// The name of the operation around, the number of its attempt, and the depth.
type Seen = (Option<String>, Option<u32>, u32);

fn seen() -> Seen {
    let frame = Frame::current();
    (frame.operation().map(str::to_owned), frame.attempt(), frame.depth())
}

fn outside() -> Seen {
    (None, None, 0)
}

fn of(name: &str, attempt: u32, depth: u32) -> Seen {
    (Some(name.to_owned()), Some(attempt), depth)
}

fn reset() -> Error {
    ErrorKind::ConnectionReset.into()
}

/// Is pending once.
async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn an_operation_sees_its_attempts_and_what_is_around() {
    let (outer, inner) = (blocking(2), blocking(3));
    let heard = Mutex::new(Vec::new());
    let _ = outer.operation("outer").call(|| {
        heard.lock().expect("whole").push(seen());
        let inside = inner.operation("inner").call(|| {
            heard.lock().expect("whole").push(seen());
            Err::<(), _>(reset())
        });
        heard.lock().expect("whole").push(seen());
        inside
    });
    let of_outer = |attempt| {
        let inside = (1..=3).map(|number| of("inner", number, 2));
        [of("outer", attempt, 1)].into_iter().chain(inside).chain([of("outer", attempt, 1)])
    };
    assert_eq!(heard.into_inner().expect("whole"), of_outer(1).chain(of_outer(2)).collect::<Vec<_>>());
    assert_eq!(seen(), outside());
}

#[test]
fn a_frame_says_how_long_the_attempt_is_wanted() {
    let clock = VirtualClock::new();
    let retry = Retry::builder().strategy(fixed(secs(1))).max_attempts(3);
    let limited = Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).retry(retry).nested(Nested::Warn);
    let policy = limited.deadline(secs(10)).attempt_timeout(secs(4)).build().expect("valid");
    let left = Mutex::new(Vec::new());
    let _ = policy.call(|| {
        let frame = Frame::current();
        assert_eq!(frame.max_attempts(), Some(3));
        left.lock().expect("whole").push(frame.time_left(clock.now()));
        clock.advance(secs(4));
        assert_eq!(frame.deadline(), Some(Deadline::at(clock.now())));
        Err::<(), _>(reset())
    });
    assert_eq!(left.into_inner().expect("whole"), [Some(secs(4)), Some(secs(4))]);
    let unlimited = Policy::builder().nested(Nested::Warn).build().expect("valid");
    let none = unlimited.call(|| Ok::<_, Error>((Frame::current().deadline(), Frame::current().max_attempts())));
    assert_eq!(none.expect("a success"), (None, Some(1)));
}

#[test]
fn calls_of_one_task_that_take_turns_see_their_own_frames() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, 2);
    let outer = policy.operation("outer");
    let call = |name: &'static str| {
        let context = policy.operation(name);
        async move {
            let operation = || async {
                for _ in 0..3 {
                    assert_eq!(seen().0.as_deref(), Some(name));
                    assert_eq!(seen().2, 2);
                    pause().await;
                }
                Ok::<_, Error>(())
            };
            context.call(operation).await.expect("a success");
        }
    };
    let both = || async {
        let (mut one, mut two) = (pin!(call("one")), pin!(call("two")));
        let mut over = [false; 2];
        poll_fn(|cx| {
            over[0] = over[0] || one.as_mut().poll(cx).is_ready();
            assert_eq!(seen(), of("outer", 1, 1));
            over[1] = over[1] || two.as_mut().poll(cx).is_ready();
            if over == [true; 2] { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok::<_, Error>(())
    };
    clock.block_on(outer.call(both)).expect("a success");
    assert_eq!(seen(), outside());
}

#[test]
fn a_task_takes_its_frame_along_and_sees_none_otherwise() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, 2);
    let tasks = Mutex::new(Vec::<Pin<Box<dyn Future<Output = Seen> + Send>>>::new());
    let spawns = || {
        let mut tasks = tasks.lock().expect("whole");
        let work = || async {
            pause().await;
            seen()
        };
        tasks.push(Box::pin(work()));
        tasks.push(Box::pin(Frame::current().scope(work())));
        tasks.push(Box::pin(Frame::current().scope(Frame::default().scope(work()))));
        ready(Ok::<_, Error>(()))
    };
    clock.block_on(policy.operation("spawns").call(spawns)).expect("a success");
    let tasks = tasks.into_inner().expect("whole");
    let seen: Vec<_> =
        tasks.into_iter().map(|task| thread::spawn(move || VirtualClock::new().block_on(task)).join()).collect();
    let seen: Vec<_> = seen.into_iter().map(|seen| seen.expect("no panic")).collect();
    assert_eq!(seen, [outside(), of("spawns", 1, 1), outside()]);
}

#[test]
fn a_retry_in_a_task_that_took_the_frame_along_counts() {
    let retry = || Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(3);
    let outer = Policy::builder().retry(retry()).nested(Nested::RetryInnermost).build().expect("valid");
    let inner = blocking(3);
    for takes_along in [true, false] {
        let outcome = outer.execute(|| {
            let frame = if takes_along { Frame::current() } else { Frame::default() };
            let inner = inner.clone();
            let thread = thread::spawn(move || frame.run(|| inner.call(|| Ok::<_, Error>(()))));
            thread.join().expect("no panic").expect("a success");
            Err::<(), _>(reset())
        });
        assert_eq!(outcome.attempts(), if takes_along { 1 } else { 3 });
    }
}

#[test]
fn a_detached_attempt_is_in_its_frame() {
    let policy = blocking(2);
    let seen_there = policy.operation("detached").call_detached(|_| Ok::<_, Error>(seen()));
    assert_eq!(seen_there.expect("a success"), of("detached", 1, 1));
    // A policy without frames passes the one around it on.
    let plain = Policy::builder().build().expect("valid");
    let passed = policy.operation("outer").call(|| plain.call_detached(|_| Ok::<_, Error>(seen())));
    assert_eq!(passed.expect("a success"), of("outer", 1, 1));
}

#[test]
fn a_blocking_call_in_an_asynchronous_one_is_within_it() {
    let clock = VirtualClock::new();
    let (outer, inner) = (policy(&clock, 2), blocking(2));
    let nested = || async { inner.operation("inner").call(|| Ok::<_, Error>(seen())) };
    assert_eq!(clock.block_on(outer.operation("outer").call(nested)).expect("a success"), of("inner", 1, 2));
}

#[test]
fn a_panic_leaves_the_frame_from_before() {
    let clock = VirtualClock::new();
    let (outer, inner) = (blocking(2), blocking(2));
    let asynchronous = policy(&clock, 2);
    let around = outer.operation("around").call(|| {
        let panics = || -> Result<(), Error> { panic!("of the operation") };
        assert!(catch_unwind(AssertUnwindSafe(|| inner.call(panics))).is_err());
        assert_eq!(seen(), of("around", 1, 1));
        let panics = || async { panics() };
        assert!(catch_unwind(AssertUnwindSafe(|| clock.block_on(asynchronous.call(panics)))).is_err());
        assert_eq!(seen(), of("around", 1, 1));
        let frame = Frame::current().until(Instant::now());
        assert!(catch_unwind(AssertUnwindSafe(|| frame.run(|| panic!("in a frame")))).is_err());
        let frame = Frame::default();
        let scoped = frame.scope(async { panic!("in a scope") });
        assert!(catch_unwind(AssertUnwindSafe(|| clock.block_on(scoped))).is_err());
        Ok::<_, Error>(seen())
    });
    assert_eq!(around.expect("a success"), of("around", 1, 1));
    assert_eq!(seen(), outside());
}

#[test]
fn a_call_that_is_dropped_at_any_poll_leaves_the_frame_from_before() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, 2);
    let mut cx = Context::from_waker(Waker::noop());
    for polls in 0..8 {
        let operation = || async {
            pause().await;
            pause().await;
            Err::<(), _>(reset())
        };
        let outer = || async {
            let inner = policy.operation("inner").call(operation).await;
            pending::<()>().await;
            inner
        };
        let context = policy.operation("outer");
        let mut call = Box::pin(context.call(outer));
        for _ in 0..polls {
            assert!(call.as_mut().poll(&mut cx).is_pending());
            assert_eq!(seen(), outside());
            clock.advance(secs(1));
        }
        drop(call);
        assert_eq!(seen(), outside());
    }
}

/// Notes the depth of the frame that it is in. A panic of an observer is caught, so an assertion
/// here would fail no test.
#[derive(Clone, Default)]
struct Scopes(Arc<Mutex<Vec<(&'static str, u32)>>>);

impl Scopes {
    fn note(&self, place: &'static str) {
        self.0.lock().expect("whole").push((place, Frame::current().depth()));
    }
}

impl Observer for Scopes {
    fn on_event(&self, _: &Event<'_>) {
        self.note("event");
    }

    fn on_call_start(&self, _: &CallStart<'_>) -> Option<Box<dyn CallObserver>> {
        self.note("start");
        Some(Box::new(self.clone()))
    }
}

impl CallObserver for Scopes {
    fn on_event(&self, _: &Event<'_>) {}

    fn enter(&self, step: &mut dyn FnMut()) {
        self.note("before");
        step();
        self.note("after");
        panic!("of the observer");
    }
}

#[test]
fn the_frame_is_inside_of_the_scopes_of_observers() {
    let scopes = Scopes::default();
    let policy = Policy::builder().nested(Nested::Warn).observer(scopes.clone()).build().expect("valid");
    let operation = || {
        scopes.note("operation");
        Ok::<_, Error>(())
    };
    policy.call(operation).expect("a success");
    let noted = scopes.0.lock().expect("whole").clone();
    assert_eq!(noted, [("start", 0), ("before", 0), ("operation", 1), ("after", 0), ("event", 0)]);
}

#[test]
fn a_deadline_of_a_frame_is_only_ever_shortened() {
    let now = Instant::now();
    let frame = Frame::current().until(now + secs(5));
    assert_eq!(frame.deadline(), Some(Deadline::at(now + secs(5))));
    assert_eq!(frame.clone().until(now + secs(9)).deadline(), Some(Deadline::at(now + secs(5))));
    assert_eq!(frame.until(now + secs(2)).time_left(now), Some(secs(2)));
    let within = Frame::default().until(now).run(|| Frame::current().time_left(now));
    assert_eq!((within, Frame::current().deadline()), (Some(Duration::ZERO), None));
}

#[test]
fn a_frame_from_outside_is_no_call_around() {
    let policy = Policy::builder()
        .retry(Retry::builder().max_attempts(3))
        .nested(Nested::RetryOutermost)
        .build()
        .expect("valid");
    let frame = Frame::current().until(Deadline::after(secs(60)));
    let outcome = frame.run(|| {
        let inside = Frame::current();
        assert_eq!((inside.attempt(), inside.max_attempts(), inside.depth()), (None, None, 0));
        policy.context().deadline(secs(9)).execute(|| Ok::<_, Error>(seen()))
    });
    assert_eq!((outcome.stop_reason(), outcome.into_result().expect("a success").2), (None::<StopReason>, 1));
}

#[test]
fn frames_print_what_they_know() {
    let shown = blocking(2).operation("load").call(|| Ok::<_, Error>(format!("{:?}", Frame::current())));
    let shown = shown.expect("a success");
    assert!(
        shown.starts_with("Frame { operation: Some(\"load\"), attempt: Some(1), max_attempts: Some(2), depth: 1"),
        "{shown}"
    );
    let scoped = format!("{:?}", Frame::default().scope(()));
    assert!(scoped.starts_with("Scoped { frame: Frame { operation: None"), "{scoped}");
}
