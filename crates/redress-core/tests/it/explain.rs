//! What a call says about its end: the gate, what it compared, the nearest setting that would have
//! let that gate pass, and the text.

use std::future::{Future, pending};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use redress_core::breaker::{CircuitState, Mode};
use redress_core::budget::BudgetSpec;
use redress_core::driver::NoTimer;
use redress_core::error::CircuitOpenError;
use redress_core::observe::{DeadlineOf, Explanation, Gate, NewValue, Quantity};
use redress_core::policy::{Blocking, Nested, PolicyBreaker, PolicyBuilder, PolicySpec, RetryBuilder, RetrySpec};
use redress_core::{
    AbortHandle, AsyncPolicy, Budget, CallContext, CircuitBreaker, Classification, ErrorClass, Policy, Retry,
    RetryTimeline, SleepDecision, StopReason, classifier, fixed,
};
use redress_testing::{BreakerDecision, FakeCircuitBreaker, VirtualClock};

use crate::lab::{Answer, Attempted, ByClass, Failed, GOOD, TICK, fails, millis, secs};

use ErrorClass::{Permanent, RateLimit, ServerError, Transient, Unknown};

type Subject = Policy<ByClass>;

/// A policy whose waits pass on the clock, without a deadline.
fn policy(clock: &VirtualClock, retry: RetryBuilder) -> PolicyBuilder<ByClass, Blocking> {
    Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper()).classifier(ByClass).retry(retry).no_deadline()
}

fn at_once() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO))
}

/// Attempts that take a second each and end so; the last repeats.
fn attempts<'a>(clock: &'a VirtualClock, ends: &'a [Attempted]) -> impl FnMut() -> Attempted + 'a {
    let mut number = 0;
    move || {
        clock.advance(secs(1));
        let end = ends[number.min(ends.len() - 1)].clone();
        number += 1;
        end
    }
}

fn explained(context: &CallContext<'_, Subject>, clock: &VirtualClock, ends: &[Attempted]) -> Explanation {
    context.execute(attempts(clock, ends)).explain()
}

/// The lines after those of the steps.
#[track_caller]
fn text(explanation: &Explanation, expected: &[&str]) {
    assert_eq!(explanation.to_string().lines().collect::<Vec<_>>(), expected);
}

fn decision(explanation: &Explanation) -> (Gate, Option<u64>, Option<u64>) {
    let count = |quantity: Option<Quantity>| match quantity {
        Some(Quantity::Count(count)) => Some(count),
        Some(Quantity::Time(time)) => Some(u64::try_from(time.as_millis()).expect("short")),
        _ => None,
    };
    let decision = explanation.decision.expect("the call failed");
    (decision.gate(), count(decision.limit()), count(decision.actual()))
}

fn change(explanation: &Explanation) -> Option<(&'static str, Option<ErrorClass>, NewValue)> {
    explanation.change.map(|change| (change.field, change.class, change.value))
}

#[test]
fn attempts_used_up() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, Retry::builder().strategy(fixed(secs(2))).max_attempts(3)).build().expect("valid");
    let context = policy.operation("load").capture_timeline();
    let explanation = explained(&context, &clock, &[fails(Transient), Ok(Answer::Bad(ServerError))]);
    assert_eq!(decision(&explanation), (Gate::MaxAttempts, Some(3), Some(3)));
    assert_eq!(change(&explanation), Some(("retry.max_attempts", None, NewValue::Count(4))));
    text(
        &explanation,
        &[
            "load returned a value that counts as a failure (server error): the attempts allowed were used up.",
            "3 attempts were made in 7 s.",
            "At 1 s: attempt 1 failed (transient), and the next one follows after 2 s.",
            "At 4 s: attempt 2 returned a value that counts as a failure (server error), and the next one follows after 2 s.",
            "At 7 s: attempt 3 returned a value that counts as a failure (server error).",
            "What ended the call: 3 attempts are allowed, and 3 were made.",
            "This check would have passed with retry.max_attempts = 4.",
        ],
    );
}

#[test]
fn a_policy_without_retries_makes_one_attempt() {
    let policy = Policy::builder().classifier(ByClass).build().expect("valid");
    let error = policy.call(|| fails(Transient)).expect_err("one attempt");
    text(
        &error.explain(),
        &[
            "the call failed (transient): the attempts allowed were used up.",
            "1 attempt was made.",
            "What ended the call: 1 attempt is allowed, and 1 was made.",
            "This check would have passed with retry.max_attempts = 2.",
        ],
    );
    let mut spec = policy.spec();
    assert!(error.explain().change.expect("a setting").apply_to(&mut spec));
    let changed = Policy::from_spec(spec).classifier(ByClass).build().expect("valid");
    assert_eq!(changed.execute(|| fails(Transient)).attempts(), 2);
}

