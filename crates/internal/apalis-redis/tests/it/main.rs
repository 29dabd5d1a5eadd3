//! Deferred calls on apalis with its Redis store, and what apalis 1.0 does with the errors that
//! redress-apalis returns and does not return. The clock is that of the machine: the store compares
//! whole seconds of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../servers/tests/apalis_sqlite/letters.rs"]
mod letters;

use std::time::{Duration, SystemTime};

use apalis_core::backend::TaskSink;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_redis::{Config, RedisStorage};
use redress_apalis::METADATA_KEY;
use redress_apalis_redis::{Queue, Tasks};
use redress_core::resume::ResumeToken;
use tokio::task::JoinHandle;

use crate::letters::{LATER, Log, Service, aborts, fails, policy, retries_later, send, until};

const WAIT: Duration = Duration::from_secs(1);
/// An idle worker looks for due tasks at each.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// After three seconds without a heartbeat, the tasks of a worker go to another. With one, a worker
/// that is late for the end of a second would lose its own.
const MISSED: usize = 30;

struct Fixture {
    queue: Queue,
    log: Log,
}

impl Fixture {
    async fn empty() -> Self {
        let config = Config::default().queue("letters").heartbeat_interval(HEARTBEAT).missed_heartbeats(MISSED);
        Self { queue: Queue::start(config).await.unwrap(), log: Log::default() }
    }

    async fn new() -> Self {
        let fixture = Self::empty().await;
        fixture.queue.store().push(7).await.unwrap();
        fixture
    }

    /// Pushes a task that has run so many times.
    async fn push_after(&self, runs: usize, max_attempts: usize) {
        let task = TaskBuilder::new(7).attempt(runs).max_attempts(max_attempts).build();
        self.queue.store().push_task(task).await.unwrap();
    }

    /// Returns the tasks when `is_met` is true of them.
    async fn tasks(&self, is_met: impl Fn(&Tasks) -> bool) -> Tasks {
        until(async || {
            let tasks = self.queue.tasks().await.unwrap();
            if is_met(&tasks) { Ok(tasks) } else { Err(tasks) }
        })
        .await
    }

    /// The seconds from the end of so many runs of a task until it is due again.
    async fn pause_after(&self, (task, due): &(String, u64), runs: usize) -> u64 {
        let fields = self.queue.fields(task).await.unwrap();
        assert_eq!(fields["attempts"], runs.to_string());
        due - fields["done_at"].parse::<u64>().unwrap()
    }
}

fn worker(name: &str, fixture: &Fixture, wait: Duration, hangs_in: Option<u32>) -> JoinHandle<()> {
    let worker = WorkerBuilder::new(name)
        .backend(fixture.queue.store())
        .data(policy(wait))
        .data(Service::new(&fixture.log, hangs_in))
        .data(fixture.queue.store())
        .build(send::<RedisStorage<u32>, _>);
    tokio::spawn(async move { worker.run().await.unwrap() })
}

/// Seconds since the Unix epoch.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

#[tokio::test]
async fn a_deferral_ends_its_task_and_pushes_one_that_runs_later_with_the_token() {
    let fixture = Fixture::new().await;
    let hour = Duration::from_secs(3600);
    let before = now();
    let worker = worker("first", &fixture, hour, None);
    let tasks = fixture.tasks(|tasks| tasks.done.len() == 1).await;
    worker.abort();
    assert_eq!((tasks.scheduled.len(), tasks.dead.len(), tasks.running), (1, 0, 0));
    let (task, runs_at) = &tasks.scheduled[0];
    let runs_at = Duration::from_secs(*runs_at);
    assert!(runs_at >= before + hour && runs_at < now() + hour + Duration::from_secs(1), "{before:?} {runs_at:?}");
    let next = fixture.queue.fields(task).await.unwrap();
    assert_eq!((next["status"].as_str(), next["attempts"].as_str()), ("Pending", "0"));
    assert_eq!(next[METADATA_KEY].parse::<ResumeToken>().unwrap().attempts(), 1);
    let ended = fixture.queue.fields(&tasks.done[0]).await.unwrap();
    assert_eq!((ended["status"].as_str(), ended.contains_key(METADATA_KEY)), ("Done", false));
}

