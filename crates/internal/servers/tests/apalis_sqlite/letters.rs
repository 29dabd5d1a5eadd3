//! The work on a queue of letters, for each store of apalis: handlers, and the log of what they
//! ran.
//!
//! Names the crates of redress and not the facade, whose lock file would hold every client: the
//! package of the Redis store, which stands outside the workspace, compiles this file too.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use apalis_core::backend::TaskSink;
use apalis_core::error::{AbortError, BoxDynError, RetryAfterError};
use apalis_core::task::data::Data;
use redress_apalis::Deferral;
use redress_core::{Retry, SleepDecision, fixed};
use redress_tokio::AsyncPolicy;
use tokio::time::sleep;

pub(crate) const CAP: u32 = 4;
/// The pause that [`retries_later`] asks for.
pub(crate) const LATER: Duration = Duration::from_secs(2);
/// How long a condition may take to hold, on two busy cores.
const LIMIT: Duration = Duration::from_secs(60);

/// The numbers of the attempts, and when they began.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(u32, Instant)>>>);

impl Log {
    fn push(&self, number: u32) {
        self.0.lock().unwrap().push((number, Instant::now()));
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.0.lock().unwrap().iter().map(|(number, _)| *number).collect()
    }

    /// The times between the attempts.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().windows(2).map(|pair| pair[1].1 - pair[0].1).collect()
    }

    /// Returns when there are `count` attempts.
    pub(crate) async fn reaches(&self, count: usize) {
        until(async || (self.numbers().len() >= count).then_some(()).ok_or_else(|| self.numbers())).await;
    }
}

/// Returns what `probe` found, as soon as it finds something.
///
/// Panics after a minute with what it saw instead.
pub(crate) async fn until<T, S: std::fmt::Debug>(mut probe: impl AsyncFnMut() -> Result<T, S>) -> T {
    let started = Instant::now();
    loop {
        match probe().await {
            Ok(found) => return found,
            Err(seen) => assert!(started.elapsed() < LIMIT, "{seen:?}"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Fails each attempt, and hangs in the one with this number once.
#[derive(Clone)]
pub(crate) struct Service {
    log: Log,
    hangs_in: Arc<Mutex<Option<u32>>>,
}

impl Service {
    pub(crate) fn new(log: &Log, hangs_in: Option<u32>) -> Self {
        Self { log: log.clone(), hangs_in: Arc::new(Mutex::new(hangs_in)) }
    }

    async fn attempt(&self, number: u32) -> io::Result<()> {
        self.log.push(number);
        let hangs = self.hangs_in.lock().unwrap().take_if(|hangs_in| *hangs_in == number).is_some();
        if hangs {
            pending::<()>().await;
        }
        Err(reset())
    }
}

/// Defers every wait.
pub(crate) fn policy(wait: Duration) -> AsyncPolicy {
    AsyncPolicy::builder()
        .name("letters")
        .retry(Retry::builder().strategy(fixed(wait)).max_attempts(CAP))
        .sleep_handler(|_, _| SleepDecision::Defer)
        .build()
        .unwrap()
}

pub(crate) async fn send<S: TaskSink<u32, K>, K>(
    letter: u32,
    deferral: Deferral,
    policy: Data<AsyncPolicy>,
    service: Data<Service>,
    mut store: Data<S>,
) -> Result<(), BoxDynError> {
    let call = policy.resume_or_fresh(deferral.token());
    let outcome = call.execute_with(async |attempt| service.attempt(attempt.number()).await).await;
    deferral.settle(outcome, letter, &mut *store).await?;
    Ok(())
}

pub(crate) async fn fails(_: u32, log: Data<Log>) -> Result<(), BoxDynError> {
    log.push(0);
    Err(reset().into())
}

pub(crate) async fn aborts(_: u32, log: Data<Log>) -> Result<(), BoxDynError> {
    log.push(0);
    Err(AbortError::new(reset()).into())
}

pub(crate) async fn retries_later(_: u32, log: Data<Log>) -> Result<(), BoxDynError> {
    log.push(0);
    Err(RetryAfterError::new(reset(), LATER).into())
}

fn reset() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
