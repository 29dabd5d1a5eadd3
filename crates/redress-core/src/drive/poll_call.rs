//! Calls for those who cannot write `async`: polled by hand, and told where to keep what they wait for.
//!
//! Owns the public form of such a call and the seam to what it runs. The loop is `machine.rs`.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::classify::classifier::Classifier;
use crate::drive::attempt::Attempt;
use crate::drive::machine::{Course, Settings, With};
use crate::drive::steps::to_outcome;
use crate::drive::timer::Timer;
use crate::engine::Flags;
use crate::outcome::failure::Failure;
use crate::outcome::retry_outcome::RetryOutcome;
use crate::policy::context::CallContext;
use crate::policy::policies::AsyncPolicy;

/// Something a [`DrivenCall`] runs, once or several times.
///
/// An attempt is started, polled until it is ready or given up, and stopped, in that order and once each; then the next one may be
/// started.
pub trait Operation<T, E> {
    /// Begins an attempt. Polling follows.
    fn start(&mut self, attempt: Attempt);

    /// Drives the attempt that was started.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>>;

    /// Ends the attempt, which is ready or was given up at its timeout: what it holds is to be dropped.
    fn stop(&mut self);

    /// Why the operation must not run again, if it must not; asked when an attempt has failed, and handed on as
    /// [`forbid_retry`](crate::Classification::forbid_retry). Default: `None`.
    fn retry_forbidden(&self) -> Option<&'static str> {
        None
    }

    /// The attempt failed and will be tried again: the place to let go of what `failure` holds, such as a connection, before the
    /// wait. What is left of it is the call's last failure. Default: nothing.
    fn before_wait(&mut self, failure: &mut Failure<T, E>) {
        let _ = failure;
    }
}

/// One call of an [`AsyncPolicy`] that is polled by hand, for integrations whose futures need a name: the same engine and the same
/// decisions as [`AsyncPolicy::execute`]. Made by [`AsyncPolicy::driven`].
///
/// It is given the operation and a place for the timer's future at every poll, so that both can lie in the structure that holds
/// it. Whoever polls it drops the operation first: a breaker's permit is given back when the call is dropped. [`run`](Self::run) does
/// all of that, where an `async` function will do.
///
/// ```
/// use std::future::{Future, Ready, ready};
/// use std::io;
/// use std::pin::{Pin, pin};
/// use std::task::{Context, Poll, Waker};
/// use std::time::Duration;
/// use redress_core::{AsyncPolicy, Attempt, InstantTimer, Operation, Retry, fixed};
///
/// /// Succeeds at the second attempt.
/// #[derive(Default)]
/// struct Second(Option<Ready<io::Result<u32>>>);
///
/// impl Operation<u32, io::Error> for Second {
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
/// let policy = AsyncPolicy::<_, InstantTimer>::builder().retry(Retry::builder().strategy(fixed(Duration::ZERO))).build()?;
/// let (mut call, mut second, mut sleep) = (policy.driven().operation("count"), Second::default(), pin!(None));
/// let Poll::Ready(outcome) = call.poll(&mut second, sleep.as_mut(), &mut Context::from_waker(Waker::noop())) else {
///     panic!("nothing to wait for");
/// };
/// assert_eq!((outcome.attempts(), outcome.value()), (2, Some(&7)));
/// # Ok::<(), redress_core::ConfigError>(())
/// ```
#[must_use = "a call does nothing unless it is polled"]
pub struct DrivenCall<'h, T, E, C, Tm> {
    course: Course<'h, T, E>,
    classifier: C,
    timer: Tm,
}

impl<C: Clone, Tm: Clone> AsyncPolicy<C, Tm> {
    /// A call that is polled by hand. Nothing happens before its first poll.
    pub fn driven<'h, T, E>(&self) -> DrivenCall<'h, T, E, C, Tm> {
        DrivenCall::new(self, Settings::None)
    }
}

impl<'h, C: Clone, Tm: Clone> CallContext<'h, AsyncPolicy<C, Tm>> {
    /// One call with these settings that is polled by hand; see [`AsyncPolicy::driven`].
    pub fn driven<T, E>(self) -> DrivenCall<'h, T, E, C, Tm> {
        DrivenCall::new(self.policy, Settings::Own(Box::new(self.settings)))
    }
}

impl<'h, T, E, C: Clone, Tm: Clone> DrivenCall<'h, T, E, C, Tm> {
    fn new(policy: &AsyncPolicy<C, Tm>, settings: Settings<'h>) -> Self {
        let AsyncPolicy { plan, classifier, timer } = policy;
        let course = Course::new(Arc::clone(plan), settings, Flags::OUTCOME);
        Self { course, classifier: classifier.clone(), timer: timer.clone() }
    }
}

impl<'h, T, E, C, Tm: Timer> DrivenCall<'h, T, E, C, Tm> {
    /// Names the operation; see [`CallContext::operation`]. Without effect once polled.
    pub fn operation(mut self, name: impl Into<Cow<'h, str>>) -> Self {
        if let Some(settings) = self.course.settings_mut() {
            settings.change(|settings| settings.hooks.operation = Some(name.into()));
        }
        self
    }

    /// Drives the call on. `sleep` keeps an attempt's timeout, or the wait after it: a place that is `None` at first, and that
    /// nobody else touches.
    ///
    /// # Panics
    ///
    /// If it is polled after its end or after a panic, or if the operation, the classifier, a strategy, or a breaker of your own
    /// panics; the breaker's permit is given back.
    ///
    /// # Cancel safety
    ///
    /// As [`AsyncPolicy`]: dropping the call stops it where it is.
    pub fn poll<O>(
        &mut self,
        operation: &mut O,
        sleep: Pin<&mut Option<Tm::Sleep>>,
        cx: &mut Context<'_>,
    ) -> Poll<RetryOutcome<T, E>>
    where
        C: Classifier<T, E>,
        O: Operation<T, E>,
    {
        let with = With { classifier: &self.classifier, timer: &self.timer, operation, sleep };
        self.course.poll(with, to_outcome, cx)
    }

    /// Drives the call to its end, from inside an `async` function. The future may be dropped like any call's.
    pub async fn run<O>(self, operation: O) -> RetryOutcome<T, E>
    where
        C: Classifier<T, E>,
        O: Operation<T, E>,
    {
        // ORDER: the operation is dropped before the call, which gives the permit back.
        let mut call = self;
        let mut operation = operation;
        let mut sleep = pin!(None);
        poll_fn(|cx| call.poll(&mut operation, sleep.as_mut(), cx)).await
    }
}

impl<T, E, C, Tm> fmt::Debug for DrivenCall<'_, T, E, C, Tm> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrivenCall").finish_non_exhaustive()
    }
}
