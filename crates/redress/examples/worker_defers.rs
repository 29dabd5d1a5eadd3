//! A queue worker that defers retries: if the wait is long enough for other work, the job returns
//! to the queue, with a token from which the next delivery continues.
//!
//! At shutdown, the current job is abandoned and stays in the queue.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redress::error::{RateLimitError, ServerError};
use redress::resume::ResumeToken;
use redress::{Policy, Retry, SleepDecision, StopReason, decorrelated_jitter};

/// The worker sleeps for waits up to this limit, and defers longer ones.
const LONGEST_WAIT_HERE: Duration = Duration::from_millis(100);

fn main() -> anyhow::Result<()> {
    let policy = Policy::builder()
        .retry(Retry::builder().strategy(decorrelated_jitter().base(Duration::from_millis(30))).max_attempts(20))
        .build()?;
    let mut queue: VecDeque<Job> = ["a letter", "a newsletter", "a parcel", "a piano"].map(Job::new).into();
    let shutdown = AtomicBool::new(false);

    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_secs(1));
            println!("shutdown requested");
            shutdown.store(true, Ordering::Relaxed);
        });
        work(&policy, &mut queue, &shutdown);
    });

    let left: Vec<&str> = queue.iter().map(|job| job.name).collect();
    println!("left in the queue for the next start: {}", left.join(", "));
    Ok(())
}

/// A job, and when it is due.
struct Job {
    name: &'static str,
    due: Instant,
    /// The state of its call, if its retry was deferred.
    token: Option<ResumeToken>,
    deliveries: u32,
}

impl Job {
    fn new(name: &'static str) -> Self {
        Self { name, due: Instant::now(), token: None, deliveries: 0 }
    }
}

/// Works until the queue is empty or a shutdown is requested.
fn work(policy: &Policy, queue: &mut VecDeque<Job>, shutdown: &AtomicBool) {
    while let Some(mut job) = queue.pop_front() {
        if job.due > Instant::now() && !shutdown.load(Ordering::Relaxed) {
            queue.push_back(job);
            thread::sleep(Duration::from_millis(5));
            continue;
        }
        println!("{}", job.name);
        let deliver = job.token.map_or_else(|| policy.context(), |token| policy.resume(token));
        let outcome = deliver
            .operation("deliver")
            .abort_if(|| shutdown.load(Ordering::Relaxed))
            .sleep_handler(|_, wait| if wait > LONGEST_WAIT_HERE { SleepDecision::Defer } else { SleepDecision::Sleep })
            .before_sleep(|context, wait| println!("  {}, so again in {wait:.0?}", context.class()))
            .execute(|| job.deliver());
        match (outcome.stop_reason(), outcome.next_delay()) {
            (None, _) => println!("  delivered"),
            (Some(StopReason::Scheduled), Some(wait)) => {
                println!("  back to the queue after attempt {}, due in {wait:.0?}", outcome.attempts());
                job.token = outcome.resume_token();
                job.due = Instant::now() + wait;
                queue.push_back(job);
            }
            (Some(StopReason::Aborted), _) => {
                println!("  given up (attempts made: {})", outcome.attempts());
                queue.push_back(job);
                return;
            }
            (Some(reason), _) => println!("  for a person to look at: {reason}"),
        }
    }
}

impl Job {
    /// Letters go out at once, newsletters are rate-limited, parcels need a second try, and pianos
    /// never leave.
    fn deliver(&mut self) -> Result<(), DeliveryError> {
        self.deliveries += 1;
        match (self.name, self.deliveries) {
            ("a newsletter", 1) => {
                let limit = RateLimitError::new("100 newsletters a minute");
                Err(DeliveryError::Limited(limit.with_retry_after(Duration::from_millis(400))))
            }
            ("a parcel", 1) => Err(DeliveryError::Failed(ServerError::new("the van did not start"))),
            ("a piano", _) => Err(DeliveryError::Failed(ServerError::new("the stairs are too narrow"))),
            _ => Ok(()),
        }
    }
}

/// The default classifier reads the marker errors in its source chain, so it needs no custom
/// classifier.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error("too many deliveries")]
    Limited(#[source] RateLimitError),
    #[error("the delivery failed")]
    Failed(#[source] ServerError),
}