#[test]
fn caps_of_classes() {
    let clock = VirtualClock::new();
    let retry = at_once().max_retries_for(RateLimit, 1).max_retries_for(Permanent, 0).max_unknown_retries(0);
    let policy = policy(&clock, retry).build().expect("valid");
    let explanation = explained(&policy.context(), &clock, &[fails(RateLimit)]);
    assert_eq!(decision(&explanation), (Gate::ClassRetries, Some(1), Some(2)));
    assert_eq!(change(&explanation), Some(("retry.max_retries_for", Some(RateLimit), NewValue::Count(2))));
    text(
        &explanation,
        &[
            "the call failed (rate limited): the retries allowed for this class were used up.",
            "2 attempts were made in 2 s.",
            "What ended the call: 1 retry is allowed after failures of this class, and this was failure 2.",
            "This check would have passed with retry.max_retries_for(RATE_LIMIT) = 2.",
        ],
    );
    let explanation = explained(&policy.context(), &clock, &[fails(Permanent)]);
    assert_eq!(decision(&explanation), (Gate::ClassRetries, Some(0), Some(1)));
    text(
        &explanation,
        &[
            "the call failed (permanent): the retries allowed for this class were used up.",
            "1 attempt was made in 1 s.",
            "What ended the call: no retry is allowed after failures of this class, and this was failure 1.",
            "This check would have passed with retry.max_retries_for(PERMANENT) left out.",
        ],
    );
    let explanation = explained(&policy.context(), &clock, &[fails(Unknown)]);
    assert_eq!(decision(&explanation), (Gate::UnknownRetries, Some(0), Some(1)));
    text(
        &explanation,
        &[
            "the call failed (unclassified): the retries allowed for unrecognised failures were used up.",
            "1 attempt was made in 1 s.",
            "What ended the call: no retry is allowed after unclassified failures, and this was failure 1.",
            "This check would have passed with retry.max_unknown_retries = 1.",
        ],
    );
}

#[test]
fn classes_that_are_not_retried() {
    let clock = VirtualClock::new();
    let retry = Retry::builder().strategy_for(Transient, fixed(Duration::ZERO));
    let policy = policy(&clock, retry).build().expect("valid");
    let explanation = explained(&policy.context(), &clock, &[fails(Permanent)]);
    assert_eq!((decision(&explanation), change(&explanation)), ((Gate::Class, None, None), None));
    let lines: Vec<_> = explanation.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines[2..],
        [
            "What ended the call: failures of this class are never retried.",
            "No setting changes that: the classifier decides the class."
        ]
    );
    let explanation = explained(&policy.context(), &clock, &[fails(RateLimit)]);
    assert_eq!(decision(&explanation), (Gate::Strategy, None, None));
    assert_eq!(change(&explanation), Some(("retry.strategy_for", Some(RateLimit), NewValue::AnyStrategy)));
    let lines: Vec<_> = explanation.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines[2..],
        [
            "What ended the call: no wait is set for failures of this class, so they are not retried.",
            "This check would have passed with retry.strategy_for(RATE_LIMIT) with any strategy."
        ]
    );
}

#[test]
fn a_failure_that_forbids_its_retry() {
    let rules = classifier(|_: &Attempted| Some(Classification::new(Transient).forbid_retry("streaming_body")));
    let policy = Policy::builder().classifier(rules).retry(at_once()).build().expect("valid");
    text(
        &policy.call(|| fails(Transient)).expect_err("forbidden").explain(),
        &[
            "the call failed (transient): it must not be tried again (streaming_body).",
            "1 attempt was made.",
            "What ended the call: the failure must not be retried.",
            "No setting changes that: the failure itself forbids it.",
        ],
    );
}

