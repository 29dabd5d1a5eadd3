//! The retry component: attempts, caps, strategies and budget, in every form of configuration.

use std::future::ready;
use std::time::Duration;

use redress_core::driver::InstantTimer;
use redress_core::policy::RetryBuilder;
use redress_core::strategy::BackoffContext;
use redress_core::{AsyncPolicy, Budget, Cause, ErrorClass, Policy, Retry, StopReason, fixed, retry_after_or};
use redress_testing::{DeterministicStrategy, VirtualClock};

use crate::lab::{
    Answer, Ended, Failed, GOOD, everywhere, failing, fails, ok_after, script, secs, stopped, succeeding,
    wherever_time_is_virtual,
};

/// Retries at once, as often as the caps under test allow.
fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO)).max_attempts(10)
}

const RETRYABLE: [ErrorClass; 4] =
    [ErrorClass::Concurrency, ErrorClass::RateLimit, ErrorClass::ServerError, ErrorClass::Transient];

#[test]
fn max_attempts_counts_the_first_attempt_too() {
    everywhere(|lab| {
        for attempts in 1..=4 {
            let policy = lab.retrying(retry().max_attempts(attempts));
            let ended = policy.run(&failing(ErrorClass::Transient));
            assert_eq!(ended, stopped(StopReason::MaxAttempts, attempts as usize));
        }
    });
}

#[test]
fn a_success_ends_the_call_at_any_attempt() {
    everywhere(|lab| {
        let policy = lab.retrying(retry().max_attempts(3));
        for failures in 0..3 {
            let steps = (0..failures).map(|_| fails(ErrorClass::Transient)).chain([GOOD]);
            assert_eq!(policy.run(&script(steps)), ok_after(failures + 1));
        }
    });
}

#[test]
fn every_call_starts_its_counts_afresh() {
    everywhere(|lab| {
        let policy = lab.retrying(retry().max_attempts(3).max_retries_for(ErrorClass::RateLimit, 1));
        for _ in 0..3 {
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
            assert_eq!(policy.run(&failing(ErrorClass::RateLimit)), stopped(StopReason::MaxAttemptsPerClass, 2));
        }
    });
}

#[test]
fn auth_permission_and_permanent_are_never_retried() {
    everywhere(|lab| {
        let policy = lab.retrying(retry());
        for class in [ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent] {
            assert_eq!(policy.run(&failing(class)), stopped(StopReason::NonRetryableClass, 1), "{class}");
            assert_eq!(policy.run(&script([Ok(Answer::Bad(class))])), stopped(StopReason::NonRetryableClass, 1));
        }
        for class in RETRYABLE {
            assert_eq!(policy.run(&failing(class)), stopped(StopReason::MaxAttempts, 10), "{class}");
        }
    });
}

/// Stands for redress-py's R8, limit wording: `max_unknown_attempts=2` allows three attempts. Here
/// the name says which of the two it counts.
#[test]
fn max_unknown_retries_counts_retries_of_unknown_alone() {
    everywhere(|lab| {
        for retries in [0, 1, 3] {
            let policy = lab.retrying(retry().max_unknown_retries(retries));
            let unknown = failing(ErrorClass::Unknown);
            assert_eq!(policy.run(&unknown), stopped(StopReason::MaxUnknownAttempts, retries as usize + 1));
            assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 10));
        }
        let mixed = [ErrorClass::Unknown, ErrorClass::Transient, ErrorClass::Transient, ErrorClass::Unknown];
        let policy = lab.retrying(retry().max_unknown_retries(1));
        assert_eq!(policy.run(&script(mixed.map(fails))), stopped(StopReason::MaxUnknownAttempts, 4));
    });
}

#[test]
fn unlimited_unknown_retries_leaves_the_attempts_as_the_limit() {
    everywhere(|lab| {
        let policy = lab.retrying(retry().max_unknown_retries(0).unlimited_unknown_retries());
        assert_eq!(policy.run(&failing(ErrorClass::Unknown)), stopped(StopReason::MaxAttempts, 10));
    });
}

#[test]
fn max_retries_for_a_class_stops_at_the_failure_after() {
    everywhere(|lab| {
        for class in RETRYABLE {
            for retries in [0, 1, 2] {
                let policy = lab.retrying(retry().max_retries_for(class, retries));
                let expected = stopped(StopReason::MaxAttemptsPerClass, retries as usize + 1);
                assert_eq!(policy.run(&failing(class)), expected, "{class}");
            }
        }
    });
}

