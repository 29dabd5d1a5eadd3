//! The futures of asynchronous calls: polled manually, dropped at any point, `Send` or not, and
//! their size.

use std::cell::Cell;
use std::future::{Future, Ready, poll_fn, ready};
use std::io;
use std::num::NonZeroU64;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use redress_core::breaker::CircuitState;
use redress_core::driver::{InstantTimer, NoTimer, Timer};
use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, Budget, CircuitBreaker, ErrorClass, Retry, StopReason, fixed};
use redress_testing::{FakeCircuitBreaker, Recorder, VirtualClock, VirtualTimer};

use crate::lab::{ByClass, GOOD, failing, fails, script, secs};
use crate::polled::operation_fn;

/// A timer that must not be used.
#[derive(Clone, Copy)]
struct NeverWaits;

impl Timer for NeverWaits {
    type Sleep = Ready<()>;

    fn sleep(&self, duration: Duration) -> Ready<()> {
        panic!("asked to wait {duration:?}");
    }
}

fn retry(delay: Duration) -> RetryBuilder {
    Retry::builder().strategy(fixed(delay)).max_attempts(3)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Pending once, then ready.
fn yield_once() -> impl Future<Output = ()> + Send {
    let mut yielded = false;
    poll_fn(move |_| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        Poll::Pending
    })
}

#[test]
fn a_delay_of_zero_never_touches_the_timer() {
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(NeverWaits).classifier(ByClass);
    let policy = policy.retry(retry(Duration::ZERO)).build().expect("valid");
    let outcome = VirtualClock::new().block_on(policy.execute(failing(ErrorClass::Transient).run_async()));
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::MaxAttempts), 3));
    let mut call = pin!(policy.call(script([fails(ErrorClass::Transient), GOOD]).run_async()));
    assert!(poll(call.as_mut()).is_ready(), "in one poll, since nothing has to be waited for");
}

#[test]
fn a_delay_of_zero_never_touches_the_timer_with_any_hook() {
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(NeverWaits).classifier(ByClass);
    let policy = policy.retry(retry(Duration::ZERO)).build().expect("valid");
    let contexts = [
        policy.context().before_sleep(|_, _| ()),
        policy.context().before_sleep_async(|_, _| yield_once()),
        policy.context().sleep_with(|_| yield_once()),
        policy.context().sleep_with(|_| async { panic!("in a hook") }),
    ];
    for context in contexts {
        let mut call = pin!(context.call(failing(ErrorClass::Transient).run_async()));
        while poll(call.as_mut()).is_pending() {}
    }
}

#[test]
fn a_call_does_nothing_before_it_is_polled() {
    let breaker = Arc::new(FakeCircuitBreaker::new());
    let recorder = Recorder::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(NeverWaits).circuit_breaker(Arc::clone(&breaker));
    let policy = builder.observer(recorder.clone()).build().expect("valid");
    let operation = || -> Ready<io::Result<()>> { panic!("never polled") };
    drop((policy.call(operation), policy.execute(operation)));
    assert_eq!((breaker.admit_calls(), recorder.attempts().len()), (0, 0));
}

#[test]
fn polling_a_pending_call_runs_nothing_again() {
    let clock = VirtualClock::new();
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry(secs(5)));
    let policy = policy.build().expect("valid");
    let steps = failing(ErrorClass::Transient);
    let mut call = pin!(policy.execute(steps.run_async()));
    for attempts in 1..=2 {
        for _ in 0..5 {
            assert!(poll(call.as_mut()).is_pending());
            assert_eq!(steps.calls(), attempts, "it waits");
        }
        clock.advance(secs(5));
    }
    assert!(poll(call.as_mut()).is_ready());
    assert_eq!(steps.calls(), 3);
}

fn send<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn a_future_is_send_when_its_parts_are() {
    let clock = VirtualClock::new();
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry(secs(5)));
    let policy = policy.build().expect("valid");
    let context = policy.operation("sync_user").on_metric(|_| ()).sleep_with(|_| async {});
    let steps = failing(ErrorClass::Transient);
    let _ = clock.block_on(send(policy.call(steps.run_async())));
    let _ = clock.block_on(send(policy.execute(steps.run_async())));
    let _ = clock.block_on(send(policy.call_with(|_| steps.run_async()())));
    let _ = clock.block_on(send(policy.execute_with(|_| steps.run_async()())));
    let _ = clock.block_on(send(context.call(steps.run_async())));
    let _ = clock.block_on(send(context.execute(steps.run_async())));
    let operation = operation_fn(|_| steps.run_async()());
    let _ = clock.block_on(send(policy.poll_call().run(operation)));
    // On another thread, as a runtime would.
    let elsewhere = policy.clone();
    let handle = std::thread::spawn(move || clock.block_on(send(elsewhere.call(|| ready(GOOD)))).is_ok());
    assert!(handle.join().expect("no panic"));
}