#[test]
fn a_wait_past_the_deadline() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, at_once()).deadline(secs(60)).build().expect("valid");
    let hinted = Err(Failed::Hinted(RateLimit, secs(62) + millis(100)));
    let explanation = explained(&policy.context(), &clock, &[hinted]);
    assert_eq!(decision(&explanation), (Gate::DeadlineWait, Some(60_000), Some(63_100)));
    let longer = NewValue::Time(secs(63) + millis(100) + TICK);
    assert_eq!(change(&explanation), Some(("policy.deadline", None, longer)));
    text(
        &explanation,
        &[
            "the call failed (rate limited): the deadline leaves no time for another attempt.",
            "1 attempt was made in 1 s.",
            "What ended the call: the deadline of the policy is 1 min after the start, and the next attempt would have started 3.1 s later.",
            "The wait before the next attempt would have been 1 min 2 s.",
            "The service asked for a wait of 1 min 2 s.",
            "This check would have passed with policy.deadline longer than 1 min 4 s.",
        ],
    );
}

#[test]
fn a_wait_past_the_deadline_of_the_call() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, Retry::builder().strategy(fixed(secs(2)))).deadline(secs(60)).build().expect("valid");
    for is_instant in [false, true] {
        let context = policy.context();
        let context = if is_instant { context.deadline(clock.now() + secs(3)) } else { context.deadline(secs(3)) };
        let explanation = explained(&context, &clock, &[fails(Transient)]);
        assert_eq!(decision(&explanation), (Gate::DeadlineWait, Some(3_000), Some(3_000)));
        assert_eq!(explanation.decision.and_then(|decision| decision.deadline_of()), Some(DeadlineOf::Call));
        assert_eq!(change(&explanation), Some(("call.deadline", None, NewValue::LaterBy(TICK))));
        assert!(!explanation.change.expect("a setting").apply_to(&mut policy.spec()), "not of the policy");
        text(
            &explanation,
            &[
                "the call failed (transient): the deadline leaves no time for another attempt.",
                "1 attempt was made in 1 s.",
                "What ended the call: the deadline of this call is 3 s after the start, and the next attempt would have started just then.",
                "The wait before the next attempt would have been 2 s.",
                "This check would have passed with call.deadline any later.",
            ],
        );
    }
}

#[test]
fn a_deadline_that_passes_before_an_attempt() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, at_once()).build().expect("valid");
    let passed = clock.now();
    clock.advance(millis(20));
    let explanation = explained(&policy.context().deadline(passed), &clock, &[GOOD]);
    assert_eq!(decision(&explanation), (Gate::DeadlineAtStart, Some(0), Some(20)));
    assert_eq!(change(&explanation), Some(("call.deadline", None, NewValue::LaterBy(millis(20) + TICK))));
    text(
        &explanation,
        &[
            "the call ended without a failure: the deadline leaves no time for another attempt.",
            "No attempt was made in 0 s.",
            "What ended the call: the deadline of this call was not after the start, and had passed 20 ms before.",
            "This check would have passed with call.deadline later by more than 20 ms.",
        ],
    );
}

#[test]
fn a_deadline_that_passes_during_an_attempt_or_a_wait() {
    let clock = VirtualClock::new();
    let late = clock.clone();
    let policy = policy(&clock, Retry::builder().strategy(fixed(millis(500))))
        .deadline(secs(2))
        .sleep_with(move |wait| late.advance(wait + secs(2)))
        .build()
        .expect("valid");
    let explanation = explained(&policy.context().capture_timeline(), &clock, &[fails(Transient)]);
    assert_eq!(decision(&explanation), (Gate::DeadlineAtStart, Some(2_000), Some(3_500)));
    text(
        &explanation,
        &[
            "the call failed (transient): the deadline leaves no time for another attempt.",
            "1 attempt was made in 3.5 s.",
            "At 1 s: attempt 1 failed (transient), and the next one follows after 500 ms.",
            "At 3.5 s: the call ended before attempt 2.",
            "What ended the call: the deadline of the policy is 2 s after the start, and had passed 1.5 s before.",
            "This check would have passed with policy.deadline longer than 3.5 s.",
        ],
    );
    let explanation = policy
        .execute(|| {
            clock.advance(secs(2));
            fails(Transient)
        })
        .explain();
    assert_eq!(decision(&explanation), (Gate::Deadline, Some(2_000), Some(2_000)));
    text(
        &explanation,
        &[
            "the call failed (transient): the deadline leaves no time for another attempt.",
            "1 attempt was made in 2 s.",
            "What ended the call: the deadline of the policy is 2 s after the start, and had just passed.",
            "This check would have passed with policy.deadline longer than 2 s. The wait before the next attempt comes on top.",
        ],
    );
}

