//! The part that a user of redress writes: one policy for all calls, and a classifier for the
//! client's pages and errors.
//!
//! It does not depend on the rest of the example, so it can be copied.

use std::time::{Duration, SystemTime};

use hyper::Response;
use hyper::body::Bytes;
use hyper_util::client::legacy;
use redress::integration::http::classify_response;
use redress::runtime::tokio::AsyncPolicy;
use redress::strategy::equal_jitter;
use redress::{
    Budget, CircuitBreaker, Classification, Classifier, ConfigError, ErrorClass, Retry, decorrelated_jitter,
};

pub(crate) const MAX_ATTEMPTS: u32 = 4;
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
pub(crate) const DEADLINE: Duration = Duration::from_secs(4);
pub(crate) const SHORTEST_WAIT: Duration = Duration::from_millis(50);
pub(crate) const LONGEST_WAIT: Duration = Duration::from_millis(400);
pub(crate) const BUDGET: u32 = 10;
pub(crate) const BUDGET_WINDOW: Duration = Duration::from_secs(10);
pub(crate) const FAILED_CALLS: u32 = 4;
pub(crate) const RECOVERY: Duration = Duration::from_millis(500);

/// The policy. Clones are cheap and share the breaker and the budget, so one value serves the whole
/// program.
pub(crate) fn policy() -> Result<AsyncPolicy<PageClassifier>, ConfigError> {
    let backoff = decorrelated_jitter().base(SHORTEST_WAIT).max(LONGEST_WAIT);
    // Without a hint, wait longer for a server that rate-limits than for one that has failed.
    let rate_limited = equal_jitter().base(Duration::from_millis(500));
    AsyncPolicy::builder()
        .classifier(PageClassifier)
        .retry(
            Retry::builder()
                .strategy(backoff)
                .strategy_for(ErrorClass::RateLimit, rate_limited)
                .max_attempts(MAX_ATTEMPTS)
                .budget(Budget::new(BUDGET, BUDGET_WINDOW)?),
        )
        .attempt_timeout(ATTEMPT_TIMEOUT)
        .deadline(DEADLINE)
        .circuit_breaker(CircuitBreaker::builder().failure_threshold(FAILED_CALLS).recovery_timeout(RECOVERY))
        .build()
}

/// Classifies results in one place. Retry, backoff, breaker and budget act on the class.
#[derive(Clone, Copy)]
pub(crate) struct PageClassifier;

impl Classifier<Page, FetchError> for PageClassifier {
    fn classify(&self, result: &Result<Page, FetchError>) -> Option<Classification> {
        match result {
            // 429 and 5xx are failures with their Retry-After; 200 and 404 are answers.
            Ok(page) => classify_response(page.status(), page.headers(), SystemTime::now()),
            // Every request here is a GET, so it is safe to retry after any transport error.
            Err(FetchError::Send(_) | FetchError::Read(_)) => Some(ErrorClass::Transient.into()),
        }
    }
}

pub(crate) type Page = Response<Bytes>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("no answer")]
    Send(#[from] legacy::Error),
    #[error("the answer broke off")]
    Read(#[from] hyper::Error),
}
