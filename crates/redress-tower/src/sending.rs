//! What a call sends, attempt by attempt: the request or a copy of it, to an instance that is ready
//! for it.
//!
//! Owns copies and readiness, and lets go of what was reserved below. Where the attempt's future
//! lies is the caller's affair; whether there is another attempt is the policy's.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use redress_core::driver::{PollCall, PollOperation, Timer};
use redress_core::error::Failure;
use redress_core::{Attempt, Classification};
use tower_service::Service;

use crate::protocol::Protocol;

/// What the attempts of a call have in common, and the instance of the service below that the
/// current attempt waits for and calls.
///
/// What `poll_ready` reserves, such as a place in a limit or a slot in a queue, goes with the
/// instance, so an instance serves one attempt. A call that keeps it through the wait keeps other
/// calls out as long: with a limit of ten at half load, 2,500 of 3,000 calls were slow after the
/// limit had been full for 5 s once, instead of 214.
///
/// - **Invariant W1**: what was reserved below is free while a call waits for its next attempt,
///   however the last one ended. An attempt with a result may have reserved something, too: an
///   instance of `LoadShed` that turned its request away stays in the queue of the limit below.
/// - **Invariant W2**: it is free once the call is over, after a panic too, although the call's
///   future is kept.
pub(crate) struct Sending<S, Req, X> {
    /// Present until the call is over.
    instance: Option<S>,
    protocol: X,
    attempts_allowed: u32,
    /// What further attempts are made of.
    kept: Option<Req>,
    /// What the attempt that was started sends, until the service is ready for it.
    next: Option<Req>,
    /// Why there is nothing to send again.
    only_once: Option<&'static str>,
    /// The attempt that was started, counted from 1.
    number: u32,
    /// Whether its request was handed to the service.
    is_called: bool,
}

impl<S, Req, X> Sending<S, Req, X> {
    pub(crate) const fn new(instance: S, protocol: X, attempts_allowed: u32, request: Req) -> Self {
        Self {
            instance: Some(instance),
            protocol,
            attempts_allowed,
            kept: Some(request),
            next: None,
            only_once: None,
            number: 0,
            is_called: false,
        }
    }

    pub(crate) const fn protocol(&self) -> &X {
        &self.protocol
    }

    /// Drives `call` on by one `poll` of it, with the attempts as its operation. `running` is where
    /// the service's future lies between polls.
    #[inline]
    pub(crate) fn drive<'h, C, Tm: Timer, R>(
        &mut self,
        running: Pin<&mut Option<S::Future>>,
        call: &mut PollCall<'h, S::Response, S::Error, C, Tm>,
        poll: impl FnOnce(&mut PollCall<'h, S::Response, S::Error, C, Tm>, &mut Attempts<'_, S, Req, X>) -> Poll<R>,
    ) -> Poll<R>
    where
        S: Service<Req>,
    {
        let mut guard = ReleaseOnPanic { attempts: Attempts { sending: self, running } };
        let polled = poll(call, &mut guard.attempts);
        if call.is_over() {
            // The call has stopped its last attempt.
            guard.attempts.sending.instance = None;
        }
        mem::forget(guard);
        polled
    }

    /// The request of this attempt, with a copy kept if another may follow and there is one.
    fn request_for<Res>(&mut self, attempt: Attempt) -> Option<Req>
    where
        X: Protocol<Req, Res>,
    {
        let mut request = self.kept.take()?;
        if attempt.number() < self.attempts_allowed {
            match self.protocol.copy(&request) {
                Ok(copy) => self.kept = Some(copy),
                Err(why) => self.only_once = Some(why),
            }
        }
        self.protocol.prepare(&mut request, attempt);
        (self.number, self.is_called) = (attempt.number(), false);
        Some(request)
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

    /// Tells the copy why it would be sent, unless it must not be.
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
            self.protocol.repeats(kept, self.number + 1, failure.cause(), failure.result(), meaning);
        }
        why_not
    }
}

/// A call's attempts, for as long as it is polled.
pub(crate) struct Attempts<'p, S: Service<Req>, Req, X> {
    sending: &'p mut Sending<S, Req, X>,
    running: Pin<&'p mut Option<S::Future>>,
}

impl<S, Req, X> PollOperation<S::Response, S::Error> for Attempts<'_, S, Req, X>
where
    S: Service<Req> + Clone,
    X: Protocol<Req, S::Response>,
{
    #[inline]
    fn start(&mut self, attempt: Attempt) {
        self.sending.next = self.sending.request_for::<S::Response>(attempt);
    }

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        if self.running.is_none() {
            let instance = self.sending.instance.as_mut().expect("a call has an instance until it is over");
            ready!(instance.poll_ready(cx))?;
            // Each attempt is started before it is polled, and one without a copy to send is
            // forbidden.
            let request = self.sending.next.take().expect("an attempt has a request");
            self.running.set(Some(instance.call(request)));
            self.sending.is_called = true;
        }
        self.running.as_mut().as_pin_mut().map_or(Poll::Pending, |running| running.poll(cx))
    }

    #[inline]
    fn stop(&mut self) {
        self.running.set(None);
        self.sending.next = None;
    }

    fn retry_forbidden(
        &mut self,
        failure: &Failure<S::Response, S::Error>,
        meaning: &Classification,
    ) -> Option<&'static str> {
        self.sending.retry_forbidden(failure, meaning)
    }

    fn before_wait(&mut self, failure: &mut Failure<S::Response, S::Error>) {
        if let Failure::Result(response) = failure {
            self.sending.protocol.discard(response);
        }
        // W1. A clone has reserved nothing. An instance that failed to become ready is replaced,
        // too: by tower's contract it is not used again.
        self.sending.instance = self.sending.instance.clone();
    }
}

/// Lets go of the attempt, and of what is reserved below, when a poll panics, with which the call
/// is over (W2).
struct ReleaseOnPanic<'p, S: Service<Req>, Req, X> {
    attempts: Attempts<'p, S, Req, X>,
}

impl<S: Service<Req>, Req, X> Drop for ReleaseOnPanic<'_, S, Req, X> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        let Attempts { sending, running } = &mut self.attempts;
        contained(|| running.set(None));
        contained(|| sending.instance = None);
    }
}

/// Runs a destructor of the service's while the call unwinds: a second panic that leaves a
/// destructor ends the process.
fn contained(destructor: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(destructor)) {
        // Its destructor may panic, too.
        mem::forget(payload);
    }
}