#[test]
fn hooks_that_use_the_time_up() {
    let clock = VirtualClock::new();
    let late = clock.clone();
    let policy = policy(&clock, Retry::builder().strategy(fixed(millis(500))))
        .deadline(secs(2))
        .before_sleep(move |_, _| late.advance(millis(700)))
        .build()
        .expect("valid");
    let explanation = explained(&policy.context(), &clock, &[fails(Transient)]);
    assert_eq!(decision(&explanation), (Gate::DeadlineAfterHooks, Some(2_000), Some(2_200)));
    let lines: Vec<_> = explanation.to_string().lines().map(str::to_owned).collect();
    assert_eq!(
        lines[2..],
        [
            "What ended the call: the deadline of the policy is 2 s after the start, and the next attempt would have started 200 ms later, because hooks took time.",
            "This check would have passed with policy.deadline longer than 2.2 s.",
        ]
    );
}

#[test]
fn attempts_that_are_cut() {
    let clock = VirtualClock::new();
    let policy = AsyncPolicy::<_, NoTimer>::builder()
        .timer(clock.timer())
        .classifier(ByClass)
        .retry(Retry::builder().strategy(fixed(millis(500))))
        .attempt_timeout(secs(2))
        .deadline(secs(4))
        .build()
        .expect("valid");
    let context = policy.context().capture_timeline();
    let explanation = clock.block_on(context.execute(pending::<Attempted>)).explain();
    assert_eq!(decision(&explanation), (Gate::DeadlineCut, Some(4_000), None));
    text(
        &explanation,
        &[
            "the call timed out (transient): the deadline leaves no time for another attempt.",
            "2 attempts were made in 4 s.",
            "At 2 s: attempt 1 timed out after 2 s (transient), and the next one follows after 500 ms.",
            "At 4 s: attempt 2 timed out (transient).",
            "What ended the call: the deadline of the policy is 4 s after the start, and the attempt that was running then was cut.",
            "A later deadline gives the attempt more time. How much it needed is not known.",
        ],
    );
}

#[test]
fn an_empty_budget() {
    let clock = VirtualClock::new();
    for (limit, words) in [(1, "1 retry is allowed"), (0, "no retry is allowed")] {
        let budget = Budget::new(limit, secs(60)).expect("valid");
        let policy = policy(&clock, at_once().budget(budget)).build().expect("valid");
        let explanation = explained(&policy.context(), &clock, &[fails(Transient)]);
        assert_eq!(decision(&explanation), (Gate::Budget, Some(limit.into()), Some(u64::from(limit) + 1)));
        assert_eq!(change(&explanation), Some(("budget.max_retries", None, NewValue::Count(limit + 1))));
        let expected = format!(
            "What ended the call: {words} by the shared budget at a time, and this would have been one more.\n\
             This check would have passed with budget.max_retries = {}.",
            limit + 1
        );
        assert!(explanation.to_string().ends_with(&expected), "{explanation}");
    }
}

#[test]
fn a_retry_that_the_sleep_handler_defers_or_aborts() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, Retry::builder().strategy(fixed(secs(5)))).deadline(secs(4)).build().expect("valid");
    // With a wait that fits the deadline, and with one that does not.
    for deadline in [secs(4), secs(60)] {
        let policy = Policy::from_spec(policy.spec()).deadline(deadline).clock(clock.clone()).classifier(ByClass);
        let policy = policy.build().expect("valid");
        let answer = |decision| policy.context().capture_timeline().sleep_handler(move |_, _| decision);
        let explanation = explained(&answer(SleepDecision::Defer), &clock, &[fails(Transient)]);
        assert_eq!((decision(&explanation), change(&explanation)), ((Gate::Deferral, None, Some(5_000)), None));
        text(
            &explanation,
            &[
                "the call failed (transient): the retry was deferred.",
                "1 attempt was made in 1 s.",
                "At 1 s: attempt 1 failed (transient), and the next one follows after 5 s.",
                "At 1 s: the retry was put off by 5 s.",
                "What ended the call: the sleep handler put the retry off by 5 s.",
            ],
        );
        let explanation = explained(&answer(SleepDecision::Abort), &clock, &[fails(Transient)]);
        assert_eq!((decision(&explanation), change(&explanation)), ((Gate::SleepHandlerAbort, None, None), None));
        let text = explanation.to_string();
        assert!(
            text.ends_with("At 1 s: the call was aborted.\nWhat ended the call: the sleep handler aborted the call.")
        );
    }
}

