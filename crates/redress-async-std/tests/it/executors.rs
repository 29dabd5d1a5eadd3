//! Supported executors: `spawn` if the operation is `Send`, a local task otherwise.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use async_std::task::{self, block_on, yield_now};
use redress_async_std::AsyncPolicy;
use redress_core::{Attempt, Retry, fixed};

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
fn calls_can_be_spawned_on_the_executor_of_many_threads() {
    let policy = Arc::new(policy());
    let calls: Vec<_> = (0..16)
        .map(|number| {
            let policy = Arc::clone(&policy);
            task::spawn(async move { third_time_lucky(&policy, number).await })
        })
        .collect();
    for (number, call) in (0..).zip(calls) {
        assert_eq!(block_on(call), Some(number));
    }
}

#[test]
fn calls_whose_operation_is_not_send_run_in_a_local_task() {
    let policy = policy();
    let runs = Rc::new(Cell::new(0));
    let counted = Rc::clone(&runs);
    let call = async move {
        let operation = || {
            let counted = Rc::clone(&counted);
            async move {
                yield_now().await;
                counted.set(counted.get() + 1);
                if counted.get() < 3 { Err(reset()) } else { Ok(()) }
            }
        };
        policy.call(operation).await
    };
    block_on(async { task::spawn_local(call).await }).unwrap();
    assert_eq!(runs.get(), 3);
}

#[test]
fn many_local_calls_wait_at_once() {
    let policy = Rc::new(policy());
    block_on(async {
        let spawn = |number| {
            let policy = Rc::clone(&policy);
            let call = async move { third_time_lucky(&policy, number).await };
            task::spawn_local(call)
        };
        let calls: Vec<_> = (0..16).map(spawn).collect();
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await, Some(number));
        }
    });
}
