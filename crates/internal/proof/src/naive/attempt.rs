//! One attempt of the model, with its time limit, and the wait after it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use redress_core::error::Failure;
use redress_core::{Classification, ErrorClass};

use super::{Failed, LONGEST_KEPT, Life, Naive, shorter};
use crate::note::What;
use crate::stage::{Attempted, Awaiting, Planned, Wait};
use crate::world::{Driver, End, Owner, Value};

impl Naive {
    pub(super) fn before_sleep(
        &self,
        life: &Life<'_>,
        failed: &Failed,
        delay: Duration,
        now: Duration,
    ) -> Option<Awaiting> {
        let owner = self.owner(life.call, |hooks| hooks.before_sleep.is_some())?;
        self.stage.before_sleep(owner, self.backoff(life, failed, now), delay).ok().flatten()
    }

    /// Waits: by the sleeper, or without it if it panics.
    pub(super) async fn wait(&self, life: &Life<'_>, delay: Duration) {
        let owners = [Owner::Call(life.call), Owner::Policy];
        let owner = owners.into_iter().find(|owner| self.stage.world.sleeper(*owner, self.stage.driver()).is_some());
        let is_async = self.stage.driver() == Driver::Async;
        if let Some(owner) = owner {
            if let Ok(awaiting) = self.stage.sleeper(owner, delay.min(LONGEST_KEPT)) {
                if !is_async || awaiting.await.is_ok() {
                    return;
                }
            }
        }
        if delay.is_zero() {
            return;
        }
        assert!(is_async, "the case would put the thread to sleep");
        self.timer(delay.min(LONGEST_KEPT)).await;
    }

    fn timer(&self, duration: Duration) -> Wait {
        self.stage.note(What::Timer(duration));
        self.stage.wait(duration)
    }

    /// Runs the operation and classifies its result.
    pub(super) async fn attempt(
        &self,
        life: &Life<'_>,
        time_left: Option<Duration>,
    ) -> Result<Result<Value, Failed>, Planned> {
        let attempted = match self.stage.driver() {
            Driver::Blocking | Driver::Bare => Some(self.stage.run(life.attempts, time_left)),
            Driver::Async => self.attempt_in_time(life, time_left).await,
        };
        let Some(attempted) = attempted else {
            let classification = self.stage.world.policy.timeout_as.classification();
            let classification = classification.unwrap_or(Classification::new(ErrorClass::Transient));
            return Ok(Err(Failed { failure: Failure::Timeout, classification }));
        };
        Ok(match attempted? {
            Ok(value) if value.end == End::ClassifierPanics => return Err(Planned),
            Ok(value) => match value.end.classification() {
                None => Ok(value),
                Some(classification) => Err(Failed { failure: Failure::Result(value), classification }),
            },
            Err(error) => {
                // The classifier did not recognise it.
                let unknown = Classification::new(ErrorClass::Unknown);
                let classification = error.end.classification().unwrap_or(unknown);
                Err(Failed { failure: Failure::Error(error), classification })
            }
        })
    }

    /// `None` if the attempt's time is over before it is.
    async fn attempt_in_time(
        &self,
        life: &Life<'_>,
        time_left: Option<Duration>,
    ) -> Option<Result<Attempted, Planned>> {
        let mut running = pin!(self.stage.run_async(life.attempts, time_left));
        let (times, mut timer) = (self.times(life), None);
        poll_fn(|cx| {
            if let Poll::Ready(result) = running.as_mut().poll(cx) {
                return Poll::Ready(Some(result));
            }
            if timer.is_none() {
                let deadline = if times.may_finish && times.attempt_timeout.is_none() {
                    None
                } else {
                    self.remaining(life, self.now())
                };
                match shorter(times.attempt_timeout, deadline) {
                    Some(Duration::ZERO) => return Poll::Ready(None),
                    limit => timer = limit.map(|limit| self.timer(limit)),
                }
            }
            match &mut timer {
                Some(timer) => Pin::new(timer).poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }
}
