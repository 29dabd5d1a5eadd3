//! Ways to cut a future short. They work on any future.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout;

use crate::operation::Dice;
use crate::panics;

/// The treatment of a call's future.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Runs until it completes.
    Never,
    /// Polled this many times, woken or not, then dropped.
    AfterPolls(u32),
    /// Dropped after this time.
    AfterTime(Duration),
    /// Runs in a separate task, which is aborted after this many turns.
    Aborted(u32),
    /// Runs until it completes, in a separate task.
    Apart,
}

impl Cut {
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        match dice.below(16) {
            0..=4 => Self::AfterPolls(dice.below(5)),
            5 => Self::AfterTime(dice.micros(2_500)),
            6 | 7 => Self::Aborted(dice.below(4)),
            8 => Self::Apart,
            _ => Self::Never,
        }
    }

    /// Whether this ends a future that never completes.
    pub(crate) const fn ends_all(self) -> bool {
        matches!(self, Self::AfterPolls(_) | Self::AfterTime(_) | Self::Aborted(_))
    }

    /// Runs the future, completely or not. An intended panic also ends it.
    pub(crate) async fn apply(self, call: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::Never => unharmed(call).await,
            Self::AfterPolls(polls) => polled(unharmed(call), polls).await,
            Self::AfterTime(time) => {
                // `Err` means that it was cut, as intended.
                let _ = timeout(time, unharmed(call)).await;
            }
            Self::Aborted(turns) => aborted(call, turns).await,
            Self::Apart => {
                // `Err` means that it panicked; the panic hook knows whether that was intended.
                let _ = tokio::spawn(call).await;
            }
        }
    }
}

async fn aborted(call: impl Future<Output = ()> + Send + 'static, turns: u32) {
    let task = tokio::spawn(call);
    for _ in 0..turns {
        yield_now().await;
    }
    task.abort();
    // Waits for the end of the task, which has dropped its values by then.
    let _ = task.await;
}

async fn polled(call: impl Future<Output = ()>, polls: u32) {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 || call.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Wraps a future, which then completes if it panics.
async fn unharmed(call: impl Future<Output = ()>) {
    let mut call = pin!(call);
    poll_fn(|cx| poll_unharmed(call.as_mut(), cx)).await;
}

fn poll_unharmed(call: Pin<&mut impl Future<Output = ()>>, cx: &mut Context<'_>) -> Poll<()> {
    panics::caught(|| call.poll(cx)).unwrap_or(Poll::Ready(()))
}
