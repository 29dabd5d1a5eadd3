//! The timer on async-std's executor: the tests of every timer.
//!
//! The timer is that of `redress-smol`, whose tests run it on smol's executors and outside of any.

use std::future::Future;
use std::pin::Pin;

use async_std::task::{self, JoinHandle, block_on, spawn_local};
use redress_async_std::AsyncStdTimer;
use redress_fixtures::timer_suite::Runtime;

struct AsyncStd;

impl Runtime for AsyncStd {
    type Timer = AsyncStdTimer;
    type Task<T: Send + 'static> = JoinHandle<T>;

    fn block_on<F: Future>(future: F) -> F::Output {
        block_on(future)
    }

    fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> JoinHandle<F::Output> {
        task::spawn(future)
    }

    async fn join<T: Send + 'static>(task: JoinHandle<T>) -> T {
        task.await
    }

    async fn cancel<T: Send + 'static>(task: JoinHandle<T>) {
        assert!(task.cancel().await.is_none());
    }

    fn run_local<T: 'static>(tasks: Vec<Pin<Box<dyn Future<Output = T>>>>) -> Vec<T> {
        block_on(async {
            let tasks: Vec<_> = tasks.into_iter().map(spawn_local).collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await);
            }
            answers
        })
    }
}

redress_fixtures::timer_suite!(AsyncStd);
