//! The task that follows each ending of a call, and what it inherits.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use apalis_core::backend::queue::Queue;
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::metadata::MetadataStore;
use redress::error::AbortRetryError;
use redress::integration::apalis::{Deferral, METADATA_KEY};
use redress::policy::RetryBuilder;
use redress::resume::ResumeToken;
use redress::{
    AbortHandle, Budget, CircuitBreaker, ErrorClass, Policy, Retry, RetryOutcome, SleepDecision, StopReason, fixed,
};

const WAIT: Duration = Duration::from_millis(90_500);

fn retry() -> RetryBuilder {
    Retry::builder().strategy(fixed(WAIT)).max_attempts(3)
}

fn deferring() -> Policy {
    Policy::builder().name("letters").retry(retry()).sleep_handler(|_, _| SleepDecision::Defer).build().unwrap()
}

fn reset() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionReset.into())
}

fn task_with(token: Option<&str>) -> Task<()> {
    let mut metadata = MetadataStore::new();
    metadata.insert("tenant", "7").unwrap();
    if let Some(token) = token {
        metadata.insert(METADATA_KEY, token).unwrap();
    }
    TaskBuilder::new(()).with_metadata(metadata).build()
}

/// The next task's token, and its wait in whole seconds, rounded up.
fn next<T, E>(task: &Task<()>, outcome: &RetryOutcome<T, E>) -> Option<(Option<String>, u64)> {
    let before = SystemTime::now();
    let next = Deferral::of(task).next_task(outcome, ())?;
    let run_at = SystemTime::UNIX_EPOCH + Duration::from_secs(next.run_at().unwrap());
    let wait = run_at.duration_since(before).unwrap_or_default();
    let whole = wait.as_secs();
    Some((next.metadata().get(METADATA_KEY).map(str::to_owned), whole))
}

#[test]
fn a_deferred_call_goes_on_where_it_was() {
    let policy = deferring();
    let mut task = task_with(None);
    for attempts in 1..=3 {
        let deferral = Deferral::of(&task);
        let outcome = policy.resume_or_fresh(deferral.token()).execute(reset);
        assert_eq!(outcome.attempts(), attempts);
        match deferral.next_task(&outcome, ()) {
            Some(next) => task = next,
            None => assert_eq!((attempts, outcome.stop_reason()), (3, Some(StopReason::MaxAttempts))),
        }
    }
    assert_eq!(Deferral::of(&task).token().unwrap().parse::<ResumeToken>().unwrap().attempts(), 2);
}

#[test]
fn no_task_runs_before_its_wait_is_over() {
    let outcome = deferring().execute(reset);
    let before = SystemTime::now() + WAIT;
    let next = Deferral::of(&task_with(None)).next_task(&outcome, ()).unwrap();
    let after = SystemTime::now() + WAIT;
    let run_at = SystemTime::UNIX_EPOCH + Duration::from_secs(next.run_at().unwrap());
    assert!(run_at >= before && run_at < after + Duration::from_secs(1), "{before:?} {run_at:?} {after:?}");
}

#[test]
fn the_next_task_inherits_settings_and_other_metadata() {
    let outcome = deferring().execute(reset);
    let mut metadata = MetadataStore::new();
    metadata.insert("tenant", "7").unwrap();
    metadata.insert(METADATA_KEY, "rd1.old").unwrap();
    let task = TaskBuilder::new("Ada")
        .with_metadata(metadata)
        .priority(5)
        .queue(Queue::from("letters"))
        .max_attempts(4)
        .attempt(2)
        .idempotency_key("letter 7")
        .build();
    let next = Deferral::of(&task).next_task(&outcome, "Ada").unwrap();
    assert_eq!(next.args, "Ada");
    assert_eq!((next.priority(), next.max_attempts(), next.attempt()), (Some(5), Some(4), 0));
    assert_eq!(next.queue().map(AsRef::as_ref), Some("letters"));
    assert_eq!(next.metadata().get("tenant"), Some("7"));
    assert_eq!(Deferral::of(&next).token().unwrap().parse::<ResumeToken>().unwrap().attempts(), 1);
    // A store drops a task whose key it has seen.
    assert_eq!((next.idempotency_key(), next.task_id().is_none()), (None, true));
}

#[test]
fn a_rejected_call_comes_back_with_its_token_when_the_breaker_may_probe() {
    let breaker = CircuitBreaker::builder().failure_threshold(1).recovery_timeout(Duration::from_secs(60));
    let breaker = breaker.build().unwrap();
    let now = Instant::now();
    breaker.try_acquire_at(now).unwrap().failure_at(ErrorClass::ServerError, now);
    let policy = Policy::builder().retry(retry()).circuit_breaker(breaker).build().unwrap();
    for token in [None, Some("rd1.from-before")] {
        let outcome = policy.execute(reset);
        assert_eq!(outcome.stop_reason(), Some(StopReason::CircuitOpen));
        let (kept, wait) = next(&task_with(token), &outcome).unwrap();
        assert_eq!(kept.as_deref(), token);
        assert!((59..=60).contains(&wait), "{wait}");
    }
}

#[test]
fn a_call_without_budget_comes_back_with_its_token() {
    let budget = Budget::new(1, Duration::from_secs(60)).unwrap();
    let strategy = fixed(Duration::ZERO);
    let policy = Policy::builder().retry(retry().strategy(strategy).budget(budget)).build().unwrap();
    let outcome = policy.execute(reset);
    assert_eq!(outcome.stop_reason(), Some(StopReason::BudgetExhausted));
    let (kept, wait) = next(&task_with(Some("rd1.from-before")), &outcome).unwrap();
    assert_eq!(kept.as_deref(), Some("rd1.from-before"));
    assert!((29..=30).contains(&wait), "{wait}");
}

#[test]
fn a_shutdown_gives_the_task_back_as_it_was() {
    let shutdown = AbortHandle::new();
    shutdown.abort();
    let policy = Policy::builder().retry(retry()).abort_on(&shutdown).build().unwrap();
    let outcome = policy.execute(reset);
    assert_eq!(outcome.stop_reason(), Some(StopReason::Aborted));
    let (kept, wait) = next(&task_with(Some("rd1.from-before")), &outcome).unwrap();
    assert_eq!((kept.as_deref(), wait), (Some("rd1.from-before"), 0));
}

#[test]
fn a_call_that_is_over_has_no_next_task() {
    let task = task_with(Some("rd1.from-before"));
    let policy = deferring();
    assert_eq!(next(&task, &policy.execute(|| Ok::<_, io::Error>(7))), None);
    assert_eq!(next(&task, &policy.execute(|| Err::<(), _>(io::Error::from(io::ErrorKind::PermissionDenied)))), None);
    let aborted = policy.execute(|| Err::<(), _>(AbortRetryError::new("no such letter")));
    assert_eq!(aborted.stop_reason(), Some(StopReason::Aborted));
    assert_eq!(next(&task, &aborted), None);
}

#[test]
fn a_token_that_cannot_be_used_starts_a_fresh_call() {
    let parcels = Policy::builder().name("parcels").retry(retry()).sleep_handler(|_, _| SleepDecision::Defer);
    let foreign = parcels.build().unwrap().execute(reset).resume_token().unwrap().to_string();
    for token in [None, Some("rd1.?"), Some(""), Some(foreign.as_str())] {
        let deferral = Deferral::of(&task_with(token));
        let outcome = deferring().resume_or_fresh(deferral.token()).execute(reset);
        assert_eq!(outcome.attempts(), 1, "{token:?}");
    }
}
