//! Deferred calls on apalis with its SQLite store, and what apalis 1.0 does with the errors that
//! redress-apalis returns and does not return. The clock is that of the machine: the store compares
//! whole seconds of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apalis_core::backend::TaskSink;
use apalis_core::error::{AbortError, BoxDynError, RetryAfterError};
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_sqlite::{Config, SqlitePool, SqliteStorage};
use redress::integration::apalis::Deferral;
use redress::runtime::tokio::AsyncPolicy;
use redress::{Retry, SleepDecision, fixed};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const WAIT: Duration = Duration::from_secs(1);
const CAP: u32 = 4;

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

/// The numbers of the attempts, and when they began.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(u32, Instant)>>>);

impl Log {
    fn push(&self, number: u32) {
        self.0.lock().unwrap().push((number, Instant::now()));
    }

    fn numbers(&self) -> Vec<u32> {
        self.0.lock().unwrap().iter().map(|(number, _)| *number).collect()
    }

    /// Returns when there are `count` attempts.
    async fn reaches(&self, count: usize) {
        let started = Instant::now();
        while self.numbers().len() < count {
            assert!(started.elapsed() < Duration::from_secs(60), "{:?}", self.numbers());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Fails each attempt, and hangs in the one with this number once.
#[derive(Clone)]
struct Service {
    log: Log,
    hangs_in: Arc<Mutex<Option<u32>>>,
}

impl Service {
    async fn attempt(&self, number: u32) -> io::Result<()> {
        self.log.push(number);
        let hangs = self.hangs_in.lock().unwrap().take_if(|hangs_in| *hangs_in == number).is_some();
        if hangs {
            std::future::pending::<()>().await;
        }
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

async fn send(
    letter: u32,
    deferral: Deferral,
    policy: Data<AsyncPolicy>,
    service: Data<Service>,
    mut store: Data<SqliteStorage<u32>>,
) -> Result<(), BoxDynError> {
    let call = policy.resume_or_fresh(deferral.token());
    let outcome = call.execute_with(async |attempt| service.attempt(attempt.number()).await).await;
    deferral.settle(outcome, letter, &mut *store).await?;
    Ok(())
}

fn worker(name: &str, fixture: &Fixture, service: &Service) -> JoinHandle<()> {
    let policy = AsyncPolicy::builder()
        .name("letters")
        .retry(Retry::builder().strategy(fixed(WAIT)).max_attempts(CAP))
        .sleep_handler(|_, _| SleepDecision::Defer)
        .build()
        .unwrap();
    let worker = WorkerBuilder::new(name)
        .backend(fixture.store.clone())
        .data(policy)
        .data(service.clone())
        .data(fixture.store.clone())
        .build(send);
    tokio::spawn(async move { worker.run().await.unwrap() })
}

#[tokio::test]
async fn attempts_over_all_deliveries_stay_within_the_cap() {
    let fixture = Fixture::new().await;
    let service = Service { log: fixture.log.clone(), hangs_in: Arc::default() };
    let worker = worker("first", &fixture, &service);
    fixture.log.reaches(4).await;
    sleep(Duration::from_secs(4)).await;
    worker.abort();
    assert_eq!(fixture.log.numbers(), [1, 2, 3, 4]);
    let attempts = fixture.log.0.lock().unwrap();
    assert!(attempts.windows(2).all(|pair| pair[1].1 - pair[0].1 >= WAIT), "{attempts:?}");
}

#[tokio::test]
async fn a_killed_worker_delivers_its_token_again() {
    let fixture = Fixture::new().await;
    let service = Service { log: fixture.log.clone(), hangs_in: Arc::new(Mutex::new(Some(2))) };
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

async fn fails(_: u32, log: Data<Log>) -> Result<(), BoxDynError> {
    log.push(0);
    Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

async fn aborts(_: u32, log: Data<Log>) -> Result<(), BoxDynError> {
    log.push(0);
    Err(AbortError::new(io::Error::from(io::ErrorKind::ConnectionReset)).into())
}

async fn retries_later(_: u32, log: Data<Log>) -> Result<(), BoxDynError> {
    log.push(0);
    Err(RetryAfterError::new(io::Error::from(io::ErrorKind::ConnectionReset), WAIT).into())
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

/// Its source asks for a run after a second. The day this counts more, redress-apalis may use it.
#[tokio::test]
async fn apalis_never_runs_a_retry_after_error_again() {
    assert_eq!(runs!(retries_later), 1);
}
