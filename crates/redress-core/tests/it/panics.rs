//! A panic in a hook of any kind changes nothing: neither the result, nor the attempts, nor the
//! events.

use std::future::{Future, Ready};
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use redress_core::driver::NoTimer;
use redress_core::observe::AttemptContext;
use redress_core::policy::RetryBuilder;
use redress_core::strategy::BackoffContext;
use redress_core::{
    AsyncPolicy, CallContext, CircuitBreaker, ErrorClass, Event, Observer, Retry, SleepDecision, fixed,
};
use redress_testing::{FakeCircuitBreaker, Recorder, VirtualClock, VirtualTimer};

use crate::lab::{
    Answer, Builder, ByClass, Context, Counter, Ended, Failed, GOOD, Lab, Steps, everywhere, failing, fails, ok_after,
    on_every_driver, script, secs, succeeding, wherever_time_is_virtual,
};

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(2))).max_attempts(3)
}

/// A panic payload that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the payload was dropped");
    }
}

fn explode() -> ! {
    panic_any(Bomb)
}

/// Fails the test if a hook's panic comes out of it. The test harness itself would not survive the
/// payload.
#[track_caller]
fn nothing_escapes(test: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(test)) {
        match payload.downcast::<Bomb>() {
            Ok(bomb) => {
                forget(bomb);
                panic!("the panic of a hook was not contained");
            }
            Err(other) => resume_unwind(other),
        }
    }
}

/// An observer each of whose methods panics.
struct Panics;

impl Observer for Panics {
    fn on_event(&self, _: &Event<'_>) {
        explode();
    }

    fn on_attempt_start(&self, _: &AttemptContext<'_>) {
        panic!("at the start");
    }

    fn on_attempt_end(&self, _: &AttemptContext<'_>) {
        explode();
    }
}

/// A test in these labs that no hook's panic comes out of.
#[track_caller]
fn in_labs(labs: fn(&dyn Fn(Lab)), test: impl Fn(Lab)) {
    labs(&|lab| nothing_escapes(|| test(lab)));
}

type OfCall = for<'a> fn(Context<'a>) -> Context<'a>;
type OfPolicy = fn(Builder) -> Builder;

