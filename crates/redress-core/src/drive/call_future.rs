//! The future of one asynchronous call: the machine, with the places for what has to be pinned.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::attempt::Attempt;
use super::call::Hold;
use super::finish::Finish;
use super::machine::{Machine, PollContext};
use super::poll_call::PollOperation;
use super::timer::Timer;
use crate::classify::classifier::Classifier;
use crate::policy::compiled::Plan;
use crate::policy::context::CallSettings;
use crate::policy::policies::AsyncPolicy;

pin_project! {
    /// One call of a borrowed policy.
    pub(crate) struct CallFuture<'a, T, E, C, Tm, S, F, Fut, N>
    where
        Tm: Timer,
        S: Settings,
    {
        // ORDER: the attempt is dropped before the machine, which gives the permit back.
        #[pin]
        running: Option<Fut>,
        #[pin]
        sleep: Option<Tm::Sleep>,
        machine: Machine<Borrowed<'a, C, Tm, S>, T, E>,
        operation: F,
        finish: N,
    }
}

/// What a call borrows.
pub(crate) struct Borrowed<'a, C, Tm, S> {
    policy: &'a AsyncPolicy<C, Tm>,
    settings: S,
}

impl<C, Tm: Timer, S: Settings> Hold for Borrowed<'_, C, Tm, S> {
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
}

/// A call's settings, if it has any. Two types, so that a call without settings does not store a pointer to none.
pub(crate) trait Settings {
    fn get(&self) -> Option<&CallSettings<'_>>;
}

pub(crate) struct NoSettings;

impl Settings for NoSettings {
    #[inline]
    fn get(&self) -> Option<&CallSettings<'_>> {
        None
    }
}

impl Settings for &CallSettings<'_> {
    #[inline]
    fn get(&self) -> Option<&CallSettings<'_>> {
        Some(self)
    }
}

impl<'a, T, E, C, Tm: Timer, S: Settings, F, Fut, N> CallFuture<'a, T, E, C, Tm, S, F, Fut, N> {
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
    S: Settings,
    F: FnMut(Attempt) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    N: Finish<T, E>,
{
    type Output = N::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<N::Output> {
        let this = self.project();
        let AsyncPolicy { classifier, timer, .. } = this.machine.held().policy;
        let mut operation = Attempts { make: this.operation, running: this.running };
        this.machine.poll(PollContext::new(classifier, timer, &mut operation, this.sleep), *this.finish, cx)
    }
}

/// An operation that makes a future for each attempt.
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