#[test]
fn max_retries_for_a_class_counts_no_other() {
    everywhere(|lab| {
        let policy = lab.retrying(retry().max_retries_for(ErrorClass::RateLimit, 1));
        let alternating = [ErrorClass::Transient, ErrorClass::RateLimit, ErrorClass::Transient, ErrorClass::RateLimit];
        assert_eq!(policy.run(&script(alternating.map(fails))), stopped(StopReason::MaxAttemptsPerClass, 4));
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 10));
    });
}

#[test]
fn the_cap_of_a_class_is_looked_at_before_anything_else_about_it() {
    let capped = |class, retries| retry().max_retries_for(class, retries);
    let unknown = ErrorClass::Unknown;
    let rows = [
        (capped(ErrorClass::Auth, 0), ErrorClass::Auth, stopped(StopReason::MaxAttemptsPerClass, 1)),
        (capped(ErrorClass::Auth, 1), ErrorClass::Auth, stopped(StopReason::NonRetryableClass, 1)),
        (capped(unknown, 1).max_unknown_retries(1), unknown, stopped(StopReason::MaxAttemptsPerClass, 2)),
        (capped(unknown, 2).max_unknown_retries(1), unknown, stopped(StopReason::MaxUnknownAttempts, 2)),
        (capped(ErrorClass::Transient, 0).max_attempts(1), ErrorClass::Transient, {
            stopped(StopReason::MaxAttemptsPerClass, 1)
        }),
    ];
    let rows = rows.map(|(retry, class, expected)| (retry.build().expect("valid"), class, expected));
    everywhere(|lab| {
        for (retry, class, expected) in &rows {
            assert_eq!(lab.retrying(retry).run(&failing(*class)), *expected, "{retry:?}");
        }
    });
}

/// All gates refuse at first. Then they are opened one after the other.
#[test]
fn the_first_gate_that_refuses_names_the_reason() {
    everywhere(|lab| {
        let (late, unknown) = (secs(60), ErrorClass::Unknown);
        let with = |retry: RetryBuilder, takes, tokens| {
            let budget = Budget::new(tokens, secs(60)).expect("valid");
            let steps = script([]).after(&lab.clock, takes).err(Failed::Of(unknown)).ok(Answer::Good);
            lab.retrying(retry.budget(budget)).run(&steps)
        };
        let nothing = || Retry::builder().strategy_for(ErrorClass::RateLimit, fixed(late)).max_attempts(1);
        let no_unknown = || nothing().max_unknown_retries(0);
        let last = || nothing().strategy(fixed(late));
        let rows = [
            (no_unknown().max_retries_for(unknown, 0), late, 0, Some(StopReason::MaxAttemptsPerClass)),
            (no_unknown(), late, 0, Some(StopReason::MaxUnknownAttempts)),
            (nothing(), late, 0, Some(StopReason::DeadlineExceeded)), // it has passed
            (nothing(), Duration::ZERO, 0, Some(StopReason::NoStrategy)),
            (last(), Duration::ZERO, 0, Some(StopReason::MaxAttempts)),
            (last().max_attempts(2), Duration::ZERO, 0, Some(StopReason::DeadlineExceeded)), // the delay ends there
            (retry(), Duration::ZERO, 0, Some(StopReason::BudgetExhausted)),
            (retry(), Duration::ZERO, 1, None),
        ];
        for (retry, takes, tokens, reason) in rows {
            let attempts = if reason.is_some() { 1 } else { 2 };
            assert_eq!(with(retry, takes, tokens), Ended { reason, attempts });
        }
    });
}

#[test]
fn a_strategy_is_called_only_for_a_delay_that_can_happen() {
    everywhere(|lab| {
        let strategy = DeterministicStrategy::new([]);
        let policy = lab.retrying(Retry::builder().strategy(strategy.clone()).max_attempts(2));
        policy.run(&failing(ErrorClass::Transient));
        assert_eq!(strategy.calls().len(), 1, "not after the last attempt");
        strategy.reset();
        policy.run(&failing(ErrorClass::Auth));
        let steps = script([]).after(&lab.clock, secs(60)).err(Failed::Of(ErrorClass::Transient));
        assert_eq!(policy.run(&steps), stopped(StopReason::DeadlineExceeded, 1));
        assert_eq!(strategy.calls(), []);
    });
}

