//! Calls that are polled by hand: for integrations whose futures need a name, and so cannot be
//! `async` functions.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::attempt::Attempt;
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

/// Something a [`PollCall`] runs, once or several times.
///
/// An attempt is started, polled until it is ready or given up, and stopped, in that order and once
/// each; then the next one may be started.
pub trait PollOperation<T, E> {
    /// Begins an attempt. Polling follows.
    fn start(&mut self, attempt: Attempt);

    /// Drives the attempt that was started.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>>;

    /// Ends the attempt, which is ready or was given up, at its timeout or by an abort, and drops
    /// what it holds.
    fn stop(&mut self);

    /// Why the operation must not run again after this failure, which means that, if it must not;
    /// asked when an attempt has failed, and handed on as
    /// [`forbid_retry`](Classification::forbid_retry). Default: `None`.
    fn retry_forbidden(&mut self, failure: &Failure<T, E>, meaning: &Classification) -> Option<&'static str> {
        let _ = (failure, meaning);
        None
    }

    /// The attempt failed and will be tried again: the place to let go of what `failure` holds,
    /// such as a connection, before the wait. What is left of it is the call's last failure.
    /// Default: nothing.
    fn before_wait(&mut self, failure: &mut Failure<T, E>) {
        let _ = failure;
    }
}

impl<T, E, O: PollOperation<T, E> + ?Sized> PollOperation<T, E> for &mut O {
    #[inline]
    fn start(&mut self, attempt: Attempt) {
        (**self).start(attempt);
    }

    #[inline]
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

/// One call of an [`AsyncPolicy`] that is polled by hand, for integrations whose futures need a
/// name: the same engine and the same decisions as [`AsyncPolicy::execute`]. Made by
/// [`AsyncPolicy::poll_call`].
///
/// It is given the operation and a place for the timer's future at every poll, so that both can lie
/// in the structure that holds it. Whoever polls it drops the operation first: a breaker's permit
/// is given back when the call is dropped. [`run`](Self::run) does all of that, where an `async`
/// function will do.
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
/// /// Succeeds at the second attempt.
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
/// let (mut call, mut second, mut sleep) = (policy.poll_call().operation("count"), Second::default(), pin!(None));
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

/// The plan and the settings of a call that borrows no policy.
struct Handle<'h, E> {
    plan: Arc<Plan>,
    /// Boxed, since most calls have none.
    own: Option<Box<Own<'h, E>>>,
}

/// What one call sets for itself.
struct Own<'h, E> {
    settings: CallSettings<'h>,
    on_retry: Box<dyn RetryHook<E> + Send + Sync + 'h>,
}

impl<'h, E> Own<'h, E> {
    fn of<P, N: RetryHook<E> + Send + Sync + 'h>(context: CallContext<'h, P, N>) -> Box<Self> {
        Box::new(Self { settings: context.settings, on_retry: Box::new(context.on_retry) })
    }
}

impl<E> Hold<E> for Handle<'_, E> {
    #[inline]
    fn plan(&self) -> &Plan {
        &self.plan
    }

    #[inline]
    fn settings(&self) -> Option<&CallSettings<'_>> {
        self.own.as_ref().map(|own| &own.settings)
    }

    fn now(&self) -> Option<Instant> {
        None
    }

    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        if let Some(own) = &self.own {
            own.on_retry.on_retry(notice);
        }
    }
}

impl<C, Tm: Timer> AsyncPolicy<C, Tm> {
    /// A call that is polled by hand. Nothing happens before its first poll.
    pub fn poll_call<'h, T, E>(&self) -> PollCall<'h, T, E, C, Tm>
    where
        C: Clone,
        Tm: Clone,
    {
        self.clone().into_poll_call()
    }

    /// [`poll_call`](Self::poll_call) of a handle that is used for this one call.
    #[inline]
    pub fn into_poll_call<'h, T, E>(self) -> PollCall<'h, T, E, C, Tm> {
        PollCall::new(self, None)
    }
}

impl<'h, C: Clone, Tm: Timer + Clone, N> CallContext<'h, AsyncPolicy<C, Tm>, N> {
    /// One call with these settings that is polled by hand; see [`AsyncPolicy::poll_call`].
    pub fn poll_call<T, E>(self) -> PollCall<'h, T, E, C, Tm>
    where
        N: RetryHook<E> + Send + Sync + 'h,
    {
        PollCall::new(self.policy.clone(), Some(Own::of(self)))
    }
}

impl<'h, T, E, C, Tm: Timer> PollCall<'h, T, E, C, Tm> {
    #[inline]
    fn new(policy: AsyncPolicy<C, Tm>, own: Option<Box<Own<'h, E>>>) -> Self {
        let AsyncPolicy { plan, classifier, timer } = policy;
        Self { machine: Machine::new(Handle { plan, own }), classifier, timer }
    }

    /// Sets what is set here for this call, instead of what was set before. Without effect once
    /// polled.
    pub fn context<N>(mut self, context: CallContext<'h, (), N>) -> Self
    where
        N: RetryHook<E> + Send + Sync + 'h,
    {
        if let Some(handle) = self.machine.held_mut() {
            handle.own = Some(Own::of(context));
        }
        self
    }

    /// Names the operation; see [`CallContext::operation`]. Without effect once polled.
    pub fn operation(mut self, name: impl Into<Cow<'h, str>>) -> Self {
        if let Some(handle) = self.machine.held_mut() {
            let own = handle.own.get_or_insert_with(|| Own::of(CallContext::new()));
            own.settings.change(|settings| settings.hooks.operation = Some(name.into()));
        }
        self
    }
}

impl<T, E, C, Tm: Timer> PollCall<'_, T, E, C, Tm> {
    pub(super) const fn plan(&self) -> &Arc<Plan> {
        &self.machine.held().plan
    }

    pub(super) const fn timer(&self) -> &Tm {
        &self.timer
    }

    /// Drives the call on. `sleep` keeps an attempt's timeout or the wait after it: a place that is
    /// `None` at first, and that only the call touches.
    ///
    /// # Panics
    ///
    /// If it is polled after its end or after a panic, or if the operation, the classifier, a
    /// strategy, the timer or a breaker of your own panics; the breaker's permit is given back at
    /// once.
    ///
    /// # Cancel safety
    ///
    /// As [`AsyncPolicy`]: dropping the call stops it where it is.
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

    /// [`poll`](Self::poll) where the value that the operation returned last is all that is wanted,
    /// accepted or not, as by [`RetryOutcome::into_last_value`]. It spares two readings of the
    /// clock. Poll a call in one of the two ways throughout.
    ///
    /// # Errors
    ///
    /// As [`RetryOutcome::into_last_value`].
    ///
    /// # Panics
    ///
    /// As [`poll`](Self::poll).
    ///
    /// # Cancel safety
    ///
    /// As [`poll`](Self::poll).
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

    /// Whether the call is over: it has ended, or a panic went through it.
    #[inline]
    pub const fn is_over(&self) -> bool {
        self.machine.is_over()
    }

    /// Drives the call to its end, from inside an `async` function. The future may be dropped like
    /// any call's.
    pub async fn run<O>(self, operation: O) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        O: PollOperation<T, E>,
    {
        // ORDER: the operation is dropped before the call, which gives the permit back.
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
