//! Vectors of circuit breakers: a configuration, admissions and ends of calls, and what must be
//! seen after each.
//!
//! They come from a model of the rules that was written apart from this code.

use std::collections::BTreeMap;
use std::time::Duration;

use redress_core::CircuitBreaker;
use redress_core::breaker::{CircuitBreakerBuilder, Permit, Seen, Transition, Trial};
use redress_testing::VirtualClock;
use serde::Deserialize;

use crate::class_name::ClassName;
use crate::number::duration;
use crate::vector::{Vector, WrongStep};

/// The vectors of this crate, as JSON lines.
pub const BREAKER_VECTORS: &str = include_str!("../data/breaker.jsonl");

/// One vector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakerVector {
    id: String,
    breaker: Settings,
    steps: Vec<Step>,
    expect: Vec<Expected>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    failure_threshold: Option<u32>,
    window_s: f64,
    recovery_timeout_s: f64,
    trip_on: Option<Vec<ClassName>>,
    class_thresholds: Option<BTreeMap<ClassName, u32>>,
    failure_ratio: Option<f64>,
    min_calls: u32,
    consecutive_failures: Option<u32>,
    slow_call_s: Option<f64>,
    growth: Option<Growth>,
    honour_retry_after_s: Option<f64>,
    open_on_retry_after_s: Option<f64>,
    trial: TrialSettings,
    probe_lease_s: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Growth {
    factor: f64,
    max_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrialSettings {
    places: u32,
    passes: u32,
    failures: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at_s: f64,
    #[serde(rename = "do")]
    action: Action,
    permit: u32,
    class: Option<ClassName>,
    retry_after_s: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Action {
    Acquire,
    Success,
    Drop,
    Failure,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    admitted: Option<bool>,
    retry_in_s: Option<f64>,
    transition: Option<String>,
    rule: Option<String>,
    state: String,
}

/// What was seen after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    admitted: Option<bool>,
    retry_in: Option<Duration>,
    transition: Option<&'static str>,
    rule: Option<&'static str>,
    state: &'static str,
}

impl Settings {
    fn builder(&self) -> CircuitBreakerBuilder {
        let Growth { factor, max_s } = self.growth.unwrap_or(Growth { factor: 1.0, max_s: self.recovery_timeout_s });
        let TrialSettings { places, passes, failures } = self.trial;
        let mut builder = CircuitBreaker::builder()
            .window(duration(self.window_s))
            .recovery_timeout(duration(self.recovery_timeout_s))
            .min_calls(self.min_calls)
            .trial(Trial::new().places(places).passes(passes).failures(failures));
        if self.growth.is_some() {
            builder = builder.recovery_growth(factor, duration(max_s));
        }
        if let Some(classes) = &self.trip_on {
            builder = builder.trip_on(classes.iter().map(|class| class.0));
        }
        for (class, threshold) in self.class_thresholds.iter().flatten() {
            builder = builder.class_threshold(class.0, *threshold);
        }
        builder = set(builder, self.failure_threshold, CircuitBreakerBuilder::failure_threshold);
        builder = set(builder, self.failure_ratio, CircuitBreakerBuilder::failure_ratio);
        builder = set(builder, self.consecutive_failures, CircuitBreakerBuilder::consecutive_failures);
        builder = set(builder, self.slow_call_s.map(duration), CircuitBreakerBuilder::slow_call);
        builder = set(builder, self.honour_retry_after_s.map(duration), CircuitBreakerBuilder::honour_retry_after);
        builder = set(builder, self.open_on_retry_after_s.map(duration), CircuitBreakerBuilder::open_on_retry_after);
        match self.probe_lease_s {
            Some(lease) => builder.probe_lease(duration(lease)),
            None => builder.no_probe_lease(),
        }
    }
}

fn set<T>(
    builder: CircuitBreakerBuilder,
    value: Option<T>,
    method: impl FnOnce(CircuitBreakerBuilder, T) -> CircuitBreakerBuilder,
) -> CircuitBreakerBuilder {
    match value {
        Some(value) => method(builder, value),
        None => builder,
    }
}

impl Vector for BreakerVector {
    fn id(&self) -> &str {
        &self.id
    }

    fn play(&self) -> Result<Option<WrongStep>, String> {
        let clock = VirtualClock::new();
        let builder = self.breaker.builder().clock(clock.clone());
        let breaker = builder.build().map_err(|error| error.to_string())?;
        let mut held = BTreeMap::new();
        for index in 0..self.steps.len().max(self.expect.len()) {
            let (step, expected) = (self.steps.get(index).copied(), self.expect.get(index));
            let shown = step.map(|step| take(step, &breaker, &clock, &mut held)).transpose()?;
            let holds = shown.as_ref().zip(expected).is_some_and(|(shown, expected)| shown.matches(expected));
            if !holds {
                return Ok(Some(WrongStep::new(index, &step, &expected, &shown)));
            }
        }
        Ok(None)
    }
}

impl Shown {
    fn matches(&self, expected: &Expected) -> bool {
        let waits = expected.retry_in_s.is_none_or(|retry_in| self.retry_in == Some(duration(retry_in)));
        self.admitted == expected.admitted
            && waits
            && self.transition == expected.transition.as_deref()
            && self.rule == expected.rule.as_deref()
            && self.state == expected.state
    }
}

/// Takes a step, and returns what it showed.
fn take<'b>(
    step: Step,
    breaker: &'b CircuitBreaker,
    clock: &VirtualClock,
    held: &mut BTreeMap<u32, Permit<'b>>,
) -> Result<Shown, String> {
    let Step { at_s, action, permit, class, retry_after_s } = step;
    let ahead = duration(at_s).checked_sub(clock.elapsed()).ok_or("a step goes back in time")?;
    clock.advance(ahead);
    let (mut admitted, mut retry_in) = (None, None);
    let transition = if action == Action::Acquire {
        let acquired = breaker.try_acquire();
        admitted = Some(acquired.is_ok());
        retry_in = acquired.as_ref().err().and_then(redress_core::error::CircuitOpenError::retry_in);
        let transition = acquired.as_ref().ok().and_then(Permit::transition);
        held.extend(acquired.ok().map(|admitted| (permit, admitted)));
        transition
    } else {
        let ended = held.remove(&permit).ok_or_else(|| format!("permit {permit} was not admitted"))?;
        end(ended, action, class, retry_after_s, clock)?
    };
    let opened = transition == Some(Transition::Opened);
    Ok(Shown {
        admitted,
        retry_in,
        transition: transition.map(name),
        rule: breaker.last_trip().filter(|_| opened).map(|trip| trip.rule.as_str()),
        state: breaker.state().as_str(),
    })
}