/// Every hook of a call but what waits.
const OF_CALL: [(&str, OfCall); 8] = [
    ("on_metric", |context| context.on_metric(|_: &Event<'_>| panic!("in a hook"))),
    ("on_log", |context| context.on_log(|_: &Event<'_>| explode())),
    ("observer", |context| context.observer(Panics)),
    ("abort_if", |context| context.abort_if(|| panic!("in a hook"))),
    ("sleep", |context| context.sleep_handler(|_: &BackoffContext<'_>, _| explode())),
    ("before_sleep", |context| context.before_sleep(|_: &BackoffContext<'_>, _| explode())),
    ("on_attempt_start", |context| context.on_attempt_start(|_: &AttemptContext<'_>| explode())),
    ("on_attempt_end", |context| context.on_attempt_end(|_: &AttemptContext<'_>| explode())),
];

const OF_POLICY: [(&str, OfPolicy); 5] = [
    ("observer", |builder| builder.observer(Panics)),
    ("sleep", |builder| builder.sleep_handler(|_: &BackoffContext<'_>, _| explode())),
    ("before_sleep", |builder| builder.before_sleep(|_: &BackoffContext<'_>, _| explode())),
    ("on_attempt_start", |builder| builder.on_attempt_start(|_: &AttemptContext<'_>| explode())),
    ("on_attempt_end", |builder| builder.on_attempt_end(|_: &AttemptContext<'_>| explode())),
];

/// Calls that end in many ways.
const CALLS: [fn() -> Steps; 6] = [
    succeeding,
    || script([fails(ErrorClass::Transient), Ok(Answer::Bad(ErrorClass::RateLimit)), GOOD]),
    || failing(ErrorClass::Transient),
    || failing(ErrorClass::Auth),
    || failing(ErrorClass::Unknown),
    || script([fails(ErrorClass::Transient), Err(Failed::Abort)]),
];

type Told = (Vec<Ended>, Vec<Event<'static>>, Vec<AttemptContext<'static>>, Vec<Duration>);

/// All calls with these hooks, on a fresh clock: how they ended, what was told, and what was waited
/// for.
fn tell(lab: &Lab, of_policy: OfPolicy, of_call: OfCall) -> Told {
    let lab = Lab { clock: VirtualClock::new(), ..lab.clone() };
    let recorder = Recorder::new();
    // One observer after the panicking one, and the breaker's events besides.
    let breaker = CircuitBreaker::builder().failure_threshold(3);
    let policy = of_policy(lab.policy()).retry(retry()).circuit_breaker(breaker).observer(recorder.clone()).build();
    let ended = CALLS.map(|steps| of_call(policy.context()).run(&steps()));
    (ended.to_vec(), recorder.events(), recorder.attempts(), lab.clock.slept())
}

/// redress-py R2: an `on_attempt_end` hook that raises after a success runs the operation a second
/// time and reports success with 2 attempts. resilience4j 228.
///
/// Attacks R1, R3.
#[test]
fn a_panic_in_any_hook_of_a_call_changes_nothing() {
    in_labs(
        |test| wherever_time_is_virtual(test),
        |lab| {
            let expected = tell(&lab, |builder| builder, |context| context);
            for (name, panicking) in OF_CALL {
                assert_eq!(tell(&lab, |builder| builder, panicking), expected, "{name}");
            }
        },
    );
}

#[test]
fn a_panic_in_any_hook_of_a_policy_changes_nothing() {
    in_labs(
        |test| wherever_time_is_virtual(test),
        |lab| {
            let expected = tell(&lab, |builder| builder, |context| context);
            for (name, panicking) in OF_POLICY {
                assert_eq!(tell(&lab, panicking, |context| context), expected, "{name}");
            }
        },
    );
}

#[test]
fn hooks_that_all_panic_change_nothing_together() {
    in_labs(
        |test| wherever_time_is_virtual(test),
        |lab| {
            let all_of_policy: OfPolicy = |builder| OF_POLICY.iter().fold(builder, |builder, (_, add)| add(builder));
            let all_of_call: OfCall = |context| OF_CALL.iter().fold(context, |context, (_, add)| add(context));
            let expected = tell(&lab, |builder| builder, |context| context);
            assert_eq!(tell(&lab, all_of_policy, all_of_call), expected);
        },
    );
}

/// With delays of zero, since what is left to wait is the thread's own sleep.
#[test]
fn a_sleeper_that_panics_is_replaced_by_what_would_wait_without_it() {
    in_labs(
        |test| everywhere(test),
        |lab| {
            let policy = lab.retrying(retry().strategy(fixed(secs(0))));
            let asked = Counter::default();
            let context = policy.context().sleep_with(|_| {
                asked.note();
                explode()
            });
            assert_eq!(context.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
            assert_eq!(asked.get(), 1);
            let policy = lab.policy().retry(retry().strategy(fixed(secs(0)))).sleep_with(|_| explode()).build();
            assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        },
    );
}

fn asynchronous(clock: &VirtualClock) -> AsyncPolicy<ByClass, VirtualTimer> {
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass);
    builder.retry(retry()).build().expect("valid")
}

/// Three attempts, four seconds: as if the hook were not there.
#[track_caller]
fn check_unchanged<'a>(clock: &VirtualClock, context: &CallContext<'a, AsyncPolicy<ByClass, VirtualTimer>>) {
    nothing_escapes(|| {
        let outcome = clock.block_on(context.execute(failing(ErrorClass::Transient).run_async()));
        assert_eq!((outcome.attempts(), outcome.elapsed()), (3, secs(4)));
    });
}

/// A future that is done at once, or never, and panics when it is dropped.
struct PanicsWhenDropped(Poll<()>);

impl Future for PanicsWhenDropped {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<()> {
        self.0
    }
}

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        explode()
    }
}

/// The timer waits in place of a sleeper, and an awaited hook is over.
#[test]
fn an_asynchronous_hook_that_panics_anywhere_is_as_if_it_were_not_there() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock);
    check_unchanged(&clock, &policy.context().sleep_with(|_| -> Ready<()> { explode() }));
    check_unchanged(&clock, &policy.context().sleep_with(|_| async { explode() }));
    check_unchanged(&clock, &policy.context().before_sleep_async(|_, _| -> Ready<()> { explode() }));
    check_unchanged(&clock, &policy.context().before_sleep_async(|_, _| async { explode() }));
    check_unchanged(&clock, &policy.context().before_sleep_async(|_, _| PanicsWhenDropped(Poll::Ready(()))));
}

#[test]
fn a_call_that_is_dropped_while_such_a_hook_is_awaited_drops_in_peace() {
    let clock = VirtualClock::new();
    let policy = asynchronous(&clock);
    let contexts = [
        policy.context().before_sleep_async(|_, _| PanicsWhenDropped(Poll::Pending)),
        policy.context().sleep_with(|_| PanicsWhenDropped(Poll::Pending)),
    ];
    for context in contexts {
        nothing_escapes(|| {
            let mut call = Box::pin(context.execute(failing(ErrorClass::Transient).run_async()));
            assert!(call.as_mut().poll(&mut task::Context::from_waker(task::Waker::noop())).is_pending());
        });
    }
}

#[test]
fn a_panicking_hook_leaves_the_breaker_account_whole() {
    in_labs(
        |test| on_every_driver(test),
        |lab| {
            let breaker = Arc::new(FakeCircuitBreaker::new());
            let builder = lab.policy().retry(retry().strategy(fixed(secs(0)))).circuit_breaker(Arc::clone(&breaker));
            let policy = builder.observer(Panics).build();
            let context = policy.context().sleep_handler(|_, _| -> SleepDecision { explode() });
            for steps in CALLS {
                context.run(&steps());
            }
            let settled = breaker.successes() + breaker.failures().len() + breaker.releases();
            assert_eq!((settled, breaker.pending()), (CALLS.len(), 0));
        },
    );
}
