//! Supported executors: multi-threaded ones if the operation is `Send`, a local one otherwise.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use redress_core::{Attempt, Retry, fixed};
use redress_smol::AsyncPolicy;
use smol::future::yield_now;
use smol::{Executor, LocalExecutor};

use crate::workers::with_workers;

const SHORT: Duration = Duration::from_millis(1);

fn policy() -> AsyncPolicy {
    AsyncPolicy::builder().retry(Retry::builder().strategy(fixed(SHORT)).max_attempts(3)).build().unwrap()
}

fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

/// Fails twice.
async fn third_time_lucky(policy: &AsyncPolicy, number: u32) -> Option<u32> {
    let operation = |attempt: Attempt| async move {
        yield_now().await;
        if attempt.number() < 3 { Err(reset()) } else { Ok(number) }
    };
    policy.call_with(operation).await.ok()
}

#[test]
fn calls_can_be_spawned_on_an_executor_of_many_threads() {
    let policy = Arc::new(policy());
    let executor = Executor::new();
    let calls: Vec<_> = (0..16)
        .map(|number| {
            let policy = Arc::clone(&policy);
            executor.spawn(async move { third_time_lucky(&policy, number).await })
        })
        .collect();
    with_workers(&executor, async {
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await, Some(number));
        }
    });
}

#[test]
fn calls_can_be_spawned_on_the_global_executor() {
    let policy = policy();
    let call = smol::spawn(async move { third_time_lucky(&policy, 7).await });
    assert_eq!(smol::block_on(call), Some(7));
}

#[test]
fn calls_whose_operation_is_not_send_run_on_a_local_executor() {
    let policy = policy();
    let runs = Rc::new(Cell::new(0));
    let counted = Rc::clone(&runs);
    let local = LocalExecutor::new();
    let call = local.spawn(async move {
        let operation = || {
            let counted = Rc::clone(&counted);
            async move {
                yield_now().await;
                counted.set(counted.get() + 1);
                if counted.get() < 3 { Err(reset()) } else { Ok(()) }
            }
        };
        policy.call(operation).await
    });
    smol::block_on(local.run(call)).unwrap();
    assert_eq!(runs.get(), 3);
}

#[test]
fn many_local_calls_wait_at_once() {
    let policy = Rc::new(policy());
    let local = LocalExecutor::new();
    let calls: Vec<_> = (0..16)
        .map(|number| {
            let policy = Rc::clone(&policy);
            local.spawn(async move { third_time_lucky(&policy, number).await })
        })
        .collect();
    smol::block_on(local.run(async {
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await, Some(number));
        }
    }));
}
