//! Explained calls: each call of the recorded scenarios, made again with the setting that its
//! explanation names, no longer ends at that gate there.

use redress_core::ErrorClass;
use redress_core::observe::{Change, Explanation, Gate, NewValue};

use crate::blocking::Stage;
use crate::class_name::ClassName;
use crate::number::duration;
use crate::recording::Recording;
use crate::scenario::{CallSpec, Scenario, StrategySpec, recorded_scenarios};

/// Makes the calls of a scenario, on a virtual clock.
fn explanations(scenario: &Scenario) -> Vec<Explanation> {
    let stage = Stage::new(scenario);
    let explain = |spec: &CallSpec| {
        let recording = Recording::default();
        let context = stage.begin(spec, &recording);
        context.execute_with(|attempt| stage.attempt(spec, attempt.number())).explain()
    };
    scenario.calls.iter().map(explain).collect()
}

/// Makes the change in a scenario. Returns `false` if it cannot express it.
fn change(scenario: &mut Scenario, change: Change) -> bool {
    let (retry, class) = (scenario.retry.as_mut(), change.class.map(ClassName));
    match (change.field, change.value, retry) {
        ("retry.max_attempts", NewValue::Count(count), Some(retry)) => retry.max_attempts = count,
        ("retry.max_unknown_retries", NewValue::Count(count), Some(retry)) => retry.max_unknown_attempts = Some(count),
        ("retry.max_retries_for", value, Some(retry)) => {
            let Some(class) = class else { return false };
            retry.per_class_max_attempts.remove(&class);
            if let NewValue::Count(count) = value {
                retry.per_class_max_attempts.insert(class, count);
            }
        }
        ("retry.strategy_for", NewValue::AnyStrategy, Some(retry)) => {
            let Some(class) = class else { return false };
            let strategy = StrategySpec::Fixed { sleeps: Vec::new(), default: None };
            retry.strategies.get_or_insert_default().insert(class, strategy);
        }
        ("policy.deadline", NewValue::Time(time), Some(retry)) => {
            retry.deadline_s = time.as_secs_f64();
            // The format holds a time to the nanosecond if it is short.
            return duration(retry.deadline_s) == time;
        }
        ("budget.max_retries", NewValue::Count(count), _) => {
            let Some(budget) = &mut scenario.budget else { return false };
            budget.max_retries = count;
        }
        ("circuit_breaker.recovery_timeout", NewValue::Time(time), _) => {
            let Some(breaker) = &mut scenario.breaker else { return false };
            breaker.recovery_timeout_s = time.as_secs_f64();
            return duration(breaker.recovery_timeout_s) == time;
        }
        _ => return false,
    }
    true
}

fn place(explanation: &Explanation) -> Option<(Gate, u32, Option<ErrorClass>)> {
    Some((explanation.decision?.gate(), explanation.attempts, explanation.last_class))
}

/// Attacks X4.
#[test]
fn the_setting_that_is_named_lets_the_gate_pass() {
    let (mut ended, mut changed) = (0, 0);
    for scenario in recorded_scenarios() {
        let first = explanations(&scenario);
        for (index, explanation) in first.iter().enumerate() {
            assert_eq!(explanation.decision.is_some(), explanation.stop_reason.is_some(), "{}", scenario.id());
            ended += u32::from(explanation.decision.is_some());
            let mut other = scenario.clone();
            if !explanation.change.is_some_and(|named| change(&mut other, named)) {
                continue;
            }
            let second = explanations(&other);
            // The change is about this call, with the calls before it as they were.
            if second[..index] != first[..index] {
                continue;
            }
            changed += 1;
            let id = scenario.id();
            assert_ne!(
                place(&second[index]),
                place(explanation),
                "{id}, call {index}\n{explanation}\n\n{}",
                second[index]
            );
        }
    }
    assert!(ended > 200 && changed > 100, "{changed} of {ended} calls were made again");
}
