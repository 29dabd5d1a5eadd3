//! Worst cases are not too large: some call of the engine comes within a microsecond of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use redress::doctor::{WaitRange, WorstCase};
use redress::driver::Timer;
use redress::policy::{PolicySpec, RetryBuilder, RetrySpec};
use redress::strategy::{BackoffContext, Strategy, StrategySpec};
use redress::testing::VirtualClock;
use redress::{AsyncPolicy, ErrorClass, Retry, error_classifier};

use crate::specs::policy;
use crate::worst_case::Failure;

/// One attempt's failure: its class, whether it has a hint, and whether jitter draws the least.
#[derive(Clone, Copy, Debug)]
struct Choice {
    class: ErrorClass,
    hinted: bool,
    least: bool,
}

/// Draws what the choices say, `part` of the way from the least to the most.
struct Drawn {
    spec: StrategySpec,
    choices: Arc<[Choice]>,
    part: f64,
}

impl Strategy for Drawn {
    fn delay(&self, context: &BackoffContext<'_>) -> Duration {
        let choice = self.choices.get(context.attempt as usize - 1);
        let part = choice.map_or(0.0, |choice| if choice.least { 0.0 } else { self.part });
        let hint = context.classification.retry_after().filter(|hint| !hint.is_zero());
        let range = match hint {
            Some(hint) if reads_hints(&self.spec) => of_hint(&self.spec, hint),
            _ => {
                let range = WaitRange::of(&self.spec, context.attempt, context.prev_delay);
                (range.least, range.most)
            }
        };
        between(range.0, range.1, part)
    }

    fn reads_retry_after(&self) -> bool {
        reads_hints(&self.spec)
    }
}

fn between(least: Duration, most: Duration, part: f64) -> Duration {
    if part >= 1.0 { most } else { least + (most - least).mul_f64(part) }
}

fn reads_hints(spec: &StrategySpec) -> bool {
    match spec {
        StrategySpec::RetryAfterOr { .. } => true,
        StrategySpec::Adaptive { fallback, .. } => reads_hints(fallback),
        _ => false,
    }
}

fn of_hint(spec: &StrategySpec, hint: Duration) -> (Duration, Duration) {
    match spec {
        StrategySpec::RetryAfterOr { jitter, .. } => (hint, hint + *jitter),
        StrategySpec::Adaptive { min_multiplier, max_multiplier, fallback, .. } => {
            let (least, most) = of_hint(fallback, hint);
            (least.mul_f64(*min_multiplier), most.mul_f64(*max_multiplier))
        }
        _ => unreachable!("only for strategies that read hints"),
    }
}

/// The retry with every strategy replaced by one that draws as the choices say.
fn drawn(retry: &RetrySpec, choices: &[Choice], part: f64) -> RetryBuilder {
    let choices: Arc<[Choice]> = choices.into();
    let draw = |spec: &StrategySpec| Drawn { spec: spec.clone(), choices: Arc::clone(&choices), part };
    let default = retry.strategy_of(ErrorClass::ServerError).expect("every class has a strategy");
    retry
        .strategies
        .iter()
        .filter_map(|(class, strategy)| Some((class, strategy.as_ref()?)))
        .fold(Retry::from_spec(retry.clone()).strategy(draw(&default)), |retry, (class, strategy)| {
            retry.strategy_for(class, draw(strategy))
        })
}

