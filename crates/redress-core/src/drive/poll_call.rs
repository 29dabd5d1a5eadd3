//! [`PollCall`], a call that is polled manually, for integrations whose future types must be named
//! and so cannot be `async` functions.

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::attempt::Attempt;
use super::boxed_context::BoxedContext;
use super::call::Hold;
use super::finish::{ToLastValue, ToOutcome};
use super::machine::Machine;
use super::poll_context::PollContext;
use super::timer::Timer;
use crate::classify::classification::Classification;
use crate::classify::classifier::Classifier;
use crate::outcome::call_error::CallError;
use crate::outcome::failure::Failure;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::compiled::Plan;
use crate::policy::context::CallContext;
use crate::policy::policies::AsyncPolicy;
use crate::policy::retry_notice::{RetryHook, RetryNotice};
use crate::policy::settings::CallSettings;

/// The operation of a [`PollCall`].
///
/// Each attempt is started once, polled until it is ready or cut, and stopped once. The next
/// attempt starts after that. [`PollCall`] has an example.
pub trait PollOperation<T, E> {
    /// Starts an attempt. Called before it is polled.
    fn start(&mut self, attempt: Attempt);

    /// Polls the started attempt.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>>;

    /// Ends the attempt, which is ready or was cut by its timeout or an abort. Implementations drop
    /// what it holds.
    fn stop(&mut self);

    /// Returns the reason why the operation must not run again after this failure, or `None` if it
    /// may. Called for each failed attempt, with its classification in `meaning`; a reason has the
    /// effect of [`forbid_retry`](Classification::forbid_retry). Default: `None`.
    fn retry_forbidden(&mut self, failure: &Failure<T, E>, meaning: &Classification) -> Option<&'static str> {
        let _ = (failure, meaning);
        None
    }

    /// Called when an attempt failed and will be retried, before the wait. Release the resources
    /// that `failure` holds here, such as a connection. The modified value becomes the call's last
    /// failure. Default: does nothing.
    fn before_wait(&mut self, failure: &mut Failure<T, E>) {
        let _ = failure;
    }
}

impl<T, E, O: PollOperation<T, E> + ?Sized> PollOperation<T, E> for &mut O {
    #[inline]
    fn start(&mut self, attempt: Attempt) {
        (**self).start(attempt);
    }

    // Out of line, a forward alone would cost 15 instructions an attempt.
    #[inline(always)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        (**self).poll(cx)
    }

    #[inline]
    fn stop(&mut self) {
        (**self).stop();
    }

    #[inline]
    fn retry_forbidden(&mut self, failure: &Failure<T, E>, meaning: &Classification) -> Option<&'static str> {
        (**self).retry_forbidden(failure, meaning)
    }

    #[inline]
    fn before_wait(&mut self, failure: &mut Failure<T, E>) {
        (**self).before_wait(failure);
    }
}

/// A call of an [`AsyncPolicy`] that is polled manually, for integrations whose future types must
/// be named. It makes the same decisions as [`AsyncPolicy::execute`]. Returned by
/// [`AsyncPolicy::poll_call`].
///
/// Each poll receives the operation and storage for the timer's future, so that both can be fields
/// of the caller's type. Drop the operation before the call, because dropping the call releases the
/// breaker's permit. In an `async` function, use [`run`](Self::run), which does all of this.
///
/// ```
/// use std::future::{Future, Ready, ready};
/// use std::io;
/// use std::pin::{Pin, pin};
/// use std::task::{Context, Poll, Waker};
/// use std::time::Duration;
/// use redress::{AsyncPolicy, Attempt, Retry, fixed};
/// use redress::driver::{InstantTimer, PollOperation};
///
/// /// Succeeds on the second attempt.
/// #[derive(Default)]
/// struct Second(Option<Ready<io::Result<u32>>>);
///
/// impl PollOperation<u32, io::Error> for Second {
///     fn start(&mut self, attempt: Attempt) {
///         let reset = io::Error::from(io::ErrorKind::ConnectionReset);
///         self.0 = Some(ready(if attempt.number() == 2 { Ok(7) } else { Err(reset) }));
///     }
///
///     fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u32>> {
///         self.0.as_mut().map_or(Poll::Pending, |running| Pin::new(running).poll(cx))
///     }
///
///     fn stop(&mut self) {
///         self.0 = None;
///     }
/// }
///
/// let policy = AsyncPolicy::builder().timer(InstantTimer).retry(Retry::builder().strategy(fixed(Duration::ZERO))).build()?;
/// let (mut call, mut second, mut sleep) = (policy.operation("count").poll_call(), Second::default(), pin!(None));
/// let Poll::Ready(outcome) = call.poll(&mut second, sleep.as_mut(), &mut Context::from_waker(Waker::noop())) else {
///     panic!("nothing to wait for");
/// };
/// assert_eq!((outcome.attempts(), outcome.value()), (2, Some(&7)));
/// # Ok::<(), redress::ConfigError>(())
/// ```
#[must_use = "a call does nothing unless it is polled"]
pub struct PollCall<'h, T, E, C, Tm: Timer> {
    machine: Machine<Handle<'h, E>, T, E>,
    classifier: C,
    timer: Tm,
}

