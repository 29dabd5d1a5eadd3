//! The tasks that hyper spawns for an HTTP/2 connection, polled together with the connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use hyper::rt::Executor;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks of a connection. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Tasks(Arc<Mutex<Spawned>>);

#[derive(Default)]
struct Spawned {
    tasks: Vec<Task>,
    waker: Option<Waker>,
}

impl Tasks {
    /// Polls all tasks, including those spawned meanwhile.
    pub(super) fn poll_all(&self, cx: &mut Context<'_>) {
        let mut pending = Vec::new();
        loop {
            // Polled without the lock, because a task may spawn another.
            let tasks = self.with(|spawned| std::mem::take(&mut spawned.tasks));
            if tasks.is_empty() {
                break;
            }
            pending
                .extend(tasks.into_iter().filter_map(|mut task| task.as_mut().poll(cx).is_pending().then_some(task)));
        }
        self.with(|spawned| {
            spawned.tasks = pending;
            spawned.waker = Some(cx.waker().clone());
        });
    }

    fn with<R>(&self, change: impl FnOnce(&mut Spawned) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        let waker = self.with(|spawned| {
            spawned.tasks.push(Box::pin(task));
            spawned.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
