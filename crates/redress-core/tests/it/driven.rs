//! Calls that are polled manually: which methods of the operation are called, and in which order.
//! What such a call decides is tested with the other drivers, in every lab.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redress_core::breaker::CircuitState;
use redress_core::driver::{BoxedContext, InstantTimer, NoTimer, PollCall, PollOperation};
use redress_core::error::Failure;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::{
    AsyncPolicy, Attempt, CallContext, CircuitBreaker, Classification, ErrorClass, Retry, RetryOutcome, StopReason,
    fixed,
};
use redress_testing::{VirtualClock, VirtualTimer};

use crate::lab::{Answer, Attempted, ByClass, Counter, Failed, GOOD, fails, secs};

/// What an attempt does.
enum Act {
    Ends(Attempted),
    Hangs,
}

/// An operation that records its method calls.
#[derive(Default)]
struct Noted {
    acts: VecDeque<Act>,
    running: Option<Act>,
    forbidden: Option<&'static str>,
    notes: Vec<String>,
}

impl Noted {
    fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self { acts: acts.into_iter().collect(), ..Self::default() }
    }
}

impl PollOperation<Answer, Failed> for Noted {
    fn start(&mut self, attempt: Attempt) {
        self.notes.push(format!("start {}", attempt.number()));
        self.running = self.acts.pop_front();
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Attempted> {
        match &self.running {
            Some(Act::Ends(result)) => Poll::Ready(result.clone()),
            Some(Act::Hangs) => Poll::Pending,
            None => panic!("polled before it was started"),
        }
    }

    fn stop(&mut self) {
        self.notes.push("stop".to_owned());
        self.running = None;
    }

    fn retry_forbidden(&mut self, _: &Failure<Answer, Failed>, _: &Classification) -> Option<&'static str> {
        self.forbidden
    }

    fn before_wait(&mut self, failure: &mut Failure<Answer, Failed>) {
        self.notes.push(format!("before wait {:?}", failure.cause()));
        if let Failure::Result(answer) = failure {
            *answer = Answer::Good;
        }
    }
}

type Subject = AsyncPolicy<ByClass, VirtualTimer>;

fn policy(clock: &VirtualClock, retry: RetryBuilder) -> Subject {
    builder(clock, retry).build().expect("valid")
}

fn builder(
    clock: &VirtualClock,
    retry: RetryBuilder,
) -> PolicyBuilder<ByClass, redress_core::policy::Async<VirtualTimer>> {
    AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).retry(retry)
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(secs(1))).max_attempts(3)
}

fn run(
    clock: &VirtualClock,
    mut call: PollCall<'_, Answer, Failed, ByClass, VirtualTimer>,
    operation: &mut Noted,
) -> RetryOutcome<Answer, Failed> {
    let mut sleep = pin!(None);
    clock.block_on(std::future::poll_fn(|cx| call.poll(operation, sleep.as_mut(), cx)))
}

#[test]
fn an_attempt_is_started_polled_and_stopped_and_the_failure_shown_before_the_wait() {
    let clock = VirtualClock::new();
    let policy = builder(&clock, retry()).attempt_timeout(secs(5)).build().expect("valid");
    let bad = Act::Ends(Ok(Answer::Bad(ErrorClass::ServerError)));
    let mut operation = Noted::new([bad, Act::Hangs, Act::Ends(GOOD)]);
    let outcome = run(&clock, policy.poll_call(), &mut operation);
    assert_eq!((outcome.attempts(), outcome.is_ok(), outcome.elapsed()), (3, true, secs(1 + 5 + 1)));
    let told = ["start 1", "stop", "before wait Result", "start 2", "stop", "before wait Timeout", "start 3", "stop"];
    assert_eq!(operation.notes, told);
}

#[test]
fn what_is_left_of_a_failure_before_the_wait_is_the_calls_last() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, retry());
    let mut operation = Noted::new([Act::Ends(Ok(Answer::Bad(ErrorClass::ServerError)))]);
    let calls = Counter::default();
    let context = policy.context().abort_if(|| calls.count() > 3);
    let outcome = run(&clock, context.poll_call(), &mut operation);
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
    assert_eq!(outcome.last_result(), Some(&Answer::Good));
}

