//! Policies without waits and a scripted service, for the tests.

use std::future::{Future, Ready, ready};
use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redress_core::policy::RetryBuilder;
use redress_core::{Retry, fixed};
use redress_tokio::AsyncPolicy;
use tower::Service;

pub(crate) fn at_once() -> RetryBuilder {
    Retry::builder().strategy(fixed(Duration::ZERO))
}

pub(crate) fn policy(attempts: u32) -> AsyncPolicy {
    AsyncPolicy::builder().retry(at_once().max_attempts(attempts)).build().unwrap()
}

pub(crate) fn reset() -> Error {
    Error::from(ErrorKind::ConnectionReset)
}

/// The result of the first poll.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Responds from a script, in order, and records requests. Every instance must have been ready
/// since its last call.
pub(crate) struct Scripted<Req, Res> {
    shared: Arc<Mutex<Shared<Req, Res>>>,
    is_ready: bool,
    has_failed: bool,
}

struct Shared<Req, Res> {
    answers: Vec<Result<Res, Error>>,
    /// The results of `poll_ready`; ready when it is empty.
    readiness: Vec<Result<(), Error>>,
    notes: Vec<&'static str>,
    seen: Vec<Req>,
}

impl<Req: Clone, Res> Scripted<Req, Res> {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Res, Error>>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        let shared = Shared { answers, readiness: Vec::new(), notes: Vec::new(), seen: Vec::new() };
        Self { shared: Arc::new(Mutex::new(shared)), is_ready: false, has_failed: false }
    }

    pub(crate) fn readiness(self, readiness: impl IntoIterator<Item = Result<(), Error>>) -> Self {
        let mut readiness: Vec<_> = readiness.into_iter().collect();
        readiness.reverse();
        self.shared.lock().unwrap().readiness = readiness;
        self
    }

    pub(crate) fn notes(&self) -> Vec<&'static str> {
        self.shared.lock().unwrap().notes.clone()
    }

    pub(crate) fn seen(&self) -> Vec<Req> {
        self.shared.lock().unwrap().seen.clone()
    }
}

impl<Req, Res> Clone for Scripted<Req, Res> {
    /// By tower's contract, the original's readiness does not carry over to a clone.
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), is_ready: false, has_failed: false }
    }
}

impl<Req, Res> Service<Req> for Scripted<Req, Res> {
    type Response = Res;
    type Error = Error;
    type Future = Ready<Result<Res, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        assert!(!self.has_failed, "an instance that failed to become ready was asked again");
        let mut shared = self.shared.lock().unwrap();
        shared.notes.push("ready");
        let readiness = shared.readiness.pop().unwrap_or(Ok(()));
        self.is_ready = readiness.is_ok();
        self.has_failed = readiness.is_err();
        Poll::Ready(readiness)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        assert!(self.is_ready, "called without having been ready");
        self.is_ready = false;
        let mut shared = self.shared.lock().unwrap();
        shared.notes.push("call");
        shared.seen.push(request);
        ready(shared.answers.pop().expect("as many answers as calls"))
    }
}
