//! Calls without a result: a dropped call and a call that panics are each reported as cancelled,
//! once, before the permit is released. And a call that never waits yields to the runtime.
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use redress_core::breaker::{Admission, Breaker, CircuitState, Report, Transition};
use redress_core::driver::{InstantTimer, NoTimer, PollOperation};
use redress_core::error::CircuitOpenError;
use redress_core::policy::PolicyBuilder;
use redress_core::{
    AsyncPolicy, Attempt, Cause, ErrorClass, Event, EventName, Observer, Policy, Retry, StopReason, fixed,
};
use redress_testing::{VirtualClock, VirtualTimer};

use crate::lab::{Answer, Attempted, ByClass, Counter, Failed, GOOD, Story, Wakes, fails, secs};

// A story holds events with their attempt and elapsed time, permits, and attempts that are gone.

impl Observer for Story {
    fn on_event(&self, event: &Event<'_>) {
        let Event { name, attempt, elapsed, class, cause, .. } = event;
        if *name == EventName::Cancelled {
            assert_eq!((event.stop_reason, event.delay, event.state), (None, Duration::ZERO, None));
            let failure = class.zip(*cause).map(|(class, cause)| (class, cause.as_str()));
            self.add(format!("cancelled in attempt {attempt} after {elapsed:?}, {failure:?}"));
        } else {
            self.add(name.as_str());
        }
    }
}

impl Breaker for Story {
    fn admit(&self, _: Instant) -> Result<Admission, CircuitOpenError> {
        Ok(Admission { generation: 0, transition: None })
    }

    fn report(&self, _: Admission, report: Report, _: Instant) -> Option<Transition> {
        self.add(if report == Report::Success { "reported good" } else { "reported bad" });
        None
    }

    fn release(&self, _: Admission) {
        self.add("released");
    }

    fn state(&self) -> CircuitState {
        CircuitState::Closed
    }
}

/// The future of an attempt or a hook. Notes when it is dropped.
struct Gone(Story, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

type Subject = AsyncPolicy<ByClass, VirtualTimer>;
type Calling<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

fn add<C, K>(builder: PolicyBuilder<C, K>, story: &Story) -> PolicyBuilder<ByClass, K> {
    let retry = Retry::builder().strategy(fixed(secs(3))).max_attempts(3);
    builder
        .classifier(ByClass)
        .retry(retry)
        .no_deadline()
        .circuit_breaker(Arc::new(story.clone()))
        .observer(story.clone())
}

fn subject(clock: &VirtualClock, story: &Story) -> Subject {
    add(AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()), story).build().expect("valid")
}

/// Fails once, and then hangs.
fn attempt(story: &Story, number: u32) -> impl Future<Output = Attempted> + use<> {
    let gone = Gone(story.clone(), "attempt gone");
    async move {
        let _gone = gone;
        if number > 1 {
            pending::<()>().await;
        }
        fails(ErrorClass::RateLimit)
    }
}

/// An operation for calls that are polled manually. Its attempts are dropped with it.
struct ByHand<F>(F, Option<Pin<Box<dyn Future<Output = Attempted>>>>);

impl<F, Fut> PollOperation<Answer, Failed> for ByHand<F>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Attempted> + 'static,
{
    fn start(&mut self, attempt: Attempt) {
        self.1 = Some(Box::pin((self.0)(attempt)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Attempted> {
        self.1.as_mut().map_or(Poll::Pending, |running| running.as_mut().poll(cx))
    }

    fn stop(&mut self) {
        self.1 = None;
    }
}

/// The call as a future that is not dropped when a panic leaves it: of the policy, and polled
/// manually.
fn calls<'a, Fut>(policy: &'a Subject, operation: impl Fn(Attempt) -> Fut + Clone + 'a) -> [Calling<'a>; 3]
where
    Fut: Future<Output = Attempted> + 'static,
{
    let mut called = Box::pin(policy.call_with(operation.clone()));
    let mut executed = Box::pin(policy.execute_with(operation.clone()));
    let (mut call, mut sleep, mut by_hand) = (policy.poll_call(), Box::pin(None), ByHand(operation, None));
    [
        Box::pin(poll_fn(move |cx| called.as_mut().poll(cx).map(|result| result.is_ok()))),
        Box::pin(poll_fn(move |cx| executed.as_mut().poll(cx).map(|outcome| outcome.is_ok()))),
        // ORDER: captured, and so dropped, in the order in which they are used: the operation
        // before the call.
        Box::pin(poll_fn(move |cx| {
            let operation = &mut by_hand;
            call.poll(operation, sleep.as_mut(), cx).map(|outcome| outcome.is_ok())
        })),
    ]
}

fn poll(call: &mut Calling<'_>) -> Poll<bool> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_dropped_call_is_cancelled_when_its_attempt_is_gone_and_before_its_permit_goes() {
    let (clock, story) = (VirtualClock::new(), Story::default());
    let policy = subject(&clock, &story);
    let made = story.clone();
    for mut call in calls(&policy, move |number| attempt(&made, number.number())) {
        assert!(poll(&mut call).is_pending());
        clock.advance(secs(3));
        assert!(poll(&mut call).is_pending());
        clock.advance(secs(1));
        assert_eq!(story.take(), ["attempt gone", "retry"]);
        drop(call);
        let failure = Some((ErrorClass::RateLimit, Cause::Error.as_str()));
        let cancelled = format!("cancelled in attempt 2 after Some(4s), {failure:?}");
        assert_eq!(story.take(), ["attempt gone", &cancelled, "released"]);
    }
}

fn hangs(story: &Story) -> impl Future<Output = ()> + Send + use<> {
    let gone = Gone(story.clone(), "hook gone");
    async move {
        let _gone = gone;
        pending::<()>().await;
    }
}

#[test]
fn a_hook_that_is_awaited_is_gone_before_the_permit_goes() {
    let (clock, story) = (VirtualClock::new(), Story::default());
    let policy = subject(&clock, &story);
    let (first, second) = (story.clone(), story.clone());
    let before = policy.context().before_sleep_async(move |_, _| hangs(&first));
    let instead = policy.context().sleep_with(move |_| hangs(&second));
    for context in [before, instead] {
        let failing = || ready(fails(ErrorClass::RateLimit));
        let mut called = Box::pin(context.call(failing));
        assert!(called.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        story.take();
        drop(called);
        let cancelled = "cancelled in attempt 1 after Some(0ns), ";
        let told = story.take();
        assert!(told[1].starts_with(cancelled), "{told:?}");
        assert_eq!((told[0].as_str(), told[2].as_str(), told.len()), ("hook gone", "released", 3));

        let (mut call, mut sleep) = (context.poll_call(), Box::pin(None));
        let mut by_hand = ByHand(move |_| failing(), None);
        let polled = call.poll(&mut by_hand, sleep.as_mut(), &mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        story.take();
        drop(call);
        let told = story.take();
        assert_eq!(told.first().map(String::as_str), Some("hook gone"), "{told:?}");
        assert!(told[1].starts_with(cancelled) && told[2] == "released", "{told:?}");
    }
}

/// As a panic, without its message.
fn blow<T>() -> T {
    resume_unwind(Box::new("in the operation"))
}

#[test]
fn an_asynchronous_call_that_panics_is_cancelled_although_its_future_is_kept() {
    let (clock, story) = (VirtualClock::new(), Story::default());
    let policy = subject(&clock, &story);
    for in_poll in [false, true] {
        let operation = move |_: Attempt| {
            if !in_poll {
                blow::<()>();
            }
            async { blow::<Attempted>() }
        };
        for mut call in calls(&policy, operation) {
            assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut call))).is_err());
            assert_eq!(story.take(), ["cancelled in attempt 1 after Some(0ns), None", "released"]);
            drop(call);
            assert!(story.take().is_empty(), "it was over");
        }
    }
}