#[test]
fn aborts_say_who_aborted() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, at_once()).build().expect("valid");
    let handle = AbortHandle::new();
    let explanation = policy.context().abort_on(&handle).execute(|| {
        handle.abort();
        fails(Transient)
    });
    text(
        &explanation.explain(),
        &[
            "the call failed (transient): the call was aborted.",
            "1 attempt was made in 0 s.",
            "What ended the call: the caller aborted the call.",
        ],
    );
    let before = policy.context().abort_if(|| true).call(|| GOOD).expect_err("aborted");
    assert_eq!(decision(&before.explain()), (Gate::CallerAbort, None, None));
    // With hooks and without.
    for context in [policy.context(), policy.context().capture_timeline()] {
        let by_operation = context.call(|| Err::<Answer, _>(Failed::Abort)).expect_err("aborted");
        assert_eq!(decision(&by_operation.explain()), (Gate::OperationAbort, None, None));
        assert_eq!(
            by_operation.explain().to_string(),
            "the call was aborted.\n1 attempt was made.\n\
             What ended the call: the operation or its classifier aborted the call."
        );
    }
}

#[test]
fn an_attempt_that_an_abort_cuts_is_aborted_by_the_caller() {
    let clock = VirtualClock::new();
    let policy = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).build().expect("valid");
    let handle = AbortHandle::new();
    let run = || {
        handle.abort();
        pending::<Attempted>()
    };
    let error = clock.block_on(policy.context().abort_on(&handle).call(run)).expect_err("aborted");
    assert_eq!(decision(&error.explain()), (Gate::CallerAbort, None, None));
}

#[test]
fn an_open_breaker() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().name("orders-db").failure_threshold(1).recovery_timeout(secs(30));
    let policy = policy(&clock, at_once().max_attempts(1)).circuit_breaker(breaker).build().expect("valid");
    assert!(policy.call(|| fails(Transient)).is_err());
    clock.advance(secs(12));
    let expected = [
        "circuit breaker orders-db is open.",
        "No attempt was made in 0 s.",
        "What ended the call: the circuit breaker opened 12 s ago, and lets no call through for 30 s.",
        "This check would have passed with circuit_breaker.recovery_timeout of at most 12 s.",
        "The circuit breaker lets the next call through in 18 s.",
    ];
    // On the fast path and beside it.
    for context in [policy.context(), policy.operation("load").capture_timeline()] {
        let outcome = context.execute(|| GOOD);
        assert_eq!(decision(&outcome.explain()), (Gate::CircuitOpen, Some(30_000), Some(12_000)));
        let recovery = Some(("circuit_breaker.recovery_timeout", None, NewValue::Time(secs(12))));
        assert_eq!(change(&outcome.explain()), recovery);
        text(&outcome.explain(), &expected);
        let error = outcome.into_result().expect_err("rejected");
        assert_eq!(error.explain().to_string(), expected.join("\n").replace(" in 0 s", ""));
    }
}

#[test]
fn a_breaker_that_opened_just_now_has_no_setting_to_change() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1);
    let policy = policy(&clock, at_once().max_attempts(1)).circuit_breaker(breaker).build().expect("valid");
    assert!(policy.call(|| fails(Transient)).is_err());
    let explanation = policy.call(|| GOOD).expect_err("rejected").explain();
    assert_eq!((decision(&explanation), change(&explanation)), ((Gate::CircuitOpen, Some(30_000), Some(0)), None));
}

#[test]
fn a_half_open_breaker() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(secs(30));
    let policy = policy(&clock, at_once().max_attempts(1)).circuit_breaker(breaker).build().expect("valid");
    assert!(policy.call(|| fails(Transient)).is_err());
    clock.advance(secs(30));
    let probe = policy.call(|| {
        for context in [policy.context(), policy.context().capture_timeline()] {
            let explanation = context.call(|| GOOD).expect_err("rejected").explain();
            assert_eq!(decision(&explanation), (Gate::CircuitHalfOpen, None, None));
            text(
                &explanation,
                &[
                    "circuit breaker is half-open and its probe is under way.",
                    "No attempt was made.",
                    "What ended the call: the circuit breaker lets one call through to try, and that call was running.",
                    "The circuit breaker lets the next call through in 30 s.",
                ],
            );
        }
        GOOD
    });
    assert!(probe.is_ok());
}

#[test]
fn a_custom_breaker_tells_no_numbers() {
    let clock = VirtualClock::new();
    let rejection = CircuitOpenError::new(CircuitState::Open, Some(secs(3)));
    let breaker = FakeCircuitBreaker::new().otherwise(BreakerDecision::Reject(rejection));
    let policy = policy(&clock, at_once()).circuit_breaker(Arc::new(breaker)).build().expect("valid");
    let explanation = policy.call(|| GOOD).expect_err("rejected").explain();
    assert_eq!((decision(&explanation), change(&explanation)), ((Gate::CircuitOpen, None, None), None));
    assert!(explanation.to_string().contains("the circuit breaker is open, and lets no call through."));
}

