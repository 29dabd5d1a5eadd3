//! The cases of tower, its retry layer and its budget, and the calls of a service that all such
//! cases use.

use std::future::{Ready, poll_fn, ready};
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tower::retry::Retry;
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Service, service_fn};

use crate::case::Kind::{self, Async, Blocking};
use crate::case::{Batch, Case, Who, repeat};
use crate::operation::{Alternating, OperationError, OperationResult, finish, poll_contended, succeed};

pub(super) const CASES: &[Case] = &[
    case("retry", Async, "tower", retry),
    case("second-try", Async, "tower", second_try),
    case("budget", Blocking, "tower's TpsBudget", withdrawal),
];

const fn case(row: &'static str, kind: Kind, name: &'static str, prepare: fn() -> Batch) -> Case {
    Case::new(row, Who::Peer, kind, name, prepare)
}

/// A policy that counts down, as in tower's documentation.
#[derive(Clone)]
pub(super) struct Attempts(pub(super) u32);

impl tower::retry::Policy<(), u64, OperationError> for Attempts {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut (), result: &mut OperationResult) -> Option<Self::Future> {
        if result.is_ok() {
            return None;
        }
        self.0 = self.0.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, _: &()) -> Option<()> {
        Some(())
    }
}

/// The operation as a service.
pub(super) fn service() -> impl Service<(), Response = u64, Error = OperationError, Future: Send> + Clone + Send {
    service_fn(async |()| succeed())
}

/// Repeats a call of a service that is ready and answers at once.
pub(super) fn calls<S: Service<()> + Clone + Send + 'static>(service: S) -> Batch {
    let service = Mutex::new(service);
    Box::new(move |times| {
        let mut service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for _ in 0..times {
            let service = black_box(&mut service);
            black_box(&poll_contended(poll_fn(|context| service.poll_ready(context))));
            black_box(&poll_contended(service.call(())));
        }
    })
}

/// Makes one call and returns its result.
pub(super) fn call<S: Service<()>>(service: &mut S) -> Result<S::Response, S::Error> {
    finish(poll_fn(|context| service.poll_ready(context)))?;
    finish(service.call(()))
}

fn retry() -> Batch {
    calls(Retry::new(Attempts(5), service()))
}

fn second_try() -> Batch {
    let operation = Arc::new(Alternating::default());
    let service = service_fn(move |()| {
        let result = operation.run();
        async move { result }
    });
    let mut retried = Retry::new(Attempts(5), service);
    assert_eq!(call(&mut retried), succeed());
    calls(retried)
}

fn withdrawal() -> Batch {
    // More than all the runs withdraw.
    let budget = TpsBudget::new(Duration::from_secs(60), 1 << 30, 0.0);
    assert!(budget.withdraw());
    repeat(move || black_box(&budget).withdraw())
}
