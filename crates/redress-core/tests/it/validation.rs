//! Errors and warnings of `build()`: field, value and rule of each.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use redress_core::breaker::{CircuitBreakerBuilder, Trial};
use redress_core::driver::NoTimer;
use redress_core::error::ConfigIssue;
use redress_core::policy::{PolicyBuilder, RetryBuilder};
use redress_core::strategy::{BackoffContext, Strategy, adaptive, equal_jitter, token_backoff};
use redress_core::{
    AsyncPolicy, Budget, CircuitBreaker, ConfigError, ErrorClass, Policy, Retry, decorrelated_jitter, exponential,
    fixed, retry_after_or,
};

use crate::lab::{TICK, secs};

/// Field, value and rule.
type Row<'r> = (&'r str, &'static str, &'static str);

const ZERO: Duration = Duration::ZERO;
/// The longest duration that can be counted in 64 bits of nanoseconds.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

const NOT_ZERO: &str = "be longer than zero";
const NOT_TOO_LONG: &str = "be at most 584 years, the span of 2^64 nanoseconds";
const LONGEST_AND_ONE: &str = "213504 d";
const CAP: &str = "be at most 65534; leave it out for no cap";
const AT_LEAST_1: &str = "be at least 1";
const MEMORY: &str = "be at most 16777216 (128 MiB of window)";
const AT_LEAST_BASE: &str = "be at least the base";
const UNBOUNDED: Row<'_> = (
    "policy.attempt_timeout",
    "nothing",
    "be set, or a deadline: without either, a hanging attempt is never reported to the breaker",
);

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(ZERO))
}

fn breaker() -> CircuitBreakerBuilder {
    CircuitBreaker::builder()
}

#[track_caller]
fn check(issues: &[ConfigIssue], expected: &[Row]) {
    let expected: Vec<_> =
        expected.iter().map(|(field, value, rule)| format!("{field} = {value} must {rule}")).collect();
    assert_eq!(issues.iter().map(ConfigIssue::to_string).collect::<Vec<_>>(), expected);
}

#[track_caller]
fn check_refused<P>(built: Result<P, ConfigError>, expected: &[Row]) {
    match built {
        Err(refused) => check(refused.issues(), expected),
        Ok(_) => assert!(expected.is_empty(), "it was not refused: {expected:?}"),
    }
}

/// The issues that each way to build a policy reports about this component.
#[track_caller]
fn check_retry(retry: impl Fn() -> RetryBuilder, expected: &[Row]) {
    check_refused(retry().build(), expected);
    check_refused(Policy::builder().retry(retry()).build(), expected);
    check_refused(AsyncPolicy::<_, NoTimer>::builder().retry(retry()).build(), expected);
}

#[test]
fn every_rule_of_the_retry_component() {
    type Make = fn() -> RetryBuilder;
    let rows: [(Make, &[Row]); 11] = [
        (|| retry().max_attempts(0), &[("retry.max_attempts", "0", AT_LEAST_1)]),
        (|| retry().max_attempts(1), &[]),
        (|| retry().max_attempts(u32::MAX), &[]),
        (
            || retry().max_retries_for(ErrorClass::Transient, 65_535),
            &[("retry.max_retries_for(TRANSIENT)", "65535", CAP)],
        ),
        (|| retry().max_retries_for(ErrorClass::Transient, 65_534), &[]),
        (|| retry().max_retries_for(ErrorClass::Transient, 0), &[]),
        (|| retry().max_unknown_retries(65_535), &[("retry.max_unknown_retries", "65535", CAP)]),
        (|| retry().max_unknown_retries(65_534), &[]),
        (|| retry().max_unknown_retries(65_535).unlimited_unknown_retries(), &[]),
        (Retry::builder, &[]),
        (|| Retry::builder().strategy_for(ErrorClass::RateLimit, fixed(ZERO)), &[]),
    ];
    for (make, expected) in rows {
        check_retry(make, expected);
    }
}