/// The time and the attempts of a call that makes these choices, with attempts and waits `part` of
/// the way from the least to the most, and then hangs.
fn play(spec: &PolicySpec, choices: &[Choice], part: f64) -> (Duration, u32) {
    let clock = VirtualClock::new();
    let (of_attempts, of_waits) = ((part * 2.0).min(1.0), (part * 2.0 - 1.0).max(0.0));
    let retry = spec.retry.as_ref().expect("retries");
    let longest = retry.max_retry_after.or(spec.deadline).unwrap_or(Duration::from_secs(1));
    let hint = longest.mul_f64(of_waits).max(Duration::from_nanos(1));
    let timeout = spec.attempt_timeout.unwrap_or(Duration::from_nanos(1)) - Duration::from_nanos(1);
    let after = timeout.mul_f64(of_attempts);

    let next = AtomicUsize::new(0);
    let classifier = error_classifier(|failure: &Failure| failure.classify());
    let policy = AsyncPolicy::from_spec(spec.clone())
        .retry(drawn(retry, choices, of_waits))
        .classifier(classifier)
        .timer(clock.timer())
        .build()
        .expect("valid");
    let outcome = clock.block_on(policy.execute(|| {
        let choice = choices.get(next.fetch_add(1, Ordering::Relaxed)).copied();
        let failure = choice.map(|choice| Failure { class: choice.class, hint: choice.hinted.then_some(hint), after });
        let after = failure.as_ref().map_or(Duration::from_secs(1_000_000), |failure| failure.after);
        let took = (!after.is_zero()).then(|| clock.timer().sleep(after));
        async move {
            if let Some(took) = took {
                took.await;
            }
            Err::<(), _>(failure.expect("a call that hangs is cut"))
        }
    }));
    (outcome.elapsed(), outcome.attempts())
}

/// Every row of so many choices.
fn rows(length: u32) -> Vec<Vec<Choice>> {
    let retried = ErrorClass::ALL.iter().copied().filter(|class| class.is_retryable());
    let single: Vec<Choice> = retried
        .flat_map(|class| [false, true].map(|hinted| (class, hinted)))
        .flat_map(|(class, hinted)| [false, true].map(|least| Choice { class, hinted, least }))
        .collect();
    (0..length).fold(vec![Vec::new()], |rows, _| {
        let longer =
            |row: &Vec<Choice>| single.iter().map(|choice| [&row[..], &[*choice]].concat()).collect::<Vec<_>>();
        rows.iter().flat_map(longer).collect()
    })
}

/// The longest call among those that make these choices, and the most attempts.
fn longest(spec: &PolicySpec, choices: &[Choice]) -> (Duration, u32) {
    let attempts_made = choices.len() as u32 + 1;
    let (mut longest, mut attempts) = play(spec, choices, 0.0);
    let (whole, made) = play(spec, choices, 1.0);
    longest = longest.max(whole);
    attempts = attempts.max(made);
    if attempts < attempts_made || made >= attempts_made {
        return (longest, attempts);
    }
    // The last attempt starts in time with short attempts and waits, and not with long ones: where
    // it just does, the call ends at its deadline.
    let (mut starts, mut fails) = (0.0, 1.0);
    for _ in 0..45 {
        let part = f64::midpoint(starts, fails);
        let (elapsed, made) = play(spec, choices, part);
        longest = longest.max(elapsed);
        *(if made >= attempts_made { &mut starts } else { &mut fails }) = part;
    }
    (longest, attempts)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn some_call_comes_within_a_microsecond_of_the_worst_case(spec in policy(1..4)) {
        let worst = WorstCase::of(&spec);
        let retries = spec.retry.as_ref().expect("retries").max_attempts - 1;
        let all = (0..=retries).flat_map(rows).map(|row| match worst.time {
            Some(_) => longest(&spec, &row),
            None => (Duration::ZERO, if spec.attempt_timeout.is_some() { play(&spec, &row, 0.0).1 } else { 1 }),
        });
        let (time, calls) = all.fold((Duration::ZERO, 0), |(time, calls), (elapsed, attempts)| {
            (time.max(elapsed), calls.max(attempts))
        });
        if let Some(worst) = worst.time {
            prop_assert!(time <= worst, "{time:?} is longer than {worst:?}");
            prop_assert!(worst - time <= Duration::from_micros(1), "{worst:?} is not reached: {time:?}");
        }
        if worst.time.is_some() || spec.attempt_timeout.is_some() {
            prop_assert_eq!(calls, worst.calls);
        }
    }
}
