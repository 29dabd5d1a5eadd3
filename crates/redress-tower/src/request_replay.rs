//! What each attempt of a call sends, and the instance of the inner service it sends it to. Also
//! releases what an attempt reserved in the inner service.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use redress_core::driver::{PollCall, PollOperation, Timer};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification};
use tower_service::Service;

use crate::protocol::Protocol;

/// The state that the attempts of a call share: the kept request, and the instance of the inner
/// service that the current attempt waits for and calls.
///
/// `poll_ready` ties its reservation (a place in a limit, a slot in a queue) to the instance, so an
/// instance serves one attempt. Keeping it during the wait would block other calls: with a limit of
/// ten at half load, a limit that was full once for 5 s slowed 2,500 of 3,000 calls instead of 214.
///
/// - **Invariant W1**: an attempt's reservation is released while the call waits for the next
///   attempt, however the attempt ended. An attempt that returned a result may hold one as well: a
///   `LoadShed` that refused its request stays in the queue of the limit below it.
/// - **Invariant W2**: the reservation is released when the call ends or panics, even if the call's
///   future is kept.
pub(crate) struct RequestReplay<S, Req, X, Tm> {
    /// Present until the call is over.
    instance: Option<S>,
    protocol: X,
    /// Measures how long an attempt waits for the service to become ready.
    timer: Tm,
    attempts_allowed: u32,
    /// The request of the next attempt.
    kept: Option<Req>,
    /// The request of the started attempt, until the service is ready for it.
    next: Option<Req>,
    /// Why the request cannot be replayed.
    only_once: Option<&'static str>,
    /// The attempt that was started, with its limit at that time.
    attempt: Attempt,
    /// When the attempt, which has a limit, began to wait for the service.
    waits_since: Option<Instant>,
    /// Whether the service received its request.
    is_called: bool,
}

impl<S, Req, X, Tm: Timer> RequestReplay<S, Req, X, Tm> {
    pub(crate) fn new(instance: S, (protocol, timer): (X, Tm), attempts_allowed: u32, request: Req) -> Self {
        Self {
            instance: Some(instance),
            protocol,
            timer,
            attempts_allowed,
            kept: Some(request),
            next: None,
            only_once: None,
            attempt: Attempt::new(0, None),
            waits_since: None,
            is_called: false,
        }
    }

    pub(crate) const fn protocol(&self) -> &X {
        &self.protocol
    }

    /// Polls `call` once, with the attempts as its operation. `running` holds the service's future
    /// between polls.
    #[inline]
    pub(crate) fn drive<'h, C, R>(
        &mut self,
        running: Pin<&mut Option<S::Future>>,
        call: &mut PollCall<'h, S::Response, S::Error, C, Tm>,
        poll: impl FnOnce(&mut PollCall<'h, S::Response, S::Error, C, Tm>, &mut Attempts<'_, S, Req, X, Tm>) -> Poll<R>,
    ) -> Poll<R>
    where
        S: Service<Req>,
    {
        let mut guard = ReleaseOnPanic { attempts: Attempts { replay: self, running } };
        let polled = poll(call, &mut guard.attempts);
        if call.is_over() {
            // W2. The call has already stopped its last attempt.
            guard.attempts.replay.instance = None;
        }
        mem::forget(guard);
        polled
    }

    /// Returns the request of this attempt, and keeps a replay of it if another attempt may follow.
    fn request_for<Res>(&mut self, attempt: Attempt) -> Option<Req>
    where
        X: Protocol<Req, Res>,
    {
        let request = self.kept.take()?;
        if attempt.number() < self.attempts_allowed {
            match self.protocol.replay(&request) {
                Ok(replay) => self.kept = Some(replay),
                Err(why) => self.only_once = Some(why),
            }
        }
        self.attempt = attempt;
        Some(request)
    }

    /// Called while the service is not ready. Reads the clock once for an attempt with a limit.
    #[cold]
    fn wait(&mut self) {
        if self.attempt.time_left().is_some() && self.waits_since.is_none() {
            self.waits_since = Some(self.timer.now());
        }
    }

    fn retry_forbidden<Res, E>(&mut self, failure: &Failure<Res, E>, meaning: &Classification) -> Option<&'static str>
    where
        X: Protocol<Req, Res>,
    {
        if !self.is_called {
            return self.prepare_repetition(failure, &meaning.clone().unsent());
        }
        self.prepare_repetition(failure, meaning)
    }

    /// Returns why the kept request must not be sent again, or prepares it for the next attempt.
    fn prepare_repetition<Res, E>(
        &mut self,
        failure: &Failure<Res, E>,
        meaning: &Classification,
    ) -> Option<&'static str>
    where
        X: Protocol<Req, Res>,
    {
        let Some(kept) = &mut self.kept else { return self.only_once };
        let why_not = self.protocol.retry_forbidden(kept, failure.result(), meaning);
        if why_not.is_none() {
            self.protocol.repeats(kept, self.attempt.number() + 1, failure.cause(), failure.result(), meaning);
        }
        why_not
    }
}

