//! One budget for redress's policies and for tower's own retry layer.

use std::future::{Ready, ready};
use std::io;
use std::time::Duration;

use redress_core::{Budget, StopReason};
use redress_tokio::AsyncPolicy;
use redress_tower::{PolicyLayer, RetryBudget};
use tower::retry::Policy;
use tower::retry::budget::Budget as _;
use tower::{Layer as _, Service as _, ServiceExt as _};

use crate::service::{Scripted, at_once, reset};

/// A policy of tower's that retries as long as the budget allows.
#[derive(Clone)]
struct WhileFunded(RetryBudget);

impl Policy<(), u32, io::Error> for WhileFunded {
    type Future = Ready<()>;

    fn retry(&mut self, (): &mut (), result: &mut io::Result<u32>) -> Option<Ready<()>> {
        if result.is_ok() {
            self.0.deposit();
            return None;
        }
        self.0.withdraw().then(|| ready(()))
    }

    fn clone_request(&mut self, (): &()) -> Option<()> {
        Some(())
    }
}

#[tokio::test(start_paused = true)]
async fn towers_retries_and_ours_are_bounded_together() {
    let budget = Budget::new(3, Duration::from_secs(60)).unwrap();
    let towers = Scripted::<(), u32>::new([Err(reset()), Err(reset()), Ok(7)]);
    let mut by_tower = tower::retry::Retry::new(WhileFunded(budget.clone().into()), towers);
    assert_eq!(by_tower.ready().await.unwrap().call(()).await.unwrap(), 7);
    assert_eq!(budget.remaining(), 1, "the window ignores the deposit");

    let policy = AsyncPolicy::builder().retry(at_once().max_attempts(9).budget(budget.clone())).build().unwrap();
    let ours = Scripted::<(), u32>::new([Err(reset()), Err(reset())]);
    let error = PolicyLayer::new(policy).layer(ours).call(()).await.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetExhausted, 2));
    assert!(!RetryBudget::from(budget).withdraw());
}