#[test]
fn a_resumed_call_counts_the_attempts_and_the_time_of_its_token() {
    let clock = VirtualClock::new();
    let long = policy(&clock, Retry::builder().strategy(fixed(secs(1))).max_attempts(9)).build().expect("valid");
    let deferring = |context: CallContext<'_, Subject>| {
        context.sleep_handler(|_, _| SleepDecision::Defer).execute(attempts(&clock, &[fails(Transient)]))
    };
    let mut token = deferring(long.context()).resume_token().expect("deferred");
    for _ in 0..4 {
        token = deferring(long.resume(token)).resume_token().expect("deferred");
    }
    let short = policy(&clock, at_once().max_attempts(3)).build().expect("valid");
    let explanation = explained(&short.resume(token), &clock, &[GOOD]);
    assert_eq!(decision(&explanation), (Gate::MaxAttempts, Some(3), Some(5)));
    assert_eq!(change(&explanation), Some(("retry.max_attempts", None, NewValue::Count(6))));

    // The deadline of the policy counts from the first delivery, that of the call from this one.
    let waits = Retry::builder().strategy(fixed(secs(10))).max_attempts(9);
    let timed = policy(&clock, waits).deadline(secs(12)).build().expect("valid");
    let explanation = explained(&timed.resume(token), &clock, &[fails(Transient)]);
    assert_eq!(decision(&explanation), (Gate::DeadlineWait, Some(12_000), Some(16_000)));
    let explanation = explained(&timed.resume(token).deadline(secs(4)), &clock, &[fails(Transient)]);
    assert_eq!(decision(&explanation), (Gate::DeadlineWait, Some(9_000), Some(16_000)));
    assert_eq!(change(&explanation), Some(("call.deadline", None, NewValue::LaterBy(secs(7) + TICK))));
}

#[test]
fn a_success_and_a_call_that_was_dropped() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, at_once()).build().expect("valid");
    let context = policy.context().capture_timeline();
    let explanation = explained(&context, &clock, &[fails(Transient), GOOD]);
    assert_eq!((explanation.decision, explanation.change), (None, None));
    text(
        &explanation,
        &[
            "the call succeeded.",
            "2 attempts were made in 2 s.",
            "At 1 s: attempt 1 failed (transient), and the next one follows at once.",
            "At 2 s: attempt 2 succeeded.",
        ],
    );
    let timeline = RetryTimeline::new();
    assert_eq!(timeline.explain().to_string(), "nothing is recorded of the call.\nNo attempt was made.");
    let waiting = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(ByClass).build().expect("valid");
    let context = waiting.context().capture_timeline_into(&timeline);
    let mut call = Box::pin(context.call(pending::<Attempted>));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(call);
    text(
        &timeline.explain(),
        &["the call was dropped before it ended.", "1 attempt was made in 0 s.", "At 0 s: the call was dropped."],
    );
}

#[test]
fn a_timeline_explains_the_call_that_it_recorded() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, at_once().max_attempts(2)).build().expect("valid");
    let timeline = RetryTimeline::new();
    let outcome = policy.context().capture_timeline_into(&timeline).execute(attempts(&clock, &[fails(Transient)]));
    let (of_call, mut of_timeline) = (outcome.explain(), timeline.explain());
    assert_eq!(of_timeline.ending, "the call ended: the attempts allowed were used up");
    of_timeline.ending.clone_from(&of_call.ending);
    assert_eq!(of_timeline, of_call);
    assert_eq!(timeline.events()[1].decision, of_call.decision);
    assert_eq!(timeline.events()[0].decision, None, "a failed attempt that was not cut");
}

#[test]
fn an_event_carries_the_decision() {
    let clock = VirtualClock::new();
    let seen = Mutex::new(Vec::new());
    let policy = policy(&clock, at_once().max_attempts(1)).build().expect("valid");
    let context = policy.context().on_metric(|event| seen.lock().expect("whole").push(event.decision));
    let outcome = context.execute(|| fails(Transient));
    assert_eq!(*seen.lock().expect("whole"), [outcome.summary().decision()]);
    assert_eq!(outcome.explain(), outcome.summary().explain());
}