/// The plan and the settings of a call that does not borrow a policy.
struct Handle<'h, E> {
    plan: Arc<Plan>,
    context: Option<BoxedContext<'h, E>>,
}

impl<E> Hold<E> for Handle<'_, E> {
    #[inline]
    fn plan(&self) -> &Plan {
        &self.plan
    }

    #[inline]
    fn settings(&self) -> Option<&CallSettings<'_>> {
        self.context.as_ref().map(BoxedContext::settings)
    }

    fn now(&self) -> Option<Instant> {
        None
    }

    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        if let Some(context) = &self.context {
            context.on_retry(notice);
        }
    }
}

impl<C, Tm: Timer> AsyncPolicy<C, Tm> {
    /// Returns a call that is polled manually. Nothing happens before its first poll.
    pub fn poll_call<'h, T, E>(&self) -> PollCall<'h, T, E, C, Tm>
    where
        C: Clone,
        Tm: Clone,
    {
        self.clone().into_poll_call(None)
    }

    /// Like [`poll_call`](Self::poll_call), for a policy handle that is used for one call only.
    /// `context` holds the settings of the call, if it has any.
    #[inline]
    pub fn into_poll_call<'h, T, E>(self, context: Option<BoxedContext<'h, E>>) -> PollCall<'h, T, E, C, Tm> {
        PollCall::new(self, context)
    }
}

impl<'h, C: Clone, Tm: Timer + Clone, N> CallContext<'h, AsyncPolicy<C, Tm>, N> {
    /// Returns a call with these settings that is polled manually; see [`AsyncPolicy::poll_call`].
    pub fn poll_call<T, E>(self) -> PollCall<'h, T, E, C, Tm>
    where
        N: RetryHook<E> + Send + Sync + 'h,
    {
        PollCall::new(self.policy.clone(), Some(BoxedContext::of(self)))
    }
}

impl<'h, T, E, C, Tm: Timer> PollCall<'h, T, E, C, Tm> {
    #[inline]
    fn new(policy: AsyncPolicy<C, Tm>, context: Option<BoxedContext<'h, E>>) -> Self {
        let AsyncPolicy { plan, classifier, timer } = policy;
        Self { machine: Machine::new(Handle { plan, context }), classifier, timer }
    }
}

impl<T, E, C, Tm: Timer> PollCall<'_, T, E, C, Tm> {
    pub(super) const fn plan(&self) -> &Arc<Plan> {
        &self.machine.held().plan
    }

    pub(super) const fn timer(&self) -> &Tm {
        &self.timer
    }

    /// Advances the call. `sleep` stores the timer's future for an attempt's timeout or a wait. It
    /// must be `None` at the first poll and must not be changed by the caller.
    ///
    /// # Panics
    ///
    /// If the call is polled after its end or after a panic, or if the operation, the classifier, a
    /// strategy, the timer or a custom breaker panics. The breaker's permit is released at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call stops it; see [`AsyncPolicy`].
    #[inline]
    pub fn poll<O>(
        &mut self,
        operation: &mut O,
        sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        O: PollOperation<T, E>,
    {
        let with = PollContext::new(&self.classifier, &self.timer, operation, sleep);
        self.machine.poll(with, ToOutcome, cx)
    }

    /// Like [`poll`](Self::poll), but resolves to the value that the operation returned last, like
    /// [`RetryOutcome::into_last_value`]. Saves two clock readings. Use the same method for all
    /// polls of a call.
    ///
    /// # Errors
    ///
    /// Those of [`RetryOutcome::into_last_value`].
    ///
    /// # Panics
    ///
    /// See [`poll`](Self::poll).
    ///
    /// # Cancel safety
    ///
    /// See [`poll`](Self::poll).
    #[inline]
    pub fn poll_last_value<O>(
        &mut self,
        operation: &mut O,
        sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, CallError<E>>>
    where
        C: Classifier<T, E>,
        O: PollOperation<T, E>,
    {
        let with = PollContext::new(&self.classifier, &self.timer, operation, sleep);
        self.machine.poll(with, ToLastValue, cx)
    }

    /// Whether the call has ended, by a result or a panic.
    #[inline]
    pub const fn is_over(&self) -> bool {
        self.machine.is_over()
    }

    /// Runs the call to its end, in an `async` function.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the call; see [`AsyncPolicy`].
    pub async fn run<O>(self, operation: O) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        O: PollOperation<T, E>,
    {
        // ORDER: the operation is dropped before the call, which releases the permit.
        let mut call = self;
        let mut operation = operation;
        let mut sleep = pin!(None);
        poll_fn(|cx| call.poll(&mut operation, sleep.as_mut(), cx)).await
    }
}

impl<T, E, C, Tm: Timer> Drop for PollCall<'_, T, E, C, Tm> {
    #[inline]
    fn drop(&mut self) {
        if self.machine.is_unfinished() {
            self.machine.abandon(&self.timer);
        }
    }
}

impl<T, E, C, Tm: Timer> fmt::Debug for PollCall<'_, T, E, C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollCall").finish_non_exhaustive()
    }
}
