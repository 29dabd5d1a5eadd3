//! The order of the gates is the engine's: of two gates that refuse the same failure, the one that
//! is listed first ends the call.

use std::time::Duration;

use redress_core::error::ConfigIssue;
use redress_core::policy::{RetryBuilder, RetrySpec};
use redress_core::strategy::StrategySpec;
use redress_core::{AbortHandle, Budget, Classification, ErrorClass, Policy, Retry, StopReason, error_classifier};
use redress_testing::VirtualClock;
use serde_json::Value;

use crate::run::{redress, text};

/// What a policy and a failure must be like for a gate to refuse.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refusal {
    Abort,
    ClassRetries,
    Class,
    Unknown,
    TimeUsed,
    Strategy,
    Attempts,
    Forbidden,
    Wait,
    Budget,
}

use Refusal::{Abort, Attempts, Class, ClassRetries, Forbidden, Strategy, TimeUsed, Unknown, Wait};

/// In the order of the engine, each with its stop reason.
const ORDER: [(Refusal, StopReason); 10] = [
    (Abort, StopReason::Aborted),
    (ClassRetries, StopReason::MaxAttemptsPerClass),
    (Class, StopReason::NonRetryableClass),
    (Unknown, StopReason::MaxUnknownAttempts),
    (TimeUsed, StopReason::DeadlineExceeded),
    (Strategy, StopReason::NoStrategy),
    (Attempts, StopReason::MaxAttempts),
    (Forbidden, StopReason::RetryForbidden),
    (Wait, StopReason::DeadlineExceeded),
    (Refusal::Budget, StopReason::BudgetExhausted),
];

#[derive(Debug)]
struct Failed(Classification);

/// Whether one failure can meet both refusals: a class is not two classes.
fn can_meet(first: Refusal, second: Refusal) -> bool {
    ![first, second].iter().all(|refusal| [Class, Unknown].contains(refusal))
}

/// The stop reason of a call whose first failure all these gates refuse.
fn stop_reason(refusals: &[Refusal]) -> Option<StopReason> {
    let has = |refusal| refusals.contains(&refusal);
    let class = match () {
        () if has(Class) => ErrorClass::Permanent,
        () if has(Unknown) => ErrorClass::Unknown,
        () => ErrorClass::Transient,
    };
    let (clock, abort) = (VirtualClock::new(), AbortHandle::new());
    let mut builder = Policy::builder()
        .retry(retry(class, &has))
        .deadline(Duration::from_secs(10))
        .abort_on(&abort)
        .clock(clock.clone())
        .sleep_with(clock.sleeper())
        .classifier(error_classifier(|failed: &Failed| failed.0.clone()));
    if has(TimeUsed) {
        builder = builder.finish_running_attempt();
    }
    let policy =
        builder.build().map_err(|refused| refused.issues().iter().map(ConfigIssue::to_string).collect::<Vec<_>>());
    let failure = Classification::new(class);
    let outcome = policy.expect("valid").execute(|| {
        if has(Abort) {
            abort.abort();
        }
        clock.advance(if has(TimeUsed) { Duration::from_secs(10) } else { Duration::from_secs(1) });
        let failure = failure.clone();
        Err::<(), _>(Failed(if has(Forbidden) { failure.forbid_retry("sent") } else { failure }))
    });
    outcome.stop_reason()
}

fn retry(class: ErrorClass, has: &impl Fn(Refusal) -> bool) -> RetryBuilder {
    let delay = if has(Wait) { Duration::from_secs(60) } else { Duration::from_secs(1) };
    let strategy = StrategySpec::Fixed { delay };
    let mut spec = RetrySpec::default();
    spec.max_attempts = if has(Attempts) { 1 } else { 5 };
    spec.max_unknown_retries = Some(if has(Unknown) { 0 } else { 3 });
    spec.max_retries_for[class] = has(ClassRetries).then_some(0);
    // A strategy for another class alone leaves this one without.
    spec.strategies[ErrorClass::RateLimit] = Some(strategy.clone());
    spec.strategies[class] = (!has(Strategy)).then_some(strategy);
    let granted = if has(Refusal::Budget) { 0 } else { 9 };
    Retry::from_spec(spec).budget(Budget::new(granted, Duration::from_secs(60)).expect("valid"))
}

#[test]
fn the_first_gate_that_refuses_ends_the_call() {
    for (index, (first, reason)) in ORDER.iter().enumerate() {
        assert_eq!(stop_reason(&[*first]), Some(*reason), "{first:?}");
        for (second, _) in ORDER[index + 1..].iter().filter(|(second, _)| can_meet(*first, *second)) {
            assert_eq!(stop_reason(&[*first, *second]), Some(*reason), "{first:?} before {second:?}");
        }
    }
}

#[test]
fn the_command_lists_the_gates_in_this_order() {
    let output = text(&redress(&["explain", "--preset", "http", "--format", "json"]));
    let explained: Value = serde_json::from_str(&output).expect("JSON");
    let gates = explained["gates"].as_array().expect("an array");
    let listed: Vec<_> = gates.iter().map(|gate| gate["stops"].as_str().expect("text")).collect();
    assert_eq!(listed, ORDER.map(|(_, reason)| reason.as_str()));
}