#[test]
fn an_outcome_that_no_policy_made_has_no_decision() {
    let stub = redress_core::RetryOutcome::<Answer, Failed>::from_failure(
        StopReason::MaxAttempts,
        3,
        Transient,
        redress_core::error::Failure::Error(Failed::Of(Transient)),
    );
    assert_eq!(
        stub.explain().to_string(),
        "the call failed (transient): the attempts allowed were used up.\n3 attempts were made in 0 s."
    );
}

#[test]
fn a_breaker_that_is_forced_open() {
    let clock = VirtualClock::new();
    let breaker = CircuitBreaker::builder().clock(clock.clone()).build().expect("valid");
    breaker.set_mode(Mode::ForcedOpen);
    let policy = policy(&clock, at_once()).circuit_breaker(breaker).build().expect("valid");
    let explanation = explained(&policy.context(), &clock, &[GOOD]);
    assert_eq!(decision(&explanation), (Gate::CircuitForcedOpen, None, None));
    assert_eq!(change(&explanation), None);
    assert_eq!(
        explanation.decision.expect("a gate").to_string(),
        "the circuit breaker is forced open, and lets no call through"
    );
}

/// The explanation of a call in the operation of another one.
fn explained_inside(outer: &Subject, inner: &Subject, clock: &VirtualClock, ends: &[Attempted]) -> Explanation {
    let mut inside = None;
    let outcome = outer.execute(|| {
        inside = Some(explained(&inner.context(), clock, ends));
        GOOD
    });
    assert!(outcome.is_ok());
    inside.expect("the operation ran")
}

#[test]
fn a_call_that_leaves_the_retries_to_the_one_around_it() {
    let clock = VirtualClock::new();
    let subject = || policy(&clock, at_once().max_attempts(3)).nested(Nested::RetryOutermost).build().expect("valid");
    let explanation = explained_inside(&subject(), &subject(), &clock, &[fails(Transient)]);
    assert_eq!(decision(&explanation), (Gate::Nested, None, None));
    assert_eq!(change(&explanation), Some(("policy.nested", None, NewValue::Nested(Nested::Warn))));
    let mut spec = subject().spec();
    assert!(explanation.change.expect("a setting").apply_to(&mut spec));
    assert_eq!(spec.nested, Some(Nested::Warn));
    assert_eq!(
        explanation.decision.expect("a gate").to_string(),
        "the call around this one retries, so this one makes a single attempt"
    );
}

#[test]
fn a_wait_past_the_deadline_of_the_call_around_it() {
    let clock = VirtualClock::new();
    let outer = policy(&clock, at_once()).nested(Nested::Allow).deadline(secs(5)).build().expect("valid");
    let waits = Retry::builder().strategy(fixed(secs(10)));
    let inner = policy(&clock, waits).nested(Nested::Allow).deadline(secs(60)).build().expect("valid");
    let explanation = explained_inside(&outer, &inner, &clock, &[fails(Transient)]);
    assert_eq!(decision(&explanation), (Gate::DeadlineWait, Some(5_000), Some(11_000)));
    assert_eq!(explanation.decision.and_then(|decision| decision.deadline_of()), Some(DeadlineOf::Outer));
    assert_eq!(change(&explanation), Some(("outer.deadline", None, NewValue::LaterBy(secs(6) + TICK))));
    assert_eq!(
        explanation.decision.expect("a gate").to_string(),
        "the deadline of the call around this one is 5 s after the start, and the next attempt would have started 6 s \
         later"
    );
    assert!(!explanation.change.expect("a setting").apply_to(&mut inner.spec()), "not of the policy");
}

#[test]
fn an_earned_budget_that_is_spent() {
    let clock = VirtualClock::new();
    let budget = Budget::earned(0.5).capacity(4.0).reserve(2.0).cost_for(Transient, 2).build().expect("valid");
    assert!(budget.consume(), "three are left, and two of them are reserved");
    let policy = policy(&clock, at_once().budget(budget)).build().expect("valid");
    let explanation = explained(&policy.context(), &clock, &[fails(Transient)]);
    let tokens = |millionths| Some(Quantity::Tokens { millionths });
    let decision = explanation.decision.expect("a gate");
    assert_eq!((decision.gate(), decision.limit()), (Gate::EarnedBudget, tokens(4_000_000)));
    assert_eq!(decision.actual(), tokens(5_000_000));
    assert_eq!(
        decision.to_string(),
        "the shared budget, which holds at most 4, has too little left for this retry; one that holds 5 would have \
         enough"
    );
    assert_eq!(change(&explanation), Some(("budget.capacity", None, NewValue::Tokens { millionths: 5_000_000 })));
    assert_eq!(explanation.change.expect("a setting").to_string(), "budget.capacity = 5");
}

