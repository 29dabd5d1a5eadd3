//! What a layer has to know of the requests and responses it handles: whether one can be sent
//! again, and what it is called.
//!
//! Owns the seam and its plain implementations. Sends nothing; HTTP's is in `http.rs`.

use std::borrow::Cow;
use std::fmt;

use redress_core::{Attempt, CallContext, Cause, Classification, OutcomeSummary};

/// How the requests and responses of one protocol are handled.
///
/// Everything but [`copy`](Self::copy) does nothing unless it is written. Where the request is
/// `Clone`, take [`CloneRequest`]; for a function, [`copy_with`]; for HTTP,
/// `redress_tower::http::HttpProtocol`.
pub trait Protocol<Req, Res> {
    /// A copy of the request, kept to be sent if this attempt fails.
    ///
    /// Asked before each attempt that may be followed by another, so never by a policy of one
    /// attempt.
    ///
    /// # Errors
    ///
    /// Why there is none, in a word for metrics such as `streaming_body`. The request is then sent
    /// once, and if that fails in a way that would have been retried, the call ends as
    /// [`RetryForbidden`](redress_core::StopReason::RetryForbidden) and its outcome says why.
    fn copy(&self, request: &Req) -> Result<Req, &'static str>;

    /// The operation's name in events; asked only if somebody hears them. Keep names
    /// low-cardinality. Default: none.
    fn operation(&self, request: &Req) -> Option<Cow<'static, str>> {
        let _ = request;
        None
    }

    /// What the call of this request sets for itself: a deadline, an abort handle, hooks. Without a
    /// name in it the operation has that of [`operation`](Self::operation). Default: nothing.
    fn context(&self, request: &Req) -> Option<CallContext<'static, ()>> {
        let _ = request;
        None
    }

    /// Whether the request passes by the policy: sent once, with neither breaker nor events.
    /// Default: no.
    fn bypasses(&self, request: &Req) -> bool {
        let _ = request;
        false
    }

    /// Changes the request of an attempt before it is sent: the place for a header with the
    /// attempt's number, or with the time it has left. Runs within the scopes of the policy's
    /// observers, so the attempt's span is current. Default: nothing.
    fn prepare(&self, request: &mut Req, attempt: Attempt) {
        let _ = (request, attempt);
    }

    /// Why the request must not be sent again after this failure, although there is a copy of it:
    /// `response` is the response that failed, if there is one, and `failure` what the classifier
    /// made of it, or of the error. Asked when an attempt has failed; an attempt that ended before
    /// the service below was called is [not acted on](Classification::is_unsent). Default: `None`.
    fn retry_forbidden(&self, request: &Req, response: Option<&Res>, failure: &Classification) -> Option<&'static str> {
        let _ = (request, response, failure);
        None
    }

    /// Prepares the copy to be sent as this attempt, counted from 1, if the policy has it so: the
    /// one before failed by this cause, with this response if there was one, which the classifier
    /// read as `failure`. The place to tell the service below why. Default: nothing.
    fn repeats(&self, request: &mut Req, attempt: u32, cause: Cause, response: Option<&Res>, failure: &Classification) {
        let _ = (request, attempt, cause, response, failure);
    }

    /// A failing response is going to be replaced by another attempt: the place to let go of what
    /// it holds, before the wait. If there is no further attempt after all, what is left of it is
    /// the call's response. Default: nothing.
    fn discard(&self, response: &mut Res) {
        let _ = response;
    }

    /// Called with the response that the call ends with, good or bad, if
    /// [`hears_of_end`](Self::hears_of_end). Default: does nothing.
    fn ended(&self, response: &mut Res, summary: &OutcomeSummary) {
        let _ = (response, summary);
    }

    /// Whether [`ended`](Self::ended) does anything. If not, a call spares the summary and two
    /// readings of the clock. Default: true.
    fn hears_of_end(&self) -> bool {
        true
    }
}