#[test]
fn nothing_has_to_be_send() {
    /// A timer of a single-threaded runtime.
    struct Local(Rc<Cell<u32>>);
    impl Timer for Local {
        type Sleep = Pin<Box<dyn Future<Output = ()>>>;

        fn sleep(&self, _: Duration) -> Self::Sleep {
            let waits = Rc::clone(&self.0);
            Box::pin(async move {
                yield_once().await;
                waits.set(waits.get() + 1);
            })
        }
    }
    let waits = Rc::new(Cell::new(0));
    let seen = Rc::new(Cell::new(0));
    let in_classifier = Rc::clone(&seen);
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(Local(Rc::clone(&waits)))
        .retry(retry(secs(1)))
        .classifier(move |result: &Result<Rc<u32>, Rc<str>>| {
            in_classifier.set(in_classifier.get() + 1);
            result.as_ref().err().map(|_| ErrorClass::Transient)
        })
        .build()
        .expect("valid");
    let attempts = Rc::new(Cell::new(0));
    let mut call = pin!(policy.call(|| {
        let attempts = Rc::clone(&attempts);
        async move {
            attempts.set(attempts.get() + 1);
            yield_once().await;
            if attempts.get() < 3 { Err(Rc::from("not yet")) } else { Ok(Rc::new(7)) }
        }
    }));
    let value = loop {
        if let Poll::Ready(result) = poll(call.as_mut()) {
            break result.ok();
        }
    };
    assert_eq!((value.as_deref(), waits.get(), seen.get()), (Some(&7), 2, 3));
}

#[test]
fn an_operation_may_borrow_and_change_what_is_around_it() {
    let policy = AsyncPolicy::<_, InstantTimer>::builder().classifier(ByClass).retry(retry(secs(0)));
    let policy = policy.build().expect("valid");
    let (text, mut attempts) = (String::from("borrowed"), 0);
    let outcome = VirtualClock::new().block_on(policy.execute(|| {
        attempts += 1;
        let length = text.len();
        async move { if length == 8 { fails(ErrorClass::Transient) } else { GOOD } }
    }));
    assert_eq!((outcome.attempts(), attempts), (3, 3));
}

/// acton-service 44: eight layers built for four requests, so the breaker never opened. axum 2634,
/// tower 764.
#[test]
fn clones_of_a_policy_share_breaker_budget_and_timer() {
    let clock = VirtualClock::new();
    let budget = Budget::with_clock(1, secs(60), clock.clone()).expect("valid");
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .classifier(ByClass)
        .retry(retry(secs(1)).budget(budget))
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(1))
        .build()
        .expect("valid");
    let clone = policy.clone();
    let outcome = clock.block_on(clone.execute(failing(ErrorClass::Transient).run_async()));
    assert_eq!((outcome.stop_reason(), clock.elapsed()), (Some(StopReason::BudgetExhausted), secs(1)));
    assert_eq!(policy.circuit_state(), Some(CircuitState::Open));
    assert_eq!(policy.budget().expect("it has one").remaining(), 0);
}

#[test]
fn a_reference_to_a_timer_and_an_arc_of_one_are_timers() {
    fn check<Tm: Timer>(timer: Tm, clock: &VirtualClock) {
        let policy = AsyncPolicy::<_, NoTimer>::builder().timer(timer).classifier(ByClass).retry(retry(secs(5)));
        let policy = policy.build().expect("valid");
        let before = clock.elapsed();
        let outcome = clock.block_on(policy.execute(script([fails(ErrorClass::Transient), GOOD]).run_async()));
        assert_eq!((outcome.elapsed(), clock.elapsed() - before), (secs(5), secs(5)));
    }
    let clock = VirtualClock::new();
    check::<&VirtualTimer>(&clock.timer(), &clock);
    check(Arc::new(clock.timer()), &clock);
}

/// A timer whose wait is as large as a runtime's: 96 bytes, with a niche, as anything that holds a
/// pointer has.
#[derive(Clone, Copy, Default)]
struct LargeTimer;

struct LargeSleep(NonZeroU64, [u64; 11]);

impl Future for LargeSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.1[0] < self.0.get() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Timer for LargeTimer {
    type Sleep = LargeSleep;

    fn sleep(&self, _: Duration) -> LargeSleep {
        LargeSleep(NonZeroU64::MIN, [0; 11])
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// An operation of so many bytes.
struct Operation<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Future for Operation<BYTES> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

fn overhead<const BYTES: usize>(policy: &AsyncPolicy<redress_core::classify::DefaultClassifier, LargeTimer>) -> usize {
    let call = policy.call(|| Operation([0; BYTES]));
    size_of_val(&call) - size_of::<Operation<BYTES>>()
}

#[test]
fn a_call_is_little_larger_than_its_operation_and_one_wait() {
    assert_eq!(size_of::<LargeSleep>(), 96);
    let policy = AsyncPolicy::<_, LargeTimer>::builder().retry(retry(secs(1))).build().expect("valid");
    let overheads = [overhead::<0>(&policy), overhead::<64>(&policy), overhead::<1024>(&policy)];
    for overhead in overheads {
        assert!(overhead <= 208, "bytes over the operation of 0, 64 and 1024 bytes: {overheads:?}");
    }
}