/// The attempts of a call, during one poll.
pub(crate) struct Attempts<'p, S: Service<Req>, Req, X, Tm> {
    replay: &'p mut RequestReplay<S, Req, X, Tm>,
    running: Pin<&'p mut Option<S::Future>>,
}

impl<S, Req, X, Tm> PollOperation<S::Response, S::Error> for Attempts<'_, S, Req, X, Tm>
where
    S: Service<Req> + Clone,
    X: Protocol<Req, S::Response>,
    Tm: Timer,
{
    #[inline]
    fn start(&mut self, attempt: Attempt) {
        self.replay.next = self.replay.request_for::<S::Response>(attempt);
    }

    #[inline(always)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        if self.running.is_none() {
            let replay = &mut *self.replay;
            let instance = replay.instance.as_mut().expect("a call has an instance until it is over");
            if instance.poll_ready(cx)?.is_pending() {
                replay.wait();
                return Poll::Pending;
            }
            // `start` runs before `poll`, and `retry_forbidden` rules out an attempt without a kept
            // request.
            let mut request = replay.next.take().expect("an attempt has a request");
            replay.protocol.prepare(&mut request, after_wait(replay.attempt, replay.waits_since, &replay.timer));
            self.running.set(Some(instance.call(request)));
            replay.is_called = true;
        }
        self.running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx))
    }

    #[inline]
    fn stop(&mut self) {
        self.running.set(None);
        self.replay.next = None;
    }

    fn retry_forbidden(
        &mut self,
        failure: &Failure<S::Response, S::Error>,
        meaning: &Classification,
    ) -> Option<&'static str> {
        self.replay.retry_forbidden(failure, meaning)
    }

    fn before_wait(&mut self, failure: &mut Failure<S::Response, S::Error>) {
        if let Failure::Result(response) = failure {
            self.replay.protocol.discard(response);
        }
        // W1. A clone holds no reservation. This also replaces an instance that failed to become
        // ready, which tower's contract says must not be used again.
        self.replay.instance = self.replay.instance.clone();
        // Here and not at each start, because a first attempt finds them so.
        (self.replay.waits_since, self.replay.is_called) = (None, false);
    }
}

/// Returns the attempt with the time that it has left now. Its timer fires when that is zero.
fn after_wait(attempt: Attempt, waits_since: Option<Instant>, timer: &impl Timer) -> Attempt {
    let (Some(limit), Some(since)) = (attempt.time_left(), waits_since) else { return attempt };
    let left = limit.saturating_sub(timer.now().saturating_duration_since(since));
    Attempt::new(attempt.number(), Some(left.max(Duration::from_nanos(1))))
}

/// Drops the attempt and its reservation if a poll panics, because a panic ends the call (W2).
struct ReleaseOnPanic<'p, S: Service<Req>, Req, X, Tm> {
    attempts: Attempts<'p, S, Req, X, Tm>,
}

impl<S: Service<Req>, Req, X, Tm> Drop for ReleaseOnPanic<'_, S, Req, X, Tm> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        let Attempts { replay, running } = &mut self.attempts;
        contained(|| running.set(None));
        contained(|| replay.instance = None);
    }
}

/// Runs one of the service's destructors during unwinding and catches its panic, because a second
/// panic that leaves a destructor aborts the process.
fn contained(destructor: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(destructor)) {
        // The payload's destructor may panic as well.
        mem::forget(payload);
    }
}