fn end(
    permit: Permit<'_>,
    action: Action,
    class: Option<ClassName>,
    retry_after_s: Option<f64>,
    clock: &VirtualClock,
) -> Result<Option<Transition>, String> {
    match (action, class) {
        (Action::Success, _) => Ok(permit.success()),
        (Action::Drop, _) => Ok(permit.release_at(clock.now())),
        (Action::Failure | Action::Acquire, Some(class)) => {
            let mut seen = Seen::failure(class.0);
            seen.hint = retry_after_s.map(duration);
            Ok(permit.report_at(seen, clock.now()))
        }
        (Action::Failure | Action::Acquire, None) => Err("a failure has no class".to_owned()),
    }
}

const fn name(transition: Transition) -> &'static str {
    match transition {
        Transition::Opened => "opened",
        Transition::HalfOpened => "half_opened",
        Transition::Closed => "closed",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use crate::vector::Vector;

    use super::{BREAKER_VECTORS, BreakerVector};

    #[test]
    fn every_vector_holds() {
        let vectors = BreakerVector::parse(BREAKER_VECTORS).expect("in the format");
        assert_eq!(vectors.len(), 150);
        for vector in vectors {
            let wrong = vector.play().expect("valid");
            assert!(wrong.is_none(), "{}: {}", vector.id(), wrong.expect("there is one"));
        }
    }

    #[test]
    fn a_difference_is_found_in_every_field() {
        let vectors = BreakerVector::parse(BREAKER_VECTORS).expect("in the format");
        let opens = |vector: &&BreakerVector| vector.expect.iter().any(|expected| expected.rule.is_some());
        let vector = vectors.iter().find(opens).expect("one opens");
        let opening = vector.expect.iter().position(|expected| expected.rule.is_some()).expect("it opens");
        let rejected = vector.expect.iter().position(|expected| expected.retry_in_s.is_some()).expect("it rejects");
        let first_wrong = |change: fn(&mut super::Expected), index: usize| {
            let mut vector = vector.clone();
            change(&mut vector.expect[index]);
            vector.play().expect("valid").map(|wrong| wrong.index)
        };
        assert_eq!(first_wrong(|expected| expected.rule = Some("none".to_owned()), opening), Some(opening));
        assert_eq!(first_wrong(|expected| expected.transition = None, opening), Some(opening));
        assert_eq!(first_wrong(|expected| expected.state = "closed".to_owned(), opening), Some(opening));
        assert_eq!(first_wrong(|expected| expected.admitted = Some(true), rejected), Some(rejected));
        assert_eq!(first_wrong(|expected| expected.retry_in_s = Some(1e6), rejected), Some(rejected));
        let mut short = vector.clone();
        short.expect.pop();
        assert!(short.play().expect("valid").is_some());
    }
}