/// The configuration of a policy after the change that its call suggests.
#[track_caller]
fn after_the_change(clock: &VirtualClock, policy: PolicyBuilder<ByClass, Blocking>, end: &Attempted) -> PolicySpec {
    let policy = policy.build().expect("valid");
    let outcome = policy.execute(attempts(clock, std::slice::from_ref(end)));
    let mut spec = policy.spec();
    assert!(outcome.explain().change.expect("a setting").apply_to(&mut spec));
    spec
}

#[test]
fn a_change_is_made_in_the_setting_that_it_names() {
    let clock = VirtualClock::new();
    let retry = |retry: RetryBuilder, end: Attempted| -> RetrySpec {
        after_the_change(&clock, policy(&clock, retry), &end).retry.expect("it retries")
    };
    assert_eq!(retry(at_once().max_attempts(2), fails(Transient)).max_attempts, 3);
    assert_eq!(retry(at_once().max_unknown_retries(0), fails(Unknown)).max_unknown_retries, Some(1));
    let capped = retry(at_once().max_retries_for(RateLimit, 1), fails(RateLimit));
    assert_eq!((capped.max_retries_for[RateLimit], capped.max_retries_for[Transient]), (Some(2), None));
    let alone = retry(Retry::builder().strategy_for(RateLimit, fixed(Duration::ZERO)), fails(Transient));
    assert!(alone.strategies[Transient].is_some() && alone.strategies[ServerError].is_none());
    let window = retry(at_once().budget(Budget::new(1, secs(60)).expect("valid")), fails(Transient));
    assert_eq!(window.budget, Some(BudgetSpec::new(2, secs(60))));
    let earned = Budget::earned(0.5).capacity(0.5).cost_for(Transient, 2).reserve(0.5).build().expect("valid");
    let Some(BudgetSpec::Earned(earned)) = retry(at_once().budget(earned), fails(Transient)).budget else {
        panic!("the kind of budget changed")
    };
    assert!((earned.capacity - 2.5).abs() < 1e-9, "{}", earned.capacity);

    let late = policy(&clock, Retry::builder().strategy(fixed(secs(9)))).deadline(secs(5));
    assert_eq!(after_the_change(&clock, late, &fails(Transient)).deadline, Some(secs(10) + TICK));
    let breaker = CircuitBreaker::builder().failure_threshold(1).clock(clock.clone()).build().expect("valid");
    breaker.try_acquire().expect("closed").failure(Transient);
    clock.advance(secs(12));
    let shut = after_the_change(&clock, policy(&clock, at_once()).circuit_breaker(&breaker), &GOOD);
    let Some(PolicyBreaker::Circuit(breaker)) = shut.breaker else { panic!("the breaker is gone") };
    assert_eq!(breaker.recovery_timeout, secs(12));
}

/// Failures of a class are counted up to 65,535, so a cap of more than 65,534 retries is none.
#[test]
fn a_cap_that_cannot_be_higher_is_left_out() {
    let clock = VirtualClock::new();
    for (cap, next) in [(65_533, NewValue::Count(65_534)), (65_534, NewValue::NoLimit)] {
        let retry = at_once().max_attempts(100_000).max_retries_for(Transient, cap);
        let policy = policy(&clock, retry).build().expect("valid");
        let explanation = explained(&policy.context(), &clock, &[fails(Transient)]);
        assert_eq!(change(&explanation), Some(("retry.max_retries_for", Some(Transient), next)));
    }
}

/// A call that goes on has waited, and after a wait the deadline is looked at first.
#[test]
fn an_abort_comes_before_a_deadline_that_has_passed_unless_the_call_goes_on() {
    let clock = VirtualClock::new();
    let policy = policy(&clock, at_once()).build().expect("valid");
    let late = policy.context().deadline(Duration::ZERO).abort_if(|| true).execute(|| GOOD);
    assert_eq!((late.stop_reason(), late.attempts()), (Some(StopReason::Aborted), 0));
    let deferring = policy.context().sleep_handler(|_, _| SleepDecision::Defer);
    let token = deferring.execute(|| fails(Transient)).resume_token().expect("it was deferred");
    let late = policy.resume(token).deadline(Duration::ZERO).abort_if(|| true).execute(|| GOOD);
    assert_eq!((late.stop_reason(), late.attempts()), (Some(StopReason::DeadlineExceeded), 1));
}