#[test]
fn every_rule_of_the_strategies() {
    const WINDOW: Row = ("adaptive.window", "0 s", NOT_ZERO);
    const SHARE: &str = "be above 0 and at most 1";
    const SMALLEST: &str = "be a number of at least 1";
    const LARGEST: &str = "be a number of at least the smallest multiplier";
    type Make = fn() -> Arc<dyn Strategy>;
    let one = || fixed(secs(1));
    assert!(one().issues().is_empty());
    let rows: [(Make, &[Row]); 42] = [
        (|| Arc::new(decorrelated_jitter().base(ZERO)), &[("decorrelated_jitter.base", "0 s", NOT_ZERO)]),
        (|| Arc::new(decorrelated_jitter().base(secs(31))), &[("decorrelated_jitter.max", "30 s", AT_LEAST_BASE)]),
        (
            || Arc::new(decorrelated_jitter().max(LONGEST + TICK)),
            &[("decorrelated_jitter.max", LONGEST_AND_ONE, NOT_TOO_LONG)],
        ),
        (
            || Arc::new(decorrelated_jitter().base(LONGEST + TICK).max(LONGEST + TICK)),
            &[
                ("decorrelated_jitter.base", LONGEST_AND_ONE, NOT_TOO_LONG),
                ("decorrelated_jitter.max", LONGEST_AND_ONE, NOT_TOO_LONG),
            ],
        ),
        (
            || Arc::new(decorrelated_jitter().max(ZERO)),
            &[("decorrelated_jitter.max", "0 s", NOT_ZERO), ("decorrelated_jitter.max", "0 s", AT_LEAST_BASE)],
        ),
        (|| Arc::new(decorrelated_jitter().base(LONGEST).max(LONGEST)), &[]),
        (|| Arc::new(equal_jitter().base(ZERO)), &[("exponential.base", "0 s", NOT_ZERO)]),
        (|| Arc::new(equal_jitter().base(secs(31))), &[("exponential.max", "30 s", AT_LEAST_BASE)]),
        (|| Arc::new(equal_jitter().max(LONGEST + TICK)), &[("exponential.max", LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| Arc::new(equal_jitter().base(secs(30)).max(secs(30))), &[]),
        (|| Arc::new(token_backoff().base(ZERO)), &[("exponential.base", "0 s", NOT_ZERO)]),
        (|| Arc::new(token_backoff().base(secs(21))), &[("exponential.max", "20 s", AT_LEAST_BASE)]),
        (|| Arc::new(token_backoff().max(LONGEST + TICK)), &[("exponential.max", LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| Arc::new(token_backoff().base(secs(20))), &[]),
        (|| Arc::new(exponential()), &[]),
        (
            || Arc::new(exponential().base(ZERO).max(ZERO).factor(0.5)),
            &[
                ("exponential.base", "0 s", NOT_ZERO),
                ("exponential.max", "0 s", NOT_ZERO),
                ("exponential.factor", "0.5", SMALLEST),
            ],
        ),
        (|| Arc::new(exponential().factor(1.0).first_power(u32::MAX)), &[]),
        (|| Arc::new(exponential().factor(f64::MAX)), &[]),
        (|| Arc::new(exponential().factor(-2.0)), &[("exponential.factor", "-2.0", SMALLEST)]),
        (|| Arc::new(exponential().factor(f64::NAN)), &[("exponential.factor", "NaN", SMALLEST)]),
        (|| Arc::new(exponential().factor(f64::INFINITY)), &[("exponential.factor", "inf", SMALLEST)]),
        (|| Arc::new(fixed(ZERO)), &[]),
        (|| Arc::new(fixed(LONGEST)), &[]),
        (|| Arc::new(fixed(LONGEST + TICK)), &[("fixed", LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| Arc::new(retry_after_or(fixed(ZERO)).jitter(LONGEST)), &[]),
        (
            || Arc::new(retry_after_or(fixed(ZERO)).jitter(LONGEST + TICK)),
            &[("retry_after_or.jitter", LONGEST_AND_ONE, NOT_TOO_LONG)],
        ),
        (|| Arc::new(retry_after_or(fixed(ZERO)).jitter(ZERO)), &[]),
        (|| Arc::new(adaptive(fixed(ZERO)).window(ZERO)), &[WINDOW]),
        (
            || Arc::new(adaptive(fixed(ZERO)).window(LONGEST + TICK)),
            &[("adaptive.window", LONGEST_AND_ONE, NOT_TOO_LONG)],
        ),
        (|| Arc::new(adaptive(fixed(ZERO)).target_success(0.0)), &[("adaptive.target_success", "0.0", SHARE)]),
        (|| Arc::new(adaptive(fixed(ZERO)).target_success(1.5)), &[("adaptive.target_success", "1.5", SHARE)]),
        (|| Arc::new(adaptive(fixed(ZERO)).target_success(f64::NAN)), &[("adaptive.target_success", "NaN", SHARE)]),
        (|| Arc::new(adaptive(fixed(ZERO)).target_success(1.0)), &[]),
        (|| Arc::new(adaptive(fixed(ZERO)).min_multiplier(0.5)), &[("adaptive.min_multiplier", "0.5", SMALLEST)]),
        (
            || Arc::new(adaptive(fixed(ZERO)).min_multiplier(f64::INFINITY)),
            &[("adaptive.min_multiplier", "inf", SMALLEST), ("adaptive.max_multiplier", "5.0", LARGEST)],
        ),
        (|| Arc::new(adaptive(fixed(ZERO)).min_multiplier(6.0)), &[("adaptive.max_multiplier", "5.0", LARGEST)]),
        (|| Arc::new(adaptive(fixed(ZERO)).max_multiplier(f64::NAN)), &[("adaptive.max_multiplier", "NaN", LARGEST)]),
        (
            || Arc::new(adaptive(fixed(ZERO)).max_multiplier(f64::INFINITY)),
            &[("adaptive.max_multiplier", "inf", LARGEST)],
        ),
        (|| Arc::new(adaptive(fixed(ZERO)).min_multiplier(5.0)), &[]),
        // Wrapped strategies are checked too.
        (|| Arc::new(retry_after_or(adaptive(fixed(ZERO)).window(ZERO))), &[WINDOW]),
        (|| Arc::new(adaptive(retry_after_or(fixed(ZERO))).window(ZERO)), &[WINDOW]),
        (|| Arc::new(|_: &BackoffContext<'_>| ZERO), &[]),
    ];
    for (make, expected) in rows {
        check(&make().issues(), expected);
        check_retry(|| Retry::builder().strategy(make()), expected);
        let fields: Vec<_> = expected.iter().map(|(field, ..)| format!("{field}(RATE_LIMIT)")).collect();
        let of_class: Vec<Row> = fields.iter().zip(expected).map(|(field, row)| (&**field, row.1, row.2)).collect();
        check_retry(|| retry().strategy_for(ErrorClass::RateLimit, make()), &of_class);
    }
}

#[test]
fn every_rule_of_the_circuit_breaker() {
    const THRESHOLD: &str = "circuit_breaker.failure_threshold";
    const OWN: &str = "circuit_breaker.class_threshold(AUTH)";
    const WINDOW: &str = "circuit_breaker.window";
    const RECOVERY: &str = "circuit_breaker.recovery_timeout";
    const LEASE: &str = "circuit_breaker.probe_lease";
    type Make = fn() -> CircuitBreakerBuilder;
    let rows: [(Make, &[Row]); 19] = [
        (breaker, &[]),
        (|| breaker().failure_threshold(0), &[(THRESHOLD, "0", AT_LEAST_1)]),
        (|| breaker().failure_threshold(1), &[]),
        (|| breaker().failure_threshold(16_777_217), &[(THRESHOLD, "16777217", MEMORY)]),
        (|| breaker().failure_threshold(16_777_216), &[]),
        (|| breaker().class_threshold(ErrorClass::Auth, 0), &[(OWN, "0", AT_LEAST_1)]),
        (|| breaker().class_threshold(ErrorClass::Auth, 16_777_217), &[(OWN, "16777217", MEMORY)]),
        (|| breaker().class_threshold(ErrorClass::Auth, 1), &[]),
        (|| breaker().window(ZERO), &[(WINDOW, "0 s", NOT_ZERO)]),
        (|| breaker().window(LONGEST + TICK), &[(WINDOW, LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| breaker().window(LONGEST), &[]),
        (|| breaker().recovery_timeout(ZERO), &[(RECOVERY, "0 s", NOT_ZERO)]),
        (|| breaker().recovery_timeout(LONGEST + TICK), &[(RECOVERY, LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| breaker().probe_lease(ZERO), &[(LEASE, "0 s", NOT_ZERO)]),
        (|| breaker().probe_lease(LONGEST + TICK), &[(LEASE, LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| breaker().probe_lease(LONGEST), &[]),
        (|| breaker().probe_lease(TICK), &[]),
        (|| breaker().probe_lease(ZERO).no_probe_lease(), &[]),
        (
            || breaker().failure_threshold(0).class_threshold(ErrorClass::Auth, 0).window(ZERO),
            &[(THRESHOLD, "0", AT_LEAST_1), (WINDOW, "0 s", NOT_ZERO), (OWN, "0", AT_LEAST_1)],
        ),
    ];
    for (make, expected) in rows {
        check_refused(make().build(), expected);
        check_refused(Policy::builder().circuit_breaker(make()).attempt_timeout(LONGEST).build(), expected);
        check_refused(AsyncPolicy::<_, NoTimer>::builder().circuit_breaker(make()).deadline(LONGEST).build(), expected);
    }
}

#[test]
fn every_rule_of_the_budget() {
    let rows: [(u32, Duration, &[Row]); 6] = [
        (0, secs(1), &[]),
        (16_777_216, LONGEST, &[]),
        (16_777_217, secs(1), &[("budget.max_retries", "16777217", MEMORY)]),
        (1, ZERO, &[("budget.window", "0 s", NOT_ZERO)]),
        (1, LONGEST + TICK, &[("budget.window", LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (16_777_217, ZERO, &[("budget.max_retries", "16777217", MEMORY), ("budget.window", "0 s", NOT_ZERO)]),
    ];
    for (max_retries, window, expected) in rows {
        check_refused(Budget::new(max_retries, window), expected);
        check_refused(Budget::with_clock(max_retries, window, std::time::Instant::now), expected);
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let retry = || {
        Retry::builder()
            .max_attempts(0)
            .max_retries_for(ErrorClass::Transient, 70_000)
            .max_unknown_retries(80_000)
            .strategy_for(ErrorClass::RateLimit, equal_jitter().base(ZERO))
    };
    let breaker = || breaker().failure_threshold(0).recovery_timeout(ZERO);
    let expected = [
        ("retry.max_attempts", "0", AT_LEAST_1),
        ("retry.max_retries_for(TRANSIENT)", "70000", CAP),
        ("retry.max_unknown_retries", "80000", CAP),
        ("exponential.base(RATE_LIMIT)", "0 s", NOT_ZERO),
        ("policy.deadline", "0 s", NOT_ZERO),
        ("policy.attempt_timeout", "0 s", NOT_ZERO),
        ("circuit_breaker.failure_threshold", "0", AT_LEAST_1),
        ("circuit_breaker.recovery_timeout", "0 s", NOT_ZERO),
    ];
    let blocking = Policy::builder().retry(retry()).circuit_breaker(breaker());
    check_refused(blocking.deadline(ZERO).attempt_timeout(ZERO).build(), &expected);
    let asynchronous = AsyncPolicy::<_, NoTimer>::builder().retry(retry()).circuit_breaker(breaker());
    check_refused(asynchronous.deadline(ZERO).attempt_timeout(ZERO).build(), &expected);
}

#[test]
fn a_refusal_is_an_error_that_says_everything() {
    let refused = Retry::builder().max_attempts(0).max_retry_after(ZERO).build().expect_err("it is refused");
    let [attempts, hint] = refused.issues() else { panic!("two issues: {refused}") };
    assert_eq!(attempts.to_string(), "retry.max_attempts = 0 must be at least 1");
    assert_eq!(refused.to_string(), format!("invalid configuration: {attempts}; {hint}"));
    assert!(Error::source(&refused).is_none());
    assert_eq!(*attempts, ConfigIssue::new("retry.max_attempts", 0, AT_LEAST_1));
}

#[test]
fn every_oddity_of_the_retry_component_is_warned_of() {
    const NEVER_BINDS: &str = "be below the retries that max_attempts allows, or it never binds";
    const NEVER_RETRIED: &str = "be left out for a class that is never retried";
    type Make = fn() -> RetryBuilder;
    let rows: [(Make, &[Row]); 20] = [
        (retry, &[]),
        (|| retry().max_attempts(1), &[]),
        (
            || retry().max_attempts(4).max_retries_for(ErrorClass::RateLimit, 3),
            &[("retry.max_retries_for(RATE_LIMIT)", "3", NEVER_BINDS)],
        ),
        (|| retry().max_attempts(4).max_retries_for(ErrorClass::RateLimit, 2), &[]),
        (|| retry().max_attempts(1).max_retries_for(ErrorClass::RateLimit, 0), &[]),
        (|| retry().max_retries_for(ErrorClass::Auth, 1), &[("retry.max_retries_for(AUTH)", "1", NEVER_RETRIED)]),
        (
            || retry().max_retries_for(ErrorClass::Permission, 9),
            &[("retry.max_retries_for(PERMISSION)", "9", NEVER_RETRIED)],
        ),
        (|| retry().max_retries_for(ErrorClass::Permanent, 0), &[]),
        (|| retry().max_attempts(4).max_unknown_retries(3), &[("retry.max_unknown_retries", "3", NEVER_BINDS)]),
        (|| retry().max_attempts(5).max_unknown_retries(3), &[]),
        (|| retry().max_attempts(1).max_unknown_retries(0), &[]),
        // The default cap was not set by the user.
        (|| retry().max_attempts(2), &[]),
        (|| retry().max_attempts(3), &[]),
        (|| retry().unlimited_unknown_retries(), &[]),
        (
            || retry().max_retries_for(ErrorClass::Unknown, 5),
            &[
                ("retry.max_retries_for(UNKNOWN)", "5", NEVER_BINDS),
                ("retry.max_retries_for(UNKNOWN)", "5", "be at most max_unknown_retries, which ends the call first"),
            ],
        ),
        (
            || retry().max_retries_for(ErrorClass::Unknown, 1).max_unknown_retries(4),
            &[("retry.max_unknown_retries", "4", "be below max_retries_for(UNKNOWN), which ends the call first")],
        ),
        (
            || retry().max_retries_for(ErrorClass::Unknown, 1).max_unknown_retries(1),
            &[("retry.max_unknown_retries", "1", "be below max_retries_for(UNKNOWN), which ends the call first")],
        ),
        (
            || retry().max_retries_for(ErrorClass::Unknown, 3).max_unknown_retries(1),
            &[("retry.max_retries_for(UNKNOWN)", "3", "be at most max_unknown_retries, which ends the call first")],
        ),
        (|| retry().max_retries_for(ErrorClass::Unknown, 2), &[]),
        (
            || {
                let odd = retry().max_attempts(2).max_unknown_retries(7);
                odd.max_retries_for(ErrorClass::Auth, 1).max_retries_for(ErrorClass::Transient, 1)
            },
            &[
                ("retry.max_retries_for(AUTH)", "1", NEVER_RETRIED),
                ("retry.max_retries_for(TRANSIENT)", "1", NEVER_BINDS),
                ("retry.max_unknown_retries", "7", NEVER_BINDS),
            ],
        ),
    ];
    for (make, expected) in rows {
        check(Policy::builder().retry(make()).build().expect("valid").warnings(), expected);
        check(AsyncPolicy::<_, NoTimer>::builder().retry(make()).build().expect("valid").warnings(), expected);
        check(Policy::from(make().build().expect("valid")).warnings(), expected);
    }
}

#[test]
fn every_rule_of_a_breakers_other_rules_and_of_its_recovery() {
    const SHARE: Row = ("circuit_breaker.failure_ratio", "", "be between 0.000001 and 1");
    const LENGTH: &str = "circuit_breaker.ramp.length";
    const FROM: &str = "circuit_breaker.ramp.from";
    const FACTOR: &str = "circuit_breaker.recovery_growth.factor";
    const MAX: &str = "circuit_breaker.recovery_growth.max";
    const JITTER: (&str, &str) = ("circuit_breaker.recovery_jitter", "be between 0 and 1");
    const AT_MOST_1000: &str = "be between 1 and 1000";
    type Make = fn() -> CircuitBreakerBuilder;
    let trial = |trial| breaker().trial(trial);
    let ratio = |share| breaker().failure_ratio(share).build();
    for (share, value) in [(0.0, "0.0"), (0.000_000_9, "9e-7"), (1.000_001, "1.000001"), (f64::NAN, "NaN")] {
        check_refused(ratio(share), &[(SHARE.0, value, SHARE.2)]);
    }
    for share in [0.000_001, 0.5, 1.0] {
        check_refused(ratio(share), &[]);
    }
    for (jitter, value) in [(-0.1, "-0.1"), (1.1, "1.1"), (f64::NAN, "NaN")] {
        check_refused(breaker().recovery_jitter(jitter).build(), &[(JITTER.0, value, JITTER.1)]);
    }
    for (part, refused) in [
        (Trial::new().places(0), "circuit_breaker.trial.places"),
        (Trial::new().passes(0), "circuit_breaker.trial.passes"),
    ] {
        check_refused(trial(part).build(), &[(refused, "0", AT_LEAST_1)]);
    }
    let rows: [(Make, &[Row]); 16] = [
        (|| breaker().min_calls(0), &[("circuit_breaker.min_calls", "0", AT_LEAST_1)]),
        (|| breaker().consecutive_failures(0), &[("circuit_breaker.consecutive_failures", "0", AT_LEAST_1)]),
        (|| breaker().consecutive_failures(1).min_calls(1), &[]),
        (
            || breaker().failure_ratio(0.5).window(31 * TICK),
            &[("circuit_breaker.window", "31 ns", "be at least 32 ns, for sixteen slices")],
        ),
        (|| breaker().failure_ratio(0.5).window(32 * TICK), &[]),
        (|| breaker().slow_call(ZERO), &[("circuit_breaker.slow_call", "0 s", NOT_ZERO)]),
        (|| breaker().open_on_retry_after(ZERO), &[("circuit_breaker.open_on_retry_after", "0 s", NOT_ZERO)]),
        (|| breaker().honour_retry_after(ZERO), &[("circuit_breaker.honour_retry_after", "0 s", NOT_ZERO)]),
        (|| breaker().recovery_growth(0.9, LONGEST), &[(FACTOR, "0.9", AT_MOST_1000)]),
        (|| breaker().recovery_growth(1_000.1, LONGEST), &[(FACTOR, "1000.1", AT_MOST_1000)]),
        (|| breaker().recovery_growth(1.0, LONGEST), &[]),
        (
            || breaker().recovery_timeout(2 * TICK).recovery_growth(2.0, TICK),
            &[(MAX, "1 ns", "be at least the recovery timeout")],
        ),
        (|| breaker().recovery_timeout(TICK).recovery_growth(1_000.0, TICK).recovery_jitter(1.0), &[]),
        (|| breaker().recovery_growth(2.0, LONGEST + TICK), &[(MAX, LONGEST_AND_ONE, NOT_TOO_LONG)]),
        (|| breaker().ramp(ZERO, 1.5), &[(LENGTH, "0 s", NOT_ZERO), (FROM, "1.5", "be between 0 and 1")]),
        (|| breaker().ramp(TICK, 0.0), &[]),
    ];
    for (make, expected) in rows {
        check_refused(make().build(), expected);
    }
}

#[test]
fn every_oddity_of_the_circuit_breaker_is_warned_of() {
    const NEVER_OPENS: Row =
        ("circuit_breaker.trip_on", "an empty list", "name a class, or the circuit can never open");
    const NO_USE: &str = "be left out when every class that trips has a separate threshold: nothing counts towards it";
    type Make = fn() -> CircuitBreakerBuilder;
    let rows: [(Make, &[Row]); 8] = [
        (breaker, &[]),
        (|| breaker().trip_on([]), &[NEVER_OPENS]),
        (|| breaker().trip_on([]).slow_call(TICK), &[]),
        (|| breaker().trip_on([]).open_on_retry_after(TICK), &[]),
        (|| breaker().trip_on([]).class_threshold(ErrorClass::RateLimit, 3), &[]),
        (|| breaker().class_threshold(ErrorClass::Transient, 3), &[]),
        (
            || breaker().trip_on([ErrorClass::RateLimit]).class_threshold(ErrorClass::RateLimit, 3),
            &[("circuit_breaker.failure_threshold", "5", NO_USE)],
        ),
        (
            || {
                let each = breaker().failure_threshold(9).class_threshold(ErrorClass::Transient, 3);
                each.class_threshold(ErrorClass::ServerError, 3)
            },
            &[("circuit_breaker.failure_threshold", "9", NO_USE)],
        ),
    ];
    for (make, expected) in rows {
        let built = make().build().expect("valid");
        check(&built.warnings(), expected);
        check(Policy::builder().circuit_breaker(&built).deadline(LONGEST).build().expect("valid").warnings(), expected);
        check(
            Policy::builder().circuit_breaker(make()).attempt_timeout(LONGEST).build().expect("valid").warnings(),
            expected,
        );
        let asynchronous = AsyncPolicy::<_, NoTimer>::builder().circuit_breaker(make()).deadline(LONGEST).build();
        check(asynchronous.expect("valid").warnings(), expected);
    }
}

#[test]
fn a_policy_warns_of_all_its_parts() {
    let policy = Policy::builder()
        .retry(retry().max_retries_for(ErrorClass::Auth, 1))
        .circuit_breaker(breaker().trip_on([]))
        .build()
        .expect("valid");
    let fields: Vec<_> = policy.warnings().iter().map(ConfigIssue::field).collect();
    assert_eq!(fields, ["retry.max_retries_for", "circuit_breaker.trip_on"]);
}

#[test]
fn a_breaker_without_any_bound_on_its_attempts_is_warned_of() {
    let guarded = || Policy::builder().circuit_breaker(breaker());
    check(guarded().build().expect("valid").warnings(), &[UNBOUNDED]);
    check(guarded().retry(retry()).no_deadline().build().expect("valid").warnings(), &[UNBOUNDED]);
    check(guarded().retry(retry()).no_deadline().build().expect("valid").warnings(), &[UNBOUNDED]);
    check(guarded().retry(retry()).build().expect("valid").warnings(), &[]);
}

#[test]
fn a_policy_checks_its_own_time_limits() {
    check_refused(Policy::builder().deadline(ZERO).build(), &[("policy.deadline", "0 s", NOT_ZERO)]);
    check_refused(Policy::builder().deadline(ZERO).no_deadline().build(), &[]);
    check_refused(Policy::builder().attempt_timeout(ZERO).build(), &[("policy.attempt_timeout", "0 s", NOT_ZERO)]);
    let too_long = LONGEST + TICK;
    let rows =
        [("policy.deadline", LONGEST_AND_ONE, NOT_TOO_LONG), ("policy.attempt_timeout", LONGEST_AND_ONE, NOT_TOO_LONG)];
    let timed = Policy::builder().deadline(too_long).attempt_timeout(too_long);
    check_refused(timed.build(), &rows);
    check_refused(Policy::builder().deadline(LONGEST).attempt_timeout(LONGEST).build(), &[]);
}

#[test]
fn a_timeout_that_the_deadline_always_comes_before_is_warned_of() {
    const NEVER_CUTS: &str = "be shorter than the deadline to ever cut an attempt before it";
    let rows = [(secs(5), Some(secs(5)), true), (secs(5) - TICK, Some(secs(5)), false), (secs(999), None, false)];
    for (timeout, deadline, is_odd) in rows {
        let policy = Policy::builder().retry(retry()).attempt_timeout(timeout).no_deadline();
        let policy = deadline.into_iter().fold(policy, PolicyBuilder::deadline).build().expect("valid");
        let expected = [("policy.attempt_timeout", "5 s", NEVER_CUTS)];
        check(policy.warnings(), if is_odd { &expected } else { &[] });
    }
    check(
        Policy::builder().retry(retry()).attempt_timeout(secs(60)).build().expect("valid").warnings(),
        &[("policy.attempt_timeout", "1 min", NEVER_CUTS)],
    );
}