/// A protocol beside which a function says what the call of each request sets for itself, within
/// what the protocol says. Made by [`PolicyLayer::context_for`](crate::PolicyLayer::context_for).
#[derive(Clone, Copy)]
pub struct ContextFor<X, F> {
    pub(crate) protocol: X,
    pub(crate) context: F,
}

impl<Req, Res, X, F> Protocol<Req, Res> for ContextFor<X, F>
where
    X: Protocol<Req, Res>,
    F: Fn(&Req) -> CallContext<'static, ()>,
{
    fn copy(&self, request: &Req) -> Result<Req, &'static str> {
        self.protocol.copy(request)
    }

    fn operation(&self, request: &Req) -> Option<Cow<'static, str>> {
        self.protocol.operation(request)
    }

    fn context(&self, request: &Req) -> Option<CallContext<'static, ()>> {
        let own = (self.context)(request);
        Some(match self.protocol.context(request) {
            Some(outer) => own.within(outer.settings()),
            None => own,
        })
    }

    fn bypasses(&self, request: &Req) -> bool {
        self.protocol.bypasses(request)
    }

    fn prepare(&self, request: &mut Req, attempt: Attempt) {
        self.protocol.prepare(request, attempt);
    }

    fn retry_forbidden(&self, request: &Req, response: Option<&Res>, failure: &Classification) -> Option<&'static str> {
        self.protocol.retry_forbidden(request, response, failure)
    }

    fn repeats(&self, request: &mut Req, attempt: u32, cause: Cause, response: Option<&Res>, failure: &Classification) {
        self.protocol.repeats(request, attempt, cause, response, failure);
    }

    fn discard(&self, response: &mut Res) {
        self.protocol.discard(response);
    }

    fn ended(&self, response: &mut Res, summary: &OutcomeSummary) {
        self.protocol.ended(response, summary);
    }

    #[inline]
    fn hears_of_end(&self) -> bool {
        self.protocol.hears_of_end()
    }
}

impl<X: fmt::Debug, F> fmt::Debug for ContextFor<X, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextFor").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// Copies requests by cloning them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloneRequest;

impl<Req: Clone, Res> Protocol<Req, Res> for CloneRequest {
    fn copy(&self, request: &Req) -> Result<Req, &'static str> {
        Ok(request.clone())
    }

    #[inline]
    fn hears_of_end(&self) -> bool {
        false
    }
}

/// Copies nothing: every request is sent once. For a policy whose breaker or attempt timeout alone
/// is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Once;

impl<Req, Res> Protocol<Req, Res> for Once {
    fn copy(&self, _: &Req) -> Result<Req, &'static str> {
        Err("sent_once")
    }

    #[inline]
    fn hears_of_end(&self) -> bool {
        false
    }
}

/// Copies requests with a function. Made by [`copy_with`].
#[derive(Clone, Copy)]
pub struct CopyWith<F>(F);

/// A [`Protocol`] that copies requests with `copy`, which says why not where it cannot.
///
/// ```
/// use redress::integration::tower::copy_with;
///
/// struct Job { number: u32, upload: Option<std::fs::File> }
///
/// let protocol = copy_with(|job: &Job| match job.upload {
///     None => Ok(Job { number: job.number, upload: None }),
///     Some(_) => Err("upload"), // it has been read by then
/// });
/// # let _ = protocol;
/// ```
pub const fn copy_with<Req, F>(copy: F) -> CopyWith<F>
where
    F: Fn(&Req) -> Result<Req, &'static str>,
{
    CopyWith(copy)
}

impl<Req, Res, F: Fn(&Req) -> Result<Req, &'static str>> Protocol<Req, Res> for CopyWith<F> {
    fn copy(&self, request: &Req) -> Result<Req, &'static str> {
        (self.0)(request)
    }

    #[inline]
    fn hears_of_end(&self) -> bool {
        false
    }
}

impl<F> fmt::Debug for CopyWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CopyWith")
    }
}
