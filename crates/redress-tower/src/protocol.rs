//! The trait that tells a layer how to replay, name and prepare requests, and its implementations
//! for any request type. HTTP's is in `http.rs`.

use std::borrow::Cow;
use std::fmt;

use redress_core::{Attempt, CallContext, Cause, Classification, OutcomeSummary};

/// Tells a layer how to handle the requests and responses of one protocol.
///
/// Only [`replay`](Self::replay) is required. Implementations exist for requests that are `Clone`
/// ([`CloneRequest`]), for a function ([`replay_with`]) and for HTTP
/// (`redress_tower::http::HttpProtocol`).
///
/// ```
/// use std::borrow::Cow;
/// use redress::integration::tower::{PolicyLayer, Protocol};
/// use redress::runtime::tokio::AsyncPolicy;
///
/// struct Query {
///     sql: String,
///     writes: bool,
/// }
///
/// /// Replays only the queries that write nothing.
/// #[derive(Clone, Copy)]
/// struct ReadsAgain;
///
/// impl<Res> Protocol<Query, Res> for ReadsAgain {
///     fn replay(&self, query: &Query) -> Result<Query, &'static str> {
///         if query.writes { Err("writes") } else { Ok(Query { sql: query.sql.clone(), writes: false }) }
///     }
///
///     fn operation(&self, query: &Query) -> Option<Cow<'static, str>> {
///         Some(if query.writes { "write" } else { "read" }.into())
///     }
/// }
///
/// let layer = PolicyLayer::new(AsyncPolicy::default()).protocol(ReadsAgain);
/// # drop(layer);
/// ```
#[expect(unused_variables, reason = "the defaults read nothing, and implementations copy the names")]
pub trait Protocol<Req, Res> {
    /// Returns a replay of the request, to be sent if this attempt fails.
    ///
    /// Called before each attempt that another may follow, so never with a policy of one attempt.
    ///
    /// # Errors
    ///
    /// Returns a reason in one word for metrics, such as `streaming_body`, if the request cannot be
    /// replayed. The request is then sent once. If it fails with a failure that the policy would
    /// retry, the call ends as [`RetryForbidden`](redress_core::StopReason::RetryForbidden) and its
    /// outcome carries the reason.
    fn replay(&self, request: &Req) -> Result<Req, &'static str>;

    /// Returns the operation's name in events. Called only if the call has observers. Keep names
    /// low-cardinality. Default: none.
    fn operation(&self, request: &Req) -> Option<Cow<'static, str>> {
        None
    }

    /// Returns the settings of this request's call: a deadline, an abort handle, hooks. If they
    /// have no name, [`operation`](Self::operation) names the call. Default: none.
    fn context(&self, request: &Req) -> Option<CallContext<'static, ()>> {
        None
    }

    /// Returns whether the request bypasses the policy: one attempt, no breaker, no events.
    /// Default: false.
    fn bypasses(&self, request: &Req) -> bool {
        false
    }

    /// Changes the request of an attempt before it is sent, for example to add a header with the
    /// attempt's number or with the time it has left. Called when the inner service is ready;
    /// `attempt` has the time that is left then. Runs within the scopes of the policy's observers,
    /// so the attempt's span is current. Default: does nothing.
    fn prepare(&self, request: &mut Req, attempt: Attempt) {}

    /// Returns why the request must not be sent again after this failure, even though it can be
    /// replayed. `response` is the failed response, if there is one, and `failure` is the
    /// classification of the response or the error. Called after each failed attempt. A failure
    /// before the inner service was called is marked as [unsent](Classification::is_unsent).
    /// Default: `None`.
    fn retry_forbidden(&self, request: &Req, response: Option<&Res>, failure: &Classification) -> Option<&'static str> {
        None
    }

    /// Prepares the replay for `attempt`, counted from 1, which follows if the policy retries. The
    /// previous attempt failed by `cause`, with `response` if there was one, classified as
    /// `failure`. Put the reason into the request here if the inner service needs it. Default: does
    /// nothing.
    fn repeats(&self, request: &mut Req, attempt: u32, cause: Cause, response: Option<&Res>, failure: &Classification) {
    }

    /// Called on a failed response before waiting for the next attempt; release its resources here.
    /// If no further attempt follows, the call returns what is left of the response. Default: does
    /// nothing.
    fn discard(&self, response: &mut Res) {}

    /// Called with the response that the call returns, failed or not, if
    /// [`observes_outcome`](Self::observes_outcome) returns true. Default: does nothing.
    fn ended(&self, response: &mut Res, summary: &OutcomeSummary) {}

    /// Returns whether [`ended`](Self::ended) does anything. If not, a call skips the summary and
    /// two readings of the clock. Default: true.
    fn observes_outcome(&self) -> bool {
        true
    }
}

/// A protocol with a function that adds settings to each request's call. The function's settings go
/// within the protocol's. Made by [`PolicyLayer::context_for`](crate::PolicyLayer::context_for).
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
    fn replay(&self, request: &Req) -> Result<Req, &'static str> {
        self.protocol.replay(request)
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
    fn observes_outcome(&self) -> bool {
        self.protocol.observes_outcome()
    }
}

impl<X: fmt::Debug, F> fmt::Debug for ContextFor<X, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextFor").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

/// Replays requests by cloning them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloneRequest;

impl<Req: Clone, Res> Protocol<Req, Res> for CloneRequest {
    fn replay(&self, request: &Req) -> Result<Req, &'static str> {
        Ok(request.clone())
    }

    #[inline]
    fn observes_outcome(&self) -> bool {
        false
    }
}

/// Replays nothing: every request is sent once. For a policy that only has a breaker or an attempt
/// timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Once;

impl<Req, Res> Protocol<Req, Res> for Once {
    fn replay(&self, _: &Req) -> Result<Req, &'static str> {
        Err("sent_once")
    }

    #[inline]
    fn observes_outcome(&self) -> bool {
        false
    }
}

/// Replays requests with a function. Made by [`replay_with`].
#[derive(Clone, Copy)]
pub struct ReplayWith<F>(F);

/// Creates a [`Protocol`] that replays requests with `replay`. The function returns the reason in
/// one word for a request that it cannot replay.
///
/// ```
/// use redress::integration::tower::replay_with;
///
/// struct Job { number: u32, upload: Option<std::fs::File> }
///
/// let protocol = replay_with(|job: &Job| match job.upload {
///     None => Ok(Job { number: job.number, upload: None }),
///     Some(_) => Err("upload"), // already read when a retry would send it
/// });
/// # let _ = protocol;
/// ```
pub const fn replay_with<Req, F>(replay: F) -> ReplayWith<F>
where
    F: Fn(&Req) -> Result<Req, &'static str>,
{
    ReplayWith(replay)
}

impl<Req, Res, F: Fn(&Req) -> Result<Req, &'static str>> Protocol<Req, Res> for ReplayWith<F> {
    fn replay(&self, request: &Req) -> Result<Req, &'static str> {
        (self.0)(request)
    }

    #[inline]
    fn observes_outcome(&self) -> bool {
        false
    }
}

impl<F> fmt::Debug for ReplayWith<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayWith")
    }
}
