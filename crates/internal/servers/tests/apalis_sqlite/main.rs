//! Deferred calls on apalis with its SQLite store, and what apalis 1.0 does with the errors that
//! redress-apalis returns and does not return. The clock is that of the machine: the store compares
//! whole seconds of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod letters;

use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_sqlite::{Config, SqlitePool, SqliteStorage};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::letters::{Log, Service, aborts, fails, policy, retries_later, send};

const WAIT: Duration = Duration::from_secs(1);

/// A store in a file, and what its tasks did.
struct Fixture {
    store: SqliteStorage<u32>,
    log: Log,
    _folder: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jobs.db");
        let pool = SqlitePool::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        SqliteStorage::setup(&pool).await.unwrap();
        let config = Config::default().queue("letters").heartbeat_interval(Duration::from_secs(1)).missed_heartbeats(1);
        let mut store = SqliteStorage::new(&pool).with_config(config);
        store.push(7).await.unwrap();
        Self { store, log: Log::default(), _folder: folder }
    }
}

fn worker(name: &str, fixture: &Fixture, service: &Service) -> JoinHandle<()> {
    let worker = WorkerBuilder::new(name)
        .backend(fixture.store.clone())
        .data(policy(WAIT))
        .data(service.clone())
        .data(fixture.store.clone())
        .build(send::<SqliteStorage<u32>, _>);
    tokio::spawn(async move { worker.run().await.unwrap() })
}

#[tokio::test]
async fn attempts_over_all_deliveries_stay_within_the_cap() {
    let fixture = Fixture::new().await;
    let service = Service::new(&fixture.log, None);
    let worker = worker("first", &fixture, &service);
    fixture.log.reaches(4).await;
    sleep(Duration::from_secs(4)).await;
    worker.abort();
    assert_eq!(fixture.log.numbers(), [1, 2, 3, 4]);
    let waits = fixture.log.waits();
    assert!(waits.iter().all(|wait| *wait >= WAIT), "{waits:?}");
}

#[tokio::test]
async fn a_killed_worker_delivers_its_token_again() {
    let fixture = Fixture::new().await;
    let service = Service::new(&fixture.log, Some(2));
    let first = worker("first", &fixture, &service);
    fixture.log.reaches(2).await;
    first.abort();
    let second = worker("second", &fixture, &service);
    fixture.log.reaches(5).await;
    sleep(Duration::from_secs(4)).await;
    second.abort();
    // The attempt that was cut is in no token, so its number comes again.
    assert_eq!(fixture.log.numbers(), [1, 2, 2, 3, 4]);
}

/// Runs a handler for a few heartbeats, and counts its runs.
macro_rules! runs {
    ($handler:ident) => {{
        let fixture = Fixture::new().await;
        let worker =
            WorkerBuilder::new("first").backend(fixture.store.clone()).data(fixture.log.clone()).build($handler);
        let worker = tokio::spawn(async move { worker.run().await.unwrap() });
        fixture.log.reaches(1).await;
        sleep(Duration::from_secs(5)).await;
        worker.abort();
        fixture.log.numbers().len()
    }};
}

#[tokio::test]
async fn apalis_runs_a_plain_error_25_times_without_a_delay() {
    assert_eq!(runs!(fails), 25);
}

#[tokio::test]
async fn apalis_runs_an_abort_once() {
    assert_eq!(runs!(aborts), 1);
}

/// The error asks for a run after two seconds. The day this counts more, redress-apalis may use
/// it.
#[tokio::test]
async fn apalis_never_runs_a_retry_after_error_again() {
    assert_eq!(runs!(retries_later), 1);
}
