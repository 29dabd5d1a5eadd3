//! The future of one asynchronous call: the state machine, and storage for the futures that must be
//! pinned.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::attempt::Attempt;
use super::call::Hold;
use super::finish::Finish;
use super::machine::Machine;
use super::poll_call::PollOperation;
use super::poll_context::PollContext;
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::policy::compiled::Plan;
use crate::policy::context::CallContext;
use crate::policy::policies::AsyncPolicy;
use crate::policy::retry_notice::{RetryHook, RetryNotice};
use crate::policy::settings::CallSettings;

pin_project! {
    /// A call of a borrowed policy.
    pub(crate) struct CallFuture<'a, T, E, C, Tm, S, F, Fut, N>
    where
        Tm: Timer,
        S: Settings<E>,
    {
        // ORDER: the attempt is dropped before the machine, which releases the permit.
        #[pin]
        running: Option<Fut>,
        #[pin]
        sleep: Option<Tm::Sleep>,
        machine: Machine<Borrowed<'a, C, Tm, S>, T, E>,
        operation: F,
        finish: N,
    }
}

/// The borrowed policy and settings of a call.
pub(crate) struct Borrowed<'a, C, Tm, S> {
    policy: &'a AsyncPolicy<C, Tm>,
    settings: S,
}

impl<E, C, Tm: Timer, S: Settings<E>> Hold<E> for Borrowed<'_, C, Tm, S> {
    #[inline]
    fn plan(&self) -> &Plan {
        &self.policy.plan
    }

    #[inline]
    fn settings(&self) -> Option<&CallSettings<'_>> {
        self.settings.get()
    }

    fn now(&self) -> Option<Instant> {
        Some(self.policy.timer.now())
    }

    #[inline]
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        self.settings.on_retry(notice);
    }
}

/// A call's settings and typed hook, if it has any. A trait and not an `Option`, so that the future
/// of a call without settings is one pointer smaller.
pub(crate) trait Settings<E> {
    fn get(&self) -> Option<&CallSettings<'_>>;

    #[inline]
    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        let _ = notice;
    }
}

pub(crate) struct NoSettings;

impl<E> Settings<E> for NoSettings {
    #[inline]
    fn get(&self) -> Option<&CallSettings<'_>> {
        None
    }
}

impl<E, P, N: RetryHook<E>> Settings<E> for &CallContext<'_, P, N> {
    #[inline]
    fn get(&self) -> Option<&CallSettings<'_>> {
        Some(&self.settings)
    }

    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        self.on_retry.on_retry(notice);
    }
}

impl<E, N: RetryHook<E> + ?Sized> Settings<E> for (&CallSettings<'_>, &N) {
    #[inline]
    fn get(&self) -> Option<&CallSettings<'_>> {
        Some(self.0)
    }

    fn on_retry(&self, notice: &RetryNotice<'_, E>) {
        self.1.on_retry(notice);
    }
}

impl<'a, T, E, C, Tm: Timer, S: Settings<E>, F, Fut, N> CallFuture<'a, T, E, C, Tm, S, F, Fut, N> {
    #[inline]
    pub(crate) fn new(policy: &'a AsyncPolicy<C, Tm>, settings: S, operation: F, finish: N) -> Self {
        let machine = Machine::new(Borrowed { policy, settings });
        Self { running: None, sleep: None, machine, operation, finish }
    }
}

impl<T, E, C, Tm, S, F, Fut, N> Future for CallFuture<'_, T, E, C, Tm, S, F, Fut, N>
where
    C: Classifier<T, E>,
    Tm: Timer,
    S: Settings<E>,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    N: Finish<T, E>,
{
    type Output = N::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<N::Output> {
        let this = self.project();
        let AsyncPolicy { classifier, timer, .. } = this.machine.held().policy;
        let operation = Attempts { make: this.operation, running: this.running };
        this.machine.poll(PollContext::new(classifier, timer, operation, this.sleep), *this.finish, cx)
    }
}

/// A closure that returns a future for each attempt.
struct Attempts<'p, F, Fut> {
    make: &'p mut F,
    running: Pin<&'p mut Option<Fut>>,
}

impl<T, E, F, Fut> PollOperation<T, E> for Attempts<'_, F, Fut>
where
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    #[inline]
    fn start(&mut self, attempt: Attempt) {
        self.running.set(Some((self.make)(attempt)));
    }

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx))
    }

    #[inline]
    fn stop(&mut self) {
        self.running.set(None);
    }
}