#[test]
fn each_class_waits_as_its_own_strategy_says() {
    wherever_time_is_virtual(|lab| {
        let retry = Retry::builder()
            .strategy_for(ErrorClass::RateLimit, fixed(secs(7)))
            .strategy(fixed(secs(1)))
            .strategy_for(ErrorClass::ServerError, fixed(secs(3)));
        let failures = [ErrorClass::RateLimit, ErrorClass::Transient, ErrorClass::ServerError, ErrorClass::Concurrency];
        let steps = script(failures.map(fails).into_iter().chain([GOOD]));
        assert_eq!(lab.retrying(retry).run(&steps), ok_after(5));
        assert_eq!(lab.clock.slept(), [7, 1, 3, 1].map(secs));
    });
}

#[test]
fn a_class_without_any_strategy_is_not_retried() {
    everywhere(|lab| {
        let retry = Retry::builder().strategy_for(ErrorClass::RateLimit, fixed(Duration::ZERO)).max_attempts(3);
        let policy = lab.retrying(retry);
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::NoStrategy, 1));
        assert_eq!(policy.run(&failing(ErrorClass::RateLimit)), stopped(StopReason::MaxAttempts, 3));
    });
}

/// tower-resilience: its backoff never sees the error, so a hint of the server is never used.
#[test]
fn a_strategy_receives_the_whole_failure() {
    wherever_time_is_virtual(|lab| {
        let strategy = DeterministicStrategy::new([secs(2), secs(3)]);
        let policy = lab.policy().retry(Retry::builder().strategy(strategy.clone())).deadline(secs(30)).build();
        let origin = lab.clock.now();
        let steps = script([]).after(&lab.clock, secs(1)).err(Failed::Hinted(ErrorClass::RateLimit, secs(9)));
        let steps = steps.after(&lab.clock, secs(4)).ok(Answer::Bad(ErrorClass::ServerError)).ok(Answer::Good);
        assert_eq!(policy.run(&steps), ok_after(3));

        let [first, second] = &strategy.calls()[..] else { panic!("one question a failure") };
        assert_eq!((first.attempt, second.attempt), (1, 2));
        assert_eq!((first.class(), second.class()), (ErrorClass::RateLimit, ErrorClass::ServerError));
        assert_eq!(first.classification.retry_after(), Some(secs(9)));
        assert_eq!((first.prev_delay, second.prev_delay), (None, Some(secs(2))));
        assert_eq!((first.remaining, second.remaining), (Some(secs(29)), Some(secs(16))));
        assert_eq!((first.cause, second.cause), (Cause::Error, Cause::Result));
        assert_eq!((first.now, second.now), (origin + secs(1), origin + secs(14)));
    });
}

#[test]
fn without_a_deadline_a_strategy_sees_no_time_left() {
    everywhere(|lab| {
        let strategy = DeterministicStrategy::new([]);
        let policy = lab.policy().retry(Retry::builder().strategy(strategy.clone())).no_deadline().build();
        assert_eq!(policy.run(&script([fails(ErrorClass::Transient), GOOD])), ok_after(2));
        assert_eq!(strategy.calls()[0].remaining, None);
    });
}