#[test]
fn an_operation_that_must_not_run_again_runs_once_and_the_outcome_says_why() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).build().expect("valid");
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .classifier(ByClass)
        .retry(retry())
        .circuit_breaker(&breaker)
        .build()
        .expect("valid");
    let mut operation = Noted::new([Act::Ends(fails(ErrorClass::ServerError))]);
    operation.forbidden = Some("streaming_body");
    let outcome = run(&clock, policy.poll_call(), &mut operation);
    assert_eq!((outcome.stop_reason(), outcome.attempts()), (Some(StopReason::RetryForbidden), 1));
    assert_eq!(outcome.retry_forbidden(), Some("streaming_body"));
    assert_eq!(outcome.summary().retry_forbidden(), Some("streaming_body"));
    assert_eq!(outcome.last_class(), Some(ErrorClass::ServerError));
    assert_eq!(operation.notes, ["start 1", "stop"], "there is no wait to prepare for");
    assert_eq!(breaker.state(), CircuitState::Open, "the failure counts as it would");
}

#[test]
fn an_operation_that_must_not_run_again_may_succeed() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, retry());
    let mut operation = Noted::new([Act::Ends(GOOD)]);
    operation.forbidden = Some("streaming_body");
    let outcome = run(&clock, policy.poll_call(), &mut operation);
    assert_eq!((outcome.is_ok(), outcome.retry_forbidden()), (true, None));
}

#[test]
fn settings_of_the_context_apply_and_a_boxed_context_can_be_renamed() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, retry());
    let names = std::sync::Mutex::new(Vec::new());
    let context = CallContext::new().operation("first").capture_timeline().on_metric(|event| {
        names.lock().unwrap().push(event.operation.as_deref().map(str::to_owned));
    });
    let mut operation = Noted::new([Act::Ends(GOOD)]);
    let mut context = BoxedContext::from(context);
    context.set_operation("second");
    let outcome = run(&clock, policy.clone().into_poll_call(Some(context)), &mut operation);
    assert_eq!(outcome.timeline().expect("captured").events().len(), 1);
    assert_eq!(*names.lock().unwrap(), [Some("second".to_owned())]);
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(1)).clock(clock.clone());
    let breaker = breaker.build().expect("valid");
    breaker.try_acquire().expect("closed").failure(ErrorClass::Transient);
    clock.advance(secs(1));
    let builder = AsyncPolicy::<_, InstantTimer>::builder().classifier(ByClass).circuit_breaker(&breaker);
    let policy = builder.build().expect("valid");
    let call = policy.poll_call::<Answer, Failed>();
    assert_eq!(breaker.state(), CircuitState::Open);
    drop(call);
    assert!(breaker.try_acquire().is_ok(), "the probe is still to be had");
}

#[test]
fn the_place_for_sleeps_is_empty_whenever_nothing_is_waited_for() {
    let clock = VirtualClock::new();
    let policy = builder(&clock, retry()).attempt_timeout(secs(5)).build().expect("valid");
    let mut call = policy.poll_call();
    let (mut sleep, mut cx) = (pin!(None), Context::from_waker(Waker::noop()));
    let mut operation = Noted::new([Act::Hangs, Act::Ends(GOOD)]);
    assert!(call.poll(&mut operation, sleep.as_mut(), &mut cx).is_pending());
    assert!(sleep.is_some(), "the attempt's timeout");
    clock.advance(secs(5));
    assert!(call.poll(&mut operation, sleep.as_mut(), &mut cx).is_pending());
    assert!(sleep.is_some(), "the wait");
    clock.advance(secs(1));
    assert!(call.poll(&mut operation, sleep.as_mut(), &mut cx).is_ready());
    assert!(sleep.is_none());
}

#[test]
fn a_call_that_is_over_cannot_be_polled_again() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, retry());
    let mut call = policy.poll_call();
    let (mut sleep, mut cx) = (pin!(None), Context::from_waker(Waker::noop()));
    assert!(!call.is_over());
    assert!(call.poll(&mut Noted::new([Act::Ends(GOOD)]), sleep.as_mut(), &mut cx).is_ready());
    assert!(call.is_over());
    let again = catch_unwind(AssertUnwindSafe(|| {
        let _ = call.poll(&mut Noted::new([Act::Ends(GOOD)]), sleep.as_mut(), &mut cx);
    }));
    assert_eq!(again.unwrap_err().downcast_ref(), Some(&"a call was polled after its end"));
}
