//! [`Deferral`]: what a task says about the call that it continues, and the task that continues it
//! next.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apalis_core::backend::TaskSink;
use apalis_core::error::{AbortError, BoxDynError};
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::from_request::FromRequest;
use apalis_core::task::{ExecutionContext, Task};
use redress_core::{CallError, RetryOutcome, StopReason};

use crate::push_error::PushError;

/// The key of the token in a task's metadata.
pub const METADATA_KEY: &str = "redress.resume";

/// Until a rejected call is delivered again, if it is not known when it may succeed.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(30);

/// What a task says about its call: the token of the call that it continues, if there is one, and
/// the settings that the next task of the call inherits.
///
/// An argument of a handler, or made [of](Self::of) a task. Pass [`token`](Self::token) to
/// `policy.resume_or_fresh(..)`, and the outcome to [`settle`](Self::settle).
///
/// ```no_run
/// use apalis_core::backend::TaskSink;
/// use apalis_core::error::BoxDynError;
/// use apalis_core::task::data::Data;
/// use redress::integration::apalis::Deferral;
/// use redress::runtime::tokio::AsyncPolicy;
///
/// # #[derive(Clone)]
/// struct Letter { to: String }
/// # async fn deliver(_: &Letter) -> std::io::Result<()> { Ok(()) }
///
/// async fn send<S: TaskSink<Letter, K>, K>(
///     letter: Letter,
///     deferral: Deferral,
///     policy: Data<AsyncPolicy>,
///     mut store: Data<S>,
/// ) -> Result<(), BoxDynError> {
///     let call = policy.resume_or_fresh(deferral.token()).operation("send");
///     let outcome = call.execute(|| deliver(&letter)).await;
///     deferral.settle(outcome, letter, &mut *store).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Deferral {
    context: Arc<ExecutionContext>,
}

impl Deferral {
    /// Reads the metadata of a task.
    #[must_use]
    pub fn of<Args>(task: &Task<Args>) -> Self {
        Self { context: Arc::clone(task.ctx()) }
    }

    /// The text of the token that the task came with. `policy.resume_or_fresh(..)` reads it, and
    /// starts afresh without one, or with one that is foreign, stale or damaged.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.context.metadata().get(METADATA_KEY)
    }

    /// Ends the task as its call ended. The arguments go into the next task, if there is one.
    ///
    /// | the call | the task |
    /// |---|---|
    /// | succeeded | done: `Some` with the value |
    /// | was deferred, was rejected, was aborted from outside | [continued](Self::next_task) by a task that is pushed here, and done: `None` |
    /// | failed | given up: an [`AbortError`] with the [`CallError`] as its source, so that apalis does not run it again |
    ///
    /// The store pushes before the task ends, so a process that dies in between delivers the same
    /// token twice, and loses nothing.
    ///
    /// # Errors
    ///
    /// An [`AbortError`] if the call failed, and a [`PushError`] if the store did not take the next
    /// task. Return both from the handler as they are: apalis tells them apart by their types.
    pub async fn settle<T, E, Args, S, K>(
        &self,
        outcome: RetryOutcome<T, E>,
        args: Args,
        store: &mut S,
    ) -> Result<Option<T>, BoxDynError>
    where
        CallError<E>: Into<BoxDynError>,
        S: TaskSink<Args, K>,
    {
        let Some(task) = self.next_task(&outcome, args) else {
            return outcome.into_result().map(Some).map_err(|error| AbortError::new(error).into());
        };
        drop(outcome);
        store.push_task(task).await.map_err(PushError::new)?;
        Ok(None)
    }

    /// Returns the task that continues the call, or `None` if the call is over. For stores without
    /// a [`TaskSink`]; [`settle`](Self::settle) pushes it.
    ///
    /// | the call | the next task runs | with the token |
    /// |---|---|---|
    /// | was deferred (`Scheduled`) | after `next_delay()` | of the outcome |
    /// | was rejected by a breaker (`CircuitOpen`) | after `retry_in()`, or 30 s | of this task |
    /// | had no budget for a retry (`BudgetExhausted`) | after `retry_in()`, or 30 s | of this task, so the attempts of this delivery do not count |
    /// | was aborted from outside, as at shutdown (`Aborted`) | at once | of this task |
    ///
    /// A call that its own operation aborted, with an `abort_error()`, is over.
    ///
    /// The next task inherits metadata, priority, queue and `max_attempts`, which limits how often
    /// apalis repeats a single delivery. It has no idempotency key: stores drop a task whose key
    /// they have seen. It runs at a whole second, and never before the delay is over.
    #[must_use]
    pub fn next_task<T, E, Args>(&self, outcome: &RetryOutcome<T, E>, args: Args) -> Option<Task<Args>> {
        let (pause, token) = self.continuation(outcome)?;
        let mut metadata = self.context.metadata().clone();
        metadata.remove(METADATA_KEY);
        if let Some(token) = token {
            let inserted = metadata.insert(METADATA_KEY, token);
            debug_assert!(inserted.is_ok(), "the key was removed");
        }
        let mut task = TaskBuilder::new(args).with_metadata(metadata).run_at_timestamp(second_after(pause));
        if let Some(priority) = self.context.priority() {
            task = task.priority(priority);
        }
        if let Some(queue) = self.context.queue() {
            task = task.queue(queue.clone());
        }
        if let Some(max_attempts) = self.context.max_attempts() {
            task = task.max_attempts(max_attempts);
        }
        Some(task.build())
    }

    /// The time until the next delivery, and its token.
    fn continuation<T, E>(&self, outcome: &RetryOutcome<T, E>) -> Option<(Duration, Option<String>)> {
        let own = || self.token().map(str::to_owned);
        match outcome.stop_reason()? {
            StopReason::Scheduled => {
                let token = outcome.resume_token().map(|token| token.to_string());
                Some((outcome.next_delay().unwrap_or_default(), token))
            }
            StopReason::CircuitOpen | StopReason::BudgetExhausted => {
                Some((outcome.retry_in().unwrap_or(UNKNOWN_PAUSE), own()))
            }
            StopReason::Aborted if outcome.abort_error().is_none() => Some((Duration::ZERO, own())),
            _ => None,
        }
    }
}

impl<Args: Sync> FromRequest<Task<Args>> for Deferral {
    type Error = Infallible;

    async fn from_request(task: &Task<Args>) -> Result<Self, Infallible> {
        Ok(Self::of(task))
    }
}

/// The first whole second of the wall clock, since the Unix epoch, that is not before the end of
/// the pause. Stores keep whole seconds; the fraction cut off would shorten the wait.
fn second_after(pause: Duration) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let rounding = Duration::new(0, 999_999_999);
    // A column of 64 bits with a sign holds it.
    let latest = i64::MAX.unsigned_abs();
    now.saturating_add(pause).saturating_add(rounding).as_secs().min(latest)
}
