//! Defects of other retrying HTTP clients, each with a test that redress does not have it. The
//! tests run a policy in virtual time on responses as a client would return them.

use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Response};
use redress_core::driver::NoTimer;
use redress_core::error::RateLimitError;
use redress_core::policy::RetryBuilder;
use redress_core::{AsyncPolicy, Policy, Retry, RetryOutcome, StopReason, fixed, retry_after_or};
use redress_http::{HttpRetryAfterClassifier, IdempotencyGuard, http_retry_after_classifier};
use redress_testing::{Script, VirtualClock};

type Answer = Response<()>;

const FALLBACK: Duration = Duration::from_secs(2);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn answer(status: u16, retry_after: Option<&str>) -> Answer {
    let response = Response::builder().status(status);
    let response = match retry_after {
        Some(value) => response.header("Retry-After", value),
        None => response,
    };
    response.body(()).expect("a valid response")
}

fn retry() -> RetryBuilder {
    Retry::builder().strategy(retry_after_or(fixed(FALLBACK)).jitter(Duration::ZERO)).max_attempts(3)
}

/// How a call ended, and its waits.
type Ended = (Option<StopReason>, u32, Vec<Duration>);

fn ended(outcome: &RetryOutcome<Answer, io::Error>, clock: &VirtualClock) -> Ended {
    (outcome.stop_reason(), outcome.attempts(), clock.slept())
}

fn blocking(clock: &VirtualClock, retry: RetryBuilder) -> Policy<HttpRetryAfterClassifier> {
    let builder = Policy::builder().clock(clock.clone()).sleep_with(clock.sleeper());
    builder.classifier(http_retry_after_classifier()).retry(retry).build().expect("valid")
}

/// Runs a call with these responses, on both drivers.
#[track_caller]
fn check(retry: impl Fn() -> RetryBuilder, answers: &[(u16, Option<&str>)], expected: &Ended) {
    let script = || answers.iter().fold(Script::new(), |script, (status, value)| script.ok(answer(*status, *value)));
    let clock = VirtualClock::new();
    let outcome = blocking(&clock, retry()).execute(script().run());
    assert_eq!(ended(&outcome, &clock), *expected, "blocking, {answers:?}");

    let clock = VirtualClock::new();
    let builder = AsyncPolicy::<_, NoTimer>::builder().timer(clock.timer()).classifier(http_retry_after_classifier());
    let policy = builder.retry(retry()).build().expect("valid");
    let outcome = clock.block_on(policy.execute(script().run_async()));
    assert_eq!(ended(&outcome, &clock), *expected, "asynchronous, {answers:?}");
}

/// redress-py: `Retry-After` on 503 is ignored. reqwest-middleware 146, go-retryablehttp 283.
/// tower-resilience: its backoff never sees the error, so that no strategy can honour
/// `Retry-After`. posthog-rs 161: `Retry-After` is a minimum, to which the core's jitter adds.
#[test]
fn retry_after_counts_on_a_503_and_every_other_status_that_is_retried() {
    for status in [503, 429, 408, 409, 425, 500, 502, 504] {
        let served = (None, 2, vec![secs(7)]);
        check(retry, &[(status, Some("7")), (200, None)], &served);
    }
}

/// redress-py: fractional values of `Retry-After` are ignored. A requested wait is never shortened:
/// `1.5` is two seconds.
#[test]
fn a_fractional_retry_after_is_no_shorter_wait() {
    let rows =
        [("1.5", secs(2)), ("2.001", secs(3)), ("0.5", secs(1)), (".5", secs(1)), ("3,5", secs(5)), ("1e3", FALLBACK)];
    for (value, waited) in rows {
        check(retry, &[(503, Some(value)), (200, None)], &(None, 2, vec![waited]));
    }
}

/// redress-py: `Retry-After: 60` with a deadline of 0.5 s sleeps the full 0.5 s and then stops,
/// after one attempt.
///
/// Attacks R2.
#[test]
fn a_retry_after_beyond_the_deadline_is_not_slept() {
    // The default deadline is 60 s, and a wait that ends at it leaves no time for an attempt.
    check(retry, &[(503, Some("60"))], &(Some(StopReason::DeadlineExceeded), 1, vec![]));
}

/// App-Store-Connect-CLI 2165: a value too large overflowed and became a delay of zero. urllib3
/// 3743, zeroclaw 7027.
///
/// Attacks R2.
#[test]
fn an_enormous_retry_after_ends_the_call_and_is_no_zero() {
    for value in ["18446744073709551615", "99999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        check(retry, &[(429, Some(value))], &(Some(StopReason::DeadlineExceeded), 1, vec![]));
    }
}

/// A `Retry-After` of days holds a caller without a deadline for days. The retry shortens it, and
/// hints of errors.
#[test]
fn a_retry_after_is_shortened_by_the_policy() {
    let capped = || retry().max_retry_after(secs(5));
    for (value, waited) in
        [("3600", secs(5)), ("Fri, 31 Dec 9999 23:59:59 GMT", secs(5)), ("5", secs(5)), ("4", secs(4))]
    {
        check(capped, &[(503, Some(value)), (200, None)], &(None, 2, vec![waited]));
    }
    for retry in [capped(), capped().strategy(fixed(secs(1)))] {
        let clock = VirtualClock::new();
        let policy = blocking(&clock, retry);
        let limited = RateLimitError::new("slow down").with_retry_after(secs(3600));
        assert!(policy.call(Script::new().err(limited).ok(answer(200, None)).run()).is_ok());
        assert_eq!(clock.slept(), [secs(5)]);
    }
}

/// How often a client with this guard sends a request that always fails.
fn sends(guard: IdempotencyGuard, method: &Method, headers: &HeaderMap) -> usize {
    let clock = VirtualClock::new();
    let script = Script::<_, io::Error>::new().forever(|| Ok(answer(503, None)));
    let may_retry = guard.safety(method, headers).may_retry();
    let policy = blocking(&clock, if may_retry { retry() } else { retry().max_attempts(1) });
    assert!(policy.call(script.run()).is_err());
    script.calls()
}

/// redress-py: the httpx wrapper sends a failing POST 3 times by default. axios-retry 17, manticore
/// 25, reqwest-retry.
///
/// Attacks R1.
#[test]
fn a_failing_post_is_not_sent_again_by_default() {
    let none = HeaderMap::new();
    for method in [Method::POST, Method::PATCH, Method::CONNECT] {
        assert_eq!(sends(IdempotencyGuard::default(), &method, &none), 1, "{method}");
        assert_eq!(sends(IdempotencyGuard::new(), &method, &none), 1, "{method}");
    }
    assert_eq!(sends(IdempotencyGuard::new(), &Method::GET, &none), 3);
    let mut keyed = HeaderMap::new();
    keyed.insert("Idempotency-Key", HeaderValue::from_static("\"8e03978e\""));
    assert_eq!(sends(IdempotencyGuard::new(), &Method::POST, &keyed), 3);
    assert_eq!(sends(IdempotencyGuard::new().retry_non_idempotent(true), &Method::POST, &none), 3);
}