#[tokio::test]
async fn attempts_over_all_deliveries_stay_within_the_cap() {
    let fixture = Fixture::new().await;
    let worker = worker("first", &fixture, WAIT, None);
    let tasks = fixture.tasks(|tasks| !tasks.dead.is_empty()).await;
    worker.abort();
    assert_eq!(fixture.log.numbers(), [1, 2, 3, 4]);
    let waits = fixture.log.waits();
    assert!(waits.iter().all(|wait| *wait >= WAIT), "{waits:?}");
    // Each deferral ended as done, and the call that was given up is dead.
    assert_eq!((tasks.done.len(), tasks.dead.len(), tasks.are_over()), (3, 1, true), "{tasks:?}");
    assert_eq!(fixture.queue.fields(&tasks.dead[0]).await.unwrap()["status"], "Killed");
}

#[tokio::test]
async fn a_killed_worker_delivers_its_token_again() {
    let fixture = Fixture::new().await;
    let first = worker("first", &fixture, WAIT, Some(2));
    fixture.log.reaches(2).await;
    first.abort();
    let second = worker("second", &fixture, WAIT, None);
    let tasks = fixture.tasks(|tasks| !tasks.dead.is_empty()).await;
    second.abort();
    // The attempt that was cut is in no token, so its number comes again.
    assert_eq!(fixture.log.numbers(), [1, 2, 2, 3, 4]);
    assert_eq!((tasks.done.len(), tasks.dead.len(), tasks.are_over()), (3, 1, true), "{tasks:?}");
}

/// Starts a worker with this handler.
macro_rules! start {
    ($handler:ident, $fixture:ident) => {{
        let worker =
            WorkerBuilder::new("first").backend($fixture.queue.store()).data($fixture.log.clone()).build($handler);
        tokio::spawn(async move { worker.run().await.unwrap() })
    }};
}

#[tokio::test]
async fn apalis_runs_an_abort_once() {
    let fixture = Fixture::new().await;
    let worker = start!(aborts, fixture);
    let tasks = fixture.tasks(|tasks| !tasks.dead.is_empty()).await;
    worker.abort();
    assert_eq!((fixture.log.numbers().len(), tasks.are_over()), (1, true), "{tasks:?}");
}

#[tokio::test]
async fn apalis_runs_a_plain_error_again() {
    let fixture = Fixture::new().await;
    let worker = start!(fails, fixture);
    fixture.log.reaches(2).await;
    worker.abort();
}

/// The tasks have run before, so that the pause is longer than a test may be late.
#[tokio::test]
async fn apalis_waits_as_many_seconds_as_a_plain_error_has_run_and_stops_at_25() {
    let fixture = Fixture::empty().await;
    // The limit of the task itself is of no account.
    for (runs, max_attempts) in [(22, 1), (24, 100)] {
        fixture.push_after(runs, max_attempts).await;
    }
    let worker = start!(fails, fixture);
    let tasks = fixture.tasks(|tasks| (tasks.scheduled.len(), tasks.dead.len()) == (1, 1)).await;
    worker.abort();
    assert_eq!(fixture.pause_after(&tasks.scheduled[0], 23).await, 23);
    let dead = fixture.queue.fields(&tasks.dead[0]).await.unwrap();
    assert_eq!((dead["attempts"].as_str(), dead["max_attempts"].as_str()), ("25", "100"));
}

/// The error asks for two seconds. The day the store keeps to it, redress-apalis may use it.
#[tokio::test]
async fn apalis_runs_a_retry_after_error_again_when_it_would_run_a_plain_one() {
    let fixture = Fixture::empty().await;
    fixture.push_after(22, 25).await;
    let worker = start!(retries_later, fixture);
    fixture.log.reaches(1).await;
    let tasks = fixture.tasks(|tasks| !tasks.scheduled.is_empty()).await;
    worker.abort();
    assert_eq!((LATER.as_secs(), fixture.pause_after(&tasks.scheduled[0], 23).await), (2, 23));
}