#[test]
fn a_blocking_call_that_panics_is_cancelled() {
    for has_sleeper in [false, true] {
        let (clock, story) = (VirtualClock::new(), Story::default());
        let builder = add(Policy::builder().clock(clock.clone()), &story);
        let builder = if has_sleeper { builder.sleep_with(clock.sleeper()) } else { builder };
        let policy = builder.build().expect("valid");
        let panicking = || -> Attempted {
            clock.advance(secs(2));
            blow()
        };
        let detached = |_: Attempt| -> Attempted { blow() };
        let calls: [(&dyn Fn() -> bool, u64); 4] = [
            (&|| policy.call(panicking).is_ok(), 2),
            (&|| policy.execute(panicking).is_ok(), 2),
            (&|| policy.call_detached(detached).is_ok(), 0),
            (&|| policy.execute_detached(detached).is_ok(), 0),
        ];
        for (call, took) in calls {
            assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
            let cancelled = format!("cancelled in attempt 1 after {:?}, None", Some(secs(took)));
            assert_eq!(story.take(), [&cancelled, "released"]);
        }
    }
}

#[test]
fn a_call_that_ended_is_not_cancelled_however_long_its_future_is_kept() {
    let (clock, story) = (VirtualClock::new(), Story::default());
    let policy = subject(&clock, &story);
    for (result, expected) in [
        (GOOD, ["success", "reported good"]),
        (fails(ErrorClass::Permanent), [EventName::PermanentFail.as_str(), "reported bad"]),
        (Err(Failed::Abort), ["aborted", "released"]),
    ] {
        let operation = |_: Attempt| ready(result.clone());
        for mut call in calls(&policy, operation) {
            assert!(poll(&mut call).is_ready());
            assert_eq!(story.take(), expected);
            assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut call))).is_err(), "polled after its end");
            drop(call);
            assert!(story.take().is_empty(), "it was over");
        }
    }
}

#[test]
fn a_call_whose_attempts_neither_wait_nor_pend_yields_to_the_runtime() {
    const ATTEMPTS: u32 = 100_000;
    let observed = Story::default();
    for is_observed in [false, true] {
        let retry = Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(ATTEMPTS);
        let builder = AsyncPolicy::<_, InstantTimer>::builder().classifier(ByClass).retry(retry).no_deadline();
        let builder = if is_observed { builder.observer(observed.clone()) } else { builder };
        let policy = builder.build().expect("valid");
        let made = Counter::default();
        let mut call = Box::pin(policy.execute(|| {
            made.note();
            ready(fails(ErrorClass::Transient))
        }));
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut polls = 0;
        let outcome = loop {
            let before = made.get();
            polls += 1;
            let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
            assert!((1..=64).contains(&(made.get() - before)), "{} attempts in a poll", made.get() - before);
            match polled {
                Poll::Ready(outcome) => break outcome,
                Poll::Pending => assert_eq!(wakes.get(), polls, "it wakes itself, once"),
            }
        };
        assert_eq!((outcome.attempts(), made.get()), (ATTEMPTS, ATTEMPTS));
        assert_eq!(outcome.stop_reason(), Some(StopReason::MaxAttempts));
    }
}
