//! The scenes, and how their calls are spread over time.
//!
//! They are the same for the policy and the naive loop, so that the results can be compared.

use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

/// The interval between the starts of two calls. A call does not wait for the one before.
pub(crate) const EVERY: Duration = Duration::from_millis(125);

pub(crate) struct Scene {
    pub(crate) path: &'static str,
    pub(crate) calls: u32,
    pub(crate) plot: &'static str,
}

pub(crate) const SCENES: [Scene; 7] = [
    Scene { path: "/steady", calls: 1, plot: "nothing is wrong" },
    Scene { path: "/flaky", calls: 1, plot: "a 503, then a dropped connection, then a page" },
    Scene { path: "/limited", calls: 1, plot: "429 with Retry-After: 1, and it means it" },
    Scene { path: "/slow", calls: 1, plot: "the first answer takes 5 s: the attempt is cut off" },
    Scene { path: "/missing", calls: 1, plot: "404 is an answer: asking again would not help" },
    Scene { path: "/closed", calls: 1, plot: "503 with Retry-After: 60, which no deadline here allows" },
    Scene { path: "/storm", calls: 20, plot: "down for 0.5 s, then overloaded by 12 requests a second" },
];

/// Makes `calls` calls, each in a new task. Returns the answers in the order of the calls.
pub(crate) async fn play<Fut>(calls: u32, mut call: impl FnMut(u32) -> Fut) -> Result<Vec<Fut::Output>, JoinError>
where
    Fut: Future<Output: Send> + Send + 'static,
{
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running = JoinSet::new();
    for number in 1..=calls {
        ticks.tick().await;
        let call = call(number);
        running.spawn(async move { (number, call.await) });
    }
    let mut ended = Vec::new();
    while let Some(joined) = running.join_next().await {
        ended.push(joined?);
    }
    ended.sort_by_key(|(number, _)| *number);
    Ok(ended.into_iter().map(|(_, answer)| answer).collect())
}
