//! smol's timer: the tests of every timer, on smol's executors, and a wait outside of them.
//!
//! The core tests the decisions of calls, and `redress-conformance` tests that they are the same on
//! every driver.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Once, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use redress_core::driver::Timer as _;
use redress_fixtures::timer_suite::Runtime;
use redress_smol::SmolTimer;
use smol::{Executor, LocalExecutor, Task, block_on};

const THREADS: usize = 3;

/// smol's global executor has one thread by default.
static EXECUTOR: Executor<'_> = Executor::new();

struct Smol;

impl Runtime for Smol {
    type Timer = SmolTimer;
    type Task<T: Send + 'static> = Task<T>;

    fn block_on<F: Future>(future: F) -> F::Output {
        block_on(future)
    }

    fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) -> Task<F::Output> {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            for _ in 0..THREADS {
                thread::spawn(|| block_on(EXECUTOR.run(pending::<()>())));
            }
        });
        EXECUTOR.spawn(future)
    }

    async fn join<T: Send + 'static>(task: Task<T>) -> T {
        task.await
    }

    async fn cancel<T: Send + 'static>(task: Task<T>) {
        assert!(task.cancel().await.is_none());
    }

    fn run_local<T: 'static>(tasks: Vec<Pin<Box<dyn Future<Output = T>>>>) -> Vec<T> {
        let local = LocalExecutor::new();
        let tasks: Vec<_> = tasks.into_iter().map(|task| local.spawn(task)).collect();
        block_on(local.run(async {
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await);
            }
            answers
        }))
    }
}

redress_fixtures::timer_suite!(Smol);

/// Notifies the polling thread.
struct Notifier(mpsc::Sender<()>);

impl Wake for Notifier {
    fn wake(self: Arc<Self>) {
        let _ = self.0.send(());
    }
}

#[test]
fn a_wait_outside_smols_executors_ends_too() {
    let (woken, wakes) = mpsc::channel();
    let waker = Waker::from(Arc::new(Notifier(woken)));
    let mut wait = SmolTimer.sleep(Duration::from_millis(1));
    while Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending() {
        wakes.recv().expect("the waker is there");
    }
}
