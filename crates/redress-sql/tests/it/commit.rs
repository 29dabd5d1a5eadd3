//! A COMMIT that failed is retried only if it has no effect.

use std::time::Duration;

use redress::error::AbortRetryError;
use redress::integration::sql::{CommitError, sqlstate_classifier};
use redress::{ErrorClass, Policy, Retry, StopReason, fixed};

use crate::support::{Booking, Seen, Transparent, seen};

#[derive(Debug, thiserror::Error)]
#[error("SQLSTATE {0}")]
struct DriverError(&'static str);

fn state_of(error: &DriverError) -> Option<&str> {
    Some(error.0)
}

fn at_commit(state: &'static str) -> Seen {
    let error = Booking(CommitError::new(DriverError(state)));
    let failure = sqlstate_classifier(state_of).classify_error(&error);
    assert_eq!(failure.detail("sqlstate"), Some(state));
    seen(&failure)
}

#[test]
fn only_what_has_no_effect_is_retried() {
    assert_eq!(at_commit("40001"), Seen::plain(ErrorClass::Concurrency));
    assert_eq!(at_commit("53300"), Seen::unsent(ErrorClass::Transient));
    for state in ["08006", "57P01", "57014", "53100", "XX000", "HY000"] {
        assert!(at_commit(state).is_forbidden, "{state}");
    }
    assert_eq!(at_commit("40003"), Seen::forbidden(ErrorClass::Transient));
    for state in ["23505", "42501", "28000", "40002"] {
        assert!(!at_commit(state).is_forbidden, "{state} ends the call by its class");
    }
}

#[test]
fn a_transparent_wrapper_does_not_hide_the_commit() {
    let error = Transparent(CommitError::new(DriverError("08006")));
    let failure = sqlstate_classifier(state_of).classify_error(&error);
    assert_eq!(seen(&failure), Seen::forbidden(ErrorClass::Transient));
}

#[test]
fn an_abort_stays_one() {
    let error = CommitError::new(AbortRetryError::new("stop"));
    assert!(sqlstate_classifier(state_of).classify_error(&error).is_abort());
}

#[test]
fn the_outcome_says_why_the_call_ended() {
    let policy = Policy::builder()
        .classifier(sqlstate_classifier(state_of))
        .retry(Retry::builder().max_attempts(4).strategy(fixed(Duration::ZERO)))
        .build()
        .expect("a valid policy");
    let lost = policy.execute(|| Err::<(), _>(CommitError::new(DriverError("08006"))));
    assert_eq!((lost.attempts(), lost.stop_reason()), (1, Some(StopReason::RetryForbidden)));
    let conflict = policy.execute(|| Err::<(), _>(CommitError::new(DriverError("40001"))));
    assert_eq!((conflict.attempts(), conflict.stop_reason()), (4, Some(StopReason::MaxAttempts)));
}

#[test]
fn the_error_is_the_source_and_can_be_taken_out() {
    let error = CommitError::new(DriverError("40001"));
    assert_eq!(error.to_string(), "the transaction could not be committed");
    let chain: Vec<String> = redress::classify::source_chain(&error).map(ToString::to_string).collect();
    assert_eq!(chain, ["the transaction could not be committed", "COMMIT failed", "SQLSTATE 40001"]);
    assert_eq!(error.into_inner().to_string(), "SQLSTATE 40001");
    let told = CommitError::new("the connection broke");
    assert_eq!(told.into_inner().to_string(), "the connection broke");
}
