//! The clock of the story: five minutes in five seconds, for policies, backends and log lines
//! alike.
//!
//! A real service has no such file: it uses `redress::runtime::tokio::AsyncPolicy`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use redress::driver::Timer;
use tokio::sync::watch;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

const TICK: Duration = Duration::from_millis(1);

/// The longest step of time. On a busy machine the story runs late, rather than with timeouts that
/// do not belong to it.
const LONGEST_STEP: Duration = Duration::from_millis(2);

/// A clock on which time passes `speed` times as fast as on the system's.
#[derive(Clone, Debug)]
pub(crate) struct StoryClock {
    began: Instant,
    passed: watch::Receiver<Duration>,
}

impl StoryClock {
    /// Starts a clock at zero. It runs as a task of this runtime, in turn with everything that it
    /// measures.
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

    /// The time since the story began.
    pub(crate) fn elapsed(&self) -> Duration {
        *self.passed.borrow()
    }

    /// Completes when this time has passed in the story.
    pub(crate) async fn until(&self, moment: Duration) {
        // An error means that the runtime is shutting down.
        let _ = self.passed.clone().wait_for(|passed| *passed >= moment).await;
    }
}

/// Makes the waits, timeouts, deadlines, breakers and budgets of policies run on the story's time.
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
