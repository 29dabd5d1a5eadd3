//! Handlers that a worker runs on a queue: deliveries on virtual time, and the errors that apalis
//! sees.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig, TaskSink};
use apalis_core::error::{AbortError, BoxDynError};
use apalis_core::task::Task;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use futures_util::Sink;
use redress::integration::apalis::{Deferral, METADATA_KEY, PushError};
use redress::runtime::tokio::AsyncPolicy;
use redress::{CallError, Retry, SleepDecision, StopReason, fixed};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::queue::Queue;

const WAIT: Duration = Duration::from_secs(600);

fn policy(max_attempts: u32) -> AsyncPolicy {
    AsyncPolicy::builder()
        .retry(Retry::builder().strategy(fixed(WAIT)).max_attempts(max_attempts))
        .sleep_handler(|_, _| SleepDecision::Defer)
        .build()
        .unwrap()
}

/// When each attempt ran, and how often a handler returned an error.
#[derive(Clone, Default)]
struct Log {
    attempts: Arc<Mutex<Vec<Instant>>>,
    given_up: Arc<Mutex<u32>>,
}

async fn fails(
    number: u32,
    deferral: Deferral,
    policy: Data<AsyncPolicy>,
    log: Data<Log>,
    mut queue: Data<Queue<u32>>,
) -> Result<(), BoxDynError> {
    let outcome = policy
        .resume_or_fresh(deferral.token())
        .execute(async || {
            log.attempts.lock().unwrap().push(Instant::now());
            Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))
        })
        .await;
    let settled = deferral.settle(outcome, number, &mut *queue).await;
    if let Err(error) = &settled {
        assert!(error.is::<AbortError>(), "{error}");
        *log.given_up.lock().unwrap() += 1;
    }
    settled.map(drop)
}

fn worker(policy: &AsyncPolicy, log: &Log, queue: &Queue<u32>) -> JoinHandle<()> {
    let worker = WorkerBuilder::new("letters")
        .backend(queue.clone())
        .data(policy.clone())
        .data(log.clone())
        .data(queue.clone())
        .build(fails);
    tokio::spawn(async move { worker.run().await.unwrap() })
}

#[tokio::test(start_paused = true)]
async fn attempts_and_waits_go_on_over_deliveries_and_workers() {
    let (policy, log, mut queue) = (policy(5), Log::default(), Queue::new());
    queue.push(7).await.unwrap();
    // Each worker lives for a wait and a half, so it is killed while the task waits.
    for _ in 0..6 {
        let worker = worker(&policy, &log, &queue);
        sleep(WAIT * 3 / 2).await;
        worker.abort();
    }
    let attempts = log.attempts.lock().unwrap().clone();
    assert_eq!((attempts.len(), *log.given_up.lock().unwrap(), queue.len()), (5, 1, 0));
    for pair in attempts.windows(2) {
        assert!(pair[1] - pair[0] >= WAIT, "{:?}", pair[1] - pair[0]);
    }
}

#[tokio::test]
async fn a_failed_call_leaves_as_an_abort_with_its_error() {
    let outcome = policy(1).execute(async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))).await;
    let task = Task::new(7);
    let error = Deferral::of(&task).settle(outcome, task.args, &mut Queue::new()).await.unwrap_err();
    let abort = error.downcast_ref::<AbortError>().unwrap();
    let source = std::error::Error::source(abort).unwrap().downcast_ref::<CallError<io::Error>>().unwrap();
    assert_eq!(source.stop_reason(), StopReason::MaxAttempts);
}

#[tokio::test]
async fn a_success_is_done_with_its_value() {
    let outcome = policy(1).execute(async || Ok::<_, io::Error>("sent")).await;
    let mut queue = Queue::new();
    assert_eq!(Deferral::of(&Task::new(7)).settle(outcome, 7, &mut queue).await.unwrap(), Some("sent"));
    assert_eq!(queue.len(), 0);
}

#[tokio::test]
async fn a_deferral_that_the_store_refuses_is_run_again_by_apalis() {
    let outcome = policy(3).execute(async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))).await;
    let error = Deferral::of(&Task::new(7)).settle(outcome, 7, &mut Full).await.unwrap_err();
    // Any other error than these two is run again.
    assert!(error.is::<PushError>() && !error.is::<AbortError>(), "{error:?}");
    let source = std::error::Error::source(&*error).unwrap();
    assert_eq!(source.to_string(), "Failed to push task: the disk is full");
}

#[tokio::test]
async fn a_deferral_is_pushed_with_its_token() {
    let outcome = policy(3).execute(async || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset))).await;
    let token = outcome.resume_token().map(|token| token.attempts());
    let mut queue = Queue::new();
    assert_eq!(Deferral::of(&Task::new(7)).settle(outcome, 7, &mut queue).await.unwrap(), None);
    assert_eq!((token, queue.len()), (Some(1), 1));
    assert_eq!(METADATA_KEY, "redress.resume");
}

/// A store that takes no task.
struct Full;

fn full() -> io::Error {
    io::Error::other("the disk is full")
}

impl Sink<Task<u32>> for Full {
    type Error = io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(full()))
    }

    fn start_send(self: Pin<&mut Self>, _: Task<u32>) -> io::Result<()> {
        Err(full())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(full()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(full()))
    }
}

impl Backend for Full {
    type Task = Task<u32>;
    type Error = io::Error;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<io::Result<()>> {
        Poll::Ready(Err(full()))
    }

    fn poll_next(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<io::Result<Task<u32>>>> {
        Poll::Ready(None)
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Full {
    type Args = u32;
    type Id = ();
    type Kind = Ephemeral;
    type Config = ();
    type Layer = ();

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) {}
}