#[test]
fn a_hint_that_is_too_long_is_shortened_for_every_strategy() {
    let strategies: [fn() -> RetryBuilder; 3] = [
        || Retry::builder().strategy(fixed(secs(1))),
        || Retry::builder().strategy(retry_after_or(fixed(secs(1))).jitter(Duration::ZERO)),
        || {
            Retry::builder()
                .strategy(|context: &BackoffContext<'_>| context.classification.retry_after().expect("told"))
        },
    ];
    for (index, retry) in strategies.into_iter().enumerate() {
        wherever_time_is_virtual(|lab| {
            let asks = |seconds| Err(Failed::Hinted(ErrorClass::RateLimit, secs(seconds)));
            let policy = lab.retrying(retry().max_retry_after(secs(5)));
            assert_eq!(policy.run(&script([asks(4), asks(5), asks(600), GOOD])), ok_after(4));
            assert_eq!(lab.clock.slept(), [secs(4), secs(5), secs(5)], "strategy {index}");
            let ignoring = lab.retrying(retry().max_retry_after(secs(5)).ignore_retry_after());
            assert_eq!(ignoring.run(&script([asks(600), GOOD])), ok_after(2));
            let waited = lab.clock.slept()[3];
            assert_eq!(waited, if index == 0 { secs(1) } else { secs(5) }, "strategy {index}");
        });
    }
}

/// aws-sdk-go-v2 3550: the bucket never refilled. failsafe-go 141: a budget that had run out killed
/// the original call.
#[test]
fn the_budget_pays_for_retries_and_not_for_first_attempts() {
    everywhere(|lab| {
        let budget = Budget::new(3, secs(60)).expect("valid");
        let policy = lab.retrying(retry().max_attempts(3).budget(budget.clone()));
        let failing = failing(ErrorClass::Transient);
        assert_eq!(policy.run(&failing), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(policy.run(&failing), stopped(StopReason::BudgetExhausted, 2));
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        assert_eq!(policy.run(&failing), stopped(StopReason::BudgetExhausted, 1));
        lab.clock.advance(secs(60));
        assert_eq!(policy.run(&failing), stopped(StopReason::MaxAttempts, 3));
    });
}

#[test]
fn the_defaults_are_the_documented_ones() {
    everywhere(|lab| {
        let strategy = DeterministicStrategy::new([]);
        let policy = lab.retrying(Retry::builder().strategy(strategy.clone()));
        assert_eq!(policy.run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 6));
        assert_eq!(policy.run(&failing(ErrorClass::Unknown)), stopped(StopReason::MaxUnknownAttempts, 3));
        assert_eq!(strategy.calls()[0].remaining, Some(secs(60)));
    });
}

#[test]
fn a_builder_takes_up_where_a_built_component_ended() {
    everywhere(|lab| {
        let built = retry().max_attempts(2).build().expect("valid");
        let more = RetryBuilder::from(&built).max_attempts(3);
        assert_eq!(lab.retrying(more).run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 3));
        assert_eq!(lab.retrying(built).run(&failing(ErrorClass::Transient)), stopped(StopReason::MaxAttempts, 2));
    });
}

/// The results of this operation through each shorthand for a policy.
fn attempts_until_it_stops(run: impl FnOnce(&mut dyn FnMut() -> Result<(), Failed>) -> StopReason) -> Ended {
    let mut attempts = 0;
    let reason = run(&mut || {
        attempts += 1;
        Err(Failed::Of(ErrorClass::Transient))
    });
    stopped(reason, attempts)
}

#[test]
fn a_built_component_is_a_policy() {
    let built = || retry().max_unknown_retries(1).build().expect("valid");
    // The default classifier does not know this error.
    let unknown = stopped(StopReason::MaxUnknownAttempts, 2);
    let policy = Policy::from(built());
    let ended = attempts_until_it_stops(|operation| policy.call(operation).expect_err("it fails").stop_reason());
    assert_eq!(ended, unknown);

    let policy = AsyncPolicy::<_, InstantTimer>::from(built());
    let ended = attempts_until_it_stops(|operation| {
        let call = policy.call(|| ready(operation()));
        VirtualClock::new().block_on(call).expect_err("it fails").stop_reason()
    });
    assert_eq!(ended, unknown);
}

#[test]
fn a_policy_without_retry_makes_one_attempt() {
    everywhere(|lab| {
        let policy = lab.policy().build();
        for &class in ErrorClass::ALL {
            let reason = if class.is_retryable() { StopReason::MaxAttempts } else { StopReason::NonRetryableClass };
            assert_eq!(policy.run(&failing(class)), stopped(reason, 1), "{class}");
        }
        assert_eq!(policy.run(&succeeding()), ok_after(1));
        let slow = script([]).after(&lab.clock, secs(86_400)).err(Failed::Of(ErrorClass::Transient));
        assert_eq!(policy.run(&slow), stopped(StopReason::MaxAttempts, 1), "there is no deadline");
        policy.run_with(|attempt| {
            assert_eq!((attempt.number(), attempt.time_left()), (1, None));
            GOOD
        });
    });
}
