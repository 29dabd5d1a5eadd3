//! Strategies as plain data: settings can be read back, a spec rebuilds the same strategy, and has
//! a text form.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redress_core::strategy::{
    BackoffContext, Exponential, Feedback, Jitter, Strategy, StrategySpec, adaptive, equal_jitter, token_backoff,
};
use redress_core::{Classification, ErrorClass, decorrelated_jitter, exponential, fixed, retry_after_or};

use crate::lab::{TICK, millis, secs};

const ZERO: Duration = Duration::ZERO;
const LINEAR: fn(&BackoffContext<'_>) -> Duration = |context| Duration::from_secs(context.attempt.into());

/// A strategy has this spec, and the spec builds a strategy that has it, too.
#[track_caller]
fn check(strategy: &impl Strategy, spec: &StrategySpec) {
    assert_eq!(strategy.spec(), *spec);
    let built = spec.build().expect("nothing in it is custom");
    assert_eq!(built.spec(), *spec);
    assert_eq!(built.issues(), strategy.issues());
}

fn plain_exponential() -> StrategySpec {
    StrategySpec::Exponential {
        base: millis(250),
        factor: 2.0,
        max: secs(30),
        jitter: Jitter::Full,
        first_power: 0,
        seed: None,
    }
}

#[test]
fn fixed_gives_its_delay_back() {
    for delay in [ZERO, TICK, secs(3), Duration::MAX] {
        check(&fixed(delay), &StrategySpec::Fixed { delay });
    }
}

/// One field set at a time, so that none is mistaken for another.
#[test]
fn exponential_gives_every_field_back() {
    type Set = fn(Exponential) -> Exponential;
    type Edit = fn(&mut StrategySpec);
    macro_rules! sets {
        ($($field:ident = $value:expr),*) => {[$((
            |strategy| strategy.$field($value),
            |spec| {
                let StrategySpec::Exponential { $field, .. } = spec else { unreachable!() };
                *$field = $value.into();
            },
        )),*]};
    }
    let sets: [(Set, Edit); 8] = sets!(
        base = millis(7),
        factor = 1.25,
        max = secs(99),
        jitter = Jitter::None,
        jitter = Jitter::Full,
        jitter = Jitter::Equal,
        first_power = 3_u32,
        seed = 11_u64
    );
    check(&exponential(), &plain_exponential());
    for (set, edit) in sets {
        let mut spec = plain_exponential();
        edit(&mut spec);
        check(&set(exponential()), &spec);
    }
}

#[test]
fn the_presets_show_as_what_they_are_short_for() {
    check(&equal_jitter(), &exponential().jitter(Jitter::Equal).first_power(1).spec());
    check(&token_backoff(), &equal_jitter().factor(1.5).max(secs(20)).spec());
    check(
        &token_backoff().base(secs(1)).seed(0),
        &StrategySpec::Exponential {
            base: secs(1),
            factor: 1.5,
            max: secs(20),
            jitter: Jitter::Equal,
            first_power: 1,
            seed: Some(0),
        },
    );
}

#[test]
fn decorrelated_jitter_gives_every_field_back() {
    let spec = |base, max, seed| StrategySpec::DecorrelatedJitter { base, max, seed };
    check(&decorrelated_jitter(), &spec(millis(250), secs(30), None));
    check(&decorrelated_jitter().base(millis(7)), &spec(millis(7), secs(30), None));
    check(&decorrelated_jitter().max(secs(5)), &spec(millis(250), secs(5), None));
    check(&decorrelated_jitter().seed(3), &spec(millis(250), secs(30), Some(3)));
}

#[test]
fn retry_after_or_gives_every_field_back() {
    let spec = |jitter, seed| StrategySpec::RetryAfterOr {
        jitter,
        seed,
        fallback: Box::new(StrategySpec::Fixed { delay: secs(1) }),
    };
    let strategy = || retry_after_or(fixed(secs(1)));
    check(&strategy(), &spec(millis(250), None));
    check(&strategy().jitter(ZERO), &spec(ZERO, None));
    check(&strategy().seed(9), &spec(millis(250), Some(9)));
}

#[test]
fn adaptive_gives_every_field_back() {
    let spec = |window, target_success, min_multiplier, max_multiplier| StrategySpec::Adaptive {
        window,
        target_success,
        min_multiplier,
        max_multiplier,
        fallback: Box::new(plain_exponential()),
    };
    let strategy = || adaptive(exponential());
    check(&strategy(), &spec(secs(60), 0.9, 1.0, 5.0));
    check(&strategy().window(secs(7)), &spec(secs(7), 0.9, 1.0, 5.0));
    check(&strategy().target_success(0.5), &spec(secs(60), 0.5, 1.0, 5.0));
    check(&strategy().min_multiplier(2.0), &spec(secs(60), 0.9, 2.0, 5.0));
    check(&strategy().max_multiplier(3.0), &spec(secs(60), 0.9, 1.0, 3.0));
}

#[test]
fn what_is_wrapped_shows_and_is_built() {
    let nested = || retry_after_or(Arc::new(adaptive(retry_after_or(token_backoff().seed(1)).jitter(secs(9)))));
    let shared: Arc<dyn Strategy> = Arc::new(nested());
    assert_eq!(shared.spec(), nested().spec());
    check(&shared, &nested().spec());
}

#[test]
fn a_strategy_of_the_users_own_is_custom() {
    assert_eq!(LINEAR.spec(), StrategySpec::Custom);
    assert!(StrategySpec::Custom.build().is_none());
    let hinted = retry_after_or(LINEAR).spec();
    assert!(matches!(&hinted, StrategySpec::RetryAfterOr { fallback, .. } if **fallback == StrategySpec::Custom));
    assert!(hinted.build().is_none(), "what it wraps cannot be built");
    assert!(adaptive(retry_after_or(LINEAR)).spec().build().is_none());
}

/// A seed and a hint tell apart what `spec` alone would not: what is built has to behave.
#[test]
fn a_built_strategy_behaves_as_the_one_it_was_read_from() {
    let seeded: [Arc<dyn Strategy>; 5] = [
        Arc::new(fixed(secs(2))),
        Arc::new(exponential().factor(1.7).first_power(2).jitter(Jitter::Equal).seed(4)),
        Arc::new(exponential().factor(3.0).base(secs(2)).max(secs(100)).jitter(Jitter::None)),
        Arc::new(decorrelated_jitter().base(millis(90)).max(secs(4)).seed(4)),
        Arc::new(retry_after_or(token_backoff().seed(4)).jitter(secs(3)).seed(5)),
    ];
    for strategy in seeded {
        let built = strategy.spec().build().expect("nothing in it is custom");
        for attempt in 1..20 {
            let failure = Classification::new(ErrorClass::RateLimit)
                .with_retry_after((attempt % 3 == 0).then(|| secs(attempt.into())));
            let context = BackoffContext::new(attempt, &failure, Instant::now());
            assert_eq!(built.delay(&context), strategy.delay(&context), "attempt {attempt}: {}", strategy.spec());
        }
    }
}

#[test]
fn what_was_learned_is_no_part_of_a_spec() {
    let (now, failure) = (Instant::now(), Classification::new(ErrorClass::Transient));
    let strategy = adaptive(fixed(secs(1))).max_multiplier(3.0);
    strategy.learn(Feedback::Failure(ErrorClass::Transient), now);
    let built = strategy.spec().build().expect("nothing in it is custom");
    let context = BackoffContext::new(1, &failure, now);
    assert_eq!((strategy.delay(&context), built.delay(&context)), (secs(3), secs(1)));
    assert!(built.learns());
    built.learn(Feedback::Failure(ErrorClass::Transient), now);
    assert_eq!(built.delay(&context), secs(3));
}

#[test]
fn a_spec_reads_as_a_person_writes() {
    let rows: [(StrategySpec, &str); 12] = [
        (fixed(ZERO).spec(), "no delay"),
        (fixed(millis(1500)).spec(), "a fixed delay of 1.5 s"),
        (exponential().spec(), "exponential backoff from 250 ms up to 30 s, factor 2, full jitter"),
        (
            exponential().jitter(Jitter::None).factor(1.5).seed(7).spec(),
            "exponential backoff from 250 ms up to 30 s, factor 1.5, no jitter, seed 7",
        ),
        // The first ceiling, which is what a reader of "from" expects.
        (equal_jitter().spec(), "exponential backoff from 500 ms up to 30 s, factor 2, equal jitter"),
        (token_backoff().base(secs(16)).spec(), "exponential backoff from 20 s up to 20 s, factor 1.5, equal jitter"),
        (decorrelated_jitter().spec(), "decorrelated jitter from 250 ms up to 30 s"),
        (decorrelated_jitter().max(secs(120)).seed(1).spec(), "decorrelated jitter from 250 ms up to 2 min, seed 1"),
        (
            retry_after_or(fixed(secs(1))).seed(2).spec(),
            "the hint plus up to 250 ms, seed 2, else a fixed delay of 1 s",
        ),
        (retry_after_or(LINEAR).jitter(ZERO).spec(), "the hint, else custom"),
        (
            adaptive(decorrelated_jitter()).max_multiplier(2.5).spec(),
            "1 to 2.5 times as long while fewer than 0.9 of the attempts within 1 min succeed: \
             decorrelated jitter from 250 ms up to 30 s",
        ),
        (StrategySpec::Custom, "custom"),
    ];
    for (spec, text) in rows {
        assert_eq!(spec.to_string(), text);
    }
}

#[test]
fn durations_read_in_the_unit_a_person_would_choose() {
    let nanos = Duration::from_nanos;
    let rows = [
        (nanos(1), "1 ns"),
        (nanos(999), "999 ns"),
        (nanos(1_500), "1.5 µs"),
        (nanos(999_999), "999.999 µs"),
        (nanos(1_000_000), "1 ms"),
        (nanos(562_500_000), "562.5 ms"),
        (nanos(1_234_567), "1.235 ms"),
        // What rounds up to the next unit is written in it.
        (nanos(999_999_600), "1 s"),
        (millis(1_050), "1.05 s"),
        (nanos(59_999_400_000), "59.999 s"),
        (nanos(59_999_500_000), "1 min"),
        (secs(90), "1 min 30 s"),
        (secs(120), "2 min"),
        (millis(119_500), "2 min"),
        (secs(3_599), "59 min 59 s"),
        (secs(3_600), "1 h"),
        (secs(5_400 + 29), "1 h 30 min"),
        (secs(86_399), "1 d"),
        (secs(85_200), "23 h 40 min"),
        (secs(100_800), "1 d 4 h"),
        (Duration::MAX, "213503982334601 d 7 h"),
    ];
    for (delay, text) in rows {
        assert_eq!(fixed(delay).spec().to_string(), format!("a fixed delay of {text}"));
    }
}
