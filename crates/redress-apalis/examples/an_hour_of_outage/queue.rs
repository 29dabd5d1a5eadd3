//! A job queue in memory that runs tasks when they are due, on tokio's clock. It stands for a store
//! of apalis such as SQLite, whose tasks stay when a worker dies. apalis's own memory store runs
//! each task at once.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::task_id::RandomId;
use apalis_core::worker::context::WorkerContext;
use futures_util::Sink;
use tokio::time::{Instant, Interval, interval};
use tower_layer::Identity;

/// How often a worker looks for tasks that are due, as the heartbeat of a store.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Tasks with the time at which each is due.
type Tasks<Args> = Vec<(Instant, Task<Args>)>;

/// A queue. Clones share the tasks, and have a heartbeat each.
pub(crate) struct Queue<Args> {
    tasks: Arc<Mutex<Tasks<Args>>>,
    heartbeat: Option<Interval>,
}

impl<Args> Queue<Args> {
    pub(crate) fn new() -> Self {
        Self { tasks: Arc::default(), heartbeat: None }
    }

    /// How many tasks wait.
    pub(crate) fn len(&self) -> usize {
        self.tasks().len()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks<Args>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_due(&self) -> Option<Task<Args>> {
        let now = Instant::now();
        let mut tasks = self.tasks();
        let due = tasks.iter().position(|(due, _)| *due <= now)?;
        Some(tasks.remove(due).1)
    }
}

impl<Args> Clone for Queue<Args> {
    fn clone(&self) -> Self {
        Self { tasks: Arc::clone(&self.tasks), heartbeat: None }
    }
}

impl<Args> Sink<Task<Args>> for Queue<Args> {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// `run_at` is a time of the wall clock, which stands still while tokio's clock is paused.
    fn start_send(self: Pin<&mut Self>, task: Task<Args>) -> Result<(), Infallible> {
        let run_at = SystemTime::UNIX_EPOCH + Duration::from_secs(task.run_at().unwrap_or_default());
        let pause = run_at.duration_since(SystemTime::now()).unwrap_or_default();
        self.tasks().push((Instant::now() + pause, task));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl<Args> Backend for Queue<Args> {
    type Task = Task<Args>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Task<Args>, Infallible>>> {
        loop {
            if let Some(task) = self.take_due() {
                return Poll::Ready(Some(Ok(task)));
            }
            ready!(self.heartbeat.get_or_insert_with(|| interval(HEARTBEAT)).poll_tick(cx));
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl<Args> BackendConfig for Queue<Args> {
    type Args = Args;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
