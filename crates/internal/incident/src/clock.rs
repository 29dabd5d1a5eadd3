//! The story's clock: five minutes that take five seconds, for policies, backends and log lines
//! alike.
//!
//! Owns the rate at which time passes. A service that runs for real takes
//! `redress::runtime::tokio::AsyncPolicy` and has no such file.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use redress::driver::Timer;
use tokio::sync::watch;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

const TICK: Duration = Duration::from_millis(1);

/// How much time passes at once at most. A process that is kept waiting by a busy machine plays the
/// story later, and not with timeouts that have nothing to do with it.
const LONGEST_STEP: Duration = Duration::from_millis(2);

/// A clock on which time passes `speed` times as fast as on the system's.
#[derive(Clone, Debug)]
pub(crate) struct StoryClock {
    began: Instant,
    passed: watch::Receiver<Duration>,
}

impl StoryClock {
    /// A clock whose story begins now. It runs as a task of this runtime, in turn with everything
    /// that it measures.
    pub(crate) fn start(speed: u32) -> Self {
        let (sender, passed) = watch::channel(Duration::ZERO);
        tokio::spawn(async move {
            let mut last = Instant::now();
            loop {
                tokio::time::sleep(TICK).await;
                let now = Instant::now();
                let step = now.saturating_duration_since(last).min(LONGEST_STEP).saturating_mul(speed);
                sender.send_modify(|passed| *passed += step);
                last = now;
            }
        });
        Self { began: Instant::now(), passed }
    }

    /// How much of the story has passed.
    pub(crate) fn elapsed(&self) -> Duration {
        *self.passed.borrow()
    }

    /// Completes when so much of the story has passed.
    pub(crate) async fn until(&self, moment: Duration) {
        // An error is a runtime that ends.
        let _ = self.passed.clone().wait_for(|passed| *passed >= moment).await;
    }
}

/// With it the waits, timeouts, deadlines, breakers and budgets of policies run by the story's
/// time.
impl Timer for StoryClock {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        let (clock, end) = (self.clone(), self.elapsed() + duration);
        Box::pin(async move { clock.until(end).await })
    }

    fn now(&self) -> Instant {
        self.began + self.elapsed()
    }
}

/// Minutes and seconds of the story.
impl fmt::Display for StoryClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed().as_secs();
        write!(f, "{}:{:02}", seconds / 60, seconds % 60)
    }
}

impl FormatTime for StoryClock {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        write!(to, "{self}")
    }
}
